"""The gate after a step: each promise is an expectation on a small profile of the day, each day gets its own verdict.
What is promised stands in suites/, what is measured comes from evidence.py, and expectations.py asks great_expectations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from orchestration.quality.evidence import Evidence, Profile, open_evidence
from orchestration.quality.expectations import LONGEST_ERROR, Outcome, import_meanwhile, is_missing, validate
from orchestration.quality.history import write_results
from orchestration.quality.known_events import KnownEvent, event_that_accepts, read_known_events
from orchestration.quality.promises import STEPS, Between, EqualTo, Learned, OneOf, Promise, Suite
from orchestration.quality.results import CheckResult, GateResult, evaluation_id
from orchestration.quality.suites import SUITES
from orchestration.settings import Settings

__all__ = ["CheckResult", "GateResult", "run_gate"]

# Measured, then judged in one frame: an expectation costs some 5 ms whatever its rows, three fifths of what gates took for days
# of 20,000 models (2026-11-30). More at once would only be more to measure again behind a day that is blocked.
DAYS_AT_ONCE = 64


@dataclass(frozen=True)
class Verdict:
    """What became of one promise on one day, before it is told who asked."""

    promise: Promise
    passed: bool
    observed: str
    threshold: str
    basis: str = ""
    crashed: bool = False
    evaluated_rows: int | None = None
    failed_rows: int | None = None
    offenders: tuple[dict[str, Any], ...] = ()


def run_gate(
    step: str,
    snapshot_dates: Sequence[date],
    *,
    settings: Settings,
    run_id: str,
    evaluated_at: datetime,
    database: Path | None = None,
    suites: Mapping[str, Suite] = SUITES,
    known_events: Sequence[KnownEvent] | None = None,
) -> GateResult:
    """Judge the days after a step, put the results into the history, and return them.

    `step` is one of STEPS; `database` is the candidate that 'published' judges;
    `evaluated_at` must know its time zone. Days are judged apart: a bad one is named in `failed_dates`, others pass.
    A check that can't be carried out is a result with crashed=True, never an exception and never a pass.
    A broken promise that a row of `known_events` (by default the seed's) covers passes as accepted.
    Raises ValueError for an unknown step, no day, or a time without zone, and KnownEventsUnreadable.
    """
    if step not in STEPS:
        raise ValueError(f"Found the step {step!r}; expected one of {', '.join(STEPS)}. Do this: name one of them.")
    if not snapshot_dates:
        raise ValueError("Found no day to judge; expected at least one. Do this: pass the days of the run.")
    if evaluated_at.tzinfo is None:
        raise ValueError("Found a time of evaluation without zone; expected UTC. Do this: pass datetime.now(UTC).")
    days = sorted(set(snapshot_dates))
    chosen = [suite for suite in suites.values() if suite.step == step]
    events = read_known_events() if known_events is None else known_events
    at = evaluated_at.astimezone(UTC)
    import_meanwhile()
    results = tuple(
        _result(step, day, suite, verdict, events, run_id, at)
        for day, suite, verdict in _verdicts(step, days, chosen, settings, database, at)
    )
    write_results(settings, results, step=step, run_id=run_id, at=at)
    return GateResult(step=step, snapshot_dates=tuple(days), results=results)


def _result(
    step: str,
    day: date,
    suite: Suite,
    verdict: Verdict,
    events: Sequence[KnownEvent],
    run_id: str,
    at: datetime,
) -> CheckResult:
    promise = verdict.promise
    # a crash says nothing about the data, so that no event can excuse it
    is_broken = not verdict.passed and not verdict.crashed
    event = event_that_accepts(events, suite.table, promise.check_name, day) if is_broken else None
    return CheckResult(
        evaluation_id=evaluation_id(run_id, step, day, suite.table, promise.check_name),
        run_id=run_id,
        evaluated_at=at,
        snapshot_date=day,
        step=step,
        table_name=suite.table,
        check_name=promise.check_name,
        severity=promise.severity,
        blocking=promise.blocking,
        passed=verdict.passed or event is not None,
        crashed=verdict.crashed,
        accepted_event=event is not None,
        accepted_because=event.sentence if event else None,
        owner=suite.owner_of(promise),
        observed=verdict.observed,
        threshold=verdict.threshold,
        basis=verdict.basis or _fixed_basis(promise),
        reason=f"{promise.because}; since {promise.since.isoformat()}",
        evaluated_rows=verdict.evaluated_rows,
        failed_rows=verdict.failed_rows,
        offenders=verdict.offenders,
    )


def _verdicts(
    step: str, days: list[date], suites: list[Suite], settings: Settings, database: Path | None, at: datetime
) -> Iterator[tuple[date, Suite, Verdict]]:
    try:
        with open_evidence(step, settings, database, at) as evidence:
            judged = list(_judge_in_order(suites, evidence, days))
    except Exception as error:  # noqa: BLE001 - nothing could be opened: told as a crash of every check, which blocks
        judged = [(day, suite, verdict) for day in days for suite in suites for verdict in _crash(suite, error)]
    yield from judged


def _judge_in_order(
    suites: Sequence[Suite], evidence: Evidence, days: Sequence[date]
) -> Iterator[tuple[date, Suite, Verdict]]:
    """As many days at once as may be, one behind a blocked one, and from there twice as many each time that all have passed:
    where every day is bad, few are measured twice."""
    at_once = DAYS_AT_ONCE
    while days:
        judged = _judge_days(suites, evidence, days[:at_once])
        yield from judged
        told = {day for day, *_ in judged}
        at_once = min(2 * at_once, DAYS_AT_ONCE) if max(told) in evidence.passed else 1
        days = days[len(told) :]


def _judge_days(suites: Sequence[Suite], evidence: Evidence, days: Sequence[date]) -> list[tuple[date, Suite, Verdict]]:
    """The verdicts on these days up to the first that is blocked, and on that one. A day is held against those before it, so
    that what follows was measured beside a bad day, and is to be judged anew."""
    measured: dict[date, list[Profile | Exception]] = {}
    for day in days:
        measured[day] = _measure(suites, evidence, day)
        evidence.note(day, passed=True)
    outcomes = [
        _validate_days(suite, {day: measured[day][number] for day in days}) for number, suite in enumerate(suites)
    ]
    judged = []
    for place, day in enumerate(days):
        verdicts = [
            (day, suite, verdict)
            for suite, profile, of_days in zip(suites, measured[day], outcomes, strict=True)
            for verdict in _verdicts_or_crash(suite, evidence, day, profile, of_days.get(day))
        ]
        judged += verdicts
        if any(verdict.promise.blocking and not verdict.passed for *_, verdict in verdicts):
            evidence.note(day, passed=False)
            evidence.forget(days[place + 1 :])
            break
    return judged


def _measure(suites: Sequence[Suite], evidence: Evidence, day: date) -> list[Profile | Exception]:
    """What the promises of each suite are judged by, or why it couldn't be measured."""
    measured: list[Profile | Exception] = []
    try:
        evidence.select_day(day)
    except Exception as error:  # noqa: BLE001 - told as a crash of all checks on this day, which blocks
        return [error for _ in suites]
    for suite in suites:
        try:
            measured.append(evidence.profile(suite))
        except Exception as error:  # noqa: BLE001 - told as a crash of the suite's checks on this day, which blocks
            measured.append(error)
    return measured


def _validate_days(
    suite: Suite, measured: Mapping[date, Profile | Exception]
) -> dict[date, dict[str, Outcome] | Exception]:
    """Of each day that there is something to say about, what each promise's expectation said, or why nothing could be. Where one
    raised, each day is validated by itself, since it may have been for another day's sake."""
    profiles = {day: profile for day, profile in measured.items() if _can_be_judged(suite, profile)}
    try:
        outcomes = validate(suite, list(profiles.values())) if profiles else []
    except Exception as error:  # noqa: BLE001 - told as a crash of the suite's checks, which blocks
        outcomes = [error for _ in profiles]
    crashed = any(isinstance(of_day, Exception) or any(one.error for one in of_day.values()) for of_day in outcomes)
    if crashed and len(profiles) > 1:
        return {day: _validate_days(suite, {day: profile})[day] for day, profile in profiles.items()}
    return dict(zip(profiles, outcomes, strict=True))


def _can_be_judged(suite: Suite, profile: Profile | Exception) -> bool:
    return isinstance(profile, Profile) and (profile.rows > 0 or suite.may_be_empty is not None)


def _verdicts_or_crash(
    suite: Suite,
    evidence: Evidence,
    day: date,
    profile: Profile | Exception,
    outcomes: dict[str, Outcome] | Exception | None,
) -> list[Verdict]:
    """Every promise of a suite on one day."""
    for error in (profile, outcomes):
        if isinstance(error, Exception):
            return _crash(suite, error)
    if outcomes is None:
        return [_no_rows(suite, promise, day) for promise in suite.promises]
    try:
        return [
            _verdict(suite, promise, profile, outcomes[promise.check_name], evidence, day) for promise in suite.promises
        ]
    except Exception as error:  # noqa: BLE001 - offenders that can't be selected are told as a crash, which blocks
        return _crash(suite, error)


def _no_rows(suite: Suite, promise: Promise, day: date) -> Verdict:
    return Verdict(
        promise,
        passed=False,
        observed=f"no rows of {day.isoformat()} in {suite.table}",
        threshold="at least one row",
        evaluated_rows=0,
    )


def _verdict(
    suite: Suite, promise: Promise, profile: Profile, outcome: Outcome, evidence: Evidence, day: date
) -> Verdict:
    name = promise.check_name
    observed = profile.observed[name]
    said = _said(observed)
    if is_missing(observed):
        said = "nothing to compare: " + promise.null_means if promise.null_means else "no value"
    bounds = profile.bounds.get(name)
    return Verdict(
        promise,
        passed=outcome.passed,
        crashed=outcome.error is not None,
        observed=outcome.error or said,
        threshold=bounds.threshold() if bounds else _threshold(promise, profile.expected[name]),
        basis=profile.basis.get(name) or "",
        evaluated_rows=profile.evaluated_rows[name],
        failed_rows=profile.failed_rows[name],
        offenders=() if outcome.passed or outcome.error else evidence.offenders(suite, promise, day),
    )


def _crash(suite: Suite, error: Exception) -> list[Verdict]:
    said = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    return [
        Verdict(promise, passed=False, crashed=True, observed=said, threshold=_threshold(promise, None))
        for promise in suite.promises
    ]


# ---------- words


def _threshold(promise: Promise, expected: Any) -> str:
    match promise.expectation:
        case EqualTo(label=label):
            return f"{label}" if is_missing(expected) else f"{_said(expected)} ({label})"
        case Between() | OneOf():
            return promise.expectation.threshold()
        case Learned():
            return "within bounds that the days before set"


def _fixed_basis(promise: Promise) -> str:
    """Where a bound comes from that no history sets."""
    match promise.expectation:
        case EqualTo():
            return "the same day, counted elsewhere"
        case Learned():
            return "the days before"
        case _:
            return f"fixed on {promise.since.isoformat()}"


def _said(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
