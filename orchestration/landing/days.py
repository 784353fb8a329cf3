"""A landed day as callers see it, and the one rule about the company that it may keep.
How it came to be is in `listings`, `archive` and `accounts`."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestration.hub.errors import HubConfigurationError
from orchestration.landing.folders import DayFolder, landed_days


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


def refuse_other_kind(folder: DayFolder, endpoint: str, *, is_simulated: bool) -> None:
    """Simulated and real days of a listing don't go together in one home. Raises `HubConfigurationError`."""
    first = next(iter(landed_days(folder.root, folder.listing)), None)
    manifest = first and DayFolder(folder.root, folder.listing, first).manifest()
    if manifest and manifest["is_simulated"] != is_simulated:
        words = {True: "simulated", False: "real"}
        raise HubConfigurationError(
            f"{endpoint} gives {words[is_simulated]} data, and {folder.root} holds {words[manifest['is_simulated']]} "
            f"days from {first} on",
            expected="one kind of data in one home",
            do_this="set OBSERVATORY_HOME to another folder for one of them",
        )
