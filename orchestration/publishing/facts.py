"""What the report says, read from a candidate's or version's database in one go: sorted plain rows, with display names.
Nothing is computed here that a mart defines, and nothing is drawn: charts and page take these rows as they are."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.foreign_text import display_name
from orchestration.publishing.errors import PublishRefused
from orchestration.publishing.licences import data_licences

# The demo leads with this metric because its counts are real there; it needs one snapshot and no history.
LEAD_METRIC = "new_trailing_30d"
LEAD_ATTRIBUTION = "uploader"
LEAD_DENOMINATOR = "all"
LEADERS = ("CN", "US")
NEIGHBOURS = 4  # countries drawn behind the two: more lines than six can't be told apart on a phone
ORGANIZATIONS_SHOWN = 8
COUNTRIES_SHOWN = 10
ACCOUNTS_SHOWN = 10  # to locate next: what somebody could do in an evening

# Codes that ISO leaves to users, in the words of the page.
SPECIAL_NAMES = {
    "XC": "Community & individuals",
    "XI": "International",
    "XM": "Mixed origin",
    "XX": "Not attributed",
}
# Names that are spoken, where the ISO list's form is longer than a chart has room for.
SHORT_NAMES = {
    "CN": "China",
    "US": "United States",
    "GB": "United Kingdom",
    "KR": "South Korea",
    "AE": "UA Emirates",
    "TW": "Taiwan",
    "RU": "Russia",
    "IR": "Iran",
    "VN": "Vietnam",
}

# Decisions about organisations that could have been others, as variants of mart_attribution_sensitivity.
DECISIONS = {
    "published": "As published",
    "confidence_medium_or_higher": "Organisations whose every account is placed with low confidence are not attributed",
    "repackagers_at_home": "Repackagers count where they are based, not as community",
    "other_country": "Other organisations with a second base count there",
    "cn_hk_mo_together": "Hong Kong and Macao count as China",
}

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class ReportFacts:
    """All rows of the report. Shares are 0–1; days are dates; countries carry `country_code` and `name`."""

    snapshot_date: date
    is_simulated: bool
    days: Rows  # snapshot_date, status, platform_event: every calendar day
    series: Rows  # snapshot_date, country_code, name, share, share_low, share_high: null where the day has no share
    countries: Rows  # the latest day, by rank; uploader's and origin's numbers side by side
    organizations: dict[str, Rows]  # by leader: organization, attribution, share_of_country, downloads
    coverage: Rows  # the latest day: attribution, basis, classed_share, located_share
    queue: Rows  # the largest accounts without a country: namespace, downloads, share, models, largest_model
    sensitivity: Rows  # by decision, published first: decision, metric, shares and differences of the two, order
    claims: Rows
    checks: Rows  # by step, over all days: days, checks, failed, crashed, accepted
    sources: Rows  # as `licences.data_licences` has them

    @property
    def bounded(self) -> Rows:
        """The countries whose bounds are drawn and told: the two, and the EU's largest where it has any."""
        of_the_eu = largest_of_the_eu(self.countries)
        return [*(self.country(code) for code in LEADERS), *([of_the_eu] if of_the_eu else [])]

    def country(self, code: str) -> dict[str, Any]:
        """The latest day's row of a country; zero, if it has no downloads in the lead metric."""
        for row in self.countries:
            if row["country_code"] == code:
                return row
        return {
            "country_code": code,
            "name": country_name(code, code),
            "share": 0.0,
            "share_low": 0.0,
            "share_high": 0.0,
            "origin_share": 0.0,
        }


def read_facts(database: Path) -> ReportFacts:
    """Read everything that the report shows. Raises `PublishRefused` where the lead metric has no row at all."""
    with duckdb.connect(str(database), read_only=True) as connection:
        lead = {"metric": LEAD_METRIC, "attribution": LEAD_ATTRIBUTION, "denominator": LEAD_DENOMINATOR}
        latest = rows(connection, LATEST_DAY, lead)[0]["snapshot_date"]
        if latest is None:
            raise PublishRefused(
                found=f"no row of {LEAD_METRIC} in marts.mart_daily_country_share",
                expected="the lead metric on one complete day at least",
                do_this="look at the landed days: without downloads of new models there is nothing to report",
            )
        on_latest = lead | {"snapshot_date": latest}
        countries = named(rows(connection, COUNTRIES, on_latest))
        shown = drawn_countries(countries)
        series = named(rows(connection, SERIES, lead | {"codes": shown}))
        organizations = {
            leader: named_organizations(
                rows(
                    connection,
                    ORGANIZATIONS,
                    {
                        "snapshot_date": latest,
                        "metric": LEAD_METRIC,
                        "country_code": leader,
                        "shown": ORGANIZATIONS_SHOWN,
                    },
                )
            )
            for leader in LEADERS
        }
        days = rows(connection, DAYS)
        return ReportFacts(
            snapshot_date=latest,
            is_simulated=any(day["is_simulated"] for day in days),
            days=days,
            series=series,
            countries=countries,
            organizations=organizations,
            coverage=rows(connection, COVERAGE, {"snapshot_date": latest}),
            queue=named_accounts(rows(connection, QUEUE, {"shown": ACCOUNTS_SHOWN})),
            sensitivity=decisions(
                rows(
                    connection,
                    SENSITIVITY,
                    {"snapshot_date": latest, "first": LEADERS[0], "second": LEADERS[1], "variants": list(DECISIONS)},
                )
            ),
            claims=rows(connection, CLAIMS, {"lead_metric": LEAD_METRIC}),
            checks=rows(connection, CHECKS),
            sources=data_licences(connection),
        )


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None) -> Rows:
    cursor = connection.execute(sql, parameters or {})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def largest_of_the_eu(countries: Rows) -> dict[str, Any] | None:
    """The member of the EU with most of the lead metric's downloads; none where no member has any."""
    members = [row for row in countries if row["is_eu_member"] and row["rank"] is not None and row["downloads"] > 0]
    return min(members, key=lambda row: (row["rank"], row["country_code"]), default=None)


def drawn_countries(countries: Rows) -> list[str]:
    """The two leaders, the next few countries by rank, the EU's largest among them, and what has no country: never
    hidden."""
    ranked = sorted((row for row in countries if row["rank"] is not None), key=lambda row: row["rank"])
    neighbours = [row["country_code"] for row in ranked if row["country_code"] not in LEADERS][:NEIGHBOURS]
    of_the_eu = largest_of_the_eu(countries)
    if of_the_eu and of_the_eu["country_code"] not in neighbours:
        neighbours[-1] = of_the_eu["country_code"]
    special = [code for code in SPECIAL_NAMES if any(row["country_code"] == code and row["share"] for row in countries)]
    return [*LEADERS, *neighbours, *special]


def country_name(code: str, name: str | None) -> str:
    return SPECIAL_NAMES.get(code) or SHORT_NAMES.get(code) or display_name(name or code)


def named(countries: Rows) -> Rows:
    return [row | {"name": country_name(row["country_code"], row["country_name"])} for row in countries]


def named_organizations(organizations: Rows) -> Rows:
    return [row | {"organization": display_name(row["organization"])} for row in organizations]


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


LATEST_DAY = """
    select max(snapshot_date) as snapshot_date
    from marts.mart_daily_country_share
    where metric = $metric
        and attribution = $attribution
        and denominator = $denominator
"""

DAYS = """
    select snapshot_date, status, platform_event, is_simulated
    from marts.dim_snapshots
    order by snapshot_date
"""

COUNTRIES = """
    with

    shares as (
        select *
        from marts.mart_daily_country_share
        where snapshot_date = $snapshot_date
            and metric = $metric
            and denominator = $denominator
    ),

    uploader as (
        select * from shares where attribution = $attribution
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

# A complete day without a row of a country is a share of zero; any other day without one is no share at all.
SERIES = """
    with

    shares as (
        select *
        from marts.mart_daily_country_share
        where metric = $metric
            and attribution = $attribution
            and denominator = $denominator
    ),

    covered_days as (
        select distinct snapshot_date from shares
    ),

    codes as (
        select unnest($codes) as country_code
    ),

    grid as (
        select
            days.snapshot_date,
            codes.country_code,
            covered_days.snapshot_date is not null as is_covered
        from marts.dim_snapshots as days
        cross join codes
        left join covered_days
            on days.snapshot_date = covered_days.snapshot_date
    ),

    final as (
        select
            grid.snapshot_date,
            grid.country_code,
            countries.country_name,
            case when grid.is_covered then coalesce(shares.share, 0) end as share,
            case when grid.is_covered then coalesce(shares.share_low, 0) end as share_low,
            case when grid.is_covered then coalesce(shares.share_high, 0) end as share_high
        from grid
        left join shares
            on grid.snapshot_date = shares.snapshot_date
            and grid.country_code = shares.country_code
        left join marts.dim_countries as countries
            on grid.country_code = countries.country_code
    )

    select * from final
    order by snapshot_date, country_code
"""

# The largest by either attribution; what is smaller joins the mart's own '(other)', so that each bar chart sums to 1.
ORGANIZATIONS = """
    with

    organizations as (
        select organization, attribution, downloads, share_of_country
        from marts.mart_daily_organization_share
        where snapshot_date = $snapshot_date
            and metric = $metric
            and country_code = $country_code
    ),

    ranked as (
        select
            organization,
            row_number() over (
                order by max(share_of_country) desc, organization
            ) as place
        from organizations
        where organization <> '(other)'
        group by organization
    ),

    final as (
        select
            case
                when ranked.place <= $shown then organizations.organization
                else '(other)'
            end as organization,
            organizations.attribution,
            cast(sum(organizations.downloads) as bigint) as downloads,
            sum(organizations.share_of_country) as share_of_country,
            min(coalesce(ranked.place, 1000000)) as place
        from organizations
        left join ranked
            on organizations.organization = ranked.organization
        group by 1, 2
    )

    select * from final
    order by organization = '(other)', place, attribution desc
"""

COVERAGE = """
    select attribution, basis, classed_share, located_share
    from marts.mart_attribution_coverage
    where snapshot_date = $snapshot_date
    order by
        attribution desc,
        case basis when 'models' then 1 when 'downloads' then 2 else 3 end
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
