"""The score of each day and the history of each promise, held against a brute force in plain Python on a made-up history.
Single rules in words are dbt's unit tests of the two marts; the score of result dicts is in `tests/quality`."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor

import duckdb
import pytest

from orchestration.quality.history import write_results
from orchestration.quality.results import CheckResult, evaluation_id
from orchestration.settings import Settings
from tests.dbt.built_warehouse import Warehouse

FIRST, SEED = date(2026, 10, 1), 4
WEIGHTS = {"blocks": 5, "investigate": 2, "watch": 1}
PROMISES = [
    ("raw", "hub_models", "ids_are_unique", "blocks"),
    ("raw", "hub_models", "volume_is_plausible", "investigate"),
    ("raw", "hub_landing", "fields_are_known", "watch"),
    ("marts", "mart_daily_country_share", "shares_sum_to_one", "blocks"),
    ("marts", "mart_attribution_coverage", "coverage_holds", "watch"),
]
MODELS = ("fct_quality_results", "mart_daily_quality_score", "mart_promise_history")


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def made_up_history(seed: int) -> list[CheckResult]:
    """Thirty runs of one to four days, some of them judged before; each promise goes bad for a while, now and then."""
    chance = random.Random(seed)
    results, broken = {}, dict.fromkeys(PROMISES, False)
    for number in range(30):
        last = FIRST + timedelta(days=min(number, 24))
        days = {last - timedelta(days=chance.randint(0, 3)) for _ in range(chance.choice([1, 1, 2, 4]))} | {last}
        for promise in PROMISES:
            broken[promise] = chance.random() < (0.6 if broken[promise] else 0.2)
            step, table_name, check_name, severity = promise
            at = noon(FIRST) + timedelta(days=number, minutes=chance.randint(30, 400), seconds=number)
            for day in sorted(day for day in days if day >= FIRST):
                is_bad = broken[promise] and chance.random() < 0.7
                is_accepted = is_bad and chance.random() < 0.2
                result = CheckResult(
                    evaluation_id=evaluation_id(f"run-{number:02}", step, day, table_name, check_name),
                    run_id=f"run-{number:02}",
                    evaluated_at=at,
                    snapshot_date=day,
                    step=step,
                    table_name=table_name,
                    check_name=check_name,
                    severity="watch" if number > 20 and severity == "investigate" else severity,
                    blocking=severity == "blocks",
                    passed=not is_bad or is_accepted,
                    crashed=is_bad and not is_accepted and chance.random() < 0.2,
                    accepted_event=is_accepted,
                    accepted_because="e: it is known" if is_accepted else None,
                    owner="team:data" if number > 5 else "team:attribution",
                    observed="1",
                    threshold="0",
                    basis="fixed",
                    reason="made up",
                    evaluated_rows=1,
                    failed_rows=0,
                )
                results[result.evaluation_id] = result
    return list(results.values())


def captures() -> dict[date, datetime | None]:
    """Every third day nobody knows; one was captured anew after it was judged."""
    days = [FIRST + timedelta(days=number) for number in range(26)]
    known = {day: None if day.day % 3 == 0 else noon(day) for day in days}
    return known | {date(2026, 10, 4): noon(date(2026, 10, 30))}


@pytest.fixture(scope="module")
def history() -> list[CheckResult]:
    return made_up_history(SEED)


@pytest.fixture(scope="module")
def built(tmp_path_factory, landing, manifest, history) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("quality_marts"), landing, manifest)
    settings = Settings(home=warehouse.home, hub_endpoint="http://127.0.0.1:9", hf_token=None)
    files = defaultdict(list)
    for result in history:
        files[result.run_id, result.step].append(result)
    for (run_id, step), results in files.items():
        write_results(settings, results, step=step, run_id=run_id, at=results[0].evaluated_at)
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.dim_snapshots (snapshot_date date, captured_at timestamp)")
        rows = [(day, at and at.replace(tzinfo=None)) for day, at in captures().items()]
        connection.executemany("insert into marts.dim_snapshots values (?, ?)", rows)
    for _ in range(2):  # a second time changes nothing
        warehouse.run("build", "--quiet", "--exclude-resource-type", "unit_test", "--select", *MODELS)
    return warehouse


def is_broken(result: CheckResult) -> bool:
    return result.crashed or not result.passed


def as_last_judged(results: list[CheckResult]) -> list[CheckResult]:
    last = {}
    for result in sorted(results, key=lambda r: (r.evaluated_at, r.evaluation_id)):
        last[result.snapshot_date, result.step, result.table_name, result.check_name] = result
    return list(last.values())


def test_the_history_has_what_it_must_to_be_a_test(history):
    assert len(history) > 250
    assert len(as_last_judged(history)) < len(history)
    assert sum(map(is_broken, history)) > 30
    assert any(result.crashed for result in history)
    assert any(result.accepted_event for result in history)


def test_scores_are_those_of_the_brute_force(built, history):
    expected = {}
    of_step = defaultdict(list)
    for result in as_last_judged(history):
        of_step[result.snapshot_date, result.step].append(result)
    for key, results in of_step.items():
        bad = [result for result in results if is_broken(result)]
        judged = sum(WEIGHTS[result.severity] for result in results)
        kept = judged - sum(WEIGHTS[result.severity] for result in bad)
        expected[key] = (
            floor(Fraction(1000 * kept, judged)) / 10,
            len(results),
            len(results) - len(bad),
            sum(result.accepted_event for result in results),
            *(sum(result.severity == severity for result in bad) for severity in WEIGHTS),
            sum(result.crashed for result in results),
            kept,
            judged,
            max(result.evaluated_at for result in results).replace(tzinfo=None),
        )
    found = built.rows(
        "select snapshot_date, step, score, promises, kept, accepted, broken_blocks, broken_investigate, broken_watch, "
        "crashed, kept_weight, judged_weight, evaluated_at from marts.mart_daily_quality_score"
    )
    assert {row[:2]: row[2:] for row in found} == expected
    assert len(found) == len(expected) > 40


def episodes_of(results: list[CheckResult]) -> list[dict]:
    """Walk through the runs in order: an episode begins with a bad one after none or a good one, and ends with a good one."""
    runs = defaultdict(list)
    for result in results:
        runs[result.run_id].append(result)
    episodes, is_open = [], False
    for run in sorted(runs.values(), key=lambda run: min(result.evaluated_at for result in run)):
        bad = [result for result in run if is_broken(result)]
        if bad and not is_open:
            taken = [captures()[result.snapshot_date] for result in bad]
            taken = [at for at in taken if at is not None and at <= bad[0].evaluated_at]
            episodes.append({"began": bad[0].evaluated_at, "captured": min(taken, default=None), "ended": None})
        if not bad and is_open:
            episodes[-1]["ended"] = run[0].evaluated_at
        is_open = bool(bad)
    return episodes


def mean_hours(spans: list[tuple[datetime, datetime]]) -> float | None:
    hours = [(end - start).total_seconds() / 3600 for start, end in spans]
    return pytest.approx(sum(hours) / len(hours)) if hours else None


def test_histories_of_promises_are_those_of_the_brute_force(built, history):
    expected = {}
    for step, table_name, check_name, _ in PROMISES:
        own = [r for r in history if (r.step, r.table_name, r.check_name) == (step, table_name, check_name)]
        by_day = as_last_judged(own)
        broken_days = [result.snapshot_date for result in by_day if is_broken(result)]
        latest = max(own, key=lambda result: (result.evaluated_at, result.snapshot_date))
        episodes = episodes_of(own)
        still_open = [episode["began"].replace(tzinfo=None) for episode in episodes if episode["ended"] is None]
        expected[step, table_name, check_name] = (
            latest.severity,
            latest.owner,
            len(by_day),
            len(broken_days),
            min(broken_days, default=None),
            max(broken_days, default=None),
            max(result.snapshot_date for result in own),
            bool(still_open),
            len(episodes),
            mean_hours([(e["captured"], e["began"]) for e in episodes if e["captured"]]),
            mean_hours([(e["began"], e["ended"]) for e in episodes if e["ended"]]),
            max(still_open, default=None),
        )
    found = built.rows(
        "select step, table_name, check_name, severity, owner, days_judged, days_broken, first_broken_date, "
        "last_broken_date, last_judged_date, is_broken, episodes, mean_hours_to_detect, mean_hours_to_recover, open_since "
        "from marts.mart_promise_history"
    )
    assert {row[:3]: row[3:] for row in found} == expected
    assert sum(row[11] for row in found) > 8
    assert {row[10] for row in found} == {True, False}
