"""How much of ended runs is kept: the newest ones whole; of older ones only what assets, partitions and checks are now, so that
Dagster's storage doesn't grow with every run. Landed days and published versions have rules of their own, elsewhere."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster import DagsterEventType, DagsterRunStatus, EventLogEntry, RunsFilter
from dagster._core.storage.event_log import schema
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.schema import RunTagsTable
from dagster._serdes import deserialize_value, serialize_value

from orchestration.settings import Settings

ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
UNFINISHED = [status for status in DagsterRunStatus if status not in ENDED]
# Enough to take a home of years down within a day of looks, and little enough for one look of some seconds. 2026-11-29.
RUNS_AT_ONCE = 50
# A run has some hundred events; a statement of more parameters than this is refused by older SQLite.
ROWS_AT_ONCE = 500
# The latest of these, by asset and partition, are what Dagster knows of a partition.
FACTS = [DagsterEventType.ASSET_MATERIALIZATION.value, DagsterEventType.ASSET_OBSERVATION.value]

EVENTS, TAGS, CHECKS = schema.SqlEventLogStorageTable, schema.AssetEventTagsTable, schema.AssetCheckExecutionsTable


@dataclass(frozen=True)
class Pruned:
    """What was taken away."""

    runs: int = 0
    events: int = 0

    def __str__(self) -> str:
        return f"{self.runs} old run(s) and {self.events:,} of their events removed"


@dg.sensor(
    name="run_retention",
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Removes runs that are older than the newest OBSERVATORY_KEEP_RUNS, and their events. What assets, partitions "
    "and checks are now stays.",
)
def run_retention(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]):
    return dg.SkipReason(f"{prune_runs(context.instance, settings.keep_runs)}.")


def prune_runs(instance: dg.DagsterInstance, keep: int) -> Pruned:
    """Remove ended runs beyond the newest `keep`, at most `RUNS_AT_ONCE` of them, the oldest first. None that is under way,
    waits, or is what one of those tries again.

    `delete_run`, Dagster's own way, would also take the marks of which days are materialised, and leave the rows of checks.
    Of each asset's partition the latest materialisation stays, with its numbers; of each check its latest result.
    """
    run_ids = _too_old(instance, keep)
    storage = _sql_storage(instance)
    events = 0
    for some in _batched(run_ids, 10):
        with storage.index_connection() as connection:
            events += _remove_checks_and_events(connection, some)
        for run_id in some:
            _remove_run(instance, storage, run_id)
    return Pruned(len(run_ids), events)


def vacuum(instance: dg.DagsterInstance) -> None:
    """Give what was freed back to the disk, where storage is SQLite: else it is used again, and the file stays as large as it
    was. Rewrites the file, for which nobody else may write: not while the daemon runs. PostgreSQL looks after itself."""
    import sqlite3

    if index := _sqlite_file(_sql_storage(instance), "index"):
        with closing(sqlite3.connect(index)) as connection:
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")


def _too_old(instance: dg.DagsterInstance, keep: int) -> list[str]:
    ended = instance.get_run_ids(filters=RunsFilter(statuses=ENDED))  # newest first
    needed = {
        other
        for run in instance.get_runs(RunsFilter(statuses=UNFINISHED))
        for other in (run.root_run_id, run.parent_run_id)
    }
    return [run_id for run_id in reversed(ended[keep:]) if run_id not in needed][:RUNS_AT_ONCE]


def _remove_checks_and_events(connection: sa.Connection, run_ids: Sequence[str]) -> int:
    """In the one transaction of the connection; gives the number of events that went."""
    newer = CHECKS.alias()
    is_superseded = sa.exists().where(
        newer.c.asset_key == CHECKS.c.asset_key,
        newer.c.check_name == CHECKS.c.check_name,
        newer.c.id > CHECKS.c.id,
    )
    connection.execute(CHECKS.delete().where(CHECKS.c.run_id.in_(run_ids), is_superseded))
    of_checks = sa.select(CHECKS.c.evaluation_event_storage_id).where(
        CHECKS.c.run_id.in_(run_ids), CHECKS.c.evaluation_event_storage_id.is_not(None)
    )
    kept = {row.id: row.is_last for row in connection.execute(_facts_of(run_ids))}
    kept_checks = set(connection.scalars(of_checks))
    all_ids = connection.scalars(sa.select(EVENTS.c.id).where(EVENTS.c.run_id.in_(run_ids))).all()
    gone = [event_id for event_id in all_ids if event_id not in kept and event_id not in kept_checks]
    gone += connection.scalars(_older_than_facts_of(run_ids)).all()
    for some in _batched(gone, ROWS_AT_ONCE):
        connection.execute(TAGS.delete().where(TAGS.c.event_id.in_(some)))
        connection.execute(EVENTS.delete().where(EVENTS.c.id.in_(some)))
    for some in _batched([event_id for event_id, is_last in kept.items() if not is_last], ROWS_AT_ONCE):
        _leave_numbers_alone(connection, some)
    return len(gone)


def _facts_of(run_ids: Sequence[str]) -> sa.Select:
    """The runs' events that are the latest of their kind for an asset's partition, and whether for the asset as a whole."""
    newer, newest = EVENTS.alias(), EVENTS.alias()
    same = (newer.c.asset_key == EVENTS.c.asset_key, newer.c.dagster_event_type == EVENTS.c.dagster_event_type)
    superseded = sa.exists().where(
        *same, newer.c.partition.is_not_distinct_from(EVENTS.c.partition), newer.c.id > EVENTS.c.id
    )
    last = (
        sa.select(sa.func.max(newest.c.id))
        .where(newest.c.asset_key == EVENTS.c.asset_key, newest.c.dagster_event_type == EVENTS.c.dagster_event_type)
        .scalar_subquery()
    )
    return sa.select(EVENTS.c.id, (EVENTS.c.id == last).label("is_last")).where(
        EVENTS.c.run_id.in_(run_ids), EVENTS.c.dagster_event_type.in_(FACTS), ~superseded
    )


def _older_than_facts_of(run_ids: Sequence[str]) -> sa.Select:
    """Marks that runs removed before have left, of days that the runs have done again."""
    newer = EVENTS.alias()
    return (
        sa.select(EVENTS.c.id)
        .distinct()
        .join(
            newer,
            sa.and_(
                newer.c.asset_key == EVENTS.c.asset_key,
                newer.c.dagster_event_type == EVENTS.c.dagster_event_type,
                newer.c.partition.is_not_distinct_from(EVENTS.c.partition),
                newer.c.id > EVENTS.c.id,
            ),
        )
        .where(newer.c.run_id.in_(run_ids), EVENTS.c.run_id.not_in(run_ids), newer.c.dagster_event_type.in_(FACTS))
    )


def _leave_numbers_alone(connection: sa.Connection, event_ids: Sequence[int]) -> None:
    """Of an old materialisation what the UI draws over the days; previews and schemas are those of the asset's last one."""
    rows = connection.execute(sa.select(EVENTS.c.id, EVENTS.c.event).where(EVENTS.c.id.in_(event_ids))).all()
    for row in rows:
        slim = _with_numbers_alone(deserialize_value(row.event, EventLogEntry))
        connection.execute(EVENTS.update().where(EVENTS.c.id == row.id).values(event=serialize_value(slim)))


def _with_numbers_alone(entry: EventLogEntry) -> EventLogEntry:
    event = entry.dagster_event
    name = "materialization" if event.event_type == DagsterEventType.ASSET_MATERIALIZATION else "asset_observation"
    fact = getattr(event.event_specific_data, name)
    numbers = {
        key: value
        for key, value in fact.metadata.items()
        if isinstance(value, dg.IntMetadataValue | dg.FloatMetadataValue)
    }
    data = event.event_specific_data._replace(**{name: fact._replace(metadata=numbers, description=None)})
    return entry._replace(dagster_event=event._replace(event_specific_data=data))


def _remove_run(instance: dg.DagsterInstance, storage: SqlEventLogStorage, run_id: str) -> None:
    """The run itself goes last: killed before that, it is found again, and its rest goes then."""
    if events := _sqlite_file(storage, run_id):
        for file in (events, Path(f"{events}-wal"), Path(f"{events}-shm")):
            file.unlink(missing_ok=True)
    storage.free_concurrency_slots_for_run(run_id)
    runs = instance.run_storage
    with runs.connect() as connection:
        connection.execute(RunTagsTable.delete().where(RunTagsTable.c.run_id == run_id))
    runs.delete_run(run_id)


def _sql_storage(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    storage = instance.event_log_storage
    storage = getattr(storage, "event_log_storage", storage)
    if not isinstance(storage, SqlEventLogStorage):
        raise TypeError(
            f"Found {type(storage).__name__} as Dagster's event log; expected SQLite or PostgreSQL. "
            "Do this: correct OBSERVATORY_DAGSTER_YAML."
        )
    return storage


def _sqlite_file(storage: SqlEventLogStorage, shard: str) -> Path | None:
    """The file of a run's events, or the one of all runs' (`index`); None where storage is not SQLite's files."""
    return Path(storage.path_for_shard(shard)) if hasattr(storage, "path_for_shard") else None


def _batched(items: Sequence, size: int) -> list[Sequence]:
    return [items[start : start + size] for start in range(0, len(items), size)]
