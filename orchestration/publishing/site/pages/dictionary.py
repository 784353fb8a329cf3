"""The dictionary as a page: every public table with what it means, its grain and key, its columns, how it kept its promises,
queries to begin with, and what it is made from. The words are the database's own comments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from orchestration.publishing.candidate import Table, read_tables
from orchestration.publishing.examples import TABLE as EXAMPLES
from orchestration.publishing.layout import SCHEMA, quoted
from orchestration.publishing.quality_facts import quality_of_tables
from orchestration.publishing.site.answers import Rows, rows
from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.lineage import Drawing, Lineage, Node, drawing_of
from orchestration.quality.score import SCORE_MEANS
from orchestration.quality.suites import MADE_AT_PUBLICATION, PUBLISHED_TABLES

if TYPE_CHECKING:
    import jinja2

DICTIONARY_PAGE = "dictionary.html"
GRAIN = "One row per "


@dataclass(frozen=True)
class Entry:
    """A table of the dictionary. `drawing` is None where its lineage isn't known."""

    table: Table
    description: str
    grain: str | None
    key: tuple[str, ...]
    rows: int | None  # None of a view over files that nobody has counted
    quality: str
    examples: Rows  # question, sql
    parents: list[Node]
    sources: list[Node]
    children: list[Node]
    drawing: Drawing | None


def read_dictionary(connection: duckdb.DuckDBPyConnection, counted: Mapping[str, int], lineage: Lineage) -> list[Entry]:
    """Every table and view of the schema by name. `counted` has rows by table where they are known already."""
    catalogue = connection.execute("select current_database()").fetchone()[0]
    tables = read_tables(connection, catalogue)
    names = [table.name for table in tables]
    quality = quality_of_tables(connection, [name for name in names if name not in MADE_AT_PUBLICATION])
    examples = examples_by_table(connection, names)
    views = {row["view_name"] for row in rows(connection, VIEWS, {"schema": SCHEMA})}
    return [
        entry_of(
            table,
            lineage,
            count=counted.get(table.name) if table.name in views else count_rows(connection, table, counted),
            quality=quality.get(table.name, ""),
            examples=examples.get(table.name, []),
        )
        for table in tables
    ]


def entry_of(table: Table, lineage: Lineage, *, count: int | None, quality: str, examples: Rows) -> Entry:
    text = " ".join(table.description.split())
    before, found, grain = text.rpartition(GRAIN)
    key = lineage.id_of(table.name)
    return Entry(
        table=table,
        description=before.strip() if found else text,
        grain=found + grain if found else None,
        key=tuple((PUBLISHED_TABLES | MADE_AT_PUBLICATION).get(table.name) or ()),
        rows=count,
        quality=quality,
        examples=examples,
        parents=lineage.parents(key) if key else [],
        sources=lineage.sources(key) if key else [],
        children=lineage.children(key) if key else [],
        drawing=drawing_of(lineage, key) if key else None,
    )


def count_rows(connection: duckdb.DuckDBPyConnection, table: Table, counted: Mapping[str, int]) -> int:
    known = counted.get(table.name)
    if known is not None:
        return known
    return connection.execute(f"select count(*) from {SCHEMA}.{quoted(table.name)}").fetchone()[0]


def examples_by_table(connection: duckdb.DuckDBPyConnection, names: list[str]) -> dict[str, Rows]:
    """The queries that stand in the database, by table."""
    found: dict[str, Rows] = {}
    for row in rows(connection, EXAMPLE_QUERIES) if EXAMPLES in names else ():
        found.setdefault(row["table_name"], []).append(row)
    return found


def render_dictionary(environment: "jinja2.Environment", frame: Frame, entries: list[Entry], docs: str | None) -> str:
    """The page as text. `docs` is where dbt's own documentation lies below the site's root, None if it doesn't."""
    return environment.get_template("dictionary.html.j2").render(
        root="",
        ground=frame.ground,
        entries=entries,
        public={entry.table.name for entry in entries},
        score_means=SCORE_MEANS,
        schema=SCHEMA,
        docs=docs,
    )  # fmt: skip


VIEWS = """
    select view_name
    from duckdb_views()
    where schema_name = $schema and not internal
"""

EXAMPLE_QUERIES = """
    select table_name, question, sql
    from marts.examples
    order by table_name, name
"""
