"""When laboratories release and how often: a calendar of the last year by week, and the days between releases.
What counts as a release, a variant or a cadence is the marts' definition."""

from datetime import date, timedelta
from typing import Any

from orchestration.foreign_text import display_name
from orchestration.publishing.site.answers import Answer, Rows, ask, rows
from orchestration.publishing.site.figures import Figure, one_view
from orchestration.publishing.site.ground import LEADERS, milliseconds
from orchestration.publishing.site.marks import LEADER_COLOURS, leader_colour
from orchestration.publishing.site.topics.topic import OF_A_COUNTRY, Story, Table, Topic
from orchestration.publishing.site.words import count, percent

WEEKS = 52
# Of each of the two, and of all others: sixteen rows are what a phone shows at once.
LABS_OF_A_LEADER, LABS_OF_OTHERS = 6, 4
LATEST_SHOWN = 12
NOT_ENOUGH = "not enough"  # what null means: fewer than two release dates in a year have no gap between them


def releases(story: Story) -> Topic:
    heading, anchor = "Release calendar and cadence", "releases"
    cadences = ask(
        story.connection,
        CADENCES,
        {
            "snapshot_date": story.ground.snapshot_date,
            "metric": "trailing_30d" if any(c.metric == "trailing_30d" for c in story.counted) else "all_time",
            "leaders": list(LEADERS),
            "of_a_leader": LABS_OF_A_LEADER,
            "of_others": LABS_OF_OTHERS,
        },
    )
    labs = [row for row in cadences.rows if row["level"] == "organization"]
    if not labs:
        return Topic(anchor, heading, "No laboratory has enough downloads for its cadence to be told on this day.")
    countries = {row["country_code"]: row for row in cadences.rows if row["level"] == "country"}
    first = week_of(story.ground.snapshot_date) - timedelta(weeks=WEEKS - 1)
    weeks = ask(
        story.connection,
        WEEKLY,
        {"labs": [row["organization"] for row in labs], "first": first, "last": story.ground.snapshot_date},
    )
    latest = rows(story.connection, LATEST, {"last": story.ground.snapshot_date, "shown": LATEST_SHOWN})
    figures = [calendar(story, labs, weeks, first)] if weeks.rows else []
    return Topic(
        anchor,
        heading,
        finding(countries),
        (*figures, how_often(story, labs, countries, cadences)),
        (numbers(story, labs, countries), last_releases(story, latest)),
        "Releases go by families: repositories of one name and version within two weeks are one release, and sizes or "
        "precisions are its variants. Counted by repositories, the order of countries can differ.",
    )


def week_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def finding(countries: dict[str, dict[str, Any]]) -> str:
    told = []
    for code in LEADERS:
        row = countries.get(code)
        days = row["median_days_between_releases"] if row else None
        told.append(
            f"{OF_A_COUNTRY[code]} laboratories with enough releases: "
            + (NOT_ENOUGH + " to tell" if days is None else f"a median of {in_days(days)} days between them")
        )
    return "; ".join(told) + "."


def in_days(days: float) -> str:
    return f"{days:,.1f}".removesuffix(".0")


def label(row: dict[str, Any]) -> str:
    """A laboratory with its country's code, since colours alone tell nobody anything."""
    name = display_name(row["organization"])
    return f"{name if len(name) <= 16 else name[:15] + '…'} · {row['country_code']}"


def calendar(story: Story, labs: Rows, weeks: Answer, first: date) -> Figure:
    by_name = {row["organization"]: row for row in labs}
    end = week_of(story.ground.snapshot_date) + timedelta(days=7)
    cells = [
        {
            "name": label(by_name[row["organization"]]),
            "from": row["week_start"],
            "to": row["week_start"] + timedelta(days=7),
            "week": row["week_start"].isoformat(),
            "releases": row["releases"],
            "class": class_of(row["releases"]),
            "variants": row["variants"],
            "repositories": row["repositories"],
            "colour": leader_colour(by_name[row["organization"]]["country_code"]),
        }
        for row in weeks.rows
        if row["releases"]
    ]
    totals: dict[str, int] = {}
    for row in weeks.rows:
        totals[row["organization"]] = totals.get(row["organization"], 0) + row["releases"]
    most = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:3]
    return Figure(
        name="releases",
        kind="heat_map",
        heading="Release calendar",
        caption="A cell is a week with releases: the palest one, then two, three or four, and five or more; an "
        "empty place is a week without. The most downloaded "
        "laboratories of China (orange), the United States (blue) and elsewhere (grey). The last week may not be over.",
        definition="Releases of a laboratory's model families by the week that begins on a Monday, over the last "
        f"{WEEKS} weeks; the date is the first sight in our snapshots, else a correction, else the repository's creation.",
        answer=weeks,
        basis=None,
        views=one_view(
            title="Releases, week by week",
            subtitle=(
                "The largest laboratories by downloads,",
                f"{WEEKS} weeks to {story.ground.snapshot_date.isoformat()}",
            ),
            alt=f"Heat map: releases of {len(labs)} laboratories in each of the last {WEEKS} weeks. Most have "
            + ", ".join(f"{display_name(name)} {number}" for name, number in most)
            + ".",
            data={"rows": [{"name": label(row), "from": first, "to": end} for row in labs], "cells": cells},
            params={
                "first": milliseconds(first),
                "last": milliseconds(end),
                "ticks": [milliseconds(day) for day in months_between(first, end)],
                "dates": "%b %Y",
            },
            height=22 * max(len(labs), 2),
        ),
    )


def class_of(number: int) -> str:
    return "5+" if number >= 5 else "3–4" if number >= 3 else str(number)


def months_between(first: date, end: date) -> list[date]:
    """The first day of every second month."""
    days = [first + timedelta(days=number) for number in range((end - first).days)]
    return [day for day in days if day.day == 1 and day.month % 2 == 1]


def how_often(story: Story, labs: Rows, countries: dict[str, dict[str, Any]], cadences: Answer) -> Figure:
    dots = [
        {
            "name": label(row),
            "days": max(row["median_days_between_releases"], 1),
            "text": in_days(row["median_days_between_releases"]),
            "cadence": row["cadence"],
            "releases": row["releases"],
            "variants": row["variants"],
            "colour": leader_colour(row["country_code"]),
        }
        for row in labs
        if row["median_days_between_releases"] is not None
    ]
    medians = [
        {
            "days": max(countries[code]["median_days_between_releases"], 1),
            "text": f"{story.name(code)} {in_days(countries[code]['median_days_between_releases'])}",
            "colour": LEADER_COLOURS[code],
        }
        for code in LEADERS
        if code in countries and countries[code]["median_days_between_releases"] is not None
    ]
    told = "; ".join(f"{dot['name']} {dot['text']}" for dot in dots[:6])
    between = " and ".join(f"{median['text']} days" for median in medians) or NOT_ENOUGH
    return Figure(
        name="cadence",
        kind="cadence",
        heading="Days between releases",
        caption="Dashed: the medians of all qualifying laboratories of China and of the United States. A laboratory without a "
        "dot has fewer than two release dates in the year: not enough to tell, which is not zero.",
        definition="The median of the days between a laboratory's distinct release dates within 365 days; a country's is the "
        "median of its laboratories that have one. At most 10 days are weekly, 21 biweekly, 45 monthly, 135 quarterly, 270 "
        "semiannual.",
        answer=cadences,
        basis=None,
        views=one_view(
            title="Days between releases",
            subtitle=("Median within 365 days; dashed: the countries' medians", between),
            alt=f"Dot chart: median of days between releases. Countries: {between}. Laboratories: {told or NOT_ENOUGH}.",
            data={"rows": [{"name": label(row)} for row in labs], "dots": dots, "medians": medians},
            height=22 * max(len(labs), 2),
        ),
    )


def numbers(story: Story, labs: Rows, countries: dict[str, dict[str, Any]]) -> Table:
    medians = [(f"{story.name(code)}, its laboratories", countries[code]) for code in LEADERS if code in countries]
    return Table(
        "Cadence by laboratory, and the two countries' medians",
        ("Laboratory", "Cadence", "Days between releases", "Releases", "Variants", "A release", "Weeks with a release"),
        tuple(
            (
                name,
                NOT_ENOUGH if row["median_days_between_releases"] is None else row["cadence"],
                NOT_ENOUGH
                if row["median_days_between_releases"] is None
                else in_days(row["median_days_between_releases"]),
                count(row["releases"]),
                count(row["variants"]),
                "–" if row["variants_per_release"] is None else f"{row['variants_per_release']:.1f}",
                percent(row["active_week_share"]),
            )
            for name, row in [*medians, *((label(row), row) for row in labs)]
        ),
        frozenset({2, 3, 4, 5, 6}),
    )


def last_releases(story: Story, latest: Rows) -> Table:
    return Table(
        "The last releases",
        ("Family", "Laboratory", "Country", "Released", "Day known by", "Variants", "Puts out"),
        tuple(
            (
                display_name(row["family"]),
                display_name(row["organization"]),
                story.name(row["country_code"]),
                row["released_at"].isoformat(),
                {"first_sight": "first sight", "created_at": "creation"}.get(
                    row["release_date_source"], row["release_date_source"]
                ),
                count(row["variants"]),
                row["modality"] or "–",
            )
            for row in latest
        ),
        frozenset({5}),
    )


# The largest laboratories of each of the two and of all others, grouped so; and the two countries.
CADENCES = """
    with

    cadences as (
        select *
        from marts.mart_release_cadence
        where snapshot_date = $snapshot_date
    ),

    downloads as (
        select organization, country_code, cast(sum(downloads) as bigint) as downloads
        from marts.mart_daily_organization_share
        where snapshot_date = $snapshot_date
            and metric = $metric
            and attribution = 'uploader'
        group by organization, country_code
    ),

    labs as (
        select
            cadences.*,
            coalesce(downloads.downloads, 0) as downloads,
            case
                when list_contains($leaders, cadences.country_code) then cadences.country_code
                else '(others)'
            end as grouped
        from cadences
        left join downloads
            on cadences.organization = downloads.organization
            and cadences.country_code = downloads.country_code
        where cadences.level = 'organization'
    ),

    placed as (
        select
            *,
            row_number() over (
                partition by grouped
                order by downloads desc, organization
            ) as place
        from labs
    ),

    final as (
        select
            level, organization, country_code, cadence, median_days_between_releases, releases, variants, variants_per_release,
            active_week_share, repository_week_share, downloads
        from placed
        where place <= case when grouped = '(others)' then $of_others else $of_a_leader end
        union all
        select
            level, organization, country_code, cadence, median_days_between_releases, releases, variants, variants_per_release,
            active_week_share, repository_week_share, null as downloads
        from cadences
        where level = 'country'
            and list_contains($leaders, country_code)
    )

    select *
    from final
    order by
        level desc,
        coalesce(list_position($leaders, country_code), 1000),
        downloads desc,
        organization
"""

WEEKLY = """
    select week_start, organization, country_code, releases, variants, repositories
    from marts.mart_weekly_release_frequency
    where organization in (select unnest($labs))
        and week_start between $first and $last
    order by list_position($labs, organization), week_start
"""

LATEST = """
    select family, organization, country_code, released_at, release_date_source, variants, modality
    from marts.fct_releases
    where released_at <= $last
    order by released_at desc, organization, family
    limit $shown
"""
