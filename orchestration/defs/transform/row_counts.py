"""What an operator asks first of a table that was just built: how many rows, how many of this run's days, and a few of them.
Read by our own connection, opened and closed between two dbt calls: dagster-dbt's way leaves the file open."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb

from orchestration.defs.preview import as_markdown

PREVIEW_ROWS = 5
# The public tables; of the others the count is enough.
PREVIEWED_LAYER = "marts"


def with_row_counts(events: Iterable, warehouse: Path, days: Sequence[date]) -> Iterator:
    """Pass on a layer's events; add to each built table's metadata its rows, the run's rows, and a preview of marts."""
    events = list(events)
    built = [context_key(event) for event in events if isinstance(event, dg.Output)]
    counted = count_rows(warehouse, built, days) if built and warehouse.exists() else {}
    for event in events:
        if isinstance(event, dg.Output):
            more = counted.get(context_key(event), {})
            yield dg.Output(event.value, output_name=event.output_name, metadata={**event.metadata, **more})
        else:
            yield event


def context_key(event: dg.Output) -> tuple[str, str]:
    """Layer and table of a dbt output, whose name is the asset key joined by two underscores."""
    layer, _, table = event.output_name.partition("__")
    return layer, table


def count_rows(warehouse: Path, tables: Sequence[tuple[str, str]], days: Sequence[date]) -> dict:
    """Metadata by (layer, table), from one read-only connection."""
    counted = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        daily = set(
            connection.execute(
                "select schema_name, table_name from duckdb_columns() where column_name = 'snapshot_date'"
            ).fetchall()
        )
        for layer, table in tables:
            name = f'{layer}."{table}"'
            where, given = (
                ("where snapshot_date in (select unnest(?))", [list(days)]) if (layer, table) in daily else ("", [])
            )
            metadata = {"dagster/row_count": connection.execute(f"select count(*) from {name}").fetchone()[0]}
            if given:
                of_run = connection.execute(f"select count(*) from {name} {where}", given).fetchone()[0]
                metadata["rows_of_this_run"] = of_run
                if len(days) == 1:
                    metadata["dagster/partition_row_count"] = of_run
            if layer == PREVIEWED_LAYER:
                metadata["preview"] = as_markdown(
                    connection.execute(f"select * from {name} {where} limit {PREVIEW_ROWS}", given)
                )
            counted[layer, table] = metadata
    return counted
