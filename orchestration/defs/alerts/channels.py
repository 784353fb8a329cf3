"""Where an alert goes: a line in `alerts.jsonl`, always, and the targets that `OBSERVATORY_NOTIFY_URLS` names, through Apprise.
When an alert is due belongs in `run_alerts.py`."""

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
    """Write the line once, then notify. Raises AlertNotDelivered if a target refuses."""
    if alert.alert_id not in _known_ids(settings):
        _append(settings, alert)
    targets = settings.notify_urls.split()
    if not targets:
        return
    import apprise

    notifier = apprise.Apprise()
    refused = [position for position, url in enumerate(targets, start=1) if not notifier.add(url)]
    if refused:
        raise AlertNotDelivered(
            f"OBSERVATORY_NOTIFY_URLS: Apprise does not understand address {', '.join(map(str, refused))} of {len(targets)}. "
            "Expected addresses as Apprise documents them, separated by spaces. The alert itself is in alerts.jsonl."
        )
    kind = apprise.NotifyType.FAILURE if alert.severity == "error" else apprise.NotifyType.WARNING
    if not notifier.notify(title=alert.title, body=alert.body, notify_type=kind):
        raise AlertNotDelivered(
            f"Alert {alert.alert_id} was written to alerts.jsonl, but at least one of {len(targets)} targets did not take it. "
            "It is tried again at the next tick; check OBSERVATORY_NOTIFY_URLS and the targets' own logs."
        )


def alerts_path(settings: Settings) -> Path:
    return settings.home / "alerts.jsonl"


def _known_ids(settings: Settings) -> set[str]:
    path = alerts_path(settings)
    return {json.loads(line)["alert_id"] for line in path.read_text().splitlines() if line} if path.exists() else set()


def _append(settings: Settings, alert: Alert) -> None:
    path = alerts_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(asdict(alert), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
