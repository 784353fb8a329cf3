"""A field of all rows of a page as one column: what a page costs when nothing in it is odd.
None means that a value isn't of the usual kind, and that each has to be looked at (`readers`)."""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain
from operator import itemgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.hub import readers
from orchestration.hub.readers import BASE_MODELS, GATED, TIMESTAMP

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
    readers.text: _whole_text,
    readers.integer: _whole_integer,
    readers.number: _whole_number,
    readers.flag: _whole_flag,
    readers.timestamp: _whole_timestamp,
    readers.strings: _whole_strings,
    readers.gated: _whole_gated,
    readers.safetensors_total: _whole_safetensors_total,
    readers.base_models: _whole_base_models,
}
# A column of these that could be taken whole has no keys but those that it holds.
WITHOUT_REST = frozenset({readers.base_models})
