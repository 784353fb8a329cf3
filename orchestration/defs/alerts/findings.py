"""What an ended run tells: promises broken, other checks failed, days set aside, steps failed; and what is well again.
Whether anybody is told of it is decided in `incidents.py`."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus

from orchestration.defs.alerts.redaction import Redaction
from orchestration.defs.run_days import EXTRACTION, NOT_LANDED, days_to_tell, set_aside_days
from orchestration.foreign_text import harmless, one_line, visible_lines
from orchestration.quality.history import results_of_run
from orchestration.quality.promises import STEPS
from orchestration.settings import Settings

Severity = Literal["blocks", "investigate", "domain"]
Kind = Literal["promise", "check", "aside", "step", "other"]
# In the order in which a reader must know of them.
SEVERITIES: tuple[Severity, ...] = ("blocks", "investigate", "domain")
# Results of before 2026-11-29 call them by other names.
SEVERITY_OF_RESULT = {"blocks": "blocks", "error": "blocks", "investigate": "investigate", "warn": "investigate"}
EVENTS = {
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.RUN_FAILURE,
}
LANDING_STEP, PUBLISHING_STEP, NO_STEP = "hub_models", "publish__current", "(no step)"
# A person needs a few examples to see a pattern; the quality history has all that were kept.
OFFENDERS_TOLD, LONGEST_OFFENDER = 3, 160
LONGEST_SENTENCE = 1_000

STAYS = "Analysts keep the last published version."


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `incident` names its root cause: the same in every run and on every day that it breaks.

    `promise` is in words what was promised, or, where nothing was, what happened.
    """

    incident: str
    kind: Kind
    severity: Severity
    promise: str
    step: str
    anchor: str
    effect: str
    snapshot_dates: tuple[str, ...] = ()
    owner: str = "team:data"
    table_name: str | None = None
    check_name: str | None = None
    observed: str | None = None
    threshold: str | None = None
    basis: str | None = None
    reason: str | None = None
    offenders: tuple[str, ...] = ()

    @property
    def is_broken_promise(self) -> bool:
        return self.kind in ("promise", "check")

    @property
    def last_day(self) -> str:
        """The last day that it was found on; days as text are in order, and '' is before all of them."""
        return max(self.snapshot_dates, default="")

    @property
    def place(self) -> int:
        """How early in a run its step comes; steps that no gate stands behind come last."""
        return STEPS.index(self.step) if self.step in STEPS else len(STEPS)


@dataclass(frozen=True)
class RunLook:
    """What one ended run tells. `groups` holds findings that have one root cause or broke together: an alert each."""

    run_id: str
    at: str
    groups: tuple[tuple[Finding, ...], ...]
    passed: dict[str, str] = field(default_factory=dict)
    judged: dict[tuple[str, str], str] = field(default_factory=dict)
    succeeded: frozenset[str] = frozenset()
    last_good_day: str = ""

    @property
    def findings(self) -> list[Finding]:
        return [finding for group in self.groups for finding in group]


def look_at(instance: dg.DagsterInstance, settings: Settings, run: dg.DagsterRun, ended_at: str) -> RunLook:
    """Read the run's events and its part of the quality history. Raises whatever reading them raises."""
    events = [
        record.event_log_entry.dagster_event
        for record in instance.get_records_for_run(run.run_id, of_type=EVENTS).records
    ]
    succeeded = frozenset(event.step_key for event in events if event.is_step_success)
    results = results_of_run(settings, run.run_id)
    broken = [row for row in results if not row["passed"] and row["severity"] in SEVERITY_OF_RESULT]
    promises = _broken_promises(broken, went_on=run.status == DagsterRunStatus.SUCCESS)
    checks = _failed_checks(events, run, told={row["table_name"] for row in broken if row["blocking"]})
    asides = _days_set_aside(run)
    steps = _failed_steps(events, run, [*promises, *checks], published=PUBLISHING_STEP in succeeded)
    aside = {day.isoformat() for day in set_aside_days(run)}
    good = [day.isoformat() for day in days_to_tell(run) if day.isoformat() not in aside]
    hide = Redaction(settings)
    groups = [*_by_root_cause(promises), *_by_step(checks), *_one_each([*asides, *steps])]
    return RunLook(
        run_id=run.run_id,
        at=ended_at,
        groups=tuple(tuple(_fit_to_send(finding, hide) for finding in group) for group in groups),
        passed=_latest((_promise_key(row), _day(row)) for row in results if row["passed"])
        | _latest((_check_key(e), max(_days(run), default="")) for e in _evaluations(events) if e.passed),
        judged=_latest(((row["step"], row["table_name"]), _day(row)) for row in results),
        succeeded=succeeded,
        last_good_day=max(good, default=""),
    )


def _fit_to_send(finding: Finding, hide: Redaction) -> Finding:
    """What was observed is in other people's words, and goes into the ledger as well as into messages: without secrets, and
    with nothing in it that a client of messages takes for mark-up, a link or a mention."""
    observed = finding.observed and harmless(hide(finding.observed))
    offenders = tuple(harmless(hide(offender)) for offender in finding.offenders)
    return replace(finding, observed=observed, offenders=offenders)


# ---------- promises of the quality history


def _broken_promises(rows: Sequence[dict[str, Any]], *, went_on: bool) -> list[Finding]:
    """One finding for each promise, whatever the number of days it was broken on; the last of them is described."""
    by_promise: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_promise.setdefault(_promise_key(row), []).append(row)
    return [_broken_promise(key, sorted(same, key=_day), went_on=went_on) for key, same in by_promise.items()]


def _broken_promise(key: str, rows: list[dict[str, Any]], *, went_on: bool) -> Finding:
    row = rows[-1]
    severity = SEVERITY_OF_RESULT[row["severity"]]
    if row["step"] == "listings":
        # nothing comes after a listing, so that its promises can't stop anything
        severity, effect = "investigate", "Nothing rests on it: the models are published all the same."
    elif severity == "investigate":
        effect = "The day is published if nothing else stops it, and marked."
    elif went_on:
        effect = "The day was set aside; the other days of the run went on."
    else:
        effect = f"The day goes no further. {STAYS}"
    said = f"the check crashed, which says nothing about the data: {row['observed']}"
    return Finding(
        incident=key,
        kind="promise",
        severity=severity,
        promise=in_words(row["check_name"]),
        step=row["step"],
        anchor=row["check_name"],
        effect=effect,
        snapshot_dates=tuple(dict.fromkeys(map(_day, rows))),
        owner=row.get("owner") or "team:data",
        table_name=row["table_name"],
        check_name=row["check_name"],
        observed=said if row["crashed"] else row["observed"],
        threshold=row["threshold"],
        basis=row.get("basis"),
        reason=row["reason"],
        offenders=_offenders(row["offenders"]),
    )


def _by_root_cause(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Promises of one day that break at later steps follow from those that broke first: one group for each first step."""
    first: dict[str, int] = {}
    for finding in findings:
        for day in finding.snapshot_dates:
            first[day] = min(finding.place, first.get(day, finding.place))
    groups: dict[int, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(min(first[day] for day in finding.snapshot_dates), []).append(finding)
    return [groups[place] for place in sorted(groups)]


def _promise_key(row: dict[str, Any]) -> str:
    return f"check:{row['step']}:{row['table_name']}:{row['check_name']}"


def _day(row: dict[str, Any]) -> str:
    return row["snapshot_date"].isoformat()


def _offenders(stored: str | None) -> tuple[str, ...]:
    rows = json.loads(stored) if stored else []
    told = (", ".join(f"{name}={value}" for name, value in row.items()) for row in rows[:OFFENDERS_TOLD])
    return tuple(cut(one, LONGEST_OFFENDER) for one in told)


# ---------- other checks: dbt's tests, and whatever an asset carries


def _failed_checks(events: Sequence, run: dg.DagsterRun, told: set[str]) -> list[Finding]:
    """Failed checks of assets that are not a gate whose broken promises the history tells one by one."""
    gates = {f"{table}_suite" for table in told}
    failed = [e for e in _evaluations(events) if not e.passed and e.check_name not in gates]
    return [_failed_check(evaluation, run, _step_of(events, evaluation)) for evaluation in failed]


def _failed_check(evaluation: Any, run: dg.DagsterRun, step: str) -> Finding:
    is_error = evaluation.severity == dg.AssetCheckSeverity.ERROR and run.status == DagsterRunStatus.FAILURE
    return Finding(
        incident=_check_key(evaluation),
        kind="check",
        severity="blocks" if is_error else "investigate",
        promise=in_words(evaluation.check_name),
        step=step,
        anchor="a_check_of_an_asset_failed",
        effect=f"The run stopped. {STAYS}" if is_error else "The run went on.",
        snapshot_dates=_days(run),
        table_name=_table_of(evaluation),
        check_name=evaluation.check_name,
        observed=cut(evaluation.description or "failed, without saying what was found", LONGEST_SENTENCE),
    )


def _check_key(evaluation: Any) -> str:
    return f"check:{evaluation.asset_key.path[0]}:{_table_of(evaluation)}:{evaluation.check_name}"


def _table_of(evaluation: Any) -> str:
    return evaluation.asset_key.path[-1]


def _evaluations(events: Sequence) -> list:
    return [event.asset_check_evaluation_data for event in events if _is_evaluation(event)]


def _is_evaluation(event: Any) -> bool:
    return event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION


def _step_of(events: Sequence, evaluation: Any) -> str:
    return next(e.step_key for e in events if _is_evaluation(e) and e.event_specific_data is evaluation)


def _by_step(findings: Sequence[Finding]) -> list[list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.step, []).append(finding)
    return list(groups.values())


# ---------- days and steps


def _days_set_aside(run: dg.DagsterRun) -> list[Finding]:
    """Days that were never landed. Those that a gate has set aside are told by their promises."""
    by_cause: dict[str, dict[str, str]] = {}
    for day, reason in sorted(set_aside_days(run).items()):
        if reason.startswith(EXTRACTION) and reason != NOT_LANDED:
            cause, said = _cause(reason.removeprefix(EXTRACTION))
            by_cause.setdefault(cause, {})[day.isoformat()] = said
    return [
        Finding(
            incident=f"aside:{run.job_name}:extraction:{cause}",
            kind="aside",
            severity="investigate",
            promise=f"not landed from its source ({cause})",
            step="extraction",
            anchor="a_day_was_set_aside",
            effect="The day was set aside; the other days of the run went on.",
            snapshot_dates=tuple(reasons),
            observed=cut("; ".join(reasons.values()), LONGEST_SENTENCE),
            threshold="every day of the run landed",
        )
        for cause, reasons in by_cause.items()
    ]


def _cause(reason: str) -> tuple[str, str]:
    """The error's class, which stands before the reason, and the reason."""
    name, colon, rest = reason.partition(": ")
    return (name, rest) if colon and name.isidentifier() else ("unknown", reason)


def _failed_steps(
    events: Sequence, run: dg.DagsterRun, explained: Sequence[Finding], *, published: bool
) -> list[Finding]:
    """Steps that raised, unless a broken promise or a failed check says why; of a run that failed in no step, the run."""
    blocking = [finding.step for finding in explained if finding.severity == "blocks"]
    gates = {*blocking, *(f"{step}_gate" for step in blocking)}
    failures = [event for event in events if event.is_step_failure]
    found = [_failed_step(event, run, published) for event in failures if event.step_key not in gates]
    if run.status == DagsterRunStatus.FAILURE and not failures:
        found.append(_failed_run(events, run))
    return list({finding.incident: finding for finding in found}.values())


def _failed_step(event: Any, run: dg.DagsterRun, published: bool) -> Finding:
    error_class = error_class_of(event.step_failure_data)
    return Finding(
        incident=f"run:{run.job_name}:{event.step_key}:{error_class}",
        kind="step",
        severity="investigate" if published else "blocks",
        promise=f"{event.step_key} failed ({error_class})",
        step=event.step_key,
        anchor="a_step_failed",
        effect="The version was published before; this step alone is missing." if published else STAYS,
        snapshot_dates=_days(run),
        observed=cut(reason_of(event.step_failure_data), LONGEST_SENTENCE),
    )


def _failed_run(events: Sequence, run: dg.DagsterRun) -> Finding:
    said = next((event.message for event in events if event.event_type == DagsterEventType.RUN_FAILURE), None)
    return Finding(
        incident=f"run:{run.job_name}:{NO_STEP}:failed",
        kind="step",
        severity="blocks",
        promise=f"{run.job_name} failed, and none of its steps",
        step=NO_STEP,
        anchor="a_step_failed",
        effect=STAYS,
        snapshot_dates=_days(run),
        observed=cut(said or "the run failed without saying why", LONGEST_SENTENCE),
    )


def _days(run: dg.DagsterRun) -> tuple[str, ...]:
    return tuple(day.isoformat() for day in days_to_tell(run))


def _one_each(findings: Sequence[Finding]) -> list[list[Finding]]:
    return [[finding] for finding in findings]


# ---------- what Dagster says of a run, in a line each


def failed_checks_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Each failed check of a run: its name, its asset, what it found."""
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION).records
    evaluations = _evaluations([record.event_log_entry.dagster_event for record in records])
    return [
        visible_lines(
            f"{evaluation.check_name} on {evaluation.asset_key.to_user_string()}: {evaluation.description or 'failed'}"
        )
        for evaluation in evaluations
        if not evaluation.passed
    ]


def failures_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Each failed step of a run, and why."""
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.STEP_FAILURE).records
    events = [record.event_log_entry.dagster_event for record in records]
    return [visible_lines(f"{event.step_key}: {reason_of(event.step_failure_data)}") for event in events]


def reason_of(failure: Any) -> str:
    """The sentence of the error that our own code raised: Dagster wraps it, and it may have a technical cause below it."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error
    while error and error.cause and (error.cls_name or "").startswith("Dagster"):
        error = error.cause
    if error is None:
        return "failed without saying why"
    if error.cls_name == "DagsterExecutionInterruptedError":
        return "the run was told to stop. What was fetched is kept: run the day again, and it resumes there"
    return error.message.strip().removeprefix(f"{error.cls_name}: ").split(f"{error.cls_name}: ", 1)[-1]


def error_class_of(failure: Any) -> str:
    """The class of that error, which tells causes apart: what wraps it (Dagster's own errors, `dg.Failure`) does not."""
    error = failure.error
    while error and error.cause and ((error.cls_name or "").startswith("Dagster") or error.cls_name == "Failure"):
        error = error.cause
    return (error and error.cls_name) or "Failure"


# ---------- words


def in_words(check_name: str) -> str:
    return check_name.replace("_", " ")


def cut(text: str, longest: int) -> str:
    """On one line, and no longer than that."""
    return one_line(text, longest)


def _latest(pairs: Iterable[tuple[Any, str]]) -> dict[Any, str]:
    latest: dict[Any, str] = {}
    for key, day in pairs:
        latest[key] = max(day, latest.get(key, ""))
    return latest
