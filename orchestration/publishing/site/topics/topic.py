"""A topic of the front page: a heading, a sentence of finding that is computed from the rows, figures and the numbers.
Also what all topics share: which countries are compared, and which downloads are counted."""

from dataclasses import dataclass
from typing import Any

import duckdb

from orchestration.publishing.site.answers import Answer, Rows, rows
from orchestration.publishing.site.figures import Figure, Switch
from orchestration.publishing.site.ground import LEADERS, Ground
from orchestration.publishing.site.naming import ATTRIBUTIONS, EU

COUNTRIES_COMPARED = (
    8  # with the EU-27 and the community ten bars: what a phone shows without scrolling within the chart
)
WORLD, WORLD_NAME = "(world)", "All of them"
COMPARED = (*LEADERS, EU, WORLD)  # told in words and in tables, where charts have more
IN_A_SENTENCE = {"CN": "China", "US": "the United States", EU: "the EU-27"}
OF_A_COUNTRY = {"CN": "China’s", "US": "the United States’", EU: "the EU-27’s"}


@dataclass(frozen=True)
class Table:
    """Cells as text, the first of a row its header; `numbers` are the places of columns that are set to the right."""

    label: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Topic:
    """A section of the front page. Without figures, `finding` says why there are none."""

    anchor: str
    heading: str
    finding: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Counted:
    """Downloads that the marts of one snapshot sum up."""

    metric: str
    label: str
    phrase: str
    basis: str


NEW = "new models"
COUNTED = (
    Counted("new_trailing_30d", NEW, "30-day downloads of new models", "new_downloads"),
    Counted("trailing_30d", "all models", "30-day downloads", "downloads"),
)
# Where a source tells no 30-day counts.
COUNTED_SO_FAR = (
    Counted("new_created", NEW, "all downloads so far of new models", "new_downloads"),
    Counted("all_time", "all models", "all downloads so far", "downloads"),
)


@dataclass(frozen=True)
class Story:
    """What each topic is told on."""

    connection: duckdb.DuckDBPyConnection
    ground: Ground
    countries: Rows  # the latest day's, by share
    counted: tuple[Counted, ...]

    @property
    def lead(self) -> Counted:
        return self.counted[0]

    @property
    def codes(self) -> list[str]:
        """Countries to compare, in the order of charts: the two, the EU-27, the next by rank, and who has no country."""
        ranked = sorted((row for row in self.countries if row["rank"] is not None), key=lambda row: row["rank"])
        others = [row["country_code"] for row in ranked if row["country_code"] not in LEADERS]
        special = [
            row["country_code"] for row in self.countries if row["country_code"] in ("XC", "XX") and row["share"]
        ]
        return [*LEADERS, EU, *others[: COUNTRIES_COMPARED - len(LEADERS)], *sorted(special)]

    @property
    def on_day(self) -> dict[str, Any]:
        return {
            "snapshot_date": self.ground.snapshot_date,
            "metrics": [counted.metric for counted in self.counted],
            "codes": self.codes,
        }

    def name(self, code: str) -> str:
        return WORLD_NAME if code == WORLD else self.ground.name(code)


def read_story(connection: duckdb.DuckDBPyConnection, ground: Ground, countries: Rows) -> Story:
    at_hand = {row["metric"] for row in rows(connection, METRICS_OF_THE_DAY, {"snapshot_date": ground.snapshot_date})}
    counted = tuple(each for each in COUNTED if each.metric in at_hand)
    return Story(connection, ground, countries, counted or COUNTED_SO_FAR)


METRICS_OF_THE_DAY = """
    select distinct metric
    from marts.mart_daily_modality_share
    where snapshot_date = $snapshot_date
    order by metric
"""


def readings(story: Story) -> list[tuple[Counted, str]]:
    return [(counted, attribution) for counted in story.counted for attribution, _ in ATTRIBUTIONS]


def switches_of(story: Story) -> tuple[Switch, Switch]:
    """The choice among the readings."""
    return (
        Switch("What is counted", tuple((each.metric, each.label) for each in story.counted)),
        Switch("Whose a model is", ATTRIBUTIONS),
    )


def of_reading(answer: Answer, counted: Counted, attribution: str) -> Rows:
    return [row for row in answer.rows if (row["metric"], row["attribution"]) == (counted.metric, attribution)]


def by_words(attribution: str) -> str:
    return {"uploader": "by uploader", "origin": "by origin"}[attribution]


def placed(codes: str = "codes") -> str:
    """A step of a statement: the rows of `counted` once for each place that they count for, `place`: their own country, if
    it is among the parameter `codes`, the EU for its members, and the world."""
    return f"""    placed as (
        select counted.*, counted.country_code as place
        from counted
        where counted.country_code in (select unnest(${codes}))
        union all
        select counted.*, '{EU}' as place
        from counted
        inner join marts.dim_countries as members
            on counted.country_code = members.country_code
        where members.is_eu_member
        union all
        select counted.*, '{WORLD}' as place
        from counted
    )"""
