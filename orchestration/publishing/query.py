"""The published database for Python users: the current version, resolved once, opened read-only and locked down.
It reads what is published and nothing else; the warehouse is never opened from here."""

import threading

import duckdb

from orchestration.publishing.candidate import text_literal
from orchestration.publishing.current import current_link, current_version
from orchestration.publishing.errors import NothingPublished
from orchestration.settings import Settings

# Connections of one process share one database instance, whose lock-down can be set once only.
_opening = threading.Lock()


def open_current(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the current version's database; it keeps that version when a newer one is published.

    Statements can read the version's own folder (`getvariable('observatory')`, with its Parquet files), and no other
    file, no network and no extension. Raises `NothingPublished` before the first publication.
    """
    version = current_version(settings)
    if version is None:
        raise NothingPublished(
            found=f"nothing at {current_link(settings)}",
            expected="a published version",
            do_this="run the daily job, or `make demo`, and look into status.json if a day was blocked",
        )
    with _opening:
        connection = duckdb.connect(str(version.database), read_only=True)
        locked = connection.execute("select current_setting('lock_configuration')").fetchone()[0]
        if not locked:
            connection.execute(f"set allowed_directories = [{text_literal(str(version.path))}]")
            connection.execute("set enable_external_access = false")
            connection.execute("set autoinstall_known_extensions = false")
            connection.execute("set autoload_known_extensions = false")
            connection.execute("set lock_configuration = true")
        connection.execute(f"set variable observatory = {text_literal(str(version.path))}")
    return connection
