"""A published version is read alike by the DuckDB that wrote it and by the next major one.
The other client is installed for this test only, by the environment's own uv, from hashes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.publishing import build_candidate, publish_candidate

from .warehouse import EXAMPLES, PASSED

LOCK = Path(__file__).with_name("duckdb-2.lock")
# What uv says where no index answers, as against one that answers no.
UNREACHABLE = ("error sending request", "network was disabled")

READ = """
import hashlib, json, sys
import duckdb
told = {"client": duckdb.__version__, "rows": {}}
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    of_tables = "select table_name from duckdb_tables() where schema_name = 'marts'"
    of_views = "select view_name from duckdb_views() where schema_name = 'marts'"
    for (name,) in connection.execute(f"{of_tables} union all {of_views}").fetchall():
        rows = connection.execute(f"select * from marts.{name} order by all").fetchall()
        told["rows"][name] = [len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()]
    for name, sql in connection.execute("select name, sql from marts.examples").fetchall():
        told["rows"][f"example {name}"] = repr(connection.execute(sql).fetchall())
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def next_client(tmp_path_factory) -> Path:
    """A folder with DuckDB 2 in it."""
    folder = tmp_path_factory.mktemp("duckdb-2")
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
    command += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK)]
    installed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if installed.returncode and any(said in installed.stderr for said in UNREACHABLE):
        pytest.skip(f"no package index can be reached: {installed.stderr.splitlines()[-1]}")
    assert installed.returncode == 0, installed.stderr
    return folder


def read_with(database: Path, **environment: str) -> dict:
    ended = subprocess.run(
        [sys.executable, "-c", READ, str(database)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_both_clients_read_the_same_rows(settings, warehouse, next_client):
    candidate = build_candidate(
        settings, version_id="v1", run_id="run-1", snapshot_dates=[warehouse.last_day], examples=EXAMPLES
    )
    database = publish_candidate(settings, candidate, quality=[PASSED]).database
    ours, theirs = read_with(database), read_with(database, PYTHONPATH=str(next_client))
    assert (ours["client"], theirs["client"].split(".")[0]) == (duckdb.__version__, "2")
    assert ours["rows"] == theirs["rows"]
    assert len(ours["rows"]) == len(candidate.tables) + 1 + len(EXAMPLES)


def test_the_file_says_for_which_clients_it_was_written(candidate):
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        (tags,) = connection.execute("select tags from duckdb_databases() where not internal").fetchone()
    assert tags["storage_version"] == "v1.5.0+"
