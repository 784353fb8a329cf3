"""The Hub's download counters as a capture sees them: which day they tell, and whether they stood still or were recounted.
Only the last landed day and the manifests of a month are looked at; the warehouse judges the whole history anew."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from orchestration.landing.comparison import Comparison
from orchestration.landing.folders import DayFolder, landed_days

# The Hub's counters change once a day, between about 04 and 10 UTC, and stand still in between (observed in 2026).
COUNTERS_MOVE_FROM, COUNTERS_MOVED_BY = time(4), time(10)
# Definition 8, as dbt_project.yml has it (a test holds the two together).
STALLED_UNCHANGED_SHARE = 0.95
RECOUNTED_MINIMUM_DIFFERENCE, RECOUNTED_DEVIATIONS = 0.02, 6
BASELINE_DAYS = 28
# After a longer gap growth hides what a recount did; within a week the change is told per day (set 2026-11-24).
JUDGED_DAYS_APART = 7


@dataclass(frozen=True)
class CountersSeen:
    """What the comparison with the last landed day says about the counters. Shares and changes are 0–1, null unjudged."""

    counters_date: date
    captured_while_moving: bool
    compared_with: date | None
    busy: int  # repositories with ≥ 1,000 30-day downloads
    busy_changed_share: float | None
    watched: int  # repositories with ≥ 1,000 all-time downloads
    unchanged_share: float | None
    median_change: float | None  # per day since the last landed one
    baseline_days: int
    baseline_median: float | None
    baseline_deviation: float | None  # the median absolute one
    event: str  # 'none', 'stalled', 'recounted'; 'unjudged' without a day to compare with
    said: str

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def counters_date(captured_at: datetime, busy_changed_share: float | None) -> date:
    """The day that the counters tell, by the time of capture (UTC).

    Between 04:00 and 10:00 it takes evidence: `busy_changed_share`, the part (0–1) of repositories with ≥ 1,000 30-day
    downloads whose counters changed since the last capture, or None if there was none.
    """
    moment, day = captured_at.astimezone(UTC).time(), captured_at.astimezone(UTC).date()
    if moment >= COUNTERS_MOVED_BY:
        return day
    if moment < COUNTERS_MOVE_FROM:
        return day - timedelta(days=1)
    has_moved = busy_changed_share is not None and busy_changed_share > 0.5
    return day if has_moved else day - timedelta(days=1)


def is_captured_while_moving(captured_at: datetime) -> bool:
    """Whether a capture began in the hours in which the counters change: its rows may tell two days."""
    return COUNTERS_MOVE_FROM <= captured_at.astimezone(UTC).time() < COUNTERS_MOVED_BY


def is_same_counters(earlier: datetime, later: datetime) -> bool:
    """Whether two moments of one UTC day surely see the same counters: both before they move, or both after."""
    earlier, later = earlier.astimezone(UTC), later.astimezone(UTC)
    if earlier.date() != later.date():
        return False
    return later.time() < COUNTERS_MOVE_FROM or earlier.time() >= COUNTERS_MOVED_BY


def look(
    folder: DayFolder, captured_at: datetime, last: DayFolder | None, comparison: Comparison | None
) -> CountersSeen:
    """Judge a capture's counters by its comparison with the last landed day, and by the months before it."""
    seen = comparison or Comparison()
    day = counters_date(captured_at, seen.busy_changed_share)
    last_counters = last.manifest()["counters_date"] if last else None
    days_apart = max((folder.snapshot_date - last.snapshot_date).days, 1) if last else 1
    change = None if seen.median_change is None else round((1 + seen.median_change) ** (1 / days_apart) - 1, 12)
    baseline = [] if last is None else _baseline(folder, last)
    middle = median(baseline) if baseline else None
    deviation = median(abs(change - middle) for change in baseline) if baseline else None
    is_same_day = day.isoformat() == last_counters
    event, said = _event(seen, change, days_apart, middle, deviation, is_same_day=is_same_day)
    return CountersSeen(
        counters_date=day,
        captured_while_moving=is_captured_while_moving(captured_at),
        compared_with=last.snapshot_date if last else None,
        busy=seen.busy,
        busy_changed_share=seen.busy_changed_share,
        watched=seen.watched,
        unchanged_share=seen.unchanged_share,
        median_change=change,
        baseline_days=len(baseline),
        baseline_median=middle,
        baseline_deviation=deviation,
        event=event,
        said=said,
    )


def _event(
    seen: Comparison,
    change: float | None,
    days_apart: int,
    middle: float | None,
    deviation: float | None,
    *,
    is_same_day: bool,
) -> tuple[str, str]:
    if seen.unchanged_share is None:
        return "unjudged", "no earlier day, or no repository with 1,000 downloads, to compare with"
    if is_same_day:
        return "unjudged", "the last landed day has the same counters' day: no difference is to be expected"
    moved = f"{seen.unchanged_share:.1%} of {seen.watched:,} counters unchanged, median change {change:+.3%} a day"
    if seen.unchanged_share >= STALLED_UNCHANGED_SHARE:
        return "stalled", f"{moved}: the Hub's counters stood still"
    if days_apart > JUDGED_DAYS_APART:
        return "unjudged", f"{moved}; the last landed day is {days_apart} days away"
    if middle is None:
        return "none", f"{moved}; no unaffected day yet to compare the change with"
    bound = max(RECOUNTED_MINIMUM_DIFFERENCE, RECOUNTED_DEVIATIONS * deviation)
    usual = f"usual {middle:+.3%} ± {bound:.3%}"
    if abs(change - middle) > bound:
        return "recounted", f"{moved}, {usual}: the Hub recounted"
    return "none", f"{moved}, {usual}"


def _baseline(folder: DayFolder, last: DayFolder) -> Sequence[float]:
    """The median changes of the last unaffected landed days before this one, at most 28."""
    changes: list[float] = []
    for day in reversed(landed_days(folder.root, folder.listing)):
        if day > last.snapshot_date or day == folder.snapshot_date:
            continue
        seen = (DayFolder(folder.root, folder.listing, day).manifest() or {}).get("counters") or {}
        if seen.get("event") == "none" and seen.get("median_change") is not None:
            changes.append(seen["median_change"])
        if len(changes) == BASELINE_DAYS:
            break
    return changes
