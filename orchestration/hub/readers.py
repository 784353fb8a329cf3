"""One JSON value as its column has it, or `Misfit`: nothing is guessed or silently rounded. Also back to JSON again.
Which field is read by what stands in `listings`; whole columns of usual values are read in `whole_columns`."""

import json
import math
import re
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
