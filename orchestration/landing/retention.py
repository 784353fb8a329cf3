"""What of the landing may be forgotten, and when: old full days thinned to what history needs, leftovers removed.
How a day lands is decided beside this module; what the warehouse makes of it, in dbt's staging models."""

import ctypes
import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.hub.errors import ObservatoryError
from orchestration.landing.archive import DOWNLOADS
from orchestration.landing.errors import DayLocked
from orchestration.landing.folders import MANIFEST, DayFolder, landed_days, read_json, sha256_of, write_json
from orchestration.publishing.current import Version, current_version
from orchestration.publishing.files import sync_path, sync_tree
from orchestration.settings import Settings

LISTING = "models"  # the only one that grows by hundreds of megabytes a day, and whose readers are known

# What no staging model, no gate and no comparison of two days reads: 22 % of a full day's bytes, nearly all of it commit
# hashes. Columns that aren't named here stay, also ones that are added later (set 2026-11-24).
DROPPED_COLUMNS = ("sha", "extra", "page")
# The tags that staging looks at; a test reads its SQL and fails if it begins to look at another. The others are 25 % of
# a full day's bytes: languages, regions, libraries, authors' own words (set 2026-11-24).
KEPT_TAG_PATTERNS = ("base_model:%", "dataset:%", "license:%")  # as SQL's LIKE understands them
KEPT_TAGS = (
    "2-bit", "3-bit", "4-bit", "5-bit", "6-bit", "8-bit", "awq", "bitsandbytes", "compressed-tensors", "dbrx",
    "deepseek_v2", "deepseek_v3", "deepseek_v32", "distillation", "distilled", "ernie4_5_moe", "evolutionary-merge",
    "exl2", "exl3", "fp8", "frankenmerge", "gguf", "glm4_moe", "glm_moe_dsa", "gpt_oss", "gptq", "granitemoe",
    "grok-1", "hunyuan_v1_moe", "int4", "int8", "kimi_k2", "kimi_k25", "knowledge-distillation", "lazymergekit",
    "lfm2_moe", "llama4", "lora", "merge", "mergekit", "minimax_m2", "mixtral", "mixture-of-experts", "moe",
    "olmoe", "peft", "phimoe", "qlora", "quantized", "qwen2_moe", "qwen3_5_moe", "qwen3_moe", "qwen3_next",
    "qwen3_omni_moe", "qwen3_vl_moe",
)  # fmt: skip

# A day of 500,000 made-up models with realistic tags is 54.9 MB in full, and thinned 26.9, 25.7 and 25.0 MB at zstd level
# 3, 9 and 15, written in 2.1, 3.0 and 10.1 s. The encodings: ids that ascend share their beginnings, times of creation
# differ by little (measured 2026-11-24).
ZSTD_LEVEL = 9
ENCODINGS = {
    "_id": "DELTA_BYTE_ARRAY",
    "id": "DELTA_BYTE_ARRAY",
    "createdAt": "DELTA_BINARY_PACKED",
    "lastModified": "DELTA_BINARY_PACKED",
}
BATCH_ROWS = 10_000
# The process peaks at 334 MB, of which its imports are 166; with DuckDB's own 122,880 rows at 405 MB, and the file is
# smaller by 1 % only (measured 2026-11-24).
ROW_GROUP_ROWS = 61_440

# Two weeks, holidays included, in which somebody may want to compare what a forced landing replaced, or to look at what
# the completeness gate didn't believe (set 2026-11-24).
LEFTOVERS_KEPT = timedelta(days=14)

RENAME_EXCHANGE, AT_FDCWD = 2, -100  # linux/fs.h, fcntl.h
NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Thinning:
    """What retention does with one landed day, and why."""

    snapshot_date: date
    is_due: bool
    reason: str


@dataclass(frozen=True)
class Leftover:
    """Something in the landing that nobody needs any more: `paths` go in this order."""

    folder: DayFolder
    paths: tuple[Path, ...]
    reason: str


@dataclass(frozen=True)
class Retained:
    """What one run of retention did. Bytes are those of the days thinned now, and of the leftovers removed."""

    thinned: tuple[date, ...]
    kept_full: int
    thinned_earlier: int
    bytes_before: int
    bytes_after: int
    removed: tuple[str, ...]  # below the landing folder
    bytes_removed: int


def plan(settings: Settings) -> list[Thinning]:
    """Each landed day of the models, in order: whether it is to be thinned, and why, or why it stays as it is.

    In full stay the last `keep_full_days` landed days, the first landed day of each month, days of a second revision,
    and every day that the currently published version doesn't hold: the warehouse may not have read it yet. Without a
    published version nothing is due. Raises `VersionDamaged` if the current version has no manifest.
    """
    days = landed_days(settings.landing_dir, LISTING)
    version = current_version(settings)
    last = set(days[-settings.keep_full_days :])
    firsts = {min(day for day in days if (day.year, day.month) == month) for month in {(d.year, d.month) for d in days}}
    planned = []
    for day in days:
        manifest = DayFolder(settings.landing_dir, LISTING, day).manifest()
        kept = _kept_because(manifest)
        if kept is None and day in last:
            kept = f"one of the last {settings.keep_full_days} landed days"
        if kept is None and day in firsts:
            kept = f"the first landed day of {day:%Y-%m}"
        if kept is None and version is None:
            kept = "nothing is published, so nobody is known to have read it"
        if kept is None and day not in _days_in(version):
            kept = f"not in the published version {version.version_id}, so it may not have been read yet"
        planned.append(
            Thinning(day, kept is None, kept or f"read by {version.version_id} and older than what stays full")
        )
    return planned


def thin(settings: Settings, *, at: datetime | None = None, progress: Callable[[str], None] = LOG.info) -> Retained:
    """Thin the days that are due, and remove leftovers. Safe to run again at any time; `at` is now, UTC, by default.

    A thinned day has the same rows, columns and types; the columns of `DROPPED_COLUMNS` are null, and `tags` holds only
    what staging looks at. It takes the full day's place in one step, after it was compared with it.

    Raises `ObservatoryError` if a full day isn't what its manifest says or the thinned one isn't what it must be (the
    full day then stays), and `DayLocked` if a day is being landed at this moment.
    """
    at = at or datetime.now(UTC)
    repair(settings)
    planned = plan(settings)
    before = after = 0
    thinned = []
    for day in (item.snapshot_date for item in planned if item.is_due):
        sizes = _thin_day(DayFolder(settings.landing_dir, LISTING, day), at)
        if sizes is not None:
            thinned.append(day)
            before, after = before + sizes[0], after + sizes[1]
            progress(f"{LISTING} {day}: thinned from {sizes[0] / 1e6:,.1f} to {sizes[1] / 1e6:,.1f} MB")
    removed, bytes_removed = [], 0
    for leftover in leftovers(settings, at):
        size = _remove(leftover)
        if size is not None:
            removed += [str(path.relative_to(settings.landing_dir)) for path in leftover.paths]
            bytes_removed += size
            progress(f"{leftover.folder.listing} {leftover.folder.snapshot_date}: removed {leftover.reason}")
    earlier = sum(_is_thinned(DayFolder(settings.landing_dir, LISTING, item.snapshot_date)) for item in planned)
    return Retained(
        thinned=tuple(thinned),
        kept_full=len(planned) - earlier,
        thinned_earlier=earlier - len(thinned),
        bytes_before=before,
        bytes_after=after,
        removed=tuple(removed),
        bytes_removed=bytes_removed,
    )


def repair(settings: Settings) -> None:
    """Finish or undo what a crash in the middle of a thinning left, and remove what it wrote aside.

    Where the file system can't exchange two folders, a crash may leave the full day aside: it is put back.
    """
    for aside in sorted(_thinning_dir(settings.landing_dir).glob("snapshot_date=*")):
        day = date.fromisoformat(aside.name.removeprefix("snapshot_date="))
        folder = DayFolder(settings.landing_dir, LISTING, day)
        with folder.locked():
            if not folder.landed.exists() and (aside / "full").exists():
                _rename(aside / "full", folder.landed)
            _remove_tree(aside, folder.root)
    _remove_empty(_thinning_dir(settings.landing_dir), settings.landing_dir)


def leftovers(settings: Settings, at: datetime) -> list[Leftover]:
    """What may be removed at this time: revisions that were superseded long ago and whose successor has been published,
    work folders that no run will take up again, and an archive's files that a crash left beside them."""
    return [*_superseded(settings, at), *_given_up(settings, at), *_downloads(settings, at)]


# --- which days ------------------------------------------------------------------------------------------------------


def _kept_because(manifest: dict[str, object]) -> str | None:
    """Why this day can't be thinned, whatever its age; None if it can."""
    if "thinned" in manifest:
        return "thinned already"
    if manifest["revision"] != 1:
        # a published version holds the day, but nothing tells which revision of it
        return f"landed again as revision {manifest['revision']}, which may not have been read yet"
    return None


def _days_in(version: Version) -> set[date]:
    return {date.fromisoformat(day) for day in version.manifest["snapshot_dates"]["complete"]}


def _is_thinned(folder: DayFolder) -> bool:
    return "thinned" in (folder.manifest() or {})


# --- one day ---------------------------------------------------------------------------------------------------------


def _thin_day(folder: DayFolder, at: datetime) -> tuple[int, int] | None:
    """Put the thinned day in the full one's place. Returns bytes before and after, None if it is no longer due."""
    with folder.locked():
        manifest = folder.manifest()
        if manifest is None or _kept_because(manifest) is not None:
            return None
        parts = _verified_parts(folder, manifest)
        aside = _thinning_dir(folder.root) / folder.key
        _remove_tree(aside, folder.root)
        thinned = aside / "thinned"
        thinned.mkdir(parents=True)
        path = thinned / "part-00000.parquet"
        _write_thinned(parts, path)
        _compare(folder, parts, path)
        write_json(thinned / MANIFEST, _thinned_manifest(manifest, path, at))
        sync_tree(aside)
        _put_in_place(thinned, folder.landed, aside / "full")
        _remove_tree(aside, folder.root)
        return manifest["bytes"], path_bytes(folder.landed)


def path_bytes(folder: Path) -> int:
    """Bytes of the Parquet files in a day's folder."""
    return sum(path.stat().st_size for path in folder.glob("part-*.parquet"))


def _verified_parts(folder: DayFolder, manifest: dict[str, object]) -> list[Path]:
    """The full day's files, each as the manifest says: what was spoilt on the disk must not become the only copy."""
    expected = {part["file"]: part["sha256"] for part in manifest["parts"]}
    found = {path.name: sha256_of(path) for path in sorted(folder.landed.glob("*.parquet"))}
    if found != expected:
        different = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
        raise ObservatoryError(
            f"Files of {folder.landed} that differ from its manifest: {', '.join(different[:5])}",
            expected="every file as it was landed",
            do_this="find out what else writes there, and restore the day from a backup; nothing was thinned",
        )
    return [folder.landed / name for name in sorted(expected)]


def _write_thinned(parts: Sequence[Path], path: Path) -> None:
    """One sorted file, a row group at a time, however big the day is."""
    schema, leaves = _schema(parts)
    encodings = {name: encoding for name, encoding in ENCODINGS.items() if name in leaves}
    options = {
        "compression": "zstd",
        "compression_level": ZSTD_LEVEL,
        "use_dictionary": [leaf for leaf in leaves if leaf not in encodings],
        "column_encoding": encodings,
    }
    with pq.ParquetWriter(path, schema, **options) as writer:
        for table in _row_groups(parts, schema):
            writer.write_table(_reduced(table), row_group_size=table.num_rows)
            del table  # or two row groups are held while the next one is read


def _schema(parts: Sequence[Path]) -> tuple[pa.Schema, list[str]]:
    """The columns of all parts, and the paths of their leaves as Parquet names them."""
    schemas, leaves = [], {}
    for part in parts:
        with pq.ParquetFile(part) as file:
            schemas.append(file.schema_arrow)
            leaves |= {file.schema.column(number).path: None for number in range(len(file.schema))}
    return pa.unify_schemas(schemas), list(leaves)


def _row_groups(parts: Sequence[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """The day's rows in order, in tables of `ROW_GROUP_ROWS` or a few more; the last one may have less."""
    waiting: list[pa.Table] = []
    rows = 0
    for part in parts:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                table = pa.Table.from_batches([batch])
                waiting.append(pa.concat_tables([schema.empty_table(), table], promote_options="default"))
                rows += batch.num_rows
                if rows >= ROW_GROUP_ROWS:
                    yield pa.concat_tables(waiting)
                    waiting, rows = [], 0
    if rows:
        yield pa.concat_tables(waiting)


def _reduced(table: pa.Table) -> pa.Table:
    """The same rows and types without what history doesn't need."""
    for name in DROPPED_COLUMNS:
        if name in table.schema.names:
            table = _replaced(table, name, pa.nulls(table.num_rows, table.schema.field(name).type))
    if "tags" in table.schema.names:
        table = _replaced(table, "tags", _kept_tags(table["tags"]))
    return table


def _replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), values)


def _kept_tags(column: pa.ChunkedArray) -> pa.Array:
    """Each list without the tags that nobody reads; null stays null, and a list that loses all its tags is empty."""
    lists = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    values, offsets = lists.values, lists.offsets.to_numpy()
    kept = pc.is_in(values, value_set=pa.array(KEPT_TAGS))
    for pattern in KEPT_TAG_PATTERNS:
        kept = pc.or_(kept, pc.match_like(values, pattern))
    kept = pc.fill_null(kept, False)
    before = np.concatenate([[0], np.cumsum(kept.to_numpy(zero_copy_only=False))]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(before[offsets]), values.filter(kept), type=column.type, mask=lists.is_null()
    )


def _compare(folder: DayFolder, parts: Sequence[Path], thinned: Path) -> None:
    """Judge what was written by other means than it was written with. Raises `ObservatoryError` if it isn't the day."""
    full, written = _fingerprint(parts), _fingerprint([thinned])
    different = [name for name, value in full.items() if written[name] != value]
    if different:
        raise ObservatoryError(
            f"The thinned {folder.listing} of {folder.snapshot_date} differ from the full ones in {', '.join(different)}",
            expected="the same rows, in the same order, with the same values where history needs them",
            do_this="the full day stays; report this with the versions of DuckDB and PyArrow, nothing else thins it",
        )


def _fingerprint(parts: Sequence[Path]) -> dict[str, object]:
    """Rows, columns, ids in their order, and a checksum of all that a thinned day keeps, as DuckDB reads it."""
    files = [str(part) for part in parts]
    with duckdb.connect(":memory:") as connection:
        connection.execute("set memory_limit = '512MB'")
        described = connection.execute(
            "describe select * from read_parquet(?, union_by_name = true)", [files]
        ).fetchall()
        columns = [(name, kind) for name, kind, *_ in described]
        kept = [_kept_expression(name, kind) for name, kind in columns if name not in DROPPED_COLUMNS]
        rows, checksum = connection.execute(
            f"select count(*), sum(hash({', '.join(kept)})) from read_parquet($files, union_by_name = true)",
            {"files": files},
        ).fetchone()
    return {"columns": columns, "rows": rows, "order of _id": _ids_in_order(parts), "contents": checksum}


def _kept_expression(column: str, kind: str) -> str:
    """What of the column a thinned day keeps, so that it can be hashed."""
    expression = '"' + column.replace('"', '""') + '"'
    if column == "tags":
        words = ", ".join(f"'{word}'" for word in KEPT_TAGS)
        patterns = " or ".join(f"tag like '{pattern}'" for pattern in KEPT_TAG_PATTERNS)
        expression = f"list_filter(tags, lambda tag: tag in ({words}) or {patterns})"
    is_nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP"))
    # DuckDB 1.5 hashes an empty list as it hashes null (found 2026-11-24): as text they differ
    return f"cast({expression} as varchar)" if is_nested else expression


def _ids_in_order(parts: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=["_id"], use_threads=False):
                digest.update("".join(f"{value}\n" for value in batch.column(0).to_pylist()).encode())
    return digest.hexdigest()


def _thinned_manifest(manifest: dict[str, object], path: Path, at: datetime) -> dict[str, object]:
    """The full day's manifest, true of the thinned files; what it said of the walk stays said."""
    size = path.stat().st_size
    part = {"file": path.name, "rows": manifest["rows"], "bytes": size, "sha256": sha256_of(path)}
    part |= {name: manifest[name] for name in ("first_id", "last_id") if name in manifest}
    return manifest | {
        "bytes": size,
        "parts": [part],
        "thinned": {
            "at": at,
            "dropped_columns": list(DROPPED_COLUMNS),
            "kept_tags": [*KEPT_TAG_PATTERNS, *KEPT_TAGS],
            "bytes_before": manifest["bytes"],
            "bytes_after": size,
            "parts": len(manifest["parts"]),
        },
    }


# --- in place --------------------------------------------------------------------------------------------------------


def _thinning_dir(root: Path) -> Path:
    return root / "_thinning" / LISTING


def _put_in_place(thinned: Path, landed: Path, full: Path) -> None:
    """Let the two folders change places: at no instant is there no day.

    Where the file system can't do that, two renames follow each other, and `repair` undoes the first one after a crash.
    Who has opened the full day's files goes on reading them; who has only listed them must list them again.
    """
    if not _exchanged(thinned, landed):
        _rename(landed, full)
        _rename(thinned, landed)
    sync_path(landed.parent)
    sync_path(thinned.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step (Linux, most file systems). False if that can't be done here."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    error = ctypes.get_errno()
    if error in NO_EXCHANGE:
        return False
    raise OSError(error, os.strerror(error), str(one), None, str(other))


def _rename(source: Path, target: Path) -> None:
    os.replace(source, target)
    sync_path(target.parent)
    sync_path(source.parent)


def _remove_tree(folder: Path, root: Path) -> None:
    """Remove a folder, and those above it that are empty then, up to the landing folder."""
    if folder.exists():
        shutil.rmtree(folder)
    _remove_empty(folder.parent, root)


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder and those above it, below `root`, as far as they are empty or gone already."""
    with suppress(OSError):  # not empty
        while folder != root:
            with suppress(FileNotFoundError):
                folder.rmdir()
            folder = folder.parent


# --- leftovers -------------------------------------------------------------------------------------------------------


def _superseded(settings: Settings, at: datetime) -> Iterator[Leftover]:
    root, version = settings.landing_dir, current_version(settings)
    for path in sorted((root / "_superseded").glob("*/snapshot_date=*/revision=*"), key=_revision_order):
        folder = DayFolder(root, path.parent.parent.name, date.fromisoformat(path.parent.name[len("snapshot_date=") :]))
        revision = int(path.name.removeprefix("revision="))
        successor = folder.superseded(revision + 1)
        manifest = (successor if successor.exists() else folder.landed) / MANIFEST
        if not manifest.exists():
            continue
        since = datetime.fromtimestamp(manifest.stat().st_mtime, UTC)  # written just before it took the place
        if at - since < LEFTOVERS_KEPT:
            continue
        if folder.listing == LISTING and not _was_published_since(version, folder.snapshot_date, since):
            continue
        yield Leftover(folder, (path,), f"revision {revision}, superseded on {since:%Y-%m-%d}")


def _revision_order(path: Path) -> tuple[str, str, int]:
    return path.parent.parent.name, path.parent.name, int(path.name.removeprefix("revision="))


def _was_published_since(version: Version | None, day: date, since: datetime) -> bool:
    return version is not None and version.created_at >= since and day in _days_in(version)


def _given_up(settings: Settings, at: datetime) -> Iterator[Leftover]:
    for listing in sorted((settings.landing_dir / "_incomplete").glob("*")):
        for key in sorted({path.name.partition(".")[0] for path in listing.glob("snapshot_date=*")}):
            folder = DayFolder(
                settings.landing_dir, listing.name, date.fromisoformat(key.removeprefix("snapshot_date="))
            )
            # the state goes last: while it is there, it says that the rest is worth nothing
            paths = sorted(listing.glob(f"{key}*"), key=lambda path: (path == folder.state, path.name))
            touched = max((_touched(path) for path in paths), default=at)
            if at - touched >= LEFTOVERS_KEPT and not _may_still_land(folder):
                yield Leftover(folder, tuple(paths), f"an attempt given up, untouched since {touched:%Y-%m-%d}")


def _downloads(settings: Settings, at: datetime) -> Iterator[Leftover]:
    """An archive's file, whole or not, is 1.6 GB at the most; a run of the same day that comes in time goes on with it."""
    for path in sorted((settings.landing_dir / "_incomplete").glob(f"*/{DOWNLOADS}/snapshot_date=*")):
        day = date.fromisoformat(path.name.removeprefix("snapshot_date="))
        touched = _touched(path)
        if at - touched >= LEFTOVERS_KEPT:
            folder = DayFolder(settings.landing_dir, path.parent.parent.name, day)
            yield Leftover(folder, (path,), f"an archive's download, untouched since {touched:%Y-%m-%d}")


def _touched(path: Path) -> datetime:
    """When a file was last written to; of a folder, the last of its files."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return datetime.fromtimestamp(max((file.stat().st_mtime for file in files), default=0), UTC)


def _may_still_land(folder: DayFolder) -> bool:
    """Whether all rows were fetched and nothing has refused them: such a day lands without asking the Hub again."""
    if (folder.work / MANIFEST).exists():  # only a rename is missing: `finish_replacement` does it
        return True
    try:
        state = read_json(folder.state)
    except json.JSONDecodeError:
        return False
    return bool(state) and state.get("is_terminal") is True and not state.get("is_rejected")


def _remove(leftover: Leftover) -> int | None:
    """Remove it. Returns its bytes; None if somebody is at work on that day, so that it is no leftover."""
    size = 0
    try:
        with leftover.folder.locked():
            for path in leftover.paths:
                files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
                size += sum(file.stat().st_size for file in files)
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
                _remove_empty(path.parent, leftover.folder.root)
    except DayLocked:
        return None
    return size
