"""Land a past day from a dated revision of public Hub statistics: find, fetch, project, order, convert, and on to `finish`.
Which revisions there are is for `hub.archive`; whether the rows may become the day, `finish` judges."""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from logging import getLogger
from pathlib import Path

from orchestration.hub.archive import Archive, Revision, archive_named, fetch, neighbours, revision_for
from orchestration.hub.archive_client import ArchiveClient
from orchestration.hub.errors import HubIntegrityError, ObservatoryError
from orchestration.hub.listings import MODELS, Listing
from orchestration.hub.records import Provenance
from orchestration.landing.archive_shards import ArchiveRows, write_shards
from orchestration.landing.completeness import CompletenessBounds
from orchestration.landing.days import LandedDay, refuse_other_kind
from orchestration.landing.errors import IncompleteDay, StorageFull
from orchestration.landing.finish import Draft, finish, landed_before, record_incomplete
from orchestration.landing.folders import NO_ROOM, DayFolder, landed_days
from orchestration.settings import Settings

LOG = getLogger(__name__)

BOUNDS = CompletenessBounds()
DOWNLOADS = "archive-download"  # beside the work folders of days
# What a whole Hub had at least, for days before the listing's own floor was set: from the day on, rows, why (2026-11-24).
ROW_FLOORS: dict[str, tuple[tuple[date, int, str], ...]] = {
    "models": (
        (date(2025, 12, 31), 2_000_000, "2,264,880 models in December 2025; below 2 M it is a part"),
        (date(2025, 1, 1), 1_000_000, "a million models was passed in September 2024; below it is a part"),
        (date(2024, 7, 1), 500_000, "half of the million that was passed in September 2024; below it is a part"),
        (date.min, 1, "how many models there were then isn't known; a comparison with other days has to tell"),
    )
}
FLOOR_HOLDS_FROM = {"models": date(2026, 7, 23)}
# Since when a well-known repository can be expected under its name: it is younger than the archives.
LISTED_SINCE = {
    "meta-llama/Llama-3.1-8B-Instruct": date(2024, 11, 1),  # renamed in the autumn of 2024
    "deepseek-ai/DeepSeek-R1": date(2025, 1, 22),
    "Qwen/Qwen3-0.6B": date(2025, 5, 1),
    "openai/gpt-oss-20b": date(2025, 8, 7),
}


class NoRevision(ObservatoryError):
    """No revision of the archive tells this day: it is a gap, and nothing was written."""

    def __init__(self, snapshot_date: date, archive: Archive, before: Revision | None, after: Revision | None):
        self.snapshot_date, self.before, self.after = snapshot_date, before, after
        near = [
            f"{revision.snapshot_date} ({when})"
            for when, revision in (("before", before), ("after", after))
            if revision is not None
        ]
        super().__init__(
            f"{archive.repo} has no revision of {archive.file} that tells {snapshot_date}: the day is a gap",
            expected=f"one dated by {archive.dating}; the nearest: {', '.join(near) or 'none within a month'}",
            do_this="leave the day out: what moved on it is spread over the gap; or land the nearest revision's own day",
        )


class StaleRevision(ObservatoryError):
    """The day's file is another day's, byte for byte: it tells nothing of this day, and nothing was written."""

    def __init__(self, snapshot_date: date, revision: Revision, repeats: date):
        self.snapshot_date, self.revision, self.repeats = snapshot_date, revision, repeats
        super().__init__(
            f"{revision.archive.repo} at {revision.sha} repeats for {snapshot_date} the file of {repeats} "
            f"(sha256 {revision.sha256})",
            expected="a file of the day's own",
            do_this="leave the day out: it is a gap",
        )


def land_from_archive(
    snapshot_date: date,
    settings: Settings,
    *,
    archive: str = "hub_stats",
    force: bool = False,
    progress: Callable[[str], None] = LOG.info,
    bounds: CompletenessBounds = BOUNDS,
    client: ArchiveClient | None = None,
    revision: Revision | None = None,
) -> LandedDay:
    """Land the models as of `snapshot_date` from an archive of the registry.

    A landed day isn't fetched again unless `force`, which lands it as a new revision. For a range of days, give one open
    `client` for all: commits are then listed once. `revision` saves finding it, and must be that day's.

    Raises `NoRevision` or `StaleRevision` (the day is a gap), `IncompleteDay` (rows stay under `_incomplete`),
    `DayLocked`, `StorageFull`, and the Hub's errors: `HubConfigurationError` if the archive is gone,
    `HubIntegrityError` if its file can't be trusted, `HubUnreachable`, `HubUnavailable`.
    """
    source = revision.archive if revision else archive_named(archive)
    folder = DayFolder(settings.landing_dir, MODELS.name, snapshot_date)
    with folder.locked():
        landed, number = landed_before(folder, MODELS, progress, force=force)
        if landed is not None:
            return landed
        with nullcontext(client) if client else ArchiveClient(settings) as hf:
            found = _usable(hf, source, folder, revision)
            return _Attempt(folder, hf, settings, found, number, bounds, progress).run()


def _usable(hf: ArchiveClient, archive: Archive, folder: DayFolder, revision: Revision | None) -> Revision:
    """The day's revision, if it has one that says something new."""
    day = folder.snapshot_date
    found = revision or revision_for(hf, archive, day)
    if found is None:
        raise NoRevision(day, archive, *neighbours(hf, archive, day))
    if found.snapshot_date != day:
        raise ObservatoryError(
            f"The revision {found.sha} of {archive.repo} tells {found.snapshot_date}",
            expected=f"one that tells {day}",
            do_this=f"land {found.snapshot_date} from it",
        )
    repeats = found.repeats or _landed_with(folder, found.sha256)
    if repeats is not None:
        raise StaleRevision(day, found, repeats)
    return found


def _landed_with(folder: DayFolder, sha256: str) -> date | None:
    """Another day that was landed from the same file."""
    for day in landed_days(folder.root, folder.listing):
        if day == folder.snapshot_date:
            continue
        if (DayFolder(folder.root, folder.listing, day).manifest() or {}).get("file_sha256") == sha256:
            return day
    return None


@dataclass
class _Attempt:
    """One attempt at one day. Nothing of it is taken up again but the file, once it came whole."""

    folder: DayFolder
    hf: ArchiveClient
    settings: Settings
    revision: Revision
    number: int
    bounds: CompletenessBounds
    progress: Callable[[str], None]

    def run(self) -> LandedDay:
        revision, downloads = self.revision, self.folder.work.parent / DOWNLOADS / self.folder.key
        self._say(f"{revision.archive.repo} at {revision.sha}, {revision.bytes / 1e6:,.1f} MB of {revision.file}")
        try:
            file = self._fetched(downloads)
            refuse_other_kind(self.folder, self.hf.endpoint, is_simulated=bool(self.hf.is_simulated))
            self.folder.start_over()
            rows = write_shards(
                file, self.folder.work, MODELS.fields, self._provenance(), self._rows_per_shard(), self._say
            )
            landed = finish(self.folder, self._draft(rows), self.bounds, self.progress)
        except (HubIntegrityError, IncompleteDay) as error:
            _remove(downloads)
            if isinstance(error, HubIntegrityError):
                record_incomplete(self.folder, self._draft(ArchiveRows()), str(error))
            raise
        _remove(downloads)
        return landed

    def _fetched(self, folder: Path) -> Path:
        try:
            file = fetch(self.hf, self.revision, folder, self.progress)
            if self.hf.is_simulated is None:  # nothing had to be asked yet
                self.hf.file_at(self.revision.archive, self.revision.sha, self.revision.file)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StorageFull(str(folder), error.strerror) from error
            raise
        return file

    def _rows_per_shard(self) -> int:
        return self.settings.pages_per_shard * self.settings.page_size

    def _provenance(self) -> Provenance:
        revision = self.revision
        return Provenance(None, revision.observed_at, revision.archive.name, revision.sha, revision.observed_at)

    def _draft(self, rows: ArchiveRows) -> Draft:
        revision = self.revision
        drift = {f"{name}: a column of {found['found']}": rows.rows for name, found in rows.retyped.items()}
        return Draft(
            listing=as_of(MODELS, self.folder.snapshot_date),
            revision=self.number,
            source=revision.archive.name,
            source_revision=revision.sha,
            source_license=revision.archive.license,
            endpoint=self.hf.endpoint,
            captured_at=revision.observed_at,
            is_simulated=bool(self.hf.is_simulated),
            parts=rows.parts,
            rows=rows.rows,
            first_id=rows.first_id,
            last_id=rows.last_id,
            counts=rows.counts,
            drift=drift,
            unasked=frozenset(rows.absent_fields),
            page_size=self.settings.page_size,
            site_total_note="an archive's past day has no count of the site's",
            origin={
                "dataset": revision.archive.repo,
                "file": revision.file,
                "file_sha256": revision.sha256,
                "file_bytes": revision.bytes,
                "committed_at": revision.committed_at,
                "observed_at_is_estimated": revision.observed_at_is_estimated,
                "absent_fields": rows.absent_fields,
                "unknown_columns": rows.unknown_columns,
                "retyped_columns": rows.retyped,
            },
        )

    def _say(self, line: str) -> None:
        self.progress(f"{MODELS.name} {self.folder.snapshot_date}: {line}")


def _remove(downloads: Path) -> None:
    """The day's download, and the folder of all downloads if that was the last."""
    shutil.rmtree(downloads, ignore_errors=True)
    if downloads.parent.exists() and not any(downloads.parent.iterdir()):
        downloads.parent.rmdir()


def as_of(listing: Listing, day: date) -> Listing:
    """The listing with the row floor and the well-known names that a past day can be held to."""
    sentinels = frozenset(name for name in listing.sentinels if LISTED_SINCE.get(name, day) <= day)
    if day >= FLOOR_HOLDS_FROM.get(listing.name, date.min):
        return replace(listing, sentinels=sentinels)
    _, floor, reason = next(known for known in ROW_FLOORS[listing.name] if known[0] <= day)
    return replace(listing, sentinels=sentinels, row_floor=floor, floor_reason=reason)
