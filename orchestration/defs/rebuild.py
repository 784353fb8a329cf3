"""History built anew after a change of a seed or a rule: every landed day, in parts, into a warehouse beside the old one,
through the daily job's own layers and gates; then published by its own last steps. No Hub is asked, nothing lands."""

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import dagster as dg

from orchestration.defs.alerts.findings import failed_checks_of, failures_of
from orchestration.defs.parts import ROWS_AT_ONCE, parts_of, rows_of
from orchestration.defs.progress import tell, timed
from orchestration.defs.publish.version import CANDIDATE, CURRENT, REPORT
from orchestration.defs.run_days import NOT_LANDED, set_aside_tag, tags_of_range
from orchestration.defs.transform.dbt_in_process import LAYERS, DbtInProcess
from orchestration.defs.transform.layers import quality_marts, quality_results, raise_if_failed
from orchestration.landing.folders import landed_days
from orchestration.publishing import checkpoint, current_version, write_status
from orchestration.publishing.files import sync_path
from orchestration.quality.gate import run_gate
from orchestration.settings import Settings

# What staging reads of a day; one that lacks either was never loaded.
LISTINGS = ("models", "accounts")
LANDED_STEPS, STEPS = ("raw", "authors"), ("staging", "intermediate", "marts")


class Stopped(Exception):
    """Days that the gate after a step did not let pass, each with the reason."""

    def __init__(self, step: str, reasons: Mapping[date, str]):
        super().__init__("; ".join(f"{day}: {step} gate: {reason}" for day, reason in sorted(reasons.items())))
        self.step, self.reasons = step, reasons


class _BesideTheOldWarehouse(Settings):
    """The same home with another warehouse. The file bears the same name: dbt's manifest calls the database by it."""

    @cached_property
    def warehouse_path(self) -> Path:
        return self.home / "warehouse" / "rebuild" / "observatory.duckdb"


def rebuild(settings: Settings, *, dbt: DbtInProcess, job: dg.JobDefinition, instance: dg.DagsterInstance) -> list[str]:
    """Build all landed days anew and publish them. Gives the reasons why it did not; none if it did.

    A day that a gate stops is left out, as it was before; if it is published, the whole stops. Until the swap analysts
    see the old version; whatever stops this, the next run starts from the old warehouse. Raises `WarehouseUnavailable`
    while another process writes the warehouse.
    """
    checkpoint.hold(settings)
    run_id = str(uuid.uuid4())
    days = _days_landed(settings)
    if not days:
        return ["Found no landed day; expected at least one. Land one first: make run, or make backfill."]
    with _room_for_another(settings) as building:
        try:
            left_out = _build(building, dbt, days, run_id)
        except (Stopped, dg.Failure) as error:
            _say_stopped(settings, error, days, run_id)
            return [str(getattr(error, "description", None) or error)]
        # From here on a checkpoint of the old one is what any other run takes the warehouse back to, until this one is
        # published.
        checkpoint.begin(settings, owner=run_id, run_id=run_id)
        sync_path(building.warehouse_path)
        os.replace(building.warehouse_path, settings.warehouse_path)
        sync_path(settings.warehouse_path.parent)
    return _publish(settings, dbt, job, instance, [day for day in days if day not in left_out], left_out, run_id)


def _days_landed(settings: Settings) -> list[date]:
    return sorted(set.intersection(*(set(landed_days(settings.landing_dir, listing)) for listing in LISTINGS)))


@contextmanager
def _room_for_another(settings: Settings) -> Iterator[Settings]:
    """Settings with an empty folder for the new warehouse, which is gone afterwards, also what a killed one left there."""
    building = _BesideTheOldWarehouse.model_construct(**dict(settings))
    folder = building.warehouse_path.parent
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield building
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _build(building: Settings, dbt: DbtInProcess, days: list[date], run_id: str) -> dict[date, str]:
    """All days, judged and loaded; gives those that were left out, with the reasons. Raises Stopped, and dg.Failure."""
    left_out: dict[date, str] = {}
    for step in LANDED_STEPS:
        left_out |= _refused(building, step, _judged(building, step, days, run_id))
    rows = {day: rows_of(building, day) for day in days}
    while True:
        kept = [day for day in days if day not in left_out]
        if not kept:
            raise Stopped("raw", left_out)
        try:
            _load(building, dbt, parts_of(kept, rows, ROWS_AT_ONCE), run_id)
        except Stopped as stopped:
            # What a part of it has left in the warehouse can't be told from the rest: start without those days.
            left_out |= _refused(building, stopped.step, stopped.reasons)
            building.warehouse_path.unlink()
        else:
            return left_out


def _load(building: Settings, dbt: DbtInProcess, parts: list[list[date]], run_id: str) -> None:
    for number, days in enumerate(parts, start=1):
        with timed(f"rebuild: part {number} of {len(parts)}, {len(days)} day(s) from {days[0]} to {days[-1]}"):
            for step in STEPS:
                layer = LAYERS[step]
                _, result = dbt.build(layer.select, building, exclude=layer.exclude, days=days, run_id=run_id)
                raise_if_failed(step, result)
                if reasons := _judged(building, step, days, run_id):
                    raise Stopped(step, reasons)


def _judged(building: Settings, step: str, days: list[date], run_id: str) -> dict[date, str]:
    """Days that the step's gate does not let pass, each with the reason."""
    result = run_gate(step, days, settings=building, run_id=run_id, evaluated_at=datetime.now(UTC))
    return {day: result.reason(day) for day in result.failed_dates}


def _refused(building: Settings, step: str, reasons: Mapping[date, str]) -> dict[date, str]:
    """The days with reasons to leave them out. Raises Stopped if one is published: it must not vanish unasked."""
    version = current_version(building)
    published = version.manifest["snapshot_dates"]["complete"] if version else []
    if lost := {day: reason for day, reason in reasons.items() if day.isoformat() in published}:
        raise Stopped(step, lost)
    for day, reason in sorted(reasons.items()):
        tell(f"rebuild: {day} left out, as it was before: {step} gate: {reason}")
    return {day: f"{step} gate: {reason}" for day, reason in reasons.items()}


def _publish(
    settings: Settings,
    dbt: DbtInProcess,
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    days: list[date],
    left_out: Mapping[date, str],
    run_id: str,
) -> list[str]:
    """The daily job's steps behind the marts' gate, as one run about all days; gives what stopped it."""
    calendar = {date.fromordinal(day): NOT_LANDED for day in range(days[0].toordinal(), days[-1].toordinal())}
    aside = {day: left_out.get(day, why) for day, why in calendar.items() if day not in days}
    steps = {quality_results.key, *quality_marts.keys, CANDIDATE, REPORT, CURRENT}
    result = job.get_subset(asset_selection=steps).execute_in_process(
        instance=instance,
        run_id=run_id,
        tags=tags_of_range(days[0], days[-1]) | set_aside_tag(aside),
        resources={"settings": settings, "dbt": dbt},
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    return [] if result.success else [*failed_checks_of(instance, run_id), *failures_of(instance, run_id)]


def _say_stopped(settings: Settings, error: Exception, days: list[date], run_id: str) -> None:
    is_gate = isinstance(error, Stopped)
    write_status(
        settings,
        state="blocked" if is_gate else "failed",
        attempted_dates=sorted(error.reasons) if is_gate else days,
        step=f"rebuild: {error.step}" if is_gate else "rebuild",
        reason=str(getattr(error, "description", None) or error),
        run_id=run_id,
        at=datetime.now(UTC),
    )
