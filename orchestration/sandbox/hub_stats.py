"""The dataset `cfahlgren1/hub-stats` as the sandbox Hub has it: one commit a day, each with that day's models.parquet.
Only what a dated revision holds is decided here; commits' and files' addresses are routes of the server."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from pathlib import Path

import pyarrow.parquet as pq

from orchestration.sandbox.snapshot_store import SnapshotFolder

DATASET = "cfahlgren1/hub-stats"
FILE = "models.parquet"
COLUMNS = (
    "_id",
    "id",
    "author",
    "createdAt",
    "lastModified",
    "likes",
    "trendingScore",
    "downloads",
    "downloadsAllTime",
    "tags",
    "pipeline_tag",
    "library_name",
    "siblings",
    "cardData",
    "config",
    "gguf",
    "safetensors",
    "baseModels",
    "transformersInfo",
    "inferenceProviderMapping",
)
"""The columns that the real dataset has been seen with; gated, private, sha and disabled are not among them."""


@dataclass(frozen=True)
class Commit:
    """One dated revision."""

    sha: str
    day: date
    date: datetime

    def as_json(self) -> dict:
        return {
            "id": self.sha,
            "title": f"Upload {FILE} with huggingface_hub",
            "message": "",
            "authors": [{"user": DATASET.split("/")[0]}],
            "date": self.date.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }


class HubStats:
    """The dataset's revisions up to the sandbox's day; files are made when first asked for, and kept in `folder`."""

    def __init__(self, snapshots: SnapshotFolder, folder: Path, capture_time: str):
        self._snapshots = snapshots
        self._folder = folder
        at = time_of_day.fromisoformat(capture_time)
        self._commits = [
            Commit(hashlib.sha1(snapshots.fingerprint(day)).hexdigest(), day, datetime.combine(day, at, UTC))
            for day in snapshots.days
        ]
        self._digests: dict[str, str] = {}

    def commits(self, until: date, revision: str = "main") -> list[Commit] | None:
        """The newest first, from `revision` (`main` or a commit's full sha) back; None if there is no such revision."""
        history = [commit for commit in reversed(self._commits) if commit.day <= until]
        if revision in ("main", "refs/heads/main"):
            return history
        place = next((place for place, commit in enumerate(history) if commit.sha == revision), None)
        return None if place is None else history[place:]

    def file(self, commit: Commit) -> Path:
        """models.parquet as of `commit`."""
        path = self._folder / f"{commit.sha}.parquet"
        if not path.exists():
            table = self._snapshots.read(commit.day)
            unfinished = path.with_suffix(".tmp")
            pq.write_table(
                table.select([name for name in COLUMNS if name in table.column_names]), unfinished, compression="zstd"
            )
            unfinished.replace(path)
        return path

    def digest(self, commit: Commit) -> str:
        """The file's sha256, which the Hub uses as its ETag."""
        if commit.sha not in self._digests:
            with self.file(commit).open("rb") as file:
                self._digests[commit.sha] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[commit.sha]
