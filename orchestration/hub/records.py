"""From the Hub's items to a fixed Arrow schema: nothing is dropped, guessed or silently rounded.
Which fields a listing has stands in `listings`; what a value means is decided downstream."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, chain
from operator import itemgetter

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

TIMESTAMP = pa.timestamp("us", tz="UTC")
BASE_MODELS = pa.struct(
    [("relation", pa.string()), ("models", pa.list_(pa.struct([("_id", pa.string()), ("id", pa.string())])))]
)
SURROGATES = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"
# Control characters, and those that reorder what is shown (U+202A–E, U+2066–9): legal in JSON, hostile in a table.
HOSTILE_BYTES = re.compile(b"[\x00-\x1f\x7f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
# The longest tag seen in the wild is some hundred bytes; beyond these, someone is trying something (2026-11-24).
LONG_TAG_BYTES, MANY_TAGS = 1000, 1000


class Misfit(ValueError):
    """A value that its column can't hold."""


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


def to_json(value: object) -> str:
    """JSON with sorted keys that every reader takes: no half surrogate pairs, no NaN, and no integers beyond 64 bits
    (they become strings: a reader that makes doubles of them would round, or fail)."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # what orjson refuses: lone surrogates, integers beyond 64 bits, deep nesting
        return json.dumps(_cleaned(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, dict):
        return {clean(name): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner) for inner in value]
    return value


def clean(value: str) -> str:
    """The string with lone surrogates, which no UTF-8 file can hold, replaced by U+FFFD."""
    return value if value.isascii() else SURROGATES.sub(REPLACEMENT, value)


def text(value: object) -> str:
    if type(value) is str:
        return clean(value)
    raise Misfit


def integer(value: object) -> int:
    """A 64-bit integer; a float only if it is whole and exact. 1.5 must not become 1."""
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    if type(value) is float and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    raise Misfit


def number(value: object) -> float:
    """A finite double."""
    if type(value) in (int, float):
        try:
            converted = float(value)
        except OverflowError:
            raise Misfit from None
        if math.isfinite(converted):
            return converted
    raise Misfit


def flag(value: object) -> bool:
    if type(value) is bool:
        return value
    raise Misfit


def timestamp(value: object) -> datetime:
    """An ISO 8601 time that names its zone."""
    if type(value) is str:
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise Misfit


def strings(value: object) -> list[str]:
    if type(value) is list:
        return [text(item) for item in value]
    raise Misfit


GATED = {False: "none", "auto": "auto", "manual": "manual", None: None}


def gated(value: object) -> str:
    """'none', 'auto' or 'manual'; the Hub says false, "auto" or "manual"."""
    if value is False:
        return "none"
    if value in ("auto", "manual"):
        return str(value)
    raise Misfit


def safetensors_total(value: object) -> int | None:
    if type(value) is dict:
        total = value.get("total")
        return None if total is None else integer(total)
    raise Misfit


def without_total(value: object) -> object:
    """What of `safetensors` has no column: the parameters by number format."""
    return {name: inner for name, inner in value.items() if name != "total"} or None


def base_models(value: object) -> dict[str, object]:
    if type(value) is not dict or type(value.get("models", [])) is not list:
        raise Misfit
    relation = value.get("relation")
    return {
        "relation": None if relation is None else text(relation),
        "models": [_reference(model) for model in value.get("models", [])],
    }


def _reference(model: object) -> dict[str, str | None]:
    if type(model) is not dict:
        raise Misfit
    return {name: None if model.get(name) is None else text(model[name]) for name in ("_id", "id")}


def unknown_of_base_models(value: object) -> object:
    """The whole value if it has keys that the column doesn't, else None."""
    is_usual = set(value) <= {"relation", "models"} and all(set(m) <= {"_id", "id"} for m in value.get("models", []))
    return None if is_usual else value


def json_type(value: object) -> str:
    """What JSON calls the type of a value; integers beyond 64 bits and fractions are told apart from other numbers."""
    if type(value) is int:
        return "integer" if -(2**63) <= value < 2**63 else "integer beyond 64 bits"
    names = {str: "string", bool: "boolean", float: "number", list: "array", dict: "object"}
    return names.get(type(value), type(value).__name__)


def has_surrogate(value: object) -> bool:
    """Whether a string, or one in a list, holds half of a surrogate pair."""
    if type(value) is str:
        return not value.isascii() and SURROGATES.search(value) is not None
    return type(value) is list and any(has_surrogate(item) for item in value if type(item) is str)


# --- whole columns: what a page costs when nothing is odd. None means: look at each value. ---------------------------

NULL = type(None)
FAR_FUTURE = 4_102_444_800_000_000  # 2100-01-01 in microseconds since 1970


def _types(values: Iterable[object]) -> set[type]:
    return set(map(type, values))


def _whole_text(values: Sequence[object]) -> pa.Array | None:
    return _built(values, pa.string()) if _types(values) <= {str, NULL} else None


def _whole_integer(values: Sequence[object]) -> pa.Array | None:
    return _built(values, pa.int64()) if _types(values) <= {int, NULL} else None


def _whole_number(values: Sequence[object]) -> pa.Array | None:
    array = _built(values, pa.float64()) if _types(values) <= {float, int, NULL} else None
    return array if array is not None and is_finite(array) else None


def _whole_flag(values: Sequence[object]) -> pa.Array | None:
    return _built(values, pa.bool_()) if _types(values) <= {bool, NULL} else None


def _whole_timestamp(values: Sequence[object]) -> pa.Array | None:
    texts = _whole_text(values)
    return None if texts is None else moments_of(texts)


def moments_of(texts: pa.StringArray) -> pa.Array | None:
    """ISO 8601 times that name their zone, between 1970 and 2100; None if any is something else."""
    try:
        moments = texts.cast(TIMESTAMP)
    except pa.ArrowInvalid:
        return None
    # Arrow takes years that Python's datetime, which reads single values, has none for
    ends = pc.min_max(moments.cast(pa.int64())) if moments.null_count < len(moments) else None
    return moments if ends is None or (ends["min"].as_py() >= 0 and ends["max"].as_py() < FAR_FUTURE) else None


def is_finite(numbers: pa.DoubleArray) -> bool:
    return pc.all(pc.is_finite(numbers)).as_py() is not False


def _whole_strings(values: Sequence[object]) -> pa.Array | None:
    if not _types(values) <= {list, NULL}:
        return None
    nothing = None in values
    lists = [value or () for value in values] if nothing else values
    flat = list(chain.from_iterable(lists))
    texts = _built(flat, pa.string()) if _types(flat) <= {str} else None
    if texts is None:
        return None
    mask = pa.array([value is None for value in values]) if nothing else None
    return pa.ListArray.from_arrays(_ends(map(len, lists)), texts, mask=mask)


def _ends(lengths: Iterable[int]) -> pa.Array:
    """The offsets of lists of these lengths."""
    return pa.array(np.fromiter(accumulate(lengths, initial=0), dtype=np.int32))


def _whole_gated(values: Sequence[object]) -> pa.Array | None:
    if _types(values) <= {bool, str, NULL} and set(values) <= GATED.keys():
        return pa.array([GATED[value] for value in values], pa.string())
    return None


def _whole_safetensors_total(values: Sequence[object]) -> pa.Array | None:
    if _types(values) <= {dict, NULL}:
        return _whole_integer([value and value.get("total") for value in values])
    return None


def _whole_base_models(values: Sequence[object]) -> pa.Array | None:
    if not _types(values) <= {dict, NULL}:
        return None
    told = [value for value in values if value is not None]
    columns = _members(told, ("relation", "models"))
    if columns is None or not _types(columns[1]) <= {list}:
        return None
    parents = list(chain.from_iterable(columns[1]))
    members = _members(parents, ("_id", "id")) if _types(parents) <= {dict} else None
    texts = [_whole_text(member) for member in (columns[0], *members)] if members is not None else [None]
    if any(text is None for text in texts):
        return None
    parent_fields = list(BASE_MODELS.field("models").type.value_type)
    models = pa.ListArray.from_arrays(
        _ends(map(len, columns[1])), pa.StructArray.from_arrays(texts[1:], fields=parent_fields)
    )
    lineage = pa.StructArray.from_arrays([texts[0], models], fields=list(BASE_MODELS))
    at = iter(range(len(told)))
    return lineage.take(pa.array([None if value is None else next(at) for value in values], pa.int32()))


def _members(values: Sequence[dict], names: tuple[str, ...]) -> list[Sequence[object]] | None:
    """The members of objects that have these and no others; None if any has other ones."""
    try:
        rows = list(map(itemgetter(*names), values))
    except KeyError:
        return None
    if sum(map(len, values)) != len(names) * len(values):
        return None
    return list(zip(*rows, strict=True)) if rows else [[] for _ in names]


def _built(values: Sequence[object], kind: pa.DataType) -> pa.Array | None:
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        return None


WHOLE: dict[Callable[[object], object], Callable[[Sequence[object]], pa.Array | None]] = {
    text: _whole_text,
    integer: _whole_integer,
    number: _whole_number,
    flag: _whole_flag,
    timestamp: _whole_timestamp,
    strings: _whole_strings,
    gated: _whole_gated,
    safetensors_total: _whole_safetensors_total,
    base_models: _whole_base_models,
}
# A column of these that could be taken whole has no keys but those that it holds.
WITHOUT_REST = frozenset({base_models})
