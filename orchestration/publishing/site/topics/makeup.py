"""Who makes up the two countries' shares: the day's model families, and the organisations' parts over time.
The day's organisations by both attributions are in `shares`."""

from datetime import date

from orchestration.foreign_text import display_name
from orchestration.publishing.site.answers import Rows, ask
from orchestration.publishing.site.figures import Figure, Switch, View
from orchestration.publishing.site.ground import LEADERS
from orchestration.publishing.site.marks import PALETTE, leader_colour, tint
from orchestration.publishing.site.naming import ATTRIBUTIONS
from orchestration.publishing.site.topics.timeline import Line, lines_view
from orchestration.publishing.site.topics.topic import OF_A_COUNTRY, Story, by_words
from orchestration.publishing.site.words import count, percent

FAMILIES_SHOWN = 10
ORGANIZATIONS_DRAWN = 5
COUNTRIES = tuple((code, {"CN": "China", "US": "United States"}[code]) for code in LEADERS)


def families(story: Story) -> Figure | None:
    """The largest model families of each of the two, in each attribution."""
    answer = ask(
        story.connection,
        FAMILIES,
        {
            "snapshot_date": story.ground.snapshot_date,
            "metric": story.lead.metric,
            "leaders": list(LEADERS),
            "shown": FAMILIES_SHOWN,
        },
    )
    if not answer.rows:
        return None
    views = {}
    for code, name in COUNTRIES:
        for attribution, _ in ATTRIBUTIONS:
            found = [row for row in answer.rows if (row["country_code"], row["attribution"]) == (code, attribution)]
            bars = [family_bar(row, code, attribution) for row in found]
            first = ", ".join(f"{bar['name']} {bar['text']}" for bar in bars[:3]) or "none"
            views[f"{code}/{attribution}"] = View(
                title=f"The model families of {name}",
                subtitle=(f"Part of the country's {story.lead.phrase},", by_words(attribution)),
                alt=f"Bar chart: model families' part of {name}'s {story.lead.phrase}, {by_words(attribution)}: {first}.",
                data={"bars": bars},
                params={
                    "top": round(max([bar["value"] for bar in bars] + [0.01]) * 1.2, 4),
                    "format": ".0%",
                    "measure": None,
                },
                height=24 * max(len(bars), 2),
            )
    return Figure(
        name="families",
        kind="bars",
        heading="Which models it is",
        caption="A family is a name with its version; sizes, precisions and formats are variants of it. By origin, everything "
        "whose declared lineage goes back to the family is counted with it.",
        definition=f"Model families' part of each of the two countries' {story.lead.phrase}, the {FAMILIES_SHOWN} largest. "
        "What a first party's small families have, and everything outside first parties, is not drawn.",
        answer=answer,
        basis=story.lead.basis,
        views=views,
        switches=(Switch("Country", COUNTRIES), Switch("Whose a model is", ATTRIBUTIONS)),
    )


def family_bar(row: dict, code: str, attribution: str) -> dict:
    derived = f", {count(row['derivatives'])} of them derived from it" if row["derivatives"] else ""
    return {
        "name": f"{display_name(row['family'])} · {display_name(row['organization'])}",
        "value": row["share_of_country"],
        "text": percent(row["share_of_country"]),
        "more": f"{count(row['downloads'])} downloads of {count(row['models'])} models{derived}",
        "colour": leader_colour(code) if attribution == "uploader" else tint(code),
    }


def over_time(story: Story) -> Figure | None:
    """The parts of each country's largest organisations by day, in the page's lead measure."""
    answer = ask(
        story.connection,
        ORGANIZATIONS,
        story.ground.on_day | {"leaders": list(LEADERS), "shown": ORGANIZATIONS_DRAWN},
    )
    if not answer.rows:
        return None
    views = {}
    for code, name in COUNTRIES:
        for attribution, _ in ATTRIBUTIONS:
            found = [row for row in answer.rows if (row["country_code"], row["attribution"]) == (code, attribution)]
            views[f"{code}/{attribution}"] = makeup_view(story, code, name, attribution, found)
    return Figure(
        name="makeup",
        kind="lines",
        heading="Their parts, day by day",
        caption="The largest organisations of the country on the last day, and what all its others have together. An "
        "organisation without downloads on a day has a part of zero on it.",
        definition=f"Organisations' part of each of the two countries' downloads. {story.ground.lead.meaning}",
        answer=answer,
        views=views,
        switches=(Switch("Country", COUNTRIES), Switch("Whose a model is", ATTRIBUTIONS)),
    )


def makeup_view(story: Story, code: str, name: str, attribution: str, found: Rows) -> View:
    names = list(dict.fromkeys(row["organization"] for row in found))
    days = {row["snapshot_date"] for row in found}
    # The rows are in the order of the last day's parts; what is left over stands last.
    ordered = sorted(names, key=lambda each: (each == OTHERS, names.index(each)))
    colours = (leader_colour(code), *PALETTE)
    lines = [
        Line(each, "All others" if each == OTHERS else display_name(each), "#767676", "long")
        if each == OTHERS
        else Line(each, display_name(each), colours[place], bold=place == 0)
        for place, each in enumerate(ordered)
    ]
    values: dict[tuple[date, str], tuple[float | None, str]] = {
        (day, each): (0.0, "") for day in days for each in names
    }
    for row in found:
        values[row["snapshot_date"], row["organization"]] = (
            row["share_of_country"],
            f"{count(row['downloads'])} downloads",
        )
    last = [
        row for row in found if row["snapshot_date"] == story.ground.snapshot_date and row["organization"] != OTHERS
    ]
    first = ", ".join(f"{display_name(row['organization'])} {percent(row['share_of_country'])}" for row in last[:3])
    return lines_view(
        story,
        lines,
        values,
        title=f"Who makes up {OF_A_COUNTRY[code]} share, day by day",
        subtitle=("Part of the country's downloads of new models,", by_words(attribution)),
        alt=f"Line chart: organisations' part of {name}'s downloads of new models, {by_words(attribution)}, by day. On the "
        f"last day {first or 'nobody has any'}.",
        number=".0%",
        precise=".1%",
    )


OTHERS = "(other)"

FAMILIES = """
    with

    ranked as (
        select
            country_code, attribution, organization, family, downloads, share_of_country, models, derivatives,
            row_number() over (
                partition by country_code, attribution
                order by downloads desc, organization, family
            ) as place
        from marts.mart_daily_family_share
        where snapshot_date = $snapshot_date
            and metric = $metric
            and country_code in (select unnest($leaders))
            and family <> '(other)'
            and downloads > 0
    )

    select * exclude (place)
    from ranked
    where place <= $shown
    order by country_code, attribution desc, place
"""

ORGANIZATIONS = """
    with

    shares as (
        select snapshot_date, attribution, country_code, organization, downloads, share_of_country
        from marts.mart_daily_organization_share
        where metric = $metric
            and window_days = $window_days
            and country_code in (select unnest($leaders))
            and snapshot_date <= $snapshot_date
    ),

    largest as (
        select
            attribution,
            country_code,
            organization,
            row_number() over (
                partition by attribution, country_code
                order by downloads desc, organization
            ) as place
        from shares
        where snapshot_date = $snapshot_date
            and organization <> '(other)'
            and downloads > 0
    )

    select
        shares.snapshot_date,
        shares.attribution,
        shares.country_code,
        case
            when largest.place <= $shown then shares.organization
            else '(other)'
        end as organization,
        cast(sum(shares.downloads) as bigint) as downloads,
        round(sum(shares.share_of_country), 12) as share_of_country
    from shares
    left join largest
        on shares.attribution = largest.attribution
        and shares.country_code = largest.country_code
        and shares.organization = largest.organization
    group by 1, 2, 3, 4
    order by 3, 2 desc, 1 desc, min(coalesce(largest.place, 1000000)), 4
"""
