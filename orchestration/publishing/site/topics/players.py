"""How many large independent developers each country has, month by month, by how large.
Who counts as one is the mart's definition; relative adoption of single releases is in `adoption`."""

from datetime import date

from orchestration.publishing.site.answers import Answer, Rows, ask
from orchestration.publishing.site.figures import Figure, Switch, View
from orchestration.publishing.site.marks import leader_colour
from orchestration.publishing.site.topics.topic import Story, Table, Topic
from orchestration.publishing.site.words import count, percent

COUNTRIES_SHOWN = 12


def players(story: Story) -> Topic:
    answer = ask(story.connection, PLAYERS, {"month": story.ground.snapshot_date.replace(day=1)})
    heading, anchor = "Independent players", "players"
    if not answer.rows:
        return Topic(anchor, heading, "No row of mart_monthly_independent_players is there yet.")
    month = max(row["month"] for row in answer.rows)
    latest = [row for row in answer.rows if row["month"] == month]
    return Topic(
        anchor,
        heading,
        finding(latest, month),
        (by_country(story, answer, latest, month),),
        (numbers(story, answer),),
    )


def in_words(threshold: int) -> str:
    return {100_000: "0.1 million", 1_000_000: "1 million", 10_000_000: "10 million"}.get(threshold, count(threshold))


def month_in_words(month: date, rows: Rows) -> str:
    partial = any(row["is_partial_month"] for row in rows)
    return f"{month.strftime('%B %Y')}{' (so far)' if partial else ''}"


def finding(latest: Rows, month: date) -> str:
    def of(code: str, threshold: int) -> int:
        return sum(r["organizations"] for r in latest if (r["country_code"], r["threshold"]) == (code, threshold))

    return (
        f"In {month_in_words(month, latest)}, China has {of('CN', 1_000_000)} developers with more than a "
        f"million downloads in 30 "
        f"days and the United States have {of('US', 1_000_000)}; with more than ten million, {of('CN', 10_000_000)} and "
        f"{of('US', 10_000_000)}."
    )


def by_country(story: Story, answer: Answer, latest: Rows, month: date) -> Figure:
    views = {}
    thresholds = sorted({row["threshold"] for row in latest})
    for threshold in thresholds:
        found = [row for row in latest if row["threshold"] == threshold and row["organizations"]]
        shown = sorted(found, key=lambda row: (-row["organizations"], row["country_code"]))[:COUNTRIES_SHOWN]
        bars = [
            {
                "name": story.name(row["country_code"]),
                "value": row["organizations"],
                "text": count(row["organizations"]),
                "more": f"the two largest have {percent(row['top_2_share'])} of the country's downloads",
                "colour": leader_colour(row["country_code"]),
            }
            for row in shown
        ]
        views[str(threshold)] = View(
            title="Large independent developers, by country",
            subtitle=(f"With more than {in_words(threshold)} downloads in 30 days,", month_in_words(month, latest)),
            alt=f"Bar chart: developers with more than {in_words(threshold)} downloads in 30 days, by country, "
            f"{month_in_words(month, latest)}: "
            + (", ".join(f"{b['name']} {b['text']}" for b in bars[:5]) or "none")
            + ".",
            data={"bars": bars},
            params={"top": max([bar["value"] for bar in bars] + [1]) * 1.15, "format": "d", "measure": None},
            height=24 * max(len(bars), 2),
        )
    return Figure(
        name="players",
        kind="bars",
        heading="Large independent developers, by country",
        caption="A company's laboratories are one. Neither repackagers nor individuals count. Countries with none above the "
        "threshold are not drawn.",
        definition="Parent organisations with a country and more downloads in 30 days than the threshold, on the last loaded day "
        "of the month.",
        answer=answer,
        basis="downloads",
        views=views,
        switches=(Switch("More than, in 30 days", tuple((str(each), in_words(each)) for each in thresholds)),),
    )


def numbers(story: Story, answer: Answer) -> Table:
    """The two countries by month and threshold, the latest month first."""
    shown = sorted(
        (row for row in answer.rows if row["country_code"] in ("CN", "US")),
        key=lambda row: (-row["month"].toordinal(), row["country_code"], row["threshold"]),
    )
    return Table(
        "Large independent developers of China and the United States, by month",
        ("Month", "Country", "More than", "Developers", "The two largest have"),
        tuple(
            (
                month_in_words(row["month"], [row]),
                story.name(row["country_code"]),
                in_words(row["threshold"]),
                count(row["organizations"]),
                percent(row["top_2_share"]),
            )
            for row in shown
        ),
        frozenset({3, 4}),
    )


PLAYERS = """
    select month, country_code, threshold, organizations, top_2_share, is_partial_month
    from marts.mart_monthly_independent_players
    where month <= $month
    order by month, threshold, organizations desc, country_code
"""
