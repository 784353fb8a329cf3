"""The Hub's other listings as assets, off by default: a landed day a partition and a check beside it, for each that the settings
name. What a listing is made of stands in `orchestration/hub/listings.py`, what it promises in `orchestration/quality`."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import dagster as dg

from orchestration.defs.extract.columns import listing_columns
from orchestration.defs.extract.hub import LandingConfig, day_in_numbers, landed_metadata
from orchestration.defs.gates import about, check_name
from orchestration.defs.partitions import one_run_a_range, snapshot_days
from orchestration.defs.progress import tell, timed
from orchestration.defs.retries import tried_again_if_it_passes
from orchestration.defs.run_days import asked_days
from orchestration.defs.transform.translator import OWNERS
from orchestration.defs.verdicts import verdict_description, verdict_metadata
from orchestration.hub.listings import LISTINGS, Listing
from orchestration.landing import DayLocked, IncompleteDay, LandedDay, WrongDay, land_listing
from orchestration.quality.gate import run_gate
from orchestration.quality.suites import SUITES
from orchestration.settings import Settings

# After every step of the models, so that they have the Hub's rate limit to themselves and are published first. A priority
# and no dependency: a day that the models lost is still the only day on which the other listings can be landed.
LAST = {"dagster/priority": "-10"}

ROW_OF = {"datasets": "dataset repository", "spaces": "Space"}


@dg.definitions
def further_listings() -> dg.Definitions:
    names = dict.fromkeys(Settings().listings.split())
    assets = [listing_asset(LISTINGS[name]) for name in names]
    gates = [listing_gate(LISTINGS[name]) for name in names]
    return dg.Definitions(assets=assets, asset_checks=gates)


def listing_asset(listing: Listing) -> dg.AssetsDefinition:
    """The asset of a listing: its days, landed by the same walk and completeness gate as the models'."""

    @dg.asset(
        key=_key(listing),
        partitions_def=snapshot_days,
        backfill_policy=one_run_a_range,
        group_name="extract",
        kinds={"huggingface", "parquet"},
        owners=OWNERS,
        pool="hub",
        op_tags=LAST,
        output_required=False,  # of a past day, which only the models have an archive for, there is nothing to land
        description=f"The Hub's public listing of {listing.name} as it was on the day, walked in the order of `_id`, kept as it "
        f"came. One row per {ROW_OF[listing.name]}.",
        metadata=listing_columns(listing),
    )
    def landed_listing(
        context: dg.AssetExecutionContext, config: LandingConfig, settings: dg.ResourceParam[Settings]
    ) -> Iterator:
        landed: list[LandedDay] = []
        failed: dict[date, Exception] = {}
        with tried_again_if_it_passes(context, settings):
            for day in asked_days(context):
                try:
                    landed.append(land_listing(listing, day, settings, force=config.force, progress=tell))
                except WrongDay as error:
                    if day > error.hub_day:
                        failed[day] = error
                    else:
                        tell(
                            f"no {listing.name} of {day}: their listing only knows now, {error.hub_day}, and no archive is read"
                        )
                except (IncompleteDay, DayLocked) as error:
                    # the only ones that concern one day alone; they are told below, and nowhere marked in the run's tags,
                    # which are about the models
                    failed[day] = error
            if not landed and (locked := [error for error in failed.values() if isinstance(error, DayLocked)]):
                raise locked[0]
        if len(landed) < len(asked_days(context)):
            # days that are there are recorded, whatever becomes of the others
            for part in landed:
                yield dg.AssetMaterialization(
                    _key(listing), partition=part.snapshot_date.isoformat(), metadata=_metadata([part])
                )
        if failed:
            said = "\n".join(str(error) for error in failed.values())
            raise dg.Failure(said, allow_retries=False) from next(iter(failed.values()))
        if len(landed) == len(asked_days(context)):
            for part in landed:
                context.add_asset_metadata(day_in_numbers(part), partition_key=part.snapshot_date.isoformat())
            yield dg.MaterializeResult(metadata=_metadata(landed))

    return landed_listing


def listing_gate(listing: Listing) -> dg.AssetChecksDefinition:
    """The check of a listing's suite. It blocks nothing, since nothing comes after it; a failed one is an error to be told.

    One for each listing: a check over several would be skipped for all of them when one could not be landed. Their results
    lie in the run's one file for the step, which takes up what is judged later.
    """
    suite = SUITES[f"listings_{listing.name}"]
    spec = dg.AssetCheckSpec(
        name=check_name(suite.table),
        asset=_key(listing),
        blocking=False,
        description=about(suite.step, suite.table),
    )

    @dg.multi_asset_check(name=f"{listing.name}_gate", specs=[spec], op_tags=LAST)
    def gate(context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
        days = asked_days(context)
        with timed(f"{listing.name} gate: {len(days)} day(s) judged"):
            result = run_gate(
                suite.step,
                days,
                settings=settings,
                run_id=context.run.run_id,
                evaluated_at=datetime.now(UTC),
                suites={suite.name: suite},
            )
        tell(f"{listing.name} gate: {result.summary()}")
        return dg.AssetCheckResult(
            asset_key=_key(listing),
            check_name=spec.name,
            passed=result.passed,
            severity=dg.AssetCheckSeverity.ERROR,
            description=verdict_description(result),
            metadata=verdict_metadata(result, settings),
        )

    return gate


def _key(listing: Listing) -> dg.AssetKey:
    return dg.AssetKey(["hub", listing.name])


def _metadata(landed: list[LandedDay]) -> dict:
    # the most liked: every listing has likes
    metadata = landed_metadata(landed, "id, author, likes, trendingScore, createdAt", "likes desc nulls last")
    return metadata | (day_in_numbers(landed[0]) if len(landed) == 1 else {})
