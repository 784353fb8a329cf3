"""What the sandbox Hub can do wrong inside a listing: rows that are missing, doubled, late or out of order, and values
that are of another type, hostile or no JSON. Faults of the reply around them are in `reply_faults`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

from orchestration.sandbox.fault_rules import Fault, Reply, kind
from orchestration.sandbox.listing_kinds import LISTINGS
from orchestration.sandbox.listing_query import parse_listing_query
from orchestration.sandbox.reply_faults import ends_walk_by_creation

DEEPEST = 100_000
"""Levels of a nested value: a hundred times what recursive parsers allow themselves."""


def _rows_of(reply: Reply) -> list[dict]:
    """The rows of a page; none if the reply is no page, or an empty one."""
    rows = json.loads(reply.body) if reply.status == 200 and reply.body.startswith(b"[") else []
    return rows if all(isinstance(row, dict) for row in rows) else []


def _is_page(reply: Reply) -> bool:
    return reply.route in LISTINGS and bool(_rows_of(reply))


def _dumped(value: Any) -> str:
    """JSON as the standard library writes it: NaN and lone surrogates too."""
    return json.dumps(value, separators=(",", ":"))


def _change_rows(reply: Reply, change: Callable[[list[dict]], bool | None]) -> bool | None:
    """Change the rows of a page. `change` may return False: it can't be done to these."""
    rows = _rows_of(reply)
    if not rows or change(rows) is False:
        return False
    reply.body = _dumped(rows).encode()
    return None


def _set_in_rows(fault: Fault, reply: Reply, values: dict[str, Any]) -> bool | None:
    def set_values(rows: list[dict]) -> None:
        for row in rows[: fault.rows]:
            row.update(values)

    return _change_rows(reply, set_values)


@kind("duplicate_page")
def duplicate_page(fault: Fault, reply: Reply) -> bool | None:
    """The rows of the page before, once more, with this page's Link."""
    if reply.previous_body is None:
        return False
    reply.body = reply.previous_body
    return None


@kind("overlapping_page")
def overlapping_page(fault: Fault, reply: Reply) -> bool | None:
    """The last `rows` rows of the page before stand again at this page's head."""
    if reply.previous_body is None:
        return False
    repeated = json.loads(reply.previous_body)[-fault.rows :]
    return _change_rows(reply, lambda rows: rows.__setitem__(slice(0, 0), repeated))


@kind("out_of_order")
def out_of_order(fault: Fault, reply: Reply) -> bool | None:
    """The first and the last row change places."""

    def swap(rows: list[dict]) -> None:
        rows[0], rows[-1] = rows[-1], rows[0]

    return _change_rows(reply, swap)


@kind("dropped_rows")
def dropped_rows(fault: Fault, reply: Reply) -> bool | None:
    """The first `rows` rows are silently absent: a short page."""
    return _change_rows(reply, lambda rows: rows.__delitem__(slice(0, fault.rows)))


@kind("ignored_order")
def ignored_order(fault: Fault, reply: Reply) -> bool | None:
    """The page's rows the newest first, as if the order that was asked for were ignored."""
    return _change_rows(reply, lambda rows: rows.reverse())


@kind("late_rows")
def late_rows(fault: Fault, reply: Reply) -> bool | None:
    """On the last page `rows` further ones that were created after the walk began, or as many as the page has room for.

    Their `_id`s lie beyond all others; what the site counts is as it was. Strikes only where there is room.
    """
    if not ends_walk_by_creation(reply):
        return False
    limit = parse_listing_query(urlsplit(reply.url).query, LISTINGS[reply.route]).limit

    def add_rows(rows: list[dict]) -> bool:
        last = rows[-1]
        second = max(math.ceil(reply.now.timestamp()), int(last["_id"][:8], 16))
        room = range(1, min(fault.rows, limit - len(rows)) + 1)
        rows += [_late_row(last, second + number, number) for number in room]
        return len(room) > 0

    return _change_rows(reply, add_rows)


def _late_row(last: dict, second: int, number: int) -> dict:
    """A repository like the last one, a moment old."""
    created = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    name = f"{last['id'].split('/')[0]}/late-{number}"
    fresh = {"createdAt": created, "lastModified": created, "downloads": 0, "downloadsAllTime": 0, "likes": 0}
    return {**last, **{key: value for key, value in fresh.items() if key in last}} | {
        "_id": f"{second:08x}{number:016x}",
        "id": name,
    }


@kind("vanishing_rows")
def vanishing_rows(fault: Fault, reply: Reply) -> bool | None:
    """The first `rows` rows are deleted just before their page is read: it is shorter than its limit, a Link follows.

    They stay away on that day, and what the site counts falls by as many. Strikes no last page. One model's own page
    still tells of them.
    """
    if not _is_page(reply) or "link" not in reply.headers:
        return False

    def delete(rows: list[dict]) -> None:
        gone = fault.vanished.setdefault((reply.route, reply.day), set())
        gone.update(row["_id"] for row in rows[: fault.rows])
        del rows[: fault.rows]

    return _change_rows(reply, delete)


def take_away_vanished(rules: Sequence[Fault], reply: Reply) -> None:
    """What rows that vanished earlier do to a later reply: pages lack them, the site doesn't count them."""
    listing = reply.route.removesuffix("-json")
    gone = set().union(*(rule.vanished.get((listing, reply.day), set()) for rule in rules))
    if not gone or reply.status != 200:
        return
    told = json.loads(reply.body)
    if reply.route in LISTINGS:
        told = [row for row in told if row["_id"] not in gone]
    elif "numTotalItems" in told:
        told["numTotalItems"] -= len(gone)
    reply.body = _dumped(told).encode()


# --- names ----------------------------------------------------------------------------------------------------------


@kind("case_colliding_ids")
def case_colliding_ids(fault: Fault, reply: Reply) -> bool | None:
    """Each second of the first `rows` pairs of rows takes its neighbour's name in another case; `_id`s stay."""
    return _rename_by_neighbour(fault, reply, str.swapcase)


@kind("duplicate_ids")
def duplicate_ids(fault: Fault, reply: Reply) -> bool | None:
    """Each second of the first `rows` pairs of rows takes its neighbour's very name: one name, two `_id`s."""
    return _rename_by_neighbour(fault, reply, str)


def _rename_by_neighbour(fault: Fault, reply: Reply, renamed: Callable[[str], str]) -> bool | None:
    if not _is_page(reply):
        return False

    def rename(rows: list[dict]) -> bool:
        pairs = list(zip(rows[::2], rows[1::2], strict=False))[: fault.rows]
        for first, second in pairs:
            second["id"] = renamed(first["id"])
            if "author" in second:
                second["author"] = second["id"].split("/")[0]
        return bool(pairs)

    return _change_rows(reply, rename)


@kind("id_without_slash")
def id_without_slash(fault: Fault, reply: Reply) -> bool | None:
    """The first `rows` rows have a name without a namespace, as the oldest models had, and no author."""

    if not _is_page(reply):
        return False

    def shorten(rows: list[dict]) -> None:
        for row in rows[: fault.rows]:
            row["id"] = row["id"].rpartition("/")[2]
            row.pop("author", None)

    return _change_rows(reply, shorten)


HOSTILE = (
    "nul-\x00-byte",
    "right-to-left-\u202egnp.exe",
    "escape-\x1b[31m-bell-\x07",
    "line\r\nSet-Cookie: a=b",
    "'; drop table models; --",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "zero\u200bwidth\ufeff",
    "long-" + "x" * 10_000,
)
"""Strings that do harm where they are run, rendered, or taken for a path: data, and nothing but data."""


@kind("hostile_strings")
def hostile_strings(fault: Fault, reply: Reply) -> bool | None:
    """Names and tags that hold NUL, control and direction characters, SQL, templates, formulas, a path, 10,000 letters.

    One string in each row's name and all of them in its tags, in the first `rows` rows, but at least one row a string.
    """

    if not _is_page(reply):
        return False

    def poison(rows: list[dict]) -> None:
        for number, (row, hostile) in enumerate(
            zip(rows[: max(fault.rows, len(HOSTILE))], cycle(HOSTILE), strict=False)
        ):
            row["id"] = f"{row['id'].split('/')[0]}/{hostile}-{number}"
            if "tags" in row:
                row["tags"] = list(HOSTILE)

    return _change_rows(reply, poison)


# --- values ---------------------------------------------------------------------------------------------------------


WRONG_TYPES = {
    "downloads": "12k",
    "downloadsAllTime": {"value": 1},
    "likes": 3.5,
    "trendingScore": "high",
    "createdAt": 17,
    "lastModified": "yesterday",
    "tags": "text-generation",
    "gated": 1,
    "disabled": "no",
    "safetensors": [1],
    "baseModels": "some/model",
}


@kind("wrong_types")
def wrong_types(fault: Fault, reply: Reply) -> bool | None:
    """In the first `rows` rows, values of another type: those in `values`, or one for each usual field."""

    def spoil(rows: list[dict]) -> None:
        for row in rows[: fault.rows]:
            row.update(fault.values or {name: value for name, value in WRONG_TYPES.items() if name in row})

    return _change_rows(reply, spoil)


@kind("retyped_field")
def retyped_field(fault: Fault, reply: Reply) -> bool | None:
    """The fields in `names` (default: downloads) are text in every row of the page."""

    def retype(rows: list[dict]) -> bool:
        retyped = [(row, name) for row in rows for name in fault.names or ["downloads"] if name in row]
        for row, name in retyped:
            row[name] = str(row[name])
        return bool(retyped)

    return _change_rows(reply, retype)


COUNTERS = ("downloads", "downloadsAllTime", "likes")


@kind("whole_floats")
def whole_floats(fault: Fault, reply: Reply) -> bool | None:
    """The counters of the first `rows` rows as 12.0 in place of 12."""
    return _change_counters(fault, reply, float)


@kind("fractional_floats")
def fractional_floats(fault: Fault, reply: Reply) -> bool | None:
    """The counters of the first `rows` rows as 12.5 in place of 12."""
    return _change_counters(fault, reply, lambda count: count + 0.5)


def _change_counters(fault: Fault, reply: Reply, changed: Callable[[int], float]) -> bool | None:
    def change(rows: list[dict]) -> bool:
        counters = [(row, name) for row in rows[: fault.rows] for name in COUNTERS if name in row]
        for row, name in counters:
            row[name] = changed(row[name])
        return bool(counters)

    return _change_rows(reply, change)


GATES = (True, "true", None, "auto", False)


@kind("gated_values")
def gated_values(fault: Fault, reply: Reply) -> bool | None:
    """`gated` is true, "true", null, "auto" and false by turns, in every row of the page that tells it."""

    def mix(rows: list[dict]) -> bool:
        gated = [row for row in rows if "gated" in row]
        for row, value in zip(gated, cycle(GATES), strict=False):
            row["gated"] = value
        return bool(gated)

    return _change_rows(reply, mix)


@kind("unknown_field")
def unknown_field(fault: Fault, reply: Reply) -> bool | None:
    """Fields that nobody asked for: those in `values`, or one that the sandbox made up."""
    return _set_in_rows(fault, reply, fault.values or {"sandboxNovelty": {"level": 3, "names": ["a", "b"]}})


@kind("missing_field")
def missing_field(fault: Fault, reply: Reply) -> bool | None:
    """The fields in `names` (say `_id`) are absent from the first `rows` rows."""

    def drop_fields(rows: list[dict]) -> None:
        for row in rows[: fault.rows]:
            for name in fault.names:
                row.pop(name, None)

    return _change_rows(reply, drop_fields)


@kind("huge_integer")
def huge_integer(fault: Fault, reply: Reply) -> bool | None:
    """A counter beyond 64 bits."""
    return _set_in_rows(fault, reply, {"downloadsAllTime": 2**70})


@kind("nan")
def nan(fault: Fault, reply: Reply) -> bool | None:
    """`NaN`, which is no JSON, as a trending score."""
    return _set_in_rows(fault, reply, {"trendingScore": float("nan")})


@kind("lone_surrogate")
def lone_surrogate(fault: Fault, reply: Reply) -> bool | None:
    r"""Half of a surrogate pair (`\ud800`) in a tag."""
    return _set_in_rows(fault, reply, {"tags": ["broken-\ud800-tag"]})


@kind("huge_tag")
def huge_tag(fault: Fault, reply: Reply) -> bool | None:
    """A tag of 100 KB."""
    return _set_in_rows(fault, reply, {"tags": ["x" * 100_000]})


@kind("many_tags")
def many_tags(fault: Fault, reply: Reply) -> bool | None:
    """Five thousand tags on one model."""
    return _set_in_rows(fault, reply, {"tags": [f"tag-{number}" for number in range(5000)]})


@kind("deep_nesting")
def deep_nesting(fault: Fault, reply: Reply) -> bool | None:
    """The fields in `names` (default: tags) of the first `rows` rows hold lists in lists, a hundred thousand deep."""
    names = fault.names or ["tags"]
    deep = ",".join(f"{_dumped(name)}:" + "[" * DEEPEST + "]" * DEEPEST for name in names)
    return _put_before_members(fault, reply, deep, without=names)


@kind("duplicate_keys")
def duplicate_keys(fault: Fault, reply: Reply) -> bool | None:
    """In the first `rows` rows a key stands twice: with the value in `values` (default: downloads 1), then the true.

    Most parsers take the last.
    """
    return _put_before_members(fault, reply, _dumped(fault.values or {"downloads": 1})[1:-1], without=[])


def _put_before_members(fault: Fault, reply: Reply, members: str, *, without: list[str]) -> bool | None:
    """Write JSON that no dict could hold: `members` as text at the head of each row, in place of the keys `without`."""
    rows = _rows_of(reply)
    if not rows:
        return False
    texts = [_dumped(row) for row in rows]
    for number, row in enumerate(rows[: fault.rows]):
        kept = {name: value for name, value in row.items() if name not in without}
        texts[number] = f"{{{members},{_dumped(kept)[1:]}"
    reply.body = f"[{','.join(texts)}]".encode()
    return None
