"""What a gate stops can be taken back whole: the warehouse returns to its last published state."""

import json
import subprocess
import sys
from contextlib import contextmanager

import duckdb
import pytest

from orchestration.publishing import WarehouseBusy, checkpoint
from orchestration.publishing.current import Version, point_current_at, read_version
from orchestration.settings import PROJECT_ROOT


def write(settings, rows):
    settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("create or replace table days as select * from range(?)", [rows])


def rows(settings):
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return connection.execute("select count(*) from days").fetchone()[0]


def test_another_run_finds_the_warehouse_as_it_was_published(settings):
    write(settings, 3)
    checkpoint.begin(settings, owner="first", run_id="first")
    write(settings, 99)

    assert checkpoint.begin(settings, owner="second", run_id="second") is True
    assert rows(settings) == 3


def test_a_retry_of_the_same_run_keeps_what_it_wrote(settings):
    write(settings, 3)
    checkpoint.begin(settings, owner="first", run_id="first")
    write(settings, 99)

    assert checkpoint.begin(settings, owner="first", run_id="first") is False
    assert rows(settings) == 99


def test_what_was_published_stays(settings):
    write(settings, 3)
    checkpoint.begin(settings, owner="first", run_id="first")
    write(settings, 4)
    checkpoint.commit(settings)

    assert checkpoint.begin(settings, owner="second", run_id="second") is False
    assert rows(settings) == 4


def test_without_a_warehouse_before_there_is_none_after(settings):
    checkpoint.begin(settings, owner="first", run_id="first")
    write(settings, 99)

    assert checkpoint.begin(settings, owner="second", run_id="second") is True
    assert not settings.warehouse_path.exists()


def test_changes_that_a_killed_process_left_in_the_log_are_kept(settings):
    write(settings, 3)
    pid = _write_and_die(settings)
    assert pid
    assert settings.warehouse_path.with_name("observatory.duckdb.wal").exists()

    checkpoint.begin(settings, owner="first", run_id="first")
    write(settings, 99)
    checkpoint.begin(settings, owner="second", run_id="second")

    assert rows(settings) == 7


@pytest.mark.parametrize("instant", ["copyfile", "replace"])
def test_a_crash_while_restoring_is_repaired_by_restoring_again(settings, monkeypatch, instant):
    write(settings, 3)
    checkpoint.begin(settings, owner="first", run_id="first")
    write(settings, 99)
    with monkeypatch.context() as patched:
        module = checkpoint.shutil if instant == "copyfile" else checkpoint.os
        patched.setattr(module, instant, _die)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.begin(settings, owner="second", run_id="second")

    checkpoint.begin(settings, owner="second", run_id="second")

    assert rows(settings) == 3


@contextmanager
def another_writer(settings):
    """A process that has begun to write, and does so until its standard input is closed."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from orchestration.publishing import checkpoint\n"
        "from orchestration.settings import Settings\n"
        "checkpoint.begin(Settings(home=Path(sys.argv[1])), owner='other', run_id='other')\n"
        "print('writing', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(settings.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT_ROOT,
    ) as other:
        assert other.stdout.readline() == "writing\n"
        yield other
        other.kill()


def test_two_processes_do_not_write_at_once(settings):
    with another_writer(settings) as other:
        with pytest.raises(WarehouseBusy, match=rf"process {other.pid} \(-c\) since .*one run at a time"):
            checkpoint.begin(settings, owner="first", run_id="first")
        other.kill()
    # the system lets the lock go with the process; what it left unpublished is taken back
    assert checkpoint.begin(settings, owner="first", run_id="first") is True


def test_who_waits_is_told_for_whom_and_goes_on_when_that_one_has_ended(settings):
    told = []
    with another_writer(settings) as other:

        def end_it(line):
            told.append(line)
            other.kill()

        checkpoint.hold(settings, wait_seconds=60, tell=end_it)
    (line,) = told
    assert line.startswith(f"Waiting for process {other.pid} (-c) since ")
    assert checkpoint.begin(settings, owner="first", run_id="first") is True


def test_a_retry_from_the_middle_is_overtaken_by_whatever_began_since(settings):
    checkpoint.begin(settings, owner="first", run_id="first")
    assert not checkpoint.overtaken(settings, owner="first", version_id=None)

    checkpoint.begin(settings, owner="second", run_id="second")
    assert checkpoint.overtaken(settings, owner="first", version_id=None)
    checkpoint.commit(settings)
    assert checkpoint.overtaken(settings, owner="first", version_id="never-published")


def test_a_version_that_was_swapped_in_before_the_crash_keeps_its_warehouse(settings, monkeypatch):
    write(settings, 3)
    checkpoint.begin(settings, owner="first", run_id="first")
    write(settings, 4)
    published = Version(path=settings.home, version_id="v1", manifest={"run_id": "first"})
    monkeypatch.setattr(checkpoint, "current_version", lambda _: published)

    assert checkpoint.begin(settings, owner="second", run_id="second") is False
    assert rows(settings) == 4


def _die(*_):
    raise KeyboardInterrupt


def _write_and_die(settings) -> int:
    """A process that commits seven rows and is killed before its log is folded into the file."""
    program = (
        "import duckdb, os, sys\n"
        "connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute('create or replace table days as select * from range(7)')\n"
        "os._exit(9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(settings.warehouse_path)], check=False)
    assert ended.returncode == 9
    return 1


def published(settings, version_id, run_id):
    """A version as far as a checkpoint looks at it, and current."""
    path = settings.published_dir / "versions" / version_id
    path.mkdir(parents=True)
    (path / "manifest.json").write_text(json.dumps({"run_id": run_id}))
    point_current_at(settings, version_id)
    return read_version(path)


def test_the_version_that_the_warehouse_was_published_as_is_known_until_it_is_not_certain(settings):
    write(settings, 3)
    checkpoint.begin(settings, owner="first", run_id="first")
    assert checkpoint.version_before(settings) is None
    write(settings, 4)
    checkpoint.commit(settings, published(settings, "v1", "first"))
    assert checkpoint.version_before(settings) == "v1"

    # blocked, and taken back
    checkpoint.begin(settings, owner="second", run_id="second")
    assert checkpoint.version_before(settings) == "v1"
    write(settings, 5)
    assert checkpoint.begin(settings, owner="third", run_id="third") is True
    assert checkpoint.version_before(settings) == "v1"

    # a crash behind the swap: the warehouse is what analysts read
    write(settings, 6)
    published(settings, "v3", "third")
    assert checkpoint.begin(settings, owner="fourth", run_id="fourth") is False
    assert checkpoint.version_before(settings) == "v3"
    # a retry has a list of its own, on top of what the attempt before it wrote
    checkpoint.begin(settings, owner="fourth", run_id="again")
    assert checkpoint.version_before(settings) is None


def test_analysts_taken_back_between_a_crash_and_the_next_run_leave_no_doubt(settings):
    """Published, then a crash before the checkpoint was let go, then a rollback: the next run starts from before."""
    write(settings, 3)
    checkpoint.begin(settings, owner="first", run_id="first")
    first = published(settings, "v1", "first")
    checkpoint.commit(settings, first)
    checkpoint.begin(settings, owner="second", run_id="second")
    write(settings, 4)
    published(settings, "v2", "second")
    point_current_at(settings, "v1")

    assert checkpoint.begin(settings, owner="third", run_id="third") is True
    assert rows(settings) == 3
    assert checkpoint.version_before(settings) == "v1"
