"""What a landed day says, as one hash: the same whatever pages, shards and files its rows came in.
When and under which capture they were fetched is left out; that a day is complete is for `completeness`."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# These differ between two walks of one day.
CHANGING = frozenset({"page", "fetched_at", "captured_at", "source_revision"})
BATCH_ROWS = 50_000


def content_hash(folder: Path) -> str:
    """The sha256 of a landed day's rows in their order, column by column, from the parts in `folder`."""
    hashers: dict[str, hashlib._Hash] = {}
    for part in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(part) as file:
            columns = [name for name in file.schema_arrow.names if name not in CHANGING]
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                for name in columns:
                    _feed(hashers, name, batch.column(name))
    whole = hashlib.sha256()
    for name in sorted(hashers):
        whole.update(f"{name}={hashers[name].hexdigest()}\n".encode())
    return whole.hexdigest()


def _feed(hashers: dict[str, "hashlib._Hash"], name: str, array: pa.Array) -> None:
    """Add values to the streams of their column: one of which rows have a value, and one or more of the values."""
    _stream(hashers, f"{name}:valid").update(array.is_valid().to_numpy(zero_copy_only=False).tobytes())
    if pa.types.is_struct(array.type):
        for member, values in zip(array.type, array.flatten(), strict=True):
            _feed(hashers, f"{name}.{member.name}", values)
    elif pa.types.is_list(array.type):
        _numbers(hashers, f"{name}:length", pc.list_value_length(array))
        _feed(hashers, f"{name}[]", array.flatten())
    elif pa.types.is_string(array.type):
        _numbers(hashers, f"{name}:length", pc.binary_length(array))
        _stream(hashers, f"{name}:text").update("".join(array.drop_null().to_pylist()).encode())
    else:
        _numbers(hashers, name, array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array)


def _numbers(hashers: dict[str, "hashlib._Hash"], name: str, array: pa.Array) -> None:
    values = array.drop_null().to_numpy(zero_copy_only=False)
    _stream(hashers, name).update(np.ascontiguousarray(values).tobytes())


def _stream(hashers: dict[str, "hashlib._Hash"], name: str) -> "hashlib._Hash":
    return hashers.setdefault(name, hashlib.sha256())
