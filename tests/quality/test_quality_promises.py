"""Every promise of the registry holds on a good day and can be broken, and each says why it is made."""

from datetime import date

import pytest

from orchestration.quality.promises import STEPS, SUBJECTS_DIR
from orchestration.quality.suites import SUITES
from tests.quality.broken_days import BROKEN, JUDGED_DAY, break_promise
from tests.quality.conftest import SOON

CASES = [(suite, check) for suite, cases in BROKEN.items() for check in cases]


def test_every_promise_has_its_bad_case():
    promised = {(suite.name, promise.check_name) for suite in SUITES.values() for promise in suite.promises}

    assert set(CASES) == promised


def test_check_names_are_unique_in_their_table_and_step():
    names = [(s.step, s.table, promise.check_name) for s in SUITES.values() for promise in s.promises]

    assert len(names) == len(set(names))


def test_promises_say_why_and_since_when():
    for suite in SUITES.values():
        for promise in suite.promises:
            assert len(promise.because) > 15, promise.check_name
            assert promise.since >= date(2026, 11, 24), promise.check_name
            assert promise.severity in {"blocks", "investigate", "watch"}, promise.check_name
            assert promise.check_name.isidentifier(), promise.check_name
            assert promise.check_name.islower(), promise.check_name


def test_every_step_has_a_suite_that_blocks():
    for step in STEPS:
        promises = [promise for suite in SUITES.values() if suite.step == step for promise in suite.promises]
        assert any(promise.blocking for promise in promises), step


def test_every_subject_belongs_to_a_suite():
    assert {path.stem for path in SUBJECTS_DIR.glob("*.sql")} == set(SUITES)


@pytest.mark.parametrize("name", SUITES)
def test_a_good_day_keeps_every_promise(name, gate):
    suite = SUITES[name]

    result = gate(suite.step, JUDGED_DAY[name], suites={name: suite}, evaluated_at=SOON)

    assert [failure.sentence for failure in result.failures] == []
    assert len(result.results) == len(suite.promises)


@pytest.mark.parametrize(("name", "check"), CASES, ids=[f"{name}-{check}" for name, check in CASES])
def test_a_broken_promise_is_found_and_no_other(name, check, good, gate):
    suite, day = SUITES[name], JUDGED_DAY[name]
    break_promise(good, name, check)

    result = gate(suite.step, day, suites={name: suite}, evaluated_at=SOON)

    assert [failure.check_name for failure in result.failures] == [check], result.summary()
    failure = result.failures[0]
    promise = next(promise for promise in suite.promises if promise.check_name == check)
    assert not failure.crashed
    assert failure.blocks == promise.blocking
    assert result.failed_dates == ([day] if promise.blocking else [])
    if promise.offenders:
        assert 1 <= len(failure.offenders) <= 5
        assert failure.failed_rows >= 1
