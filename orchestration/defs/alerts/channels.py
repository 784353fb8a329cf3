"""Where an alert goes: a line in `alerts.jsonl`, always, and the targets that `OBSERVATORY_NOTIFY_URLS` names, through Apprise.
When an alert is due belongs in `run_alerts.py`."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestration.settings import Settings


@dataclass(frozen=True)
class Alert:
    """One thing that somebody must know: `alert_id` is the same however often it is raised."""

    alert_id: str
    raised_at: str
    severity: str
    title: str
    body: str
    run_id: str
    snapshot_dates: list[str]


class AlertNotDelivered(Exception):
    """A target did not take the message; the alert stays due and is tried again at the next tick."""


def deliver(settings: Settings, alert: Alert) -> None:
    """Write the line once, then tell every target that has not been told yet. Raises AlertNotDelivered if one refuses.

    What was sent where is kept beside the alerts: while one target is down, the others must not hear of it at every tick.
    """
    if alert.alert_id not in _known_ids(settings):
        _append(settings, alert)
    targets = settings.notify_urls.split()
    sent = _sent(settings)
    refused = []
    for position, url in enumerate(targets, start=1):
        delivery = f"{alert.alert_id} {_fingerprint(url)}"
        if delivery in sent:
            continue
        if _notify(url, alert, position, len(targets)):
            _append_line(_sent_path(settings), delivery)
        else:
            refused.append(position)
    if refused:
        raise AlertNotDelivered(
            f"Alert {alert.alert_id} was written to alerts.jsonl, but target {', '.join(map(str, refused))} of {len(targets)} "
            "did not take it. It is tried again at the next tick; check OBSERVATORY_NOTIFY_URLS and the target's own log."
        )


def _notify(url: str, alert: Alert, position: int, targets: int) -> bool:
    import apprise

    notifier = apprise.Apprise()
    if not notifier.add(url):
        raise AlertNotDelivered(
            f"OBSERVATORY_NOTIFY_URLS: Apprise does not understand address {position} of {targets}. "
            "Expected addresses as Apprise documents them, separated by spaces. The alert itself is in alerts.jsonl."
        )
    kind = apprise.NotifyType.FAILURE if alert.severity == "error" else apprise.NotifyType.WARNING
    return bool(notifier.notify(title=alert.title, body=alert.body, notify_type=kind))


def _fingerprint(url: str) -> str:
    """A target's name on disk: addresses hold secrets."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _sent(settings: Settings) -> set[str]:
    path = _sent_path(settings)
    return set(path.read_text().splitlines()) if path.exists() else set()


def _sent_path(settings: Settings) -> Path:
    return settings.home / "alerts_sent.txt"


def alerts_path(settings: Settings) -> Path:
    return settings.home / "alerts.jsonl"


def _known_ids(settings: Settings) -> set[str]:
    path = alerts_path(settings)
    return {json.loads(line)["alert_id"] for line in path.read_text().splitlines() if line} if path.exists() else set()


def _append(settings: Settings, alert: Alert) -> None:
    _append_line(alerts_path(settings), json.dumps(asdict(alert), ensure_ascii=False))


def _append_line(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
