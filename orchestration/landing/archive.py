"""Land a past day from a dated revision of public Hub statistics: find, fetch, project, order, convert, and on to `finish`.
Which revisions there are is for `hub.archive`; whether the rows may become the day, `finish` judges."""

import glob
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, MINYEAR, date
from itertools import pairwise
from logging import getLogger
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from orchestration.hub import records
from orchestration.hub.archive import Archive, Revision, archive_named, fetch, neighbours, revision_for
from orchestration.hub.archive_client import ArchiveClient
from orchestration.hub.errors import HubIntegrityError, ObservatoryError
from orchestration.hub.listings import MODELS, Listing
from orchestration.hub.records import TIMESTAMP, Conversion, Counts, Field, Provenance, Rows
from orchestration.landing import captures
from orchestration.landing.completeness import CompletenessBounds
from orchestration.landing.days import LandedDay, landed_day, refuse_other_kind
from orchestration.landing.errors import IncompleteDay, StorageFull
from orchestration.landing.finish import Draft, finish, record_incomplete
from orchestration.landing.folders import NO_ROOM, DayFolder, landed_days, write_parquet
from orchestration.settings import Settings

LOG = getLogger(__name__)

BOUNDS = CompletenessBounds()
DOWNLOADS = "archive-download"  # beside the work folders of days
SPILL = "spill"  # in the work folder, while rows are being ordered
# Ordering three million whole rows at once takes more than a gigabyte, and nested columns don't go to disk: so they are
# ordered in ranges of `_id`, each a pass over the file (500,000 rows of 13 tags: 0.66 GB, measured 2026-11-24).
ROWS_IN_MEMORY = 500_000
MEMORY_LIMIT, THREADS = "1GB", 2
EXAMPLES = 5
# All-time downloads are told since 2025-02-27 only, so an older file may well lack them.
NOT_ALWAYS_TOLD = frozenset({"downloadsAllTime"})
# What a file may have besides: kilobytes a row that no daily question needs, or what we keep in other ways.
LEFT_OUT = frozenset(
    {
        "cardData", "childrenModelCount", "config", "evalResults", "gguf", "gitalyUid", "inference",
        "inferenceProviderMapping", "mask_token", "model-index", "modelId", "resourceGroup", "siblings", "spaces",
        "transformersInfo", "usedStorage", "widgetData", "xetEnabled",
    }
)  # fmt: skip

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


@dataclass
class ArchiveRows:
    """What `write_shards` wrote: `parts` as `write_parquet` returns them, with first_id and last_id."""

    parts: list[dict[str, object]] = field(default_factory=list)
    rows: int = 0
    first_id: str | None = None
    last_id: str | None = None
    counts: Counts = field(default_factory=Counts)
    absent_fields: list[str] = field(default_factory=list)  # columns of ours that the file lacks
    unknown_columns: list[str] = field(default_factory=list)  # columns of the file that nobody knows
    retyped: dict[str, dict[str, str]] = field(default_factory=dict)  # column → type found, usual kind


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
        folder.finish_replacement()
        landed = folder.manifest()
        if landed is not None:
            captures.record(folder, captures.complete_row(landed))
            if not force:
                progress(f"{MODELS.name} {snapshot_date}: already landed, {landed['rows']:,} rows")
                return landed_day(folder, already_landed=True)
        number = landed["revision"] + 1 if landed else 1
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


# --- rows ------------------------------------------------------------------------------------------------------------


def write_shards(
    file: Path,
    folder: Path,
    fields: Sequence[Field],
    provenance: Provenance,
    rows_per_shard: int,
    progress: Callable[[str], None] = LOG.info,
) -> ArchiveRows:
    """Write the rows of an archive's Parquet file to `folder` as landed shards, ordered by `_id`; no row is dropped.

    Only columns that `fields` name are read. A column that the file lacks is null; a value that doesn't fit becomes null
    and is kept in `extra`, as from the live listing. Raises `HubIntegrityError` for a file that can't be read, that lacks
    a required column, or whose `_id`s are missing or repeated, and `StorageFull`.
    """
    found, present = _looked_at(file, fields)
    started = time.monotonic()
    for batch in _ordered(file, folder, [column.name for column in present], rows_per_shard):
        conversion = convert(batch, fields, provenance)
        _check_ids(file, conversion.table, found.last_id)
        _write(folder, conversion, found)
        speed = found.rows / max(time.monotonic() - started, 1e-6)
        progress(f"{len(found.parts)} shards, {found.rows:,} rows, {speed:,.0f} rows/s")
    found.counts.unknown_fields.update(dict.fromkeys(found.unknown_columns, found.rows))
    return found


def _write(folder: Path, conversion: Conversion, found: ArchiveRows) -> None:
    ids = conversion.table["_id"]
    part = write_parquet(folder / f"part-{len(found.parts):05d}.parquet", conversion.table)
    part |= {"first_id": ids[0].as_py(), "last_id": ids[-1].as_py()}
    found.first_id, found.last_id = found.first_id or part["first_id"], part["last_id"]
    found.rows += conversion.table.num_rows
    found.counts.add(conversion.counts)
    found.parts.append(part)


def _looked_at(file: Path, fields: Sequence[Field]) -> tuple[ArchiveRows, list[Field]]:
    """What the file's schema tells, and the fields that it has a column for."""
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from error
    folded = [name.casefold() for name in schema.names]  # DuckDB doesn't tell names apart by case
    twice = sorted(column.name for column in fields if folded.count(column.name.casefold()) > 1)
    present = [column for column in fields if column.name in schema.names]
    missing = sorted({c.name for c in fields if c.is_required} - NOT_ALWAYS_TOLD - {c.name for c in present})
    if twice or missing:
        what = f"has {', '.join(twice)} more than once" if twice else f"lacks {', '.join(missing)}"
        raise HubIntegrityError(
            f"The archive's file {file.name} {what}; it has {_listed(schema.names)}",
            expected="each column of the Hub's models once, at least _id, id, createdAt and downloads",
            do_this="leave the day out, or read the file's history: a snapshot without these is worth nothing",
        )
    known = LEFT_OUT | {column.name for column in fields}
    return ArchiveRows(
        absent_fields=sorted(column.column_name for column in fields if column not in present),
        unknown_columns=sorted(_short(name) for name in schema.names if name not in known),
        retyped={
            column.name: {"found": _short(str(kind)), "usual": usual}
            for column in present
            if _kind(kind := schema.field(column.name).type) not in (usual := USUAL_KIND[column.read]).split(" or ")
        },
    ), present


def _ordered(file: Path, folder: Path, names: list[str], rows: int) -> Iterator[pa.Table]:
    """The named columns of all rows in the order of `_id`, in tables of exactly so many rows, but for the last."""
    spill = folder / SPILL
    try:
        with _database(file, spill) as database:
            yield from _rechunked(_batches(_Query(database, file, spill, names), rows), rows)
    finally:
        shutil.rmtree(spill, ignore_errors=True)


@dataclass(frozen=True)
class _Query:
    """Questions to DuckDB about one file."""

    database: duckdb.DuckDBPyConnection
    file: Path
    spill: Path
    names: list[str]  # of ours, not of the file's

    def run(self, columns: str, rest: str, parameters: Sequence[object] = (), rows: int = 100_000) -> Iterator:
        """Record batches of about so many rows. Raises `HubIntegrityError` or `StorageFull`."""
        sql = f"select {columns} from read_parquet(?) {rest}"
        try:
            reader = self.database.execute(sql, [glob.escape(str(self.file)), *parameters]).to_arrow_reader(rows)
            while (batch := next(reader, None)) is not None:
                yield batch
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            is_full = isinstance(error, duckdb.OutOfMemoryException) or getattr(error, "errno", None) in NO_ROOM
            if is_full or "Out of Memory" in str(error) or "No space left" in str(error):
                raise StorageFull(str(self.spill), _short(str(error))) from error
            raise _unreadable(self.file, error) from error


def _batches(query: _Query, rows: int) -> Iterator[pa.RecordBatch]:
    """All rows in order, a range of `_id`s after the other."""
    columns = ", ".join(f'"{name}"' for name in query.names)
    cuts = _cuts(query)
    for above, below in pairwise([None, *cuts, None]):
        bounds = [('"_id" >= ?', above)] if above is not None else []
        bounds += [('"_id" < ?' if bounds else '("_id" < ? or "_id" is null)', below)] if below is not None else []
        where = "where " + " and ".join(condition for condition, _ in bounds) if bounds else ""
        rest = f'{where} order by "_id" nulls first'
        yield from query.run(columns, rest, [value for _, value in bounds], rows)


def _cuts(query: _Query) -> list[object]:
    """The `_id`s at which ranges of `ROWS_IN_MEMORY` rows begin, but for the first."""
    if pq.read_metadata(query.file).num_rows <= ROWS_IN_MEMORY:
        return []
    numbered = f'qualify row_number() over (order by "_id" nulls first) % {ROWS_IN_MEMORY} = 1'
    found = [value for batch in query.run('"_id"', numbered) for value in batch.column(0).to_pylist()]
    return sorted({value for value in found if value is not None})[1:]


def _database(file: Path, spill: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that may touch the file and its own spill, and nothing else: a file's content is anyone's."""
    database = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": THREADS,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    database.execute("set python_enable_replacements = false")
    allowed = [str(file.parent), glob.escape(str(file.parent)), str(spill)]
    database.execute("set allowed_directories = [?, ?, ?]", allowed)
    database.execute("set enable_external_access = false")
    return database


def _rechunked(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        kept.append(batch)
        while sum(each.num_rows for each in kept) >= rows:
            whole = pa.Table.from_batches(kept)
            yield whole.slice(0, rows).combine_chunks()
            kept = whole.slice(rows).to_batches()
    if any(each.num_rows for each in kept):
        yield pa.Table.from_batches(kept).combine_chunks()


def _unreadable(file: Path, error: Exception) -> HubIntegrityError:
    return HubIntegrityError(
        f"The archive's file {file.name} can't be read, though it is what the archive holds: {_short(str(error))}",
        expected="a Parquet file",
        do_this="leave the day out, or take the day's revision before it",
    )


def _check_ids(file: Path, table: pa.Table, last_id: str | None) -> None:
    """Each `_id` beyond the one before it: none is missing, none is there twice."""
    ids = table["_id"].combine_chunks()
    missing = table["id"].filter(pc.is_null(ids))
    before = pa.concat_arrays([pa.array([last_id or ""], pa.string()), ids.slice(0, len(ids) - 1)])
    repeated = ids.filter(pc.less_equal(ids, before))
    if len(missing) or len(repeated):
        what = (
            f"no _id for {_listed(map(str, missing.to_pylist()))}"
            if len(missing)
            else f"the _id {_listed(repeated.to_pylist())} more than once"
        )
        raise HubIntegrityError(
            f"The archive's file {file.name} has {what}",
            expected="each repository once, with the _id that tells it apart",
            do_this="leave the day out: which of its rows are true can't be told",
        )


def _listed(names: Sequence[str]) -> str:
    names = [_short(name) for name in names]
    more = f" and {len(names) - EXAMPLES:,} more" if len(names) > EXAMPLES else ""
    return ", ".join(names[:EXAMPLES]) + more


def _short(said: str) -> str:
    """What a file says, fit for a message."""
    return records.clean(said)[:200]


# --- columns ---------------------------------------------------------------------------------------------------------


def convert(batch: pa.Table, fields: Sequence[Field], provenance: Provenance) -> Conversion:
    """Rows of an archive's file as landed rows, in order: as `records.to_table` makes them of the listing's items."""
    rows = Rows(batch.num_rows)
    for column in fields:
        if column.name not in batch.column_names:
            rows.take(column, pa.nulls(batch.num_rows, column.type))
            continue
        values = batch[column.name].combine_chunks()
        values = values.dictionary_decode() if types.is_dictionary(values.type) else values
        take_over = TAKEN_OVER.get(column.read)
        fitting = take_over(values) if take_over else None
        if fitting is not None:
            rows.take(column, fitting)
        else:
            rows.read(column, _item_values(values, column))
    return rows.conversion(fields, provenance)


def _item_values(array: pa.Array, column: Field) -> list[object]:
    """The values as the listing's items would have them; JSON documents in a text column are read."""
    values = json_values(array)
    return [_parsed(value) for value in values] if column.read not in TEXTS else values


def _parsed(value: object) -> object:
    if type(value) is not str:
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def json_values(array: pa.Array) -> list[object]:
    """Arrow values as JSON has them: no null members, times as ISO 8601 in UTC, an object without members as null."""
    kind = array.type
    if types.is_struct(kind):
        return _objects(array)
    if types.is_list(kind) or types.is_large_list(kind):
        return _arrays(array)
    if types.is_timestamp(kind) or types.is_date(kind):
        return array.cast(TIMESTAMP, safe=False).cast(pa.string()).to_pylist()
    values = array.to_pylist()
    if types.is_decimal(kind):
        return [None if value is None else int(value) if value == int(value) else float(value) for value in values]
    if types.is_binary(kind) or types.is_large_binary(kind):
        return [None if value is None else _decoded(value) for value in values]
    if types.is_map(kind):
        return [None if value is None else {str(name): inner for name, inner in value} for value in values]
    is_json = types.is_primitive(kind) or types.is_null(kind) or types.is_boolean(kind) or _is_text(kind)
    return values if is_json else [None if value is None else str(value) for value in values]


def _decoded(value: bytes) -> object:
    """Bytes that are UTF-8 are a text that its writer forgot to mark; others fit nowhere."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}


def _objects(array: pa.StructArray) -> list[object]:
    """By member, not by row: of the dozens of number formats that `parameters` has members for, a row tells one or two."""
    rows: list[dict[str, object] | None] = [None] * len(array)
    for member, values in zip(array.type, array.flatten(), strict=True):
        there = pc.indices_nonzero(values.is_valid()).to_pylist()
        for position, value in zip(there, json_values(values.drop_null()), strict=True):
            if value is not None:
                rows[position] = rows[position] or {}
                rows[position][member.name] = value
    return rows


def _arrays(array: pa.ListArray) -> list[object]:
    values, start = json_values(array.flatten()), 0
    rows: list[object] = []
    for length in pc.list_value_length(array).to_pylist():
        rows.append(None if length is None else values[start : start + length])
        start += length or 0
    return rows


def _is_text(kind: pa.DataType) -> bool:
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def _is_list(kind: pa.DataType) -> bool:
    return types.is_list(kind) or types.is_large_list(kind)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """The array in another type, if no value changes by that."""
    try:
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return None


def _take_texts(array: pa.Array) -> pa.Array | None:
    return _cast(array, pa.string()) if _is_text(array.type) else None


def _take_integers(array: pa.Array) -> pa.Array | None:
    is_whole = types.is_integer(array.type) or types.is_decimal(array.type)
    return _cast(array, pa.int64()) if is_whole else None


def _take_numbers(array: pa.Array) -> pa.Array | None:
    is_number = types.is_integer(array.type) or types.is_decimal(array.type) or types.is_floating(array.type)
    numbers = _cast(array, pa.float64()) if is_number else None
    return numbers if numbers is not None and pc.all(pc.is_finite(numbers), min_count=0).as_py() else None


def _take_flags(array: pa.Array) -> pa.Array | None:
    return array if types.is_boolean(array.type) else None


def _take_timestamps(array: pa.Array) -> pa.Array | None:
    is_time = types.is_timestamp(array.type) or types.is_date(array.type)
    moments = _cast(array, TIMESTAMP) if is_time else None
    if moments is None:
        return None
    years = pc.min_max(pc.year(moments))
    is_usual = not years["min"].is_valid or (years["min"].as_py() >= MINYEAR and years["max"].as_py() <= MAXYEAR)
    return moments if is_usual else None  # a year that Python's datetime has none for would stop every reader


def _take_strings(array: pa.Array) -> pa.Array | None:
    is_fitting = _is_list(array.type) and _is_text(array.type.value_type) and not array.flatten().null_count
    return _cast(array, pa.list_(pa.string())) if is_fitting else None


def _take_base_models(array: pa.Array) -> pa.Array | None:
    """A struct of just the usual members; one whose members are all null is none."""
    if not types.is_struct(array.type) or {member.name for member in array.type} != {"relation", "models"}:
        return None
    members = dict(zip((member.name for member in array.type), array.flatten(), strict=True))
    relation = _take_texts(members["relation"])
    models = _cast(members["models"], records.BASE_MODELS.field("models").type)
    if relation is None or models is None or models.flatten().null_count:
        return None
    absent = pc.and_(relation.is_null(), models.is_null())
    if pc.sum(models.is_null()).as_py() != pc.sum(absent).as_py():
        return None
    return pa.StructArray.from_arrays([relation, models], fields=list(records.BASE_MODELS), mask=absent)


# By how a field is read: its whole column at once, or None to look at each value. What isn't named always is looked at.
TAKEN_OVER: dict[Callable[[object], object], Callable[[pa.Array], pa.Array | None]] = {
    records.text: _take_texts,
    records.integer: _take_integers,
    records.number: _take_numbers,
    records.flag: _take_flags,
    records.timestamp: _take_timestamps,
    records.strings: _take_strings,
    records.base_models: _take_base_models,
}
TEXTS = frozenset({records.text, records.gated, records.timestamp})

# What kind of column each is read from; another one is no error, but told.
USUAL_KIND: dict[Callable[[object], object], str] = {
    records.text: "text",
    records.gated: "text",
    records.integer: "integer",
    records.number: "number or integer",
    records.flag: "boolean",
    records.timestamp: "timestamp",
    records.strings: "list of texts",
    records.safetensors_total: "struct",
    records.base_models: "struct",
}


def _kind(kind: pa.DataType) -> str:
    kinds: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
        ("text", _is_text),
        ("integer", types.is_integer),
        ("number", types.is_floating),
        ("boolean", types.is_boolean),
        ("timestamp", types.is_timestamp),
        ("list of texts", lambda found: _is_list(found) and _is_text(found.value_type)),
        ("struct", types.is_struct),
    )
    return next((name for name, is_kind in kinds if is_kind(kind)), str(kind))
