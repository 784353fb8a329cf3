"""The bounds themselves: each has a reason and a date, and none can hide a page."""

from dataclasses import fields
from datetime import date

import pytest

from orchestration.hub.listings import MODELS
from orchestration.landing import IncompleteDay, land_models
from orchestration.landing.comparison import Comparison, Inspected
from orchestration.landing.completeness import (
    DOWNLOADS,
    GAP,
    NULLS,
    VANISHED,
    VOLUME,
    CompletenessBounds,
    Fetched,
    LastDay,
    Verdict,
    judge,
)
from tests.hub.snapshots import DAY, models


def test_every_bound_has_a_reason_and_a_date():
    for bound in fields(CompletenessBounds):
        assert len(bound.metadata["reason"]) > 30, bound.name
        assert bound.metadata["set_on"] >= date(2026, 11, 24), bound.name


@pytest.mark.parametrize(
    ("share", "expected", "page_size", "allowed"),
    [
        (0.005, 3_200_000, 1000, 16_000),
        (0.005, 1000, 1000, 10),
        (0.005, 700, 1000, 10),
        (0.005, 100, 20, 9),
        (0.005, 100, 10, 4),
        (0.005, 100, 1, 0),
        (0.0, 0, 1000, 10),
    ],
)
def test_an_allowance_is_a_share_or_a_handful_smaller_than_half_a_page(share, expected, page_size, allowed):
    assert CompletenessBounds().allowance(share, expected, page_size) == allowed


# --- each rule: one listing that keeps it, and one that doesn't ------------------------------------------------------

WHOLE = {"rows": 3_000_000, "first_id": "a", "last_id": "b", "nulls": {}, "unasked": frozenset(), "is_simulated": False}
INSPECTED = {"rows": 3_000_000, "first_id": "a", "last_id": "b", "downloads": 1_000_000}
LAST = {"rows": 3_000_000, "nulls": {"author": 0, "tags": 300_000}, "unasked": [], "downloads_30d": 1_000_000}


def verdicts(
    fetched=None, *, inspected=None, missing=(), last=None, comparison=None, days_apart=1
) -> dict[str, Verdict]:
    day = None
    if last is not None:
        day = LastDay(date(2026, 10, 5), days_apart, LAST | last, Comparison(**(comparison or {})))
    judged = judge(
        MODELS,
        Fetched(**WHOLE | {"pages": 3000, "is_terminal": True} | (fetched or {})),
        Inspected(**INSPECTED | (inspected or {}) | {"missing": list(missing)}),
        day,
        CompletenessBounds(),
    )
    assert {verdict.promise for verdict in judged} == PROMISES
    return {verdict.promise: verdict for verdict in judged}


PROMISES = {
    "the listing's last page was reached",
    "files, walk and ids agree",
    "the site counts as many",
    "more rows than any part of the Hub",
    "well-known repositories are listed",
    VOLUME,
    VANISHED,
    GAP,
    NULLS,
    DOWNLOADS,
}

CASES = [
    ("the listing's last page was reached", {}, {"fetched": {"is_terminal": False}}),
    ("files, walk and ids agree", {}, {"inspected": {"rows": 2_999_999}}),
    ("files, walk and ids agree", {}, {"inspected": {"out_of_order": 1}}),
    ("files, walk and ids agree", {}, {"inspected": {"last_id": "c"}}),
    ("files, walk and ids agree", {}, {"fetched": {"rows": 0}, "inspected": {"rows": 0}}),
    (
        "the site counts as many",
        {"fetched": {"site_total": 3_006_000}},
        {"fetched": {"site_total": 3_006_100}},
    ),
    (
        "more rows than any part of the Hub",
        {"fetched": {"rows": 2_500_000}, "inspected": {"rows": 2_500_000}},
        {"fetched": {"rows": 2_499_999}, "inspected": {"rows": 2_499_999}},
    ),
    ("well-known repositories are listed", {"missing": ["openai-community/gpt2"]}, {"missing": ["a/x", "b/y"]}),
    (
        VOLUME,
        {"last": {}, "fetched": {"rows": 2_985_000}},
        {"last": {}, "fetched": {"rows": 2_984_999}},
    ),
    (
        VOLUME,
        {"last": {}, "fetched": {"rows": 3_032_600}, "comparison": {"created": 2_600}},
        {"last": {}, "fetched": {"rows": 3_033_000}, "comparison": {"created": 2_600}},
    ),
    (
        VANISHED,
        {"last": {}, "comparison": {"gone": 15_000}},
        {"last": {}, "comparison": {"gone": 15_001}},
    ),
    (
        VANISHED,
        {"last": {}, "comparison": {"gone": 25_799}, "days_apart": 10},  # nine further days of 0.04 %
        {"last": {}, "comparison": {"gone": 25_900}, "days_apart": 10},
    ),
    (GAP, {"last": {}, "comparison": {"gone_in_a_row": 500}}, {"last": {}, "comparison": {"gone_in_a_row": 501}}),
    (
        GAP,
        {"last": {}, "days_apart": 200},
        {"last": {}, "comparison": {"gone_in_a_row": 501}, "days_apart": 200},
    ),
    (
        NULLS,
        {"last": {}, "fetched": {"nulls": {"author": 60_000, "tags": 300_000}}},
        {"last": {}, "fetched": {"nulls": {"author": 60_001, "tags": 300_000}}},
    ),
    (
        NULLS,
        {"last": {}, "fetched": {"nulls": {"tags": 240_000}}},
        {"last": {}, "fetched": {"nulls": {"tags": 239_999}}},
    ),
    (DOWNLOADS, {"last": {}, "inspected": {"downloads": 700_000}}, {"last": {}, "inspected": {"downloads": 699_999}}),
    (
        DOWNLOADS,
        {"last": {}, "inspected": {"downloads": 1_300_000}},
        {"last": {}, "inspected": {"downloads": 1_300_001}},
    ),
]


@pytest.mark.parametrize(("promise", "kept", "broken"), CASES, ids=[case[0] for case in CASES])
def test_each_rule_lets_pass_and_stops_at_its_bound(promise, kept, broken):
    assert verdicts(**kept)[promise].passed is True
    verdict = verdicts(**broken)[promise]
    assert verdict.passed is False
    assert verdict.observed
    assert verdict.reason


@pytest.mark.parametrize("fetched", [{"is_simulated": True}, {"site_total": 1000}], ids=["simulated", "a small Hub"])
def test_a_sandbox_or_a_small_hub_is_not_held_to_what_the_whole_hub_has(fetched):
    judged = verdicts(fetched | {"rows": 1000}, inspected={"rows": 1000}, missing=["a/x", "b/y"])
    assert judged["more rows than any part of the Hub"].passed is None
    assert judged["well-known repositories are listed"].passed is None
    assert "not judged" in judged["well-known repositories are listed"].observed


def test_a_column_that_one_of_the_days_was_not_told_is_not_compared():
    nulls = {"author": 0, "tags": 3_000_000}
    assert verdicts({"nulls": nulls, "unasked": frozenset({"tags"})}, last={})[NULLS].passed is True
    assert verdicts({"nulls": {"tags": 300_000}}, last={"nulls": {"sha": 3_000_000}, "unasked": ["sha", "tags"]})[
        NULLS
    ].passed
    assert verdicts({"nulls": nulls}, last={})[NULLS].observed.endswith("tags 10.0% → 100.0%")


def test_what_lies_more_than_a_month_apart_is_not_compared_and_says_so():
    far = {"gone": 900_000, "created": 100}
    judged = verdicts({"nulls": {"author": 2_000_000}}, last={}, comparison=far, days_apart=31)
    assert {judged[promise].passed for promise in (VOLUME, VANISHED, NULLS, DOWNLOADS)} == {None}
    assert "31 days away" in judged[VANISHED].observed
    assert verdicts(last={}, comparison=far, days_apart=30)[VANISHED].passed is False


def test_without_an_earlier_day_nothing_is_compared_and_says_so():
    judged = verdicts()
    assert {judged[promise].passed for promise in (VOLUME, VANISHED, GAP, NULLS, DOWNLOADS)} == {None}


def test_a_real_hub_without_its_well_known_names_does_not_land(serve, settings_for, tmp_path):
    """Recorded rows whose site tells no count: nothing says that this is a sample, so it isn't the Hub."""
    hub = serve({DAY: models(30)}, faults=[{"kind": "status", "status": 404, "route": "models-json", "times": None}])
    description = tmp_path / "snapshots" / "sandbox.json"
    hub.stop()
    description.write_text(description.read_text().replace("true", "false"))
    hub = serve({DAY: models(30)}, faults=[{"kind": "status", "status": 404, "route": "models-json", "times": None}])
    with pytest.raises(IncompleteDay, match=r"30 rows \(at least 2,500,000 rows\); 0 of 7; missing: Qwen/Qwen3-0.6B, "):
        land_models(DAY, settings_for(hub))
