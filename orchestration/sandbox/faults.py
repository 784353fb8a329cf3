"""What the sandbox Hub can do wrong: a registry of faults by name, and the rules that say when each one strikes.
A fault changes one finished reply, or how it is sent; a Hub that behaves is not described here."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from orchestration.sandbox.listing_query import encode_cursor, next_link, parse_listing_query
from orchestration.sandbox.snapshot_store import LISTING_EXPANDS

ROUTES = ("models", "model_info", "organization", "user", "commits", "dataset", "resolve", "models-json")


class FaultError(ValueError):
    """A fault that is described wrongly; says what was found, what was expected, and what to do."""


@dataclass
class Reply:
    """A finished answer before it is sent: change it to misbehave. The body is not compressed yet."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    url: str
    """The address that was asked, absolute."""
    previous_body: bytes | None = None
    """The body of the listing page served before this one."""
    delay: float = 0.0
    """Seconds to wait before the first byte."""
    drip: float = 0.0
    """Seconds over which the body trickles."""
    deliver: str = "whole"
    """whole · cut (half the body, then the connection closes) · cut_gzip · reset (no byte at all)."""
    rate_limit: dict[str, int] = field(default_factory=dict)
    """`remaining` and `reset` to announce instead of the true ones."""
    absent_headers: tuple[str, ...] = ()


@dataclass
class Fault:
    """One rule: what happens (`kind`), to which replies (`route`, `page`, `nth`, `day`, `rate`), how many `times`."""

    kind: str
    route: str = "models"
    page: int | None = None  # of the listing, from 1, told by the cursor's place: a retry asks for the same page
    nth: int | None = None  # request to this route since the rules were loaded, from 1
    day: str | None = None  # the sandbox's day, YYYY-MM-DD
    times: int | None = 1  # None: always
    rate: float | None = None  # share of the matching replies
    seed: int = 7  # of the draw for `rate`
    status: int = 500
    retry_after: int | str | None = None  # seconds, or an HTTP date
    remaining: int | None = None  # r of the RateLimit header
    reset: int | None = None  # t of the RateLimit header, seconds
    seconds: float = 30.0  # of a hang or a drip
    rows: int = 1  # that are changed
    values: dict[str, Any] | None = None  # to set in those rows
    names: list[str] = field(default_factory=list)  # of refused expands, or of headers left out
    fired: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(
                f"found the fault kind {self.kind!r}; expected one of {', '.join(sorted(KINDS))}. Correct it."
            )
        if self.route not in (*ROUTES, "*"):
            raise FaultError(f"found the route {self.route!r}; expected one of {', '.join(ROUTES)} or *. Correct it.")
        try:
            date.fromisoformat(self.day or "2026-01-01")
        except ValueError as error:
            raise FaultError(f"found the day {self.day!r}; expected YYYY-MM-DD. Correct it.") from error
        self._draw = random.Random(self.seed)

    def strikes(self, route: str, nth: int, page: int | None, day: date) -> bool:
        """Whether this rule holds for a reply."""
        return (
            self.route in (route, "*")
            and (self.times is None or self.fired < self.times)
            and (self.page is None or self.page == page)
            and (self.nth is None or self.nth == nth)
            and (self.day is None or self.day == day.isoformat())
            and (self.rate is None or self._draw.random() < self.rate)
        )


KINDS: dict[str, Callable[[Fault, Reply], bool | None]] = {}
"""Every kind of fault. A kind returns False when it cannot be done to this reply; the rule then stays armed."""


def kind(name: str):
    """Register a kind of fault under its name."""

    def register(function):
        KINDS[name] = function
        return function

    return register


class Faults:
    """The rules in force, in order; the first that strikes a reply changes it."""

    def __init__(self, source: list[dict] | Path | None = None):
        self.load(source)

    def load(self, source: list[dict] | Path | None) -> None:
        """Put other rules in force, from a list or a JSON file, and count requests anew. Raises FaultError."""
        entries = _read(Path(source)) if isinstance(source, str | Path) else (source or [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise FaultError("found something else; expected a list of objects, one a fault. Correct the faults.")
        known = {each.name for each in fields(Fault)} - {"fired"}
        for entry in entries:
            if (unknown := set(entry) - known) or "kind" not in entry:
                raise FaultError(
                    f"found a fault with the keys {sorted(entry)} (unknown: {sorted(unknown)}); expected a kind and any"
                    f" of {', '.join(sorted(known - {'kind'}))}. Correct the entry."
                )
        self.rules = [Fault(**entry) for entry in entries]
        self._requests: dict[str, int] = {}  # a route's requests so far, for `nth`

    def concern(self, route: str) -> bool:
        """Whether any rule could still touch this route."""
        return any(
            rule.route in (route, "*") and (rule.times is None or rule.fired < rule.times) for rule in self.rules
        )

    def apply(self, reply: Reply, *, route: str, page: int | None, day: date) -> Fault | None:
        """Do to `reply` what the first striking rule says, and tell which rule it was."""
        nth = self._requests[route] = self._requests.get(route, 0) + 1
        for rule in self.rules:
            if rule.strikes(route, nth, page, day) and KINDS[rule.kind](rule, reply) is not False:
                rule.fired += 1
                return rule
        return None


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise FaultError(f"found {error}; expected {file} to hold a JSON list of faults. Correct the file.") from error


# --- answers that are errors ----------------------------------------------------------------------------------------


@kind("status")
def status(fault: Fault, reply: Reply) -> None:
    """Another status (429, 500, 502, 503, 504, 520, …), with `retry_after`, and `remaining` and `reset` if given."""
    phrase = (
        HTTPStatus(fault.status).phrase if fault.status in set(HTTPStatus) else "Web Server Returned an Unknown Error"
    )
    reply.status, reply.body = fault.status, json.dumps({"error": phrase}).encode()
    reply.headers = {"content-type": "application/json; charset=utf-8", "x-error-message": phrase}
    if fault.retry_after is not None:
        reply.headers["retry-after"] = str(fault.retry_after)
    if fault.status == 429:
        reply.rate_limit = {"remaining": fault.remaining or 0}
    if fault.reset is not None:
        reply.rate_limit["reset"] = fault.reset


@kind("refuse_expand")
def refuse_expand(fault: Fault, reply: Reply) -> bool | None:
    """400 as if the properties in `names` were unknown to the listing; strikes only if one of them is asked for."""
    asked = {value for name, value in parse_qsl(urlsplit(reply.url).query) if name in ("expand", "expand[]")}
    if not asked & set(fault.names):
        return False
    allowed = ", ".join(name for name in LISTING_EXPANDS if name not in fault.names)
    message = f'"expand" must be one of [{allowed}]'
    reply.status, reply.body = 400, json.dumps({"error": message}).encode()
    reply.headers = {"content-type": "application/json; charset=utf-8", "x-error-message": message}
    return None


# --- answers that look well and are not -----------------------------------------------------------------------------


@kind("html")
def html(fault: Fault, reply: Reply) -> None:
    """200 with a web page in place of JSON, as a proxy or a maintenance page does."""
    reply.status, reply.headers = 200, {"content-type": "text/html; charset=utf-8"}
    reply.body = b"<!doctype html><title>Hugging Face</title><p>We'll be right back.</p>"


@kind("empty")
def empty(fault: Fault, reply: Reply) -> None:
    """200 with no body."""
    reply.status, reply.body = 200, b""


@kind("error_object")
def error_object(fault: Fault, reply: Reply) -> None:
    """200 with `{"error": …}` in place of the list."""
    reply.status, reply.body = 200, b'{"error":"Internal error - we are working on it"}'
    reply.headers.pop("link", None)


@kind("truncated_json")
def truncated_json(fault: Fault, reply: Reply) -> None:
    """Half of the JSON, with a Content-Length that agrees."""
    reply.body = reply.body[: len(reply.body) // 2]


@kind("invalid_utf8")
def invalid_utf8(fault: Fault, reply: Reply) -> bool | None:
    """A byte that is no UTF-8, inside the first string of the body."""
    at = reply.body.find(b':"')
    if at < 0:
        return False
    reply.body = reply.body[: at + 2] + b"\xff" + reply.body[at + 2 :]
    return None


# --- the connection -------------------------------------------------------------------------------------------------


@kind("hang")
def hang(fault: Fault, reply: Reply) -> None:
    """Silence for `seconds`, then the right answer."""
    reply.delay = fault.seconds


@kind("drip")
def drip(fault: Fault, reply: Reply) -> None:
    """The right answer, trickling over `seconds`."""
    reply.drip = fault.seconds


@kind("reset")
def reset(fault: Fault, reply: Reply) -> None:
    """The connection is reset before any byte of the answer."""
    reply.deliver = "reset"


@kind("short_body")
def short_body(fault: Fault, reply: Reply) -> None:
    """Half the bytes that Content-Length announces, then the connection closes."""
    reply.deliver = "cut"


@kind("gzip_cut")
def gzip_cut(fault: Fault, reply: Reply) -> None:
    """A gzip stream that ends in the middle, with a Content-Length that agrees; strikes compressed replies only."""
    reply.deliver = "cut_gzip"


# --- headers --------------------------------------------------------------------------------------------------------


@kind("missing_header")
def missing_header(fault: Fault, reply: Reply) -> None:
    """The headers in `names` (RateLimit, Date, …) are left out."""
    reply.absent_headers = tuple(name.lower() for name in fault.names)


@kind("missing_link")
def missing_link(fault: Fault, reply: Reply) -> bool | None:
    """No Link on a page that is not the last: the listing seems to end there."""
    return None if reply.headers.pop("link", None) else False


@kind("link_loop")
def link_loop(fault: Fault, reply: Reply) -> bool | None:
    """A Link that leads to the very page it stands on."""
    return _relink(reply, reply.url)


@kind("link_other_host")
def link_other_host(fault: Fault, reply: Reply) -> bool | None:
    """A Link to another host."""
    link = reply.headers.get("link", "")
    return _relink(reply, "http://other-hub.invalid/api/models" + link[1 : link.find(">")].partition("/api/models")[2])


@kind("link_relative")
def link_relative(fault: Fault, reply: Reply) -> bool | None:
    """A Link without scheme and host."""
    link = reply.headers.get("link", "")
    return _relink(reply, "/api/models" + link[1 : link.find(">")].partition("/api/models")[2])


@kind("trailing_link")
def trailing_link(fault: Fault, reply: Reply) -> bool | None:
    """A Link on the last page of a walk by creation; the page that it leads to is an empty list."""
    split = urlsplit(reply.url)
    query = parse_listing_query(split.query)
    if "link" in reply.headers or query.sort != "createdAt" or not query.ascending:
        return False
    cursor = encode_cursor({"_id": {"$gt": json.loads(reply.body)[-1]["_id"]}})
    reply.headers["link"] = next_link(f"{split.scheme}://{split.netloc}", query, cursor)
    return None


def _relink(reply: Reply, url: str) -> bool | None:
    if "link" not in reply.headers:
        return False
    reply.headers["link"] = f'<{url}>; rel="next"'
    return None


# --- rows -----------------------------------------------------------------------------------------------------------


def _change_rows(reply: Reply, change: Callable[[list[dict]], None]) -> bool | None:
    """Parse the listing's body, change its rows, and write it as the standard library does (NaN, lone surrogates)."""
    rows = json.loads(reply.body) if reply.status == 200 else None
    if not isinstance(rows, list) or not rows:
        return False
    change(rows)
    reply.body = json.dumps(rows, separators=(",", ":")).encode()
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
