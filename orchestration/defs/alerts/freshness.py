"""The sensor over the calendar: a day that is not published by its deadline, although no run may ever have failed.
What is published is read from the published version itself."""

from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from orchestration.defs.alerts.channels import announce_events, send_pending
from orchestration.defs.alerts.findings import Finding
from orchestration.defs.alerts.heartbeat import heartbeat
from orchestration.defs.alerts.incidents import ledger_of
from orchestration.publishing import Version, current_version, read_status
from orchestration.settings import Settings

INCIDENT = "freshness:published"


@dg.sensor(
    name="freshness",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells once when the day is not published by OBSERVATORY_PUBLISH_DEADLINE_UTC, and once when it is.",
)
def freshness(settings: dg.ResourceParam[Settings]):
    return dg.SkipReason(tick(settings, datetime.now(UTC)))


def tick(settings: Settings, now: datetime) -> str:
    """One look at what is published; gives in words what came of it."""
    with heartbeat(settings, "freshness", now):
        version = current_version(settings)
        if version is None:
            return "Nothing was ever published: a deadline holds from the first published day on."
        owed = _owed(settings, now)
        is_late = version.snapshot_date is None or version.snapshot_date < owed
        with ledger_of(settings, now) as ledger:
            incident = ledger.open.get(INCIDENT)
            if is_late and not (incident and owed.isoformat() in incident.finding.snapshot_dates):
                event = ledger.see([_finding(settings, version, owed)], run_id="", at=now.isoformat())
                announce_events(settings, ledger, [event] if event else [])
            elif incident and not is_late:
                why = f"{version.snapshot_date} is published"
                announce_events(settings, ledger, ledger.close([incident], at=now.isoformat(), why=why))
        send_pending(settings, now)
        return f"{version.snapshot_date} is published; {owed} {'is late' if is_late else 'is the day owed by now'}."


def _owed(settings: Settings, now: datetime) -> date:
    """The last day whose deadline is over."""
    deadline = time.fromisoformat(settings.publish_deadline_utc)
    return now.date() if now.time() >= deadline else now.date() - timedelta(days=1)


def _finding(settings: Settings, version: Version, owed: date) -> Finding:
    status = read_status(settings) or {}
    attempted = status.get("attempted") or {}
    last = ", ".join(attempted.get("snapshot_dates") or []) or "no day"
    said = f"; tried last: {last}, {status['state']}" if status else ""
    return Finding(
        incident=INCIDENT,
        kind="other",
        severity="blocks",
        promise="not published by its deadline",
        step="publish",
        anchor="a_day_is_published_by_its_deadline",
        effect="Analysts see data that is older than they think; days that are missed can't be asked for again at the Hub.",
        snapshot_dates=(owed.isoformat(),),
        check_name="a_day_is_published_by_its_deadline",
        observed=f"{version.snapshot_date or 'no day'} as the last complete day (version {version.version_id}){said}",
        threshold=f"{owed}, by {settings.publish_deadline_utc} UTC",
        basis="OBSERVATORY_PUBLISH_DEADLINE_UTC",
        reason="the Hub only knows now: a day that is not landed on its own date is lost, unless an archive has it",
    )
