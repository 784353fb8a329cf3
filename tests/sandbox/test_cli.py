"""The command line writes and serves worlds in processes of its own, over real HTTP, and stops when told to.
What the server answers in detail is tested in `test_server.py`."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest

from orchestration.sandbox.__main__ import main
from orchestration.settings import PROJECT_ROOT

COMMAND = [sys.executable, "-m", "orchestration.sandbox"]


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def serving(*arguments: str):
    """The process and its first lines, up to the days; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("days:"):
                break
        assert said, process.stderr.read()
        yield process, "".join(said)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def get(said: str, path: str) -> tuple[list, dict]:
    address = re.search(r"http://127\.0\.0\.1:\d+", said).group()
    with urllib.request.urlopen(address + path, timeout=20) as response:
        return json.load(response), dict(response.headers)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "world"
    done = run("--population", "300", "--days", "3", "--seed", "5", "--write-only", "--out", str(out))
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_write_only_writes_and_stops(written):
    out, said = written
    assert "simulated" in said
    assert "days: 2026-10-06, 2026-10-07, 2026-10-08 (missing: none)" in said
    assert json.loads((out / "sandbox.json").read_text())["simulated"] is True
    assert len(list(out.glob("snapshot_date=*/*.parquet"))) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_served_folder_says_simulated_and_stops_cleanly(written, number):
    with serving("--snapshots", str(written[0]), "--day", "2026-10-07") as (process, said):
        assert "Sandbox Hub (simulated data) at http://127.0.0.1:" in said
        assert "days: 2026-10-06, 2026-10-07, 2026-10-08; the clock says 2026-10-07" in said
        page, headers = get(said, "/api/models?limit=3&sort=createdAt&direction=1&expand=downloadsAllTime")
        assert [set(row) for row in page] == [{"_id", "id", "downloadsAllTime"}] * 3
        headers = {name.lower(): value for name, value in headers.items()}
        assert headers["x-sandbox-data"] == "simulated"
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert "Traceback" not in process.stderr.read()


def test_without_arguments_serves_the_demo_world():
    with serving() as (process, said):
        assert "18932 models and 7 days" in said
        assert "2026-10-09, 2026-10-11" in said
        page, _ = get(said, "/api/models/Qwen/Qwen3-8B")
        assert page["downloads"] > 0
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_served_population_is_kept_where_it_was_wanted(tmp_path):
    with serving("--population", "200", "--days", "1", "--out", str(tmp_path / "world"), "--rate-limit", "7") as (
        _,
        said,
    ):
        page, headers = get(said, "/api/models?limit=1000")
        assert len(page) == 200
        headers = {name.lower(): value for name, value in headers.items()}
        assert "q=7" in headers["ratelimit-policy"]
    assert (tmp_path / "world" / "sandbox.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--snapshots", "nowhere"], "nowhere is no folder; expected one with snapshot_date"),
        (["--write-only"], "--write-only needs --out DIR"),
        (["--population", "10"], "at least 200 models; found 10; ask for more"),
        (["--population", "300", "--snapshots", "x"], "not allowed with argument"),
        (["--snapshots", "tests", "--seed", "3"], "leave out --seed"),
        (["--days", "0"], "a world has at least one day"),
        (["--day", "tomorrow"], "--day"),
        (["--snapshots", "tests"], "found no day; expected folders snapshot_date"),
    ],
    ids=[
        "no folder",
        "nowhere to write",
        "too small",
        "two sources",
        "seed of a folder",
        "no days",
        "no date",
        "empty",
    ],
)
def test_wrong_arguments_are_explained(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the test runner's own handlers stay
    monkeypatch.chdir(PROJECT_ROOT)
    try:
        code = main(arguments)
    except SystemExit as exit:  # argparse ends the process by itself
        code = exit.code
    assert code == 2
    assert message in capsys.readouterr().err


def test_help_comes_at_once():
    done = run("--help")
    assert done.returncode == 0
    for option in (
        "--snapshots",
        "--population",
        "--days",
        "--seed",
        "--out",
        "--port",
        "--rate-limit",
        "--faults",
        "--day",
        "--advance",
        "--write-only",
    ):
        assert option in done.stdout
