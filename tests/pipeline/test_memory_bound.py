"""The daily job of a million models in a process that the kernel gives no more memory: what doesn't fit is spilled, or the test
fails. How much it takes unbounded, and how long, is measured in `benchmarks/`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from benchmarks.big_hub import FIRST_DAY
from orchestration.settings import PROJECT_ROOT

MODELS = 1_000_000
DUCKDB_MEMORY = "2GB"
# Python with all libraries and the rows that it reads takes some 700 MB beside DuckDB's two thousand. Heap and private mappings
# count, touched or not, and an allocator keeps a thousand of what it has given back: with three thousand million bytes it got
# no more where 2.5 were in use. 2026-11-30.
HARD_LIMIT_BYTES = 4_000_000_000
LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv = ["orchestration", *sys.argv[2:]]
runpy.run_module("orchestration", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home in which one day of a made-up Hub is landed."""
    home = tmp_path_factory.mktemp("memory") / "home"
    command = [sys.executable, "-m", "benchmarks.landed_days", str(home), "--models", str(MODELS)]
    subprocess.run(command, cwd=PROJECT_ROOT, check=True, capture_output=True)
    return home


def run(home: Path, limit: int) -> subprocess.CompletedProcess:
    settings = {"OBSERVATORY_HOME": str(home), "OBSERVATORY_DUCKDB_MEMORY": DUCKDB_MEMORY}
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), "run", "--day", FIRST_DAY.isoformat()],
        cwd=PROJECT_ROOT, env=os.environ | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_million_models_are_published_within_the_limit(home):
    done = run(home, HARD_LIMIT_BYTES)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    current = home / "published" / "current"
    assert json.loads((current / "manifest.json").read_text())["is_simulated"]
    with duckdb.connect(str(current / "observatory.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.dim_models").fetchone() == (MODELS,)


def test_the_limit_is_one(home):
    # Python alone, with all that it imports, takes more
    done = run(home, 200_000_000)

    assert done.returncode != 0
    assert "MemoryError" in done.stderr or "memory" in done.stderr.lower() or done.returncode < 0
