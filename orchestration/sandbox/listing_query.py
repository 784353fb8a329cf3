"""A listing's query as the Hub reads it: what is asked for, what is refused, and which rows make the next page.
It knows a day's rows and cursors, but neither HTTP responses nor files."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, quote

import numpy as np
import orjson

from orchestration.sandbox.listing_kinds import ListingKind
from orchestration.sandbox.snapshot_store import Day

PAGE_LIMIT = 1000  # the Hub's own: larger limits are clamped to it in silence, and it is what no limit means
DEFAULT_SORT = "trendingScore"


class BadQuery(ValueError):
    """A listing query that the Hub answers with 400; the text is the Hub's `error`."""


class NotSandboxed(ValueError):
    """A query that the live Hub answers and the sandbox cannot; refused, since to ignore it would be a wrong answer."""


@dataclass(frozen=True)
class ListingQuery:
    """One request for a page of a listing."""

    kind: ListingKind
    sort: str
    ascending: bool
    limit: int
    fields: tuple[str, ...]
    has_expand: bool
    tags: tuple[str, ...]
    equal: tuple[tuple[str, str], ...]
    search: str | None
    cursor: dict | None
    original: str
    """The raw query without its cursor, to be repeated in the next page's address."""

    @property
    def is_unfiltered(self) -> bool:
        return not (self.tags or self.equal or self.search)


@dataclass(frozen=True)
class Page:
    """A page's records, its number in the walk (from 1), and the cursor of the next page (None on the last)."""

    records: list[dict]
    number: int
    next_cursor: str | None


def parse_expands(asked: list[str], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The properties asked for, each once. Raises BadQuery with the allowed names if one is unknown."""
    if any(name not in allowed for name in asked):
        raise BadQuery(f'"expand" must be one of [{", ".join(allowed)}]')
    return tuple(dict.fromkeys(asked))


def parse_listing_query(raw: str, kind: ListingKind) -> ListingQuery:
    """Read a raw query string (percent-encoded, without `?`). Raises BadQuery or NotSandboxed."""
    pairs = parse_qsl(raw, keep_blank_values=True)
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    if refused := [name for name in kind.not_sandboxed if name in values]:
        raise NotSandboxed(f"The sandbox Hub does not answer {', '.join(refused)}; leave it out, or ask the live Hub.")
    sort, ascending = _order(values, kind)
    expands = parse_expands(values.get("expand", []) + values.get("expand[]", []), kind.expands)
    is_full = values.get("full", ["false"])[-1].lower() in ("true", "1")
    if expands and is_full:
        raise BadQuery('"full" cannot be combined with "expand"')
    return ListingQuery(
        kind=kind,
        sort=sort,
        ascending=ascending,
        limit=_limit(values),
        fields=expands or (kind.full_fields if is_full else kind.default_fields),
        has_expand=bool(expands),
        tags=tuple(values.get("filter", [])),
        equal=_equalities(values),
        search=values.get("search", [None])[-1],
        cursor=_decoded_cursor(values["cursor"][-1]) if "cursor" in values else None,
        original="&".join(part for part in raw.split("&") if part and not part.startswith("cursor=")),
    )


def _order(values: dict[str, list[str]], kind: ListingKind) -> tuple[str, bool]:
    sort = values.get("sort", [DEFAULT_SORT])[-1]
    if sort not in kind.sorts:
        raise BadQuery(f'Invalid sort parameter: "{sort}". It must be one of [{", ".join(kind.sorts)}]')
    direction = values.get("direction", ["-1"])[-1]
    if direction not in ("1", "-1"):
        raise BadQuery('"direction" must be one of [-1, 1]')
    if direction == "1" and sort != "createdAt":
        raise BadQuery(f'"direction" must be [-1] when sorting by "{sort}"')
    return sort, direction == "1"


def _limit(values: dict[str, list[str]]) -> int:
    text = values.get("limit", [str(PAGE_LIMIT)])[-1]
    if not text.isdecimal() or int(text) < 1:
        raise BadQuery('"limit" must be a positive integer')
    return min(int(text), PAGE_LIMIT)


def _equalities(values: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    equal = [(name, values[name][-1]) for name in ("author", "pipeline_tag") if name in values]
    if "gated" in values:
        wants_gated = values["gated"][-1].lower() in ("true", "1")
        equal.append(("gated", "true" if wants_gated else "false"))
    return tuple(equal)


def _decoded_cursor(text: str) -> dict:
    try:
        cursor = orjson.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise BadQuery("Invalid cursor") from error
    if not isinstance(cursor, dict) or not ({"_id"} == set(cursor) or {"$or"} == set(cursor)):
        raise BadQuery("Invalid cursor")
    return cursor


def page_of(day: Day, query: ListingQuery) -> Page:
    """The page that `query` asks of `day`. Raises BadQuery if its cursor does not fit its order."""
    try:
        rows, start = _rows_by_creation(day, query) if query.sort == "createdAt" else _rows_by_value(day, query)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BadQuery("Invalid cursor") from error
    if not query.is_unfiltered:
        mask = day.selected(tags=query.tags, equal=query.equal, search=query.search)
        start = int(mask[rows[:start]].sum())
        rows = rows[mask[rows]]
    taken = rows[start : start + query.limit]
    is_last = start + query.limit >= len(rows)
    wanted = slice(int(taken[0]), int(taken[-1]) + 1) if _is_run(taken) else taken
    return Page(
        records=day.records(wanted, query.fields, model_id=query.kind.has_model_id and not query.has_expand),
        number=start // query.limit + 1,
        next_cursor=None if is_last else encode_cursor(_cursor_after(day, query, int(taken[-1]))),
    )


def _is_run(rows: np.ndarray) -> bool:
    return len(rows) > 0 and int(rows[-1]) - int(rows[0]) == len(rows) - 1 and (len(rows) == 1 or rows[1] > rows[0])


def _rows_by_creation(day: Day, query: ListingQuery) -> tuple[np.ndarray, int]:
    """All rows in creation order and where to go on: `createdAt` is the time inside `_id`, so the keyset is `_id`."""
    rows = np.arange(len(day))
    if not query.ascending:
        rows = rows[::-1]
    if query.cursor is None:
        return rows, 0
    (operator, bound), *_ = query.cursor["_id"].items()
    if operator != ("$gt" if query.ascending else "$lt"):
        raise ValueError(operator)
    if query.ascending:
        return rows, int(np.searchsorted(day.row_ids, bound.encode(), side="right"))
    return rows, len(day) - int(np.searchsorted(day.row_ids, bound.encode(), side="left"))


def _rows_by_value(day: Day, query: ListingQuery) -> tuple[np.ndarray, int]:
    """All rows from the largest value down, ties by `_id`, nulls last, and where to go on."""
    rows, negated = day.order(query.sort)
    if query.cursor is None:
        return rows, 0
    after_tie = query.cursor["$or"][0]
    value = _sortable(query.sort, after_tie[query.sort])
    key = np.inf if value is None else -value
    first, end = np.searchsorted(negated, key, side="left"), np.searchsorted(negated, key, side="right")
    next_row = np.searchsorted(day.row_ids, after_tie["_id"]["$gt"].encode(), side="right")
    return rows, int(first + np.searchsorted(rows[first:end], next_row, side="left"))


def _sortable(sort: str, value) -> float | None:
    if sort == "lastModified" and value is not None:
        return round(datetime.fromisoformat(value).timestamp() * 1000)
    return value


def _cursor_after(day: Day, query: ListingQuery, row: int) -> dict:
    row_id = day.row_ids[row].decode()
    if query.sort == "createdAt":
        return {"_id": {"$gt" if query.ascending else "$lt": row_id}}
    value = day.value(query.sort, row)
    after_tie = {query.sort: value, "_id": {"$gt": row_id}}
    return {"$or": [after_tie] if value is None else [after_tie, {query.sort: {"$lt": value}}, {query.sort: None}]}


def encode_cursor(cursor: dict) -> str:
    """A cursor as the Hub sends it: base64 of compact JSON."""
    return base64.b64encode(orjson.dumps(cursor)).decode()


def next_link(base: str, query: ListingQuery, cursor: str) -> str:
    """The absolute `Link` header that leads to the next page and repeats the original query."""
    query_string = "&".join(part for part in (query.original, f"cursor={quote(cursor, safe='')}") if part)
    return f'<{base}{query.kind.path}?{query_string}>; rel="next"'
