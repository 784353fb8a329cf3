"""Every public table with its key, and what we promise about a candidate before it is swapped in.
What the tables must add up to was judged before, in marts.py; the subjects' SQL is in ../subjects/."""

from __future__ import annotations

from orchestration.quality.promises import FOUNDED_HISTORY, Suite, never, one_of, within

# Every public table, with its key: the contract's promise to analysts.
PUBLISHED_TABLES: dict[str, tuple[str, ...]] = {
    "dim_snapshots": ("snapshot_date",),
    "dim_countries": ("country_code",),
    "dim_events": ("event_id",),
    "dim_organizations": ("namespace", "valid_from"),
    "dim_models": ("repo_id",),
    "dim_model_history": ("repo_id", "valid_from"),
    "bridge_model_parents": ("repo_id", "parent_model_id"),
    "fct_daily_model_downloads": ("snapshot_date", "repo_id"),
    "mart_relative_adoption": ("repo_id", "milestone_days"),
    "fct_daily_country_downloads": ("snapshot_date", "attribution", "country_code", "account_type", "is_new"),
    "mart_country_crossovers": (
        "crossover_date",
        "metric",
        "window_days",
        "attribution",
        "leader_country_code",
        "passed_country_code",
    ),
    "mart_daily_country_share": (
        "snapshot_date",
        "metric",
        "window_days",
        "attribution",
        "denominator",
        "country_code",
    ),
    "mart_daily_organization_share": (
        "snapshot_date",
        "metric",
        "window_days",
        "attribution",
        "country_code",
        "organization",
    ),
    "mart_daily_modality_share": ("snapshot_date", "metric", "attribution", "country_code", "modality"),
    "mart_daily_openness": ("snapshot_date", "metric", "attribution", "country_code", "openness", "gated"),
    "mart_daily_size_share": ("snapshot_date", "metric", "attribution", "country_code", "size_class"),
    "mart_daily_technique_share": ("snapshot_date", "metric", "attribution", "country_code", "technique"),
    "mart_daily_family_share": ("snapshot_date", "metric", "attribution", "organization", "family"),
    "mart_daily_concentration": ("snapshot_date", "metric", "attribution", "scope", "entity"),
    "mart_daily_lineage": ("snapshot_date", "metric", "root_organization", "origin_country", "relation"),
    "mart_monthly_independent_players": ("month", "country_code", "threshold"),
    "mart_attribution_coverage": ("snapshot_date", "attribution", "basis"),
    "mart_attribution_queue": ("namespace",),
    "mart_attribution_sensitivity": ("snapshot_date", "variant", "country_code"),
    "mart_headline_claims": ("claim_id", "part", "snapshot_date"),
    "fct_releases": ("release_id",),
    "mart_weekly_release_frequency": ("week_start", "organization"),
    "mart_release_cadence": ("snapshot_date", "level", "organization", "country_code"),
    "fct_quality_results": ("evaluation_id",),
    "mart_daily_quality_score": ("snapshot_date", "step"),
    "mart_promise_history": ("step", "table_name", "check_name"),
    "fct_alerts": ("alert_id",),
    "mart_restatements": ("published_version", "table_name", "row_key"),
}

# What a version holds beside them, made when it is put together: no table of the warehouse.
MADE_AT_PUBLICATION: dict[str, tuple[str, ...]] = {
    "examples": ("name",),
    "fct_daily_model_downloads_all_days": ("snapshot_date", "repo_id"),
}

PUBLISHED_DATABASE = Suite(
    name="published_database",
    step="published",
    table="database",
    promises=(
        never(
            "public_tables_are_present",
            "is_promised and not is_present",
            show="table_name",
            because="analysts' queries name them",
        ),
        never(
            "tables_can_be_read_under_lock_down",
            "is_present and unreadable_because is not null",
            show="table_name, unreadable_because",
            because="analysts may open it read-only without file, network or extension access",
        ),
        never(
            "row_counts_equal_the_warehouse",
            "is_of_the_warehouse and is_present and unreadable_because is null and rows is distinct from warehouse_rows",
            show="table_name, rows, warehouse_rows",
            because="what was judged in the warehouse is what is published",
        ),
        never(
            "columns_equal_the_warehouse",
            "is_of_the_warehouse and is_promised and is_present and columns is distinct from warehouse_columns",
            show="table_name, columns, warehouse_columns",
            since=FOUNDED_HISTORY,
            because="dbt's contract holds the warehouse's names and types: analysts' queries rest on the same ones",
        ),
        never(
            "keys_are_unique",
            "repeated_keys > 0",
            show="table_name, key_columns, repeated_keys",
            because="joins on the contract's keys must not multiply rows",
        ),
        never(
            "views_name_no_absolute_path",
            "len(paths_in_view) > 0",
            show="table_name, paths_in_view",
            because="a copied file must work elsewhere; only the published versions' own folder is known to stay",
        ),
    ),
)

PUBLISHED_DAYS = Suite(
    name="published_days",
    step="published",
    table="days",
    promises=(
        one_of("day_is_complete", "max(status)", ("complete",), because="the version says that it holds the day"),
        *(
            within(
                f"{name}_has_the_day",
                f"(select count(*) from {cte})",
                1,
                None,
                evaluated=f"(select count(*) from {cte})",
                because="a version that lacks a day's facts looks like a day without downloads",
            )
            for name, cte in (
                ("country_share", "headline"),
                ("organization_share", "organizations"),
                ("attribution_coverage", "coverage"),
                ("headline_claims", "claims"),
            )
        ),
        within(
            "newest_day_is_fresh",
            "max(hours_since_capture)",
            None,
            36,
            since=FOUNDED_HISTORY,
            severity="watch",
            null_means="not the newest day of the version, simulated, or from an archive",
            because="a day is published within hours of its capture; a day and a half later somebody has let it lie, and "
            "readers take an old day for today",
        ),
    ),
)

PUBLISHED_CHECKS = Suite(
    name="published_checks",
    step="published",
    table="checks",
    promises=(
        never(
            "every_check_ran",
            "evaluations = 0",
            show="step, table_name, check_name",
            since=FOUNDED_HISTORY,
            because="a check that nobody made fails nothing: each promise of the steps before has a verdict on the day",
        ),
    ),
)
