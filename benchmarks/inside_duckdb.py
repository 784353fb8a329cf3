"""`python -m benchmarks.inside_duckdb FILE run --day …`: the observatory's command, noting when any thread is inside DuckDB.
Noting slows everything else down, so that no time but DuckDB's own is taken from such a run."""

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path


class Notes:
    """Stretches of time in which at least one thread was inside a call of DuckDB's module, in seconds by `clock`: since 1970,
    unless another is given. `cpu_seconds` is what the process used in them: DuckDB's threads, and what Python did beside."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.stretches: list[tuple[float, float]] = []
        self.cpu_seconds = 0.0
        self._lock = threading.Lock()
        self._inside = 0
        self._since = self._cpu_since = 0.0

    def note(self, frame: object, event: str, called: object) -> None:
        """The profile function: Python calls it before and after each call of a function written in C."""
        if event[:2] != "c_" or getattr(called, "__module__", None) != "_duckdb":
            return
        with self._lock:
            if event == "c_call":
                if not self._inside:
                    self._since, self._cpu_since = self._clock(), time.process_time()
                self._inside += 1
            else:
                self._inside -= 1
                if not self._inside:
                    self.stretches.append((self._since, self._clock()))
                    self.cpu_seconds += time.process_time() - self._cpu_since


def seconds_within(stretches: Sequence[Sequence[float]], start: float, end: float) -> float:
    """How long the stretches last between two moments."""
    return sum(max(0.0, min(last, end) - max(first, start)) for first, last in stretches)


def main(arguments: list[str]) -> int:
    notes = Notes()
    threading.setprofile(notes.note)
    sys.setprofile(notes.note)
    from orchestration.__main__ import main as command

    try:
        return command(arguments[1:])
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        told = {"stretches": notes.stretches, "cpu_seconds": notes.cpu_seconds}
        Path(arguments[0]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
