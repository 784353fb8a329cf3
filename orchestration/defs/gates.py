"""A gate between two stages: one blocking check for each table that the step's suites judge, day by day.
The promises are in `orchestration/quality/suites/`; here is only what a failed one does to the run."""

from datetime import UTC, date, datetime

import dagster as dg

from orchestration.defs.progress import tell, timed
from orchestration.defs.run_days import add_set_aside, candidate_of_run, good_days
from orchestration.defs.transform.dbt_in_process import LAYERS, DbtInProcess
from orchestration.defs.verdicts import verdict_description, verdict_metadata
from orchestration.foreign_text import visible
from orchestration.publishing import checkpoint, write_status
from orchestration.quality.gate import GateResult, run_gate
from orchestration.quality.promises import WEIGHTS
from orchestration.quality.suites import SUITES
from orchestration.settings import Settings

# The tables that a step judges hang, as checks, on these assets; those of warehouse layers on [layer, table].
ASSET_OF_STEP = {"raw": ["hub", "models"], "authors": ["hub", "authors"], "published": ["publish", "candidate"]}

STOPPED = "The check's metadata has the rows that offended, and leads to the paragraph of the runbook."


def gate_check(step: str) -> dg.AssetChecksDefinition:
    """The gate after a step. A day that fails is set aside; if no day is left, the check is an error and stops the run."""
    tables = list(dict.fromkeys(suite.table for suite in SUITES.values() if suite.step == step))
    specs = [
        dg.AssetCheckSpec(
            name=check_name(table),
            asset=_asset_key(step, table),
            blocking=True,
            description=about(step, table),
        )
        for table in tables
    ]

    @dg.multi_asset_check(name=f"{step}_gate", specs=specs)
    def gate(
        context: dg.AssetCheckExecutionContext,
        settings: dg.ResourceParam[Settings],
        dbt: dg.ResourceParam[DbtInProcess],
    ):
        days = good_days(context)
        with timed(f"{step} gate: {len(days)} day(s) judged"):
            result = _judge(context, step, days, settings)
        tell(f"{step} gate: {result.summary()}")
        failed = set(result.failed_dates)
        days_left = [day for day in days if day not in failed]
        if failed:
            reasons = {day: result.reason(day) for day in sorted(failed)}
            days_left = _set_aside(context, step, reasons, days_left, settings, dbt)
        for table in tables:
            part = result.for_table(table)
            yield _check_result(step, table, part, settings, stops_the_run=not days_left)

    return gate


def about(step: str, table: str) -> str:
    """What is promised, promise by promise: a red check is read beside it."""
    suites = [suite for suite in SUITES.values() if (suite.step, suite.table) == (step, table)]
    promises = [promise for suite in suites for promise in suite.promises]
    by_severity = [
        f"{severity}: " + ", ".join(p.check_name.replace("_", " ") for p in promises if p.severity == severity)
        for severity in WEIGHTS
        if any(p.severity == severity for p in promises)
    ]
    head = f"What is promised about {table} after step {step}, for each snapshot day of the run."
    return "\n\n".join([head, "\n".join(f"- {line}" for line in by_severity)])


def check_name(table: str) -> str:
    return f"{table}_suite"


def _judge(context, step: str, days: list[date], settings: Settings) -> GateResult:
    database = candidate_of_run(context, settings).database if step == "published" else None
    return run_gate(
        step, days, settings=settings, run_id=context.run.run_id, evaluated_at=datetime.now(UTC), database=database
    )


def _set_aside(
    context, step: str, reasons: dict[date, str], days_left: list[date], settings: Settings, dbt: DbtInProcess
) -> list[date]:
    """Keep failed days from going further; give the days that are still good, with no trace of the others among them."""
    # A candidate is one thing: it can't be shown without one of its days, so any failure there stops all of them.
    if step == "published":
        days_left = []
    if days_left and step in LAYERS:
        context.log.warning(f"Building again without {', '.join(map(str, reasons))}.")
        _rebuild(context, step, days_left, settings, dbt)
        again = _judge(context, step, days_left, settings)
        if not again.passed:
            reasons = reasons | {day: again.reason(day) for day in again.failed_dates}
            days_left = []
    if days_left:
        add_set_aside(context, {day: f"{step} gate: {reason}" for day, reason in reasons.items()})
    else:
        # Dagster's own error names the check and no reason: whoever opens the run reads it here.
        for day, reason in sorted(reasons.items()):
            context.log.error(visible(f"{step} gate stops {day}: {reason}. {STOPPED}"))
        # not in the run's tag: a retry inherits that, and must be able to pass once the cause is mended
        _say_blocked(context, step, reasons, settings)
    return days_left


def _rebuild(context, step: str, days: list[date], settings: Settings, dbt: DbtInProcess) -> None:
    """Take the warehouse back to its last published state and build the layers up to `step` for `days` alone."""
    checkpoint.restore(settings)
    for name in list(LAYERS)[: list(LAYERS).index(step) + 1]:
        layer = LAYERS[name]
        _, result = dbt.build(layer.select, settings, exclude=layer.exclude, days=days, run_id=context.run.run_id)
        if not result.success:
            raise dg.Failure(f"dbt failed while building {name} again without the days that were set aside.")


def _say_blocked(context, step: str, reasons: dict[date, str], settings: Settings) -> None:
    """So that an analyst sees what was tried last, at which gate it stopped, and why."""
    write_status(
        settings,
        state="blocked",
        attempted_dates=sorted(reasons),
        step=step,
        reason=visible("; ".join(f"{day}: {reason}" for day, reason in sorted(reasons.items()))),
        run_id=context.run.run_id,
        at=datetime.now(UTC),
    )


def _check_result(
    step: str, table: str, part: GateResult, settings: Settings, *, stops_the_run: bool
) -> dg.AssetCheckResult:
    # Only an ERROR blocks. In a range that has good days left, the failed ones are set aside, and the check is a warning.
    severity = dg.AssetCheckSeverity.ERROR if stops_the_run else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        asset_key=_asset_key(step, table),
        check_name=check_name(table),
        passed=part.passed,
        severity=severity,
        description=verdict_description(part),
        metadata=verdict_metadata(part, settings),
    )


def _asset_key(step: str, table: str) -> dg.AssetKey:
    return dg.AssetKey(ASSET_OF_STEP.get(step) or [step, table])
