"""Back to an older version by hand: whole or not at all, in sight until the next version, and nothing is lost by it.
Publishing itself is tested in `test_versions`; the commands are called as an operator would."""

import itertools
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from orchestration.publishing import (
    NothingPublished,
    PublisherBusy,
    RollbackRefused,
    VersionDamaged,
    VersionExists,
    current_version,
    published_versions,
    read_status,
    roll_back,
    rollback,
    versions_table,
    what_is_next,
    write_status,
)
from orchestration.publishing.current import publishing_lock
from orchestration.publishing.versions import retired_versions, verify_hashes
from orchestration.settings import PROJECT_ROOT

from .test_versions import Crash, crash_at
from .warehouse import Contents, write_warehouse

MONDAY = datetime(2026, 10, 12, 13, tzinfo=UTC)
LATER = MONDAY + timedelta(hours=3)
SMALL = Contents(days=2, missing=(), events={})


@pytest.fixture
def two_versions(settings, publish):
    """v1 and, an hour later, v2, which is bad."""
    write_warehouse(settings.warehouse_path, SMALL)
    publish("v1", at=MONDAY)
    publish("v2", at=MONDAY + timedelta(hours=1))
    return settings


def ids(settings) -> list[str]:
    return [version.version_id for version in published_versions(settings)]


def test_the_older_version_is_current_again_and_status_says_who_was_taken_back_and_why(two_versions):
    replaced, version = roll_back(two_versions, "v1", why="a seed was wrong", at=LATER)
    assert (replaced.version_id, version.version_id) == ("v2", "v1")
    assert current_version(two_versions).version_id == "v1"
    assert os.readlink(two_versions.published_dir / "current") == "versions/v1"
    assert read_status(two_versions) == {
        "state": "rolled_back",
        "last_good": {"version": "v1", "snapshot_date": "2026-10-07", "published_at": "2026-10-12T13:00:00+00:00"},
        "attempted": {
            "snapshot_dates": ["2026-10-13"],
            "run_id": "run-1",
            "at": "2026-10-12T16:00:00+00:00",
            "step": "rollback",
            "reason": "taken back by hand from version v2 to v1: a seed was wrong",
            "set_aside": {},
        },
        "rolled_back": {"from": "v2", "to": "v1", "at": "2026-10-12T16:00:00+00:00", "reason": "a seed was wrong"},
    }


def test_it_stays_in_sight_while_days_are_blocked_and_goes_with_the_next_good_one(two_versions, publish):
    roll_back(two_versions, "v1", at=LATER)
    write_status(
        two_versions,
        state="blocked",
        attempted_dates=[date(2026, 10, 14)],
        step="raw",
        reason="volume fell",
        run_id="run-3",
        at=LATER + timedelta(hours=1),
    )
    status = read_status(two_versions)
    assert (status["state"], status["rolled_back"]["to"], status["last_good"]["version"]) == ("blocked", "v1", "v1")
    assert "Taken back by hand on 2026-10-12T16:00 from v2" in versions_table(two_versions)

    publish("v3", at=LATER + timedelta(hours=2))
    status = read_status(two_versions)
    assert (status["state"], status["rolled_back"], status["last_good"]["version"]) == ("published", None, "v3")
    assert current_version(two_versions).version_id == "v3"


def test_what_was_rolled_back_to_is_not_retired_and_the_bad_one_stays_for_a_day(two_versions, publish):
    """Two versions are kept: only who retired within a day stays beyond them."""
    roll_back(two_versions, "v1", at=LATER)
    assert retired_versions(two_versions) == {"v2": LATER.isoformat()}
    publish("v3", at=LATER + timedelta(hours=1))
    publish("v4", at=LATER + timedelta(hours=23))
    assert ids(two_versions) == ["v4", "v3", "v2", "v1"]
    publish("v5", at=LATER + timedelta(hours=24, minutes=1))
    # v2 retired when it was taken back, v1 an hour later
    assert ids(two_versions) == ["v5", "v4", "v3", "v1"]


def test_the_version_rolled_back_to_is_kept_however_old_it_is(settings, publish):
    write_warehouse(settings.warehouse_path, SMALL)
    for number in range(5):
        publish(f"v{number}", at=MONDAY + timedelta(minutes=number))
    roll_back(settings, "v0", at=LATER)
    assert current_version(settings).version_id == "v0"
    assert ids(settings) == ["v4", "v3", "v2", "v1", "v0"]
    publish("v5", at=LATER + timedelta(days=30))
    assert "v0" in ids(settings)


def test_the_version_that_was_taken_back_does_not_come_back_under_its_id(two_versions, publish):
    roll_back(two_versions, "v1", at=LATER)
    with pytest.raises(VersionExists, match="v2 published earlier and replaced since"):
        publish("v2", at=LATER)
    assert current_version(two_versions).version_id == "v1"


def test_a_rollback_that_was_wrong_can_be_taken_back_itself(two_versions):
    roll_back(two_versions, "v1", at=LATER)
    roll_back(two_versions, "v2", at=LATER + timedelta(minutes=1))
    assert current_version(two_versions).version_id == "v2"
    assert read_status(two_versions)["rolled_back"]["from"] == "v1"


@pytest.mark.parametrize("version_id", ["v9", "", "../v1", "."], ids=repr)
def test_a_version_that_is_not_there_is_refused_with_those_that_are(two_versions, version_id):
    with pytest.raises(RollbackRefused, match=r"Found no .*Expected: one of v2, v1\. Do this: .*make versions"):
        roll_back(two_versions, version_id)
    assert current_version(two_versions).version_id == "v2"


def test_the_current_one_is_refused(two_versions):
    before = read_status(two_versions)
    with pytest.raises(RollbackRefused, match="v2, which is current already"):
        roll_back(two_versions, "v2")
    assert read_status(two_versions) == before


@pytest.mark.parametrize("harm", ["changed", "lost", "no manifest"])
def test_a_damaged_version_is_refused_and_nothing_changes(two_versions, harm):
    folder = two_versions.published_dir / "versions" / "v1"
    parquet = folder / "parquet" / "dim_models.parquet"
    if harm == "changed":
        parquet.write_bytes(parquet.read_bytes()[:-1] + b"\0")
    elif harm == "lost":
        parquet.unlink()
    else:
        (folder / "manifest.json").unlink()
    before = read_status(two_versions)
    with pytest.raises(VersionDamaged, match=r"Found version v1 damaged \(.*Expected: .*Do this: choose another one"):
        roll_back(two_versions, "v1")
    assert current_version(two_versions).version_id == "v2"
    assert read_status(two_versions) == before


def test_a_current_version_that_is_damaged_can_be_left_and_so_can_a_stray_folder(two_versions):
    (two_versions.published_dir / "versions" / "v2" / "manifest.json").unlink()
    (two_versions.published_dir / "versions" / "stray").mkdir()
    replaced, _ = roll_back(two_versions, "v1", at=LATER)
    assert (replaced.version_id, replaced.days_added) == ("v2", ())
    assert current_version(two_versions).version_id == "v1"
    assert read_status(two_versions)["rolled_back"]["from"] == "v2"
    assert "days that it added: not known" in what_is_next(replaced)


def test_before_anything_is_published_there_is_nothing_to_list_or_take_back(settings):
    with pytest.raises(NothingPublished):
        roll_back(settings, "v1")
    with pytest.raises(NothingPublished):
        versions_table(settings)


def test_it_waits_for_a_publisher_and_refuses_in_the_end(two_versions, monkeypatch):
    monkeypatch.setattr(rollback, "publishing_lock", lambda settings: publishing_lock(settings, wait_seconds=0.2))
    with publishing_lock(two_versions), pytest.raises(PublisherBusy):
        roll_back(two_versions, "v1")
    assert current_version(two_versions).version_id == "v2"


def test_a_crash_at_any_step_leaves_a_whole_version_and_the_same_call_finishes(two_versions, tmp_path):
    shutil.copytree(two_versions.home, tmp_path / "before", symlinks=True)
    seen = []
    for number in itertools.count():
        shutil.rmtree(two_versions.home)
        shutil.copytree(tmp_path / "before", two_versions.home, symlinks=True)
        with pytest.MonkeyPatch.context() as monkeypatch:
            crash_at(monkeypatch, number)
            try:
                roll_back(two_versions, "v1", at=LATER)
                break
            except Crash:
                pass
        current = current_version(two_versions)
        verify_hashes(current.path)
        seen.append(current.version_id)
        if read_status(two_versions)["state"] != "rolled_back":
            roll_back(two_versions, "v1", at=LATER)
        assert current_version(two_versions).version_id == "v1"
        assert read_status(two_versions)["rolled_back"]["from"] == "v2"
        assert retired_versions(two_versions) == {"v2": LATER.isoformat()}
    # one swap: the old one before it, the other after it
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {"v1", "v2"}
    assert ids(two_versions) == ["v2", "v1"]


def test_versions_are_listed_newest_first_with_the_damaged_ones(two_versions):
    (two_versions.published_dir / "versions" / "v0").mkdir()
    head, newest, older, damaged = versions_table(two_versions).splitlines()
    assert head.split() == ["version", "created", "last", "day", "score"]
    assert newest.split() == ["v2", "2026-10-12", "14:00", "UTC", "2026-10-07", "96.7", "current"]
    assert older.split() == ["v1", "2026-10-12", "13:00", "UTC", "2026-10-07", "96.7"]
    assert damaged.split(maxsplit=1) == ["v0", "damaged: no manifest.json"]


def test_what_is_left_to_do_names_the_days_and_the_ways(two_versions):
    replaced, _ = roll_back(two_versions, "v1", at=LATER)
    said = what_is_next(replaced)
    for told in ("still holds what v2 was made of", "2026-10-13", "make run FORCE=yes", "make rebuild", "24 hours"):
        assert told in said


def command(settings, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "orchestration", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | {"OBSERVATORY_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_operator_lists_the_versions_takes_one_back_and_is_told_what_to_do_next(two_versions):
    listed = command(two_versions, "versions")
    assert listed.returncode == 0, listed.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["version", "v2", "v1"]
    refused = command(two_versions, "rollback", "v7")
    assert refused.returncode == 1
    assert "Found no version 'v7'. Expected: one of v2, v1. Do this:" in refused.stdout
    taken_back = command(two_versions, "rollback", "v1", "--reason", "a seed was wrong")
    assert taken_back.returncode == 0, taken_back.stderr
    assert "Analysts see version v1 again, with data up to 2026-10-07" in taken_back.stdout
    assert "The warehouse still holds what v2 was made of" in taken_back.stdout
    assert current_version(two_versions).version_id == "v1"
    assert read_status(two_versions)["rolled_back"]["reason"] == "a seed was wrong"
