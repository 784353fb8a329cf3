"""An archive's columns in the landed schema: taken over where they fit, else read value by value as from the listing.
Every string in an archive is hostile: values are moved and parsed as JSON, never evaluated, formatted or rendered."""

from collections.abc import Callable, Sequence
from datetime import MAXYEAR, MINYEAR

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from orchestration.hub import readers
from orchestration.hub.readers import TIMESTAMP
from orchestration.hub.records import Conversion, Field, Provenance, Rows


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
    models = _cast(members["models"], readers.BASE_MODELS.field("models").type)
    if relation is None or models is None or models.flatten().null_count:
        return None
    absent = pc.and_(relation.is_null(), models.is_null())
    if pc.sum(models.is_null()).as_py() != pc.sum(absent).as_py():
        return None
    return pa.StructArray.from_arrays([relation, models], fields=list(readers.BASE_MODELS), mask=absent)


# By how a field is read: its whole column at once, or None to look at each value. What isn't named always is looked at.
TAKEN_OVER: dict[Callable[[object], object], Callable[[pa.Array], pa.Array | None]] = {
    readers.text: _take_texts,
    readers.integer: _take_integers,
    readers.number: _take_numbers,
    readers.flag: _take_flags,
    readers.timestamp: _take_timestamps,
    readers.strings: _take_strings,
    readers.base_models: _take_base_models,
}
TEXTS = frozenset({readers.text, readers.gated, readers.timestamp})

# What kind of column each is read from; another one is no error, but told.
USUAL_KIND: dict[Callable[[object], object], str] = {
    readers.text: "text",
    readers.gated: "text",
    readers.integer: "integer",
    readers.number: "number or integer",
    readers.flag: "boolean",
    readers.timestamp: "timestamp",
    readers.strings: "list of texts",
    readers.safetensors_total: "struct",
    readers.base_models: "struct",
}


def kind_of(kind: pa.DataType) -> str:
    """What a column of this type holds, in words."""
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
