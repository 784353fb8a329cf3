"""The named queries that stand with every mart's description in dbt, as a table of the version that analysts read.
Which values they give on made-up days, and that they ask what their question says, is for `tests/dbt`."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.publishing.layout import SCHEMA, text_literal

TABLE = "examples"
DESCRIPTION = (
    "Queries to begin with, at least two for every table, each with the question that it answers; they run as they stand "
    "here, on this version. Where one names no day, it asks about the last one or about all. One row per query."
)
COLUMNS = {
    "name": "The question in small letters, digits and underscores: what to call the query by.",
    "question": "What the query answers, in words.",
    "table_name": "The table whose example it is; others may be joined to it.",
    "sql": "The query itself, one statement.",
}


@dataclass(frozen=True)
class Example:
    """A query and its question, as the table has them."""

    name: str
    question: str
    table_name: str
    sql: str


def read_examples(manifest: Path) -> list[Example]:
    """The examples of all models and seeds in dbt's manifest (`meta: examples`), by table and in their written order.

    Raises `ValueError` if two have the same name.
    """
    nodes = json.loads(manifest.read_bytes())["nodes"].values()
    examples = [
        Example(name_of(example["question"]), example["question"], node["name"], example["sql"].strip())
        for node in sorted(nodes, key=lambda node: node["name"])
        if node["resource_type"] in ("model", "seed")
        for example in node["config"].get("meta", {}).get("examples", [])
    ]
    names = [example.name for example in examples]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"Found two example queries called {', '.join(twice)}; expected a name each. "
            "Do this: word one of the questions in the marts' YAML otherwise."
        )
    return examples


def name_of(question: str) -> str:
    """The question as a name: `how_much_of_china_s_share_is_new`."""
    return re.sub(r"[^a-z0-9]+", "_", question.lower()).strip("_")


def create_examples(connection: duckdb.DuckDBPyConnection, examples: Iterable[Example]) -> None:
    """The table, described and filled, in schema `marts` of the current catalogue."""
    name = f"{SCHEMA}.{TABLE}"
    connection.execute(f"create table {name} ({', '.join(f'{column} varchar not null' for column in COLUMNS)})")
    rows = [
        f"({', '.join(map(text_literal, (example.name, example.question, example.table_name, example.sql)))})"
        for example in sorted(examples, key=lambda example: example.name)
    ]
    if rows:
        connection.execute(f"insert into {name} values {', '.join(rows)}")
    connection.execute(f"comment on table {name} is {text_literal(DESCRIPTION)}")
    for column, description in COLUMNS.items():
        connection.execute(f"comment on column {name}.{column} is {text_literal(description)}")


def examples_that_fail(connection: duckdb.DuckDBPyConnection, catalogue: str) -> list[str]:
    """Examples that the catalogue's tables can't answer, each with the reason. They are planned, not run."""
    failing = []
    for name, sql in connection.execute(f"select name, sql from {catalogue}.{SCHEMA}.{TABLE} order by name").fetchall():
        try:
            connection.execute(f"explain {sql}")
        except duckdb.Error as error:
            failing.append(f"{TABLE}: {name} can't be planned: {str(error).splitlines()[0]}")
    return failing


def example_lines(examples: Sequence[Example]) -> list[str]:
    """A table's examples for the dictionary, in Markdown."""
    return [
        line
        for example in examples
        for line in (f"{example.question} (`{example.name}`)", "", "```sql", example.sql, "```", "")
    ]
