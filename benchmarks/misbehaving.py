"""A walk of hundreds of thousands of rows over a Hub that misbehaves, killed and resumed: the same day as without all that?
The sandbox Hub serves it, with the faults that its own tests know; nothing here is about speed."""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from orchestration.landing.content import content_hash
from orchestration.sandbox.population import write_population
from orchestration.sandbox.server import SandboxHub

DAY = date(2026, 11, 22)
PROJECT_ROOT = Path(__file__).resolve().parent.parent
FAULTS = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "reset"},
    {"kind": "short_body"},
    {"kind": "truncated_json"},
    {"kind": "html"},
)
LONGEST_WAIT = (
    0.3  # of a clean walk's time, from a process's first saved shard to its kill: three kills fit in one walk
)
GIVEN_UP_AFTER = 600  # seconds for one process; a walk of this size takes some twenty


@dataclass(frozen=True)
class Ordeal:
    """How large, and how bad. Pages are small, so that faults and kills have many places to strike at."""

    models: int = 300_000
    page_size: int = 250
    fault_rate: float = 0.02
    kills: int = 3
    seed: int = 7


@dataclass
class _Walker:
    """One process that lands the day, its lines as they come."""

    home: Path
    url: str
    page_size: int
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        command = [sys.executable, "-m", "benchmarks.land", str(self.home), self.url, DAY.isoformat()]
        self.process = subprocess.Popen(
            [*command, "--page-size", str(self.page_size)], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT
        )
        self._come: SimpleQueue[str | None] = SimpleQueue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._come.put(line.strip())
        self._come.put(None)

    def next_line(self, until: float) -> str | None:
        """The next line that comes before `until` (monotonic seconds); None if none does, or the process has ended."""
        try:
            line = self._come.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return None
        if line is not None:
            self.lines.append(line)
        return line

    def run_on(self, until: float) -> None:
        while self.next_line(until) is not None:
            pass

    def finish(self) -> dict:
        """Wait for the end; what the process tells of the landed day. Raises RuntimeError if it failed."""
        self.run_on(time.monotonic() + GIVEN_UP_AFTER)
        try:
            status = self.process.wait(timeout=10)
        finally:
            self.process.kill()  # nothing to a process that has ended
        if status != 0:
            raise RuntimeError(f"found a landing that failed after {self.lines[-1:]}; expected it to end. See above.")
        return json.loads(self.lines.pop())


def run_ordeal(scratch: Path, ordeal: Ordeal, say: Callable[[str], None]) -> dict:
    """Land one day cleanly and once more through faults and kills; give rows, both hashes, and what was survived.

    `say` gets the transcript. Raises RuntimeError if the two days differ, if no fault struck, or if fewer processes
    were killed and resumed than asked: a run in which nothing happened proves nothing.
    """
    write_population(scratch / "hub", models=ordeal.models, days=1, seed=ordeal.seed, first_day=DAY)
    say(f"{ordeal.models:,} simulated models, pages of {ordeal.page_size}; first without faults or kills")
    with SandboxHub(scratch / "hub", day=DAY) as hub:
        started = time.monotonic()
        clean = _landed_cleanly(scratch / "clean", hub.url, ordeal.page_size)
        seconds = time.monotonic() - started
    clean_hash = content_hash(Path(clean["path"]))
    say(f"landed {clean['rows']:,} rows in {seconds:.1f} s, content {clean_hash[:16]}…")
    rules = [
        {**fault, "rate": ordeal.fault_rate / len(FAULTS), "times": None, "seed": ordeal.seed + number}
        for number, fault in enumerate(FAULTS)
    ]
    say(
        f"once more: {ordeal.fault_rate:.0%} of the pages fail in {len(FAULTS)} ways, {ordeal.kills} processes are killed"
    )
    with SandboxHub(scratch / "hub", day=DAY, faults=rules) as hub:
        started = time.monotonic()
        survived, kills, resumptions = _landed_through_kills(scratch / "ordeal", hub.url, ordeal, seconds, say)
        ordeal_seconds = time.monotonic() - started
        struck = Counter()
        for rule in hub.faults.rules:
            struck[f"status {rule.status}" if rule.kind == "status" else rule.kind] += rule.fired
    survived_hash = content_hash(Path(survived["path"]))
    say(f"landed {survived['rows']:,} rows in {ordeal_seconds:.1f} s, content {survived_hash[:16]}…")
    say(f"faults that struck: {', '.join(f'{kind} {count}' for kind, count in struck.items())}")
    told = {
        "models": ordeal.models,
        "page_size": ordeal.page_size,
        "rows": survived["rows"],
        "clean_rows": clean["rows"],
        "content_sha256": survived_hash,
        "clean_content_sha256": clean_hash,
        "faults": dict(struck),
        "kills": kills,
        "resumptions": resumptions,
        "clean_seconds": seconds,
        "seconds": ordeal_seconds,
    }
    judge(told, ordeal)
    say(
        f"the same {told['rows']:,} rows and the same content: {kills} kills and {sum(struck.values())} faults left no trace"
    )
    return told


def _landed_cleanly(home: Path, url: str, page_size: int) -> dict:
    walker = _Walker(home, url, page_size)
    walker.start()
    return walker.finish()


def _landed_through_kills(
    home: Path, url: str, ordeal: Ordeal, clean_seconds: float, say: Callable[[str], None]
) -> tuple[dict, int, int]:
    """Kill one process after the other, each at a random instant after its first saved shard; let the last one end."""
    instants = random.Random(ordeal.seed)
    kills = resumptions = 0
    while True:
        walker = _Walker(home, url, ordeal.page_size)
        started = time.monotonic()
        walker.start()
        if kills < ordeal.kills:
            given_up = started + GIVEN_UP_AFTER
            while (line := walker.next_line(given_up)) is not None and " walked " not in f"{line} ":
                pass
            walker.run_on(time.monotonic() + instants.uniform(0, LONGEST_WAIT * clean_seconds))
            if walker.process.poll() is None:
                walker.process.kill()
                walker.process.wait()
                kills += 1
                resumptions += _tell(walker, say)
                say(f"-- SIGKILL number {kills}, {time.monotonic() - started:.1f} s after the process began")
                continue
        told = walker.finish()
        resumptions += _tell(walker, say)
        return told, kills, resumptions


def _tell(walker: _Walker, say: Callable[[str], None]) -> bool:
    """Say a process's first two lines and its last two; give whether it took up an earlier walk."""
    lines = walker.lines
    shown = lines if len(lines) <= 5 else [*lines[:2], f"… {len(lines) - 4} lines …", *lines[-2:]]
    for line in shown:
        say(f"   {line}")
    return any("resumed after" in line for line in lines)


def judge(told: dict, ordeal: Ordeal) -> None:
    """Raises RuntimeError unless the day survived as it was, and there was something to survive."""
    promises = {
        "as many rows as the Hub has": told["rows"] == told["clean_rows"] == ordeal.models,
        "the same content as without faults and kills": told["content_sha256"] == told["clean_content_sha256"],
        "as many kills as asked": told["kills"] == ordeal.kills,
        "a walk taken up again after each kill": told["resumptions"] >= ordeal.kills,
        "faults that struck": sum(told["faults"].values()) > 0,
    }
    broken = [promise for promise, is_kept in promises.items() if not is_kept]
    if broken:
        raise RuntimeError(
            f"found {told}; expected {'; '.join(broken)}. A walk through faults and kills can't be trusted."
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.misbehaving", description=__doc__)
    parser.add_argument("--models", type=int, default=Ordeal.models)
    parser.add_argument("--kills", type=int, default=Ordeal.kills)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="misbehaving-") as scratch:
        ordeal = Ordeal(models=asked.models, kills=asked.kills)
        run_ordeal(Path(scratch), ordeal, lambda line: sys.stdout.write(line + "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
