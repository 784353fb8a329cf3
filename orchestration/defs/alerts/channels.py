"""The one way out: a line in `alerts.jsonl`, always, and messages through Apprise, which wait here until they were taken.
What an alert is and when one is due belongs in `incidents.py`; nothing that is written here holds an address."""

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orchestration.defs.alerts.findings import SEVERITIES
from orchestration.defs.alerts.incidents import Ledger, writing
from orchestration.defs.alerts.messages import Alert, alert_of
from orchestration.publishing.files import read_json, write_json
from orchestration.settings import Settings

# More than ten messages in an hour are read by nobody, and the one that matters is lost among them; ten separate root causes
# in an hour never happened on a day that a person could still sort out one by one. 2026-11-29.
MESSAGES_PER_HOUR = 10
TITLES_IN_DIGEST = 20
# A target that refuses is asked again at the next tick, then ever more rarely: a quarter of an hour is soon enough to hear
# of a day that is late, and keeps the record of attempts short. 2026-11-29.
LONGEST_WAIT = timedelta(minutes=15)
# Dagster gives a tick 60 seconds; one slow target may take 15 of them. 2026-11-29.
SECONDS_OF_SENDING = 20.0
# They quote addresses in what they log.
TALKATIVE = ("apprise", "urllib3", "requests", "asyncio")
NOT_UNDERSTOOD = "Apprise does not understand this address: expected one as Apprise documents them"


@dataclass(frozen=True)
class Target:
    """An address, and what may be said of it: where it stands in the settings, and a fingerprint."""

    url: str = field(repr=False)
    place: str

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


@dataclass
class Outbox:
    """What waits to be sent, what was sent within the hour, and which targets refuse; `alerts/outbox.json`."""

    pending: list[dict[str, Any]] = field(default_factory=list)
    sent: dict[str, list[str]] = field(default_factory=dict)
    refusing: dict[str, dict[str, Any]] = field(default_factory=dict)

    def waiting_for(self, target: Target, settings: Settings) -> list[dict[str, Any]]:
        """Entries that this target is to have and has not, what stops a day first."""
        due = [
            entry
            for entry in self.pending
            if target in targets_of(settings, entry["alert"]["severity"]) and target.fingerprint not in entry["told"]
        ]
        return sorted(due, key=lambda e: (SEVERITIES.index(e["alert"]["severity"]), e["alert"]["raised_at"]))

    def room(self, target: Target, now: datetime) -> int:
        """How many messages the target may still have in this hour."""
        since = (now - timedelta(hours=1)).isoformat()
        recent = [at for at in self.sent.get(target.fingerprint, []) if at > since]
        self.sent[target.fingerprint] = recent
        return MESSAGES_PER_HOUR - len(recent)


def alerts_path(settings: Settings) -> Path:
    return settings.alerts_file


def deliveries_path(settings: Settings) -> Path:
    return settings.alerts_dir / "deliveries.jsonl"


def targets_of(settings: Settings, severity: str) -> list[Target]:
    """Where an alert of this severity goes: to its own addresses if there are some, else to the general ones."""
    name = f"notify_urls_{severity}"
    urls = getattr(settings, name).get_secret_value().split()
    if not urls:
        name = "notify_urls"
        urls = settings.notify_urls.get_secret_value().split()
    of = f"OBSERVATORY_{name.upper()}"
    unique = dict.fromkeys(urls)
    return [Target(url, f"{of}, address {number} of {len(unique)}") for number, url in enumerate(unique, start=1)]


def announce(settings: Settings, alert: Alert) -> bool:
    """Write the alert down and put it into the outbox, once: again for the same event changes nothing."""
    if alert.alert_id in _known_ids(settings):
        return False
    with _outbox_of(settings) as outbox:
        # before the line, so that a crash in between sends a message twice rather than never
        if targets_of(settings, alert.severity) and all(
            e["alert"]["alert_id"] != alert.alert_id for e in outbox.pending
        ):
            outbox.pending.append({"alert": alert.plain(), "told": []})
    append_line(alerts_path(settings), alert.plain())
    return True


def announce_events(settings: Settings, ledger: Ledger, events: Sequence) -> int:
    """Announce events of the ledger, and let it remember with which alert an incident was told. Gives their number."""
    alerts = [(event, alert_of(event, settings)) for event in events]
    for event, alert in alerts:
        announce(settings, alert)
        ledger.told(event, alert.alert_id)
    return len(alerts)


def send_pending(settings: Settings, now: datetime) -> int:
    """Send what waits, within each target's bound, and record each attempt. Gives the number of alerts still waiting."""
    until = time.monotonic() + SECONDS_OF_SENDING
    with _outbox_of(settings) as outbox:
        for target in _all_targets(settings):
            refusal = outbox.refusing.get(target.fingerprint)
            if refusal and refusal["again_at"] > now.isoformat():
                continue
            for entries in _batches(outbox.waiting_for(target, settings), outbox.room(target, now)):
                if time.monotonic() > until or not _send(settings, outbox, target, entries, now):
                    break
        outbox.pending = [entry for entry in outbox.pending if _is_wanted(entry, settings)]
        return len(outbox.pending)


def is_refused(settings: Settings) -> bool:
    """Whether a target did not take the last message that it was offered."""
    return bool((read_json(settings.alerts_dir / "outbox.json") or {}).get("refusing"))


def append_line(path: Path, document: dict[str, Any]) -> None:
    """Add a line that survives a power cut; half a line that a crash has left stays by itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of such a file, without those that a crash has cut."""
    documents = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            documents.append(json.loads(line))
        except ValueError:
            continue
    return documents


def _known_ids(settings: Settings) -> set[str]:
    return {line["alert_id"] for line in read_lines(alerts_path(settings))}


@contextmanager
def _outbox_of(settings: Settings) -> Iterator[Outbox]:
    """The outbox, for one writer at a time. It is written also when the block fails: what was sent was sent."""
    with writing(settings, "outbox"):
        path = settings.alerts_dir / "outbox.json"
        stored = read_json(path)
        outbox = Outbox(**stored) if stored else Outbox()
        before = json.dumps(vars(outbox))
        try:
            yield outbox
        finally:
            if json.dumps(vars(outbox)) != before:
                write_json(path, vars(outbox))


def _all_targets(settings: Settings) -> list[Target]:
    return list({t.fingerprint: t for severity in SEVERITIES for t in targets_of(settings, severity)}.values())


def _is_wanted(entry: dict[str, Any], settings: Settings) -> bool:
    return any(t.fingerprint not in entry["told"] for t in targets_of(settings, entry["alert"]["severity"]))


def _batches(entries: list[dict[str, Any]], room: int) -> list[list[dict[str, Any]]]:
    """One message each while they fit; else the last message that may be sent holds all that is left."""
    if room <= 0:
        return []
    if len(entries) <= room:
        return [[entry] for entry in entries]
    return [*([entry] for entry in entries[: room - 1]), entries[room - 1 :]]


def _send(settings: Settings, outbox: Outbox, target: Target, entries: list[dict[str, Any]], now: datetime) -> bool:
    """One message about one alert or several: sent and remembered, or recorded with the reason and tried again later."""
    alerts = [entry["alert"] for entry in entries]
    title, body = (alerts[0]["title"], alerts[0]["body"]) if len(alerts) == 1 else _digest(alerts)
    refused = _notify(target.url, title, body, _kind(alerts[0]))
    failures = outbox.refusing.pop(target.fingerprint, {"failures": 0})["failures"]
    # of a digest that was refused one line tells enough
    for alert in alerts if refused is None else alerts[:1]:
        record = {
            "alert_id": alert["alert_id"],
            "target": target.fingerprint,
            "place": target.place,
            "ok": refused is None,
            "why": refused,
            "at": now.isoformat(),
            "attempt": failures + 1,
            "messages_folded": len(alerts),
        }
        append_line(deliveries_path(settings), record)
    if refused is not None:
        again_at = now + min(LONGEST_WAIT, timedelta(seconds=30 * failures**2))
        outbox.refusing[target.fingerprint] = {"failures": failures + 1, "again_at": again_at.isoformat()}
        return False
    outbox.sent.setdefault(target.fingerprint, []).append(now.isoformat())
    for entry in entries:
        entry["told"].append(target.fingerprint)
    return True


def _digest(alerts: list[dict[str, Any]]) -> tuple[str, str]:
    counts = {severity: sum(a["severity"] == severity for a in alerts) for severity in SEVERITIES}
    told = ", ".join(f"{number} {severity}" for severity, number in counts.items() if number)
    left = len(alerts) - TITLES_IN_DIGEST
    lines = [f"- {alert['title']}" for alert in alerts[:TITLES_IN_DIGEST]]
    lines += [f"- and {left} more"] if left > 0 else []
    why = (
        f"A target gets at most {MESSAGES_PER_HOUR} messages an hour; these are folded into one. "
        "Each of them is a line of alerts.jsonl in the home."
    )
    return f"{len(alerts)} more: {told}", "\n".join([why, "", *lines])


def _kind(alert: dict[str, Any]) -> str:
    if alert["event"] == "resolved":
        return "success"
    return {"blocks": "failure", "investigate": "warning", "domain": "info"}[alert["severity"]]


def _notify(url: str, title: str, body: str, kind: str) -> str | None:
    """Why the target did not take the message; None if it did. Nothing of the address is in it, or in any log."""
    import apprise

    with _silent():
        notifier = apprise.Apprise()
        try:
            if not notifier.add(url):
                return NOT_UNDERSTOOD
            # as text, so that a name from the data is no markup in a mail
            taken = notifier.notify(
                title=title, body=body, notify_type=apprise.NotifyType(kind), body_format=apprise.NotifyFormat.TEXT
            )
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises must not stop the other targets
            return f"sending failed: {type(error).__name__}"
    return None if taken else "the target could not be reached, or refused"


@contextmanager
def _silent() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
