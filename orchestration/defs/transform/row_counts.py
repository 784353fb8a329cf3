"""What an operator asks first of a table that was just built: rows, in all and of each day, its columns, a few rows of it,
and the numbers that are worth a plot. Read by our own connection, opened and closed between two dbt calls: dagster-dbt's
way leaves the file open."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from orchestration.defs.preview import as_markdown
from orchestration.defs.transform.columns import built_columns, is_complete
from orchestration.quality.suites import PUBLISHED_TABLES

PREVIEW_ROWS = 5
# The public tables; of the others the count is enough.
PREVIEWED_LAYER = "marts"
CAPTURES = ("staging", "stg_hub__captures")
# Wherever numbers are shown that nobody may take for evidence.
SIMULATED = "SIMULATED: no evidence of anything"

# Numbers that Dagster draws over the days, by table: (day, name, value) for the days in $days. 2026-11-29.
NUMBERS = {
    ("marts", "mart_daily_country_share"): """
        select snapshot_date, 'share_' || country_code, share
        from marts.mart_daily_country_share
        where snapshot_date in (select unnest($days)) and country_code in ('CN', 'US', 'XX')
            and metric = 'new_trailing_30d' and attribution = 'uploader' and denominator = 'all'
    """,
    ("marts", "mart_attribution_coverage"): """
        select snapshot_date, 'located_' || basis || '_by_' || attribution, located_share
        from marts.mart_attribution_coverage
        where snapshot_date in (select unnest($days)) and basis <> 'models'
    """,
    ("marts", "mart_daily_concentration"): """
        select snapshot_date, 'effective_' || entity || 's', effective_entities
        from marts.mart_daily_concentration
        where snapshot_date in (select unnest($days)) and scope = 'world' and entity in ('model', 'organization')
            and metric = 'new_trailing_30d' and attribution = 'uploader'
    """,
    ("marts", "mart_daily_quality_score"): """
        select snapshot_date, 'score_' || step, score
        from marts.mart_daily_quality_score
        where snapshot_date in (select unnest($days))
        union all
        select snapshot_date, 'score_lowest', min(score)
        from marts.mart_daily_quality_score
        where snapshot_date in (select unnest($days))
        group by snapshot_date
    """,
}


@dataclass
class Counted:
    """Metadata of one built table: what holds for the whole of it, and what for each day of the run."""

    table: dict[str, Any] = field(default_factory=dict)
    of_day: dict[date, dict[str, Any]] = field(default_factory=dict)


def count_built(
    events: Sequence, warehouse: Path, days: Sequence[date], declared: Mapping[dg.AssetKey, dg.TableSchema]
) -> dict[dg.AssetKey, Counted]:
    """Look at each table that a layer's events say was built. `declared` has the columns that dbt's YAML describes."""
    built = [table_of(event) for event in events if isinstance(event, dg.Output)]
    if not built or not warehouse.exists():
        return {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        columns = _columns(connection)
        counted = {
            dg.AssetKey(list(table)): _counted(connection, place, columns[place], declared_of(table, declared), days)
            for table in built
            if (place := place_of(table)) in columns
        }
        if CAPTURES in columns and _is_simulated(connection):
            for key, one in counted.items():
                if key.path[0] == PREVIEWED_LAYER:
                    one.table["data"] = SIMULATED
        return counted


def _is_simulated(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a sandbox made the data up; simulated and real days can't share a home."""
    query = f"select coalesce(bool_or(is_simulated), false) from {'.'.join(CAPTURES)}"
    return connection.execute(query).fetchone()[0]


def with_counts(events: Iterable, counted: Mapping[dg.AssetKey, Counted]) -> Iterator:
    """Pass on a layer's events; add to each built table's metadata what holds for the whole of it."""
    for event in events:
        if isinstance(event, dg.Output):
            of_table = counted.get(dg.AssetKey(list(table_of(event))), Counted()).table
            yield dg.Output(event.value, output_name=event.output_name, metadata={**event.metadata, **of_table})
        else:
            yield event


def table_of(event: dg.Output) -> tuple[str, str]:
    """Layer and table of a dbt output, whose name is the asset key joined by two underscores."""
    layer, _, table = event.output_name.partition("__")
    return layer, table


def place_of(table: tuple[str, str]) -> tuple[str, str]:
    """Schema and name of a table in the warehouse: a seed that is published lies among the marts."""
    layer, name = table
    return (PREVIEWED_LAYER, name) if layer == "seeds" and name in PUBLISHED_TABLES else table


def declared_of(table: tuple[str, str], declared: Mapping[dg.AssetKey, dg.TableSchema]) -> dg.TableSchema:
    return declared.get(dg.AssetKey(list(table)), dg.TableSchema([]))


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[tuple[str, str, bool]]]:
    """Name, type and whether it may be null of each column, by layer and table."""
    columns: dict[tuple[str, str], list[tuple[str, str, bool]]] = {}
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type, is_nullable from duckdb_columns() "
        "where not internal order by schema_name, table_name, column_index"
    ).fetchall()
    for layer, table, *column in rows:
        columns.setdefault((layer, table), []).append(tuple(column))
    return columns


def _counted(
    connection: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    columns: Sequence[tuple[str, str, bool]],
    schema: dg.TableSchema,
    days: Sequence[date],
) -> Counted:
    layer, name = table[0], f'{table[0]}."{table[1]}"'
    counted = Counted({"dagster/row_count": connection.execute(f"select count(*) from {name}").fetchone()[0]})
    if not is_complete(schema):
        counted.table["dagster/column_schema"] = built_columns(columns, schema)
    is_daily = any(column == "snapshot_date" for column, *_ in columns)
    where = "where snapshot_date in (select unnest($days))" if is_daily else ""
    given = {"days": list(days)} if is_daily else {}
    if is_daily:
        by_day = dict(
            connection.execute(f"select snapshot_date, count(*) from {name} {where} group by 1", given).fetchall()
        )
        counted.of_day = {day: {"dagster/partition_row_count": by_day.get(day, 0)} for day in days}
    for day, label, value in connection.execute(NUMBERS[table], given).fetchall() if table in NUMBERS else ():
        counted.of_day[day][label] = value
    if layer == PREVIEWED_LAYER:
        rows = connection.execute(f"select * from {name} {where} limit {PREVIEW_ROWS}", given)
        counted.table["preview"] = as_markdown(rows)
    return counted
