"""The Hub's listing and its accounts as assets: one landed day a partition. How the Hub is walked and when a day counts as
complete belongs in `orchestration/hub` and `orchestration/landing`."""

import time
from datetime import date

import dagster as dg

from orchestration.defs.extract.columns import account_columns, capture_columns, listing_columns
from orchestration.defs.gates import gate_check
from orchestration.defs.partitions import one_run_a_range, snapshot_days
from orchestration.defs.preview import as_markdown
from orchestration.defs.progress import tell
from orchestration.defs.retries import PASSES_BY_ITSELF, tried_again_if_it_passes
from orchestration.defs.run_days import add_set_aside, asked_days, extraction_reason, good_days, only_good_days
from orchestration.defs.transform.translator import OWNERS
from orchestration.foreign_text import visible
from orchestration.hub.listings import LISTINGS
from orchestration.landing import LandedDay, land_accounts
from orchestration.landing.folders import DayFolder
from orchestration.landing.sources import OF_ONE_DAY, Sources
from orchestration.settings import Settings

MODELS = dg.AssetKey(["hub", "models"])
CAPTURES = dg.AssetKey(["hub", "captures"])
AUTHORS = dg.AssetKey(["hub", "authors"])


class LandingConfig(dg.Config):
    """What an operator may ask for when a day is landed by hand."""

    force: bool = False  # fetch a landed day again, as a new revision; the earlier one is kept
    source: str = "auto"  # auto: the live Hub for its own day, else the archives; or live, hub_stats, weekly


@dg.multi_asset(
    name="hub_models",
    specs=[
        dg.AssetSpec(
            MODELS,
            group_name="extract",
            kinds={"huggingface", "parquet"},
            owners=OWNERS,
            description="The Hub's public model listing as it was on the day, kept as it came, in the order of `_id`: walked "
            "on the day itself, or from a dated revision of an archive. One row per model repository.",
            metadata=listing_columns(LISTINGS["models"]),
        ),
        dg.AssetSpec(
            CAPTURES,
            group_name="extract",
            kinds={"parquet"},
            owners=OWNERS,
            description="What was captured on the day: source, time, the day its counters belong to, whether it was complete. "
            "One row per attempted snapshot day.",
            metadata=capture_columns(),
        ),
    ],
    partitions_def=snapshot_days,
    backfill_policy=one_run_a_range,
    pool="hub",
)
def hub_models(context: dg.AssetExecutionContext, config: LandingConfig, settings: dg.ResourceParam[Settings]):
    landed: dict[date, LandedDay] = {}
    seconds: dict[date, float] = {}
    failed: dict[date, Exception] = {}
    with (
        tried_again_if_it_passes(context, settings),
        Sources(settings, choice=config.source, force=config.force, progress=tell) as sources,
    ):
        for day in asked_days(context):
            started = time.monotonic()
            try:
                landed[day] = sources.land(day)
            except OF_ONE_DAY as error:
                # The only ones that concern one day alone; anything else would fail for every other day as well.
                failed[day] = error
                tell(f"{day} set aside: {error}")
            seconds[day] = time.monotonic() - started
        if not landed and (passing := [error for error in failed.values() if isinstance(error, PASSES_BY_ITSELF)]):
            raise passing[0]
    if not landed:
        raise dg.Failure(_said(failed), allow_retries=False) from next(iter(failed.values()))
    add_set_aside(context, {day: extraction_reason(error) for day, error in failed.items()})
    days = sorted(landed)
    results = [
        dg.MaterializeResult(asset_key=MODELS, metadata=_landing_metadata([landed[day] for day in days], failed)),
        dg.MaterializeResult(asset_key=CAPTURES, metadata={"snapshot_days": [day.isoformat() for day in days]}),
    ]
    of_day = {
        MODELS: {day: _walk_in_numbers(landed[day], seconds[day]) for day in days},
        CAPTURES: {day: _capture_in_numbers(landed[day]) for day in days},
    }
    yield from only_good_days(context, results, days, of_day)


@dg.asset(
    key=AUTHORS,
    deps=[MODELS],
    partitions_def=snapshot_days,
    backfill_policy=one_run_a_range,
    group_name="extract",
    kinds={"huggingface", "parquet"},
    owners=OWNERS,
    pool="hub",
    description="Organisation or person? Known accounts carried forward from the last landed day, and a budget of look-ups of "
    "the biggest unknown ones. Of persons only the name and the type are kept. One row per account.",
    metadata=account_columns(),
)
def hub_authors(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]):
    days = good_days(context)
    with tried_again_if_it_passes(context, settings):
        landed = _land_accounts(days, settings)
    result = dg.MaterializeResult(
        metadata={
            "dagster/row_count": landed[-1].rows,
            "preview": _preview(
                landed[-1], "namespace, account_type, full_name, followers", "followers desc nulls last"
            ),
        }
    )
    of_day = {AUTHORS: {part.snapshot_date: _look_ups_in_numbers(part) for part in landed}}
    yield from only_good_days(context, [result], days, of_day)


raw_gate = gate_check("raw")
authors_gate = gate_check("authors")


def _land_accounts(days: list[date], settings: Settings) -> list[LandedDay]:
    """Each day of the Hub's own has its budget of look-ups; the days of a backfill, asked for all at once, share one."""
    left = settings.account_lookups
    landed = []
    for day in days:
        is_live = DayFolder(settings.landing_dir, "models", day).manifest()["source"] == "hub_api"
        landed.append(land_accounts(day, settings, budget=None if is_live else left, progress=tell))
        if not is_live and not landed[-1].already_landed:
            left -= landed[-1].manifest["looked_up"]
    return landed


def _said(failed: dict[date, Exception]) -> str:
    return "\n".join(str(error) for error in failed.values())


def _landing_metadata(landed: list[LandedDay], failed: dict[date, Exception]) -> dict:
    metadata = landed_metadata(landed, "id, downloads, downloadsAllTime, likes, pipeline_tag", "downloads desc") | {
        "source": str(landed[-1].manifest.get("source")),
    }
    if failed:
        metadata["set_aside"] = "; ".join(f"{day}: {visible(str(error))}" for day, error in failed.items())
    return metadata


def _walk_in_numbers(landed: LandedDay, seconds: float) -> dict:
    """What is worth a plot over the days. Seconds are those of this run: nearly none for a day that had landed."""
    manifest = landed.manifest
    numbers = day_in_numbers(landed) | {"seconds": round(seconds, 1)}
    # an archive's day has no pages, and what was retried of it was retried for its file
    numbers |= {"pages": manifest["pages"]} if manifest.get("pages") is not None else {}
    warnings = manifest.get("warnings", [])
    return numbers | ({"warnings": "; ".join(map(visible, warnings))} if warnings else {})


def _capture_in_numbers(landed: LandedDay) -> dict:
    return {
        "downloads_all_time": landed.manifest["downloads_all_time"],
        "counters_date": str(landed.manifest["counters_date"]),
    }


def _look_ups_in_numbers(landed: LandedDay) -> dict:
    manifest = landed.manifest
    return {
        "dagster/partition_row_count": landed.rows,
        "looked_up": manifest["looked_up"],
        "look_ups_failed": len(manifest["failed"]),
        "known_downloads_share": manifest["known_downloads_share"],
    }


def landed_metadata(landed: list[LandedDay], columns: str, order: str) -> dict:
    """What an operator would look for beside any landed listing; the preview shows `columns` of the last day."""
    last = landed[-1]
    already = [str(day.snapshot_date) for day in landed if day.already_landed]
    return {
        "dagster/row_count": last.rows,
        "already_landed": ", ".join(already) or "none",
        "simulated": last.is_simulated,
        "captured_at": str(last.manifest.get("captured_at")),
        "preview": _preview(last, columns, order),
    }


def day_in_numbers(landed: LandedDay) -> dict:
    """What every landed day of a listing has, to be drawn over the days."""
    return {
        "dagster/partition_row_count": landed.rows,
        "bytes": landed.bytes,
        "retries": sum(landed.manifest.get("retries", {}).values()),
    }


def _preview(landed: LandedDay, columns: str, order: str) -> dg.MarkdownMetadataValue:
    """The five rows that an operator would look at first."""
    import duckdb

    with duckdb.connect() as connection:
        return as_markdown(
            connection.execute(
                f"select {columns} from read_parquet(?) order by {order}, 1 limit 5", [str(landed.path / "*.parquet")]
            )
        )
