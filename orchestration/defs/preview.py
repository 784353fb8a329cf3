"""A few rows as a table for Dagster's metadata. Which rows is the caller's choice."""

import dagster as dg
import duckdb

LONGEST_CELL = 60


def as_markdown(result: duckdb.DuckDBPyConnection) -> dg.MarkdownMetadataValue:
    """The rows of an executed query as a Markdown table."""
    names = [column[0] for column in result.description]
    lines = [names, ["---"] * len(names), *result.fetchall()]
    return dg.MetadataValue.md("\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines))


def _cell(value) -> str:
    """Names come from strangers: nothing in them may act as Markdown or HTML."""
    text = "" if value is None else str(value)[:LONGEST_CELL]
    return text.replace("|", "¦").replace("<", "‹").replace("`", "'").replace("[", "(").replace("\n", " ")
