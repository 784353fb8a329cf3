"""What a candidate takes over from the version that readers see: its file, with the tables by day in it. Years of rows are the
same from one version to the next, and reading them costs a tenth of putting them in order and packing them again.
Nothing is believed: a table stays only if every day in it is, row for row, the warehouse's, and is audited like any other."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.publishing.layout import DATABASE_NAME, SCHEMA, quoted
from orchestration.settings import Settings

# Six million rows by day: 7.4 s of CPU to write them anew, 1.9 s so (2026-11-30). Below a million it saves less than a second,
# while the file is copied with all that is dropped from it again: at three million models half a gigabyte. What is added day by
# day fills blocks less well: a mart had 91 of them after 120 days so, and 79 written at once.
WORTH_IT_FROM_ROWS = 1_000_000

# Rows of a day, and the sum of their hashes: where both are equal, the rows are, but once in 2^64.
Fingerprint = tuple[int, int]
# Name, type, and whether it may be null.
Column = tuple[str, str, bool]


@dataclass(frozen=True)
class CarriedTable:
    """A table by day as the version before has it: its columns and its days."""

    columns: tuple[Column, ...]
    days: Mapping[date, Fingerprint]


def carry_over(
    settings: Settings, database: Path, tables: Collection[str], storage_version: str
) -> dict[str, CarriedTable]:
    """Begin `database` with those tables of the current version, and say what they hold; with nothing, and no file, where
    nothing is published, or it is too little, of another storage version, or can't be read."""
    current = (settings.published_dir / "current" / DATABASE_NAME).resolve()
    if not current.is_file():
        return {}
    try:
        carried = _read(settings, current, tables, storage_version)
    except duckdb.Error:
        return {}  # that version is damaged, and the new one heals it: all of it is written anew
    if sum(rows for table in carried.values() for rows, _ in table.days.values()) < WORTH_IT_FROM_ROWS:
        return {}
    shutil.copyfile(current, database)
    with duckdb.connect(str(database), config={"memory_limit": settings.duckdb_memory}) as connection:
        _drop_all_but(connection, carried)
    return carried


def is_as_in_warehouse(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[Column], carried: CarriedTable
) -> bool:
    """Whether what was carried is what the warehouse has of this table up to the last carried day."""
    if tuple(columns) != carried.columns:
        return False
    last = max(carried.days, default=date.min)
    held = fingerprints(connection, f"warehouse.{SCHEMA}.{quoted(table)}", carried.columns)
    # a row without a day would come after none of them
    return None not in held and carried.days == {day: held[day] for day in held if day <= last}


def fingerprints(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Collection[Column]
) -> dict[date, Fingerprint]:
    """By day: the rows of a relation that has a `snapshot_date`, and the sum of the hashes of all their values."""
    names = ", ".join(quoted(name) for name, *_ in columns)
    rows = connection.execute(
        f"select snapshot_date, count(*), sum(hash({names})) from {relation} group by snapshot_date"
    ).fetchall()
    return {day: (count, total) for day, count, total in rows}


def _read(settings: Settings, current: Path, tables: Collection[str], storage_version: str) -> dict[str, CarriedTable]:
    with duckdb.connect(str(current), read_only=True, config={"memory_limit": settings.duckdb_memory}) as connection:
        version = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where database_name = current_database()"
        ).fetchone()[0]
        if not version.startswith(storage_version):
            return {}
        columns: dict[str, list[Column]] = {}
        for table, *column in connection.execute(
            "select table_name, column_name, data_type, is_nullable from duckdb_columns() "
            "where schema_name = ? order by table_name, column_index",
            [SCHEMA],
        ).fetchall():
            columns.setdefault(table, []).append(tuple(column))
        return {
            table: CarriedTable(tuple(of), fingerprints(connection, f"{SCHEMA}.{quoted(table)}", of))
            for table, of in columns.items()
            if table in tables
        }


def _drop_all_but(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> None:
    """Their room is free when the connection is closed, and is used first by what comes; what lingers in the rest was public."""
    for kind in ("view", "table"):
        names = connection.execute(
            f"select {kind}_name from duckdb_{kind}s() where schema_name = ? and not internal", [SCHEMA]
        ).fetchall()
        for (name,) in names:
            if name not in tables:
                connection.execute(f"drop {kind} {SCHEMA}.{quoted(name)}")
