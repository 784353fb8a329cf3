"""One file of an archive: the rows of a day in the columns, the types and the order that the archive's file has.
Which file belongs to which commit is decided in `archives`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sandbox.snapshot_store import SnapshotError, json_values

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
class Content:
    """What a file holds: `text`, or the rows of `day` in an order of their own, changed as told.

    `fingerprint` tells it from any other content without its bytes being made.
    """

    fingerprint: str
    text: bytes | None = None
    day: date | None = None
    is_cut: bool = False
    """Only every second row: an upload that was done again later that day."""
    absent: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str], ...] = ()
    extra: tuple[tuple[str, object], ...] = ()


def archived_rows(table: pa.Table, content: Content) -> pa.Table:
    """A day's rows as `content` tells them. Raises SnapshotError if a column can't have the type that it asks."""
    table = table.select([name for name in COLUMNS if name in table.column_names and name not in content.absent])
    if "safetensors" in table.column_names:
        table = _with_column(table, "safetensors", _with_a_member_per_dtype(table["safetensors"]))
    for name, type_name in content.retyped:
        if name in table.column_names:
            table = _with_column(table, name, _retyped(name, table[name], type_name, content.day))
    for name, value in content.extra:
        table = table.append_column(name, pa.array([value] * len(table)))
    # The real file's rows are in no order that anyone could rely on.
    rows = np.random.default_rng(int(content.fingerprint, 16)).permutation(len(table))
    return table.take(pa.array(rows[::2] if content.is_cut else rows))


def _with_column(table: pa.Table, name: str, column: pa.ChunkedArray | pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def _with_a_member_per_dtype(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """`parameters` as the real file has it: a struct with a member for every dtype of the day, not a map."""
    members = {member.name: member.type for member in column.type} if pa.types.is_struct(column.type) else {}
    if not pa.types.is_map(members.get("parameters", pa.null())):
        return column
    whole = column.combine_chunks()
    maps = pc.struct_field(whole, "parameters")
    starts = maps.offsets.to_numpy()
    owners = np.repeat(np.arange(len(maps)), np.diff(starts))
    keys, counts = (part.slice(starts[0], starts[-1] - starts[0]) for part in (maps.keys, maps.items))
    dtypes = sorted(pc.unique(keys).to_pylist())
    if not dtypes:  # Parquet has no struct without members
        return column
    of_dtype = []
    for dtype in dtypes:
        here = pc.equal(keys, dtype)
        places = np.full(len(maps), -1)
        places[owners[here.to_numpy(zero_copy_only=False)]] = np.arange(pc.sum(here).as_py() or 0)
        of_dtype.append(counts.filter(here).take(pa.array(places, mask=places < 0)))
    parameters = pa.StructArray.from_arrays(of_dtype, dtypes, mask=maps.is_null())
    parts = [parameters if name == "parameters" else pc.struct_field(whole, name) for name in members]
    return pa.StructArray.from_arrays(parts, list(members), mask=whole.is_null())


def _retyped(name: str, column: pa.ChunkedArray, type_name: str, day: date) -> pa.ChunkedArray | pa.Array:
    """The column in another type; as a string, a time is ISO 8601 and what is nested is JSON."""
    try:
        if type_name == "string" and (pa.types.is_nested(column.type) or pa.types.is_timestamp(column.type)):
            values = json_values(name, column)
            texts = [
                value if value is None or isinstance(value, str) else orjson.dumps(value).decode() for value in values
            ]
            return pa.array(texts, pa.string())
        return pc.cast(column, type_name, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SnapshotError(
            f"archive.json: found {name} to become {type_name} on {day} ({error}); expected a type that {column.type}"
            " can be turned into. Correct retyped_columns."
        ) from error
