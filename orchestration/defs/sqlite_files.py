"""Dagster's SQLite files, opened once in a process. Dagster 1.13.27 makes an engine and a connection for each event, which
closes the file again behind it; what is stored, and where, is Dagster's own business, and other storages know nothing of this."""

from functools import lru_cache
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy.pool import QueuePool

# The index, the runs and the run that is going on; a web server looks at a few runs more, and lets go of the others.
FILES_OPEN = 8


class _Kept(QueuePool):
    """Connections that outlive `engine.dispose()`, which Dagster calls after each statement."""

    def dispose(self) -> None:
        pass

    def recreate(self) -> "QueuePool":
        return self


@lru_cache(maxsize=FILES_OPEN)
def _engine(address: str, **_: Any) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(
        address, poolclass=_Kept, pool_size=1, connect_args={"timeout": sqlite_event_log.SQLITE_BUSY_TIMEOUT_SECONDS}
    )
    sqlalchemy.event.listen(engine, "connect", _relaxed)
    return engine


def _relaxed(connection: Any, _: Any) -> None:
    """In a write-ahead log a commit is safe from a process that dies, and waits no more for the disk; what a power cut takes
    is the last moments' events of a run that it has ended as well."""
    connection.execute("pragma synchronous = normal")


def keep_open() -> None:
    """From now on this process holds Dagster's SQLite files open (both are names of 1.13.27; `tests/defs` sees if they move)."""
    for module in (sqlite_event_log, sqlite_run_storage):
        module.create_engine = lambda address, **_: _engine(address)
