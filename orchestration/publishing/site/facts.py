"""What the front page says beside its figures: the day's countries, bounds, decisions, queue, claims and checks, as sorted
plain rows with display names. Nothing is computed here that a mart defines, and nothing is drawn."""

from dataclasses import dataclass
from typing import Any

import duckdb

from orchestration.foreign_text import display_name
from orchestration.publishing.licences import data_licences
from orchestration.publishing.site.answers import Answer, Rows, ask, rows
from orchestration.publishing.site.ground import LEADERS, Ground
from orchestration.publishing.site.naming import EU, EU_NAME, country_name
from orchestration.publishing.site.topics.shares import largest_of_the_eu

ACCOUNTS_SHOWN = 10  # to locate next: what somebody could do in an evening

# Decisions about organisations that could have been others, as variants of mart_attribution_sensitivity.
DECISIONS = {
    "published": "As published",
    "confidence_medium_or_higher": "Organisations whose every account is placed with low confidence are not attributed",
    "repackagers_at_home": "Repackagers count where they are based, not as community",
    "other_country": "Other organisations with a second base count there",
    "cn_hk_mo_together": "Hong Kong and Macao count as China",
}


@dataclass(frozen=True)
class FrontFacts:
    """Shares are 0–1; countries carry `country_code` and `name`."""

    ground: Ground
    countries: Answer  # the latest day, by share; uploader's and origin's numbers side by side
    union_of_27: dict[str, Any]  # the same of the EU's members together
    queue: Rows  # the largest accounts without a country: namespace, downloads, share, models, largest_model
    sensitivity: Rows  # by decision, published first: decision, metric, shares and differences of the two, order
    claims: Rows
    checks: Rows  # by step, over all days: days, checks, failed, crashed, accepted
    sources: Rows  # as `licences.data_licences` has them

    @property
    def bounded(self) -> Rows:
        """The countries whose bounds are told: the two, the EU-27, and the EU's largest where it has any."""
        of_the_eu = largest_of_the_eu(self.countries.rows)
        return [*(self.country(code) for code in LEADERS), self.union_of_27, *([of_the_eu] if of_the_eu else [])]

    @property
    def with_the_union(self) -> Rows:
        """The countries, and the EU-27 together at its place among them."""
        union = dict.fromkeys(("share_without_top_repository", "share_without_outliers")) | self.union_of_27
        return sorted([*self.countries.rows, union], key=lambda row: -row["share"])

    def country(self, code: str) -> dict[str, Any]:
        """The latest day's row of a country; zero, if it has no downloads in the lead measure."""
        for row in self.countries.rows:
            if row["country_code"] == code:
                return row
        zero = dict.fromkeys(("share", "share_low", "share_high", "origin_share"), 0.0)
        return zero | {"country_code": code, "name": country_name(code, code), "downloads": 0, "models": 0}


def read_front(connection: duckdb.DuckDBPyConnection, ground: Ground) -> FrontFacts:
    """Read everything that the front page shows beside its figures."""
    countries = ask(connection, COUNTRIES, ground.on_day)
    named_rows = named(countries.rows)
    variants = {
        "snapshot_date": ground.snapshot_date,
        "first": LEADERS[0],
        "second": LEADERS[1],
        "variants": list(DECISIONS),
    }
    return FrontFacts(
        ground=ground,
        countries=Answer(countries.sql, countries.columns, named_rows),
        union_of_27=together(named_rows),
        queue=named_accounts(rows(connection, QUEUE, {"shown": ACCOUNTS_SHOWN})),
        sensitivity=decisions(rows(connection, SENSITIVITY, variants)),
        claims=rows(connection, CLAIMS, {"lead_metric": ground.lead.metric}),
        checks=rows(connection, CHECKS),
        sources=data_licences(connection),
    )


def together(countries: Rows) -> dict[str, Any]:
    """The EU's members as one row. Its bounds add, once, what nobody could attribute."""
    members = [row for row in countries if row["is_eu_member"]]
    sums = ("downloads", "models", "share", "share_low", "origin_share", "origin_share_low")
    row: dict[str, Any] = {name: sum(member[name] for member in members) for name in sums}
    unattributed = max((row["share_high"] - row["share_low"] for row in members), default=0.0)
    return row | {"country_code": EU, "name": EU_NAME, "share_high": row["share_low"] + unattributed}


def named(countries: Rows) -> Rows:
    return [row | {"name": country_name(row["country_code"], row["country_name"])} for row in countries]


def named_accounts(accounts: Rows) -> Rows:
    return [row | {name: display_name(row[name]) for name in ("namespace", "largest_model")} for row in accounts]


def decisions(variants: Rows) -> Rows:
    """Each variant in words, with who of the two leads in it, and whether that is another one than published."""
    published = next((leader(row) for row in variants if row["variant"] == "published"), None)
    return [
        row | {"decision": decision(row), "leader": leader(row), "is_turned_round": leader(row) != published}
        for row in variants
    ]


def decision(variant: dict[str, Any]) -> str:
    if variant["moved_organization"] is None:
        return DECISIONS.get(variant["variant"], variant["variant"])
    organization, code = display_name(variant["moved_organization"]), variant["moved_to"]
    if code == "XX":
        return f"{organization} is not attributed"
    return f"{organization} counts as {country_name(code, variant['moved_to_name'])}"


def leader(variant: dict[str, Any]) -> str | None:
    """The code of the leading one of the two; none while they are equal."""
    first, second = variant["first_downloads"], variant["second_downloads"]
    return None if first == second else LEADERS[first < second]


COUNTRIES = """
    with

    shares as (
        select *
        from marts.mart_daily_country_share
        where snapshot_date = $snapshot_date
            and metric = $metric
            and window_days = $window_days
            and denominator = 'all'
    ),

    uploader as (
        select * from shares where attribution = 'uploader'
    ),

    origin as (
        select * from shares where attribution = 'origin'
    ),

    final as (
        select
            coalesce(uploader.country_code, origin.country_code) as country_code,
            countries.country_name,
            coalesce(countries.is_eu_member, false) as is_eu_member,
            uploader.rank,
            coalesce(uploader.downloads, 0) as downloads,
            coalesce(uploader.models, 0) as models,
            coalesce(uploader.share, 0) as share,
            coalesce(uploader.share_low, 0) as share_low,
            coalesce(uploader.share_high, 0) as share_high,
            uploader.share_without_top_repository,
            uploader.share_without_outliers,
            coalesce(origin.downloads, 0) as origin_downloads,
            coalesce(origin.share, 0) as origin_share,
            coalesce(origin.share_low, 0) as origin_share_low,
            coalesce(origin.share_high, 0) as origin_share_high
        from uploader
        full join origin
            on uploader.country_code = origin.country_code
        left join marts.dim_countries as countries
            on coalesce(uploader.country_code, origin.country_code)
                = countries.country_code
    )

    select * from final
    order by share desc, origin_share desc, country_code
"""

QUEUE = """
    select namespace, downloads, share, models, largest_model, snapshot_date
    from marts.mart_attribution_queue
    order by downloads desc, namespace
    limit $shown
"""

# What moves an organisation comes after the rules, by how much it moves either of the two.
SENSITIVITY = """
    with

    leaders as (
        select
            variants.variant,
            variants.metric,
            variants.moved_organization,
            variants.moved_to,
            countries.country_name as moved_to_name,
            coalesce(max(variants.share) filter (where variants.country_code = $first), 0) as first_share,
            coalesce(max(variants.difference) filter (where variants.country_code = $first), 0) as first_difference,
            coalesce(max(variants.downloads) filter (where variants.country_code = $first), 0) as first_downloads,
            coalesce(max(variants.share) filter (where variants.country_code = $second), 0) as second_share,
            coalesce(max(variants.difference) filter (where variants.country_code = $second), 0) as second_difference,
            coalesce(max(variants.downloads) filter (where variants.country_code = $second), 0) as second_downloads
        from marts.mart_attribution_sensitivity as variants
        left join marts.dim_countries as countries
            on variants.moved_to = countries.country_code
        where variants.snapshot_date = $snapshot_date
        group by 1, 2, 3, 4, 5
    )

    select *
    from leaders
    order by
        coalesce(list_position($variants, variant), 1000),
        greatest(abs(first_difference), abs(second_difference)) desc,
        variant
"""

CLAIMS = """
    with

    numbered as (
        select
            *,
            row_number() over (
                partition by claim_id, part
                order by snapshot_date desc
            ) as place
        from marts.mart_headline_claims
    )

    select * exclude (place)
    from numbered
    where place = 1
    order by
        claim_id,
        metric <> $lead_metric,
        attribution <> 'uploader',
        part
"""

CHECKS = """
    select
        step,
        count(*) as days,
        cast(sum(promises) as bigint) as checks,
        cast(sum(promises - kept) as bigint) as failed,
        cast(sum(crashed) as bigint) as crashed,
        cast(sum(accepted) as bigint) as accepted
    from marts.mart_daily_quality_score
    group by step
    order by
        case step
            when 'raw' then 1
            when 'authors' then 2
            when 'staging' then 3
            when 'intermediate' then 4
            when 'marts' then 5
            else 6
        end,
        step
"""
