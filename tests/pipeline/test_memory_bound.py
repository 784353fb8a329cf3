"""The daily job of a million models while DuckDB may take two gigabytes and the process three: what doesn't fit is spilled, or
the job is killed. How long it takes, and what three million ask for, is measured in `benchmarks/`."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from benchmarks.big_hub import FIRST_DAY
from orchestration.settings import PROJECT_ROOT

MODELS = 1_000_000
DUCKDB_MEMORY = "2GB"
# What a daily job may take, of which Python with all its libraries is some 700 MB. Not a limit of the kernel's on the heap:
# that counts what an allocator holds and nobody has touched, and what V8 reserves for the charts. 2026-11-30.
HARD_LIMIT_BYTES = 3_000_000_000
LOOK_EVERY_SECONDS = 0.02


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home in which one day of a made-up Hub is landed."""
    home = tmp_path_factory.mktemp("memory") / "home"
    command = [sys.executable, "-m", "benchmarks.landed_days", str(home), "--models", str(MODELS)]
    subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True)
    return home


def run_limited(home: Path, limit: int) -> tuple[int, str]:
    """Run the day; its status and what it said. Killed as soon as it holds more than `limit` bytes of memory."""
    settings = {"OBSERVATORY_HOME": str(home), "OBSERVATORY_DUCKDB_MEMORY": DUCKDB_MEMORY}
    with (home / "said.txt").open("w+") as said:
        job = subprocess.Popen(
            [sys.executable, "-m", "orchestration", "run", "--day", FIRST_DAY.isoformat()],
            cwd=PROJECT_ROOT, env=os.environ | settings, stdout=said, stderr=said,
        )  # fmt: skip
        while job.poll() is None:
            if resident_bytes(job.pid) > limit:
                job.kill()
            time.sleep(LOOK_EVERY_SECONDS)
        said.seek(0)
        return job.returncode, said.read()


def resident_bytes(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_million_models_are_published_within_the_limit(home):
    status, said = run_limited(home, HARD_LIMIT_BYTES)

    assert status == 0, said[-3000:]
    current = home / "published" / "current"
    assert json.loads((current / "manifest.json").read_text())["is_simulated"]
    with duckdb.connect(str(current / "observatory.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.dim_models").fetchone() == (MODELS,)


def test_the_limit_is_one(home):
    # Python alone, with all that it imports, takes more
    status, _ = run_limited(home, 150_000_000)

    assert status == -9
