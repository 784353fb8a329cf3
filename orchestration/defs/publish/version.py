"""From audited marts to what analysts see: candidate, gate, report, swap. How each is made belongs in
`orchestration/publishing`."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.gates import gate_check
from orchestration.defs.links import reading
from orchestration.defs.partitions import one_run_a_range, snapshot_days
from orchestration.defs.progress import tell, timed, warn
from orchestration.defs.retries import tried_again_if_it_passes
from orchestration.defs.run_days import (
    NOT_LANDED,
    VERSION_TAG,
    candidate_of_run,
    good_days,
    only_good_days,
    refuse_if_overtaken,
    set_aside,
)
from orchestration.defs.transform.dbt_docs import documentation
from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.defs.transform.layers import marts, quality_marts
from orchestration.defs.transform.translator import OWNERS
from orchestration.project import dbt_project
from orchestration.publishing import (
    Around,
    Version,
    build_candidate,
    checkpoint,
    headline_image_markdown,
    publish_candidate,
    published_versions,
    render_report_into,
)
from orchestration.publishing.examples import read_examples
from orchestration.publishing.restatements import not_in_history, restated
from orchestration.quality.history import results_of_run
from orchestration.sandbox.note import demo_note
from orchestration.settings import Settings

CANDIDATE = dg.AssetKey(["publish", "candidate"])
REPORT = dg.AssetKey(["publish", "report"])
SHARES = dg.AssetKey(["marts", "mart_daily_country_share"])
CURRENT = dg.AssetKey(["publish", "current"])

# No step of a run: what `mart_restatements` compares with is `current` as an earlier run left it.
previous_version = dg.AssetSpec(
    ["publish", "previous_version"],
    group_name="publish",
    kinds={"parquet"},
    owners=OWNERS,
    partitions_def=snapshot_days,
    description="The version that analysts see while the next one is made, and with which that one is compared. One version "
    "per published run.",
)


@dg.asset(
    key=CANDIDATE,
    deps=sorted(marts.keys | quality_marts.keys),
    partitions_def=snapshot_days,
    backfill_policy=one_run_a_range,
    group_name="publish",
    kinds={"duckdb", "parquet"},
    owners=OWNERS,
    description="The marts copied out of the warehouse, with Parquet files and a dictionary, audited against it. Not visible "
    "to analysts. One candidate per run.",
)
def candidate(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]):
    days = good_days(context)
    run_id = context.run.run_id
    refuse_if_overtaken(context, settings)
    with tried_again_if_it_passes(context, settings), timed("candidate: copied and audited"):
        built = build_candidate(
            settings,
            version_id=f"{days[-1]}-{run_id[:8]}",
            run_id=run_id,
            snapshot_dates=days,
            simulation_note=demo_note(settings),
            examples=read_examples(dbt_project.manifest_path),
        )
    context.instance.add_run_tags(run_id, {VERSION_TAG: built.version_id})
    result = dg.MaterializeResult(
        metadata={
            "version": built.version_id,
            "tables": len(built.tables),
            "rows_by_table": dg.MetadataValue.json(built.tables),
            "dagster/uri": str(built.path),
        }
    )
    yield from only_good_days(context, [result], days)


published_gate = gate_check("published")


@dg.asset(
    key=REPORT,
    deps=[CANDIDATE],
    partitions_def=snapshot_days,
    backfill_policy=one_run_a_range,
    group_name="publish",
    kinds={"html"},
    owners=OWNERS,
    description="The page that a reader opens (headline, charts, coverage, claims, definitions), and the one about the quality "
    "of its data beside it. One report per version.",
)
def report(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], dbt: dg.ResourceParam[DbtInProcess]
):
    days = good_days(context)
    built = candidate_of_run(context, settings)
    on_candidate = results_of_run(settings, context.run.run_id, "published")
    with timed("report: drawn"):
        manifest = dbt_project.manifest_path
        docs = documentation(dbt, settings, manifest)
        around = Around(published=published_versions(settings), manifest=manifest, docs=docs)
        page = render_report_into(built, on_candidate, around)
    chart = {"share_of_new_model_downloads": dg.MetadataValue.md(headline_image_markdown(built.database))}
    # The chart belongs to the mart that it draws; it can only be drawn now that the mart has passed its gates.
    yield dg.AssetObservation(asset_key=SHARES, partition=days[-1].isoformat(), metadata=chart)
    result = dg.MaterializeResult(metadata={"bytes": page.stat().st_size, **chart, **reading(settings)})
    yield from only_good_days(context, [result], days)


@dg.asset(
    key=CURRENT,
    deps=[REPORT],
    partitions_def=snapshot_days,
    backfill_policy=one_run_a_range,
    group_name="publish",
    kinds={"duckdb"},
    owners=OWNERS,
    description="The version that analysts read: sealed with a manifest of hashes, then swapped in atomically. "
    "One version per published run.",
)
def current(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]):
    days = good_days(context)
    run_id = context.run.run_id
    on_candidate = results_of_run(settings, run_id, "published")
    refuse_if_overtaken(context, settings)
    with tried_again_if_it_passes(context, settings):
        version = publish_candidate(
            settings,
            candidate_of_run(context, settings),
            quality=on_candidate,
            at=datetime.now(UTC),
            set_aside={day: why for day, why in set_aside(context).items() if why != NOT_LANDED},
        )
    checkpoint.commit(settings, version)
    tell(f"published: version {version.version_id}")
    result = dg.MaterializeResult(
        metadata={
            "version": version.version_id,
            "dagster/uri": str(version.path),
            **_sizes(version),
            **reading(settings),
            **_restatements_told(version),
        }
    )
    yield from only_good_days(context, [result], days)


def _sizes(version: Version) -> dict[str, float]:
    """What is worth a plot over versions."""
    database = version.path / "observatory.duckdb"
    return {"quality_score": version.manifest["quality"]["score"], "database_bytes": database.stat().st_size}


def _restatements_told(version: Version) -> dict[str, str]:
    """What the version says otherwise of days that were published before, and what its history does not know yet: in the
    run's log and as metadata. Neither stops anything."""
    summary = version.manifest["restatements"]
    told = {"restated": restated(summary), "not_in_history": not_in_history(summary)}
    if told["restated"]:
        tell(f"restated: {told['restated']}")
    if told["not_in_history"]:
        warn(f"not in history: {told['not_in_history']}")
    return {name: said for name, said in told.items() if said}
