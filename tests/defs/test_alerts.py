"""Which ended runs deserve an alert, what it says, and that the sensor raises each of them once, over real runs."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from orchestration.defs.alerts.channels import AlertNotDelivered, alerts_path
from orchestration.defs.alerts.run_alerts import alert_about, run_alerts
from orchestration.defs.partitions import one_run_a_range, snapshot_days
from orchestration.defs.run_days import add_set_aside, only_good_days

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


def test_a_fine_run_deserves_no_alert(instance):
    assert alert_about(instance, run(instance), ENDED_AT) is None


def test_a_failed_run_is_an_error_that_names_day_step_and_reason(instance):
    failed = run(instance, raises=DiskFull("no space left for part-00003.parquet"))

    alert = alert_about(instance, failed, ENDED_AT)

    assert alert.severity == "error"
    assert alert.title == "Snapshot 2025-03-03: the run failed; analysts keep the last published version"
    assert alert.body.splitlines() == ["models: no space left for part-00003.parquet", f"Run {failed.run_id}"]
    assert (alert.run_id, alert.snapshot_dates) == (failed.run_id, ["2025-03-03"])
    assert alert.raised_at == ENDED_AT.isoformat()


def test_the_sentence_of_a_failure_is_not_buried(instance):
    failed = run(instance, raises=dg.Failure("Found 2 pages, expected 3. Run the day again.", allow_retries=False))

    body = alert_about(instance, failed, ENDED_AT).body

    assert body.splitlines()[0] == "models: Found 2 pages, expected 3. Run the day again."


def test_a_failed_check_in_a_green_run_is_a_warning_with_what_it_found(instance):
    green = run(instance, check_passes=False)
    assert green.status == dg.DagsterRunStatus.SUCCESS

    alert = alert_about(instance, green, ENDED_AT)

    assert alert.severity == "warning"
    assert alert.title == "Snapshot 2025-03-03: published, but 0 day(s) set aside, 1 check(s) failed"
    assert alert.body.splitlines()[0] == "models_suite on models: 3 of 4 promises hold: likes fell to 0"


def test_a_blocking_check_that_fails_is_an_error_and_names_the_check(instance):
    stopped = run(instance, check_passes=False, blocking=True)
    assert stopped.status == dg.DagsterRunStatus.FAILURE

    alert = alert_about(instance, stopped, ENDED_AT)

    assert alert.severity == "error"
    assert alert.body.splitlines()[0] == "models_suite on models: 3 of 4 promises hold: likes fell to 0"


def test_a_day_set_aside_in_a_green_range_is_a_warning_about_the_whole_range(instance):
    green = run(instance, FIRST, THIRD, bad={SECOND: "extraction: the listing ended early"})
    assert green.status == dg.DagsterRunStatus.SUCCESS

    alert = alert_about(instance, green, ENDED_AT)

    assert alert.severity == "warning"
    assert alert.title == "Snapshot 2025-03-03 … 2025-03-05: published, but 1 day(s) set aside, 0 check(s) failed"
    assert alert.body.splitlines()[0] == "2025-03-04 was set aside: extraction: the listing ended early"
    assert alert.snapshot_dates == ["2025-03-03", "2025-03-04", "2025-03-05"]


def tick(instance, settings, cursor: str | None) -> str | None:
    """One evaluation as the daemon does it: the cursor is kept only if nothing was raised."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources={"settings": settings})
    run_alerts.evaluate_tick(context)
    return context.cursor


def raised(settings) -> list[tuple[str, str]]:
    path = alerts_path(settings)
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(line["run_id"], line["severity"]) for line in lines]


def test_the_sensor_raises_each_bad_run_once(instance, settings):
    run(instance)
    failed = run(instance, raises=DiskFull("no space left"))
    green = run(instance, check_passes=False)

    cursor = tick(instance, settings, None)
    assert raised(settings) == [(failed.run_id, "error"), (green.run_id, "warning")]

    cursor = tick(instance, settings, cursor)
    assert raised(settings) == [(failed.run_id, "error"), (green.run_id, "warning")]

    later = run(instance, SECOND, raises=DiskFull("no space left"))
    tick(instance, settings, cursor)
    assert raised(settings) == [(failed.run_id, "error"), (green.run_id, "warning"), (later.run_id, "error")]


def test_a_sensor_that_lost_its_cursor_writes_no_line_twice(instance, settings):
    failed = run(instance, raises=DiskFull("no space left"))

    tick(instance, settings, None)
    tick(instance, settings, None)

    assert raised(settings) == [(failed.run_id, "error")]


def test_fine_runs_raise_nothing(instance, settings):
    assert run(instance).is_success
    assert run(instance, FIRST, THIRD).is_success

    tick(instance, settings, None)

    assert not alerts_path(settings).exists()


def test_an_undelivered_alert_fails_the_tick_and_is_delivered_at_a_later_one(instance, settings, target):
    failed = run(instance, raises=DiskFull("no space left"))
    settings = settings.model_copy(update={"notify_urls": f"json://127.0.0.1:{target.server_port}/"})
    target.status = 503
    with pytest.raises(AlertNotDelivered):
        tick(instance, settings, None)
    target.status, target.messages[:] = 200, []

    cursor = tick(instance, settings, None)
    tick(instance, settings, cursor)

    assert len(target.messages) == 1
    assert failed.run_id in target.messages[0]["message"]
    assert raised(settings) == [(failed.run_id, "error")]


def test_a_run_that_was_told_to_stop_says_that_it_resumes(instance):
    with suppress(DagsterExecutionInterruptedError):
        run(instance, raises=DagsterExecutionInterruptedError())
    (ended,) = instance.get_runs()
    assert "told to stop. What was fetched is kept: run the day again" in alert_about(instance, ended, ENDED_AT).body
