"""How concentrated downloads are, among organisations and among models: in the world and within each of the two countries.
The indices are the mart's; here they are put into words."""

from typing import Any

from orchestration.publishing.site.answers import Answer, Rows, ask
from orchestration.publishing.site.figures import Figure, Switch
from orchestration.publishing.site.ground import LEADERS
from orchestration.publishing.site.marks import LEADER_COLOURS
from orchestration.publishing.site.naming import ATTRIBUTIONS
from orchestration.publishing.site.topics.timeline import Line, lines_view
from orchestration.publishing.site.topics.topic import Story, Table, Topic, by_words
from orchestration.publishing.site.words import percent

WORLD = "world"
SCOPES = (*LEADERS, WORLD)
ENTITIES = (("organization", "organisations"), ("model", "models"))
# Column, words, and how its axis and its numbers are written.
INDICES = (
    ("effective_entities", "effective number", ",.0f", ",.1f"),
    ("top_10_share", "the ten largest’s share", ".0%", ".1%"),
)


def concentration(story: Story) -> Topic:
    answer = ask(
        story.connection,
        CONCENTRATION,
        {
            "snapshot_date": story.ground.snapshot_date,
            "metric": story.lead.metric,
            "scopes": list(SCOPES),
        },
    )
    heading, anchor = "Concentration", "concentration"
    today = [row for row in answer.rows if row["snapshot_date"] == story.ground.snapshot_date]
    if not today:
        return Topic(anchor, heading, "No row of mart_daily_concentration is of this day.")
    return Topic(anchor, heading, finding(today), (over_time(story, answer, today),), (numbers(story, today),))


def name_of(scope: str) -> str:
    return {"CN": "China", "US": "United States"}.get(scope, "World")


def the_row(today: Rows, attribution: str, scope: str, entity: str) -> dict[str, Any] | None:
    for row in today:
        if (row["attribution"], row["scope"], row["entity"]) == (attribution, scope, entity):
            return row
    return None


def finding(today: Rows) -> str:
    told = []
    for scope, words in (("CN", "China’s"), ("US", "the United States’"), (WORLD, "all")):
        row = the_row(today, "uploader", scope, "organization")
        if row:
            told.append(f"{words} as if {row['effective_entities']:,.1f} equal organisations shared them")
    return (
        f"Downloads are concentrated, {'; '.join(told)}." if told else "No scope has a row by organisation on this day."
    )


def over_time(story: Story, answer: Answer, today: Rows) -> Figure:
    lines = [
        Line(
            scope,
            name_of(scope),
            LEADER_COLOURS.get(scope, "#767676"),
            "long" if scope == WORLD else "solid",
            scope in LEADERS,
        )
        for scope in SCOPES
    ]
    views = {}
    for column, words, axis, precise in INDICES:
        for entity, entities in ENTITIES:
            for attribution, _ in ATTRIBUTIONS:
                found = [r for r in answer.rows if (r["entity"], r["attribution"]) == (entity, attribution)]
                rows = {scope: the_row(today, attribution, scope, entity) for scope in SCOPES}
                told = ", ".join(
                    f"{name_of(scope)} {percent(row[column]) if precise.endswith('%') else format(row[column], precise)}"
                    for scope, row in rows.items()
                    if row
                )
                views[f"{column}/{entity}/{attribution}"] = lines_view(
                    story,
                    lines,
                    {(r["snapshot_date"], r["scope"]): (r[column], f"HHI {r['hhi']:.4f}") for r in found},
                    title=f"Concentration among {entities}: {words}",
                    subtitle=(f"Of {story.lead.phrase},", by_words(attribution)),
                    alt=f"Line chart: {words} of {entities} in {story.lead.phrase}, {by_words(attribution)}, by day. On the last "
                    f"day: {told}.",
                    number=axis,
                    precise=precise,
                )
    return Figure(
        name="concentration",
        kind="lines",
        heading="Concentration, day by day",
        caption="The effective number is how many equal ones would be as concentrated: 1 where one has "
        "everything. The fewer, the "
        "more concentrated.",
        definition="HHI is the sum of the squared shares, between 0 and 1; the effective number is 1 divided by it. An "
        "organisation is the seed's, else the account itself, persons included; shares are of the scope's own downloads.",
        answer=answer,
        basis=story.lead.basis,
        views=views,
        switches=(
            Switch("Number", tuple((column, words) for column, words, _, _ in INDICES)),
            Switch("Among", ENTITIES),
            Switch("Whose a model is", ATTRIBUTIONS),
        ),
    )


def numbers(story: Story, today: Rows) -> Table:
    return Table(
        f"Concentration of {story.lead.phrase}",
        ("Of", "Among", "Counted by", "HHI", "Effective number", "Largest", "Ten largest", "200 largest", "Gini"),
        tuple(
            (
                name_of(row["scope"]),
                {"organization": "organisations", "model": "models", "country": "countries"}[row["entity"]],
                row["attribution"],
                f"{row['hhi']:.4f}",
                f"{row['effective_entities']:,.1f}",
                percent(row["top_1_share"]),
                percent(row["top_10_share"]),
                percent(row["top_200_share"]),
                f"{row['gini']:.3f}",
            )
            for row in today
        ),
        frozenset(range(3, 9)),
    )


CONCENTRATION = """
    select
        snapshot_date, attribution, scope, entity, hhi, effective_entities, top_1_share, top_10_share, top_200_share, gini
    from marts.mart_daily_concentration
    where snapshot_date <= $snapshot_date
        and metric = $metric
        and scope in (select unnest($scopes))
        and entity in ('model', 'organization', 'country')
    order by
        case scope when 'world' then 1 when 'CN' then 2 else 3 end,
        case entity when 'country' then 1 when 'organization' then 2 else 3 end,
        attribution desc,
        snapshot_date
"""
