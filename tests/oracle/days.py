"""Landed days as they were observed, and what kind of day each was: missing, moving, stalled, recounted.
Reading Parquet and judging days belongs here; what repositories or accounts mean does not."""

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq

FLOOR_DATE = date(2022, 3, 2)
FLOOR_TIMES = (time(23, 29, 4), time(23, 29, 5))
NEW_BELOW_DAYS = 365
TRACKED_DOWNLOADS = 1_000
STALLED_SHARE = Fraction(95, 100)
RECOUNT_DIFFERENCE = Fraction(2, 100)
RECOUNT_DEVIATIONS = 6
BASELINE_DAYS = 28
JUDGED_DAYS_APART = 7
NO_NAMESPACE = "(none)"
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """One repository as one day listed it. `created_at` is UTC without a zone."""

    repo_id: str
    model_id: str
    namespace: str
    created_at: datetime | None
    downloads_30d: int | None
    downloads_all_time: int | None
    likes: int
    gated: str | None
    is_disabled: bool | None
    pipeline_tag: str | None
    library_name: str | None
    tags: tuple[str, ...]
    safetensors_total: int | None
    base_relation: str | None
    base_models: tuple[tuple[str, str | None], ...]  # model id, `_id`

    @property
    def is_created_at_floor(self) -> bool:
        created = self.created_at
        return bool(created and created.date() == FLOOR_DATE and created.time().replace(microsecond=0) in FLOOR_TIMES)

    def age_days(self, day: date) -> int | None:
        return None if self.created_at is None else max((day - self.created_at.date()).days, 0)

    def is_new(self, day: date) -> bool:
        age = self.age_days(day)
        return age is not None and age < NEW_BELOW_DAYS and not self.is_created_at_floor


@dataclass(frozen=True)
class Comparison:
    """How the tracked counters of a day moved since the captured day before."""

    unchanged_share: Fraction | None = None
    median_relative_change: Fraction | None = None  # per day


def _plain(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=None)


def _columns(path: Path, names: Iterable[str]) -> list[list]:
    table = pq.read_table(path, columns=list(names), partitioning=None)
    return [table.column(name).to_pylist() for name in names]


def _read_listing(folder: Path) -> dict[str, Listed]:
    names = (
        "_id", "id", "author", "createdAt", "downloads", "downloadsAllTime", "likes", "gated", "disabled", "private",
        "pipeline_tag", "library_name", "tags", "safetensors_total", "baseModels",
    )  # fmt: skip
    listing = {}
    for path in sorted(folder.glob("*.parquet")):
        for (
            repo_id, model_id, author, created, month, total, likes, gated, disabled, private, task, library, tags,
            parameters, base,
        ) in zip(*_columns(path, names), strict=True):  # fmt: skip
            if private:
                continue
            namespace = author or (model_id.split("/")[0] if "/" in model_id else NO_NAMESPACE)
            base = base or {}
            parents = tuple((parent["id"], parent["_id"]) for parent in base.get("models") or ())
            listing[repo_id] = Listed(
                repo_id, model_id, namespace, _plain(created), month, total, likes or 0, gated, disabled, task, library,
                tuple(tags or ()), parameters, base.get("relation"), parents,
            )  # fmt: skip
    return listing


def _read_accounts(folder: Path) -> dict[str, str]:
    """Namespace in lower case → account type, of the accounts that were looked up."""
    known = {}
    for path in sorted(folder.glob("*.parquet")):
        for namespace, account_type in zip(*_columns(path, ("namespace", "account_type")), strict=True):
            if account_type:
                known[namespace.lower()] = account_type
    return known


def _folders(landing: Path, table: str) -> dict[date, Path]:
    return {
        date.fromisoformat(folder.name.removeprefix("snapshot_date=")): folder
        for folder in sorted((landing / table).glob("snapshot_date=*"))
    }


class Days:
    """All days of a landing. A *captured* day is one with a complete capture; all others up to the last are missing."""

    def __init__(self, landing: Path):
        self.captures = {
            day: pq.read_table(next(iter(sorted(folder.glob("*.parquet")))), partitioning=None).to_pylist()[0]
            for day, folder in _folders(landing, "captures").items()
        }
        self.captured = [day for day, capture in self.captures.items() if capture["status"] == "complete"]
        models, accounts = _folders(landing, "models"), _folders(landing, "accounts")
        self.listings = {day: _read_listing(models[day]) for day in self.captured}
        self.accounts = {day: _read_accounts(accounts[day]) if day in accounts else {} for day in self.captured}
        self.comparisons: dict[date, Comparison] = {}
        self.events: dict[date, str] = {}
        self.moving: list[date] = []
        self._judge()

    @property
    def first(self) -> date:
        return self.captured[0]

    @property
    def last(self) -> date:
        return self.captured[-1]

    def calendar(self, start: date, end: date) -> list[date]:
        return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]

    def previous(self, day: date) -> date | None:
        """The captured day just before a day."""
        position = bisect.bisect_left(self.captured, day)
        return self.captured[position - 1] if position else None

    def observed_on(self, day: date) -> date | None:
        """The day itself if it was captured, else the last captured day before it."""
        return self.previous(day + ONE_DAY)

    def base(self, day: date) -> date | None:
        """The last moving day before a day."""
        position = bisect.bisect_left(self.moving, day)
        return self.moving[position - 1] if position else None

    def _judge(self) -> None:
        """In order of time, as a day's gap since the last move and its baseline depend on the days before it."""
        baseline: list[Fraction] = []
        for day in self.captured:
            previous, since = self.previous(day), self.base(day)
            same_counters = previous is not None and self._counters_date(previous) == self._counters_date(day)
            compared = Comparison() if previous is None or same_counters else self._compare(previous, day, since)
            self.comparisons[day] = compared
            event = "none"
            if compared.unchanged_share is not None and compared.unchanged_share >= STALLED_SHARE:
                event = "stalled"
            elif compared.median_relative_change is not None and (day - since).days <= JUDGED_DAYS_APART:
                if _is_recount(compared.median_relative_change, baseline):
                    event = "recounted"
                else:
                    baseline = [*baseline, compared.median_relative_change][-BASELINE_DAYS:]
            self.events[day] = event
            has_counters = any(row.downloads_all_time is not None for row in self.listings[day].values())
            if event != "stalled" and not same_counters and has_counters:
                self.moving.append(day)

    def _counters_date(self, day: date) -> date | None:
        return self.captures[day]["counters_date"]

    def _compare(self, previous: date, day: date, since: date | None) -> Comparison:
        unchanged, changes = 0, []
        listed = self.listings[day]
        for repo_id, row in self.listings[previous].items():
            before = row.downloads_all_time
            if before is None or before < TRACKED_DOWNLOADS or repo_id not in listed:
                continue
            now = listed[repo_id].downloads_all_time
            if now is None:
                continue
            unchanged += now == before
            changes.append(Fraction(now - before, before))
        if not changes:
            return Comparison()
        return Comparison(Fraction(unchanged, len(changes)), median(changes) / (day - since).days)


def _is_recount(change: Fraction, baseline: list[Fraction]) -> bool:
    if not baseline:
        return False
    middle = median(baseline)
    deviation = median([abs(earlier - middle) for earlier in baseline])
    return abs(change - middle) > max(RECOUNT_DIFFERENCE, RECOUNT_DEVIATIONS * deviation)
