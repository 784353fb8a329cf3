"""How an event reads: a short title, and a text that says what broke, why it matters and what to do.
Which events there are is decided in `incidents.py` and `domain_alerts.py`; addresses and secrets never stand in a message."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from orchestration.defs.alerts.findings import Finding
from orchestration.defs.alerts.incidents import Event, EventName, Incident
from orchestration.defs.alerts.redaction import Redaction
from orchestration.defs.links import runbook
from orchestration.settings import Settings


@dataclass(frozen=True)
class Alert:
    """One event as it is written down and sent. `alert_id` is the same however often the event is come upon."""

    alert_id: str
    event: EventName
    incident: str
    incidents: list[str]
    raised_at: str
    severity: str
    title: str
    body: str
    snapshot_date: str | None
    snapshot_dates: list[str]
    step: str | None
    table_name: str | None
    check_name: str | None
    run_id: str | None
    owner: str | None

    def plain(self) -> dict:
        return asdict(self)


def alert_of(event: Event, settings: Settings) -> Alert:
    """The event in words, without any secret of the settings."""
    finding = event.lead.finding
    days = sorted({day for incident in event.incidents for day in incident.finding.snapshot_dates})
    hide = Redaction(settings)
    return Alert(
        alert_id=alert_id_of(event.name, event.lead.key, event.lead.first_seen, event.at),
        event=event.name,
        incident=event.lead.key,
        incidents=[incident.key for incident in event.incidents],
        raised_at=event.at,
        severity=finding.severity,
        title=hide(_title(event)),
        body=hide(_body(event, settings)),
        snapshot_date=finding.last_day or None,
        snapshot_dates=days,
        step=finding.step,
        table_name=finding.table_name,
        check_name=finding.check_name,
        run_id=event.run_id or None,
        owner=finding.owner,
    )


def alert_id_of(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def run_link(settings: Settings, run_id: str) -> str:
    return f"{settings.ui_url or f'http://127.0.0.1:{settings.ui_port}'}/runs/{run_id}"


# ---------- title


def _title(event: Event) -> str:
    finding = event.lead.finding
    word = {"raised": finding.severity, "repeated": f"still open, {finding.severity}", "resolved": "resolved"}[
        event.name
    ]
    more = f" (and {len(event.incidents) - 1} more)" if len(event.incidents) > 1 else ""
    return f"{word} · {_span(finding.snapshot_dates)} · {_what(finding, event.name)}{more}"


def _what(finding: Finding, event: EventName = "raised") -> str:
    if not finding.is_broken_promise:
        return finding.promise
    if event == "resolved":
        return f"{finding.table_name} keeps “{finding.promise}” again"
    return f"{finding.table_name} breaks “{finding.promise}”"


def _span(days: tuple[str, ...]) -> str:
    ordered = sorted(days)
    return "no day" if not ordered else ordered[0] if len(ordered) == 1 else f"{ordered[0]} … {ordered[-1]}"


# ---------- body


def _body(event: Event, settings: Settings) -> str:
    if event.name == "resolved":
        parts = [_resolved(event)]
    else:
        parts = [_still_open(event.lead)] if event.name == "repeated" else []
        parts.append(_described(event.lead.finding, settings))
        parts += _others(event, settings)
    if event.run_id:
        parts.append(f"Run: {run_link(settings, event.run_id)}")
    return "\n\n".join(parts)


def _described(finding: Finding, settings: Settings) -> str:
    lines = [
        f"{'Promise' if finding.is_broken_promise else 'What happened'}: {finding.promise}",
        f"Found: {finding.observed}" if finding.observed else None,
        f"Expected: {finding.threshold}{f' ({finding.basis})' if finding.basis else ''}" if finding.threshold else None,
        f"Snapshot day: {', '.join(sorted(finding.snapshot_dates))}" if finding.snapshot_dates else None,
        f"Table: {finding.table_name}" if finding.table_name else None,
        f"Step: {finding.step}",
        f"Owner: {finding.owner}",
        f"Why it matters: {finding.reason}" if finding.reason else None,
        f"What it does: {finding.effect}",
        *(f"Offender: {offender}" for offender in finding.offenders),
        f"What to do: {runbook(settings, finding.anchor)}",
    ]
    return "\n".join(line for line in lines if line)


def _others(event: Event, settings: Settings) -> list[str]:
    """What broke with the first: before it, beside it, or at a later step, where it most likely follows from it."""
    first, *others = (incident.finding for incident in event.incidents)
    parts = {
        "Broken before it by the same run, which may be why:": [f for f in others if f.place < first.place],
        "Broken by the same run at the same step:": [f for f in others if f.place == first.place],
        "Broken at later steps, which most likely follows from it:": [f for f in others if f.place > first.place],
    }
    return ["\n".join([head, *(_line(f, settings) for f in found)]) for head, found in parts.items() if found]


def _line(finding: Finding, settings: Settings) -> str:
    expected = f", expected {finding.threshold}" if finding.threshold else ""
    return (
        f"- {finding.severity} · {_span(finding.snapshot_dates)} · {finding.step} · {_what(finding)}: "
        f"found {finding.observed}{expected} ({finding.owner}; {runbook(settings, finding.anchor)})"
    )


def _still_open(incident: Incident) -> str:
    return (
        f"Open since {_clock(incident.first_seen)}, seen {_times(incident.times_seen)}, "
        f"last at {_clock(incident.last_seen)}."
    )


def _resolved(event: Event) -> str:
    lines = []
    for incident in event.incidents:
        finding = incident.finding
        lasted = _lasted(incident.first_seen, event.at)
        lines.append(
            f"{_what(finding, event.name)}: {event.why or _why_resolved(finding)}. It lasted {lasted}, from "
            f"{_clock(incident.first_seen)} to {_clock(event.at)}, seen {_times(incident.times_seen)}."
        )
    owners = ", ".join(sorted({incident.finding.owner for incident in event.incidents}))
    return "\n".join([*lines, f"Owner: {owners}. Nothing is left to do."])


def _why_resolved(finding: Finding) -> str:
    if finding.kind == "step":
        return "the step succeeds again"
    if finding.kind == "aside":
        return "a day as late has landed"
    return f"it held for {finding.last_day} or a later day" if finding.last_day else "it held"


def _lasted(first: str, last: str) -> str:
    gone = max(datetime.fromisoformat(last) - datetime.fromisoformat(first), timedelta())
    minutes = round(gone.total_seconds() / 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    told = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    return " ".join(told) or "less than a minute"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _clock(at: str) -> str:
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M UTC")
