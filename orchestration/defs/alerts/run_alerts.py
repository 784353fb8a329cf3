"""One sensor: a failed run, or a failed check or a day set aside in a run that was green, becomes one alert.
A run-failure sensor alone would never hear of the latter two: neither fails its run."""

import json
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from orchestration.defs.alerts.channels import Alert, deliver
from orchestration.defs.run_days import NOT_LANDED, days_to_tell, set_aside_days
from orchestration.settings import Settings

ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
RUNS_PER_TICK = 50


@dg.sensor(
    name="run_alerts",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Turns a failed run, or a failed check of a green run, into one line of alerts.jsonl and one message.",
)
def run_alerts(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]):
    cursor = json.loads(context.cursor) if context.cursor else {"after": 0.0, "seen": []}
    # The instant itself is asked for again, so that two runs that ended in it are both heard.
    after = datetime.fromtimestamp(max(cursor["after"] - 0.001, 0.0), tz=UTC)
    records = context.instance.get_run_records(
        RunsFilter(statuses=ENDED, updated_after=after),
        limit=RUNS_PER_TICK,
        order_by="update_timestamp",
        ascending=True,
    )
    raised = 0
    for record in records:
        run = record.dagster_run
        if run.run_id in cursor["seen"]:
            continue
        alert = alert_about(context.instance, run, record.update_timestamp)
        if alert is not None:
            deliver(settings, alert)
            raised += 1
        stamp = record.update_timestamp.timestamp()
        seen = [*cursor["seen"], run.run_id] if stamp <= cursor["after"] + 0.001 else [run.run_id]
        cursor = {"after": stamp, "seen": seen}
        context.update_cursor(json.dumps(cursor))
    return dg.SkipReason(f"{raised} alert(s) raised" if raised else "No run ended badly since the last tick.")


def alert_about(instance: dg.DagsterInstance, run: dg.DagsterRun, ended_at: datetime) -> Alert | None:
    """The alert that an ended run deserves, or None."""
    failed_checks = failed_checks_of(instance, run.run_id)
    set_aside = [f"{day} was set aside: {why}" for day, why in sorted(set_aside_days(run).items()) if why != NOT_LANDED]
    failed = run.status == DagsterRunStatus.FAILURE
    if not failed and not failed_checks and not set_aside:
        return None
    days = [day.isoformat() for day in days_to_tell(run)]
    span = days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}" if days else "no day"
    if failed:
        title = f"Snapshot {span}: the run failed; analysts keep the last published version"
    else:
        title = (
            f"Snapshot {span}: published, but {len(set_aside)} day(s) set aside, {len(failed_checks)} check(s) failed"
        )
    body = "\n".join(
        [*set_aside, *failed_checks, *(failures_of(instance, run.run_id) if failed else []), f"Run {run.run_id}"]
    )
    return Alert(
        alert_id=f"{run.run_id}-{run.status.value.lower()}",
        raised_at=ended_at.isoformat(),
        severity="error" if failed else "warning",
        title=title,
        body=body,
        run_id=run.run_id,
        snapshot_dates=days,
    )


def failed_checks_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION).records
    evaluations = [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in records]
    return [
        f"{evaluation.check_name} on {evaluation.asset_key.to_user_string()}: {evaluation.description or 'failed'}"
        for evaluation in evaluations
        if not evaluation.passed
    ]


def failures_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.STEP_FAILURE).records
    said = []
    for record in records:
        event = record.event_log_entry.dagster_event
        said.append(f"{event.step_key}: {_reason(event.step_failure_data)}")
    return said


def _reason(failure) -> str:
    """The sentence of the error that our own code raised: Dagster wraps it, and it may have a technical cause below it."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error
    while error and error.cause and (error.cls_name or "").startswith("Dagster"):
        error = error.cause
    if error is None:
        return "failed without saying why"
    if error.cls_name == "DagsterExecutionInterruptedError":
        return "the run was told to stop. What was fetched is kept: run the day again, and it resumes there"
    return error.message.strip().removeprefix(f"{error.cls_name}: ").split(f"{error.cls_name}: ", 1)[-1]
