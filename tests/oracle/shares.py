"""Shares of countries and organisations in every metric, of one snapshot and over windows, and who overtook whom.
Daily downloads come from `downloads`; what is downloaded (licence, size, family …) belongs to `composition`."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property

import numpy as np

from tests.oracle.attribution import NOT_ATTRIBUTED
from tests.oracle.downloads import DailyRow, daily_rows
from tests.oracle.observations import ATTRIBUTIONS, NULL, Observations

DENOMINATORS = ("all", "organizations", "located")
# metric: (window_days, counter summed, only models that are new)
SNAPSHOT_METRICS = {
    "new_created": (365, "downloads_all_time", True),
    "trailing_30d": (30, "downloads_30d", False),
    "new_trailing_30d": (30, "downloads_30d", True),
    "all_time": (0, "downloads_all_time", False),
}
WINDOW_METRICS = {"window": (False, (7, 30, 365)), "new_rolling": (True, (30, 365))}
OUTLIER_DOWNLOADS = 1_000_000
OUTLIER_LIKES_PER_MILLION = 3
ORGANIZATION_FLOOR = Fraction(5, 10_000)
OTHER = "(other)"
TOP_RANKS = 10
CONFIRMED_AFTER = 7


def ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(int(part), int(whole)) if whole else None


def is_outlier(downloads: int, likes: int) -> bool:
    return downloads >= OUTLIER_DOWNLOADS and likes * 1_000_000 < OUTLIER_LIKES_PER_MILLION * downloads


@dataclass
class Counted:
    """What one denominator counts of one metric on one day, by country code."""

    downloads: dict[str, int]
    models: dict[str, int]
    without_top: dict[str, int]
    without_outliers: dict[str, int]
    correction: dict[str, int] | None = None


def share_rows(counted: Counted, unattributed: int, iso_codes: frozenset[str], days_estimated: int) -> dict[str, tuple]:
    """Rows of one metric, attribution and denominator on one day; `unattributed` is XX in or out of the denominator."""
    downloads = counted.downloads
    total = sum(downloads.values())
    whole = total + unattributed - downloads.get(NOT_ATTRIBUTED, 0)
    without_top, without_outliers = sum(counted.without_top.values()), sum(counted.without_outliers.values())
    levels = sorted((value for code, value in downloads.items() if code in iso_codes), reverse=True)
    rows = {}
    for code, value in downloads.items():
        bounded = code != NOT_ATTRIBUTED
        rows[code] = (
            value,
            total,
            ratio(value, total),
            levels.index(value) + 1 if code in iso_codes else None,
            ratio(value, whole) if bounded else None,
            ratio(value + unattributed, whole) if bounded else None,
            ratio(counted.without_top.get(code, 0), without_top),
            ratio(counted.without_outliers.get(code, 0), without_outliers),
            None if counted.correction is None else counted.correction[code],
            days_estimated,
            counted.models.get(code, 0),
        )
    return rows


class Shares:
    """Countries' and organisations' tables over the observations of a landing."""

    def __init__(self, seen: Observations):
        self.seen = seen
        self.iso = seen.seeds.iso_codes
        self.days = seen.days
        self.frame = seen.frame
        self.codes = sorted({code for a in ATTRIBUTIONS for code in self.frame[f"{a}_country"]})
        code_index = {code: index for index, code in enumerate(self.codes)}
        self.country = {a: self.frame[f"{a}_country"].map(code_index).to_numpy() for a in ATTRIBUTIONS}
        self.is_iso = np.array([code in self.iso for code in self.codes])
        self._models: dict[tuple, dict[str, int]] = {}
        self.bounds = np.searchsorted(self.frame["day"].to_numpy(), np.arange(len(self.days.captured) + 1))

    # What a denominator counts

    def inside(self, attribution: str, denominator: str, sights: np.ndarray | slice) -> np.ndarray:
        country = self.country[attribution][sights]
        if denominator == "organizations":
            return ~self.frame[f"{attribution}_is_person"].to_numpy()[sights]
        if denominator == "located":
            return self.is_iso[country]
        return np.ones(len(country), dtype=bool)

    def sums_by_code(self, country: np.ndarray, values: np.ndarray) -> np.ndarray:
        sums = np.zeros(len(self.codes), dtype=np.int64)
        np.add.at(sums, country, values)
        return sums

    def _named(self, sums: np.ndarray, exists: np.ndarray) -> dict[str, int]:
        return {self.codes[index]: int(sums[index]) for index in np.flatnonzero(exists)}

    # Metrics of one snapshot

    def has_counter(self, position: int, counter: str) -> bool:
        part = slice(self.bounds[position], self.bounds[position + 1])
        return bool((self.frame[counter].to_numpy()[part] != NULL).any())

    def counted_sights(self, position: int, metric: str) -> np.ndarray:
        """Rows of `frame` that a metric of one snapshot counts on a captured day."""
        _, counter, only_new = SNAPSHOT_METRICS[metric]
        sights = np.arange(self.bounds[position], self.bounds[position + 1])
        if not self.has_counter(position, counter):
            return sights[:0]
        return sights[self.frame["is_new"].to_numpy()[sights]] if only_new else sights

    def values(self, metric: str, sights: np.ndarray) -> np.ndarray:
        return np.maximum(self.frame[SNAPSHOT_METRICS[metric][1]].to_numpy()[sights], 0)

    def snapshot_outliers(self, metric: str, sights: np.ndarray) -> np.ndarray:
        values, likes = self.values(metric, sights), self.frame["likes"].to_numpy()[sights]
        by_rule = (values >= OUTLIER_DOWNLOADS) & (likes * 1_000_000 < OUTLIER_LIKES_PER_MILLION * values)
        return by_rule | self.frame["is_seeded_outlier"].to_numpy()[sights]

    def _snapshot_shares(self) -> Iterator[tuple[tuple, tuple]]:
        for position, day in enumerate(self.days.captured):
            for metric, (window_days, _, _) in SNAPSHOT_METRICS.items():
                sights = self.counted_sights(position, metric)
                if len(sights) == 0:
                    continue
                values, outliers = self.values(metric, sights), self.snapshot_outliers(metric, sights)
                for attribution in ATTRIBUTIONS:
                    country = self.country[attribution][sights]
                    unattributed = int(values[country == self.code(NOT_ATTRIBUTED)].sum())
                    for denominator in DENOMINATORS:
                        inside = self.inside(attribution, denominator, sights)
                        if not inside.any():
                            continue
                        counted = self._count_snapshot(country[inside], values[inside], outliers[inside])
                        key = (day, metric, window_days, attribution, denominator)
                        for code, row in share_rows(counted, unattributed, self.iso, 0).items():
                            yield (*key, code), row

    def code(self, code: str) -> int:
        return self.codes.index(code) if code in self.codes else -1

    def _count_snapshot(self, country: np.ndarray, values: np.ndarray, outliers: np.ndarray) -> Counted:
        models = self.sums_by_code(country, np.ones(len(country), dtype=np.int64))
        downloads = self.sums_by_code(country, values)
        top = int(values.argmax())  # of several equally large ones the one with the smallest `_id`
        without_top = downloads.copy()
        without_top[country[top]] -= values[top]
        without_outliers = downloads - self.sums_by_code(country[outliers], values[outliers])
        exists = models > 0
        return Counted(*(self._named(sums, exists) for sums in (downloads, models, without_top, without_outliers)))

    # Windows

    @cached_property
    def daily(self) -> list[DailyRow]:
        return daily_rows(self.seen)

    @cached_property
    def flows(self) -> "Flows":
        return Flows(self)

    def window_days(self, window: int) -> list[date]:
        """Days on which the history covers a whole window: all its days lie after the first captured day."""
        start = self.days.first + timedelta(days=window)
        return self.days.calendar(start, self.days.last) if start <= self.days.last else []

    @cached_property
    def still_before(self) -> list[int]:
        """Number of days that didn't move, by days since the first, up to but without each day."""
        moving, counts = set(self.days.moving), [0]
        for day in self.days.calendar(self.days.first, self.days.last):
            counts.append(counts[-1] + (day not in moving))
        return counts

    def position_at(self, offset: int) -> int:
        """The captured day, by position, that attributes a day."""
        return self.seen.position[self.days.observed_on(self.days.first + timedelta(days=offset))]

    @cached_property
    def likes_when_large(self) -> np.ndarray:
        """Likes on the last captured day up to each that listed it with a million all-time downloads; else `NULL`."""
        likes = np.full(self.seen.shape, NULL, dtype=np.int64)
        large = self.frame["downloads_all_time"].to_numpy() >= OUTLIER_DOWNLOADS
        rows = self.frame[large]
        likes[rows["day"].to_numpy(), rows["repo"].to_numpy()] = rows["likes"].to_numpy()
        return _carried_forward(likes)

    @cached_property
    def seeded_outlier(self) -> np.ndarray:
        """Whether the last captured day up to each that listed a repository names it as a reviewed outlier."""
        seeded = np.full(self.seen.shape, NULL, dtype=np.int64)
        seeded[self.frame["day"].to_numpy(), self.frame["repo"].to_numpy()] = self.frame["is_seeded_outlier"].to_numpy()
        return _carried_forward(seeded) == 1

    def models_listed(self, position: int, attribution: str, denominator: str, only_new: bool) -> dict[str, int]:
        """Number of repositories that a captured day lists, by country code."""
        key = (position, attribution, denominator, only_new)
        if key not in self._models:
            sights = np.arange(self.bounds[position], self.bounds[position + 1])
            if only_new:
                sights = sights[self.frame["is_new"].to_numpy()[sights]]
            inside = sights[self.inside(attribution, denominator, sights)]
            models = self.sums_by_code(self.country[attribution][inside], np.ones(len(inside), dtype=np.int64))
            self._models[key] = self._named(models, models > 0)
        return self._models[key]

    def _window_shares(self) -> Iterator[tuple[tuple, tuple]]:
        for attribution in ATTRIBUTIONS:
            for metric, (only_new, windows) in WINDOW_METRICS.items():
                sums = WindowSums(self, attribution, only_new)
                for window in windows:
                    for day in self.window_days(window):
                        offset = (day - self.days.first).days
                        estimated = self.still_before[offset + 1] - self.still_before[offset + 1 - window]
                        unattributed = sums.unattributed(offset, window)
                        for denominator in DENOMINATORS:
                            counted = sums.counted(offset, window, denominator)
                            key = (day, metric, window, attribution, denominator)
                            for code, row in share_rows(counted, unattributed, self.iso, estimated).items():
                                yield (*key, code), row

    @cached_property
    def country_share(self) -> dict[tuple, tuple]:
        return dict(self._snapshot_shares()) | dict(self._window_shares())

    # fct_daily_country_downloads

    def country_downloads(self) -> dict[tuple, tuple]:
        sums: dict[tuple, list] = defaultdict(lambda: [0, 0, set()])
        flows = self.flows
        for attribution in ATTRIBUTIONS:
            countries = self.frame[f"{attribution}_country"].to_numpy()[flows.sight]
            types = self.frame[f"{attribution}_account_type"].to_numpy()[flows.sight]
            for row, country, account_type, is_new in zip(flows.rows, countries, types, flows.is_new, strict=True):
                group = sums[row.day, attribution, country, account_type, bool(is_new)]
                group[0] += row.downloads
                group[1] += row.downloads if flows.is_correction(row) else 0
                group[2].add(row.repo)
        return {key: (downloads, correction, len(repos)) for key, (downloads, correction, repos) in sums.items()}

    # mart_daily_organization_share

    def organization_share(self) -> dict[tuple, tuple]:
        return dict(self._snapshot_organizations()) | dict(self._window_organizations())

    def organization_names(self, attribution: str) -> list[tuple[str, str]]:
        """Country and organisation of each sight; who isn't named is `(other)`."""
        return [
            (country, OTHER if is_person or country == NOT_ATTRIBUTED or organization is None else organization)
            for country, organization, is_person in zip(
                self.frame[f"{attribution}_country"],
                self.frame[f"{attribution}_organization"],
                self.frame[f"{attribution}_is_person"],
                strict=True,
            )
        ]

    def _snapshot_organizations(self) -> Iterator[tuple[tuple, tuple]]:
        for attribution in ATTRIBUTIONS:
            names = self.organization_names(attribution)
            for position, day in enumerate(self.days.captured):
                for metric, (window_days, _, _) in SNAPSHOT_METRICS.items():
                    sums: dict[tuple[str, str], int] = defaultdict(int)
                    sights = self.counted_sights(position, metric)
                    for sight, value in zip(sights, self.values(metric, sights), strict=True):
                        sums[names[sight]] += int(value)
                    for group, row in organization_rows(sums).items():
                        yield (day, metric, window_days, attribution, *group), row

    def _window_organizations(self) -> Iterator[tuple[tuple, tuple]]:
        flows = self.flows
        for attribution in ATTRIBUTIONS:
            names = self.organization_names(attribution)
            groups = sorted({names[sight] for sight in flows.sight})
            index = {group: position for position, group in enumerate(groups)}
            group_of = np.array([index[names[sight]] for sight in flows.sight], dtype=np.int64)
            for metric, (only_new, windows) in WINDOW_METRICS.items():
                chosen = flows.is_new if only_new else np.ones(len(group_of), dtype=bool)
                sums = Cumulated(flows.length, len(groups))
                sums.add(flows.offset[chosen], group_of[chosen], flows.downloads[chosen])
                for window in windows:
                    for day in self.window_days(window):
                        downloads, rows = sums.over((day - self.days.first).days, window)
                        found = {groups[place]: int(downloads[place]) for place in np.flatnonzero(rows)}
                        for group, row in organization_rows(found).items():
                            yield (day, metric, window, attribution, *group), row

    # mart_country_crossovers

    def crossovers(self) -> dict[tuple, tuple]:
        by_series: dict[tuple, dict[date, dict[str, tuple]]] = defaultdict(lambda: defaultdict(dict))
        for (day, metric, window, attribution, denominator, code), row in self.country_share.items():
            if denominator == "all" and self.days.events.get(day) == "none":
                by_series[metric, window, attribution][day][code] = row
        found = {}
        for series, by_day in by_series.items():
            for (crossed_on, leader, passed), values in crossovers(by_day, self.iso).items():
                found[crossed_on, *series, leader, passed] = values
        return found


def _carried_forward(matrix: np.ndarray) -> np.ndarray:
    """Each column's last value that isn't `NULL`, from row to row."""
    carried = matrix.copy()
    for row in range(1, len(carried)):
        carried[row] = np.where(carried[row] == NULL, carried[row - 1], carried[row])
    return carried


class Cumulated:
    """Sums and numbers of rows over any window of days, by group."""

    def __init__(self, days: int, groups: int):
        self.sums = np.zeros((days + 1, groups), dtype=np.int64)
        self.rows = np.zeros((days + 1, groups), dtype=np.int64)

    def add(self, offsets: np.ndarray, groups: np.ndarray, values: np.ndarray) -> None:
        """Add all rows; then the sums are cumulated, and no more can be added."""
        np.add.at(self.sums, (offsets + 1, groups), values)
        np.add.at(self.rows, (offsets + 1, groups), 1)
        self.sums, self.rows = self.sums.cumsum(axis=0), self.rows.cumsum(axis=0)

    def over(self, offset: int, window: int) -> tuple[np.ndarray, np.ndarray]:
        """Sums and numbers of rows on the `window` days that end on the day `offset` days after the first."""
        end, start = offset + 1, offset + 1 - window
        return self.sums[end] - self.sums[start], self.rows[end] - self.rows[start]


class Flows:
    """The daily rows that tell downloads, each with the sight that attributes it."""

    def __init__(self, shares: Shares):
        seen, days = shares.seen, shares.days
        self.rows = [row for row in shares.daily if row.downloads is not None]
        self.length = (days.last - days.first).days + 1
        self.offset = np.array([(row.day - days.first).days for row in self.rows], dtype=np.int64)
        self.repo = np.array([row.repo for row in self.rows], dtype=np.int64)
        self.downloads = np.array([row.downloads for row in self.rows], dtype=np.int64)
        self._events = days.events
        self.correction = np.array(
            [row.downloads if self.is_correction(row) else 0 for row in self.rows], dtype=np.int64
        )
        observed = np.array([seen.position[days.observed_on(row.day)] for row in self.rows], dtype=np.int64)
        self.sight = seen.sight[observed, self.repo]
        assert (self.sight >= 0).all(), "a daily row of a repository that the day it is attributed by doesn't list"
        listed = [
            days.listings[days.observed_on(row.day)][seen.repo_ids[row.repo]].is_new(row.day) for row in self.rows
        ]
        self.is_new = np.array(listed, dtype=bool)

    def is_correction(self, row: DailyRow) -> bool:
        return row.downloads < 0 or self._events[row.moved_on] == "recounted"


class WindowSums:
    """Everything that the shares of one attribution and population need, cumulated by day."""

    def __init__(self, shares: Shares, attribution: str, only_new: bool):
        self.shares, self.attribution, self.only_new = shares, attribution, only_new
        flows = shares.flows
        chosen = np.flatnonzero(flows.is_new) if only_new else np.arange(len(flows.rows))
        # By repository, then day: the rows of one repository are a slice.
        chosen = chosen[np.lexsort((flows.offset[chosen], flows.repo[chosen]))]
        self.offset, self.repo = flows.offset[chosen], flows.repo[chosen]
        self.downloads = flows.downloads[chosen]
        self.country = shares.country[attribution][flows.sight[chosen]]
        repositories = len(shares.seen.repo_ids)
        self.starts = np.searchsorted(self.repo, np.arange(repositories + 1))
        self.inside = {d: shares.inside(attribution, d, flows.sight[chosen]) for d in DENOMINATORS}
        self.by_country: dict[str, Cumulated] = {}
        self.corrections: dict[str, Cumulated] = {}
        self.by_repo: dict[str, Cumulated] = {}
        for denominator, inside in self.inside.items():
            for table, groups, count, values in (
                (self.by_country, self.country, len(shares.codes), self.downloads),
                (self.corrections, self.country, len(shares.codes), flows.correction[chosen]),
                (self.by_repo, self.repo, repositories, self.downloads),
            ):
                table[denominator] = Cumulated(flows.length, count)
                table[denominator].add(self.offset[inside], groups[inside], values[inside])

    def unattributed(self, offset: int, window: int) -> int:
        place = self.shares.code(NOT_ATTRIBUTED)
        return int(self.by_country["all"].over(offset, window)[0][place]) if place >= 0 else 0

    def counted(self, offset: int, window: int, denominator: str) -> Counted:
        downloads, rows = self.by_country[denominator].over(offset, window)
        correction, _ = self.corrections[denominator].over(offset, window)
        exists = rows > 0
        by_repo, _ = self.by_repo[denominator].over(offset, window)
        top = int(by_repo.argmax())  # of several equally large ones the one with the smallest `_id`
        without_top = downloads - self._of([top] if by_repo[top] > 0 else [], offset, window, denominator)
        without_outliers = downloads - self._of(self._outliers(offset, window), offset, window, denominator)
        named = self.shares._named
        return Counted(
            named(downloads, exists),
            self._models(offset, denominator),
            named(without_top, exists),
            named(without_outliers, exists),
            named(correction, exists),
        )

    def _of(self, repos: list[int], offset: int, window: int, denominator: str) -> np.ndarray:
        """Sums by country of some repositories' rows in the window that the denominator counts."""
        sums = np.zeros(len(self.shares.codes), dtype=np.int64)
        for repo in repos:
            part = slice(self.starts[repo], self.starts[repo + 1])
            within = (self.offset[part] > offset - window) & (self.offset[part] <= offset)
            within &= self.inside[denominator][part]
            np.add.at(sums, self.country[part][within], self.downloads[part][within])
        return sums

    def _outliers(self, offset: int, window: int) -> list[int]:
        """Repositories that are one by the window's own sum, or that a reviewed seed row names."""
        sums, rows = self.by_repo["all"].over(offset, window)
        position = self.shares.position_at(offset)
        likes, seeded = self.shares.likes_when_large[position], self.shares.seeded_outlier[position]
        large = np.flatnonzero(sums >= OUTLIER_DOWNLOADS)
        by_rule = [int(repo) for repo in large if likes[repo] != NULL and is_outlier(int(sums[repo]), int(likes[repo]))]
        return sorted({*by_rule, *np.flatnonzero(seeded & (rows > 0)).tolist()})

    def _models(self, offset: int, denominator: str) -> dict[str, int]:
        return self.shares.models_listed(self.shares.position_at(offset), self.attribution, denominator, self.only_new)


def organization_rows(sums: dict[tuple[str, str], int]) -> dict[tuple[str, str], tuple]:
    """Country and organisation → downloads, share of country, share of total; small ones are `(other)`."""
    total = sum(sums.values())
    floor = ORGANIZATION_FLOOR * total
    folded: dict[tuple[str, str], int] = defaultdict(int)
    countries: dict[str, int] = defaultdict(int)
    for (country, organization), downloads in sums.items():
        folded[country, OTHER if downloads < floor else organization] += downloads
        countries[country] += downloads
    return {
        group: (downloads, ratio(downloads, countries[group[0]]), ratio(downloads, total))
        for group, downloads in folded.items()
    }


def crossovers(by_day: dict[date, dict[str, tuple]], iso_codes: frozenset[str]) -> dict[tuple, tuple]:
    """(crossover_date, leader, passed) → confirmed_date, margin, is_first; `by_day` holds rows of `share_rows` of the
    days that count."""
    days = sorted(by_day)
    top = [
        {code: row for code, row in by_day[day].items() if code in iso_codes and row[3] <= TOP_RANKS} for day in days
    ]
    codes = sorted({code for ranked in top for code in ranked})
    found = {}
    for number, one in enumerate(codes):
        for other in codes[number + 1 :]:
            leaders = [_leader(ranked, one, other) for ranked in top]
            found |= _changes(leaders, days, top, one, other)
    return found


def _leader(ranked: dict[str, tuple], one: str, other: str) -> str | None:
    if one not in ranked or other not in ranked or ranked[one][0] == ranked[other][0]:
        return None
    return one if ranked[one][0] > ranked[other][0] else other


def _changes(leaders: list[str | None], days: list[date], top: list[dict], one: str, other: str) -> dict[tuple, tuple]:
    found: dict[tuple, tuple] = {}
    established, start = None, 0
    for position, leader in enumerate(leaders):
        if position == 0 or leader != leaders[position - 1]:
            start = position
        if leader is None or position - start + 1 != CONFIRMED_AFTER or leader == established:
            continue
        if established is not None:
            passed = other if leader == one else one
            margin = top[position][leader][2] - top[position][passed][2]
            found[days[start], leader, passed] = (days[position], margin, not found)
        established = leader
    return found
