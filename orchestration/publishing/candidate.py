"""A candidate is the whole of schema `marts`, copied out of the warehouse and proven equal to it before anyone sees it.
Judging the data is the gates' work, showing it is `versions`'; here it is only copied, described and audited."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.publishing import day_files
from orchestration.publishing.carried_over import CarriedTable, carry_over, is_as_in_warehouse
from orchestration.publishing.day_files import DayFile, Days
from orchestration.publishing.errors import LOCKED, AuditFailed, PublishRefused, WarehouseBusy, WarehouseUnavailable
from orchestration.publishing.examples import TABLE as EXAMPLES
from orchestration.publishing.examples import Example, create_examples, example_lines, examples_that_fail
from orchestration.publishing.files import read_json, write_json
from orchestration.publishing.layout import DATABASE_NAME, SCHEMA, quoted, text_literal
from orchestration.publishing.licences import FILE_NAME, data_licences, licence_lines, licence_text
from orchestration.publishing.quality_facts import quality_of_tables
from orchestration.quality.score import SCORE_MEANS
from orchestration.quality.suites import MADE_AT_PUBLICATION, PUBLISHED_TABLES
from orchestration.settings import Settings

# What a new file is written for, said outright: left to itself, each DuckDB writes what it likes best. 1.5 is the long-term
# line and older than every client that we promise to (2026-11-29); an older format, 1.5.5's own default, would lack its
# encodings, and 2.0 reads this one.
STORAGE_VERSION = "v1.5.0"
VERSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

# Of 18 million rows (2026-11-29, as below) a repository's 30 days took 142 ms by day and 0.8 ms so, a day's 1.3 and 71 ms:
# so both come within the 100 ms that an analyst may wait. The file is two thirds as large, since a name stands together.
READ_BY = {"fct_daily_model_downloads": ("repo_id", "snapshot_date")}

# Each day only adds to them, at the end: what the version before has of them need not be written anew.
BY_DAY = {name for name, key in PUBLISHED_TABLES.items() if key[0] == "snapshot_date"} - READ_BY.keys()

INTEGER_TYPES = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
}
EXTREMES_TYPES = {"VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DOUBLE", "FLOAT", "BOOLEAN"}


@dataclass(frozen=True)
class Column:
    """One column as the warehouse declares it."""

    name: str
    data_type: str
    is_nullable: bool
    description: str


@dataclass(frozen=True)
class Table:
    """One public table as the warehouse declares it."""

    name: str
    description: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Candidate:
    """A copy that analysts can't see yet: its folder, and the rows of each table in it."""

    path: Path
    version_id: str
    run_id: str
    snapshot_dates: tuple[date, ...]
    tables: dict[str, int] = field(default_factory=dict)
    simulation_note: str | None = None
    days: Days = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.path / DATABASE_NAME

    def parquet(self, table: str) -> Path:
        return self.path / "parquet" / f"{table}.parquet"


def build_candidate(
    settings: Settings,
    *,
    version_id: str,
    run_id: str,
    snapshot_dates: Sequence[date],
    simulation_note: str | None = None,
    examples: Sequence[Example] = (),
) -> Candidate:
    """Copy `marts` into `published/_candidates/<version_id>/` and audit the copy against the warehouse.

    `snapshot_dates` are the days that this run added; `simulation_note` says which numbers are real where a sandbox
    Hub served them; `examples` become a table of their own. The warehouse is open read-only while this runs, and
    closed again. Raises `WarehouseUnavailable`, `AuditFailed`, and `ValueError` for an id that can't name a folder.
    """
    if not VERSION_ID.fullmatch(version_id):
        raise ValueError(
            f"Found the version id {version_id!r}; expected letters, digits, '.', '_' and '-', at most 128 of them. "
            "Do this: pass an id such as '2026-10-13-1a2b3c4d'."
        )
    path = settings.published_dir / "_candidates" / version_id
    # The note first: it vouches for an audit, which the files that follow haven't had.
    note_path(settings, version_id).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
    (path / "parquet").mkdir(parents=True)
    candidate = Candidate(
        path=path,
        version_id=version_id,
        run_id=run_id,
        snapshot_dates=tuple(sorted(snapshot_dates)),
        tables={},
        simulation_note=simulation_note,
    )
    carried = carry_over(settings, candidate.database, BY_DAY, STORAGE_VERSION)
    with warehouse_attached(settings, candidate.database) as connection:
        tables = read_tables(connection, "warehouse")
        refuse_undescribed(tables)
        # One transaction: a commit for each of the many comments would wait for the disk each time.
        connection.begin()
        connection.execute(f"create schema if not exists {SCHEMA}")
        for name in carried.keys() - {table.name for table in tables}:
            connection.execute(f"drop table {SCHEMA}.{quoted(name)}")
        for table in tables:
            copy_table(connection, table, carried.get(table.name))
        add_days(connection, settings, candidate)
        create_examples(connection, examples)
        # What isn't committed is read by one thread.
        connection.commit()
        made = read_tables(connection, candidate.database.stem)
        for table in made:
            if table.name != day_files.VIEW:
                write_parquet(connection, table, candidate.parquet(table.name))
                candidate.tables[table.name] = count_rows(connection, table.name)
        sources = data_licences(connection)
        quality = quality_of_tables(connection, [table.name for table in tables])
    rows = candidate.tables | {day_files.VIEW: sum(file.rows for file in candidate.days.values())}
    text = dictionary(made, rows, quality, licence_lines(sources), examples)
    (path / "DICTIONARY.md").write_text(text, encoding="utf-8")
    (path / FILE_NAME).write_text(licence_text(sources), encoding="utf-8")
    audit_candidate(settings, candidate)
    write_json(note_path(settings, version_id), as_note(candidate))
    return candidate


def add_days(connection: duckdb.DuckDBPyConnection, settings: Settings, candidate: Candidate) -> None:
    """The day files, and the view that reads them."""
    candidate.days.update(
        day_files.make_day_files(
            connection,
            settings,
            folder=candidate.path,
            version_id=candidate.version_id,
            snapshot_dates=candidate.snapshot_dates,
        )
    )
    day_files.create_view(connection, settings, folder=candidate.path, version_id=candidate.version_id)


def count_rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return connection.execute(f"select count(*) from {SCHEMA}.{quoted(table)}").fetchone()[0]


def load_candidate(settings: Settings, version_id: str) -> Candidate:
    """The candidate that an earlier step, or an earlier attempt at the same run, has built. Raises `PublishRefused`."""
    note = read_json(note_path(settings, version_id))
    path = settings.published_dir / "_candidates" / version_id
    if note is None:
        raise PublishRefused(
            found=f"no candidate {version_id}",
            expected="one that build_candidate made and audited",
            do_this="run the step that builds the candidate again",
        )
    return Candidate(
        path=path,
        version_id=version_id,
        run_id=note["run_id"],
        snapshot_dates=tuple(date.fromisoformat(day) for day in note["snapshot_dates"]),
        tables=note["tables"],
        simulation_note=note["simulation_note"],
        days={day: DayFile(**facts) for day, facts in note["days"].items()},
    )


def note_path(settings: Settings, version_id: str) -> Path:
    """Beside the candidate's folder, not in it: a version holds nothing but what its manifest names."""
    return settings.published_dir / "_candidates" / f"{version_id}.json"


def as_note(candidate: Candidate) -> dict[str, Any]:
    return {
        "run_id": candidate.run_id,
        "snapshot_dates": [day.isoformat() for day in candidate.snapshot_dates],
        "tables": candidate.tables,
        "simulation_note": candidate.simulation_note,
        "days": {day: file.as_plain() for day, file in candidate.days.items()},
    }


@contextmanager
def warehouse_attached(settings: Settings, database: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to `database` (in memory if None) that sees the warehouse, read-only, as catalogue `warehouse`.

    Both are closed at the end, since an open reader would keep dbt from writing.
    """
    warehouse = settings.warehouse_path
    if not warehouse.is_file():
        raise WarehouseUnavailable(
            found=f"no file at {warehouse}",
            expected="the warehouse that dbt builds",
            do_this="run the daily job, or `make demo`, first",
        )
    storage = {"storage_compatibility_version": STORAGE_VERSION, "memory_limit": settings.duckdb_memory}
    with duckdb.connect(str(database) if database else ":memory:", config=storage) as connection:
        try:
            connection.execute(f"attach {text_literal(str(warehouse))} as warehouse (read_only)")
        except duckdb.Error as error:
            kind = WarehouseBusy if LOCKED in str(error) else WarehouseUnavailable
            raise kind(
                found=f"{warehouse} can't be opened: {error}",
                expected="a warehouse that nothing else holds open",
                do_this="end the other process or connection that has it open, then run the day again",
            ) from error
        yield connection


def read_tables(connection: duckdb.DuckDBPyConnection, catalogue: str) -> list[Table]:
    """The tables and views of schema `marts` in the catalogue, by name, with their columns in order."""
    relations = connection.execute(
        """
        select table_name, comment from duckdb_tables()
        where database_name = $catalogue and schema_name = $schema
        union all
        select view_name, comment from duckdb_views()
        where database_name = $catalogue and schema_name = $schema and not internal
        order by 1
        """,
        {"catalogue": catalogue, "schema": SCHEMA},
    ).fetchall()
    columns = connection.execute(
        """
        select table_name, column_name, data_type, is_nullable, comment
        from duckdb_columns()
        where database_name = $catalogue and schema_name = $schema
        order by table_name, column_index
        """,
        {"catalogue": catalogue, "schema": SCHEMA},
    ).fetchall()
    if not relations:
        raise AuditFailed(
            found=f"no table in schema {SCHEMA}",
            expected="the public tables",
            do_this="build the marts before publishing",
        )
    return [
        Table(
            name=name,
            description=description or "",
            columns=tuple(
                Column(column, data_type, is_nullable, comment or "")
                for table_name, column, data_type, is_nullable, comment in columns
                if table_name == name
            ),
        )
        for name, description in relations
    ]


def refuse_undescribed(tables: Sequence[Table]) -> None:
    """Every public table and column is described, or nothing is published."""
    missing = [table.name for table in tables if not table.description.strip()]
    missing += [
        f"{table.name}.{column.name}" for table in tables for column in table.columns if not column.description.strip()
    ]
    if missing:
        raise AuditFailed(
            found=f"{len(missing)} public tables or columns without a description: {', '.join(missing[:10])}",
            expected="every one described",
            do_this="describe them in the marts' YAML, with persist_docs on for relations and columns",
        )


def copy_table(connection: duckdb.DuckDBPyConnection, table: Table, carried: CarriedTable | None = None) -> None:
    """Create the table with its types, not-null constraints and comments, and fill it in the order of its key. Of a table that
    was carried over only what comes after its last day is filled in, if all before it is the warehouse's."""
    name = f"{SCHEMA}.{quoted(table.name)}"
    columns = [(column.name, column.data_type, column.is_nullable) for column in table.columns]
    chosen = ""
    if carried and is_as_in_warehouse(connection, table.name, columns, carried):
        chosen = f"where snapshot_date > date '{max(carried.days, default=date.min).isoformat()}'"
    else:
        said = ", ".join(
            f"{quoted(column)} {kind}{'' if may_be_null else ' not null'}" for column, kind, may_be_null in columns
        )
        connection.execute(f"create or replace table {name} ({said})")
    connection.execute(f"insert into {name} select * from warehouse.{name} {chosen} order by {ordering(table)}")
    connection.execute(f"comment on table {name} is {text_literal(table.description)}")
    for column in table.columns:
        connection.execute(f"comment on column {name}.{quoted(column.name)} is {text_literal(column.description)}")


def write_parquet(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> None:
    """In the order in which the rows were put in, which DuckDB keeps: sorting millions of them twice is no better."""
    connection.execute(
        f"copy {SCHEMA}.{quoted(table.name)} to {text_literal(str(path))} "
        "(format parquet, compression zstd, preserve_order true)"
    )


def ordering(table: Table) -> str:
    """By the key, so that equal tables have equal files, and the day comes first; but for what is asked by model.

    At a year of days (2026-11-29, two busy cores, best of seven): a day's shares of all countries 0.7 ms so and 1.9 ms by
    metric first, a country's year 4.9 and 1.3 ms: questions about a day are the most.
    """
    key = READ_BY.get(table.name) or (PUBLISHED_TABLES | MADE_AT_PUBLICATION).get(table.name)
    if key is None:
        return "all"
    missing = sorted(set(key) - {column.name for column in table.columns})
    if missing:
        raise AuditFailed(
            found=f"marts.{table.name} without its key column {', '.join(missing)}",
            expected=f"the key ({', '.join(key)})",
            do_this="restore the column in the model, or correct PUBLISHED_TABLES if the contract has changed",
        )
    return ", ".join(quoted(column) for column in key)


def audit_candidate(settings: Settings, candidate: Candidate) -> None:
    """Reopen the copy read-only and compare it with the warehouse: columns, types, rows, and a profile of each column.

    The profile is the count of values that are not null, the sum of an integer column, and the extremes of the others
    that have an order. Database and Parquet files must both agree. Raises `AuditFailed`, which names each difference.
    """
    with warehouse_attached(settings) as connection:
        tables = read_tables(connection, "warehouse")
        attach_copy(connection, candidate.database)
        differences = []
        copies = {table.name: table for table in read_tables(connection, "copy")}
        names = {table.name for table in tables}
        differences += [
            f"{name}: only in the copy" for name in sorted(copies.keys() - names - MADE_AT_PUBLICATION.keys())
        ]
        for table in tables:
            copied = copies.get(table.name)
            if copied is None:
                differences.append(f"{table.name}: missing in the copy")
            elif copied != table:
                differences.append(f"{table.name}: other columns, types or comments than in the warehouse")
            else:
                differences += table_differences(connection, table, candidate.parquet(table.name))
        differences += differences_of_made(connection, candidate, copies)
    if differences:
        raise AuditFailed(
            found=f"{len(differences)} differences between candidate {candidate.version_id} and the warehouse: "
            + "; ".join(differences[:10]),
            expected="equal columns, rows, sums and extremes in every table",
            do_this="run the day again; if it stays, look for a second writer of the warehouse or a failing disk",
        )


def differences_of_made(
    connection: duckdb.DuckDBPyConnection, candidate: Candidate, copies: dict[str, Table]
) -> list[str]:
    """What is wrong with what the warehouse does not have: the day files, the view over them, and the examples."""
    differences = [f"{name}: missing in the copy" for name in MADE_AT_PUBLICATION if name not in copies]
    if differences:
        return differences
    view, recent = copies[day_files.VIEW], copies.get(day_files.RECENT)
    # A view's columns have no constraints.
    said = [(column.name, column.data_type, column.description) for column in view.columns]
    if recent is None or said != [(column.name, column.data_type, column.description) for column in recent.columns]:
        return [f"{view.name}: other columns, types or comments than {day_files.RECENT}"]
    differences += day_files.differences_of_days(connection, candidate.path, candidate.days, candidate.version_id)
    differences += parquet_differences(
        connection,
        copies[EXAMPLES],
        candidate.parquet(EXAMPLES),
        profile(connection, f"copy.{SCHEMA}.{EXAMPLES}", copies[EXAMPLES]),
    )
    connection.execute(f"set variable observatory = {text_literal(str(candidate.path))}")
    connection.execute("use copy")
    return differences + examples_that_fail(connection, "copy")


def attach_copy(connection: duckdb.DuckDBPyConnection, database: Path) -> None:
    try:
        connection.execute(f"attach {text_literal(str(database))} as copy (read_only)")
    except duckdb.Error as error:
        raise AuditFailed(
            found=f"a copy that can't be opened read-only: {error}",
            expected="a database that DuckDB opens",
            do_this="run the day again; if it stays, look at the disk's space and health",
        ) from error


def table_differences(connection: duckdb.DuckDBPyConnection, table: Table, parquet: Path) -> list[str]:
    name = f"{SCHEMA}.{quoted(table.name)}"
    expected = profile(connection, f"warehouse.{name}", table)
    differences = [
        f"{table.name} {what}: found {found}, expected {expected[what]}"
        for what, found in profile(connection, f"copy.{name}", table).items()
        if found != expected[what]
    ]
    return differences + parquet_differences(connection, table, parquet, expected)


def parquet_differences(
    connection: duckdb.DuckDBPyConnection, table: Table, parquet: Path, expected: dict[str, Any]
) -> list[str]:
    if not parquet.is_file():
        return [f"{table.name}: no Parquet file"]
    relation = f"read_parquet({text_literal(str(parquet))}, hive_partitioning = false)"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
        types = [(column.name, column.data_type) for column in table.columns]
        if [(row[0], row[1]) for row in described] != types:
            return [f"{table.name}: other columns or types in its Parquet file"]
        return [
            f"{table.name} {what} in Parquet: found {found}, expected {expected[what]}"
            for what, found in profile(connection, relation, table).items()
            if found != expected[what]
        ]
    except duckdb.Error as error:
        return [f"{table.name}: its Parquet file can't be read: {error}"]


def profile(connection: duckdb.DuckDBPyConnection, relation: str, table: Table) -> dict[str, Any]:
    """Rows of the relation, and for each column its count, and its sum or extremes where the type has them."""
    parts = {"rows": "count(*)"}
    for column in table.columns:
        name = quoted(column.name)
        parts[f"count of {column.name}"] = f"count({name})"
        if column.data_type in INTEGER_TYPES:
            parts[f"sum of {column.name}"] = f"sum(cast({name} as hugeint))"
        elif column.data_type in EXTREMES_TYPES:
            parts[f"least {column.name}"] = f"min({name})"
            parts[f"greatest {column.name}"] = f"max({name})"
    row = connection.execute(f"select {', '.join(parts.values())} from {relation}").fetchone()
    return dict(zip(parts, row, strict=True))


def dictionary(
    tables: Sequence[Table],
    rows: dict[str, int],
    quality: dict[str, str],
    licence: Sequence[str],
    examples: Sequence[Example] = (),
) -> str:
    """DICTIONARY.md: every table and column with its type and description, as the database's own comments say them, how
    each table kept its promises, queries to begin with, and what the data is under."""
    lines = [
        "# Data dictionary",
        "",
        f"Every table of schema `{SCHEMA}`, generated from the comments in `{DATABASE_NAME}`. The same tables lie in "
        f"`parquet/`, a file each; `{day_files.VIEW}`, a file a day, lies there only. The queries under a table are the rows "
        f"of `{SCHEMA}.{EXAMPLES}`.",
        "",
        f"Quality is {SCORE_MEANS[0].lower()}{SCORE_MEANS[1:]} The promises, one by one: `report/quality.html`.",
        "",
    ]
    for table in tables:
        key = (PUBLISHED_TABLES | MADE_AT_PUBLICATION).get(table.name)
        lines += [f"## {table.name}", "", " ".join(table.description.split()), ""]
        lines += [f"Key: {', '.join(f'`{column}`' for column in key)}. " if key else ""]
        lines[-1] += f"Rows in this version: {rows[table.name]:,}. {quality.get(table.name, '')}".rstrip()
        lines += ["", "| column | type | null | description |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{column.name}` | {column.data_type.lower()} | {'may be null' if column.is_nullable else 'never'} | "
            f"{table_cell(column.description)} |"
            for column in table.columns
        ]
        lines.append("")
        lines += example_lines([example for example in examples if example.table_name == table.name])
    lines += ["## Licence of the data", "", *licence, ""]
    return "\n".join(lines)


def table_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
