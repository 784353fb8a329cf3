"""Reported figures beside ours: the two that started the project, for each definition that the archived days allow.
Landing and publishing those days is the daily job's; here is what was reported, the comparison, and why it differs."""

from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.landing.folders import DayFolder, landed_days
from orchestration.publishing.query import open_current
from orchestration.settings import Settings

# From a report's end: after a month new models are other ones, and shares of theirs have moved on (set 2026-11-24).
FARTHEST_DAYS = 31
COUNTERS_PUBLIC_SINCE = date(2025, 2, 27)  # the all-time counter, by the archive's own history


@dataclass(frozen=True)
class Report:
    """A figure that was reported: shares in percent of China and the United States, for a period that ends on a day."""

    name: str
    ends_on: date
    begins_on: date
    china: float
    united_states: float
    said_of: str


REPORTS = (
    Report(
        name="Economies of Open Intelligence (arXiv 2512.03073), as the press told it",
        begins_on=date(2024, 9, 1),
        ends_on=date(2025, 8, 31),
        china=17.1,
        united_states=15.8,
        said_of="downloads of new models in the year to August 2025: our new_rolling/365, uploader, all",
    ),
    Report(
        name="Hub report, spring 2026",
        begins_on=date(2025, 3, 1),
        ends_on=date(2026, 2, 28),
        china=41.0,
        united_states=36.5,
        said_of="downloads, February 2025 to February 2026; which ones, and of what, isn't said: nearest is window/365",
    ),
)
# The days to land: each report's last, and the eve of a window that the counters cover.
DAYS_WANTED = (date(2025, 2, 28), *(report.ends_on for report in REPORTS))

WHY_DIFFERENT = {
    "new_created": "all-time counts of models under a year old: takes in their whole life, and no model that grew too old "
    "inside the year",
    "new_trailing_30d": "the last 30 days instead of a year, models under a year old",
    "trailing_30d": "the last 30 days instead of a year, models of any age",
    "all_time": "everything since counting began, models of any age",
    "window": "any age; the difference of two captures a year apart, by the owners on the later one; models that were gone "
    "by then are not in it",
}

SHARES = """
    select
        shares.metric,
        shares.window_days,
        shares.attribution,
        shares.denominator,
        max(case when shares.country_code = 'CN' then shares.share end) as china,
        max(case when shares.country_code = 'US' then shares.share end) as united_states,
        max(shares.total_downloads) as total_downloads
    from marts.mart_daily_country_share as shares
    where
        shares.snapshot_date = $day
        -- three captures make no sums of daily downloads; the year between two of them is worked out below
        and shares.metric in ('new_created', 'new_trailing_30d', 'trailing_30d', 'all_time')
    group by shares.metric, shares.window_days, shares.attribution, shares.denominator
    order by
        list_position(['new_created', 'new_trailing_30d', 'trailing_30d', 'all_time'], shares.metric),
        shares.attribution desc,
        shares.denominator
"""

# A year between two captures: what each repository that is still there gained; one created since, its whole counter.
WINDOW = """
    with gained as (
        select
            models.{column} as country_code,
            case
                when earlier._id is not null then later.downloadsAllTime - earlier.downloadsAllTime
                when cast(later.createdAt as date) > $begins then later.downloadsAllTime
            end as downloads
        from read_parquet($later) as later
        left join read_parquet($earlier) as earlier using (_id)
        inner join marts.dim_models as models on models.repo_id = later._id
    ),
    countries as (
        select country_code, sum(downloads) as downloads from gained where downloads is not null group by country_code
    ),
    denominators as (
        select 'all' as denominator, sum(downloads) as total from countries
        union all
        select 'located', sum(downloads) from countries
        where country_code not in ('XC', 'XI', 'XM', 'XX')
    )
    select
        denominators.denominator,
        max(case when countries.country_code = 'CN' then countries.downloads end) / denominators.total as china,
        max(case when countries.country_code = 'US' then countries.downloads end) / denominators.total as united_states,
        denominators.total
    from denominators cross join countries
    group by denominators.denominator, denominators.total
    order by denominators.denominator
"""


@dataclass(frozen=True)
class Figure:
    """One of our figures: shares 0–1, null where a country has no row."""

    metric: str
    window_days: int
    attribution: str
    denominator: str
    china: float | None
    united_states: float | None


def replication_table(settings: Settings) -> str:
    """Both reports with our figures beside them, as Markdown. Raises `NothingPublished`."""
    days = landed_days(settings.landing_dir, "models")
    lines = ["# Reported shares and ours", ""]
    with open_current(settings) as connection:
        if connection.execute("select bool_or(is_simulated) from marts.dim_snapshots").fetchone()[0]:
            lines += ["**SIMULATED: a made-up Hub. The figures of ours below are no evidence of anything.**", ""]
        for report in REPORTS:
            lines += _section(settings, connection, report, days)
    lines += [
        "Country of the developer, not of the downloader; downloads are requests, not users. Levels can't be compared "
        "across definitions: what can be is the ratio, with care.",
        "",
    ]
    return "\n".join(lines)


def _section(settings: Settings, connection: duckdb.DuckDBPyConnection, report: Report, days: list[date]) -> list[str]:
    lines = [
        f"## {report.name}",
        "",
        f"Reported: China {report.china:.1f} %, United States {report.united_states:.1f} %, ratio "
        f"{report.china / report.united_states:.2f}. {report.said_of[0].upper()}{report.said_of[1:]}.",
        "",
    ]
    day = min(days, key=lambda landed: (abs((landed - report.ends_on).days), landed), default=None)
    if day is None or abs((day - report.ends_on).days) > FARTHEST_DAYS:
        return [*lines, f"Nothing has landed within {FARTHEST_DAYS} days of its end, {report.ends_on}.", ""]
    manifest = DayFolder(settings.landing_dir, "models", day).manifest()
    lines += [
        f"Ours: {day}, {abs((day - report.ends_on).days)} day(s) from the period's end, {manifest['rows']:,} models "
        f"({manifest['source']} {manifest['source_revision'][:12]}).",
        "",
        "| metric | days | attribution | denominator | China | United States | China : US |",
        "| --- | ---: | --- | --- | ---: | ---: | ---: |",
        f"| **reported** | | | | {report.china:.1f}% | {report.united_states:.1f}% | "
        f"{report.china / report.united_states:.2f} |",
    ]
    figures = [Figure(*row[:6]) for row in connection.execute(SHARES, {"day": day}).fetchall()]
    figures += _window(settings, connection, report, day, days)
    lines += [_row(figure) for figure in figures]
    reasons = [
        f"- `{metric}`: {why}." for metric, why in WHY_DIFFERENT.items() if metric in {f.metric for f in figures}
    ]
    return [*lines, "", "Why they differ from what was reported:", "", *reasons, "", _not_to_be_had(report, days), ""]


def _window(
    settings: Settings, connection: duckdb.DuckDBPyConnection, report: Report, day: date, days: list[date]
) -> list[Figure]:
    """The year's downloads of any age, where a capture lies at both of its ends."""
    eve = _eve(report, days)
    if eve is None:
        return []
    figures = []
    with duckdb.connect() as landed:  # the published database opens no file but its own
        for attribution, column in (("uploader", "uploader_country"), ("origin", "origin_country")):
            landed.register(
                "published_models", connection.sql(f"select repo_id, {column} from marts.dim_models").arrow()
            )
            query = WINDOW.format(column=column).replace("marts.dim_models", "published_models")
            parameters = {"begins": eve, "later": _files(settings, day), "earlier": _files(settings, eve)}
            for denominator, china, united_states, _ in landed.execute(query, parameters).fetchall():
                figures.append(Figure("window", 365, attribution, denominator, china, united_states))
    return figures


def _eve(report: Report, days: list[date]) -> date | None:
    """The landed day just before the report's period, if the counters were public and one lies within a week."""
    near = [landed for landed in days if abs((landed - report.begins_on).days) <= 7 and landed >= COUNTERS_PUBLIC_SINCE]
    return min(near, key=lambda landed: (abs((landed - report.begins_on).days), landed), default=None)


def _files(settings: Settings, day: date) -> list[str]:
    return [str(path) for path in sorted(DayFolder(settings.landing_dir, "models", day).landed.glob("part-*.parquet"))]


def _row(figure: Figure) -> str:
    china, united_states = figure.china, figure.united_states
    ratio = f"{china / united_states:.2f}" if china is not None and united_states else "–"
    shares = [f"{share:.1%}" if share is not None else "–" for share in (china, united_states)]
    return (
        f"| `{figure.metric}` | {figure.window_days or 'all'} | {figure.attribution} | {figure.denominator} | {shares[0]} | "
        f"{shares[1]} | {ratio} |"
    )


def _not_to_be_had(report: Report, days: list[date]) -> str:
    """What was reported and can't be computed, and why."""
    if report.begins_on < COUNTERS_PUBLIC_SINCE:
        return (
            f"Not to be had: `new_rolling` and `window` over 365 days. The period begins on {report.begins_on}, and the "
            f"all-time counter is public since {COUNTERS_PUBLIC_SINCE} only."
        )
    missing = "" if _eve(report, days) else f" Nor is `window`: no capture lies within a week of {report.begins_on}."
    return (
        "Not to be had: `new_rolling` over 365 days, which takes a capture a day: with two, nobody knows how much of a "
        f"model's downloads came before its first birthday.{missing}"
    )
