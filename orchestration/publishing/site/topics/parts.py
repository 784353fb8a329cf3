"""What countries' downloads are made up of: the question, its rows as bars of parts, as a table, and as a share of one part.
Which parts there are, what they are called, and what is found in them, is for each topic."""

from dataclasses import dataclass
from typing import Any

from orchestration.publishing.site.answers import Answer, Rows
from orchestration.publishing.site.figures import Figure, View
from orchestration.publishing.site.marks import OTHER_COLOUR
from orchestration.publishing.site.topics.topic import (
    COMPARED,
    WORLD,
    Story,
    Table,
    by_words,
    of_reading,
    placed,
    readings,
    switches_of,
)
from orchestration.publishing.site.words import count, percent

# A smaller part has no room for its share in words, on a phone (2026-11-29).
PART_WRITTEN = 0.09


@dataclass(frozen=True)
class Parts:
    """A column that parts all downloads: each value's colour, in the order of the bars, and its words where they differ."""

    column: str
    colours: dict[str, str]
    words: dict[str, str]

    def word(self, value: str) -> str:
        return self.words.get(value, value)


def parts_figure(
    story: Story,
    answer: Answer,
    parts: Parts,
    *,
    name: str,
    title: str,
    by_what: str,
    told_part: str,
    told_words: str,
    caption: str,
    definition: str,
    counted_how: str = "",
) -> Figure:
    """Each country's downloads as a bar of parts, in every reading. In words it tells one part, `told_part`, of those that
    are compared; `by_what` and `told_words` are how the sentence names the parts and that one."""
    views = {}
    for counted, attribution in readings(story):
        found = of_reading(answer, counted, attribution)
        bars = parts_of(found, parts, story)
        told = [
            f"{story.name(code)} {percent(share_of(found, counted.metric, attribution, code, parts.column, told_part))}"
            for code in COMPARED
        ]
        views[f"{counted.metric}/{attribution}"] = View(
            title=title,
            subtitle=(f"Part of each country's {counted.phrase},", by_words(attribution) + counted_how),
            alt=f"Bars of parts: {counted.phrase} of each country by {by_what}, {by_words(attribution)}. {told_words}, of "
            + ", ".join(told)
            + ". The table below has every number.",
            data={"bars": bars},
            params=legend_of(bars, parts) | {"top": 1},
            height=24 * max(len({bar["name"] for bar in bars}), 2),
        )
    return Figure(
        name=name,
        kind="stacked_bars",
        heading=title,
        caption=caption,
        definition=definition,
        answer=answer,
        basis=story.lead.basis,
        views=views,
        switches=switches_of(story),
    )


def parts_table(
    story: Story, answer: Answer, parts: Parts, *, label: str, column: str, further: dict[str, str] | None = None
) -> Table:
    """The lead reading, by uploader, of those that are compared, in the order of the bars; `further` columns are counts."""
    order, further = list(parts.colours), further or {}
    found = [row for row in of_reading(answer, story.lead, "uploader") if row["country_code"] in COMPARED]

    def place(row: dict[str, Any]) -> tuple[int, int, str]:
        value = row[parts.column]
        return COMPARED.index(row["country_code"]), order.index(value) if value in order else len(order), value

    return Table(
        f"{label}: {story.lead.phrase}, by uploader",
        ("Country", column, "Share of country", "Downloads", "Models", *further.values()),
        tuple(
            (
                story.name(row["country_code"]),
                parts.word(row[parts.column]),
                percent(row["share_of_country"], 2),
                *(count(row[name]) for name in ("downloads", "models", *further)),
            )
            for row in sorted(found, key=place)
        ),
        frozenset(range(2, 5 + len(further))),
    )


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

{placed()},

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


def parts_of(found: Rows, parts: Parts, story: Story) -> Rows:
    """The bars of one reading: each country's parts from left to right, in the order of the colours."""
    order = list(parts.colours)
    bars = []
    for code in [*story.codes, WORLD]:
        left = 0.0
        of_country = {row[parts.column]: row for row in found if row["country_code"] == code}
        for name in sorted(of_country, key=lambda name: (order.index(name) if name in order else len(order), name)):
            row = of_country[name]
            share = row["share_of_country"] or 0
            if share <= 0:
                continue
            bars.append(
                {
                    "name": story.name(code),
                    "part": parts.word(name),
                    "from": left,
                    "to": left + share,
                    "middle": left + share / 2,
                    "share": share,
                    "text": f"{share:.0%}" if share >= PART_WRITTEN else "",
                    "ink": ink_on(parts.colours.get(name, OTHER_COLOUR)),
                    "downloads": row["downloads"],
                    "models": row["models"],
                }
            )
            left += share
    return bars


def legend_of(bars: Rows, parts: Parts) -> dict[str, list[str]]:
    """Only the parts that are drawn, in the order of the colours."""
    drawn = {bar["part"] for bar in bars}
    legend = {parts.word(name): colour for name, colour in parts.colours.items() if parts.word(name) in drawn}
    legend |= dict.fromkeys(sorted(drawn - set(legend)), OTHER_COLOUR)
    return {"parts": list(legend), "colours": list(legend.values())}


def share_of(found: Rows, metric: str, attribution: str, code: str, part: str, value: Any) -> float | None:
    """A country's share of a part; zero where the country has downloads and none of them, none where it has none."""
    of_country = [
        row for row in found if (row["metric"], row["attribution"], row["country_code"]) == (metric, attribution, code)
    ]
    if not any(row["downloads"] for row in of_country):
        return None
    return sum(row["share_of_country"] or 0 for row in of_country if row[part] == value)
