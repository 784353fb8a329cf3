"""What ended runs tell, what the alert about it says, and that the sensor tells each root cause once, over real runs."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from pydantic import SecretStr

from orchestration.defs.alerts.channels import alerts_path
from orchestration.defs.alerts.findings import RunLook, look_at
from orchestration.defs.alerts.heartbeat import read_heartbeat
from orchestration.defs.alerts.incidents import Event, Ledger
from orchestration.defs.alerts.messages import Alert, alert_of
from orchestration.defs.alerts.run_alerts import run_alerts
from orchestration.defs.partitions import one_run_a_range, snapshot_days
from orchestration.defs.run_days import NOT_LANDED, add_set_aside, only_good_days

FIRST, SECOND, THIRD = date(2025, 3, 3), date(2025, 3, 4), date(2025, 3, 5)
ENDED_AT = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


class DiskFull(Exception):
    """What a step might raise."""


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as ephemeral:
        yield ephemeral


def tags_of(first: date, last: date) -> dict[str, str]:
    if first == last:
        return {"dagster/partition": str(first)}
    return {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}


def run(
    instance,
    first: date = FIRST,
    last: date | None = None,
    *,
    raises: Exception | None = None,
    check_passes: bool = True,
    blocking: bool = False,
    bad: dict[date, str] | None = None,
) -> dg.DagsterRun:
    """One run of a small real job: a landed asset, a check on it, and a step behind it."""
    last = last or first
    partitioned = {"partitions_def": snapshot_days, "backfill_policy": one_run_a_range}
    check = dg.AssetCheckSpec("models_suite", asset="models", blocking=blocking)

    @dg.asset(check_specs=[check], **partitioned)
    def models(context: dg.AssetExecutionContext):
        if raises:
            raise raises
        add_set_aside(context, bad or {})
        days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
        good = [day for day in days if day not in (bad or {})]
        yield from only_good_days(context, [dg.MaterializeResult()], good)
        yield dg.AssetCheckResult(
            check_name="models_suite", passed=check_passes, description="3 of 4 promises hold: likes fell to 0"
        )

    @dg.asset(deps=[models], **partitioned)
    def shares():
        return dg.MaterializeResult()

    job = dg.Definitions(
        [models, shares], jobs=[dg.define_asset_job("tiny")], executor=dg.in_process_executor
    ).resolve_job_def("tiny")
    result = job.execute_in_process(instance=instance, tags=tags_of(first, last), raise_on_error=False)
    return instance.get_run_by_id(result.run_id)


def look(instance, settings, run: dg.DagsterRun) -> RunLook:
    return look_at(instance, settings, run, ENDED_AT.isoformat())


def alert_about(instance, settings, run: dg.DagsterRun) -> Alert:
    """The one alert that the run deserves, if nobody knows of anything yet."""
    (group,) = look(instance, settings, run).groups
    event = Ledger(ENDED_AT).see(group, run_id=run.run_id, at=ENDED_AT.isoformat())
    assert isinstance(event, Event)
    return alert_of(event, settings)


def test_a_fine_run_deserves_no_alert(instance, settings):
    assert look(instance, settings, run(instance)).groups == ()


def test_a_failed_run_is_an_error_that_names_day_step_and_reason(instance, settings):
    failed = run(instance, raises=DiskFull("no space left for part-00003.parquet"))

    alert = alert_about(instance, settings, failed)

    assert alert.severity == "blocks"
    assert alert.incident == "run:tiny:models:DiskFull"
    assert alert.title == "blocks · 2025-03-03 · models failed (DiskFull)"
    assert alert.body.splitlines() == [
        "What happened: models failed (DiskFull)",
        "Found: no space left for part-00003.parquet",
        "Snapshot day: 2025-03-03",
        "Step: models",
        "Owner: team:data",
        "What it does: Analysts keep the last published version.",
        "What to do: RUNBOOK.md#a_step_failed",
        "",
        f"Run: http://127.0.0.1:3000/runs/{failed.run_id}",
    ]
    assert (alert.run_id, alert.snapshot_dates) == (failed.run_id, ["2025-03-03"])
    assert alert.raised_at == ENDED_AT.isoformat()


def test_the_run_is_linked_where_readers_reach_the_ui(instance, settings):
    settings = settings.model_copy(update={"ui_url": "https://dagster.example.org"})
    failed = run(instance, raises=DiskFull("no space left"))

    assert f"https://dagster.example.org/runs/{failed.run_id}" in alert_about(instance, settings, failed).body


def test_the_sentence_of_a_failure_is_not_buried(instance, settings):
    failed = run(instance, raises=dg.Failure("Found 2 pages, expected 3. Run the day again.", allow_retries=False))

    body = alert_about(instance, settings, failed).body

    assert body.splitlines()[1] == "Found: Found 2 pages, expected 3. Run the day again."


def test_what_a_failure_was_raised_from_is_its_root_cause(instance, settings):
    wrapped = dg.Failure("The day can't be landed: no space left.", allow_retries=False)
    wrapped.__cause__ = DiskFull("no space left")

    alert = alert_about(instance, settings, run(instance, raises=wrapped))

    assert alert.incident == "run:tiny:models:DiskFull"
    assert "Found: The day can't be landed: no space left." in alert.body


def test_a_failed_check_in_a_green_run_is_a_warning_with_what_it_found(instance, settings):
    green = run(instance, check_passes=False)
    assert green.status == dg.DagsterRunStatus.SUCCESS

    alert = alert_about(instance, settings, green)

    assert alert.severity == "investigate"
    assert alert.incident == "check:models:models:models_suite"
    assert alert.title == "investigate · 2025-03-03 · models breaks “models suite”"
    assert alert.body.splitlines()[1] == "Found: 3 of 4 promises hold: likes fell to 0"


def test_a_blocking_check_that_fails_is_an_error_and_names_the_check(instance, settings):
    stopped = run(instance, check_passes=False, blocking=True)
    assert stopped.status == dg.DagsterRunStatus.FAILURE

    # one alert: the step that failed is not a second root cause
    alert = alert_about(instance, settings, stopped)

    assert alert.severity == "blocks"
    assert alert.incident == "check:models:models:models_suite"
    assert alert.body.splitlines()[1] == "Found: 3 of 4 promises hold: likes fell to 0"


def test_a_day_set_aside_in_a_green_range_is_a_warning_about_that_day(instance, settings):
    green = run(instance, FIRST, THIRD, bad={SECOND: "extraction: IncompleteDay: the listing ended early"})
    assert green.status == dg.DagsterRunStatus.SUCCESS

    alert = alert_about(instance, settings, green)

    assert alert.severity == "investigate"
    assert alert.incident == "aside:tiny:extraction:IncompleteDay"
    assert alert.title == "investigate · 2025-03-04 · not landed from its source (IncompleteDay)"
    assert alert.body.splitlines()[1] == "Found: the listing ended early"
    assert "the other days of the run went on" in alert.body
    assert alert.snapshot_dates == ["2025-03-04"]


def test_a_day_that_was_never_landed_is_no_news_to_a_rebuild(instance, settings):
    assert look(instance, settings, run(instance, FIRST, THIRD, bad={SECOND: NOT_LANDED})).groups == ()


def test_a_run_that_failed_in_no_step_is_told_too(instance, settings):
    killed = run(instance)
    instance.report_run_failed(killed, message="the process was killed")

    alert = alert_about(instance, settings, instance.get_run_by_id(killed.run_id))

    assert alert.incident == "run:tiny:(no step):failed"
    assert "Found: the process was killed" in alert.body


def tick(instance, settings, cursor: str | None) -> str | None:
    """One evaluation as the daemon does it."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"settings": settings})
    run_alerts.evaluate_tick(context)
    return context.cursor


def raised(settings) -> list[tuple[str, str]]:
    path = alerts_path(settings)
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(line["run_id"], line["severity"]) for line in lines if line["event"] == "raised"]


def test_the_sensor_raises_each_root_cause_once(instance, settings):
    run(instance)
    failed = run(instance, raises=DiskFull("no space left"))
    green = run(instance, check_passes=False)

    cursor = tick(instance, settings, None)
    assert raised(settings) == [(failed.run_id, "blocks"), (green.run_id, "investigate")]

    cursor = tick(instance, settings, cursor)
    assert raised(settings) == [(failed.run_id, "blocks"), (green.run_id, "investigate")]

    # the step succeeded in between, so that this is another incident, of another day
    later = run(instance, SECOND, raises=DiskFull("no space left"))
    tick(instance, settings, cursor)
    assert raised(settings) == [(failed.run_id, "blocks"), (green.run_id, "investigate"), (later.run_id, "blocks")]


def test_a_sensor_that_lost_its_cursor_writes_no_line_twice(instance, settings):
    failed = run(instance, raises=DiskFull("no space left"))

    tick(instance, settings, None)
    tick(instance, settings, None)

    assert raised(settings) == [(failed.run_id, "blocks")]


def test_fine_runs_raise_nothing(instance, settings):
    assert run(instance).is_success
    assert run(instance, FIRST, THIRD).is_success

    tick(instance, settings, None)

    assert not alerts_path(settings).exists()


def test_an_undelivered_alert_is_delivered_at_a_later_tick(instance, settings, target):
    failed = run(instance, raises=DiskFull("no space left"))
    settings = settings.model_copy(update={"notify_urls": SecretStr(target.url)})
    target.status = 503
    cursor = tick(instance, settings, None)
    assert read_heartbeat(settings)["run_alerts"]["last_error"] == "NotDelivered"
    target.status, target.messages[:] = 200, []

    cursor = tick(instance, settings, cursor)
    tick(instance, settings, cursor)

    assert len(target.messages) == 1
    assert failed.run_id in target.messages[0]["message"]
    assert raised(settings) == [(failed.run_id, "blocks")]
    assert read_heartbeat(settings)["run_alerts"]["last_error"] is None


def test_a_run_that_was_told_to_stop_says_that_it_resumes(instance, settings):
    with suppress(DagsterExecutionInterruptedError):
        run(instance, raises=DagsterExecutionInterruptedError())
    (ended,) = instance.get_runs()
    assert "told to stop. What was fetched is kept: run the day again" in alert_about(instance, settings, ended).body
