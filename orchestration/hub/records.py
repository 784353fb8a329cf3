"""From the Hub's items to a fixed Arrow schema: nothing is dropped, guessed or silently rounded.
Which fields a listing has stands in `listings`; what a value means is decided downstream."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson
import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")
BASE_MODELS = pa.struct(
    [("relation", pa.string()), ("models", pa.list_(pa.struct([("_id", pa.string()), ("id", pa.string())])))]
)
SURROGATES = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


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
    """Where the rows of one page come from; the same on each of its rows."""

    page: int
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
class Conversion:
    """A page as a table, and what was odd in it: counts by field name."""

    table: pa.Table
    cast_errors: Counter[str] = field(default_factory=Counter)
    unknown_fields: Counter[str] = field(default_factory=Counter)


def schema(fields: Sequence[Field]) -> pa.Schema:
    """The landed schema of a listing: its fields, `extra`, `cast_errors`, provenance."""
    columns = [pa.field(item.column_name, item.type) for item in fields]
    columns += [pa.field("extra", pa.string()), pa.field("cast_errors", pa.list_(pa.string()))]
    return pa.schema([*columns, *PROVENANCE_SCHEMA])


def to_table(items: Sequence[Mapping[str, object]], fields: Sequence[Field], provenance: Provenance) -> Conversion:
    """One row per item, in order. A value that doesn't fit becomes null, is named in `cast_errors`, and is kept as it
    came in `extra` under `_unfit`; fields that no column is read from are kept in `extra` under their own name."""
    known = {item.name for item in fields}
    columns: dict[str, list[object]] = {item.column_name: [] for item in fields}
    extras: list[str | None] = []
    errors: list[list[str] | None] = []
    result = Conversion(pa.table({}))
    for item in items:
        extra: dict[str, object] = {name: value for name, value in item.items() if name not in known}
        result.unknown_fields.update(clean(name) for name in extra)
        unfit: dict[str, object] = {}
        for column in fields:
            raw = item.get(column.name)
            value = None
            if raw is not None:
                try:
                    value = column.read(raw)
                except Misfit:
                    unfit[column.name] = raw
                else:
                    rest = column.rest(raw) if column.rest else None
                    if rest is not None:
                        extra[column.name] = rest
            columns[column.column_name].append(value)
        names = sorted(unfit)
        if unfit:
            extra["_unfit"] = unfit
        written = None
        if extra:
            try:
                written = to_json(extra)
            except RecursionError:  # nested deeper than anything can read again
                names.append("extra")
        result.cast_errors.update(names)
        extras.append(written)
        errors.append(names or None)
    columns["extra"], columns["cast_errors"] = extras, errors
    for name in ("page", "fetched_at", "source", "source_revision", "captured_at"):
        columns[name] = [getattr(provenance, name)] * len(items)
    result.table = pa.Table.from_pydict(columns, schema=schema(fields))
    return result


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
