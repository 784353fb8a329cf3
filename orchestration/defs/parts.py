"""How many days are built at once: as many as DuckDB loads within its memory. Rebuilding and backfilling take a history in
such parts; what is done with one belongs to them."""

from collections.abc import Mapping, Sequence
from datetime import date

from orchestration.landing.folders import DayFolder, landed_days
from orchestration.settings import Settings

# With DuckDB's 2 GB, thirty days of 100,000 made-up models were built in one go, and one day of three million; 365 days of
# 20,000, 8.4 million rows, did not fit (2026-11-30). A day of more than that is a part of its own, as it is a run of its own
# in the daily job.
ROWS_AT_ONCE = 3_000_000


def parts_of(days: Sequence[date], rows: Mapping[date, int], at_once: int) -> list[list[date]]:
    """The days in order, as many in a part as have at most so many rows together; a longer one is a part of its own."""
    parts: list[list[date]] = []
    for day in sorted(days):
        if parts and sum(rows[other] for other in parts[-1]) + rows[day] <= at_once:
            parts[-1].append(day)
        else:
            parts.append([day])
    return parts


def rows_expected(settings: Settings, days: Sequence[date]) -> dict[date, int]:
    """Models of each day, as its manifest says; of a day that has not landed, those of the nearest that has. Where nothing has
    landed nobody knows, and each day fills a part."""
    known = {day: rows_of(settings, day) for day in landed_days(settings.landing_dir, "models")}
    if not known:
        return dict.fromkeys(days, ROWS_AT_ONCE)
    return {day: known[min(known, key=lambda landed: (abs(landed - day), landed))] for day in days}


def rows_of(settings: Settings, day: date) -> int:
    """Models of a landed day, as its manifest says."""
    return DayFolder(settings.landing_dir, "models", day).manifest()["rows"]
