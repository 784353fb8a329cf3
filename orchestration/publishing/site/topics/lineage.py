"""Who builds on whom: repositories that declare a parent, by the organisation and country at the root of their lineage.
Only declared lineage counts, never names."""

from typing import Any

from orchestration.foreign_text import display_name
from orchestration.publishing.site.answers import Answer, Rows, ask, rows
from orchestration.publishing.site.figures import Figure, Switch, View
from orchestration.publishing.site.ground import LEADERS
from orchestration.publishing.site.marks import leader_colour
from orchestration.publishing.site.naming import EU
from orchestration.publishing.site.topics.timeline import country_lines, lines_view
from orchestration.publishing.site.topics.topic import Story, Table, Topic
from orchestration.publishing.site.words import count, percent

ROOTS_SHOWN = 12
ROOT_CODES = (*LEADERS, EU, "XX")
RELATIONS = {"finetune": "fine-tuned", "adapter": "adapter", "quantized": "quantised", "merge": "merged"}
MEASURES = (("downloads", "their downloads"), ("new_derivatives", "number of new ones"))


def lineage(story: Story) -> Topic:
    parameters = {
        "snapshot_date": story.ground.snapshot_date,
        "metric": story.lead.metric,
        "leaders": list(LEADERS),
        "shown": ROOTS_SHOWN,
    }
    roots = ask(story.connection, ROOTS, parameters)
    heading, anchor = "Lineage: who builds on whom", "lineage"
    if not roots.rows:
        return Topic(anchor, heading, "No repository of this day declares a parent.")
    by_day = ask(story.connection, BY_DAY, parameters)
    relations = rows(story.connection, BY_RELATION, parameters)
    return Topic(
        anchor,
        heading,
        finding(story, by_day, relations),
        (over_time(story, by_day), built_on(story, roots)),
        (numbers(story, relations),),
        "A derivative by a repackager is a copy in another format or precision held by an account that the seed of organisations "
        "has as one: its part says how much of a root's reach comes through such copies.",
    )


def today_of(story: Story, by_day: Answer) -> dict[str, dict[str, Any]]:
    return {r["country_code"]: r for r in by_day.rows if r["snapshot_date"] == story.ground.snapshot_date}


def finding(story: Story, by_day: Answer, relations: Rows) -> str:
    today = today_of(story, by_day)
    china, states = (today.get(code, {}).get("new_derivatives_share") for code in LEADERS)
    downloads = sum(row["downloads"] for row in relations)
    repackaged = sum(row["repackaged_downloads"] for row in relations)
    held = f" Repackagers hold {percent(repackaged / downloads)} of derivatives’ downloads." if downloads else ""
    return (
        f"Of the new derivatives, by number, {percent(china or 0)} go back to a Chinese root and {percent(states or 0)} to one "
        f"from the United States.{held}"
    )


def over_time(story: Story, by_day: Answer) -> Figure:
    today = today_of(story, by_day)
    views = {}
    for column, words in MEASURES:
        share = f"{column}_share"
        told = ", ".join(f"{story.name(code)} {percent(today.get(code, {}).get(share))}" for code in ROOT_CODES)
        views[column] = lines_view(
            story,
            country_lines(story, ROOT_CODES),
            {
                (r["snapshot_date"], r["country_code"]): (
                    r[share],
                    f"{count(r['new_derivatives'])} new derivatives, {count(r['downloads'])} downloads",
                )
                for r in by_day.rows
            },
            title="Derivatives, by the country at their root",
            subtitle=(f"Part of all derivatives, by {words}", f"({story.lead.phrase})"),
            alt=f"Line chart: part of derivatives by the country at their root, by {words}, by day. On the last day {told}.",
            number=".0%",
            precise=".1%",
        )
    return Figure(
        name="derivatives",
        kind="lines",
        heading="Derivatives, by the country at their root",
        caption="A derivative declares a parent: it is fine-tuned, quantised, merged or adapted from it. Its "
        "root is the model at "
        "the end of the chain. Other countries, and roots that lie in several, make up the rest.",
        definition="Derivatives whose root was developed in the country, as a part of all derivatives on the day: by their "
        "downloads, or by the number of those that are new. Never inferred from names.",
        answer=by_day,
        basis=None,
        views=views,
        switches=(Switch("Measured by", MEASURES),),
    )


def built_on(story: Story, roots: Answer) -> Figure:
    views = {}
    for column, words in MEASURES:
        found = sorted(roots.rows, key=lambda r: (-r[column], r["root_organization"]))[:ROOTS_SHOWN]
        bars = [
            {
                "name": f"{display_name(row['root_organization'])} · {row['origin_country']}",
                "value": row[column],
                "text": count(row[column]),
                "more": f"{count(row['derivatives'])} derivatives, {percent(row['repackaged_share'])} of their downloads through "
                "repackagers",
                "colour": leader_colour(row["origin_country"]),
            }
            for row in found
        ]
        views[column] = View(
            title="Whose models are built on",
            subtitle=("Derivatives by the organisation at their root:", f"{words} ({story.lead.phrase})"),
            alt=f"Bar chart: derivatives by the organisation at their root, {words}: "
            + ", ".join(f"{bar['name']} {bar['text']}" for bar in bars[:3])
            + ".",
            data={"bars": bars},
            params={"top": max([bar["value"] for bar in bars] + [1]) * 1.25, "format": "~s", "measure": None},
            height=24 * max(len(bars), 2),
        )
    return Figure(
        name="roots",
        kind="bars",
        heading="Whose models are built on",
        caption="Organisations at the root, with the code of their country. Persons, whoever nobody has located and roots that "
        "lie in several organisations are not drawn.",
        definition="Repositories that declare a parent, by the organisation that developed the root of their lineage.",
        answer=roots,
        basis=None,
        views=views,
        switches=(Switch("Measured by", MEASURES),),
    )


def numbers(story: Story, relations: Rows) -> Table:
    return Table(
        f"Derivatives by root and relation: {story.lead.phrase}",
        ("Root in", "Made by", "Derivatives", "New", "Downloads", "Through repackagers"),
        tuple(
            (
                story.name(row["country_code"]),
                RELATIONS.get(row["relation"], row["relation"]),
                count(row["derivatives"]),
                count(row["new_derivatives"]),
                count(row["downloads"]),
                percent(row["repackaged_downloads"] / row["downloads"]) if row["downloads"] else "–",
            )
            for row in relations
        ),
        frozenset({2, 3, 4, 5}),
    )


PLACED = """
    with

    counted as (
        select *
        from marts.mart_daily_lineage
        where {days}
            and metric = $metric
    ),

    placed as (
        select
            counted.*,
            case
                when counted.origin_country in (select unnest($leaders)) or counted.origin_country = 'XX'
                    then counted.origin_country
                when members.is_eu_member then 'EU'
                else '(others)'
            end as place
        from counted
        left join marts.dim_countries as members
            on counted.origin_country = members.country_code
    )
"""

BY_DAY = (
    PLACED.replace("{days}", "snapshot_date <= $snapshot_date")
    + """
    select
        snapshot_date,
        place as country_code,
        cast(sum(derivatives) as bigint) as derivatives,
        cast(sum(new_derivatives) as bigint) as new_derivatives,
        cast(sum(downloads) as bigint) as downloads,
        sum(new_derivatives) / nullif(sum(sum(new_derivatives)) over (partition by snapshot_date), 0)
            as new_derivatives_share,
        sum(downloads) / nullif(sum(sum(downloads)) over (partition by snapshot_date), 0) as downloads_share
    from placed
    group by snapshot_date, place
    order by snapshot_date, place
"""
)

BY_RELATION = (
    PLACED.replace("{days}", "snapshot_date = $snapshot_date")
    + """
    select
        place as country_code,
        relation,
        cast(sum(derivatives) as bigint) as derivatives,
        cast(sum(new_derivatives) as bigint) as new_derivatives,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(repackaged_downloads) as bigint) as repackaged_downloads
    from placed
    group by place, relation
    order by
        case place when 'CN' then 1 when 'US' then 2 when 'EU' then 3 when '(others)' then 4 else 5 end,
        5 desc,
        relation
"""
)

# The largest by either measure.
ROOTS = """
    with

    roots as (
        select
            root_organization,
            origin_country,
            cast(sum(derivatives) as bigint) as derivatives,
            cast(sum(new_derivatives) as bigint) as new_derivatives,
            cast(sum(downloads) as bigint) as downloads,
            cast(sum(repackaged_downloads) as bigint) as repackaged_downloads,
            sum(repackaged_downloads) / nullif(sum(downloads), 0) as repackaged_share
        from marts.mart_daily_lineage
        where snapshot_date = $snapshot_date
            and metric = $metric
            and root_organization <> '(other)'
        group by root_organization, origin_country
    )

    select *
    from roots
    qualify row_number() over (order by downloads desc, root_organization, origin_country) <= $shown
        or row_number() over (order by new_derivatives desc, root_organization, origin_country) <= $shown
    order by downloads desc, root_organization, origin_country
"""
