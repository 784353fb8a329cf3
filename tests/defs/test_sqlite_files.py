"""Dagster's SQLite files are opened once in a process, and whoever reads them sees every event at once."""

import sqlite3
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage

from orchestration.defs.sqlite_files import FILES_OPEN, keep_open


@dg.asset
def table():
    return dg.MaterializeResult(metadata={"rows": 3})


@pytest.fixture
def kept(monkeypatch):
    """As the definitions do, for one test."""
    for module in (sqlite_event_log, sqlite_run_storage):
        monkeypatch.setattr(module, "create_engine", module.create_engine)
    keep_open()


def events_in(folder: Path, run_id: str) -> int:
    """What another process would read now: a connection of its own, through SQLite alone."""
    (file,) = folder.rglob(f"{run_id}.db")
    with sqlite3.connect(file) as connection:
        return connection.execute("select count(*) from event_logs").fetchone()[0]


def test_more_events_open_no_more_files(kept, tmp_path):
    opened = []
    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", lambda *_: opened.append(1))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run_id = dg.materialize([table], instance=instance).run_id
        opened.clear()
        for number in range(20):
            instance.report_engine_event(f"event {number}", job_name="made_up", run_id=run_id)
        assert len(instance.fetch_materializations(table.key, limit=1).records) == 1
    assert opened == []


def test_what_a_run_wrote_is_there_for_others_while_its_files_are_still_open(kept, tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        result = dg.materialize([table], instance=instance)
        assert events_in(tmp_path, result.run_id) == len(instance.all_logs(result.run_id))
        (latest,) = instance.fetch_materializations(table.key, limit=1).records
        assert latest.asset_materialization.metadata["rows"].value == 3


def test_more_runs_than_files_are_kept_open_are_all_there(kept, tmp_path):
    run_ids = [f"run_{number}" for number in range(FILES_OPEN + 2)]
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for said in ("first", "second"):
            for run_id in run_ids:
                instance.report_engine_event(said, job_name="made_up", run_id=run_id)
        assert {len(instance.all_logs(run_id)) for run_id in run_ids} == {2}
