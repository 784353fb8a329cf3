"""A listing page's body as columns without a Python object for each value: the quick way, for pages in which nothing is odd.
Anything unusual is declined here, never judged: `records` then reads the page value by value, and is the reference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from orchestration.hub import readers, whole_columns
from orchestration.hub.readers import BASE_MODELS
from orchestration.hub.records import Field, Rows

# Number formats of safetensors seen so far: first with the usual ones, which costs least, then with all. A page with yet
# another one is read value by value.
USUAL_FORMATS = ("F32", "F16", "BF16", "F8_E4M3", "I64", "I32", "I8", "U8", "BOOL")
ALL_FORMATS = (
    *USUAL_FORMATS,
    *("F64", "F8_E5M2", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4", "C64", "I16", "I4", "U64", "U32", "U16", "U4"),
)
BEFORE, AFTER = b'{"rows":', b"}"
# `gated` is false or a string. A column holds one type, so false becomes a string, and the two are counted to agree.
GATED_FALSE, NOT_GATED = b'"gated":false', b'"gated":"#false"'
GATED_WORDS = {"#false": "none", "auto": "auto", "manual": "manual"}


@dataclass(frozen=True)
class PageColumns:
    """A page's rows, each field a column of what it is read from; `_id` and `id` are there in every row."""

    columns: dict[str, pa.Array]
    count: int

    @property
    def ids(self) -> pa.Array:
        return self.columns["_id"]


@dataclass(frozen=True)
class Prepared:
    """A body made ready for the parser: one object of one list, `gated` as text in each row."""

    text: bytes
    not_gated: int  # rows in which `gated` was false


def prepared(body: bytes) -> Prepared | None:
    """The body for the parser; None for one with nulls inside objects, which it can't tell from what is absent."""
    if not body.startswith(b"[") or b'":null' in body:
        return None
    text = b"".join((BEFORE, body.replace(GATED_FALSE, NOT_GATED), AFTER))
    added = len(text) - len(BEFORE) - len(body) - len(AFTER)
    return Prepared(text, added // (len(NOT_GATED) - len(GATED_FALSE)))


def columns_of(page: Prepared, fields: Sequence[Field]) -> PageColumns | None:
    """The columns of a JSON array of objects, exactly as reading it value by value would give them; None to decline.

    Declined are pages with fields that no column is read from, values of another type, numbers or text that a column
    can't hold, repeated keys, anything that isn't such an array, and whatever else the parser refuses.
    """
    rows = _parsed(page.text, fields, USUAL_FORMATS)
    rows = _parsed(page.text, fields, ALL_FORMATS) if rows is None else rows
    if rows is None or rows.null_count:
        return None
    columns = dict(zip((field.name for field in fields), rows.flatten(), strict=True))
    if any(columns[name].null_count for name in ("_id", "id")):
        return None
    if "gated" in columns and (pc.sum(pc.equal(columns["gated"], "#false")).as_py() or 0) != page.not_gated:
        return None
    return _usual(columns, len(rows), fields)


def _parsed(text: bytes, fields: Sequence[Field], formats: Sequence[str]) -> pa.StructArray | None:
    """One struct a row; None if the parser refuses anything."""
    row = pa.struct([(field.name, _parsed_type(field, formats)) for field in fields])
    try:
        table = pyarrow.json.read_json(
            pa.BufferReader(text),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=pa.schema([("rows", pa.list_(row))]), unexpected_field_behavior="error"
            ),
        )
        table.validate(full=True)  # the parser doesn't look whether text is UTF-8
    except pa.ArrowException:
        return None
    return table["rows"].chunk(0).flatten() if table.num_rows == 1 else None  # one row is one chunk


def _parsed_type(field: Field, formats: Sequence[str]) -> pa.DataType:
    """What the parser is told to expect, which isn't always what is landed."""
    if field.read is readers.timestamp:
        return pa.string()
    if field.read is readers.safetensors_total:
        return pa.struct([("parameters", pa.struct([(name, pa.int64()) for name in formats])), ("total", pa.int64())])
    return field.type


def _usual(columns: dict[str, pa.Array], count: int, fields: Sequence[Field]) -> PageColumns | None:
    """The columns with times as times and access as words; None if a value isn't of the usual kind."""
    for field in fields:
        array = columns[field.name]
        if field.read is readers.timestamp:
            array = whole_columns.moments_of(array)
        elif field.read is readers.gated:
            # made here: pyarrow's first array imports pandas, which whoever only loads this module must not pay for
            at = pc.index_in(array, value_set=pa.array(list(GATED_WORDS)))
            array = pa.array(list(GATED_WORDS.values())).take(at) if at.null_count == array.null_count else None
        elif field.read is readers.number:
            array = array if whole_columns.is_finite(array) else None
        elif field.read is readers.strings:
            array = array if not array.flatten().null_count else None
        elif field.read is readers.base_models:
            # an absent list is an empty one; a null would be neither
            array = array if pc.struct_field(array, "models").null_count == array.null_count else None
        if array is None:
            return None
        columns[field.name] = array
    return PageColumns(columns, count)


def read_into(rows: Rows, page: PageColumns, fields: Sequence[Field]) -> None:
    """Hand the page's columns to the rows that it becomes."""
    for field in fields:
        array = page.columns[field.name]
        if field.read is readers.safetensors_total:
            for position, rest in _parameters(array).items():
                rows.keep_rest(position, field.name, rest)
            array = pc.struct_field(array, "total")
        elif field.read is readers.base_models:
            array = array.cast(BASE_MODELS)
        rows.take(field, array)


def _parameters(safetensors: pa.StructArray) -> dict[int, dict[str, object]]:
    """By row, what `safetensors` tells beside its total."""
    parameters = pc.struct_field(safetensors, "parameters")
    told = np.flatnonzero(parameters.is_valid().to_numpy(zero_copy_only=False)).tolist()
    found: dict[int, dict[str, int]] = {position: {} for position in told}
    for member, values in zip(parameters.type, parameters.flatten(), strict=True):
        name = member.name
        if values.null_count < len(values):
            valid = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False)).tolist()
            for position, value in zip(valid, values.drop_null().to_pylist(), strict=True):
                found[position][name] = value
    return {position: {"parameters": values} for position, values in found.items()}
