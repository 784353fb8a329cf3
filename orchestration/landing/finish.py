"""Both ends of every landing, whatever the source: what is there already; then look, compare, judge, put in place.
How the rows got into the work folder is for `listings` (the live Hub) and `archive`; what is plausible, for the gates."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from orchestration.hub.listings import Listing
from orchestration.hub.records import Counts
from orchestration.landing import captures, counters
from orchestration.landing.comparison import Comparison, Inspected, compare, inspect
from orchestration.landing.completeness import CompletenessBounds, Fetched, LastDay, Verdict, judge
from orchestration.landing.counters import CountersSeen
from orchestration.landing.days import LandedDay, landed_day
from orchestration.landing.errors import IncompleteDay
from orchestration.landing.folders import MANIFEST, DayFolder, write_json


@dataclass(frozen=True)
class Draft:
    """A day whose rows all lie in the work folder, ordered by `_id`, and which isn't judged yet."""

    listing: Listing
    revision: int
    source: str  # 'hub_api', or an archive's name
    source_revision: str
    source_license: str
    endpoint: str
    captured_at: datetime  # when the rows were true, UTC
    is_simulated: bool
    parts: list[dict[str, object]]  # as `write_parquet` returns them, with first_id and last_id
    rows: int
    first_id: str | None
    last_id: str | None
    counts: Counts
    drift: dict[str, int] = field(default_factory=dict)  # harmless and unusual, in words → count
    unasked: frozenset[str] = frozenset()  # columns that the source doesn't tell
    pages: int | None = None
    is_terminal: bool | None = None
    page_size: int = 1000
    site_total: int | None = None
    site_total_note: str = ""
    origin: dict[str, object] = field(default_factory=dict)  # further manifest entries of this source

    def fetched(self) -> Fetched:
        return Fetched(
            rows=self.rows,
            first_id=self.first_id,
            last_id=self.last_id,
            nulls=self.counts.nulls,
            unasked=self.unasked,
            is_simulated=self.is_simulated,
            pages=self.pages,
            is_terminal=self.is_terminal,
            page_size=self.page_size,
            site_total=self.site_total,
            site_total_note=self.site_total_note,
        )


def landed_before(
    folder: DayFolder, listing: Listing, progress: Callable[[str], None], *, force: bool
) -> tuple[LandedDay | None, int]:
    """The day if it is landed and isn't to be landed again, and else the revision that it is going to be.

    Whatever a crash left of the last landing is made whole first: a replacement between its renames, the capture row.
    """
    folder.finish_replacement()
    manifest = folder.manifest()
    if manifest is None:
        return None, 1
    if listing.has_captures:
        captures.record(folder, captures.complete_row(manifest))
    if force:
        return None, manifest["revision"] + 1
    progress(f"{listing.name} {folder.snapshot_date}: already landed, {manifest['rows']:,} rows")
    return landed_day(folder, already_landed=True), manifest["revision"]


def finish(folder: DayFolder, draft: Draft, bounds: CompletenessBounds, progress: Callable[[str], None]) -> LandedDay:
    """Make the work folder the landed day. Raises `IncompleteDay` if the completeness gate doesn't believe it: the rows
    then stay in the work folder, and the day's capture row says why."""
    parts = [folder.work / part["file"] for part in draft.parts]
    inspected = inspect(parts, draft.listing.sentinels)
    pa.default_memory_pool().release_unused()
    # A day that is fetched again is held against the day before it, as it was the first time: beside the revision that it
    # replaces nothing moves, and what is mended looks like a fault. Where it is the only day, that revision is all there is.
    last = folder.earlier(inclusive=False) or folder.earlier(inclusive=True)
    compared = _compared_with_last(folder, last, parts)
    verdicts = judge(draft.listing, draft.fetched(), inspected, compared, bounds)
    failed = [verdict for verdict in verdicts if verdict.passed is False]
    if failed:
        reason = "; ".join(f"{verdict.observed} ({verdict.threshold})" for verdict in failed)
        record_incomplete(folder, draft, reason)
        raise IncompleteDay(folder.snapshot_date, reason, str(folder.work))
    seen = counters.look(folder, draft.captured_at, last, compared.comparison if compared else None)
    manifest = _manifest(folder, draft, inspected, compared, seen, verdicts)
    write_json(folder.work / MANIFEST, manifest)
    folder.put_in_place(draft.revision)
    if draft.listing.has_captures:
        captures.record(folder, captures.complete_row(folder.manifest()))
    for warning in manifest["warnings"]:
        progress(f"{draft.listing.name} {folder.snapshot_date}: {warning}")
    progress(
        f"{draft.listing.name} {folder.snapshot_date}: landed {draft.rows:,} rows, {manifest['bytes'] / 1e6:,.1f} MB"
    )
    return landed_day(folder, already_landed=False)


def record_incomplete(folder: DayFolder, draft: Draft, reason: str) -> None:
    """Write the capture row of an attempt that didn't become a day."""
    if not draft.listing.has_captures:
        return
    captures.record(
        folder,
        {
            "status": "incomplete",
            "source": draft.source,
            "source_revision": draft.source_revision,
            "source_license": draft.source_license,
            "captured_at": draft.captured_at,
            "counters_date": None,
            "models": draft.rows,
            "downloads_all_time": None,
            "is_simulated": draft.is_simulated,
            "reason": reason,
        },
    )


def _compared_with_last(folder: DayFolder, last: DayFolder | None, parts: list[Path]) -> LastDay | None:
    if last is None:
        return None
    manifest = last.manifest()
    comparison = compare(parts, sorted(last.landed.glob("part-*.parquet")), manifest["last_id"])
    days_apart = max((folder.snapshot_date - last.snapshot_date).days, 1)
    return LastDay(last.snapshot_date, days_apart, manifest, comparison)


def _manifest(
    folder: DayFolder,
    draft: Draft,
    inspected: Inspected,
    last: LastDay | None,
    seen: CountersSeen,
    verdicts: list[Verdict],
) -> dict[str, object]:
    all_time = inspected.downloads_all_time
    return {
        "listing": draft.listing.name,
        "snapshot_date": folder.snapshot_date,
        "revision": draft.revision,
        "source": draft.source,
        "source_revision": draft.source_revision,
        "source_license": draft.source_license,
        "endpoint": draft.endpoint,
        "captured_at": draft.captured_at,
        "counters_date": seen.counters_date,
        "is_simulated": draft.is_simulated,
        "rows": draft.rows,
        "bytes": sum(part["bytes"] for part in draft.parts),
        "pages": draft.pages,
        "page_size": draft.page_size,
        "first_id": draft.first_id,
        "last_id": draft.last_id,
        "downloads_30d": inspected.downloads,
        "downloads_all_time": all_time if all_time is not None and abs(all_time) < 2**63 else None,
        **draft.origin,
        "unasked": sorted(draft.unasked),
        "drift": draft.drift,
        **draft.counts.as_json(),
        "identity": _identity(inspected, last.comparison if last else None),
        "counters": seen.as_json(),
        "warnings": _warnings(seen),
        "completeness": [asdict(verdict) for verdict in verdicts],
        "parts": draft.parts,
    }


def _identity(inspected: Inspected, comparison: Comparison | None) -> dict[str, object]:
    """Names and ids: what a reader who joins by name would trip over."""
    found: dict[str, object] = {
        "names_held_twice": inspected.names_held_twice,
        "names_differing_in_case": inspected.names_differing_in_case,
    }
    examples = {"colliding": inspected.name_examples} if inspected.name_examples else {}
    if comparison is not None:
        for name in ("created", "appeared", "gone", "gone_in_a_row", "renamed", "recreated"):
            found[name] = getattr(comparison, name)
        found["counters_fallen"] = comparison.fallen
        examples |= comparison.examples
    return found | {"examples": examples}


def _warnings(seen: CountersSeen) -> list[str]:
    warnings = []
    if seen.captured_while_moving:
        warnings.append(
            "captured between 04:00 and 10:00 UTC, while the Hub's counters change: its rows may tell two days; "
            f"they count as {seen.counters_date}. Capture after 10:00 UTC"
        )
    if seen.event in ("stalled", "recounted"):
        warnings.append(f"the counters are {seen.event} ({seen.said})")
    return warnings
