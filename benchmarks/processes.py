"""Runs a command in a process of its own and says what the kernel says it took: wall, CPU, peak memory.
What a figure means is told where the command is chosen; no process is asked about itself."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# The kernel hands a new process the peak of the one that started it, until it has a higher one of its own. So a bare
# interpreter (some 10 MB) does the starting, whatever size we are.
STARTER = """
import json, os, sys, time
command = sys.argv[1:]
started_at, began = time.time(), time.monotonic()
child = os.posix_spawn(command[0], command, os.environ)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
wall = time.monotonic() - began
try:
    asked = dict(line.split(": ") for line in open(f"/proc/{child}/io").read().splitlines())
except OSError:
    asked = {}
_, status, used = os.wait4(child, 0)
took = dict(
    status=os.waitstatus_to_exitcode(status), wall_seconds=wall, user_seconds=used.ru_utime,
    system_seconds=used.ru_stime, peak_bytes=used.ru_maxrss * 1024, started_at=started_at,
    read_bytes=int(asked.get("rchar", 0)), written_bytes=int(asked.get("wchar", 0)),
)
print(json.dumps(took), file=sys.stderr)
"""


@dataclass(frozen=True)
class Taken:
    """What one process took, from its start to its end: interpreter and imports included."""

    wall_seconds: float
    user_seconds: float
    system_seconds: float
    peak_bytes: int
    started_at: float = 0.0  # seconds since 1970
    read_bytes: int = 0  # asked of the kernel, from wherever it had them; 0 where it doesn't tell
    written_bytes: int = 0

    @property
    def cpu_seconds(self) -> float:
        return self.user_seconds + self.system_seconds

    def as_dict(self) -> dict[str, float]:
        return asdict(self) | {"cpu_seconds": self.cpu_seconds}


class CommandFailed(RuntimeError):
    """A measured command ended with a failure, so that there is nothing to report."""


def measured(command: Sequence[str], environment: dict[str, str] | None = None) -> tuple[str, Taken]:
    """Run a Python command (`-m module …`) from the project's folder; give its output and what it took.

    Threads and waited-for children of the process are in its figures; its peak is that of the largest single process.
    Raises `CommandFailed` with the end of what it said if it doesn't end with status 0.
    """
    whole = {**os.environ, **(environment or {})}
    whole.pop("PYTHONDONTWRITEBYTECODE", None)  # without bytecode, imports would be measured
    starter = [sys.executable, "-I", "-S", "-c", STARTER, sys.executable, *command]
    done = subprocess.run(starter, capture_output=True, text=True, cwd=PROJECT_ROOT, env=whole, check=False)
    told = done.stderr.strip().rpartition("\n")[2]
    taken = json.loads(told) if told.startswith("{") else {"status": done.returncode or 1}
    if taken.pop("status") != 0:
        raise CommandFailed(f"found a failure of {' '.join(command)}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout, Taken(**taken)
