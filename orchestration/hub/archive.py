"""Dated revisions of public Hub statistics: which there are, which day each one tells, and that its file is the pinned one.
How the Hub is asked is for `archive_client`; what is in the file, and what becomes of its rows, for `landing.archive`."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.hub.errors import HubConfigurationError, HubIntegrityError, ObservatoryError

if TYPE_CHECKING:
    from orchestration.hub.archive_client import ArchiveClient

# A job that uploads yesterday's file again repeats one of the last days; what lies further back, the manifests of landed
# days tell. Each day costs two to six requests (set 2026-11-24).
LOOK_BACK = timedelta(days=7)
# How far from a day its neighbours are looked for, in steps, since each day looked at costs requests (set 2026-11-24).
NEIGHBOURS_WITHIN = (1, 3, 7, 14, 31)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Archive:
    """One dataset of dated Hub statistics. `{label}` in `file` is the first day of a week."""

    name: str  # the `source` of its rows
    repo: str
    file: str
    license: str
    dating: str  # how a revision gets its day, in words
    upstream: str | None = None  # the archive whose last revision before the next week a weekly file holds


ARCHIVES: dict[str, Archive] = {
    archive.name: archive
    for archive in (
        Archive(
            name="hub_stats",
            repo="cfahlgren1/hub-stats",
            file="models.parquet",
            license="Apache-2.0",
            dating="the UTC day of the commit that changed the file; of several, the last",
        ),
        Archive(
            name="weekly",
            repo="hfmlsoc/hub_weekly_snapshots",
            file="models/{label}/models.parquet",
            license="ODbL-1.0",
            dating="the label is the week's first day; the rows are those of upstream's last commit before the next week",
            upstream="hub_stats",
        ),
    )
}


@dataclass(frozen=True)
class Commit:
    """One commit of a dataset; `at` is UTC."""

    sha: str
    at: datetime


@dataclass(frozen=True)
class FileSeen:
    """A file at one revision, as the Hub describes it. `committed_at` is its own last commit's time, where told."""

    bytes: int
    sha256: str
    committed_at: datetime | None = None


@dataclass(frozen=True)
class Revision:
    """One snapshot of an archive, pinned: `file` at commit `sha` has that many bytes and that sha256.

    `observed_at` (UTC) is when the rows were true, as well as it is known; `snapshot_date` its day. `repeats` is the
    earlier day whose file this one is, byte for byte.
    """

    archive: Archive
    sha: str
    committed_at: datetime | None
    observed_at: datetime
    file: str
    bytes: int
    sha256: str
    observed_at_is_estimated: bool = False
    repeats: date | None = None

    @property
    def snapshot_date(self) -> date:
        return self.observed_at.astimezone(UTC).date()

    @property
    def is_stale(self) -> bool:
        return self.repeats is not None


def archive_named(name: str) -> Archive:
    """The archive of the registry. Raises `ObservatoryError` for a name that isn't there."""
    if name not in ARCHIVES:
        raise ObservatoryError(
            f"There is no archive named {name!r}",
            expected=f"one of {', '.join(sorted(ARCHIVES))}",
            do_this="correct the name of the archive",
        )
    return ARCHIVES[name]


# --- which revisions there are ---------------------------------------------------------------------------------------


def list_revisions(hf: "ArchiveClient", archive: Archive, first: date, last: date) -> list[Revision]:
    """The revisions that tell the days from `first` to `last`, in order, at most one a day; stale ones are marked.

    A commit that leaves the file as it was is none. Raises the Hub's errors; `HubConfigurationError` if the archive is
    gone.
    """
    found = _weekly(hf, archive, first, last) if archive.upstream else _daily(hf, archive, first, last)
    return [revision for revision in _marked(found) if first <= revision.snapshot_date <= last]


def revision_for(hf: "ArchiveClient", archive: Archive, day: date) -> Revision | None:
    """The revision that tells `day`, or None: the day is a gap."""
    return next(iter(list_revisions(hf, archive, day, day)), None)


def nearest_revision(hf: "ArchiveClient", archive: Archive, day: date) -> Revision | None:
    """The revision that isn't stale and whose day is fewest days from `day`, the earlier of two; None if there is none."""
    distances = [abs((commit.at.date() - day).days) for commit in hf.commits(archive)]
    # no revision is nearer than the nearest commit, but a weekly one, whose day isn't its commit's
    start, more = 0 if archive.upstream else min(distances, default=0), 0
    while True:
        found = _fresh(hf, archive, day, start + more)
        if found:
            return min(found, key=lambda revision: (abs(revision.snapshot_date - day), revision.snapshot_date))
        if start + more > max(distances, default=0) + WEEK.days:
            return None
        more = 2 * more + 1


def neighbours(hf: "ArchiveClient", archive: Archive, day: date) -> tuple[Revision | None, Revision | None]:
    """The revisions next before and next after a day without one, as far as a month away."""
    before = after = None
    for within in NEIGHBOURS_WITHIN:
        found = _fresh(hf, archive, day, within)
        before = next((revision for revision in reversed(found) if revision.snapshot_date < day), None)
        after = next((revision for revision in found if revision.snapshot_date > day), None)
        if before and after:
            break
    return before, after


def _fresh(hf: "ArchiveClient", archive: Archive, day: date, within: int) -> list[Revision]:
    reach = timedelta(days=within)
    return [revision for revision in list_revisions(hf, archive, day - reach, day + reach) if not revision.is_stale]


def _daily(hf: "ArchiveClient", archive: Archive, first: date, last: date) -> Iterator[Revision]:
    """One revision a day from a week before `first` on: the day's last commit whose file isn't its predecessor's."""
    commits = hf.commits(archive)
    found: dict[date, Revision] = {}
    for place, commit in enumerate(commits):
        day = commit.at.date()
        if day in found or not first - LOOK_BACK <= day <= last:
            continue
        seen = _change(hf, archive, commits, place)
        if seen is not None:
            found[day] = Revision(archive, commit.sha, commit.at, commit.at, archive.file, seen.bytes, seen.sha256)
    yield from (found[day] for day in sorted(found))


def _change(hf: "ArchiveClient", archive: Archive, commits: list[Commit], place: int) -> FileSeen | None:
    """The file at a commit, if the commit made it what it is."""
    seen = hf.file_at(archive, commits[place].sha, archive.file)
    if seen is None:
        return None
    before = hf.file_at(archive, commits[place + 1].sha, archive.file) if place + 1 < len(commits) else None
    return None if before is not None and before.sha256 == seen.sha256 else seen


def _weekly(hf: "ArchiveClient", archive: Archive, first: date, last: date) -> Iterator[Revision]:
    """One revision a label. A label whose upstream didn't change in its week repeats the week before, and is none."""
    labels = [first - LOOK_BACK - WEEK + timedelta(days=n) for n in range((last - first + LOOK_BACK + WEEK).days + 1)]
    files = {archive.file.replace("{label}", label.isoformat()): label for label in labels}
    commits = hf.commits(archive)
    if not commits:
        return
    head = commits[0].sha
    for path, seen in sorted(hf.files_at(archive, head, list(files)).items()):
        label = files[path]
        upstream, is_known = _upstream_change(hf, ARCHIVES[archive.upstream], label + WEEK)
        if not is_known:
            observed_at = _estimated(label, seen)
        elif upstream is not None and upstream.at.date() >= label:
            observed_at = upstream.at
        else:
            continue
        yield Revision(
            archive, head, seen.committed_at, observed_at, path, seen.bytes, seen.sha256,
            observed_at_is_estimated=not is_known,
        )  # fmt: skip


def _upstream_change(hf: "ArchiveClient", upstream: Archive, end: date) -> tuple[Commit | None, bool]:
    """Upstream's last commit before `end` that changed its file, and whether its history tells."""
    try:
        commits = hf.commits(upstream)
        for place, commit in enumerate(commits):
            if commit.at.date() >= end:
                continue
            if commit.at.date() < end - WEEK:
                return None, True
            if _change(hf, upstream, commits, place):
                return commit, True
    except HubConfigurationError:  # taken down: the weekly archive then stands alone
        pass
    return None, False


def _estimated(label: date, seen: FileSeen) -> datetime:
    """The noon of the week's last day, or the file's own commit, if that came earlier."""
    noon = datetime.combine(label + WEEK - timedelta(days=1), time_of_day(12), UTC)
    return min(noon, seen.committed_at) if seen.committed_at else noon


def _marked(revisions: Iterator[Revision]) -> Iterator[Revision]:
    """In order of days, each with the earlier day whose file it repeats."""
    days: dict[str, date] = {}
    for revision in sorted(revisions, key=lambda revision: (revision.observed_at, revision.file)):
        earlier = days.setdefault(revision.sha256, revision.snapshot_date)
        is_first = earlier == revision.snapshot_date
        yield revision if is_first else replace(revision, repeats=earlier)


# --- the file itself -------------------------------------------------------------------------------------------------


def fetch(hf: "ArchiveClient", revision: Revision, folder: Path, progress: Callable[[str], None]) -> Path:
    """The revision's file in `folder`, with the pinned size and sha256. One that is there already isn't fetched again.

    A file that differs is removed and fetched anew, once; then `HubIntegrityError`. Raises the Hub's errors, and OSError
    if there is no room.
    """
    path = folder / revision.file
    if path.exists() and _difference(path, revision) is None:
        progress(f"{revision.archive.name} {revision.snapshot_date}: the file is here already")
        return path
    difference = ""
    for _ in range(2):
        path.unlink(missing_ok=True)
        hf.download(revision, folder, progress)
        difference = _difference(path, revision)
        if difference is None:
            return path
        progress(f"{revision.archive.name} {revision.snapshot_date}: {difference}")
    path.unlink(missing_ok=True)
    raise HubIntegrityError(
        f"{revision.archive.repo} at {revision.sha} gave {revision.file} twice with {difference}",
        expected=f"{revision.bytes:,} bytes with sha256 {revision.sha256}, as the Hub describes it",
        do_this="run the day again later; if it stays so, the archive or what lies between can't be trusted",
    )


def _difference(path: Path, revision: Revision) -> str | None:
    """How a downloaded file differs from the pinned one, in words."""
    size = path.stat().st_size
    if size != revision.bytes:
        return f"{size:,} bytes instead of {revision.bytes:,}"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return None if digest == revision.sha256 else f"sha256 {digest} instead of {revision.sha256}"
