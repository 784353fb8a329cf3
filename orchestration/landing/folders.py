"""Where landed things lie, and the only ways in which files get there: written aside, made durable, then renamed.
What is in the files, and whether they may be put in place, others decide."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing.errors import DayLocked, StorageFull

MANIFEST = "_manifest.json"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # disk, quota, or the process's own limit


@dataclass(frozen=True)
class DayFolder:
    """All places that belong to one day of one listing, under the landing folder `root`."""

    root: Path
    listing: str
    snapshot_date: date

    @property
    def key(self) -> str:
        return f"snapshot_date={self.snapshot_date.isoformat()}"

    @property
    def landed(self) -> Path:
        return self.root / self.listing / self.key

    @property
    def work(self) -> Path:
        return self.root / "_incomplete" / self.listing / self.key

    @property
    def state(self) -> Path:
        """The walk's state, beside the work folder, so that the folder can be renamed as it is."""
        return self.work.with_name(f"{self.key}.state.json")

    def superseded(self, revision: int) -> Path:
        return self.root / "_superseded" / self.listing / self.key / f"revision={revision}"

    def manifest(self) -> dict[str, object] | None:
        """The landed day's manifest, or None if the day isn't landed."""
        return read_json(self.landed / MANIFEST)

    def earlier(self, *, inclusive: bool) -> "DayFolder | None":
        """The last landed day of this listing before this one (or this one, if `inclusive` and landed)."""
        days = (day for day in landed_days(self.root, self.listing))
        earlier = [day for day in days if day < self.snapshot_date or (inclusive and day == self.snapshot_date)]
        return DayFolder(self.root, self.listing, max(earlier)) if earlier else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this day against other processes; the lock dies with its process. Raises `DayLocked`."""
        path = self.root / f".{self.listing}-{self.snapshot_date.isoformat()}.lock"
        descriptor = _lock(path, self)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            with suppress(OSError):  # leaves no trace of a refused day in an empty home
                self.root.rmdir()

    def put_in_place(self, revision: int) -> None:
        """Make the work folder, manifest included, the landed day. An earlier revision is kept under `_superseded`.

        A crash between the two renames of a replacement is finished by `finish_replacement`.
        """
        for path in self.work.iterdir():
            _sync(path)
        _sync(self.work)
        self.landed.parent.mkdir(parents=True, exist_ok=True)
        if self.landed.exists():
            kept = self.superseded(revision - 1)
            kept.parent.mkdir(parents=True, exist_ok=True)
            _rename(self.landed, kept)
        _rename(self.work, self.landed)
        self.state.unlink(missing_ok=True)

    def finish_replacement(self) -> None:
        """If a crash left this day between its two revisions, put the new one in place."""
        manifest = read_json(self.work / MANIFEST)
        if manifest and manifest["revision"] > 1 and not self.landed.exists():
            self.put_in_place(manifest["revision"])

    def start_over(self) -> None:
        """Throw the work folder and the walk's state away."""
        self.state.unlink(missing_ok=True)
        if self.work.exists():
            shutil.rmtree(self.work)
        self.work.mkdir(parents=True)

    def keep_only(self, names: set[str]) -> None:
        """Remove from the work folder what a crash left there beyond the named files."""
        for path in self.work.iterdir():
            if path.name not in names:
                path.unlink()


def landed_days(root: Path, listing: str) -> list[date]:
    """The days landed of a listing, in order."""
    manifests = (root / listing).glob(f"snapshot_date=*/{MANIFEST}")
    return sorted(date.fromisoformat(path.parent.name.removeprefix("snapshot_date=")) for path in manifests)


def read_json(path: Path) -> dict[str, object] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def write_json(path: Path, document: dict[str, object]) -> None:
    """Write atomically and durably; dates and times as ISO 8601."""
    text = json.dumps(document, indent=1, ensure_ascii=False, default=lambda value: value.isoformat())
    path.parent.mkdir(parents=True, exist_ok=True)
    with _written_aside(path) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")


def write_parquet(path: Path, table: pa.Table) -> dict[str, object]:
    """Write atomically and durably. Returns the file's name, rows, bytes and sha256. Raises `StorageFull`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _written_aside(path) as unfinished:
        pq.write_table(table, unfinished, **parquet_options(table.schema))
    return {"file": path.name, "rows": table.num_rows, "bytes": path.stat().st_size, "sha256": sha256_of(path)}


# Columns whose values repeat; a dictionary of any other would be as long as the column.
REPEATING = frozenset(
    {"author", "gated", "pipeline_tag", "library_name", "sdk", "relation", "source", "source_revision"}
)
ENCODINGS = {
    "_id": "DELTA_BYTE_ARRAY",  # in order, so that each shares its beginning with the one before
    "id": "DELTA_LENGTH_BYTE_ARRAY",
    "createdAt": "DELTA_BINARY_PACKED",
    "lastModified": "DELTA_BINARY_PACKED",
}


def parquet_options(schema: pa.Schema) -> dict[str, object]:
    """How landed files are written: each column by its nature, then zstd at its lowest level.

    On 100,000 made-up rows of the listing a quarter smaller and a quarter quicker than pyarrow's defaults; level 3 saves
    another fortieth for a quarter more time (measured 2026-11-24).
    """
    names = set(schema.names)
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": sorted(names & REPEATING) + (["tags.list.element"] if "tags" in names else []),
        "column_encoding": {name: encoding for name, encoding in ENCODINGS.items() if name in names},
        "write_statistics": ["_id"] if "_id" in names else True,
    }


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _written_aside(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to; made durable and renamed to it at the end, removed if that fails."""
    unfinished = path.with_name(path.name + ".tmp")
    try:
        yield unfinished
        _sync(unfinished)
        _rename(unfinished, path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        if error.errno in NO_ROOM:
            raise StorageFull(str(path), os.strerror(error.errno)) from error
        raise


def _lock(path: Path, day: DayFolder) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 1000).decode("utf-8", errors="replace").strip() or "another process"
            os.close(descriptor)
            raise DayLocked(
                f"{day.listing} of {day.snapshot_date} is held by {holder}",
                expected="one run at a time for a day",
                do_this="wait for it to end; if it dies, its lock dies with it",
            ) from error
        with suppress(FileNotFoundError):  # the holder before us may have removed the file that we have just locked
            if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, _ourselves().encode())
                return descriptor
        os.close(descriptor)


def _ourselves() -> str:
    """Who holds a day, for whoever comes second."""
    program = Path(sys.argv[0] or "python").name
    return (
        f"process {os.getpid()} ({program}) on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    )


def _rename(source: Path, target: Path) -> None:
    os.replace(source, target)
    _sync(target.parent)
    if source.parent != target.parent:
        _sync(source.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
