"""What the steps of one run tell each other, through the run's tags: which days it is about, which of them were set aside on
the way, which version it builds. What makes a day good or bad is decided elsewhere (`landing`, `quality`)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION

from orchestration.defs.partitions import snapshot_days
from orchestration.foreign_text import visible
from orchestration.publishing import Candidate, checkpoint, load_candidate
from orchestration.settings import Settings

# The step with which a run begins to write the warehouse.
FIRST_LAYER = "staging_layer"
# Tags, because a retry of a failed run inherits them, and because the UI shows them beside the run.
SET_ASIDE_TAG = "observatory/set_aside"
VERSION_TAG = "observatory/version"
# A reason is cut in the run's tag (shown in lists); the whole of it stands in the log and in the check.
LONGEST_REASON = 300
# Before the reason of a day that was never landed; behind it stands the class of the error, which tells causes apart.
EXTRACTION = "extraction: "
# Why a day of a range has no part in a rebuild, which asks nobody for it: a gap is no news.
NOT_LANDED = "not landed"


def asked_days(context) -> list[date]:
    """The days that the run was started for, in order: one partition, or a range of them. Raises dg.Failure if none."""
    return days_of_run(context.run)


def days_of_run(run: dg.DagsterRun) -> list[date]:
    """The same, of any run."""
    tags = run.tags
    if "dagster/partition" in tags:
        keys = [tags["dagster/partition"]]
    elif "dagster/asset_partition_range_start" in tags:
        keys = snapshot_days.get_partition_keys_in_range(
            dg.PartitionKeyRange(tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"])
        )
    else:
        raise dg.Failure(
            "This run names no day, but every asset here is a daily partition. Start it with a partition "
            "(UI: Materialize → choose a day; command line: make run)."
        )
    impossible = [key for key in keys if not snapshot_days.has_partition_key(key)]
    if impossible:
        raise dg.Failure(
            f"This run asks for {', '.join(impossible)}, which are no snapshot days: they lie before "
            f"{snapshot_days.get_first_partition_key()} or in the future. Start it for days up to today, UTC."
        )
    return [date.fromisoformat(key) for key in keys]


def days_to_tell(run: dg.DagsterRun) -> list[date]:
    """For messages about a run: its days, or none where that is what is wrong with it."""
    try:
        return days_of_run(run)
    except dg.Failure:
        return []


def set_aside(context) -> dict[date, str]:
    """Days of this run that failed on the way, each with the reason."""
    run = context.instance.get_run_by_id(context.run.run_id)
    return set_aside_days(run) if run else {}


def set_aside_days(run: dg.DagsterRun) -> dict[date, str]:
    """The same, of any run."""
    stored = json.loads(run.tags.get(SET_ASIDE_TAG, "{}"))
    return {date.fromisoformat(day): reason for day, reason in stored.items()}


def add_set_aside(context, reasons: Mapping[date, str]) -> None:
    """Mark days as failed for the rest of this run."""
    if not reasons:
        return
    merged = set_aside(context) | {day: visible(reason)[:LONGEST_REASON] for day, reason in reasons.items()}
    context.instance.add_run_tags(context.run.run_id, set_aside_tag(merged))


def extraction_reason(error: Exception) -> str:
    """Why a day could not be landed, as it stands among the days set aside."""
    return f"{EXTRACTION}{type(error).__name__}: {error}"


def set_aside_tag(reasons: Mapping[date, str]) -> dict[str, str]:
    """The tag that says so."""
    aside = {day.isoformat(): reasons[day][:LONGEST_REASON] for day in sorted(reasons)}
    return {SET_ASIDE_TAG: json.dumps(aside, ensure_ascii=False)}


def tags_of_range(first: date, last: date) -> dict[str, str]:
    """The tags by which a run is about one day, or about all days from the first to the last."""
    if first == last:
        return {"dagster/partition": first.isoformat()}
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def good_days(context) -> list[date]:
    """The asked days that have not failed so far. Never empty: a run without a good day has been stopped before."""
    aside = set_aside(context)
    days = [day for day in asked_days(context) if day not in aside]
    if not days:
        raise dg.Failure(
            "No day of this run is left: " + "; ".join(f"{day}: {why}" for day, why in sorted(aside.items()))
        )
    return days


def first_attempt(run: dg.DagsterRun) -> str:
    """The run that this one tries again, through all tries between; or itself. It owns what they all write."""
    return run.root_run_id or run.run_id


def refuse_if_overtaken(context, settings: Settings) -> None:
    """A retry from the middle goes on from what its first attempt wrote. If another run began since, that was taken back, and
    going on would publish days without it. Raises dg.Failure, which no retry repairs."""
    run = context.instance.get_run_by_id(context.run.run_id)
    begins_anew = run.parent_run_id is None or FIRST_LAYER in (run.step_keys_to_execute or [FIRST_LAYER])
    version_id = run.tags.get(VERSION_TAG)
    if not begins_anew and checkpoint.overtaken(settings, owner=first_attempt(run), version_id=version_id):
        raise dg.Failure(
            f"Found another run that has begun since {first_attempt(run)[:8]} stopped, so that what that one wrote was taken "
            "back. Expected a retry from the middle to come before any other run. Do this: re-execute all of its steps.",
            allow_retries=False,
        )


def candidate_of_run(context, settings: Settings) -> Candidate:
    """The candidate that this run, or the attempt that it retries, has built."""
    run = context.instance.get_run_by_id(context.run.run_id)
    return load_candidate(settings, run.tags.get(VERSION_TAG, "(none)"))


def only_good_days(
    context,
    events: Sequence | Iterator,
    days: Sequence[date],
    of_day: Mapping[dg.AssetKey, Mapping[date, Mapping[str, Any]]] | None = None,
) -> Iterator:
    """Pass on a step's events, but let a ranged run record materialisations of the good days only.

    `of_day` is further metadata of single days, by asset: each day is recorded with its own.

    Dagster records an output for every partition of a range, also for a day that was set aside. Where a day is missing, the
    materialisations are therefore written out one by one, and the output carries the marker that keeps Dagster from
    adding its own (a private name of 1.13.27; `tests/defs` fails should it change its meaning).
    """
    of_day = of_day or {}
    if len(days) == len(asked_days(context)):
        for key, by_day in of_day.items():
            for day, metadata in by_day.items():
                context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())
        yield from events
        return
    for event in events:
        if isinstance(event, dg.Output):
            asset_key = context.asset_key_for_output(event.output_name)
            metadata = event.metadata
        elif isinstance(event, dg.MaterializeResult):
            asset_key = event.asset_key or context.asset_key
            metadata = event.metadata or {}
        else:
            yield event
            continue
        for day in days:
            of_this_day = {**metadata, **of_day.get(asset_key, {}).get(day, {})}
            yield dg.AssetMaterialization(asset_key=asset_key, partition=day.isoformat(), metadata=of_this_day)
        yield dg.MaterializeResult(asset_key=asset_key, metadata={SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True})
