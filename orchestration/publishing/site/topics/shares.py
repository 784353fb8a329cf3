"""Countries' shares of new models' downloads: the story's figure, by day and in every reading, and the day's figures beside
it. What is drawn how is in `kinds`; here it is asked and said."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import duckdb

from orchestration.publishing.site.answers import Answer, Rows, ask, rows
from orchestration.publishing.site.figures import Figure, Switch, View, one_view
from orchestration.publishing.site.ground import COVERAGE, LEADERS, NEIGHBOURS, POINTS_DRAWN, Ground, day_axis, thinned
from orchestration.publishing.site.marks import dash_of, leader_colour, line_colours, tint
from orchestration.publishing.site.naming import (
    ATTRIBUTIONS,
    DENOMINATORS,
    EU,
    OF_DENOMINATOR,
    SPECIAL_NAMES,
    Measure,
    display_name,
)
from orchestration.publishing.site.topics.timeline import covered_ground, gap_bands, numbered_marks
from orchestration.publishing.site.words import percent

BOUNDED = (*LEADERS, EU)
BOUNDS = ("day", "code", "share", "low", "high")
CROWDED = 0.55  # of the axis: beyond it a text to the right would run into the names at the lines' ends
LABEL_SHARE = 15 / 380  # of the chart's height, from one name at the lines' ends to the next
COUNTRIES_COMPARED = 10
ORGANIZATIONS_SHOWN = 8
OUTSIDE = {"all": (), "organizations": ("XC",), "located": tuple(SPECIAL_NAMES)}


def headline(connection: duckdb.DuckDBPyConnection, ground: Ground, codes: list[str]) -> Figure:
    """Countries' shares by day: a view for each measure at hand, attribution and denominator."""
    answer = ask(
        connection,
        SERIES,
        {
            "metrics": [measure.metric for measure in ground.measures],
            "codes": codes,
            "last_day": ground.snapshot_date,
        },
    )
    crossings = rows(connection, CROSSOVERS)
    by_view: dict[tuple, Rows] = {}
    for row in answer.rows:
        key = (row["metric"], row["window_days"], row["attribution"], row["denominator"])
        by_view.setdefault(key, []).append(row)
    drawn = frozenset(ground.drawn_days)
    views = {}
    for measure in ground.measures:
        for attribution, _ in ATTRIBUTIONS:
            for denominator, _ in DENOMINATORS:
                found = by_view.get((measure.metric, measure.window_days, attribution, denominator), [])
                reading = Reading(measure, attribution, denominator)
                views[f"{measure.key}/{attribution}/{denominator}"] = headline_view(
                    ground, reading, codes, found, crossings
                )
    return Figure(
        is_pictured=True,
        name="headline",
        kind="share_lines",
        heading="Countries' share, day by day",
        caption="Pale areas: the bounds of the shares of China, the United States and the EU-27, if all that isn't "
        "attributed were theirs or nobody's. Dashed and dotted: community and individuals, and what isn't attributed. A grey "
        "band is a day without a snapshot; nothing is drawn across it. A diamond: one country passed another and stayed ahead "
        "for seven days."
        + (
            f" A line over more than {POINTS_DRAWN} days is drawn through some of them; the CSV has all."
            if len(drawn) < len(ground.days)
            else ""
        ),
        definition=ground.lead.meaning
        + " A share is the part of the country where the developer has its headquarters: by "
        "uploader, of whoever holds the repository; by origin, of whoever made the root of its declared lineage. A denominator "
        "changes what a share is a share of, never a country's own downloads.",
        answer=answer,
        views=views,
        switches=(
            *([Switch("What is counted", tuple((m.key, m.label) for m in ground.measures))]),
            Switch("Whose a model is", ATTRIBUTIONS),
            Switch("Share of", DENOMINATORS),
        ),
    )


@dataclass(frozen=True)
class Reading:
    """One way to read the question."""

    measure: Measure
    attribution: str
    denominator: str


def headline_view(whole: Ground, reading: Reading, codes: list[str], found: Rows, crossings: Rows) -> View:
    ground = covered_ground(whole, found)
    drawn = frozenset(thinned(ground.calendar, {row["snapshot_date"] for row in found}, POINTS_DRAWN))
    inside = [code for code in codes if code not in OUTSIDE[reading.denominator]]
    colours = line_colours([code for code in codes if code != EU] + [EU])
    series = full_series(ground, inside, found, drawn)
    bounded = [{name: row[name] for name in BOUNDS} for row in series if row["code"] in BOUNDED]
    highest = max(
        (value for row in series for value in (row["share"], bounded_high(row)) if value is not None), default=0
    )
    gaps = gap_bands(ground, found, drawn)
    events = numbered_marks(whole, ground.days[0]["snapshot_date"])
    crossed = crossover_marks(ground, reading, crossings, found, drawn)
    top = max(highest, 0.05) * (1.28 if gaps or events else 1.08)
    for row in [*series, *bounded]:
        row["colour"] = colours[row["code"]]
    for row in series:
        is_leader = row["code"] in LEADERS
        row["dash"], row["width"] = dash_of(row["code"]), 3.5 if is_leader else 1.5
        row["size"] = (60 if is_leader else 18) if len(drawn) <= 45 else (14 if is_leader else 4)
    latest = {row["code"]: row for row in series if row["day"] == ground.snapshot_date and row["share"] is not None}
    china, states = (latest.get(code, {}).get("share") for code in LEADERS)
    by = f"by {reading.attribution}, {OF_DENOMINATOR[reading.denominator]} downloads"
    return View(
        title="New models' downloads, by country",
        subtitle=(*reading.measure.subtitle, by),
        alt=f"Line chart: countries' share of new models' downloads ({reading.measure.label}), {by}, by day up to "
        f"{ground.snapshot_date.isoformat()}. On that day China has {percent(china)}, the United States {percent(states)}.",
        data={
            "series": series,
            "bounds": bounded,
            "lone": lone_days(bounded),
            "ends": end_labels(list(latest.values()), top),
            "gaps": gaps,
            "events": events,
            "crossovers": crossed,
        },
        params=day_axis([row["snapshot_date"] for row in ground.days]) | {"top": round(top, 4)},
    )


def bounded_high(row: dict[str, Any]) -> float | None:
    return row["high"] if row["code"] in BOUNDED else None


def full_series(ground: Ground, codes: list[str], found: Rows, drawn: frozenset[date]) -> Rows:
    """A row for each code and drawn day. A complete day without a row of a country is a share of zero; any other day without
    one is no share at all. The leaders come last, so that their lines lie on top."""
    covered = {row["snapshot_date"] for row in found}
    shares = {(row["snapshot_date"], row["country_code"]): row for row in found if row["snapshot_date"] in drawn}
    table = []
    for code in sorted(codes, key=lambda code: (code in LEADERS, code == LEADERS[0])):
        for day in sorted(drawn):
            row = shares.get((day, code))
            none = None if day not in covered else 0
            table.append(
                {
                    "day": day,
                    "label": day.isoformat(),
                    "code": code,
                    "name": ground.name(code),
                    "share": row["share"] if row else none,
                    "low": row["share_low"] if row else none,
                    "high": row["share_high"] if row else none,
                    "downloads": row["downloads"] if row else none,
                    "models": row["models"] if row else none,
                }
            )
    return table


def crossover_marks(ground: Ground, reading: Reading, crossings: Rows, found: Rows, drawn: frozenset[date]) -> Rows:
    """Where one drawn country passed another for good, at the share that it had on that day."""
    shares = {(row["snapshot_date"], row["country_code"]): row["share"] for row in found}
    marks = []
    for row in crossings:
        key = (row["crossover_date"], row["leader_country_code"])
        is_of_this = (row["metric"], row["window_days"], row["attribution"]) == (
            reading.measure.metric,
            reading.measure.window_days,
            reading.attribution,
        )
        both_drawn = key in shares and (row["crossover_date"], row["passed_country_code"]) in shares
        if is_of_this and both_drawn and set(LEADERS) & {row["leader_country_code"], row["passed_country_code"]}:
            passed = f"{ground.name(row['leader_country_code'])} passes {ground.name(row['passed_country_code'])}"
            marks.append(
                {
                    "day": row["crossover_date"].isoformat(),
                    "share": shares[key],
                    "text": f"{passed}, {row['crossover_date'].isoformat()}",
                    "side": side_of(ground, row["crossover_date"]),
                }
            )
    return marks


def side_of(ground: Ground, day: date) -> str:
    """To which side of its mark a text has room."""
    first, last = ground.days[0]["snapshot_date"], ground.days[-1]["snapshot_date"]
    return "left" if (day - first).days > CROWDED * (last - first).days else "right"


def lone_days(bounded: Rows) -> Rows:
    """Rows whose neighbours have no share: an area has no width there, so that their bounds need a line."""
    lone = []
    for _, group in groupby(bounded, key=lambda row: row["code"]):
        days = list(group)
        for place, row in enumerate(days):
            around = days[max(place - 1, 0) : place] + days[place + 1 : place + 2]
            if row["share"] is not None and all(other["share"] is None for other in around):
                lone.append(row)
    return lone


def end_labels(latest: Rows, top: float) -> Rows:
    """Name and share at each line's end, moved apart where they would overlap. `at` is in units of share."""
    spacing = top * LABEL_SHARE
    labels = []
    lowest_free = 0.0
    for row in sorted(latest, key=lambda row: (row["share"], row["code"])):
        at = max(row["share"], lowest_free)
        lowest_free = at + spacing
        short = END_NAMES.get(row["code"]) or row["name"]
        labels.append(
            {
                "day": row["day"],
                "at": at,
                "code": row["code"],
                "colour": row["colour"],
                "text": f"{short if len(short) <= 14 else short[:13] + '…'} {row['share']:.1%}",
                "weight": "bold" if row["code"] in LEADERS else "normal",
            }
        )
    return labels


END_NAMES = {"XC": "Community"}


def drawn_countries(countries: Rows) -> list[str]:
    """The two leaders, the EU-27, the next few countries by rank, the EU's largest among them, and what has no country:
    never hidden."""
    ranked = sorted((row for row in countries if row["rank"] is not None), key=lambda row: row["rank"])
    neighbours = [row["country_code"] for row in ranked if row["country_code"] not in LEADERS][:NEIGHBOURS]
    of_the_eu = largest_of_the_eu(countries)
    if of_the_eu and of_the_eu["country_code"] not in neighbours:
        neighbours[-1] = of_the_eu["country_code"]
    special = [code for code in SPECIAL_NAMES if any(row["country_code"] == code and row["share"] for row in countries)]
    return [*LEADERS, EU, *neighbours, *special]


def largest_of_the_eu(countries: Rows) -> dict[str, Any] | None:
    """The member of the EU with most of the lead's downloads; none where no member has any."""
    members = [row for row in countries if row["is_eu_member"] and row["rank"] is not None and row["downloads"] > 0]
    return min(members, key=lambda row: (row["rank"], row["country_code"]), default=None)


def organizations(connection: duckdb.DuckDBPyConnection, ground: Ground, leader: str) -> Figure:
    """A leader's downloads in the lead measure by organisation: held as uploader, and developed as origin."""
    answer = ask(
        connection,
        ORGANIZATIONS,
        ground.on_day | {"country_code": leader, "shown": ORGANIZATIONS_SHOWN},
    )
    bars = [
        {
            "name": display_name(row["organization"]),
            "by": row["attribution"],
            "share": row["share_of_country"],
            "downloads": row["downloads"],
            "colour": leader_colour(leader) if row["attribution"] == "uploader" else tint(leader),
            "place": row["place"],
        }
        for row in answer.rows
    ]
    name = ground.name(leader)
    return Figure(
        is_pictured=True,
        name={"CN": "china", "US": "states"}[leader],
        kind="paired_bars",
        heading=f"Who makes up {'China’s' if leader == 'CN' else 'the United States’'} share",
        caption=f"{name}, {ground.snapshot_date.isoformat()}. Dark: held as uploader. Light: developed as origin.",
        definition=f"Each organisation's part of {name}'s downloads. {ground.lead.meaning}",
        answer=answer,
        views=one_view(
            title={"CN": "Who makes up China's share", "US": "Who makes up the US share"}[leader],
            subtitle=("Part of the country's downloads of new models", "dark: by uploader, light: by origin"),
            alt=f"Bar chart: {in_words(name, bars)}",
            data={"bars": bars},
            params={"top": round(max([bar["share"] for bar in bars] + [0.01]) * 1.22, 4)},
            height=38 * max(len({bar["name"] for bar in bars}), 1),
        ),
    )


def in_words(name: str, bars: Rows) -> str:
    held = [bar for bar in bars if bar["by"] == "uploader"]
    if not held:
        return f"no organisation of {name} has downloads of new models on this day."
    parts = ", ".join(f"{bar['name']} {percent(bar['share'])}" for bar in held[:3])
    return f"organisations' part of {name}'s downloads of new models by uploader, first {parts}."


def attributions(ground: Ground, countries: Answer) -> Figure:
    """Each country's share by uploader and by origin, a line from one to the other."""
    special = [row for row in countries.rows if row["country_code"] in SPECIAL_NAMES]
    located = [row for row in countries.rows if row["country_code"] not in SPECIAL_NAMES]
    located = sorted(located, key=lambda row: (-max(row["share"], row["origin_share"]), row["country_code"]))
    shown = [*located[:COUNTRIES_COMPARED], *special]
    lines = [
        {
            "name": ground.name(row["country_code"]),
            "place": place,
            "share": row["share"],
            "origin_share": row["origin_share"],
        }
        for place, row in enumerate(shown)
    ]
    dots = [
        {
            "name": ground.name(row["country_code"]),
            "place": place,
            "by": by,
            "share": row[share],
            "downloads": row[downloads],
            "colour": leader_colour(row["country_code"]),
        }
        for place, row in enumerate(shown)
        for by, share, downloads in (("uploader", "share", "downloads"), ("origin", "origin_share", "origin_downloads"))
    ]
    by_code = {row["country_code"]: row for row in countries.rows}
    said = [
        f"{ground.name(code)} {percent(by_code.get(code, {}).get('share', 0))} and "
        f"{percent(by_code.get(code, {}).get('origin_share', 0))}"
        for code in LEADERS
    ]
    return Figure(
        is_pictured=True,
        name="attributions",
        kind="dumbbell",
        heading="Who holds models, who first made them",
        caption="Filled circle: by uploader. Hollow diamond: by origin. Where they lie far apart, much of a country's models "
        "reaches the world through other people's copies.",
        definition=ground.lead.meaning + " Each country's share by uploader and by origin, of all downloads.",
        answer=countries,
        views=one_view(
            title="Who holds models, who first made them",
            subtitle=(*ground.lead.subtitle, "● of the uploader, ◇ of the lineage's root (origin)"),
            alt=f"Dot chart: each country's share by uploader and by origin. {said[0]}, {said[1]}.",
            data={"lines": lines, "dots": dots},
            height=26 * max(len(lines), 2),
        ),
    )


BASES = {"models": "models", "downloads": "downloads", "new_downloads": "new downloads"}


def coverage(connection: duckdb.DuckDBPyConnection, ground: Ground) -> Figure:
    """How much of the Hub has a class at all, and how much has a place, by attribution and basis."""
    answer = ask(connection, COVERAGE, ground.on_day)
    bars = [
        {
            "what": f"{BASES.get(row['basis'], row['basis'])}, by {row['attribution']}",
            "place": place,
            "measure": measure,
            "share": row[column],
        }
        for place, row in enumerate(answer.rows)
        for measure, column in (("classed", "classed_share"), ("located", "located_share"))
    ]
    return Figure(
        is_pictured=True,
        name="coverage",
        kind="coverage",
        heading="How much could be attributed",
        caption="Wide and pale: classed, anything but “not attributed”. Narrow and dark: located, a country or international. "
        "Persons are classed as community and never located.",
        definition="Classed: anything but XX. Located: a country, or international. Of all models, of their 30-day downloads, "
        "and of the new models' 30-day downloads.",
        answer=answer,
        basis=None,
        views=one_view(
            title="Attributed so far",
            subtitle=("Part of all models, of their 30-day downloads,", "and of the new models' 30-day downloads"),
            alt="Bar chart: how much of models, of downloads and of new models' downloads has a class, and how much has a "
            "place. The table below it has the numbers.",
            data={"bars": bars},
            height=30 * max(len(answer.rows), 2),
        ),
    )


# Sums of shares are rounded, as all published numbers are: in which order they are added is not for us to say.
# The EU-27 is a sum of its members: its bounds are what it would have with none, and with all, of what isn't attributed.
SERIES = """
    with

    shares as (
        select *
        from marts.mart_daily_country_share
        where metric in (select unnest($metrics))
            and snapshot_date <= $last_day
    ),

    countries as (
        select
            metric, window_days, attribution, denominator, snapshot_date, country_code,
            downloads, total_downloads, models, share, share_low, share_high
        from shares
        where country_code in (select unnest($codes))
    ),

    union_of_27 as (
        select
            shares.metric, shares.window_days, shares.attribution, shares.denominator, shares.snapshot_date,
            'EU' as country_code,
            cast(sum(shares.downloads) as bigint) as downloads,
            any_value(shares.total_downloads) as total_downloads,
            cast(sum(shares.models) as bigint) as models,
            round(sum(shares.share), 12) as share,
            round(sum(shares.share_low), 12) as share_low,
            round(sum(shares.share_low) + max(shares.share_high - shares.share_low), 12) as share_high
        from shares
        inner join marts.dim_countries as members
            on shares.country_code = members.country_code
        where members.is_eu_member
        group by all
    )

    select * from countries
    union all
    select * from union_of_27
    order by metric, window_days, attribution desc, denominator, snapshot_date, country_code
"""

CROSSOVERS = """
    select *
    from marts.mart_country_crossovers
    order by crossover_date, leader_country_code, passed_country_code
"""

# The largest by either attribution; what is smaller joins the mart's own '(other)', so that each bar chart sums to 1.
ORGANIZATIONS = """
    with

    organizations as (
        select organization, attribution, downloads, share_of_country
        from marts.mart_daily_organization_share
        where snapshot_date = $snapshot_date
            and metric = $metric
            and window_days = $window_days
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
    )

    select
        case
            when ranked.place <= $shown then organizations.organization
            else '(other)'
        end as organization,
        organizations.attribution,
        cast(sum(organizations.downloads) as bigint) as downloads,
        round(sum(organizations.share_of_country), 12) as share_of_country,
        min(coalesce(ranked.place, 1000000)) as place
    from organizations
    left join ranked
        on organizations.organization = ranked.organization
    group by 1, 2
    order by place, 1, attribution desc
"""
