"""The rows of an archive's Parquet file, ordered by `_id` in bounded memory and written as landed shards.
How a batch becomes the landed schema is in `archive_columns`; which file it is and what becomes of it, in `archive`."""

import glob
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from logging import getLogger
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.hub import readers
from orchestration.hub.errors import HubIntegrityError
from orchestration.hub.records import Conversion, Counts, Field, Provenance
from orchestration.landing.archive_columns import USUAL_KIND, convert, kind_of
from orchestration.landing.errors import StorageFull
from orchestration.landing.folders import NO_ROOM, write_parquet

LOG = getLogger(__name__)

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
            if kind_of(kind := schema.field(column.name).type) not in (usual := USUAL_KIND[column.read]).split(" or ")
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
    return readers.clean(said)[:200]


# --- columns ---------------------------------------------------------------------------------------------------------
