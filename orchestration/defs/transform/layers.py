"""The warehouse's layers as assets: one dbt invocation each, so that a gate fits between them.
The SQL is in `dbt_project/`, the promises that the gates hold are in `orchestration/quality/suites/`."""

from collections.abc import Iterator

import dagster as dg
from dagster_dbt import DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.defs.gates import gate_check
from orchestration.defs.partitions import one_run_a_range, snapshot_days
from orchestration.defs.progress import timed
from orchestration.defs.retries import tried_again_if_it_passes
from orchestration.defs.run_days import first_attempt, good_days, only_good_days, refuse_if_overtaken
from orchestration.defs.transform.columns import columns_of_file
from orchestration.defs.transform.dbt_in_process import LAYERS, DbtInProcess
from orchestration.defs.transform.row_counts import count_built, with_counts
from orchestration.defs.transform.translator import OWNERS, LayerTranslator
from orchestration.project import dbt_project
from orchestration.publishing import WarehouseBusy, checkpoint
from orchestration.publishing.errors import LOCKED
from orchestration.quality.history import schema as history_schema
from orchestration.settings import Settings

# All writers of the warehouse share one pool of size one: DuckDB takes one writing process.
WAREHOUSE_POOL = "warehouse"

# Not prepared here: a parse at import would cost every process seconds, and dagster's own way starts a subprocess.
if not dbt_project.manifest_path.exists():
    raise FileNotFoundError(
        f"Found no dbt manifest at {dbt_project.manifest_path}, which the assets are made of. Run: make setup"
    )
# Events of dbt that say what became of a node.
RESULTS = {"LogModelResult", "LogSeedResult", "LogTestResult"}
# The files of the published version that a new one is compared with are one thing in the lineage: that version.
translator = LayerTranslator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))


def _layer(name: str) -> dg.AssetsDefinition:
    """One layer of dbt models as one step."""
    select, exclude = LAYERS[name].select, LAYERS[name].exclude

    @dbt_assets(
        name=f"{name}_layer",
        manifest=dbt_project.manifest_path,
        project=dbt_project,
        select=select,
        exclude=exclude or None,
        partitions_def=snapshot_days,
        backfill_policy=one_run_a_range,
        dagster_dbt_translator=translator,
        pool=WAREHOUSE_POOL,
    )
    def layer(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], dbt: dg.ResourceParam[DbtInProcess]
    ):
        days = good_days(context)
        run = context.run
        selected = _names_of(context) if context.is_subset else select
        with tried_again_if_it_passes(context, settings):
            refuse_if_overtaken(context, settings)
            if checkpoint.begin(settings, owner=first_attempt(run), run_id=run.run_id):
                context.log.warning("An earlier run was never published: the warehouse was taken back to before it.")
            with timed(f"{name}: built for {len(days)} day(s)"):
                messages, result = dbt.build(selected, settings, exclude=exclude, days=days, run_id=run.run_id)
            raise_if_locked(settings, result)
        events = list(_dagster_events(messages, context))
        counted = count_built(events, settings.warehouse_path, days, _declared(context))
        of_day = {key: one.of_day for key, one in counted.items()}
        yield from only_good_days(context, with_counts(events, counted), days, of_day)
        raise_if_failed(name, result)

    return layer


def _names_of(context: dg.AssetExecutionContext) -> str:
    """A part of the layer was asked for (in the UI): select just those models."""
    return " ".join(sorted(key.path[-1] for key in context.selected_asset_keys))


def _declared(context: dg.AssetExecutionContext) -> dict[dg.AssetKey, dg.TableSchema]:
    """The columns that dbt's YAML describes, by asset."""
    return {spec.key: spec.metadata["dagster/column_schema"] for spec in context.assets_def.specs}


def _dagster_events(messages: list, context: dg.AssetExecutionContext) -> Iterator:
    """dbt's node results as Dagster's outputs and check results."""
    from google.protobuf.json_format import MessageToDict

    for message in messages:
        if message.info.name not in RESULTS:
            continue  # most of them tell of a connection or a statement
        raw_event = MessageToDict(message, preserving_proto_field_name=True)
        yield from DbtCoreCliEventMessage(raw_event=raw_event, event_history_metadata={}).to_default_asset_events(
            manifest=dbt_project.manifest_path,
            dagster_dbt_translator=translator,
            context=context,
            project=dbt_project,
        )


def raise_if_locked(settings: Settings, result) -> None:
    """A reader that has the warehouse open keeps dbt out, until it closes: WarehouseBusy, which passes by itself."""
    said = [str(result.exception or ""), *(str(node.message) for node in getattr(result.result, "results", None) or ())]
    if not result.success and (locked := [line for line in said if LOCKED in line]):
        raise WarehouseBusy(
            found=f"{settings.warehouse_path} open in another process: {locked[0].strip()}",
            expected="nobody else at the warehouse while a run writes; analysts read the published version",
            do_this="end the process that it names, then run the day again",
        )


TOO_MUCH = (
    "The rows of this run don't fit into DuckDB's memory. Do this: run fewer days at once (make backfill sees to it), or "
    "give it more with OBSERVATORY_DUCKDB_MEMORY.\n"
)


def raise_if_failed(name: str, result) -> None:
    if result.success:
        return
    if result.exception is not None:
        raise dg.Failure(f"dbt stopped in layer {name}: {result.exception}\n{_advice(str(result.exception))}".rstrip())
    failed = [node for node in result.result if str(node.status) in {"error", "fail", "runtime error"}]
    said = "\n".join(f"- {node.node.unique_id}: {node.status}. {node.message}" for node in failed)
    raise dg.Failure(
        f"{len(failed)} of {len(result.result)} dbt nodes of layer {name} failed; nothing of this run is published.\n{said}\n"
        + _advice(said)
        + "The compiled SQL lies in the home's dbt/compiled folder; re-run the day once the cause is mended."
    )


def _advice(said: str) -> str:
    """What to do about a failure that says enough; also before any node has run DuckDB can be out of memory."""
    return TOO_MUCH if "Out of Memory Error" in said else ""


staging = _layer("staging")
intermediate = _layer("intermediate")
marts = _layer("marts")
quality_marts = _layer("quality_marts")

staging_gate = gate_check("staging")
intermediate_gate = gate_check("intermediate")
marts_gate = gate_check("marts")


@dg.asset(
    key=["quality", "results"],
    deps=[["marts", "mart_daily_country_share"]],
    partitions_def=snapshot_days,
    backfill_policy=one_run_a_range,
    group_name="marts",
    kinds={"parquet"},
    owners=OWNERS,
    description="Every check result so far, appended by the gates as Parquet; read by the quality marts. "
    "One row per check, table, snapshot day and run.",
    metadata=columns_of_file(
        {field.name: str(field.type) for field in history_schema()}, "fct_quality_results", key="evaluation_id"
    ),
)
def quality_results(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]):
    days = good_days(context)
    files = sorted(settings.quality_dir.glob(f"results/evaluated_date=*/{context.run.run_id}-*.parquet"))
    result = dg.MaterializeResult(
        metadata={"files_of_this_run": len(files), "steps": [f.stem.split("-")[-1] for f in files]}
    )
    yield from only_good_days(context, [result], days)
