"""What passes by itself is tried again, later and later, and what does not fails at once: steps that really fail, in Dagster."""

from datetime import date

import dagster as dg
import pytest

from orchestration.defs.retries import PASSES_BY_ITSELF, tried_again_if_it_passes
from orchestration.hub.errors import HubConfigurationError, HubIntegrityError, HubUnavailable, HubUnreachable
from orchestration.landing.errors import DayLocked, IncompleteDay, StorageFull, WrongDay
from orchestration.landing.sources import NoSource, SourceUnavailable
from orchestration.publishing import AuditFailed, PublisherBusy, PublishRefused, WarehouseBusy, WarehouseUnavailable
from orchestration.settings import Settings

SAID = {"found": "a thing", "expected": "another", "do_this": "look"}
PASSING = [
    HubUnreachable("http://127.0.0.1:9", "refused"),
    HubUnavailable("503 for half an hour"),
    SourceUnavailable("the archive can't be reached"),
    DayLocked("held"),
    WarehouseBusy(**SAID),
    PublisherBusy(**SAID),
]
STAYING = [
    HubConfigurationError("401"),
    HubIntegrityError("ids out of order"),
    WrongDay(date(2026, 10, 6), date(2026, 10, 7)),
    IncompleteDay(date(2026, 10, 6), "half of it", "folder"),
    NoSource("no archive has it"),
    StorageFull("file", "full"),
    WarehouseUnavailable(**SAID),
    AuditFailed(**SAID),
    PublishRefused(**SAID),
    dg.Failure("a gate"),
    KeyError("our own mistake"),
]


def named(error: Exception) -> str:
    return type(error).__name__


def run_that_raises(error: Exception, *, times: int, settings: Settings) -> dg.ExecuteInProcessResult:
    """A step that raises the error so many times, and then is done."""
    tries = []

    @dg.asset
    def step(context: dg.AssetExecutionContext):
        with tried_again_if_it_passes(context, settings):
            tries.append(context.retry_number)
            if len(tries) <= times:
                raise error

    result = dg.materialize([step], raise_on_error=False, instance=dg.DagsterInstance.ephemeral())
    assert tries == list(range(len(tries)))
    return result


def tries_of(result: dg.ExecuteInProcessResult) -> int:
    return 1 + len([event for event in result.all_events if event.event_type_value == "STEP_RESTARTED"])


@pytest.mark.parametrize("error", PASSING, ids=named)
def test_what_passes_is_tried_again(error, settings):
    result = run_that_raises(error, times=2, settings=settings.model_copy(update={"retry_seconds": 0}))
    assert result.success
    assert tries_of(result) == 3


@pytest.mark.parametrize("error", STAYING, ids=named)
def test_what_stays_is_not(error, settings):
    result = run_that_raises(error, times=1, settings=settings.model_copy(update={"retry_seconds": 0}))
    assert not result.success
    assert tries_of(result) == 1


def test_every_class_that_passes_is_tried_here():
    assert {type(error) for error in PASSING} == set(PASSES_BY_ITSELF)


def test_the_last_try_fails_with_what_was_wrong(settings):
    result = run_that_raises(
        PASSING[1], times=9, settings=settings.model_copy(update={"retry_seconds": 0, "step_retries": 2})
    )
    assert tries_of(result) == 3
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "503 for half an hour" in failure.step_failure_data.error.cause.message
    assert failure.step_failure_data.error.cause.cls_name == "HubUnavailable"


def test_each_wait_is_four_times_the_last(settings):
    result = run_that_raises(
        PASSING[0], times=3, settings=settings.model_copy(update={"retry_seconds": 0.05, "step_retries": 3})
    )
    waits = [
        event.step_retry_data.seconds_to_wait
        for event in result.all_events
        if event.event_type_value == "STEP_UP_FOR_RETRY"
    ]
    assert waits == pytest.approx([0.05, 0.2, 0.8])


def test_at_a_terminal_nothing_is_tried_again(settings):
    result = run_that_raises(PASSING[0], times=1, settings=settings.model_copy(update={"step_retries": 0}))
    assert not result.success
    assert tries_of(result) == 1
