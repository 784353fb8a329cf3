"""The oracle: every public table that history gives, by name, each row keyed by the table's grain.
How the values come about is in the other modules; comparing them with a warehouse is in `comparison`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.observations import Observations
from tests.oracle.seeds import Seeds, read_seeds
from tests.oracle.shares import Shares

SHARE_COLUMNS = (
    "downloads", "total_downloads", "share", "rank", "share_low", "share_high", "share_without_top_repository",
    "share_without_outliers", "correction_downloads", "days_estimated", "models",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Rows by key; `columns` names the values of a row."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: dict[tuple, tuple]


class Oracle:
    """`oracle.table("fct_releases")` is that table, worked out from the landing by brute force."""

    def __init__(self, landing: Path, seeds: Seeds | None = None):
        self.seen = Observations(landing, seeds or read_seeds())
        self.shares = Shares(self.seen)

    def table(self, name: str) -> Table:
        key, columns, rows = TABLES[name]
        return Table(name, key, columns, rows(self))


def _snapshots(oracle: Oracle) -> dict[tuple, tuple]:
    days = oracle.seen.days
    attempted = sorted(days.captures)
    rows = {}
    for day in days.calendar(attempted[0], attempted[-1]):
        capture, compared = days.captures.get(day), days.comparisons.get(day)
        moment = capture["captured_at"].replace(tzinfo=None) if capture else None
        told = [capture[name] if capture else None for name in CAPTURE_COLUMNS]
        rows[(day,)] = (
            capture["status"] if capture else "missing",
            days.events.get(day, "none"),
            moment,
            *told,
            compared.unchanged_share if compared else None,
            compared.median_relative_change if compared else None,
        )
    return rows


def _daily_downloads(oracle: Oracle) -> dict[tuple, tuple]:
    seen = oracle.seen
    return {
        (row.day, seen.repo_ids[row.repo]): (
            row.downloads,
            row.status,
            row.days_spanned,
            None
            if row.status == "vanished"
            else seen.days.listings[seen.days.observed_on(row.day)][seen.repo_ids[row.repo]].age_days(row.day),
        )
        for row in oracle.shares.daily
    }


CAPTURE_COLUMNS = (
    "source", "source_revision", "source_license", "counters_date", "models", "downloads_all_time", "is_simulated",
    "reason",
)  # fmt: skip

# name: key, columns, how the rows come about
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Oracle], dict[tuple, tuple]]]] = {
    "dim_snapshots": (
        ("snapshot_date",),
        ("status", "platform_event", "captured_at", *CAPTURE_COLUMNS, "unchanged_share", "median_relative_change"),
        _snapshots,
    ),
    "fct_daily_model_downloads": (
        ("snapshot_date", "repo_id"),
        ("downloads", "delta_status", "days_spanned", "age_days"),
        _daily_downloads,
    ),
    "fct_daily_country_downloads": (
        ("snapshot_date", "attribution", "country_code", "account_type", "is_new"),
        ("downloads", "correction_downloads", "models"),
        lambda oracle: oracle.shares.country_downloads(),
    ),
    "mart_daily_country_share": (
        ("snapshot_date", "metric", "window_days", "attribution", "denominator", "country_code"),
        SHARE_COLUMNS,
        lambda oracle: oracle.shares.country_share,
    ),
    "mart_daily_organization_share": (
        ("snapshot_date", "metric", "window_days", "attribution", "country_code", "organization"),
        ("downloads", "share_of_country", "share_of_total"),
        lambda oracle: oracle.shares.organization_share(),
    ),
    "mart_country_crossovers": (
        ("crossover_date", "metric", "window_days", "attribution", "leader_country_code", "passed_country_code"),
        ("confirmed_date", "margin", "is_first"),
        lambda oracle: oracle.shares.crossovers(),
    ),
}
