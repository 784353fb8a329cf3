"""The score of result dicts: each kind of bad day by hand, and the same weights as dbt has.
Over a whole history the mart is held against a brute force in `tests/dbt/test_quality_marts`."""

from datetime import UTC, date, datetime, timedelta

import pytest
import yaml

from orchestration.quality.promises import WEIGHTS
from orchestration.quality.score import (
    SCORE_MEANS,
    flagged,
    last_verdicts,
    score_of,
    scores_by_day_and_step,
)
from orchestration.settings import PROJECT_ROOT

DAY = date(2026, 10, 6)
AT = datetime(2026, 10, 6, 13, tzinfo=UTC)


def verdict(check_name: str, severity: str = "blocks", **more) -> dict:
    return {
        "evaluation_id": f"{check_name}-{more.get('evaluated_at', AT)}",
        "evaluated_at": AT,
        "snapshot_date": DAY,
        "step": "marts",
        "table_name": "a_table",
        "check_name": check_name,
        "severity": severity,
        "blocking": severity == "blocks",
        "passed": True,
        "crashed": False,
        "accepted_event": False,
        **more,
    }


def test_dbt_weighs_promises_alike():
    declared = yaml.safe_load((PROJECT_ROOT / "dbt_project" / "dbt_project.yml").read_text())["vars"]
    weights = {name.removeprefix("promise_weight_"): value for name, value in declared.items() if "_weight_" in name}
    assert weights == WEIGHTS
    assert all(str(weight) in SCORE_MEANS for weight in WEIGHTS.values())


def test_one_broken_promise_that_blocks_outweighs_two_to_be_investigated():
    assert WEIGHTS["blocks"] > 2 * WEIGHTS["investigate"]
    assert WEIGHTS["investigate"] >= 2 * WEIGHTS["watch"]


@pytest.mark.parametrize(
    ("results", "score"),
    [
        pytest.param([verdict("a"), verdict("b", "watch")], 100.0, id="all kept"),
        pytest.param([verdict("a", passed=False), verdict("b")], 50.0, id="one of two that block"),
        pytest.param([verdict("a"), verdict("b", "investigate", passed=False)], 71.4, id="one to be investigated"),
        pytest.param([verdict("a"), verdict("b", "watch", passed=False)], 83.3, id="one that is watched"),
        pytest.param([verdict("a", passed=False, crashed=True), verdict("b")], 50.0, id="a crash"),
        pytest.param([verdict("a", accepted_event=True)], 100.0, id="accepted for an event"),
        pytest.param([verdict("a", passed=False)], 0.0, id="nothing kept"),
        pytest.param([], None, id="nothing judged"),
        pytest.param(
            [verdict(f"c{number}") for number in range(1000)] + [verdict("b", "watch", passed=False)],
            99.9,
            id="one in a thousand is rounded down",
        ),
    ],
)
def test_a_day_scores(results, score):
    assert score_of(results).score == score


def test_what_was_judged_again_counts_as_it_came_out_last_also_where_the_warehouse_tells_no_zone():
    earlier = verdict("a", passed=False, evaluated_at=AT - timedelta(hours=1))
    later = verdict("a", evaluated_at=AT.replace(tzinfo=None))
    assert last_verdicts([later, earlier]) == [later]
    assert score_of([earlier, later]).promises == 1


def test_parts_of_a_score_add_up():
    score = score_of(
        [
            verdict("a", passed=False, crashed=True),
            verdict("b", "investigate", passed=False),
            verdict("c", "watch", passed=False),
            verdict("d", "watch", accepted_event=True),
        ]
    )
    assert (score.broken_blocks, score.broken_investigate, score.broken_watch) == (1, 1, 1)
    assert (score.promises, score.kept, score.accepted, score.crashed, score.broken) == (4, 1, 1, 1, 3)
    assert (score.kept_weight, score.judged_weight, score.score) == (1, 9, 11.1)
    assert score.worst_broken == "blocks"


def test_days_and_steps_are_apart_and_in_the_order_of_a_run():
    results = [
        verdict("a"),
        verdict("a", step="raw", passed=False),
        verdict("a", snapshot_date=DAY - timedelta(days=1)),
    ]
    scores = scores_by_day_and_step(results)
    assert [(day.day, step, score.score) for (day, step), score in scores.items()] == [
        (5, "marts", 100.0),
        (6, "raw", 0.0),
        (6, "marts", 100.0),
    ]


def test_what_is_published_though_broken_is_flagged_gravest_first():
    results = [
        verdict("watched", "watch", passed=False),
        verdict("looked_into", "investigate", passed=False),
        verdict("crashed", "watch", passed=False, crashed=True),
        verdict("blocked", passed=False),
        verdict("excused", "investigate", accepted_event=True),
    ]
    assert [result["check_name"] for result in flagged(results)] == ["looked_into", "crashed", "watched"]
