"""A few rows as a table for Dagster's metadata. Which rows is the caller's choice."""

import dagster as dg
import duckdb

from orchestration.foreign_text import markdown_cell


def as_markdown(result: duckdb.DuckDBPyConnection) -> dg.MarkdownMetadataValue:
    """The rows of an executed query as a Markdown table."""
    names = [column[0] for column in result.description]
    lines = [["---"] * len(names), *([markdown_cell(value) for value in row] for row in result.fetchall())]
    return dg.MetadataValue.md("\n".join("| " + " | ".join(line) + " |" for line in [names, *lines]))
