"""Downloads of each repository and day, from consecutive counters: deltas, openings, vanishings, spread gaps.
Sums over countries, organisations or windows belong to `shares`."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from tests.oracle.observations import NULL, Observations


@dataclass(frozen=True, slots=True)
class DailyRow:
    """One row of fct_daily_model_downloads. `moved_on` is the captured day whose counter gave it."""

    day: date
    repo: int
    downloads: int | None
    status: str
    days_spanned: int | None
    moved_on: date


def daily_rows(seen: Observations) -> list[DailyRow]:
    """All rows of all days, in order."""
    rows: list[DailyRow] = []
    opened = np.full(seen.shape[1], -1)  # captured day, by position, of each repository's latest opening
    captured, moving = seen.days.captured, set(seen.days.moving)
    for position in range(1, len(captured)):
        day = captured[position]
        listed, before = seen.is_listed[position], seen.is_listed[position - 1]
        rows += _vanished(day, np.flatnonzero(before & ~listed))
        for repo in np.flatnonzero(listed & ~before):
            rows.append(_opening(seen, position, int(repo)))
        if day in moving and (base := seen.days.base(day)) is not None:
            continuing = np.flatnonzero(listed & before)
            baselines = np.maximum(opened[continuing], seen.position[base])
            rows += _deltas(seen, position, continuing, baselines)
        opened[listed & ~before] = position
    return sorted(rows, key=lambda row: (row.day, row.repo))


def _vanished(day: date, repos: np.ndarray) -> list[DailyRow]:
    return [DailyRow(day, int(repo), None, "vanished", None, day) for repo in repos]


def _opening(seen: Observations, position: int, repo: int) -> DailyRow:
    day = seen.days.captured[position]
    counter = int(seen.counters[position, repo])
    earlier = np.flatnonzero(seen.is_listed[:position, repo])
    if len(earlier):
        last = int(earlier[-1])
        then = int(seen.counters[last, repo])
        downloads = None if NULL in (counter, then) else counter - then
        return DailyRow(day, repo, downloads, "reappeared", (day - seen.days.captured[last]).days, day)
    created = seen.days.listings[day][seen.repo_ids[repo]].created_at
    since = seen.days.captures[seen.days.captured[position - 1]]["captured_at"].replace(tzinfo=None)
    is_whole = created is not None and created >= since and counter != NULL
    return DailyRow(day, repo, counter if is_whole else None, "first_seen", 1 if is_whole else None, day)


def _deltas(seen: Observations, position: int, repos: np.ndarray, baselines: np.ndarray) -> list[DailyRow]:
    day = seen.days.captured[position]
    now, then = seen.counters[position, repos], seen.counters[baselines, repos]
    rows: list[DailyRow] = []
    for repo, baseline, counter, earlier in zip(repos, baselines, now, then, strict=True):
        delta = int(counter) - int(earlier)
        if NULL in (counter, earlier) or delta == 0:
            continue
        since = seen.days.captured[int(baseline)]
        if (day - since).days == 1:
            rows.append(DailyRow(day, int(repo), delta, "ok" if delta > 0 else "negative", 1, day))
        else:
            rows += spread(since, day, int(repo), delta)
    return rows


def spread(since: date, day: date, repo: int, delta: int) -> list[DailyRow]:
    """A delta in whole downloads over the days after `since`, the remainder on the last; days without any have no
    row."""
    days = (day - since).days
    each = abs(delta) // days * (1 if delta > 0 else -1)
    parts = [each] * (days - 1) + [delta - each * (days - 1)]
    return [
        DailyRow(since + timedelta(days=offset), repo, part, "gap_spread", days, day)
        for offset, part in enumerate(parts, start=1)
        if part
    ]
