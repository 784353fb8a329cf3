"""The published database for whoever asks in SQL: the current version, resolved once, opened read-only and locked down.
It reads what is published and nothing else; the warehouse is never opened from here."""

import os
import re
import tempfile
import threading
from pathlib import Path

import duckdb

from orchestration.publishing.current import Version, current_link, current_version
from orchestration.publishing.errors import NotAReadingStatement, NothingPublished
from orchestration.publishing.layout import SCHEMA, text_literal
from orchestration.settings import Settings

# What statements may read of a version besides its database. DuckDB can't tell reading from writing here: COPY … TO goes
# wherever `allowed_directories` goes, also on a read-only connection (1.5.5, seen on 2026-11-29), so that nothing else that
# readers depend on is in it. What it opened itself it always allows: only `refuse_writing`, the files' modes and
# `confine.py` keep COPY from the database file.
READABLE_FOLDERS = ("parquet",)
# Such statements write files, or hide others that do; all else that writes is refused by the read-only connection.
WRITE_FILES = (
    duckdb.StatementType.COPY,
    duckdb.StatementType.EXPORT,
    duckdb.StatementType.PREPARE,
    duckdb.StatementType.EXECUTE,
)
# Connections of one process share one database instance, whose lock-down can be set once only.
_opening = threading.Lock()


def open_current(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the current version's database; it keeps that version when a newer one is published.

    Statements can read the version's Parquet files (`getvariable('observatory') || '/parquet/…'`), and no other file, no
    network and no extension. Raises `NothingPublished` before the first publication.
    """
    return open_version(settings, version_to_open(settings))


def version_to_open(settings: Settings) -> Version:
    """The current version. Raises `NothingPublished` before the first publication."""
    version = current_version(settings)
    if version is None:
        raise NothingPublished(
            found=f"nothing at {current_link(settings)}",
            expected="a published version",
            do_this="run the daily job, or `make demo`, and look into status.json if a day was blocked",
        )
    return version


def open_version(settings: Settings, version: Version) -> duckdb.DuckDBPyConnection:
    """The same for a version that is known already, whether or not it is still the current one."""
    with _opening:
        connection = duckdb.connect(str(version.database), read_only=True)
        locked = connection.execute("select current_setting('lock_configuration')").fetchone()[0]
        if not locked:
            for statement in lock_down(version.path, spill=work_folder(settings) / f"spill-{os.getpid()}"):
                connection.execute(statement)
        connection.execute("set enable_progress_bar = false")  # it is drawn on standard output, where answers go
        connection.execute(resolve(version.path))
    return connection


def work_folder(settings: Settings) -> Path:
    """Where queries may put what doesn't fit into memory; it is made. In the home, unless its files are only ours to read."""
    if os.access(settings.home, os.W_OK):
        folder = settings.home / "tmp" / "sql"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    return Path(tempfile.mkdtemp(prefix="observatory-sql-"))


def lock_down(folder: Path, *, spill: Path) -> list[str]:
    """The statements that leave a connection nothing but the version in `folder`, in the order in which they work.

    What doesn't fit into memory is written below `spill`: DuckDB's default is beside the database, in the version.
    """
    readable = ", ".join(text_literal(str(folder / name)) for name in READABLE_FOLDERS)
    return [
        f"set temp_directory = {text_literal(str(spill))}",
        "set allowed_configs = ['enable_progress_bar']",  # of each connection's own, hence set after this
        f"set allowed_directories = [{readable}]",
        "set enable_external_access = false",
        "set autoinstall_known_extensions = false",
        "set autoload_known_extensions = false",
        "set lock_configuration = true",
    ]


def resolve(folder: Path) -> str:
    """The statement that tells views where the version's own files are."""
    return f"set variable observatory = {text_literal(str(folder))}"


def is_simulated(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any day of the version is made up."""
    return bool(connection.execute(f"select bool_or(is_simulated) from {SCHEMA}.dim_snapshots").fetchone()[0])


def refuse_writing(query: str) -> None:
    """Let pass what only reads. Raises `NotAReadingStatement`, and duckdb.Error where the text is no SQL."""
    for statement in duckdb.extract_statements(query):
        # EXPLAIN ANALYZE runs what it explains.
        explains = statement.type == duckdb.StatementType.EXPLAIN and re.search(r"copy|export", query, re.IGNORECASE)
        if statement.type in WRITE_FILES or explains:
            raise NotAReadingStatement(
                found=f"a statement of type {statement.type.name}",
                expected="one that reads: the published version is read-only",
                do_this="write files with `make export TABLE=…`, or from Python",
            )


def public_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The public tables and views by name, each with its description."""
    rows = connection.execute(
        """
        select table_name, comment from duckdb_tables() where schema_name = $schema
        union all
        select view_name, comment from duckdb_views() where schema_name = $schema and not internal
        order by 1
        """,
        {"schema": SCHEMA},
    ).fetchall()
    return {name: description or "" for name, description in rows}
