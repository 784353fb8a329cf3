"""From the tables that Spark has handed over to a published version: the gates, the run's own history, the candidate, its
gate and the swap of the daily job, in its order. What each of them does belongs in its own package."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import duckdb

from orchestration.defs.transform.dbt_docs import documentation
from orchestration.defs.transform.dbt_in_process import LAYERS, DbtInProcess
from orchestration.foreign_text import visible
from orchestration.project import dbt_project
from orchestration.publishing import (
    Around,
    Version,
    build_candidate,
    checkpoint,
    current_version,
    open_current,
    publish_candidate,
    published_versions,
    render_report_into,
    write_status,
)
from orchestration.publishing.errors import PublishRefused
from orchestration.publishing.examples import read_examples
from orchestration.quality.gate import run_gate
from orchestration.quality.history import results_of_run
from orchestration.sandbox.note import demo_note
from orchestration.settings import Settings
from orchestration.spark.warehouse import fill_warehouse

# In the order of the daily job: the gate on the candidate asks whether each of them was passed in this run.
STEPS = ("raw", "authors", "staging", "intermediate", "marts")


def publish_from_spark(settings: Settings, handed_over: Path, *, dbt: DbtInProcess | None = None) -> Version:
    """Publish the tables in `handed_over` as a version; the home's warehouse file is made anew of them.

    The gates judge the days of Spark's last run, which staging holds. If one of them is stopped, none is shown: without
    another run on Spark it can't be taken out. Raises PublishRefused, which says the gate and the reason, as `status.json`
    does, and where the tables hold a day that no gate has seen; the last version stays.
    """
    dbt, run_id = dbt or DbtInProcess(), str(uuid4())
    checkpoint.begin(settings, owner=run_id, run_id=run_id)
    fill_warehouse(settings, handed_over, dbt_project.manifest_path)
    days = days_to_judge(settings)
    _build(settings, dbt, "resource_type:seed", "path:seeds,resource_type:test", days, run_id)
    for step in STEPS:
        _pass_gate(settings, step, days, run_id)
    # what the run says of itself, made from what the gates have just written
    layer = LAYERS["quality_marts"]
    _build(settings, dbt, layer.select, layer.exclude, days, run_id)
    candidate = build_candidate(
        settings,
        version_id=f"{max(days)}-{run_id[:8]}",
        run_id=run_id,
        snapshot_dates=days,
        simulation_note=demo_note(settings),
        examples=read_examples(dbt_project.manifest_path),
    )
    _pass_gate(settings, "published", days, run_id, candidate.database)
    on_candidate = results_of_run(settings, run_id, "published")
    docs = documentation(dbt, settings, dbt_project.manifest_path)
    around = Around(published=published_versions(settings), manifest=dbt_project.manifest_path, docs=docs)
    render_report_into(candidate, on_candidate, around)
    version = publish_candidate(settings, candidate, quality=on_candidate, at=datetime.now(UTC))
    checkpoint.commit(settings, version)
    return version


def days_to_judge(settings: Settings) -> list[date]:
    """The days in staging. Raises PublishRefused if the marts tell of one that is neither there nor published already."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        staged = connection.execute("select distinct snapshot_date from staging.stg_hub__models order by 1").fetchall()
        told = connection.execute("select snapshot_date from marts.dim_snapshots where status = 'complete'").fetchall()
    days = [day for (day,) in staged]
    unseen = sorted({day for (day,) in told} - set(days) - _published_days(settings))
    if unseen or not days:
        raise PublishRefused(
            found=f"days that no gate has judged: {', '.join(map(str, unseen)) or 'no day at all in staging'}",
            expected="the marts to hold days of Spark's last run, and days that are published already",
            do_this="load these days on Spark in one run, and hand the tables over again",
        )
    return days


def _published_days(settings: Settings) -> set[date]:
    if current_version(settings) is None:
        return set()
    with open_current(settings) as connection:
        told = connection.sql("select snapshot_date from marts.dim_snapshots where status = 'complete'").fetchall()
    return {day for (day,) in told}


def _pass_gate(settings: Settings, step: str, days: Sequence[date], run_id: str, database: Path | None = None) -> None:
    now = datetime.now(UTC)
    result = run_gate(step, days, settings=settings, run_id=run_id, evaluated_at=now, database=database)
    if result.passed:
        return
    reason = visible("; ".join(f"{day}: {result.reason(day)}" for day in sorted(result.failed_dates)))
    write_status(settings, state="blocked", attempted_dates=list(days), step=step, reason=reason, run_id=run_id, at=now)
    raise PublishRefused(
        found=f"days that the {step} gate stops: {reason}",
        expected="every day to keep the promises that block",
        do_this="mend the cause and build the days on Spark again, or leave the day out",
    )


def _build(settings: Settings, dbt: DbtInProcess, select: str, exclude: str, days: Sequence[date], run_id: str) -> None:
    """The few tables that are DuckDB's whatever built the others: seeds, and the run's own history."""
    _, done = dbt.build(select, settings, exclude=exclude, days=days, run_id=run_id)
    if not done.success:
        failed = [f"{node.node.name}: {node.message}" for node in done.result or () if node.status in ("error", "fail")]
        raise PublishRefused(
            found=f"that dbt could not build {select}: {'; '.join(failed) or done.exception}",
            expected="seeds and quality marts, built by DuckDB",
            do_this="read dbt's log in the home's dbt/logs",
        )
