"""The ledger: which incidents are open, since when, and what they were last told of; one file, written in one step.
What is an event (raised, repeated, resolved) is decided here; how one reads in `messages.py`, where it goes in `channels.py`."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from orchestration.defs.alerts.findings import LANDING_STEP, NO_STEP, SEVERITIES, Finding, RunLook
from orchestration.publishing.files import read_json, write_json
from orchestration.settings import Settings

EventName = Literal["raised", "repeated", "resolved"]
# To find the runs of an incident, the newest are enough; how many there were is counted. 2026-11-29.
RUNS_KEPT = 20


@dataclass(frozen=True)
class Incident:
    """A root cause that is not mended yet. `told_with` is the alert that told it first, alone or among others."""

    finding: Finding
    first_seen: str
    last_seen: str
    last_told: str
    times_seen: int
    times_told: int
    run_ids: tuple[str, ...]
    told_with: str = ""

    @property
    def key(self) -> str:
        return self.finding.incident


@dataclass(frozen=True)
class Event:
    """What somebody is told at once: incidents in the order in which they matter, the first of them gives its name."""

    name: EventName
    incidents: tuple[Incident, ...]
    at: str
    run_id: str = ""
    why: str = ""

    @property
    def lead(self) -> Incident:
        return self.incidents[0]


@dataclass
class Ledger:
    """Open incidents by key, at the time `now`. Its methods change it and give what is to be told; nothing is told here."""

    now: datetime
    open: dict[str, Incident] = field(default_factory=dict)

    def see(self, findings: Sequence[Finding], *, run_id: str, at: str) -> Event | None:
        """Findings of one group, as a run (or a look without one) has them now."""
        known = [self.open[finding.incident] for finding in findings if finding.incident in self.open]
        new = [finding for finding in findings if finding.incident not in self.open]
        for incident in known:
            finding = next(f for f in findings if f.incident == incident.key)
            self.open[incident.key] = _seen_again(incident, finding, run_id, at)
        opened = [_opened(finding, run_id, at, self.now) for finding in new]
        if all(_follows_from(finding, known) for finding in new):
            # what follows from an incident that is told already is part of it, and is repeated and resolved with it
            for incident in opened:
                root = known[0]
                self.open[incident.key] = replace(incident, told_with=root.told_with, last_told=root.last_told)
            return None
        self.open |= {incident.key: incident for incident in opened}
        return Event("raised", tuple(sorted(opened, key=_importance)), at, run_id)

    def mend(self, look: RunLook) -> list[Event]:
        """Incidents that a run shows to be over, which are closed; those that were told together end together."""
        broken = {finding.incident for finding in look.findings}
        mended = [
            incident
            for incident in self.open.values()
            if incident.key not in broken and look.run_id not in incident.run_ids and _is_mended(incident.finding, look)
        ]
        return self.close(mended, at=look.at, run_id=look.run_id)

    def close(self, incidents: Sequence[Incident], *, at: str, run_id: str = "", why: str = "") -> list[Event]:
        """Take incidents out of the ledger."""
        for incident in incidents:
            del self.open[incident.key]
        return [Event("resolved", group, at, run_id, why) for group in _told_together(incidents)]

    def due(self, hours: float) -> list[Event]:
        """Incidents that are still open so many hours after they were last told; they count as told now."""
        latest = (self.now - timedelta(hours=hours)).isoformat()
        waiting = [incident for incident in self.open.values() if incident.last_told <= latest]
        for incident in waiting:
            told_now = replace(incident, last_told=self.now.isoformat(), times_told=incident.times_told + 1)
            self.open[incident.key] = told_now
        again = [self.open[incident.key] for incident in waiting]
        return [
            Event("repeated", group, self.now.isoformat(), "".join(group[0].run_ids[-1:]))
            for group in _told_together(again)
        ]

    def told(self, event: Event, alert_id: str) -> None:
        """Remember with which alert incidents were first told."""
        for incident in event.incidents if event.name == "raised" else ():
            self.open[incident.key] = replace(self.open[incident.key], told_with=alert_id)


@contextmanager
def ledger_of(settings: Settings, now: datetime) -> Iterator[Ledger]:
    """The ledger, for one writer at a time; what was changed is written when the block ends well, and only then."""
    with writing(settings, "incidents"):
        path = settings.alerts_dir / "incidents.json"
        stored = (read_json(path) or {}).get("open", {})
        ledger = Ledger(now, {key: _from_plain(plain) for key, plain in stored.items()})
        before = dict(ledger.open)
        yield ledger
        if ledger.open != before or not path.exists():
            write_json(path, {"open": {key: asdict(incident) for key, incident in sorted(ledger.open.items())}})


@contextmanager
def writing(settings: Settings, name: str) -> Iterator[None]:
    """One writer at a time to the file of this name; the kernel frees the lock of a process that died."""
    settings.alerts_dir.mkdir(parents=True, exist_ok=True)
    with (settings.alerts_dir / f".{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _from_plain(plain: dict[str, Any]) -> Incident:
    finding = plain["finding"]
    lists = {name: tuple(finding[name]) for name in ("snapshot_dates", "offenders")}
    return Incident(**plain | {"finding": Finding(**finding | lists), "run_ids": tuple(plain["run_ids"])})


def _opened(finding: Finding, run_id: str, at: str, now: datetime) -> Incident:
    return Incident(
        finding,
        first_seen=at,
        last_seen=at,
        last_told=now.isoformat(),
        times_seen=1,
        times_told=1,
        run_ids=(run_id,) if run_id else (),
    )


def _seen_again(incident: Incident, finding: Finding, run_id: str, at: str) -> Incident:
    if run_id and run_id in incident.run_ids:
        return incident  # the same run, looked at again after a crash
    days = tuple(sorted({*incident.finding.snapshot_dates, *finding.snapshot_dates}))
    return replace(
        incident,
        finding=replace(finding, snapshot_dates=days),
        last_seen=at,
        times_seen=incident.times_seen + 1,
        run_ids=(*incident.run_ids, *([run_id] if run_id else []))[-RUNS_KEPT:],
    )


def _follows_from(finding: Finding, known: Sequence[Incident]) -> bool:
    """Whether an open incident at an earlier step explains it. What stops a day is never explained by what does not."""
    return any(incident.finding.place < finding.place and rank(incident.finding) <= rank(finding) for incident in known)


def _is_mended(finding: Finding, look: RunLook) -> bool:
    if finding.is_broken_promise:
        if finding.incident in look.passed:
            return look.passed[finding.incident] >= finding.last_day
        # judged without it: nobody makes this promise any more, or nobody wants to be told of it
        judged = look.judged.get((finding.step, finding.table_name or ""))
        return judged is not None and judged >= finding.last_day
    if finding.kind in ("step", "aside"):
        step = LANDING_STEP if finding.kind == "aside" else finding.step
        is_back = step in look.succeeded or (step == NO_STEP and bool(look.succeeded))
        return is_back and look.last_good_day >= finding.last_day
    return False


def _told_together(incidents: Sequence[Incident]) -> list[tuple[Incident, ...]]:
    groups: dict[str, list[Incident]] = {}
    for incident in sorted(incidents, key=_importance):
        groups.setdefault(incident.told_with, []).append(incident)
    return [tuple(group) for group in groups.values()]


def _importance(incident: Incident) -> tuple:
    finding = incident.finding
    return (rank(finding), finding.place, finding.table_name or "", finding.check_name or "", finding.incident)


def rank(finding: Finding) -> int:
    """What stops a day comes first."""
    return SEVERITIES.index(finding.severity)
