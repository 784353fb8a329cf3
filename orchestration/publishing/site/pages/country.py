"""A page for each country, for the four codes that are no country, and for the EU-27: its share over time, who makes it up,
what its models are, how often its labs release, and how sure that is. The list of them all is in `countries`."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.publishing.site.answers import Answer, Rows, rows
from orchestration.publishing.site.figures import Figure, Switch
from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.ground import LEADERS, Ground
from orchestration.publishing.site.naming import ATTRIBUTIONS, EU, SPECIAL_NAMES, Measure, page_of_country
from orchestration.publishing.site.of_all import OfAll, ask_of_all
from orchestration.publishing.site.topics.entities import (
    Calendar,
    bars_view,
    calendar_of,
    lines_view,
    measures_told,
    one_snapshot_measure,
)
from orchestration.publishing.site.words import percent

if TYPE_CHECKING:
    import jinja2

ORGANIZATIONS_LISTED = 25  # what a reader looks through; the CSV has the rest
FAMILIES_LISTED = 10
LABS_LISTED = 20
CROSSOVERS_DRAWN = 3  # more marks than these lie on each other on a phone
SPLITS = (
    ("modality", "modality"),
    ("openness", "licence"),
    ("size", "size"),
    ("technique", "technique"),
)
SERIES_CSV, ORGANIZATIONS_CSV, PARTS_CSV = "countries-by-day", "countries-organizations", "countries-parts"

# The definitions' words, for whoever lands on such a page.
MEANINGS = {
    "XC": "Not a country: accounts of persons, and of communities and repackagers, most of whose downloads are converted "
    "copies of other people's models. A person's account never counts for a country, unless the reviewed table names the "
    "organisation that it publishes for. By origin, a copy's downloads return to whoever made its base.",
    "XI": "Not a country: organisations that work across borders and have no headquarters that decides for one of them.",
    "XM": "Not a country: models whose declared lineage leads to developers of several countries, a merge for instance. It "
    "only occurs by origin.",
    "XX": "Not a country: accounts that nobody has placed yet. Their downloads could be anybody's; they are what separates the "
    "least from the most on every other page.",
    EU: "The 27 members of the European Union as one row: their downloads, added. The bounds add, once, what isn't attributed.",
}


@dataclass(frozen=True)
class Countries:
    """What all countries' pages are made from. Entities are country codes, `EU` among them."""

    ground: Ground
    calendar: Calendar
    side: Measure
    codes: tuple[str, ...]  # those with a page, in the list's order
    days: OfAll
    day: OfAll
    organizations: OfAll
    families: OfAll
    parts: OfAll
    labs: OfAll
    cadence: OfAll
    players: OfAll
    concentration: OfAll
    crossovers: Rows
    members: tuple[str, ...]
    full_names: dict[str, str]  # as the ISO list has them, for whoever searches by those

    def lead(self, code: str) -> dict[str, Any] | None:
        return self.told(code, self.ground.lead, "uploader")

    def told(self, code: str, measure: Measure, attribution: str) -> dict[str, Any] | None:
        """The day's row of a country in a measure; none where it has no downloads in it."""
        for row in self.day.rows(code):
            if (row["measure"], row["attribution"]) == (measure.key, attribution):
                return row
        return None


def read_countries(connection: duckdb.DuckDBPyConnection, ground: Ground) -> Countries:
    """Every country with downloads on the day, those without new models' among them, the four codes, and the EU-27."""
    calendar = calendar_of(ground, rows(connection, COVERED))
    side = one_snapshot_measure(ground)
    measures = [measure.key for measure in measures_told(ground)]
    found = {row["country_code"] for row in rows(connection, WITH_DOWNLOADS, ground.on_day)}
    codes = sorted(found | set(SPECIAL_NAMES) | set(LEADERS) | {EU})
    on_day = {"snapshot_date": ground.snapshot_date, "metric": side.metric, "measures": measures}

    def of_all(statement: str, **further: Any) -> OfAll:
        return ask_of_all(connection, statement, codes, on_day | further)

    day = of_all(DAY)
    lead = {
        row["entity"]: row["downloads"]
        for row in day.whole.rows
        if (row["measure"], row["attribution"]) == (ground.lead.key, "uploader")
    }
    return Countries(
        ground=ground,
        calendar=calendar,
        side=side,
        codes=tuple(sorted(codes, key=lambda code: (-lead.get(code, 0), code))),
        days=of_all(DAYS, **calendar.thinning),
        day=day,
        organizations=of_all(ORGANIZATIONS, metric=ground.lead.metric, window_days=ground.lead.window_days),
        families=of_all(FAMILIES),
        parts=of_all(PARTS),
        labs=of_all(LABS),
        cadence=of_all(CADENCE),
        players=of_all(PLAYERS),
        concentration=of_all(CONCENTRATION),
        crossovers=rows(connection, CROSSOVERS),
        members=tuple(sorted(found & ground.eu_members)),
        full_names={row["country_code"]: row["country_name"] or "" for row in rows(connection, FULL_NAMES)},
    )


def render_countries(
    environment: "jinja2.Environment", frame: Frame, countries: Countries
) -> Iterator[tuple[str, str]]:
    """Each page's path below the site's root, and its text."""
    template = environment.get_template("country.html.j2")
    for code in countries.codes:
        yield page_of_country(code), render_country(template, frame, countries, code)


def render_country(template: "jinja2.Template", frame: Frame, countries: Countries, code: str) -> str:
    ground, name = countries.ground, countries.ground.name(code)
    organizations = countries.organizations.rows(code)
    parts = {split: list(found) for split, found in groupby(countries.parts.rows(code), key=lambda row: row["split"])}
    return template.render(
        root="../",
        code=code,
        name=name,
        meaning=MEANINGS.get(code),
        ground=ground,
        lead=countries.lead(code),
        day=countries.day.rows(code),
        labels={measure.key: measure.label for measure in measures_told(ground)},
        members=[(member, countries.lead(member)) for member in countries.codes if member in countries.members]
        if code == EU
        else [],
        is_eu_member=code in ground.eu_members,
        lines=lines_of(countries, code, name),
        who=who_of(countries, code, name, organizations) if organizations else None,
        organizations=together(organizations)[:ORGANIZATIONS_LISTED],
        more_organizations=max(len(together(organizations)) - ORGANIZATIONS_LISTED, 0),
        families=countries.families.rows(code)[:FAMILIES_LISTED],
        makeup=makeup_of(countries, code, name, parts) if parts else None,
        parts=parts,
        splits=SPLITS,
        side=countries.side,
        labs=countries.labs.rows(code)[:LABS_LISTED],
        cadence=countries.cadence.rows(code),
        players=list(players_by_month(countries.players.rows(code))),
        concentration=countries.concentration.rows(code),
        crossings=crossings_of(countries, code),
        unattributed=countries.told("XX", ground.lead, "uploader"),
    )


def lines_of(countries: Countries, code: str, name: str) -> Figure:
    """The share by day in every measure at hand."""
    ground = countries.ground
    by_measure: dict[str, Rows] = {}
    for row in countries.days.rows(code):
        by_measure.setdefault(row["measure"], []).append(row)
    views = {}
    for measure in measures_told(ground):
        shares = {by: (countries.told(code, measure, by) or {}).get("share", 0) for by, _ in ATTRIBUTIONS}
        views[measure.key] = lines_view(
            countries.calendar,
            measure.key,
            by_measure.get(measure.key, []),
            "share",
            is_zero_if_absent=True,
            crossovers=crossover_marks(countries, code, measure),
            title=f"{name}: share of downloads",
            subtitle=measure.subtitle,
            alt=f"Line chart: {name}'s share of downloads ({measure.label}) by day up to {ground.snapshot_date.isoformat()}; on "
            f"that day {percent(shares['uploader'], 2)} by uploader and {percent(shares['origin'], 2)} by origin.",
        )
    return Figure(
        name=f"{code}-share",
        kind="entity_lines",
        heading=f"{name}’s share, day by day",
        caption="The pale area: the bounds of the share by uploader, if all that isn't attributed were the country's or none of "
        "it. A diamond: where it passed another country, or was passed, for seven days. " + countries.calendar.caption,
        definition=" ".join(dict.fromkeys(measure.meaning for measure in measures_told(ground)))
        + " By uploader: of whoever holds the repository. By origin: of whoever made the root of its declared lineage.",
        answer=countries.days.answer(code),
        csv=SERIES_CSV,
        views=views,
        switches=(Switch("What is counted", tuple((m.key, m.label) for m in measures_told(ground))),),
    )


def who_of(countries: Countries, code: str, name: str, organizations: Rows) -> Figure:
    ground = countries.ground
    return Figure(
        name=f"{code}-organizations",
        kind="paired_bars",
        heading="Who makes it up",
        caption="Dark: held as uploader. Light: developed as origin.",
        definition=f"Each organisation's part of {name}'s downloads. {ground.lead.meaning}",
        answer=countries.organizations.answer(code),
        csv=ORGANIZATIONS_CSV,
        views={
            "": bars_view(
                organizations,
                name="organization",
                value="share_of_country",
                title=f"Who makes up {name}",
                subtitle=("Part of its downloads of new models", "dark: by uploader, light: by origin"),
                what=f"organisations' part of {name}'s downloads of new models",
            )
        },
    )


def makeup_of(countries: Countries, code: str, name: str, parts: dict[str, Rows]) -> Figure:
    """What the models are, split in each way that there is."""
    return Figure(
        name=f"{code}-parts",
        kind="paired_bars",
        heading="What its models are",
        caption="Dark: held as uploader. Light: developed as origin. A model may use several techniques or none, so that these "
        "don't add up to all.",
        definition=f"Parts of {name}'s downloads. {countries.side.meaning}",
        answer=countries.parts.answer(code),
        csv=PARTS_CSV,
        views={
            split: bars_view(
                parts.get(split, []),
                name="part",
                value="share",
                title=f"{name}: downloads by {words}",
                subtitle=("Part of its downloads", "dark: by uploader, light: by origin"),
                what=f"parts of {name}'s downloads by {words}",
            )
            for split, words in SPLITS
        },
        switches=(Switch("Split by", SPLITS),),
    )


def together(organizations: Rows) -> Rows:
    """An organisation's two attributions in one row, the largest by uploader first."""
    both: dict[str, dict[str, Any]] = {}
    for row in organizations:
        both.setdefault(row["organization"], {"organization": row["organization"]})[row["attribution"]] = row
    return sorted(
        both.values(),
        key=lambda row: (
            row["organization"] == "(other)",
            -row.get("uploader", row.get("origin"))["downloads"],
            row["organization"],
        ),
    )


def players_by_month(found: Rows) -> Iterator[dict[str, Any]]:
    for month, group in groupby(found, key=lambda row: row["month"]):
        thresholds = list(group)
        yield {
            "month": month,
            "is_partial": thresholds[0]["is_partial_month"],
            "organizations": {row["threshold"]: row["organizations"] for row in thresholds},
            "top_2_share": thresholds[0]["top_2_share"],
        }


def crossings_of(countries: Countries, code: str) -> Rows:
    """When it passed another country, or was passed, newest first."""
    found = [row for row in countries.crossovers if code in (row["leader_country_code"], row["passed_country_code"])]
    known = {(m.metric, m.window_days): m.label for m in measures_told(countries.ground)}
    told = []
    for row in found:
        has_passed = row["leader_country_code"] == code
        other = row["passed_country_code"] if has_passed else row["leader_country_code"]
        told.append(
            row
            | {
                "has_passed": has_passed,
                "other": other,
                "other_name": countries.ground.name(other),
                "has_page": other in countries.codes,
                "label": known.get((row["metric"], row["window_days"]), f"{row['metric']}, {row['window_days']} days"),
            }
        )
    return sorted(told, key=lambda row: (row["crossover_date"], row["metric"], row["attribution"]), reverse=True)


def crossover_marks(countries: Countries, code: str, measure: Measure) -> Rows:
    """The latest of them in one measure, by uploader, at the share that both had."""
    marks = [
        {
            "day": row["crossover_date"],
            "value": row["share"],
            "text": f"passes {row['other_name']}" if row["has_passed"] else f"passed by {row['other_name']}",
        }
        for row in crossings_of(countries, code)
        if (row["metric"], row["window_days"], row["attribution"]) == (measure.metric, measure.window_days, "uploader")
        and row["share"] is not None
        and row["crossover_date"] <= countries.ground.snapshot_date
    ]
    return sorted(marks[:CROSSOVERS_DRAWN], key=lambda mark: (mark["day"], mark["text"]))


def csv_files(countries: Countries) -> dict[str, Answer]:
    """Rows of all pages of this kind, a file each: hundreds of small files would each be hashed and synced."""
    return {
        SERIES_CSV: countries.days.whole,
        ORGANIZATIONS_CSV: countries.organizations.whole,
        PARTS_CSV: countries.parts.whole,
        "countries": countries.day.whole,
        "countries-families": countries.families.whole,
    }


COVERED = """
    select distinct metric, window_days, snapshot_date
    from marts.mart_daily_country_share
    where attribution = 'uploader' and denominator = 'all'
    order by all
"""

FULL_NAMES = "select country_code, country_name from marts.dim_countries order by country_code"

WITH_DOWNLOADS = """
    select distinct country_code
    from marts.mart_daily_country_share
    where snapshot_date = $snapshot_date
        and denominator = 'all'
        and downloads > 0
"""

# The EU-27 is a sum of its members: its bounds are what it would have with none, and with all, of what isn't attributed.
ENTITIES = f"""
    entities as (
        select country_code as entity, country_code
        from marts.dim_countries
        union all
        select '{EU}' as entity, country_code
        from marts.dim_countries
        where is_eu_member
    )
"""

SHARES = """
    select
        entities.entity,
        shares.snapshot_date,
        shares.metric,
        shares.window_days,
        concat(shares.metric, '-', shares.window_days) as measure,
        shares.attribution,
        cast(sum(shares.downloads) as bigint) as downloads,
        any_value(shares.total_downloads) as total_downloads,
        cast(sum(shares.models) as bigint) as models,
        round(sum(shares.share), 12) as share,
        round(sum(shares.share_low), 12) as share_low,
        round(sum(shares.share_low) + max(shares.share_high - shares.share_low), 12) as share_high,
        max(shares.rank) filter (where entities.entity = shares.country_code) as rank,
        max(shares.share_without_top_repository)
            filter (where entities.entity = shares.country_code) as share_without_top_repository
    from marts.mart_daily_country_share as shares
    inner join entities
        on shares.country_code = entities.country_code
    where shares.denominator = 'all'
        and measure in (select unnest($measures))
        and entities.entity in (select unnest($entities))
"""

DAYS = f"""
    with

    {ENTITIES.strip()}

    {SHARES.strip()}
        and shares.snapshot_date <= $last_day
        and date_diff('day', shares.snapshot_date, $last_day) % $step = 0
    group by all
    order by entity, measure, attribution desc, snapshot_date
"""

DAY = f"""
    with

    {ENTITIES.strip()},

    days as (
        {SHARES.strip()}
            and shares.snapshot_date = $snapshot_date
        group by all
    )

    select *
    from days
    order by entity, list_position($measures, measure), attribution desc
"""

ORGANIZATIONS = f"""
    with

    {ENTITIES.strip()},

    countries as (
        select
            entities.entity,
            organizations.organization,
            organizations.attribution,
            cast(sum(organizations.downloads) as bigint) as downloads,
            round(sum(organizations.share_of_total), 12) as share_of_total
        from marts.mart_daily_organization_share as organizations
        inner join entities
            on organizations.country_code = entities.country_code
        where organizations.snapshot_date = $snapshot_date
            and organizations.metric = $metric
            and organizations.window_days = $window_days
            and entities.entity in (select unnest($entities))
        group by all
    )

    select
        entity,
        organization,
        attribution,
        downloads,
        downloads / nullif(sum(downloads) over (
            partition by entity, attribution
        ), 0) as share_of_country,
        share_of_total
    from countries
    order by entity, downloads desc, organization, attribution desc
"""

FAMILIES = f"""
    with

    {ENTITIES.strip()}

    select
        entities.entity,
        families.family,
        families.organization,
        families.downloads,
        families.share_of_total,
        families.models
    from marts.mart_daily_family_share as families
    inner join entities
        on families.country_code = entities.country_code
    where families.snapshot_date = $snapshot_date
        and families.metric = $metric
        and families.attribution = 'origin'
        and families.family <> '(other)'
        and entities.entity in (select unnest($entities))
    order by entity, downloads desc, organization, family
"""

# The parts of each split are of the same downloads, the country's: its modalities, of which each model has one.
PARTS = f"""
    with

    {ENTITIES.strip()},

    modalities as (
        select country_code, attribution, modality, downloads, models
        from marts.mart_daily_modality_share
        where snapshot_date = $snapshot_date and metric = $metric
    ),

    parts as (
        select 'modality' as split, country_code, attribution, modality as part, downloads, models
        from modalities
        union all
        select 'openness' as split, country_code, attribution, openness, downloads, models
        from marts.mart_daily_openness
        where snapshot_date = $snapshot_date and metric = $metric
        union all
        select 'size' as split, country_code, attribution, size_class, downloads, models
        from marts.mart_daily_size_share
        where snapshot_date = $snapshot_date and metric = $metric
        union all
        select 'technique' as split, country_code, attribution, technique, downloads, models
        from marts.mart_daily_technique_share
        where snapshot_date = $snapshot_date and metric = $metric
    ),

    totals as (
        select entities.entity, modalities.attribution, sum(modalities.downloads) as downloads
        from modalities
        inner join entities
            on modalities.country_code = entities.country_code
        group by all
    )

    select
        entities.entity,
        parts.split,
        parts.part,
        parts.attribution,
        cast(sum(parts.downloads) as bigint) as downloads,
        cast(sum(parts.models) as bigint) as models,
        sum(parts.downloads) / nullif(any_value(totals.downloads), 0) as share
    from parts
    inner join entities
        on parts.country_code = entities.country_code
    inner join totals
        on entities.entity = totals.entity
        and parts.attribution = totals.attribution
    where entities.entity in (select unnest($entities))
    group by all
    order by entity, split, part, attribution desc
"""

LABS = f"""
    with

    {ENTITIES.strip()}

    select
        entities.entity,
        labs.organization,
        labs.releases,
        labs.variants,
        labs.median_days_between_releases,
        labs.active_week_share,
        labs.cadence
    from marts.mart_release_cadence as labs
    inner join entities
        on labs.country_code = entities.country_code
    where labs.snapshot_date = $snapshot_date
        and labs.level = 'organization'
        and labs.releases > 0
        and entities.entity in (select unnest($entities))
    order by entity, releases desc, variants desc, organization
"""

CADENCE = """
    select
        country_code as entity,
        releases,
        variants,
        variants_per_release,
        median_days_between_releases,
        active_week_share,
        cadence
    from marts.mart_release_cadence
    where snapshot_date = $snapshot_date
        and level = 'country'
        and country_code in (select unnest($entities))
"""

# The last six months: a row a threshold.
PLAYERS = """
    select
        country_code as entity,
        month,
        threshold,
        organizations,
        top_2_share,
        is_partial_month
    from marts.mart_monthly_independent_players
    where month > $snapshot_date - interval 6 month
        and month <= $snapshot_date
        and country_code in (select unnest($entities))
    order by entity, month desc, threshold
"""

CONCENTRATION = """
    select
        scope as entity,
        entity as of_what,
        hhi,
        gini,
        top_1_share,
        top_10_share,
        effective_entities
    from marts.mart_daily_concentration
    where snapshot_date = $snapshot_date
        and metric = $metric
        and attribution = 'uploader'
        and scope in (select unnest($entities))
    order by scope, of_what desc
"""

CROSSOVERS = """
    select
        crossovers.crossover_date,
        crossovers.metric,
        crossovers.window_days,
        crossovers.attribution,
        crossovers.leader_country_code,
        crossovers.passed_country_code,
        crossovers.confirmed_date,
        crossovers.margin,
        crossovers.is_first,
        shares.share
    from marts.mart_country_crossovers as crossovers
    left join marts.mart_daily_country_share as shares
        on crossovers.crossover_date = shares.snapshot_date
        and crossovers.metric = shares.metric
        and crossovers.window_days = shares.window_days
        and crossovers.attribution = shares.attribution
        and crossovers.leader_country_code = shares.country_code
        and shares.denominator = 'all'
    order by all
"""
