"""Further tables of the small warehouse: what stands on pages of countries and of organisations beside their shares.
Their numbers are made up and only need to be consistent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .warehouse import Contents

BY_METRIC = "snapshot_date date not null, metric varchar not null, attribution varchar not null, "
TABLES = {
    "mart_daily_family_share": BY_METRIC
    + "organization varchar not null, family varchar not null, country_code varchar, "
    "downloads bigint, share_of_country double, share_of_total double, models bigint, derivatives bigint, "
    "new_derivatives bigint, derivative_downloads bigint",
    "mart_daily_modality_share": BY_METRIC
    + "country_code varchar not null, modality varchar not null, downloads bigint, "
    "share_of_country double, models bigint, new_models bigint",
    "mart_daily_openness": BY_METRIC
    + "country_code varchar not null, openness varchar not null, gated varchar not null, "
    "downloads bigint, share_of_country double, models bigint",
    "mart_daily_size_share": BY_METRIC
    + "country_code varchar not null, size_class varchar not null, downloads bigint, "
    "share_of_country double, models bigint",
    "mart_daily_technique_share": BY_METRIC
    + "country_code varchar not null, technique varchar not null, downloads bigint, "
    "share_of_country double, models bigint",
    "mart_daily_concentration": BY_METRIC + "scope varchar not null, entity varchar not null, hhi double, gini double, "
    "top_1_share double, top_10_share double, top_200_share double, effective_entities double",
    "mart_daily_lineage": "snapshot_date date not null, metric varchar not null, root_organization varchar not null, "
    "origin_country varchar not null, relation varchar not null, derivatives bigint, new_derivatives bigint, "
    "downloads bigint, share double, repackaged_downloads bigint, repackaged_share double",
    "fct_releases": "release_id varchar not null, organization varchar, country_code varchar, family varchar, "
    "released_at date, release_date_source varchar, variants bigint, modality varchar, largest_parameters bigint",
    "mart_weekly_release_frequency": "week_start date not null, organization varchar not null, country_code varchar, "
    "releases bigint, variants bigint, repositories bigint",
    "mart_release_cadence": "snapshot_date date not null, level varchar not null, organization varchar not null, "
    "country_code varchar not null, releases bigint, variants bigint, variants_per_release double, "
    "median_days_between_releases double, active_week_share double, repository_week_share double, cadence varchar",
    "mart_monthly_independent_players": "month date not null, country_code varchar not null, threshold bigint not null, "
    "organizations bigint, top_2_share double, is_partial_month boolean",
    "mart_relative_adoption": "repo_id varchar not null, milestone_days integer not null, downloads bigint, "
    "size_class varchar, peer_median double, relative_adoption double",
}
SPLITS = {
    "mart_daily_modality_share": ("text", "video"),
    "mart_daily_openness": ("permissive", "restricted"),
    "mart_daily_size_share": ("1-7B", "20-70B"),
    "mart_daily_technique_share": ("quantized", "distilled"),
}


def rows(contents: Contents) -> dict[str, list[tuple]]:
    """Every table's rows; those by day of the last day only."""
    day, named = contents.last_day, list(named_organizations(contents))
    return {
        **{table: split_rows(table, parts, day) for table, parts in SPLITS.items()},
        "mart_daily_family_share": [
            (day, metric, attribution, name, f"Family of {name}", country, round(1000 * part), part, part / 2, 3)
            + ((2, 1, 70) if attribution == "origin" else (None,) * 3)
            for metric in ("new_trailing_30d", "trailing_30d")
            for attribution in ("uploader", "origin")
            for country, name, part in named
        ],
        "mart_daily_concentration": [
            (day, "new_trailing_30d", "uploader", scope, entity, 0.2, 0.8, 0.4, 0.9, 1.0, 5.0)
            for scope in ("world", "CN", "US")
            for entity in ("model", "organization")
        ],
        "mart_daily_lineage": [
            (day, "trailing_30d", name, country, "quantized", 12, 5, 4321, part / 2, 210, 0.05)
            for country, name, part in named
        ],
        "fct_releases": [
            (f"r{number}", name, country, f"Family of {name}", day - timedelta(days=number), "first_sight", 3, "text", 7 * 10**9)
            for number, (country, name, _) in enumerate(named)
        ],
        "mart_weekly_release_frequency": [
            (monday(day) - timedelta(weeks=weeks), name, country, 1 + weeks % 2, 3, 4)
            for country, name, _ in named
            for weeks in (0, 3, 60)
        ],
        "mart_release_cadence": [
            *((day, "organization", name, country, 5, 9, 1.8, 30.0, 0.1, 0.2, "monthly") for country, name, _ in named),
            *((day, "country", "(all)", country, 20, 36, 1.8, 30.0, 0.1, 0.2, "monthly") for country in ("CN", "US")),
        ],
        "mart_monthly_independent_players": [
            (day.replace(day=1), country, threshold, count, 0.7, True)
            for country in ("CN", "US")
            for threshold, count in ((100_000, 9), (1_000_000, 4), (10_000_000, 1))
        ],
        "mart_relative_adoption": [("0" * 24, 7, 900, "1-7B", 300.0, 3.0), ("0" * 24, 14, 950, "1-7B", None, None)],
    }  # fmt: skip


def named_organizations(contents: Contents):
    for country, parts in contents.organizations.items():
        for name, part in parts.items():
            if name != "(other)":
                yield country, name, part


def split_rows(table: str, parts: tuple[str, ...], day: date) -> list[tuple]:
    """Two parts of each country's downloads, three quarters and one."""
    return [
        (day, metric, attribution, country, part, *(("none",) if table == "mart_daily_openness" else ()), downloads,
         downloads / 400, 4, *((1,) if table == "mart_daily_modality_share" else ()))
        for metric in ("new_trailing_30d", "trailing_30d")
        for attribution in ("uploader", "origin")
        for country in ("CN", "US", "FR", "DE", "XC", "XX")
        for part, downloads in zip(parts, (300, 100), strict=True)
    ]  # fmt: skip


def organization_row(contents: Contents, country: str, name: str, _part: float) -> tuple:
    """Why an organisation counts where it does: columns of `dim_organizations`."""
    address = contents.evidence_urls.get(name, "https://example.org/about")
    return (name, date(1900, 1, 1), None, name, country, True, name, "industry", None, "high",
            f"Headquartered there, says {name}", address, None)  # fmt: skip


def of_model(contents: Contents, number: int) -> tuple:
    """The last columns of `dim_models`: every organisation has some models."""
    names = [name for _, name, _ in named_organizations(contents)]
    name = names[number % len(names)]
    return (name, f"Family of {name}", "text", "apache-2.0", "permissive", True, number == 0)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
