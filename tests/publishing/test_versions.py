"""Publishing is all or nothing: whole versions, one pointer, never an instant with less than the last good one."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from orchestration.publishing import (
    PublisherBusy,
    PublishRefused,
    VersionDamaged,
    VersionExists,
    build_candidate,
    current_version,
    load_candidate,
    publish_candidate,
    published_versions,
    read_status,
)
from orchestration.publishing.current import publishing_lock
from orchestration.publishing.files import sha256_of
from orchestration.publishing.versions import verify_hashes
from orchestration.settings import PROJECT_ROOT

from .warehouse import PASSED, Contents, write_warehouse

MONDAY = datetime(2026, 10, 12, 13, tzinfo=UTC)


def test_manifest_says_what_a_reader_needs_to_trust_or_cite_it(settings, candidate, warehouse):
    warned = PASSED | {"check_name": "warned", "blocking": False, "passed": False, "offenders": ({"repo_id": "x"},)}
    version = publish_candidate(settings, candidate, quality=[PASSED, warned], at=MONDAY)
    manifest = json.loads((version.path / "manifest.json").read_text())
    assert manifest == version.manifest
    assert manifest["version"] == "v1"
    assert manifest["run_id"] == "run-1"
    assert manifest["created_at"] == "2026-10-12T13:00:00+00:00"
    assert manifest["snapshot_dates"] == {
        "first": "2026-10-06",
        "last": "2026-10-13",
        "complete": [day.isoformat() for day in warehouse.complete],
        "not_complete": ["2026-10-10"],
        "added_by_run": ["2026-10-13"],
    }
    assert manifest["is_simulated"] is True
    assert manifest["duckdb_version"] == duckdb.__version__
    assert manifest["data_licences"] == [
        {
            "source": "hub_api",
            "license": "Hub terms of service; sample under MIT",
            "first_day": "2026-10-06",
            "last_day": "2026-10-13",
            "days": 7,
            "is_simulated": True,
            "license_url": None,
            "dataset": None,
            "dataset_url": None,
            "attribution": "Contains information from the Hub's public listing: Hub terms of service; sample under MIT. "
            "SIMULATED: a sandbox Hub stood in for it.",
        }
    ]
    assert manifest["data_licence"] == {
        "license": "Hub terms of service; sample under MIT",
        "url": None,
        "statement": "Each source's days are under that source's terms.",
        "file": "LICENSE-DATA",
    }
    assert [result["check_name"] for result in manifest["quality"]["published"]] == ["shares_sum_to_one", "warned"]
    assert manifest["tables"]["dim_models"] == {"rows": 200, "parquet": "parquet/dim_models.parquet"}
    assert manifest["git_revision"]


def test_manifest_scores_the_days_of_its_run_and_its_own_file_and_names_what_is_broken(settings, candidate):
    """12 promises about the last day, one of which is to be investigated and broken, and two about the file."""
    warned = PASSED | {"check_name": "warned", "severity": "watch", "blocking": False, "passed": False, "observed": "7"}
    quality = publish_candidate(settings, candidate, quality=[PASSED, warned]).manifest["quality"]
    assert quality["score"] == 95.2  # 60 of 63, rounded down: of 11 x 5 + 2 about the day and 5 + 1 about the file
    assert quality["score_means"].startswith("100 × weights of the promises kept")
    assert (quality["checks"], quality["passed"], quality["failed"]) == (14, 12, 2)
    assert [(part["snapshot_date"], part["step"], part["score"]) for part in quality["scores"]] == [
        ("2026-10-13", "raw", 83.3),
        ("2026-10-13", "staging", 100.0),
        ("2026-10-13", "intermediate", 100.0),
        ("2026-10-13", "marts", 100.0),
        ("2026-10-13", "published", 83.3),
    ]
    assert quality["steps"]["raw"] == {"checks": 3, "failed": 1}
    assert [
        (each["check_name"], each["severity"], each["observed"], each["threshold"]) for each in quality["flagged"]
    ] == [
        ("volume_is_plausible", "investigate", "0.0", "0.02"),
        ("warned", "watch", "7", "1.0"),
    ]
    assert quality["flagged"][0]["days"] == ["2026-10-13"]


def test_a_version_of_past_days_answers_for_its_last_day_as_well(settings, warehouse):
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[warehouse.first_day])
    quality = publish_candidate(settings, candidate, quality=[PASSED]).manifest["quality"]
    assert {part["snapshot_date"] for part in quality["scores"]} == {"2026-10-06", "2026-10-13"}
    assert [each["check_name"] for each in quality["flagged"]] == ["volume_is_plausible"]


def test_manifest_holds_size_and_hash_of_every_other_file(candidate, settings):
    version = publish_candidate(settings, candidate, quality=[PASSED])
    files = {str(path.relative_to(version.path)): path for path in version.path.rglob("*") if path.is_file()}
    del files["manifest.json"]
    assert {"observatory.duckdb", "DICTIONARY.md", "LICENSE-DATA", "parquet/dim_models.parquet"} <= files.keys()
    assert version.manifest["files"] == {
        name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)} for name, path in files.items()
    }


@pytest.mark.parametrize("harm", ["changed", "lost", "added"])
def test_a_damaged_version_is_recognised(settings, candidate, harm):
    version = publish_candidate(settings, candidate, quality=[PASSED])
    verify_hashes(version.path)
    parquet = version.path / "parquet" / "dim_models.parquet"
    if harm == "changed":
        parquet.write_bytes(parquet.read_bytes()[:-1] + b"\0")
    elif harm == "lost":
        parquet.unlink()
    else:
        (version.path / "parquet" / "extra.parquet").write_bytes(b"x")
    with pytest.raises(VersionDamaged, match="parquet"):
        verify_hashes(version.path)


def test_current_is_a_relative_link_so_that_the_folder_can_move(settings, candidate, tmp_path):
    publish_candidate(settings, candidate, quality=[PASSED])
    assert os.readlink(settings.published_dir / "current") == "versions/v1"
    shutil.move(settings.published_dir, tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "current" / "observatory.duckdb").is_file()


@pytest.mark.parametrize(
    ("quality", "named"),
    [
        pytest.param([], "without a single check", id="unchecked"),
        pytest.param([PASSED, PASSED | {"passed": False}], "shares_sum_to_one", id="failed"),
        pytest.param([PASSED | {"passed": False, "crashed": True}], "shares_sum_to_one", id="crashed"),
    ],
)
def test_what_did_not_pass_its_checks_is_refused(settings, candidate, quality, named):
    with pytest.raises(PublishRefused, match=named):
        publish_candidate(settings, candidate, quality=quality)
    assert current_version(settings) is None
    assert candidate.path.is_dir()


def test_a_broken_promise_that_a_known_event_accepts_does_not_block(settings, candidate):
    accepted = PASSED | {"passed": True, "accepted_event": True}
    version = publish_candidate(settings, candidate, quality=[accepted])
    assert version.manifest["quality"]["accepted_for_an_event"] == 1


def test_publishing_the_same_contents_again_changes_nothing(settings, warehouse, publish):
    first = publish("v1", at=MONDAY)
    again = publish("v1", at=MONDAY + timedelta(hours=1))
    assert again.manifest == first.manifest
    assert current_version(settings).version_id == "v1"
    assert not any((settings.published_dir / "_candidates").iterdir())


def test_other_contents_under_a_used_id_are_refused(settings, warehouse, publish):
    publish("v1")
    write_warehouse(settings.warehouse_path, Contents(extra_models=1))
    with pytest.raises(VersionExists, match="v1 published already, with other contents"):
        publish("v1")
    verify_hashes(current_version(settings).path)


def test_an_older_version_does_not_come_back_under_its_id(settings, warehouse, publish):
    publish("v1", at=MONDAY)
    publish("v2", at=MONDAY + timedelta(minutes=1))
    with pytest.raises(VersionExists, match="published earlier and replaced since"):
        publish("v1", at=MONDAY + timedelta(minutes=2))
    assert current_version(settings).version_id == "v2"


def test_a_retry_after_a_crash_behind_the_rename_finishes_the_work(settings, warehouse, publish):
    publish("v1")
    write_warehouse(settings.warehouse_path, Contents(extra_models=1))
    candidate = build_candidate(settings, version_id="v2", run_id="run-1", snapshot_dates=[date(2026, 10, 13)])
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(os, "symlink", lambda *_, **__: (_ for _ in ()).throw(Crash))
        with pytest.raises(Crash):
            publish_candidate(settings, candidate, quality=[PASSED])
    assert current_version(settings).version_id == "v1"
    retried = publish_candidate(settings, load_candidate(settings, "v2"), quality=[PASSED])
    assert current_version(settings).version_id == retried.version_id == "v2"


class Crash(BaseException):
    """Stands for the power going: nothing may catch it."""


STEPS = [(os, "rename"), (os, "replace"), (os, "symlink"), (os, "fsync"), (shutil, "rmtree")]


def crash_at(monkeypatch, number: int) -> None:
    """Let the number-th step on the disk fail before it is done."""
    counter = itertools.count()

    def wrapped(step):
        def crashing(*arguments, **options):
            if next(counter) == number:
                raise Crash
            return step(*arguments, **options)

        return crashing

    for module, name in STEPS:
        monkeypatch.setattr(module, name, wrapped(getattr(module, name)))


def test_a_crash_at_any_step_leaves_a_whole_version_and_can_be_run_again(settings, publish, tmp_path):
    small = Contents(days=2, missing=(), events={})
    write_warehouse(settings.warehouse_path, small)
    publish("v0", at=MONDAY - timedelta(days=3))
    publish("v1", at=MONDAY - timedelta(days=2))
    write_warehouse(settings.warehouse_path, replace(small, extra_models=1))
    candidate = build_candidate(settings, version_id="v2", run_id="run-1", snapshot_dates=[date(2026, 10, 13)])
    shutil.copytree(settings.home, tmp_path / "before", symlinks=True)
    seen = set()
    for number in itertools.count():
        shutil.rmtree(settings.home)
        shutil.copytree(tmp_path / "before", settings.home, symlinks=True)
        with pytest.MonkeyPatch.context() as monkeypatch:
            crash_at(monkeypatch, number)
            try:
                publish_candidate(settings, candidate, quality=[PASSED], at=MONDAY)
                break
            except Crash:
                pass
        current = current_version(settings)
        verify_hashes(current.path)
        seen.add(current.version_id)
        assert read_status(settings)["state"] == "published"
        assert {version.version_id for version in published_versions(settings)} <= {"v0", "v1", "v2"}
        if number % 7 == 0:  # the ones between would repeat what their neighbours show
            publish("v2", at=MONDAY)
            assert current_version(settings).version_id == "v2"
    assert seen == {"v1", "v2"}
    assert number > 25
    assert [version.version_id for version in published_versions(settings)] == ["v2", "v1"]


KILLED = """
import datetime, os, signal, sys
from pathlib import Path
from orchestration.settings import Settings
from orchestration.publishing import build_candidate, publish_candidate
home, name, passed = Path(sys.argv[1]), sys.argv[2], eval(sys.argv[3])
settings = Settings(home=home, keep_versions=2)
candidate = build_candidate(settings, version_id="v2", run_id="run-2", snapshot_dates=[])
setattr(os, name, lambda *arguments, **options: os.kill(os.getpid(), signal.SIGKILL))
publish_candidate(settings, candidate, quality=[passed])
"""


@pytest.mark.parametrize("step", ["rename", "symlink"], ids=["before the rename", "between rename and swap"])
def test_a_killed_process_leaves_the_last_version_and_no_lock(settings, warehouse, publish, step):
    publish("v1")
    write_warehouse(settings.warehouse_path, Contents(extra_models=1))
    command = [sys.executable, "-c", KILLED, str(settings.home), step, repr(PASSED)]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert current_version(settings).version_id == "v1"
    verify_hashes(current_version(settings).path)
    assert publish("v2").version_id == "v2"
    assert current_version(settings).version_id == "v2"


def test_old_versions_are_pruned_only_a_day_after_they_stopped_being_current(settings, warehouse, publish):
    for number in range(4):
        publish(f"v{number}", at=MONDAY + timedelta(minutes=number))
    # keep_versions is 2, but analysts may still read all of them
    assert [version.version_id for version in published_versions(settings)] == ["v3", "v2", "v1", "v0"]
    publish("v4", at=MONDAY + timedelta(hours=24, minutes=2))
    # v0 stopped at minute 1 and v1 at minute 2; v2 at minute 3, a minute too late
    assert [version.version_id for version in published_versions(settings)] == ["v4", "v3", "v2"]
    publish("v5", at=MONDAY + timedelta(days=9))
    assert [version.version_id for version in published_versions(settings)] == ["v5", "v4"]


def test_current_is_never_pruned_even_if_it_is_the_oldest(settings, warehouse, publish):
    for number in range(3):
        publish(f"v{number}", at=MONDAY + timedelta(minutes=number))
    link = settings.published_dir / "current"
    link.unlink()
    link.symlink_to("versions/v0")
    from orchestration.publishing.versions import empty_trash, prune

    empty_trash(settings)
    prune(settings, MONDAY + timedelta(days=30))
    assert "v0" in [version.version_id for version in published_versions(settings)]
    assert current_version(settings).version_id == "v0"


def test_a_candidate_that_a_crash_left_is_removed_after_a_day(settings, warehouse, publish):
    left = build_candidate(settings, version_id="left", run_id="run-0", snapshot_dates=[])
    publish("v1", at=datetime.now(UTC))
    assert left.path.exists()
    publish("v2", at=datetime.now(UTC) + timedelta(days=2))
    assert not left.path.exists()


def test_a_second_publisher_waits_for_the_first(settings, candidate):
    published = []
    with publishing_lock(settings):
        second = threading.Thread(
            target=lambda: published.append(publish_candidate(settings, candidate, quality=[PASSED]))
        )
        second.start()
        time.sleep(0.4)
        assert not published
        assert current_version(settings) is None
    second.join(timeout=30)
    assert [version.version_id for version in published] == ["v1"]


def test_a_publisher_that_waited_too_long_is_refused(settings):
    with (
        publishing_lock(settings),
        pytest.raises(PublisherBusy, match="another publisher at work"),
        publishing_lock(settings, wait_seconds=0.2),
    ):
        pass


def test_a_version_without_manifest_is_reported_not_skipped(settings, warehouse, publish):
    publish("v1")
    (settings.published_dir / "versions" / "stray").mkdir()
    with pytest.raises(VersionDamaged, match=r"no manifest\.json in .*stray"):
        publish("v2")
    assert current_version(settings).version_id in ("v1", "v2")
    verify_hashes(current_version(settings).path)
