"""The watchers are watched: a sign of life each tick, an address that is called while all is well, one run that can't be read
silences no other; and a day that nobody published is told although no run has failed."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr, ValidationError

from orchestration.defs.alerts import freshness, run_alerts
from orchestration.defs.alerts.channels import alerts_path, read_lines
from orchestration.defs.alerts.heartbeat import heartbeat, read_heartbeat
from orchestration.publishing import write_status
from orchestration.settings import Settings

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = NOON.date()
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def told(settings) -> list[dict]:
    return read_lines(alerts_path(settings))


# ---------- heartbeat


def test_a_good_tick_leaves_a_sign_and_calls_the_address(settings, target):
    url = f"http://127.0.0.1:{target.server_port}/ping/s3cr3t"
    settings = settings.model_copy(update={"heartbeat_url": SecretStr(url)})

    with heartbeat(settings, "run_alerts", NOON):
        pass

    assert target.calls == ["/ping/s3cr3t"]
    sign = {"last_tick": NOON.isoformat(), "last_success": NOON.isoformat(), "last_error": None, "ping_failed": None}
    assert read_heartbeat(settings) == {"run_alerts": sign}


def test_a_tick_that_fails_is_recorded_by_class_and_calls_nobody_until_all_are_well(settings, target):
    settings = settings.model_copy(update={"heartbeat_url": SecretStr(f"http://127.0.0.1:{target.server_port}/")})
    with heartbeat(settings, "freshness", NOON):
        pass
    later = NOON + timedelta(minutes=1)
    with pytest.raises(ZeroDivisionError), heartbeat(settings, "freshness", later):
        _ = 1 / 0
    with heartbeat(settings, "run_alerts", later):
        pass

    signs = read_heartbeat(settings)
    assert (signs["freshness"]["last_tick"], signs["freshness"]["last_success"]) == (
        later.isoformat(),
        NOON.isoformat(),
    )
    assert signs["freshness"]["last_error"] == "ZeroDivisionError"
    assert len(target.calls) == 1

    with heartbeat(settings, "freshness", later):
        pass
    assert len(target.calls) == 2


def test_an_address_that_does_not_answer_is_recorded_and_the_tick_is_good(settings):
    settings = settings.model_copy(update={"heartbeat_url": SecretStr("http://127.0.0.1:9/s3cr3t")})

    with heartbeat(settings, "run_alerts", NOON):
        pass

    sign = read_heartbeat(settings)["run_alerts"]
    assert (sign["last_error"], sign["ping_failed"]) == (None, "URLError")
    assert "s3cr3t" not in (settings.alerts_dir / "heartbeat.json").read_text()


# ---------- a run that can't be read


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as ephemeral:
        yield ephemeral


def a_run(instance, *, fails: bool = False) -> str:
    @dg.op
    def step():
        if fails:
            raise OSError("no space left")

    job = dg.GraphDefinition(name="tiny", node_defs=[step]).to_job(executor_def=dg.in_process_executor)
    return job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET).run_id


def spoil_history(settings: Settings, run_id: str) -> Path:
    path = settings.quality_dir / "results" / "evaluated_date=2026-11-24" / f"{run_id}-raw.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no parquet")
    return path


def test_a_run_that_can_not_be_read_is_tried_three_times_and_then_told_and_passed(instance, settings):
    unreadable, failed = a_run(instance), a_run(instance, fails=True)
    spoil_history(settings, unreadable)
    cursor = None
    for look in range(2):
        cursor, _ = run_alerts.tick(instance, settings, cursor, NOON + timedelta(minutes=look))
        assert told(settings) == []
        assert read_heartbeat(settings)["run_alerts"]["last_error"] == "ArrowInvalid"

    cursor, _ = run_alerts.tick(instance, settings, cursor, NOON + timedelta(minutes=2))

    about_us, about_the_other = told(settings)
    assert about_us["incident"] == "alerts:unreadable run:ArrowInvalid"
    assert unreadable in about_us["body"]
    assert "RUNBOOK.md#a_run_could_not_be_read" in about_us["body"]
    assert about_the_other["run_id"] == failed
    assert json.loads(cursor)["looks"] == {}

    cursor, _ = run_alerts.tick(instance, settings, cursor, NOON + timedelta(minutes=3))
    assert len(told(settings)) == 2
    assert read_heartbeat(settings)["run_alerts"]["last_error"] is None


def test_a_run_that_can_be_read_at_the_second_look_is_heard_then(instance, settings):
    path = spoil_history(settings, a_run(instance, fails=True))
    cursor, _ = run_alerts.tick(instance, settings, None, NOON)
    path.unlink()

    run_alerts.tick(instance, settings, cursor, NOON + timedelta(minutes=1))

    assert [alert["incident"] for alert in told(settings)] == ["run:tiny:step:OSError"]


# ---------- freshness


def publish(settings: Settings, day: date) -> None:
    """A version that is there; its manifest is all that is looked at."""
    folder = settings.published_dir / "versions" / f"{day}-one"
    folder.mkdir(parents=True)
    manifest = {"created_at": NOON.isoformat(), "snapshot_dates": {"last": day.isoformat()}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    link = settings.published_dir / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(folder, target_is_directory=True)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_where_nothing_was_ever_published_no_deadline_holds(settings):
    said = freshness.tick(settings, at(24, 23))

    assert said == "Nothing was ever published: a deadline holds from the first published day on."
    assert told(settings) == []


def test_a_day_that_is_late_is_told_once_and_once_when_it_is_published(settings):
    publish(settings, date(2026, 11, 23))
    write_status(
        settings, state="blocked", attempted_dates=[DAY], step="raw", reason="likes", run_id="r", at=at(24, 12)
    )
    freshness.tick(settings, at(24, 15, 59))
    assert told(settings) == []

    for minute in range(3):
        freshness.tick(settings, at(24, 16, minute))
    (late,) = told(settings)
    assert (late["incident"], late["severity"], late["snapshot_date"]) == (
        "freshness:published",
        "blocks",
        "2026-11-24",
    )
    assert late["title"] == "blocks · 2026-11-24 · not published by its deadline"
    found = "2026-11-23 as the last complete day (version 2026-11-23-one); tried last: 2026-11-24, blocked"
    assert f"Found: {found}" in late["body"].splitlines()
    assert "Expected: 2026-11-24, by 16:00 UTC (OBSERVATORY_PUBLISH_DEADLINE_UTC)" in late["body"].splitlines()

    # still late the next morning, before that day's own deadline
    freshness.tick(settings, at(25, 3))
    assert len(told(settings)) == 1
    publish(settings, DAY)
    freshness.tick(settings, at(25, 3, 30))
    resolved = told(settings)[-1]
    assert (resolved["event"], resolved["incident"]) == ("resolved", "freshness:published")
    assert "2026-11-24 is published. It lasted 11 h 30 min" in resolved["body"]
    assert len(told(settings)) == 2


def test_a_second_day_that_is_late_is_the_same_incident_and_told_again_after_a_day(instance, settings):
    publish(settings, date(2026, 11, 22))
    freshness.tick(settings, at(23, 16))
    freshness.tick(settings, at(24, 17))
    assert [alert["event"] for alert in told(settings)] == ["raised"]

    run_alerts.tick(instance, settings, None, at(24, 17))

    repeated = told(settings)[-1]
    assert repeated["event"] == "repeated"
    assert repeated["snapshot_dates"] == ["2026-11-23", "2026-11-24"]


@pytest.mark.parametrize("deadline", ["24:00", "noon", "9:00"])
def test_a_deadline_that_is_no_time_of_day_is_refused_in_words(deadline):
    with pytest.raises(ValidationError, match=f"found {deadline}; expected a time of day as HH:MM, UTC"):
        Settings(publish_deadline_utc=deadline)
