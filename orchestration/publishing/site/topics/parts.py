"""What countries' downloads are made up of: the question, and its rows as bars of parts and as a share of one part.
Which parts there are, and what is found in them, is for each topic."""

from typing import Any

from orchestration.publishing.site.answers import Rows
from orchestration.publishing.site.topics.topic import WORLD, Story

# A smaller part has no room for its share in words, on a phone (2026-11-29).
PART_WRITTEN = 0.09


def composition_sql(table: str, part: str, further: str = "") -> str:
    """How each of the countries' downloads are made up on the day, with the EU's members together and the world's.

    `table` and `part` are names of our own; `further` counts are columns that are summed as well.
    """
    sums = "".join(f",\n            cast(sum(counted.{name}) as bigint) as {name}" for name in further.split())
    names = "".join(f", {name}" for name in further.split())
    return f"""
    with

    counted as (
        select *
        from marts.{table}
        where snapshot_date = $snapshot_date
            and metric in (select unnest($metrics))
    ),

    placed as (
        select counted.*, counted.country_code as place
        from counted
        where counted.country_code in (select unnest($codes))
        union all
        select counted.*, 'EU' as place
        from counted
        inner join marts.dim_countries as members
            on counted.country_code = members.country_code
        where members.is_eu_member
        union all
        select counted.*, '(world)' as place
        from counted
    ),

    summed as (
        select
            counted.metric,
            counted.attribution,
            counted.place as country_code,
            counted.{part},
            cast(sum(counted.downloads) as bigint) as downloads,
            cast(sum(counted.models) as bigint) as models{sums}
        from placed as counted
        group by all
    )

    select
        metric,
        attribution,
        country_code,
        {part},
        downloads,
        downloads / nullif(sum(downloads) over (partition by metric, attribution, country_code), 0) as share_of_country,
        models{names}
    from summed
    order by
        metric,
        attribution desc,
        coalesce(list_position($codes, country_code), 1000),
        country_code,
        downloads desc,
        {part}
    """


def ink_on(colour: str) -> str:
    """Black or white, whichever is read better on the colour."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    lightness = sum(
        weight * (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
        for weight, value in ((0.2126, red), (0.7152, green), (0.0722, blue))
    )
    return "#000000" if (lightness + 0.05) / 0.05 > 1.05 / (lightness + 0.05) else "#FFFFFF"


def parts_of(found: Rows, part: str, colours: dict[str, str], words: dict[str, str], story: Story) -> Rows:
    """The bars of one reading: each country's parts from left to right, in the order of `colours`."""
    order = list(colours)
    bars = []
    for code in [*story.codes, WORLD]:
        left = 0.0
        of_country = {row[part]: row for row in found if row["country_code"] == code}
        for name in sorted(of_country, key=lambda name: (order.index(name) if name in order else len(order), name)):
            row = of_country[name]
            share = row["share_of_country"] or 0
            if share <= 0:
                continue
            bars.append(
                {
                    "name": story.name(code),
                    "part": words.get(name, name),
                    "from": left,
                    "to": left + share,
                    "middle": left + share / 2,
                    "share": share,
                    "text": f"{share:.0%}" if share >= PART_WRITTEN else "",
                    "ink": ink_on(colours.get(name, "#767676")),
                    "downloads": row["downloads"],
                    "models": row["models"],
                }
            )
            left += share
    return bars


def legend_of(bars: Rows, colours: dict[str, str], words: dict[str, str]) -> dict[str, list[str]]:
    """Only the parts that are drawn, in the order of the colours."""
    drawn = {bar["part"] for bar in bars}
    legend = {words.get(name, name): colour for name, colour in colours.items() if words.get(name, name) in drawn}
    legend |= {name: "#767676" for name in sorted(drawn - set(legend))}
    return {"parts": list(legend), "colours": list(legend.values())}


def share_of(found: Rows, metric: str, attribution: str, code: str, part: str, value: Any) -> float | None:
    """A country's share of a part; zero where the country has downloads and none of them, none where it has none."""
    of_country = [
        row for row in found if (row["metric"], row["attribution"], row["country_code"]) == (metric, attribution, code)
    ]
    if not any(row["downloads"] for row in of_country):
        return None
    return sum(row["share_of_country"] or 0 for row in of_country if row[part] == value)
