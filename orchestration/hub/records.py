"""From the Hub's items to a fixed Arrow schema: no row is dropped, and whatever is odd is counted.
Which fields a listing has stands in `listings`, how a value is read in `readers`; what it means is decided downstream."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.hub.readers import TIMESTAMP, Misfit, clean, has_surrogate, integer, json_type, to_json
from orchestration.hub.whole_columns import WHOLE, WITHOUT_REST

# Control characters, and those that reorder what is shown (U+202A–E, U+2066–9): legal in JSON, hostile in a table.
HOSTILE_BYTES = re.compile(b"[\x00-\x1f\x7f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
# The longest tag seen in the wild is some hundred bytes; beyond these, someone is trying something (2026-11-24).
LONG_TAG_BYTES, MANY_TAGS = 1000, 1000


@dataclass(frozen=True)
class Field:
    """One column, and the field of the item it is read from. `rest` is what of the value goes to `extra`, if any."""

    name: str
    type: pa.DataType
    read: Callable[[object], object]
    column: str = ""
    rest: Callable[[object], object] | None = None
    is_expanded: bool = True  # has to be asked for
    is_required: bool = False  # without it a snapshot is pointless

    @property
    def column_name(self) -> str:
        return self.column or self.name


@dataclass(frozen=True)
class Provenance:
    """Where the rows of one page come from; the same on each of its rows. An archive's rows have no page."""

    page: int | None
    fetched_at: datetime
    source: str
    source_revision: str
    captured_at: datetime


PROVENANCE_SCHEMA = (
    pa.field("page", pa.int32()),
    pa.field("fetched_at", TIMESTAMP),
    pa.field("source", pa.string()),
    pa.field("source_revision", pa.string()),
    pa.field("captured_at", TIMESTAMP),
)


@dataclass
class Counts:
    """What was odd in rows, by kind: nothing of it costs a row, all of it is told in the day's manifest."""

    cast_errors: Counter[str] = field(default_factory=Counter)  # field → values that didn't fit and became null
    retyped: Counter[str] = field(default_factory=Counter)  # "field: type found" → values that didn't fit
    unknown_fields: Counter[str] = field(default_factory=Counter)  # field → rows that have it
    nulls: Counter[str] = field(default_factory=Counter)  # column → rows without a value
    oddities: Counter[str] = field(default_factory=Counter)  # legal and unusual, in words → values or rows

    def add(self, other: "Counts") -> None:
        for name in vars(self):
            getattr(self, name).update(getattr(other, name))

    def as_json(self) -> dict[str, dict[str, int]]:
        return {
            name: dict(sorted((key, count) for key, count in getattr(self, name).items() if count))
            for name in vars(self)
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Mapping[str, int]]) -> "Counts":
        return cls(**{name: Counter(counts) for name, counts in saved.items()})


@dataclass
class Conversion:
    """A page as a table, and what was odd in it."""

    table: pa.Table
    counts: Counts = field(default_factory=Counts)


def schema(fields: Sequence[Field]) -> pa.Schema:
    """The landed schema of a listing: its fields, `extra`, `cast_errors`, provenance."""
    columns = [pa.field(item.column_name, item.type) for item in fields]
    columns += [pa.field("extra", pa.string()), pa.field("cast_errors", pa.list_(pa.string()))]
    return pa.schema([*columns, *PROVENANCE_SCHEMA])


def to_table(items: Sequence[Mapping[str, object]], fields: Sequence[Field], provenance: Provenance) -> Conversion:
    """One row per item, in order. A value that doesn't fit becomes null, is named in `cast_errors`, and is kept as it
    came in `extra` under `_unfit`; fields that no column is read from are kept in `extra` under their own name."""
    rows = Rows(len(items))
    for column, values in zip(fields, columns_of(items, [item.name for item in fields]), strict=True):
        rows.read(column, values)
    # cheaper than to look at each key: there can't be an unknown one if all keys are accounted for by values
    if sum(map(len, items)) != rows.values_read:
        known = frozenset(item.name for item in fields)
        for position, item in enumerate(items):
            if not known.issuperset(item):
                rows.keep_unknown(position, {name: value for name, value in item.items() if name not in known})
    return rows.conversion(fields, provenance)


def columns_of(items: Sequence[Mapping[str, object]], names: Sequence[str]) -> list[Sequence[object]]:
    """The fields of all items, a sequence a field; null where one is absent."""
    sample = items[:: max(1, len(items) // 50)]
    common = [name for name in names if sample and all(name in item for item in sample)]
    columns: dict[str, Sequence[object]] = {}
    if len(common) > 1:
        with suppress(KeyError):  # fields that all items have come quickest together
            columns = dict(zip(common, zip(*map(itemgetter(*common), items), strict=True), strict=True))
    return [columns[name] if name in columns else values_of(items, name) for name in names]


def values_of(items: Sequence[Mapping[str, object]], name: str) -> list[object]:
    """One field of all items; null where it is absent."""
    try:
        return list(map(itemgetter(name), items))
    except KeyError:
        return [item.get(name) for item in items]


class Rows:
    """The rows of one page or batch while its columns are read, one after the other."""

    def __init__(self, count: int):
        self.count = count
        self.counts = Counts()
        self.values_read = 0  # values that are in a column now
        self._arrays: dict[str, pa.Array] = {}
        self._extras: dict[int, dict[str, object]] = {}
        self._unfit: dict[int, dict[str, object]] = {}

    def keep_unknown(self, position: int, values: Mapping[str, object]) -> None:
        """Fields of a row that no column is read from."""
        self._extras.setdefault(position, {}).update(values)
        self.counts.unknown_fields.update(clean(name) for name in values)

    def keep_rest(self, position: int, name: str, rest: object) -> None:
        """What of a row's field has no column."""
        self._extras.setdefault(position, {})[name] = rest

    def take(self, column: Field, array: pa.Array) -> None:
        """A column that already is what it should be."""
        self._arrays[column.column_name] = array

    def read(self, column: Field, values: Sequence[object]) -> None:
        """A column from JSON values: at one go if all are of the usual kind, else value by value."""
        whole = WHOLE.get(column.read)
        array = whole(values) if whole else None
        if array is None:
            array = pa.array(self._read_each(column, values), column.type)
        elif column.rest and column.read not in WITHOUT_REST:
            self._keep_rest(column, values)
        self._arrays[column.column_name] = array
        self.values_read += self.count - array.null_count

    def _read_each(self, column: Field, values: Sequence[object]) -> Iterable[object]:
        read = [None] * self.count
        for position, raw in enumerate(values):
            if raw is None:
                continue
            try:
                read[position] = column.read(raw)
            except Misfit:
                self._unfit.setdefault(position, {})[column.name] = raw
                self.counts.retyped[f"{column.name}: {json_type(raw)}"] += 1
            else:
                self._note_oddity(column, raw)
                rest = column.rest(raw) if column.rest else None
                if rest is not None:
                    self.keep_rest(position, column.name, rest)
        return read

    def _keep_rest(self, column: Field, values: Sequence[object]) -> None:
        for position, raw in enumerate(values):
            if raw is not None and (rest := column.rest(raw)) is not None:
                self.keep_rest(position, column.name, rest)

    def _note_oddity(self, column: Field, raw: object) -> None:
        if column.read is integer and type(raw) is float:
            self.counts.oddities[f"{column.name}: an integer written as a float"] += 1
        elif has_surrogate(raw):
            self.counts.oddities[f"{column.name}: half a surrogate pair, replaced by U+FFFD"] += 1

    def conversion(self, fields: Sequence[Field], provenance: Provenance) -> Conversion:
        """All columns together, with `extra`, `cast_errors` and where the rows come from."""
        extras: list[str | None] = [None] * self.count
        errors: dict[int, list[str]] = {position: sorted(unfit) for position, unfit in self._unfit.items()}
        for position, unfit in self._unfit.items():
            self._extras.setdefault(position, {})["_unfit"] = unfit
        for position, extra in self._extras.items():
            try:
                extras[position] = to_json(extra)
            except RecursionError:  # nested deeper than anything can read again
                errors.setdefault(position, []).append("extra")
        for names in errors.values():
            self.counts.cast_errors.update(names)
        arrays = [self._arrays[item.column_name] for item in fields]
        arrays += [pa.array(extras, pa.string()), _sparse(errors, self.count)]
        arrays += [
            pa.repeat(pa.scalar(getattr(provenance, item.name), item.type), self.count) for item in PROVENANCE_SCHEMA
        ]
        table = pa.Table.from_arrays(arrays, schema=schema(fields))
        self.counts.nulls.update({item.column_name: table[item.column_name].null_count for item in fields})
        self.counts.oddities.update(oddities(table))
        return Conversion(table, self.counts)


def _sparse(lists: Mapping[int, list[str]], count: int) -> pa.Array:
    """A column of lists in which hardly any row has one."""
    kind = pa.list_(pa.string())
    return pa.array([lists.get(position) for position in range(count)], kind) if lists else pa.nulls(count, kind)


def oddities(table: pa.Table) -> Counter[str]:
    """What of names and tags is legal but unusual, counted by the look of the Arrow buffers: a page costs microseconds."""
    found: Counter[str] = Counter()
    for name in ("id", "author"):
        if name in table.column_names:
            found[f"{name}: control or reordering characters"] += hostile_values(_one_chunk(table[name]))
    if "tags" in table.column_names:
        tags = _one_chunk(table["tags"])
        values = tags.flatten()
        found["tags: control or reordering characters"] += hostile_values(values)
        found[f"tags: longer than {LONG_TAG_BYTES:,} bytes"] += _count(
            pc.greater(pc.binary_length(values), LONG_TAG_BYTES)
        )
        found[f"tags: more than {MANY_TAGS:,} in a row"] += _count(pc.greater(pc.list_value_length(tags), MANY_TAGS))
    if "id" in table.column_names:
        without = pc.invert(pc.match_substring(table["id"], "/"))
        found["id: a name without an owner"] += _count(without)
    return found


def hostile_values(values: pa.StringArray) -> int:
    """How many strings hold control characters or such that reorder text."""
    _, offsets, data = values.buffers()
    if data is None or not len(values):
        return 0
    bounds = np.frombuffer(offsets, dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    text = memoryview(data)[bounds[0] : bounds[-1]]
    numbers = np.frombuffer(text, dtype=np.uint8)
    if not ((numbers < 0x20) | (numbers == 0x7F) | (numbers == 0xE2)).any():
        return 0
    at = np.array([found.start() for found in HOSTILE_BYTES.finditer(text)], dtype=np.int64) + bounds[0]
    return len(np.unique(np.searchsorted(bounds, at, side="right")))


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _count(flags: pa.Array) -> int:
    return pc.sum(flags).as_py() or 0
