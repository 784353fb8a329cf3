"""A landed day as callers see it.
How it came to be is in `models` and `accounts`."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestration.landing.folders import DayFolder


@dataclass(frozen=True)
class LandedDay:
    """One landed day: `rows` in `path`, `bytes` on disk, and the manifest that lies beside them."""

    snapshot_date: date
    path: Path
    rows: int
    bytes: int
    manifest: dict[str, object]
    already_landed: bool
    is_simulated: bool


def landed_day(folder: DayFolder, *, already_landed: bool) -> LandedDay:
    """The day that lies in place; its manifest must exist."""
    manifest = folder.manifest()
    return LandedDay(
        snapshot_date=folder.snapshot_date,
        path=folder.landed,
        rows=manifest["rows"],
        bytes=manifest["bytes"],
        manifest=manifest,
        already_landed=already_landed,
        is_simulated=manifest["is_simulated"],
    )
