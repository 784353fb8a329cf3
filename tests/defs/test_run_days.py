"""Which days a run is about, which were set aside on the way, and that Dagster records exactly the days that are left."""

from datetime import date
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.utils import make_new_run_id

from orchestration.defs.alerts.findings import failures_of
from orchestration.defs.partitions import one_run_a_range, snapshot_days
from orchestration.defs.run_days import (
    LONGEST_REASON,
    SET_ASIDE_TAG,
    add_set_aside,
    asked_days,
    good_days,
    only_good_days,
    refuse_if_overtaken,
    set_aside,
    set_aside_days,
)
from orchestration.publishing import checkpoint

# Long past, because a partition exists only once its day has begun.
MONDAY, TUESDAY, WEDNESDAY = date(2025, 3, 3), date(2025, 3, 4), date(2025, 3, 5)
DAYS = [MONDAY, TUESDAY, WEDNESDAY]
LANDED, COUNTED, SHARED, PUBLISHED = map(dg.AssetKey, ("landed", "counted", "shared", "published"))


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as ephemeral:
        yield ephemeral


def tags_of(*days: date) -> dict[str, str]:
    if len(days) == 1:
        return {"dagster/partition": str(days[0])}
    return {
        "dagster/asset_partition_range_start": str(days[0]),
        "dagster/asset_partition_range_end": str(days[-1]),
    }


def run_three_steps(instance: dg.DagsterInstance, *days: date, bad: dict[date, str]):
    """A small chain like the real one: a step that sets days aside, one that yields `Output`s as dbt's does, a last one.

    Gives the run's result, and for each step the days that it was told of.
    """
    told: dict[str, list[date]] = {}
    partitioned = {"partitions_def": snapshot_days, "backfill_policy": one_run_a_range}

    @dg.asset(name="landed", **partitioned)
    def landed(context: dg.AssetExecutionContext):
        told["landed"] = asked_days(context)
        add_set_aside(context, bad)
        left = good_days(context)
        yield from only_good_days(context, [dg.MaterializeResult(metadata={"rows": 7})], left)

    @dg.multi_asset(specs=[dg.AssetSpec(key, deps=[LANDED]) for key in (COUNTED, SHARED)], **partitioned)
    def marts(context: dg.AssetExecutionContext):
        told["marts"] = good_days(context)
        outputs = [dg.Output(None, output_name=name, metadata={"rows": 5}) for name in ("counted", "shared")]
        of_day = {COUNTED: {day: {"day_of_month": day.day} for day in told["marts"]}}
        yield from only_good_days(context, outputs, told["marts"], of_day)

    @dg.asset(name="published", deps=[COUNTED, SHARED], **partitioned)
    def published(context: dg.AssetExecutionContext):
        told["published"] = good_days(context)
        yield from only_good_days(context, [dg.MaterializeResult()], told["published"])

    definitions = dg.Definitions(
        [landed, marts, published], jobs=[dg.define_asset_job("tiny")], executor=dg.in_process_executor
    )
    result = definitions.resolve_job_def("tiny").execute_in_process(
        instance=instance, tags=tags_of(*days), raise_on_error=False
    )
    return result, told


def recorded(instance: dg.DagsterInstance, run_id: str) -> dict[str, list[str]]:
    """Days by asset, one entry per materialisation event of the run."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION, limit=100).records
    days: dict[str, list[str]] = {}
    for record in records:
        event = record.event_log_entry.dagster_event
        days.setdefault(event.asset_key.to_user_string(), []).append(event.partition)
    return {name: sorted(partitions) for name, partitions in days.items()}


def test_one_partition_is_one_day(instance):
    result, told = run_three_steps(instance, TUESDAY, bad={})

    assert result.success
    assert told == {"landed": [TUESDAY], "marts": [TUESDAY], "published": [TUESDAY]}


def test_a_range_is_each_of_its_days_in_order(instance):
    result, told = run_three_steps(instance, MONDAY, WEDNESDAY, bad={})

    assert result.success
    assert told["landed"] == told["published"] == DAYS


def test_a_run_without_a_day_says_how_to_give_one(instance):
    @dg.asset
    def dayless(context: dg.AssetExecutionContext):
        asked_days(context)

    result = dg.materialize([dayless], instance=instance, raise_on_error=False)

    assert not result.success
    assert "names no day" in failures_of(instance, result.run_id)[0]
    assert "Materialize → choose a day" in failures_of(instance, result.run_id)[0]


def test_without_a_bad_day_dagster_records_every_day_itself(instance):
    result, _ = run_three_steps(instance, MONDAY, WEDNESDAY, bad={})

    assert recorded(instance, result.run_id) == {
        name: [str(day) for day in DAYS] for name in ("landed", "counted", "shared", "published")
    }


def test_a_day_set_aside_is_recorded_for_no_asset_and_the_steps_behind_still_run(instance):
    """Pins the private marker of `run_days`: should Dagster change its meaning, Tuesday appears here, or days twice."""
    result, told = run_three_steps(instance, MONDAY, WEDNESDAY, bad={TUESDAY: "extraction: cut short"})

    assert result.success
    assert told == {"landed": DAYS, "marts": [MONDAY, WEDNESDAY], "published": [MONDAY, WEDNESDAY]}
    good = [str(MONDAY), str(WEDNESDAY)]
    assert recorded(instance, result.run_id) == dict.fromkeys(("landed", "counted", "shared", "published"), good)
    for key in (LANDED, COUNTED, SHARED, PUBLISHED):
        assert instance.get_materialized_partitions(key) == set(good)


def test_what_is_recorded_by_hand_keeps_the_metadata(instance):
    run_three_steps(instance, MONDAY, WEDNESDAY, bad={TUESDAY: "cut short"})

    for key, rows in ((LANDED, 7), (COUNTED, 5)):
        event = instance.get_latest_materialization_event(key).dagster_event
        metadata = event.event_specific_data.materialization.metadata
        assert metadata["rows"].value == rows
        assert not [name for name in metadata if "observation" in name]


@pytest.mark.parametrize("bad", [{}, {TUESDAY: "cut short"}], ids=["all good", "one set aside"])
def test_each_day_of_a_range_has_numbers_of_its_own(instance, bad):
    result, _ = run_three_steps(instance, MONDAY, WEDNESDAY, bad=bad)

    numbers = {
        (event.asset_key, event.partition): event.step_materialization_data.materialization.metadata.get("day_of_month")
        for event in result.all_events
        if event.is_step_materialization
    }
    days = [day for day in DAYS if day not in bad]
    assert {key: value.value for key, value in numbers.items() if value} == {
        (COUNTED, str(day)): day.day for day in days
    }


def test_a_day_that_failed_before_does_not_hide_that_an_earlier_version_of_it_stands(instance):
    run_three_steps(instance, TUESDAY, bad={})
    run_three_steps(instance, MONDAY, WEDNESDAY, bad={TUESDAY: "cut short"})

    assert instance.get_materialized_partitions(PUBLISHED) == {str(day) for day in DAYS}


def test_when_every_day_is_bad_the_run_fails_with_each_reason(instance):
    result, told = run_three_steps(instance, MONDAY, TUESDAY, bad={MONDAY: "empty listing", TUESDAY: "cut short"})

    assert not result.success
    assert told == {"landed": [MONDAY, TUESDAY]}
    assert recorded(instance, result.run_id) == {}
    assert failures_of(instance, result.run_id) == [
        "landed: No day of this run is left: 2025-03-03: empty listing; 2025-03-04: cut short"
    ]


def test_days_set_aside_stay_in_the_runs_tag_for_a_retry_and_an_alert(instance):
    result, _ = run_three_steps(instance, MONDAY, WEDNESDAY, bad={WEDNESDAY: "wrong day", MONDAY: "zu früh"})

    run = instance.get_run_by_id(result.run_id)
    assert run.tags[SET_ASIDE_TAG] == '{"2025-03-03": "zu früh", "2025-03-05": "wrong day"}'
    assert set_aside_days(run) == {MONDAY: "zu früh", WEDNESDAY: "wrong day"}


def test_setting_aside_adds_to_what_was_set_aside_and_cuts_long_reasons(instance):
    seen = []

    @dg.asset(partitions_def=snapshot_days)
    def twice(context: dg.AssetExecutionContext):
        seen.append(set_aside(context))
        add_set_aside(context, {MONDAY: "first"})
        add_set_aside(context, {TUESDAY: "x" * 5_000})
        add_set_aside(context, {})
        seen.append(set_aside(context))

    dg.materialize([twice], instance=instance, partition_key=str(MONDAY))

    assert seen == [{}, {MONDAY: "first", TUESDAY: "x" * LONGEST_REASON}]


def second_try(instance: dg.DagsterInstance, run_id: str, steps: list[str] | None) -> SimpleNamespace:
    """What a step sees that belongs to a second try of the run, of these steps alone."""
    ids = {"run_id": make_new_run_id(), "parent_run_id": run_id, "root_run_id": run_id}
    run = dg.DagsterRun(job_name="daily_snapshot", step_keys_to_execute=steps, **ids)
    return SimpleNamespace(instance=instance, run=instance.add_run(run))


def test_a_retry_from_the_middle_is_refused_once_another_run_has_begun(instance, settings):
    from_the_middle = ["marts_layer", "publish__current"]
    checkpoint.begin(settings, owner="first", run_id="first")
    refuse_if_overtaken(second_try(instance, "first", from_the_middle), settings)

    checkpoint.begin(settings, owner="second", run_id="second")
    with pytest.raises(dg.Failure, match="another run that has begun since first stopped") as refused:
        refuse_if_overtaken(second_try(instance, "first", from_the_middle), settings)
    assert refused.value.allow_retries is False
    refuse_if_overtaken(second_try(instance, "first", None), settings)
    refuse_if_overtaken(second_try(instance, "first", ["staging_layer", *from_the_middle]), settings)
