"""Who watches the watchers: each tick of a sensor leaves a sign of life in `alerts/heartbeat.json`, and a good one may call an
address outside that raises the alarm when it is no longer called. What a sensor looks for is no matter of this module."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration.defs.alerts.incidents import writing
from orchestration.publishing.files import read_json, write_json
from orchestration.settings import Settings

PING_SECONDS = 10


@dataclass
class Beat:
    """What a tick wants to have recorded although it goes on: the class of an error, or another word for what is wrong."""

    problem: str | None = None


@contextmanager
def heartbeat(settings: Settings, sensor: str, now: datetime) -> Iterator[Beat]:
    """Record a tick, good or bad; an error goes on its way. After a good one, call the address if all sensors are well."""
    beat = Beat()
    try:
        yield beat
    except Exception as error:
        _record(settings, sensor, now, type(error).__name__)
        raise
    signs = _record(settings, sensor, now, beat.problem)
    url = settings.heartbeat_url.get_secret_value()
    if url and not any(sign["last_error"] for sign in signs.values()):
        _record(settings, sensor, now, None, ping_failed=_call(url))


def read_heartbeat(settings: Settings) -> dict[str, dict[str, Any]]:
    """By sensor: last tick, last good tick, class of the last tick's error, why the last call of the address failed."""
    return read_json(settings.alerts_dir / "heartbeat.json") or {}


def _record(
    settings: Settings, sensor: str, now: datetime, error: str | None, ping_failed: str | None = None
) -> dict[str, dict[str, Any]]:
    with writing(settings, "heartbeat"):
        signs = read_heartbeat(settings)
        before = signs.get(sensor, {})
        signs[sensor] = {
            "last_tick": now.isoformat(),
            "last_success": before.get("last_success") if error else now.isoformat(),
            "last_error": error,
            "ping_failed": ping_failed,
        }
        write_json(settings.alerts_dir / "heartbeat.json", signs)
    return signs


def _call(url: str) -> str | None:
    """The class of the error, since its text may quote the address; None if the call went well."""
    try:
        with urllib.request.urlopen(url, timeout=PING_SECONDS):
            return None
    except Exception as error:  # noqa: BLE001 - a call that fails is recorded, and the tick was good all the same
        return type(error).__name__
