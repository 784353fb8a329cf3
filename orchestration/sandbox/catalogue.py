"""The catalogue of a world: one row for each repository that ever exists in it, and how rows, seeds and ids are made.
Who is in the catalogue is decided in `demo.py` and `population.py`; what happens to the rows day by day in
`simulation.py`."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import numpy as np
import pyarrow as pa

DAY = 86_400
# What the Hub says for every repository older than its own record of creation.
FLOOR = int(datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC).timestamp())
# Snapshots are taken at noon: after the Hub's counters have moved (between about 04:00 and 10:00 UTC).
CAPTURE_TIME = time(12, 0)
NO_PARENT = -1

# A repository's row. `public_day` counts calendar days from the world's first (0); at or below 0 it was there before.
# `downloads` (30 days) and `all_time` are the counters on day 0; `rate` is the mean of daily downloads from then on.
# Parents are row numbers of the catalogue (NO_PARENT = none); `missing_parent` names one that the Hub doesn't have.
# `family` is set for a lab's own repositories, `movable` where identity events may strike, `is_real` for sample rows.
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("created_at", pa.int64()),
        ("public_day", pa.int64()),
        ("downloads", pa.int64()),
        ("all_time", pa.int64()),
        ("rate", pa.float64()),
        ("likes", pa.int64()),
        ("pipeline_tag", pa.string()),
        ("library_name", pa.string()),
        ("license", pa.string()),
        ("second_license", pa.string()),
        ("gated", pa.string()),
        ("parameters", pa.int64()),
        ("has_safetensors", pa.bool_()),
        ("architecture", pa.string()),
        ("format_tag", pa.string()),
        ("dataset", pa.string()),
        ("relation", pa.string()),
        ("parent_1", pa.int64()),
        ("parent_2", pa.int64()),
        ("parent_3", pa.int64()),
        ("missing_parent", pa.string()),
        ("lineage_in_tags_only", pa.bool_()),
        ("family", pa.string()),
        ("movable", pa.bool_()),
        ("is_real", pa.bool_()),
    ]
)
DEFAULTS = {
    "downloads": 0,
    "all_time": 0,
    "rate": 0.0,
    "likes": 0,
    "gated": "false",
    "has_safetensors": False,
    "parent_1": NO_PARENT,
    "parent_2": NO_PARENT,
    "parent_3": NO_PARENT,
    "lineage_in_tags_only": False,
    "movable": False,
    "is_real": False,
}


@dataclass(frozen=True)
class Catalogue:
    """What a world starts from: its repositories, and who of their owners is an organisation (all others are
    persons)."""

    repositories: pa.Table
    organizations: frozenset[str]
    first_day: date
    description: str

    @property
    def noon(self) -> int:
        """Unix second at which the first day's snapshot is taken."""
        return noon(self.first_day)


def noon(day: date) -> int:
    """Unix second at which the snapshot of `day` is taken."""
    return int(datetime.combine(day, CAPTURE_TIME, tzinfo=UTC).timestamp())


def rng_for(seed: int, *purpose: object) -> np.random.Generator:
    """A generator of its own for each purpose, so that a new part of the simulation leaves the others as they were."""
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def rows(count: int, **columns: object) -> pa.Table:
    """`count` rows of the catalogue: an array, list or single value a column; absent columns take their default or
    null."""
    unknown = set(columns) - set(SCHEMA.names)
    if unknown:
        raise ValueError(f"Columns {sorted(unknown)} are not of the catalogue; expected some of {SCHEMA.names}.")
    return pa.table([_column(field, count, columns.get(field.name)) for field in SCHEMA], schema=SCHEMA)


def _column(field: pa.Field, count: int, values: object) -> pa.Array:
    if values is None:
        values = DEFAULTS.get(field.name)
    if values is None or isinstance(values, str | int | float | bool):
        return pa.repeat(pa.scalar(values, field.type), count)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values.cast(field.type)
    return pa.array(values, field.type)


def set_rows(table: pa.Table, column: str, indices: object, values: object) -> pa.Table:
    """`table` with `values` in `column` at the row numbers `indices`."""
    held = table[column].to_pylist()
    for index, value in zip(indices, values, strict=True):
        held[index] = value
    position = table.schema.get_field_index(column)
    return table.set_column(position, table.schema.field(column), pa.array(held, table.schema.field(column).type))


def numbers(table: pa.Table, column: str) -> np.ndarray:
    """A column without nulls as a writable array."""
    return table[column].to_numpy().copy()


def days_of_publication(created_at: np.ndarray, noon_of_first_day: int) -> np.ndarray:
    """The first day (from the world's first) whose noon is not before `created_at` (unix seconds)."""
    return -((noon_of_first_day - created_at) // DAY)


def object_ids(created_at: np.ndarray, rng: np.random.Generator) -> pa.Array:
    """Ids as the Hub makes them: eight hex digits of the second of creation, sixteen that differ for every row."""
    count = len(created_at)
    # An odd factor permutes the 64-bit numbers: no two rows can get the same sixteen digits.
    factor, offset = rng.integers(2**63, 2**64 - 1, size=2, dtype=np.uint64, endpoint=True) | np.uint64(1)
    unique = np.arange(count, dtype=np.uint64) * factor + offset
    unique ^= unique >> np.uint64(29)
    raw = np.empty((count, 12), dtype=np.uint8)
    raw[:, :4] = created_at.astype(">u4").view(np.uint8).reshape(count, 4)
    raw[:, 4:] = unique.astype(">u8").view(np.uint8).reshape(count, 8)
    return hexadecimal(raw)


def hexadecimal(raw: np.ndarray) -> pa.Array:
    """Each row of bytes as a string of hex digits."""
    count, width = raw.shape
    text = np.frombuffer(raw.tobytes().hex().encode(), dtype=f"S{2 * width}", count=count)
    return pa.array(text).cast(pa.string())
