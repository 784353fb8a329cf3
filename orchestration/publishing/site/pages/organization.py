"""A page for each large organisation: where it is based and why, its downloads over time, its models, releases and families,
and what others build on it. The list of them all is in `organizations`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import duckdb

from orchestration.publishing.site.answers import Answer, Rows, rows
from orchestration.publishing.site.figures import Figure, Switch
from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.ground import Ground
from orchestration.publishing.site.naming import ATTRIBUTIONS, Measure, display_name, page_of_organization
from orchestration.publishing.site.of_all import OfAll, ask_of_all
from orchestration.publishing.site.topics.entities import (
    OF_ANY_AGE,
    Calendar,
    lines_view,
    measures_told,
    one_snapshot_measure,
    weeks_figure,
)
from orchestration.publishing.site.words import count, percent

if TYPE_CHECKING:
    import jinja2

# The mart names organisations from 0.05 % of a metric's downloads; the demo's last day names 105 in measures that pages
# have, so that the cap cuts nothing there. It keeps the site's files few, since each is hashed and synced (2026-11-29).
PAGES_AT_MOST = 150
NEVER_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
ACCOUNTS_LISTED, MODELS_LISTED, FAMILIES_LISTED, RELEASES_LISTED = 12, 12, 10, 12
ADOPTION_LISTED, LICENCES_LISTED = 10, 8
SERIES_CSV, WEEKS_CSV = "organizations-by-day", "organizations-weeks"
VALUES = (("downloads", "downloads"), ("share_of_country", "share of its country"), ("share_of_total", "share of all"))


@dataclass(frozen=True)
class Organizations:
    """What all organisations' pages are made from. Entities are organisations' names as the marts have them."""

    ground: Ground
    calendar: Calendar
    side: Measure
    names: tuple[str, ...]  # those with a page, the largest first
    named: int  # how many the mart names, with a page or without
    day: OfAll
    days: OfAll
    accounts: OfAll
    models: OfAll
    families: OfAll
    weeks: OfAll
    releases: OfAll
    cadence: OfAll
    adoption: OfAll
    lineage: OfAll
    licences: OfAll

    def told(self, name: str, measure: Measure, attribution: str) -> dict[str, Any] | None:
        """The day's row of an organisation in a measure; none where it isn't named in it."""
        for row in self.day.rows(name):
            if (row["measure"], row["attribution"]) == (measure.key, attribution):
                return row
        return None

    def country_of(self, name: str) -> str | None:
        """Where it is based: as its downloads are counted, else as its accounts are placed."""
        told = self.day.rows(name) or self.accounts.rows(name)
        return told[0]["country_code"] if told else None


def read_organizations(connection: duckdb.DuckDBPyConnection, ground: Ground, calendar: Calendar) -> Organizations:
    """Every organisation that the mart names on the day in a measure that pages have, by 30-day downloads."""
    side = one_snapshot_measure(ground)
    measures = [measure.key for measure in measures_told(ground)]
    on_day = {"snapshot_date": ground.snapshot_date, "metric": side.metric, "measures": measures}
    named = [row["organization"] for row in rows(connection, LARGE, on_day)]
    names = named[:PAGES_AT_MOST]
    listed = {
        "models_listed": MODELS_LISTED,
        "releases_listed": RELEASES_LISTED,
        "adoption_listed": ADOPTION_LISTED,
    }

    def of_all(statement: str, **further: Any) -> OfAll:
        return ask_of_all(connection, statement, names, on_day | listed | further)

    return Organizations(
        ground=ground,
        calendar=calendar,
        side=side,
        names=tuple(names),
        named=len(named),
        day=of_all(DAY),
        days=of_all(DAYS, measures=days_measures(ground), **calendar.thinning),
        accounts=of_all(ACCOUNTS),
        models=of_all(MODELS),
        families=of_all(FAMILIES),
        weeks=of_all(WEEKS),
        releases=of_all(RELEASES),
        cadence=of_all(CADENCE),
        adoption=of_all(ADOPTION),
        lineage=of_all(LINEAGE),
        licences=of_all(LICENCES),
    )


def days_measures(ground: Ground) -> list[str]:
    """Lines are drawn for the lead and for models of any age; other measures stand in the day's table."""
    return [ground.lead.key, OF_ANY_AGE.key]


def render_organizations(
    environment: "jinja2.Environment", frame: Frame, organizations: Organizations
) -> Iterator[tuple[str, str]]:
    """Each page's path below the site's root, and its text."""
    template = environment.get_template("organization.html.j2")
    for name in organizations.names:
        yield page_of_organization(name), render_organization(template, frame, organizations, name)


def render_organization(template: "jinja2.Template", frame: Frame, organizations: Organizations, name: str) -> str:
    ground, shown = organizations.ground, display_name(name)
    accounts = [row | {"link": safe_link(row["evidence_url"])} for row in organizations.accounts.rows(name)]
    country = organizations.country_of(name)
    return template.render(
        root="../",
        name=shown,
        country=country,
        country_name=ground.name(country) if country else None,
        ground=ground,
        lead=organizations.told(name, ground.lead, "uploader"),
        lead_origin=organizations.told(name, ground.lead, "origin"),
        any_age=organizations.told(name, OF_ANY_AGE, "uploader"),
        day=organizations.day.rows(name),
        labels={measure.key: measure.label for measure in measures_told(ground)},
        side=organizations.side,
        accounts=accounts[:ACCOUNTS_LISTED],
        more_accounts=max(len(accounts) - ACCOUNTS_LISTED, 0),
        lines=lines_of(organizations, name, shown),
        models=organizations.models.rows(name),
        families=organizations.families.rows(name)[:FAMILIES_LISTED],
        weeks=weeks_figure(
            ground, f"{stem(name)}-weeks", shown, organizations.weeks.answer(name), csv=WEEKS_CSV
        )
        if organizations.weeks.rows(name)
        else None,
        releases=organizations.releases.rows(name),
        cadence=next(iter(organizations.cadence.rows(name)), None),
        adoption=organizations.adoption.rows(name),
        lineage=organizations.lineage.rows(name),
        licences=organizations.licences.rows(name)[:LICENCES_LISTED],
    )  # fmt: skip


def stem(name: str) -> str:
    return page_of_organization(name).removeprefix("organizations/").removesuffix(".html")


def safe_link(address: str | None) -> str | None:
    """The address, if a browser may be sent there: a page of the web, on a host, without a name or password before it."""
    if not address or NEVER_IN_AN_ADDRESS.search(address):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:  # an address such as http://[ is none
        return None
    return address if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc else None


def lines_of(organizations: Organizations, name: str, shown: str) -> Figure:
    """Its downloads by day, and its shares, in the lead and over models of any age."""
    ground = organizations.ground
    drawn = (ground.lead, OF_ANY_AGE)
    by_measure: dict[str, Rows] = {}
    for row in organizations.days.rows(name):
        by_measure.setdefault(row["measure"], []).append(row)
    views = {}
    for measure in drawn:
        told = {by: organizations.told(name, measure, by) or {} for by, _ in ATTRIBUTIONS}
        for value, words in VALUES:
            write = count if value == "downloads" else percent
            views[f"{measure.key}/{value}"] = lines_view(
                organizations.calendar,
                measure.key,
                by_measure.get(measure.key, []),
                value,
                is_zero_if_absent=False,
                title=f"{shown}: {words}",
                subtitle=(measure.label,),
                alt=f"Line chart: {shown}'s {words} ({measure.label}) by day up to {ground.snapshot_date.isoformat()}; on that "
                f"day {write(told['uploader'].get(value))} by uploader and {write(told['origin'].get(value))} by origin.",
            )
    return Figure(
        name=f"{stem(name)}-downloads",
        kind="entity_lines",
        heading=f"{shown}’s downloads, day by day",
        caption="On days on which it has less than 0.05 % of all such downloads, the marts don't name it, and the line is "
        "broken. " + organizations.calendar.caption,
        definition=f"{ground.lead.meaning} {OF_ANY_AGE.meaning} By uploader: of the repositories that its accounts hold. By "
        "origin: of everything whose declared lineage goes back to it.",
        answer=organizations.days.answer(name),
        csv=SERIES_CSV,
        views=views,
        switches=(
            Switch("What is counted", tuple((measure.key, measure.label) for measure in drawn)),
            Switch("As", VALUES),
        ),
    )


def csv_files(organizations: Organizations) -> dict[str, Answer]:
    """Rows of all pages of this kind, a file each."""
    return {
        SERIES_CSV: organizations.days.whole,
        WEEKS_CSV: organizations.weeks.whole,
        "organizations": organizations.day.whole,
        "organizations-models": organizations.models.whole,
        "organizations-lineage": organizations.lineage.whole,
    }


LARGE = """
    select organization
    from marts.mart_daily_organization_share
    where snapshot_date = $snapshot_date
        and organization <> '(other)'
        and concat(metric, '-', window_days) in (select unnest($measures))
    group by organization
    order by
        max(downloads) filter (
            where metric = 'trailing_30d' and attribution = 'uploader'
        ) desc nulls last,
        max(downloads) desc,
        organization
"""

# Its accounts may count in two countries: its downloads are one sum, its country that of the most.
SHARES = """
    select
        organization as entity,
        snapshot_date,
        metric,
        window_days,
        concat(metric, '-', window_days) as measure,
        attribution,
        cast(sum(downloads) as bigint) as downloads,
        arg_max(share_of_country, downloads) as share_of_country,
        round(sum(share_of_total), 12) as share_of_total,
        arg_max(country_code, downloads) as country_code
    from marts.mart_daily_organization_share
    where measure in (select unnest($measures))
        and organization in (select unnest($entities))
"""

DAY = f"""
    with

    days as (
        {SHARES.strip()}
            and snapshot_date = $snapshot_date
        group by all
    )

    select *
    from days
    order by entity, list_position($measures, measure), attribution desc
"""

DAYS = f"""
    {SHARES.strip()}
        and snapshot_date <= $last_day
        and date_diff('day', snapshot_date, $last_day) % $step = 0
    group by all
    order by entity, measure, attribution desc, snapshot_date
"""

# As the reviewed table has them today, those that hold no longer last.
ACCOUNTS = """
    select
        organization as entity,
        namespace,
        valid_from,
        valid_to,
        organization_type,
        parent_organization,
        country_code,
        secondary_country_code,
        confidence,
        evidence,
        evidence_url,
        note,
        is_seeded
    from marts.dim_organizations
    where organization in (select unnest($entities))
    order by entity, valid_to nulls first, namespace, valid_from
"""

MODELS = """
    select
        organization as entity,
        model_id,
        family,
        cast(created_at as date) as created_on,
        modality,
        parameters,
        license,
        openness,
        is_outlier,
        downloads_30d,
        downloads_all_time,
        likes
    from marts.dim_models
    where organization in (select unnest($entities))
        and is_listed
    qualify row_number() over (
        partition by organization
        order by downloads_30d desc nulls last, model_id, repo_id
    ) <= $models_listed
    order by entity, downloads_30d desc nulls last, model_id
"""

FAMILIES = """
    select
        organization as entity,
        family,
        cast(sum(downloads) as bigint) as downloads,
        round(sum(share_of_total), 12) as share_of_total,
        cast(sum(models) as bigint) as models,
        cast(sum(derivatives) as bigint) as derivatives,
        cast(sum(derivative_downloads) as bigint) as derivative_downloads
    from marts.mart_daily_family_share
    where snapshot_date = $snapshot_date
        and metric = $metric
        and attribution = 'origin'
        and organization in (select unnest($entities))
    group by all
    order by entity, downloads desc, family
"""

WEEKS = """
    select
        organization as entity,
        week_start,
        cast(sum(releases) as bigint) as releases,
        cast(sum(variants) as bigint) as variants,
        cast(sum(repositories) as bigint) as repositories
    from marts.mart_weekly_release_frequency
    where week_start > $snapshot_date - interval 53 week
        and week_start <= $snapshot_date
        and organization in (select unnest($entities))
    group by all
    order by entity, week_start
"""

RELEASES = """
    select
        organization as entity,
        family,
        released_at,
        release_date_source,
        variants,
        modality,
        largest_parameters
    from marts.fct_releases
    where organization in (select unnest($entities))
        and released_at <= $snapshot_date
    qualify row_number() over (
        partition by organization
        order by released_at desc, family, release_id
    ) <= $releases_listed
    order by entity, released_at desc, family
"""

CADENCE = """
    select
        organization as entity,
        releases,
        variants,
        variants_per_release,
        median_days_between_releases,
        active_week_share,
        repository_week_share,
        cadence
    from marts.mart_release_cadence
    where snapshot_date = $snapshot_date
        and level = 'organization'
        and organization in (select unnest($entities))
    order by entity, releases desc
"""

ADOPTION = """
    select
        models.organization as entity,
        models.model_id,
        adoption.milestone_days,
        adoption.downloads,
        adoption.size_class,
        adoption.peer_median,
        adoption.relative_adoption
    from marts.mart_relative_adoption as adoption
    inner join marts.dim_models as models
        on adoption.repo_id = models.repo_id
    where models.organization in (select unnest($entities))
        and adoption.relative_adoption is not null
    qualify row_number() over (
        partition by models.organization
        order by models.created_at desc, models.model_id, adoption.milestone_days desc
    ) <= $adoption_listed
    order by entity, models.created_at desc, models.model_id, adoption.milestone_days desc
"""

LINEAGE = """
    select
        root_organization as entity,
        relation,
        cast(sum(derivatives) as bigint) as derivatives,
        cast(sum(new_derivatives) as bigint) as new_derivatives,
        cast(sum(downloads) as bigint) as downloads,
        round(sum(share), 12) as share,
        cast(sum(repackaged_downloads) as bigint) as repackaged_downloads
    from marts.mart_daily_lineage
    where snapshot_date = $snapshot_date
        and metric = 'trailing_30d'
        and root_organization in (select unnest($entities))
    group by all
    order by entity, downloads desc, relation
"""

LICENCES = """
    select
        organization as entity,
        coalesce(license, 'none declared') as license,
        openness,
        count(*) as models,
        cast(sum(downloads_30d) as bigint) as downloads
    from marts.dim_models
    where organization in (select unnest($entities))
        and is_listed
    group by all
    order by entity, downloads desc nulls last, models desc, license, openness
"""
