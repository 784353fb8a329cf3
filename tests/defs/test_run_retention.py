"""Dagster's storage under many runs, in SQLite and in PostgreSQL: it stops growing, and what assets, partitions and checks are
stays. The runs are real ones of a small job; a hundred of the daily job are `benchmarks/soak.py`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster import DagsterRunStatus, RunsFilter

from orchestration.__main__ import dagster_home
from orchestration.defs.partitions import snapshot_days
from orchestration.defs.run_retention import CHECKS, EVENTS, TAGS, prune_runs, vacuum
from orchestration.settings import PROJECT_ROOT, Settings
from tests.postgres import postgres

KEEP = 10
# A run takes a quarter of a second of CPU and more, most of it Dagster's own work on the storage (2026-11-29).
RUNS = {"sqlite": 25, "postgres": 15}
FIRST_DAY = date(2026, 1, 1)
THING = dg.AssetKey("thing")


@dg.asset(partitions_def=snapshot_days)
def thing(context: dg.AssetExecutionContext):
    context.log.info("one of the lines that a run has hundreds of " * 20)
    numbers = {"rows": int(context.partition_key.replace("-", "")), "preview": dg.MetadataValue.md("| a | b |" * 100)}
    return dg.MaterializeResult(metadata=numbers)


@dg.asset_check(asset=thing)
def thing_suite():
    return dg.AssetCheckResult(passed=True, metadata={"offenders": "none " * 100})


@pytest.fixture(scope="module")
def job() -> dg.JobDefinition:
    job = dg.define_asset_job("small")
    defs = dg.Definitions(assets=[thing], asset_checks=[thing_suite], jobs=[job], executor=dg.in_process_executor)
    return defs.resolve_job_def("small")


@contextmanager
def storage(kind: str, home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance as the variant's file describes it."""
    if kind == "postgres":
        with postgres() as database, pytest.MonkeyPatch.context() as environment:
            environment.setenv("DAGSTER_PG_URL", database)
            yield from _opened(home, "dagster.postgres.yaml")
    else:
        yield from _opened(home, "dagster.yaml")


def _opened(home: Path, name: str) -> Iterator[dg.DagsterInstance]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")
        dagster_home(Settings(home=home, dagster_yaml=PROJECT_ROOT / "orchestration" / name))
        with dg.DagsterInstance.get() as instance:
            yield instance


def run(job: dg.JobDefinition, instance: dg.DagsterInstance, day: date) -> str:
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    tags = {"dagster/partition": str(day)}
    return job.execute_in_process(instance=instance, tags=tags, run_config=config).run_id


def rows(instance: dg.DagsterInstance) -> dict[str, int]:
    with instance.event_log_storage.index_connection() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (EVENTS, CHECKS, TAGS)
        }


def files(instance: dg.DagsterInstance) -> list[Path]:
    return [file for file in Path(os.environ["DAGSTER_HOME"]).rglob("history/runs/*.db") if file.stem != "index"]


@pytest.fixture(scope="module", params=list(RUNS))
def after_many(request, job, tmp_path_factory):
    """Many days, each followed by a removal as the daemon's; and what there was after each."""
    with storage(request.param, tmp_path_factory.mktemp(request.param)) as instance:
        seen, run_ids = [], []
        for number in range(RUNS[request.param]):
            run_ids.append(run(job, instance, FIRST_DAY + timedelta(days=number)))
            prune_runs(instance, KEEP)
            seen.append(rows(instance) | {"runs": instance.get_runs_count(), "files": len(files(instance))})
        yield instance, seen, run_ids


def test_storage_stops_growing(after_many):
    _, seen, _ = after_many
    assert [then["runs"] for then in seen[KEEP:]] == [KEEP] * (len(seen) - KEEP)
    assert max(then["files"] for then in seen) <= KEEP
    assert len({then["asset_check_executions"] for then in seen[KEEP:]}) == 1
    # one row a day stays: the mark that its day is materialised
    grown = [
        after["event_logs"] - before["event_logs"] for before, after in zip(seen[KEEP:], seen[KEEP + 1 :], strict=False)
    ]
    assert set(grown) == {1}
    assert seen[0]["event_logs"] >= 5


def test_what_assets_and_partitions_and_checks_are_stays(after_many):
    instance, _, run_ids = after_many
    days = {str(FIRST_DAY + timedelta(days=number)) for number in range(len(run_ids))}
    assert instance.get_materialized_partitions(THING) == days
    assert instance.get_latest_materialization_event(THING).run_id == run_ids[-1]
    (check,) = instance.event_log_storage.get_latest_asset_check_execution_by_key([thing_suite.check_key]).values()
    assert check.run_id == run_ids[-1]
    assert check.event.dagster_event.asset_check_evaluation_data.passed
    # what is drawn over the days is still there, what is only looked at for the newest is not
    first = instance.fetch_materializations(dg.AssetRecordsFilter(THING, asset_partitions=[str(FIRST_DAY)]), limit=1)
    metadata = first.records[0].event_log_entry.asset_materialization.metadata
    assert {name: value.value for name, value in metadata.items()} == {"rows": 20260101}
    newest = instance.get_latest_materialization_event(THING).asset_materialization.metadata
    assert set(newest) == {"rows", "preview"}


def test_a_day_that_was_done_again_keeps_its_last_mark_alone(after_many, job):
    instance, _, _ = after_many
    again = run(job, instance, FIRST_DAY)
    marks = instance.fetch_materializations(dg.AssetRecordsFilter(THING, asset_partitions=[str(FIRST_DAY)]), limit=9)
    assert len(marks.records) == 2
    for number in range(KEEP):
        run(job, instance, FIRST_DAY + timedelta(days=200 + number))
    prune_runs(instance, KEEP)
    assert instance.get_run_by_id(again) is None
    (mark,) = instance.fetch_materializations(
        dg.AssetRecordsFilter(THING, asset_partitions=[str(FIRST_DAY)]), limit=9
    ).records
    assert mark.run_id == again


def test_runs_that_have_not_ended_and_what_they_try_again_stay(after_many, job):
    instance, _, _ = after_many
    under_way = instance.create_run_for_job(job, status=DagsterRunStatus.STARTED).run_id
    failed = instance.create_run_for_job(job, status=DagsterRunStatus.FAILURE).run_id
    waiting = instance.create_run_for_job(
        job, status=DagsterRunStatus.NOT_STARTED, root_run_id=failed, parent_run_id=failed
    ).run_id
    prune_runs(instance, 0)
    kept = {run.run_id for run in instance.get_runs()}
    assert kept == {under_way, failed, waiting}
    assert instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.SUCCESS])) == []
    assert instance.get_latest_materialization_event(THING).asset_materialization.metadata.keys() == {"rows", "preview"}


def test_room_is_given_back(after_many):
    instance, _, _ = after_many
    before = sum(file.stat().st_size for file in Path(os.environ["DAGSTER_HOME"]).rglob("index.db"))
    vacuum(instance)
    after = sum(file.stat().st_size for file in Path(os.environ["DAGSTER_HOME"]).rglob("index.db"))
    assert after < before or before == 0
    assert len(instance.get_materialized_partitions(THING)) >= min(RUNS.values())
