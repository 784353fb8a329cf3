"""For every blocking promise: a day that breaks it fails the run at its gate, which names it, and readers keep what they had.
The gate and all that lies behind it are the real job's; the day is the small one of tests/quality, since the job itself makes
no day that is wrong in all these ways. Whole runs over bad days are in test_bad_days."""

import json
import shutil
from datetime import date
from functools import cache

import dagster as dg
import pytest

from orchestration.defs.gates import ASSET_OF_STEP, check_name
from orchestration.defs.run_days import VERSION_TAG
from orchestration.publishing.candidate import Candidate, as_note, note_path
from orchestration.publishing.files import write_json
from orchestration.quality import known_events, read_history
from orchestration.quality.suites import SUITES
from orchestration.settings import Settings
from tests.quality.broken_days import JUDGED_DAY, break_promise
from tests.quality.conftest import good_home  # noqa: F401 - the fixture of the good home

PUBLISHED = "2026-10-05-good"
# nothing rests on the further listings: they fail by themselves, which tests/defs shows
CASES = [
    pytest.param(suite.name, promise.check_name, id=f"{suite.name}-{promise.check_name}")
    for suite in SUITES.values()
    if suite.step != "listings"
    for promise in suite.promises
    if promise.blocking
]


@pytest.fixture
def home(good_home, settings) -> Settings:  # noqa: F811
    """The good home with a published version from before, and a candidate that a run could publish."""
    shutil.copytree(good_home, settings.home)
    version = settings.published_dir / "versions" / PUBLISHED
    version.mkdir(parents=True)
    write_json(
        version / "manifest.json", {"snapshot_dates": {"last": "2026-10-05", "complete": []}, "created_at": "then"}
    )
    (settings.published_dir / "current").symlink_to(f"versions/{PUBLISHED}")
    return settings


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path_factory.mktemp("dagster"))) as ephemeral:
        yield ephemeral


def run_from_gate(home: Settings, step: str, day: date, instance, dbt, job, *, alone: bool = False):
    """The job from a step's gate on: what lies before it is in the home already. `alone`: the gate and nothing behind it."""
    candidate = Candidate(home.published_dir / "_candidates" / "one", "one", "a-run", (day,))
    write_json(note_path(home, "one"), as_note(candidate))
    return part_of(job, step, alone).execute_in_process(
        instance=instance,
        tags={"dagster/partition": str(day), VERSION_TAG: "one"},
        resources={"settings": home, "dbt": dbt},
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


@cache
def part_of(job: dg.JobDefinition, step: str, alone: bool) -> dg.JobDefinition:
    """A step's gate, and all that is made of what it judges."""
    tables = dict.fromkeys(suite.table for suite in SUITES.values() if suite.step == step)
    gated = {table: dg.AssetKey(ASSET_OF_STEP.get(step) or [step, table]) for table in tables}
    checks = {dg.AssetCheckKey(key, check_name(table)) for table, key in gated.items()}
    behind = set() if alone else behind_gate(job.asset_layer.asset_graph, set(gated.values()))
    return job.get_subset(asset_selection=behind, asset_check_selection=checks)


def behind_gate(graph, gated: set[dg.AssetKey]) -> set[dg.AssetKey]:
    """What is made of the gated assets, but for their own layer."""
    layers, found, waiting = {key.path[0] for key in gated}, set(), set(gated)
    while waiting:
        children = set().union(*(graph.get(key).child_keys for key in waiting)) - found
        found |= children
        waiting = children
    return {key for key in found - gated if key.path[0] not in layers or key.path[0] == "publish"}


@pytest.mark.parametrize(("suite", "check"), CASES)
def test_a_day_that_breaks_it_goes_no_further(suite, check, home, instance, dbt, daily_snapshot):
    step, table, day = SUITES[suite].step, SUITES[suite].table, JUDGED_DAY[suite]
    break_promise(home, suite, check)

    result = run_from_gate(home, step, day, instance, dbt, daily_snapshot)

    assert not result.success
    assert [event.step_key for event in result.all_events if event.is_step_failure] == [f"{step}_gate"]
    assert [event.step_key for event in result.all_events if event.event_type_value == "STEP_START"] == [f"{step}_gate"]
    assert (home.published_dir / "current").resolve().name == PUBLISHED
    status = json.loads((home.published_dir / "status.json").read_text())
    assert (status["state"], status["attempted"]["step"]) == ("blocked", step)
    assert status["last_good"]["version"] == PUBLISHED
    assert f"{table}: {check.replace('_', ' ')}" in status["attempted"]["reason"]


@pytest.mark.parametrize("check", ["largest_repositories_are_still_there", "downloads_are_near_the_last_complete_day"])
def test_a_broken_promise_that_is_accepted_as_a_known_event_lets_the_day_pass_and_says_so(
    check, home, instance, dbt, daily_snapshot, tmp_path, monkeypatch
):
    day, table = JUDGED_DAY["raw_models"], SUITES["raw_models"].table
    seed = tmp_path / "known_events.csv"
    seed.write_text(
        ",".join(known_events.COLUMNS)
        + f"\nwithdrawn,{table},{check},{day},{day},The owner withdrew it and says so on its page,Ada,{day}\n"
    )
    monkeypatch.setattr(known_events, "SEED", seed)
    break_promise(home, "raw_models", check)

    result = run_from_gate(home, "raw", day, instance, dbt, daily_snapshot, alone=True)

    assert result.success
    verdict = next(row for row in read_history(home) if (row["table_name"], row["check_name"]) == (table, check))
    assert (verdict["passed"], verdict["accepted_event"], verdict["blocking"]) == (True, True, True)
    assert (
        verdict["accepted_because"]
        == f"withdrawn: The owner withdrew it and says so on its page (accepted by Ada on {day})"
    )
    assert verdict["observed"] not in {"0", ""}
    evaluation = next(e for e in result.get_asset_check_evaluations() if e.check_name == check_name(table))
    assert evaluation.passed
    assert "1 accepted as a known event" in evaluation.description
