"""A team's Dagster as it is deployed: PostgreSQL, code server, daemon, a web server for those who launch and one for those who
look. Two daily jobs at once, a backfill beside them that has one of their days again, everything killed in mid-run: nothing
lost, nothing doubled."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from orchestration.__main__ import dagster_home
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import PROJECT_ROOT, Settings
from tests.pipeline.conftest import FIRST_DAY, Observatory, opened
from tests.pipeline.services import Services
from tests.postgres import postgres

DAY_2, DAY_3, DAY_4 = (FIRST_DAY + timedelta(days=number) for number in (1, 2, 3))
UNTIL_NOW = {"cfahlgren1/hub-stats": {"commit_time": "23:30:00"}}
LAUNCH = """
mutation ($tags: [ExecutionTag!]) {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "open_model_observatory", repositoryName: "__repository__", jobName: "daily_snapshot"
    },
    executionMetadata: {tags: $tags}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}"""
BACKFILL = """
mutation ($assets: [AssetKeyInput!], $days: [String!]) {
  launchPartitionBackfill(backfillParams: {assetSelection: $assets, partitionNames: $days}) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}"""
RUNS = "{ runsOrError { ... on Runs { results { runId status } } } }"


@pytest.fixture(scope="module")
def archived_world(world, tmp_path_factory) -> Path:
    """The same Hub with an archive of its days, so that any of them can be had at any time."""
    own = Path(shutil.copytree(world, tmp_path_factory.mktemp("archived") / "world"))
    (own / "archive.json").write_text(json.dumps(UNTIL_NOW))
    return own


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, archived_world, dbt, daily_snapshot, home_with_day_1) -> dict[str, str]:
    """What is published when one run does it all."""
    home = Path(shutil.copytree(home_with_day_1, tmp_path_factory.mktemp("undisturbed") / "home", symlinks=True))
    with opened(home, archived_world, dbt, daily_snapshot) as alone:
        # without look-ups of accounts: those are asked for on the Hub's own day, whatever day they are for
        alone.settings = alone.settings.model_copy(update={"account_lookups": 0})
        result = alone.run(DAY_2, DAY_4, hub_day=DAY_4)
        assert result.success, alone.failures(result)
        return alone.contents()


@pytest.fixture
def team(tmp_path, archived_world, dbt, daily_snapshot, home_with_day_1, monkeypatch):
    """The first day is published; nothing is started yet."""
    home = Path(shutil.copytree(home_with_day_1, tmp_path / "home", symlinks=True))
    variant = PROJECT_ROOT / "orchestration" / "dagster.postgres.yaml"
    with postgres() as database, SandboxHub(archived_world, day=DAY_4) as hub:
        monkeypatch.setenv("DAGSTER_PG_URL", database)
        settings = Settings(home=home, hub_endpoint=hub.url, hf_token=None, account_lookups=0, dagster_yaml=variant)
        monkeypatch.setenv("DAGSTER_HOME", str(dagster_home(settings)))
        environment = {
            "OBSERVATORY_HOME": str(home),
            "OBSERVATORY_HUB_ENDPOINT": hub.url,
            "OBSERVATORY_ACCOUNT_LOOKUPS": "0",
        }
        services = Services(tmp_path, environment)
        with dg.DagsterInstance.get() as instance:
            try:
                yield Observatory(settings, dbt, daily_snapshot, instance, hub), services
            finally:
                services.end()


def launch(services: Services, day: date) -> str:
    tags = [{"key": "dagster/partition", "value": str(day)}]
    launched = services.ask("web", LAUNCH, {"tags": tags})["data"]["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return launched["run"]["runId"]


def backfill(services: Services, job: dg.JobDefinition, first: date, last: date) -> str:
    assets = [{"path": key.path} for key in sorted(job.asset_layer.executable_asset_keys)]
    asked = {"assets": assets, "days": [str(first), str(last)]}
    launched = services.ask("web", BACKFILL, asked)["data"]["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return launched["backfillId"]


def has_begun(instance: dg.DagsterInstance, run_id: str, step: str) -> bool:
    started = instance.get_records_for_run(run_id, of_type=DagsterEventType.STEP_START).records
    return any(record.event_log_entry.dagster_event.step_key == step for record in started)


def all_ended(instance: dg.DagsterInstance, runs: int) -> bool:
    found = instance.get_runs()
    return len(found) == runs and all(run.is_finished for run in found)


def test_two_daily_jobs_a_backfill_and_a_killed_machine_give_what_one_run_gives(team, undisturbed):
    observatory, services = team
    instance = observatory.instance
    services.start("code")
    services.start("web", "viewer", "daemon")

    # who may look sees, and launches nothing
    refused = services.ask("viewer", LAUNCH, {"tags": []})["data"]["launchRun"]
    assert refused["__typename"] == "UnauthorizedError"
    # two days at once, of which the backfill brings one again
    first, second = launch(services, DAY_2), launch(services, DAY_3)
    seen = services.ask("viewer", RUNS)["data"]["runsOrError"]["results"]
    assert {run["runId"] for run in seen} == {first, second}

    # mid-run: the first layer of the warehouse is written, the second is being written
    services.until(lambda: has_begun(instance, first, "intermediate_layer"), "the first run builds")
    backfill(services, observatory.job, DAY_3, DAY_4)
    for name in ("code", "daemon"):
        services.kill(name)
    assert instance.get_run_by_id(first).status == DagsterRunStatus.STARTED
    assert instance.get_run_by_id(second).status == DagsterRunStatus.QUEUED
    # as after a loss of power: the daemon is there long before the code
    services.start("code", "daemon")

    # the killed one, the one that waited, the backfill's, and the killed one's second try
    services.until(lambda: all_ended(instance, 4), "all runs ended")
    failed = instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.FAILURE]))
    assert [run.run_id for run in failed] == [first], services.logs()
    (retried,) = [run for run in instance.get_runs() if run.root_run_id == first]
    assert retried.step_keys_to_execute is None or "hub_models" in retried.step_keys_to_execute

    # nothing lost, nothing doubled
    different = {name for name, said in observatory.contents().items() if said != undisturbed[name]}
    assert different <= {"dim_snapshots", "fct_alerts"}  # when a day was captured, and who was told of the killed run
    days = observatory.sql("select snapshot_date, status from marts.dim_snapshots order by 1")
    assert days == [(day, "complete") for day in (FIRST_DAY, DAY_2, DAY_3, DAY_4)]
    assert not (observatory.settings.landing_dir / "_superseded").exists()
    marked = instance.get_materialized_partitions(dg.AssetKey(["publish", "current"]))
    assert marked == {str(DAY_2), str(DAY_3), str(DAY_4)}
    # its history lies in PostgreSQL, and nowhere else
    assert not list(observatory.settings.dagster_home.rglob("*.db"))
    assert len(instance.get_records_for_run(retried.run_id).records) > 100
