"""`published/status.json`: what was tried last, where it stopped and why, and which version is still good.
It is rewritten by blocked and failed days too, so that staleness is visible; it never decides what is published."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, get_args

from orchestration.publishing.current import current_version, publishing_lock
from orchestration.publishing.files import read_json, write_json
from orchestration.settings import Settings

# rolled_back: nothing was tried; somebody took analysts back to an older version
State = Literal["published", "blocked", "failed", "rolled_back"]


def write_status(
    settings: Settings,
    *,
    state: State,
    attempted_dates: Sequence[date],
    step: str | None,
    reason: str | None,
    run_id: str,
    at: datetime,
) -> dict[str, Any]:
    """Write `published/status.json` in one step and return its document.

    `blocked` means that a gate said no, `failed` that something broke; both need the `step` at which it stopped and a
    `reason`. `at` must carry a time zone. Raises `ValueError` otherwise.
    """
    with publishing_lock(settings):
        return write_status_locked(
            settings,
            state=state,
            attempted_dates=attempted_dates,
            step=step,
            reason=reason,
            run_id=run_id,
            at=at,
        )


def write_status_locked(
    settings: Settings,
    *,
    state: State,
    attempted_dates: Sequence[date],
    step: str | None,
    reason: str | None,
    run_id: str,
    at: datetime,
    set_aside: Mapping[date, str] | None = None,
    rolled_back: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """As `write_status`, for a caller that holds the lock. `set_aside`: days of a range that did not make it, and why.

    `rolled_back`: from which version to which, when and why. It stays in sight until the next version is published, also
    when a day is blocked or fails before.
    """
    if state not in get_args(State):
        raise ValueError(f"Found state {state!r}; expected one of {', '.join(get_args(State))}.")
    if state != "published" and not (step and reason):
        raise ValueError(f"Found state {state!r} without step or reason; expected both. Do this: say where and why.")
    if at.tzinfo is None:
        raise ValueError("Found a time without a time zone; expected UTC. Do this: pass datetime.now(UTC).")
    good = current_version(settings)
    document = {
        "state": state,
        "last_good": good
        and {
            "version": good.version_id,
            "snapshot_date": good.manifest["snapshot_dates"]["last"],
            "published_at": good.manifest["created_at"],
        },
        "attempted": {
            "snapshot_dates": [day.isoformat() for day in sorted(attempted_dates)],
            "run_id": run_id,
            "at": at.isoformat(),
            "step": step,
            "reason": reason,
            "set_aside": {day.isoformat(): why for day, why in sorted((set_aside or {}).items())},
        },
        "rolled_back": None
        if state == "published"
        else rolled_back or (read_status(settings) or {}).get("rolled_back"),
    }
    write_json(settings.published_dir / "status.json", document)
    return document


def read_status(settings: Settings) -> dict[str, Any] | None:
    """The document as last written: keys `state`, `last_good` (or None), `attempted`, `rolled_back` (or
    None). None before the first."""
    return read_json(settings.published_dir / "status.json")
