"""The definitions as the server loads them: what is there, how it hangs together, and what loading must not cost."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import dagster as dg
import pytest
import yaml

from orchestration.definitions import defs as load
from orchestration.defs.gates import ASSET_OF_STEP
from orchestration.defs.partitions import snapshot_days
from orchestration.project import dbt_project
from orchestration.quality.suites import SUITES
from orchestration.settings import FURTHER_LISTINGS, PROJECT_ROOT

GROUPS = {"extract", "seeds", "staging", "intermediate", "marts", "publish"}
OWN_ASSETS = {
    "hub/models",
    "hub/captures",
    "hub/authors",
    "quality/results",
    "publish/candidate",
    "publish/report",
    "publish/current",
    "publish/previous_version",
    "quality/alerts",
}
# Read, but made by no step of the run.
OUTSIDE = {"publish/previous_version", "quality/alerts"}


# What products read to learn that they must not phone home, each with the value that says so.
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "GX_ANALYTICS_ENABLED": "false",
}
# Loaded inside the step that needs them: every process that loads the definitions would pay for them otherwise.
HEAVY = ("great_expectations", "altair", "vl_convert", "apprise", "pandas", "fastapi", "uvicorn")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return load()


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def specs(definitions):
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def test_the_server_loads_the_workspace(tmp_path):
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(PROJECT_ROOT / "workspace.yaml")]
    checked = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        timeout=120,
        check=False,
        env={"PATH": "/usr/bin:/bin", "OBSERVATORY_HOME": str(tmp_path), "DAGSTER_HOME": str(tmp_path)},
    )
    assert checked.returncode == 0, checked.stderr[-2000:]


def test_every_model_seed_and_own_asset_is_there(definitions):
    manifest = json.loads(dbt_project.manifest_path.read_text())
    from_dbt = {
        f"{'seeds' if node['resource_type'] == 'seed' else node['fqn'][1]}/{node['name']}"
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed"}
    }
    assert set(specs(definitions)) == from_dbt | OWN_ASSETS


def test_every_asset_says_what_it_is_whose_and_one_row_per_what(definitions):
    for name, spec in specs(definitions).items():
        # dagster-dbt puts the SQL below the description, and SQL says "per" often enough.
        said = spec.description.split("#### Raw SQL")[0].strip()
        assert re.search(r"[.)] One [^.]+ per [^.]+\.$", said), (name, said[-120:])
        assert spec.group_name in GROUPS, name
        assert spec.owners == ["team:data"], name
        assert spec.kinds, name
        assert spec.partitions_def == snapshot_days, name


def test_lineage_runs_from_the_hub_to_what_is_published(graph):
    ancestors = graph.get_ancestor_asset_keys(dg.AssetKey(["publish", "current"]))
    for key in (["hub", "models"], ["hub", "authors"], ["hub", "captures"], ["staging", "stg_hub__models"]):
        assert dg.AssetKey(key) in ancestors
    assert dg.AssetKey(["marts", "dim_models"]) in ancestors
    assert dg.AssetKey(["quality", "results"]) in ancestors


def test_every_suite_is_a_blocking_check_on_the_table_that_it_judges(graph):
    suites = {
        dg.AssetCheckKey(
            dg.AssetKey(ASSET_OF_STEP.get(suite.step) or [suite.step, suite.table]), f"{suite.table}_suite"
        )
        for suite in SUITES.values()
        if suite.step != "listings"  # off by default: test_further_listings.py has them
    }
    assert {key for key in graph.asset_check_keys if key.name.endswith("_suite")} == suites
    assert [str(key) for key in suites if not graph.get(key).blocking] == []


@pytest.mark.parametrize(
    ("gate", "step"),
    [
        ("raw_gate", "hub__authors"),
        ("raw_gate", "staging_layer"),
        ("staging_gate", "intermediate_layer"),
        ("intermediate_gate", "marts_layer"),
        ("marts_gate", "publish__candidate"),
        ("published_gate", "publish__report"),
        ("published_gate", "publish__current"),
    ],
)
def test_a_step_waits_for_the_gate_on_what_it_reads(definitions, gate, step):
    steps = definitions.resolve_job_def("daily_snapshot").graph.dependency_structure

    def before(name: str) -> set[str]:
        direct = {
            output.node_name
            for outputs in steps.input_to_upstream_outputs_for_node(name).values()
            for output in outputs
        }
        return direct.union(*(before(other) for other in direct))

    assert gate in before(step)


def test_a_run_records_at_most_sixty_checks(definitions):
    checks = definitions.resolve_job_def("daily_snapshot").asset_layer.asset_graph.asset_check_keys
    # with room for those of the listings that are off by default
    assert len(SUITES) <= len(checks) <= 60 - len(FURTHER_LISTINGS)


def test_the_job_and_its_schedule_are_for_the_day_itself(definitions):
    schedule = definitions.resolve_schedule_def("daily_snapshot_at_noon_utc")
    assert schedule.cron_schedule == "0 12 * * *"
    assert schedule.execution_timezone == "UTC"
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 11, 24, 12, tzinfo=UTC))
    asked = schedule.evaluate_tick(context).run_requests
    assert [request.partition_key for request in asked] == ["2026-11-24"]
    executed = definitions.resolve_job_def("daily_snapshot").asset_layer.executable_asset_keys
    assert {key.to_user_string() for key in executed} == set(specs(definitions)) - OUTSIDE


@pytest.mark.parametrize("sensor", ["run_alerts", "freshness", "domain_alerts"])
def test_the_alert_sensors_run_from_the_start(definitions, sensor):
    assert definitions.resolve_sensor_def(sensor).default_status == dg.DefaultSensorStatus.RUNNING


def test_everything_runs_in_one_process_also_what_the_ui_materialises(definitions):
    assert definitions.executor is dg.in_process_executor
    assert definitions.resolve_implicit_global_asset_job_def().executor_def is dg.in_process_executor


def test_a_range_of_days_is_one_run(definitions):
    for assets in definitions.get_repository_def().assets_defs_by_key.values():
        if assets.is_executable:
            assert assets.backfill_policy == dg.BackfillPolicy.single_run(), assets.keys


def test_loading_leaves_heavy_libraries_alone_and_nothing_phones_home():
    program = (
        "import json, os, sys\n"
        "from orchestration.definitions import defs\n"
        "defs().resolve_asset_graph()\n"
        f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]))\n"
        f"print(json.dumps({{name: os.environ.get(name) for name in {tuple(QUIET)}}}))\n"
    )
    # Without these names in its environment, so that it is the settings that set them.
    environment = {name: value for name, value in os.environ.items() if name not in QUIET}
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        timeout=120,
        check=True,
        env=environment,
    )
    heavy, quiet = map(json.loads, loaded.stdout.splitlines()[-2:])
    assert heavy == []
    assert quiet == QUIET
    dagster_yaml = yaml.safe_load((PROJECT_ROOT / "orchestration" / "dagster.yaml").read_text())
    assert dagster_yaml["telemetry"] == {"enabled": False}
    assert dagster_yaml["nux"] == {"enabled": False}
