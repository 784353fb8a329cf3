"""The two datasets of dated Hub statistics as the sandbox Hub has them: their commits, and each revision's files.
What `archive.json` can ask of them is in `archive_plan`; addresses are routes of the server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from threading import Lock

import orjson
import pyarrow.parquet as pq

from orchestration.sandbox.archive_file import COLUMNS, Content, archived_rows
from orchestration.sandbox.archive_plan import DailyPlan, WeeklyPlan, read_plans
from orchestration.sandbox.snapshot_store import SnapshotFolder

HUB_STATS = "cfahlgren1/hub-stats"
WEEKLY_SNAPSHOTS = "hfmlsoc/hub_weekly_snapshots"
FILE = "models.parquet"
README = "README.md"
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Commit:
    """One revision. `files` holds every file's content and the commit that made it so; `at` is UTC."""

    sha: str
    at: datetime
    title: str
    author: str
    files: dict[str, tuple[Content, Commit | None]]
    """Path → content and its last commit, None for this one."""

    def last_commit(self, path: str) -> Commit:
        return self.files[path][1] or self

    @property
    def date(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%S}.000Z"


class Archive:
    """One dataset and its whole history, the oldest commit first."""

    def __init__(self, repo: str, license: str):
        self.repo, self.license = repo, license
        self._history: list[Commit] = []

    def commit(self, at: datetime, title: str, files: dict[str, Content]) -> None:
        """Add a commit of these files to the history; one that is as it was keeps its last commit."""
        before = self._history[-1] if self._history else None
        parts = [self.repo, before.sha if before else "", at.isoformat(), title]
        parts += [f"{path}:{content.fingerprint}" for path, content in sorted(files.items())]
        merged = (
            {path: (content, before.last_commit(path)) for path, (content, _) in before.files.items()} if before else {}
        )
        for path, content in files.items():
            if path not in merged or merged[path][0].fingerprint != content.fingerprint:
                merged[path] = content, None
        sha = hashlib.sha1("\n".join(parts).encode()).hexdigest()
        self._history.append(Commit(sha, at, title, self.repo.split("/")[0], dict(sorted(merged.items()))))

    def readme(self, title: str, number: int = 0) -> dict[str, Content]:
        text = f"---\nlicense: {self.license}\n---\n{title}\n" + (f"\nEdited {number} times.\n" if number else "")
        return {README: Content(hashlib.sha1(text.encode()).hexdigest(), text=text.encode())}

    def commits(self, until: date, revision: str = "main") -> list[Commit] | None:
        """The newest first, from `revision` (`main` or a commit's full sha) back; None if there is no such revision.

        A commit is there from its day on, whatever the time of day.
        """
        history = [commit for commit in reversed(self._history) if commit.at.date() <= until]
        if revision in ("main", "refs/heads/main"):
            return history
        place = next((place for place, commit in enumerate(history) if commit.sha == revision), None)
        return None if place is None else history[place:]

    def last_before(self, end: date) -> Commit | None:
        return next((commit for commit in reversed(self._history) if commit.at.date() < end), None)


@dataclass(frozen=True)
class StoredFile:
    """A file's bytes on disk. `sha256` is of the bytes; `oid` is Git's name for the file, or for its LFS pointer."""

    path: Path
    size: int
    sha256: str
    oid: str
    pointer_size: int | None
    """Bytes of the LFS pointer; None for a file that lies in Git itself, as the README does."""

    @property
    def etag(self) -> str:
        return self.oid if self.pointer_size is None else self.sha256


class Archives:
    """Both datasets of one folder of snapshots. Their files are made when first asked for, and kept in `folder`.

    Raises SnapshotError if `archive.json` can't be understood. `capture_time` is the time of day of a daily commit
    where nothing else is said.
    """

    def __init__(self, snapshots: SnapshotFolder, folder: Path, capture_time: str):
        self._snapshots, self._folder = snapshots, folder
        self._stored: dict[str, StoredFile] = {}
        self._lock = Lock()
        daily, weekly = read_plans(
            snapshots.path / "archive.json",
            {HUB_STATS: DailyPlan, WEEKLY_SNAPSHOTS: WeeklyPlan},
            snapshots.days,
            COLUMNS,
        )
        hub_stats = self._hub_stats(daily, time_of_day.fromisoformat(capture_time))
        self.by_repo = {archive.repo: archive for archive in (hub_stats, self._weekly_snapshots(weekly, hub_stats))}

    def _hub_stats(self, plan: DailyPlan, capture_time: time_of_day) -> Archive:
        """One commit a day that overwrites models.parquet, unless the plan says otherwise."""
        archive = Archive(HUB_STATS, "apache-2.0")
        title = "Sandbox copy of daily statistics of the Hub: one commit a day."
        uploads = list(self._uploads(plan, plan.commit_time or capture_time))
        edits = [(at, archive.readme(title, number)) for number, at in enumerate(plan.readme_commits, start=1)]
        first = min(at for at, _ in [*uploads, *edits])
        for at, files in sorted([*uploads, *edits], key=lambda each: each[0]):
            name = next(iter(files))
            files = {**archive.readme(title), **files} if at == first else files
            archive.commit(at, f"Upload {name} with huggingface_hub", files)
        return archive

    def _uploads(self, plan: DailyPlan, usual: time_of_day) -> Iterator[tuple[datetime, dict[str, Content]]]:
        for day in self._snapshots.days:
            if day in plan.days_without_commit:
                continue
            times = plan.commit_times.get(day, [usual])
            for at in times:
                content = self._content(plan, plan.file_day(day), is_cut=at != times[-1])
                yield datetime.combine(day, at, UTC), {FILE: content}

    def _content(self, plan: DailyPlan, day: date, *, is_cut: bool) -> Content:
        asked = {
            "is_cut": is_cut,
            "absent": tuple(plan.absent_columns.get(day, ())),
            "retyped": tuple(plan.retyped_columns.get(day, {}).items()),
            "extra": tuple(plan.extra_columns.get(day, {}).items()),
        }
        told = self._snapshots.fingerprint(day) + orjson.dumps(asked)
        return Content(hashlib.sha1(told).hexdigest(), day=day, **asked)

    def _weekly_snapshots(self, plan: WeeklyPlan, upstream: Archive) -> Archive:
        """One commit a week: a folder with the bytes that upstream had before the next week began."""
        archive = Archive(WEEKLY_SNAPSHOTS, "odbl")
        title = "Sandbox copy of weekly statistics of the Hub: a folder a week, named after its first day."
        first, last = self._snapshots.days[0], self._snapshots.days[-1]
        begin = first - timedelta(days=(first.weekday() - plan.week_begins) % 7)
        changes = [(datetime.combine(begin, time_of_day(), UTC), README, archive.readme(title))]
        changes += [
            (at, README, archive.readme(title, number)) for number, at in enumerate(plan.readme_commits, start=1)
        ]
        for number in range((last - begin).days // 7):
            label = begin + number * WEEK
            before = upstream.last_before(label + WEEK)
            if before is not None and FILE in before.files:
                at = datetime.combine(label + WEEK, plan.commit_time, UTC)
                changes.append((at, f"models/{label}", {f"models/{label}/{FILE}": before.files[FILE][0]}))
        for at, name, files in sorted(changes, key=lambda change: change[0]):
            archive.commit(at, f"Add {name}", files)
        return archive

    # --- files -------------------------------------------------------------------------------------------------------

    def stored(self, content: Content) -> StoredFile:
        """The file with this content. Raises SnapshotError if a column can't have the type that the plan asks."""
        with self._lock:
            if content.fingerprint not in self._stored:
                path = self._folder / content.fingerprint
                unfinished = path.with_suffix(".tmp")
                if content.text is not None:
                    unfinished.write_bytes(content.text)
                else:
                    rows = archived_rows(self._snapshots.models.read(content.day), content)
                    pq.write_table(rows, unfinished, compression="zstd")
                unfinished.replace(path)
                self._stored[content.fingerprint] = _described(path, in_git=content.text is not None)
            return self._stored[content.fingerprint]


def _described(path: Path, *, in_git: bool) -> StoredFile:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    blob = path.read_bytes() if in_git else pointer
    oid = hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()
    return StoredFile(path, size, sha256, oid, None if in_git else len(pointer))
