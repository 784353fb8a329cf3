"""Datasets and Spaces beside the models: in the definitions when asked for, landed last, and no danger to what is published."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from orchestration.definitions import defs as load
from orchestration.defs.alerts.findings import failures_of, look_at
from orchestration.defs.extract.listings import listing_asset, listing_gate
from orchestration.defs.partitions import snapshot_days
from orchestration.defs.run_days import set_aside_days
from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.hub.listings import DATASETS, LISTINGS, SPACES
from orchestration.landing.folders import DayFolder
from orchestration.quality.history import results_of_run
from orchestration.quality.suites import SUITES
from orchestration.sandbox.faults import Faults
from orchestration.sandbox.listing_days import write_listing_days
from orchestration.sandbox.population import write_population
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import FURTHER_LISTINGS, Settings
from tests.hub.snapshots import models, write_snapshots

DAY, NEXT_DAY = date(2026, 10, 6), date(2026, 10, 7)
ROWS = 100  # of each listing on the first day: in pages of 60 two
QUIET_CONSOLE = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
KEYS = {name: dg.AssetKey(["hub", name]) for name in FURTHER_LISTINGS}


@pytest.fixture(scope="module")
def enabled() -> dg.Definitions:
    """The definitions as a process loads them whose environment names both listings."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OBSERVATORY_LISTINGS", "datasets spaces")
        return load()


# --- the definitions -------------------------------------------------------------------------------------


def test_the_settings_name_what_the_registry_has_beside_the_models():
    assert list(FURTHER_LISTINGS) == [name for name in LISTINGS if name != "models"]
    assert {f"listings_{name}" for name in FURTHER_LISTINGS} == {
        s.name for s in SUITES.values() if s.step == "listings"
    }


def test_without_the_setting_the_definitions_are_those_of_the_models(enabled):
    plain = load()
    assert not set(KEYS.values()) & {spec.key for spec in plain.resolve_all_asset_specs()}
    added = {spec.key for spec in enabled.resolve_all_asset_specs()} - {
        spec.key for spec in plain.resolve_all_asset_specs()
    }
    assert added == set(KEYS.values())
    checks = [definitions.resolve_asset_graph().asset_check_keys for definitions in (plain, enabled)]
    assert checks[1] - checks[0] == {dg.AssetCheckKey(key, f"hub_{name}_suite") for name, key in KEYS.items()}
    assert len(checks[1]) <= 60


def test_one_listing_can_be_asked_for_alone(monkeypatch):
    monkeypatch.setenv("OBSERVATORY_LISTINGS", " spaces  spaces ")
    keys = {spec.key for spec in load().resolve_all_asset_specs()}
    assert KEYS["spaces"] in keys
    assert KEYS["datasets"] not in keys


def test_a_listing_that_nobody_knows_is_refused_in_words(monkeypatch):
    monkeypatch.setenv("OBSERVATORY_LISTINGS", "datasets papers")
    with pytest.raises(ValidationError, match="found papers; expected any of datasets, spaces, separated by spaces"):
        Settings()
    with pytest.raises(Exception, match="Error while building definitions") as caught:
        load()
    assert "Correct OBSERVATORY_LISTINGS" in _whole(caught.value)


@pytest.mark.parametrize("name", FURTHER_LISTINGS)
def test_each_is_an_asset_like_the_models(enabled, name):
    spec = next(spec for spec in enabled.resolve_all_asset_specs() if spec.key == KEYS[name])
    one_row = {"datasets": "One row per dataset repository.", "spaces": "One row per Space."}[name]
    assert spec.description.endswith(f". {one_row}")
    assert re.search(r"[.)] One [^.]+ per [^.]+\.$", spec.description)
    assert (spec.group_name, spec.owners, spec.kinds) == ("extract", ["team:data"], {"huggingface", "parquet"})
    assert spec.partitions_def == snapshot_days
    asset = enabled.get_repository_def().assets_defs_by_key[KEYS[name]]
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
    assert asset.op.pool == "hub"


@pytest.mark.parametrize("name", FURTHER_LISTINGS)
def test_nothing_waits_for_a_listing_and_it_waits_for_nothing(enabled, name):
    graph = enabled.resolve_asset_graph()
    assert graph.get(KEYS[name]).child_keys == graph.get(KEYS[name]).parent_keys == set()
    assert not graph.get(dg.AssetCheckKey(KEYS[name], f"hub_{name}_suite")).blocking
    assert KEYS[name] in enabled.resolve_job_def("daily_snapshot").asset_layer.executable_asset_keys


def _whole(error: BaseException | None) -> str:
    return "" if error is None else f"{error}\n{_whole(error.__cause__ or error.__context__)}"


# --- whole days ------------------------------------------------------------------------------------------


class Day:
    """A day of the real job with both listings, and what came of it."""

    def __init__(self, result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance, settings: Settings):
        self.result, self.instance, self.settings = result, instance, settings
        events = [event for event in result.all_events if event.step_key]
        self.failed = {event.step_key for event in events if event.is_step_failure}
        self.started = [event.step_key for event in events if event.is_step_start]
        self.said = "\n".join(failures_of(instance, result.run_id))
        self.checks = {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}

    @property
    def materialised(self) -> set[str]:
        return {event.asset_key.to_user_string() for event in self.result.all_events if event.is_step_materialization}

    def landed_rows(self, listing: str) -> int | None:
        manifest = DayFolder(self.settings.landing_dir, listing, DAY).manifest()
        return manifest and manifest["rows"]

    def status(self) -> dict:
        return json.loads((self.settings.published_dir / "status.json").read_text())


@pytest.fixture(scope="module")
def run_day(enabled, tmp_path_factory) -> Iterator[Callable[..., Day]]:
    """`run_day(fault, …)`: one day of the daily job in a home of its own, against a Hub that misbehaves so."""
    world = tmp_path_factory.mktemp("world") / "population"
    write_population(world, models=20 * ROWS, days=1, seed=11, first_day=DAY)
    job, dbt = enabled.resolve_job_def("daily_snapshot"), DbtInProcess()
    with SandboxHub(world) as hub:

        def run(*faults: dict) -> Day:
            folder = tmp_path_factory.mktemp("day")
            hub.faults.rules = Faults(list(faults)).rules
            settings = Settings(
                home=folder / "home",
                hub_endpoint=hub.url,
                hf_token=None,
                page_size=60,
                account_lookups=5,
                step_retries=0,
            )
            with dg.DagsterInstance.ephemeral(tempdir=str(folder)) as instance:
                result = job.execute_in_process(
                    instance=instance,
                    tags={"dagster/partition": str(DAY)},
                    resources={"settings": settings, "dbt": dbt},
                    raise_on_error=False,
                    run_config=QUIET_CONSOLE,
                )
                return Day(result, instance, settings)

        yield run


def test_both_land_with_the_models_and_after_them(run_day):
    day = run_day()

    assert day.result.success, day.said
    assert {listing: day.landed_rows(listing) for listing in LISTINGS} == {
        "models": 20 * ROWS,
        "datasets": ROWS,
        "spaces": ROWS,
    }
    assert {"publish/current", "hub/datasets", "hub/spaces"} <= day.materialised
    assert day.status()["state"] == "published"
    # models are published before the first request for anything else
    last = ["hub__datasets", "datasets_gate", "hub__spaces", "spaces_gate"]
    assert sorted(day.started[-4:]) == sorted(last)
    assert day.started[-5] == "publish__current"
    assert day.checks["hub_datasets_suite"] is True
    assert day.checks["hub_spaces_suite"] is True
    judged = results_of_run(day.settings, day.result.run_id, "listings")
    assert {row["table_name"] for row in judged} == {"hub_datasets", "hub_spaces"}
    assert len(judged) == sum(len(suite.promises) for suite in SUITES.values() if suite.step == "listings")
    metadata = next(
        event.step_materialization_data.materialization.metadata
        for event in day.result.all_events
        if event.is_step_materialization and event.asset_key == KEYS["spaces"]
    )
    assert metadata["dagster/row_count"].value == ROWS
    assert metadata["preview"].value.count("\n") == 6  # a head, a rule, five rows
    assert metadata["simulated"].value is True


def test_a_listing_that_ends_too_early_fails_alone(run_day):
    day = run_day({"kind": "missing_link", "route": "datasets", "page": 1})

    assert not day.result.success
    assert day.failed == {"hub__datasets"}
    assert "60 rows, the site counts 100" in day.said
    assert "datasets_gate" not in day.started  # nothing to judge
    assert (day.landed_rows("datasets"), day.landed_rows("spaces")) == (None, ROWS)
    assert day.checks["hub_spaces_suite"] is True
    assert {"hub/models", "publish/current", "hub/spaces"} <= day.materialised
    assert day.status()["last_good"]["snapshot_date"] == str(DAY)
    assert (day.settings.published_dir / "current" / "observatory.duckdb").is_file()
    assert set_aside_days(day.result.dagster_run) == {}


def test_a_day_that_the_models_lost_is_not_lost_to_the_others(run_day):
    day = run_day({"kind": "missing_link", "route": "models", "page": 1})

    assert day.failed == {"hub_models"}
    assert {listing: day.landed_rows(listing) for listing in LISTINGS} == {
        "models": None,
        "datasets": ROWS,
        "spaces": ROWS,
    }
    assert "publish/current" not in day.materialised
    assert day.checks == {"hub_datasets_suite": True, "hub_spaces_suite": True}


# --- a listing by itself ---------------------------------------------------------------------------------


@contextmanager
def listing_alone(listing, folder: Path, *, spoil: Callable[[pa.Table], pa.Table] | None = None):
    """`run(*days)` for a job of one listing and its check, over two days that a sandbox Hub shows."""
    snapshots = write_snapshots(folder / "snapshots", {DAY: models(3), NEXT_DAY: models(3)})
    write_listing_days(snapshots, listing.name, ROWS, 2, 7, DAY)
    if spoil:
        for file in snapshots.glob(f"{listing.name}/*/*.parquet"):
            pq.write_table(spoil(pq.read_table(file, partitioning=None)), file)
    with SandboxHub(snapshots, day=DAY) as hub, dg.DagsterInstance.ephemeral(tempdir=str(folder)) as instance:
        settings = Settings(home=folder / "home", hub_endpoint=hub.url, hf_token=None, page_size=60, step_retries=0)
        definitions = dg.Definitions(
            assets=[listing_asset(listing)],
            asset_checks=[listing_gate(listing)],
            jobs=[dg.define_asset_job("alone")],
            resources={"settings": settings},
            executor=dg.in_process_executor,
        )

        def run(*days: date, **config):
            tags = {
                "dagster/asset_partition_range_start": str(days[0]),
                "dagster/asset_partition_range_end": str(days[-1]),
            }
            return definitions.resolve_job_def("alone").execute_in_process(
                instance=instance,
                tags=tags if len(days) > 1 else {"dagster/partition": str(days[0])},
                raise_on_error=False,
                run_config=QUIET_CONSOLE | ({"ops": {f"hub__{listing.name}": {"config": config}}} if config else {}),
            )

        yield run, hub, instance, settings


def test_of_a_range_the_day_that_landed_is_recorded_and_the_step_says_which_did_not(tmp_path):
    with listing_alone(DATASETS, tmp_path) as (run, _, instance, settings):
        result = run(DAY, NEXT_DAY)

        assert not result.success
        assert "it can't tell what 2026-10-07 was like" in failures_of(instance, result.run_id)[0]
        assert instance.get_materialized_partitions(KEYS["datasets"]) == {str(DAY)}
        assert DayFolder(settings.landing_dir, "datasets", DAY).manifest()["rows"] == ROWS
        assert set_aside_days(instance.get_run_by_id(result.run_id)) == {}

        # the day by itself: it isn't fetched again, and now it is judged
        again = run(DAY)
        assert again.success
        assert [evaluation.passed for evaluation in again.get_asset_check_evaluations()] == [True]


def test_a_second_day_is_judged_beside_the_first(tmp_path):
    with listing_alone(SPACES, tmp_path) as (run, hub, _, settings):
        assert run(DAY).success
        hub.day = NEXT_DAY
        second = run(NEXT_DAY)

        assert second.success
        judged = {row["check_name"]: row for row in results_of_run(settings, second.run_id, "listings")}
        assert judged["hardly_any_id_has_vanished"]["evaluated_rows"] == ROWS
        assert judged["rows_are_not_fewer_than_on_the_last_day"]["observed"] == "1"
        assert all(row["passed"] for row in judged.values())


def test_a_day_held_by_another_process_fails_the_step_in_words(tmp_path):
    with listing_alone(SPACES, tmp_path) as (run, _, instance, settings):
        with DayFolder(settings.landing_dir, "spaces", DAY).locked():
            result = run(DAY)
        assert "spaces of 2026-10-06 is held by process" in failures_of(instance, result.run_id)[0]
        assert run(DAY).success


def test_a_landed_day_is_fetched_again_only_when_forced(tmp_path):
    with listing_alone(SPACES, tmp_path) as (run, _, _, settings):
        folder = DayFolder(settings.landing_dir, "spaces", DAY)
        revisions = []
        for config in ({}, {}, {"force": True}):
            assert run(DAY, **config).success
            revisions.append(folder.manifest()["revision"])
        assert revisions == [1, 1, 2]


def test_a_broken_promise_is_an_error_that_is_told_and_stops_nothing(tmp_path):
    def with_negative_likes(table: pa.Table) -> pa.Table:
        return table.set_column(table.schema.get_field_index("likes"), "likes", pa.array([-1] * table.num_rows))

    with listing_alone(DATASETS, tmp_path, spoil=with_negative_likes) as (run, _, instance, settings):
        result = run(DAY)

        assert result.success
        (evaluation,) = result.get_asset_check_evaluations()
        assert not evaluation.passed
        assert evaluation.severity == dg.AssetCheckSeverity.ERROR
        assert not evaluation.blocking
        assert "likes is not negative: found 100, expected 0" in evaluation.description
        run_of_day = instance.get_run_by_id(result.run_id)
        ((finding,),) = look_at(instance, settings, run_of_day, "2026-10-06T12:30:00+00:00").groups
        assert finding.severity == "investigate"
        assert finding.incident == "check:listings:hub_datasets:likes_is_not_negative"
        assert (finding.observed, finding.threshold) == ("100", "0")
        assert "the models are published all the same" in finding.effect
