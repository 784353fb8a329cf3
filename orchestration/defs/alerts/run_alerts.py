"""The sensor over ended runs: what they broke and mended, reminders, and whatever still waits to be sent.
A run-failure sensor alone would never hear of failed checks and days set aside: neither fails its run."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from orchestration.defs.alerts.channels import announce_events, is_refused, send_pending
from orchestration.defs.alerts.findings import Finding, look_at
from orchestration.defs.alerts.heartbeat import Beat, heartbeat
from orchestration.defs.alerts.incidents import ledger_of
from orchestration.defs.alerts.messages import Alert
from orchestration.defs.partitions import snapshot_days
from orchestration.defs.transform.columns import columns_of_file
from orchestration.defs.transform.translator import OWNERS
from orchestration.settings import Settings

ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
RUNS_PER_TICK = 50
# A file that is being written is whole half a minute later; what can't be read at the third look never will. 2026-11-29.
LOOKS_AT_A_RUN = 3


# No step of a run: sensors write it, and `fct_alerts` reads what is there by then.
alerts = dg.AssetSpec(
    ["quality", "alerts"],
    group_name="marts",
    kinds={"json"},
    owners=OWNERS,
    partitions_def=snapshot_days,
    description="What people were told, appended by the sensors as a line of alerts.jsonl; read by the quality marts. "
    "One line per event of an alert.",
    metadata=columns_of_file({field.name: str(field.type) for field in fields(Alert)}, "fct_alerts", key="alert_id"),
)


@dg.sensor(
    name="run_alerts",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells once of what an ended run broke, by root cause, and once when it is well again; reminds of what stays "
    "broken, and sends what waits to be sent.",
)
def run_alerts(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]):
    cursor, said = tick(context.instance, settings, context.cursor, datetime.now(UTC))
    context.update_cursor(cursor)
    return dg.SkipReason(said)


def tick(instance: dg.DagsterInstance, settings: Settings, cursor: str | None, now: datetime) -> tuple[str, str]:
    """One look at the runs that ended since the cursor; gives the new cursor and what came of it in words."""
    with heartbeat(settings, "run_alerts", now) as beat:
        position = {"after": 0.0, "seen": [], "looks": {}} | (json.loads(cursor) if cursor else {})
        told = _hear_runs(instance, settings, position, now, beat)
        with ledger_of(settings, now) as ledger:
            told += announce_events(settings, ledger, ledger.due(settings.alert_repeat_hours))
        waiting = send_pending(settings, now)
        if is_refused(settings) and beat.problem is None:
            beat.problem = "NotDelivered"
    return json.dumps(
        position
    ), f"{told} alert(s) told, {waiting} waiting to be sent." if told or waiting else "No news."


def _hear_runs(
    instance: dg.DagsterInstance, settings: Settings, position: dict[str, Any], now: datetime, beat: Beat
) -> int:
    """Hear the next runs in the order in which they ended. One that can't be read holds the others up for three ticks."""
    # The instant itself is asked for again, so that two runs that ended in it are both heard.
    after = datetime.fromtimestamp(max(position["after"] - 0.001, 0.0), tz=UTC)
    records = instance.get_run_records(
        RunsFilter(statuses=ENDED, updated_after=after),
        limit=RUNS_PER_TICK,
        order_by="update_timestamp",
        ascending=True,
    )
    told = 0
    for record in records:
        run_id = record.dagster_run.run_id
        if run_id in position["seen"]:
            continue
        try:
            told += hear(instance, settings, record, now)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one run must not silence all others
            beat.problem = type(error).__name__
            position["looks"][run_id] = position["looks"].get(run_id, 0) + 1
            if position["looks"][run_id] < LOOKS_AT_A_RUN:
                return told
            told += _give_up(settings, record.dagster_run, error, now)
        position["looks"].pop(run_id, None)
        _move(position, record)
    return told


def hear(instance: dg.DagsterInstance, settings: Settings, record: dg.RunRecord, now: datetime) -> int:
    """Put what one ended run tells into the ledger, and announce what is new; gives the number of alerts."""
    ended_at = record.update_timestamp.astimezone(UTC).isoformat()
    look = look_at(instance, settings, record.dagster_run, ended_at)
    with ledger_of(settings, now) as ledger:
        events = ledger.mend(look)
        told = announce_events(settings, ledger, events)
        for group in look.groups:
            event = ledger.see(group, run_id=look.run_id, at=ended_at)
            told += announce_events(settings, ledger, [event] if event else [])
    return told


def _give_up(settings: Settings, run: dg.DagsterRun, error: Exception, now: datetime) -> int:
    """An alert about ourselves: nobody knows whether that run broke something."""
    finding = Finding(
        incident=f"alerts:unreadable run:{type(error).__name__}",
        kind="other",
        severity="blocks",
        promise=f"the records of a run can't be read ({type(error).__name__})",
        step="run_alerts",
        anchor="a_run_could_not_be_read",
        effect="What that run broke, if anything, is told by no alert; later runs are looked at.",
        observed=f"{type(error).__name__} at {LOOKS_AT_A_RUN} looks at the records of run {run.run_id}",
        threshold="events and check results of the run that can be read",
    )
    with ledger_of(settings, now) as ledger:
        event = ledger.see([finding], run_id=run.run_id, at=now.isoformat())
        return announce_events(settings, ledger, [event] if event else [])


def _move(position: dict[str, Any], record: dg.RunRecord) -> None:
    stamp = record.update_timestamp.timestamp()
    is_same_instant = stamp <= position["after"] + 0.001
    position["seen"] = [*(position["seen"] if is_same_instant else []), record.dagster_run.run_id]
    position["after"] = stamp
