"""What the sandbox Hub can do wrong to any reply: statuses, broken connections, odd bodies, headers and links.
Faults inside a listing's rows are in `row_faults`."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from orchestration.sandbox.fault_rules import Fault, Reply, kind
from orchestration.sandbox.listing_kinds import LISTINGS
from orchestration.sandbox.listing_query import encode_cursor, next_link, parse_listing_query

JSON_HEADERS = {"content-type": "application/json; charset=utf-8"}


# --- answers that are errors ----------------------------------------------------------------------------------------


@kind("status")
def status(fault: Fault, reply: Reply) -> None:
    """Another status (429, 500, 502, 503, 504, 520, …), with `retry_after`, and `remaining` and `reset` if given."""
    phrase = (
        HTTPStatus(fault.status).phrase if fault.status in set(HTTPStatus) else "Web Server Returned an Unknown Error"
    )
    reply.status, reply.body = fault.status, json.dumps({"error": phrase}).encode()
    reply.headers = JSON_HEADERS | {"x-error-message": phrase}
    if fault.retry_after is not None:
        reply.headers["retry-after"] = str(fault.retry_after)
    if fault.status == 429:
        reply.rate_limit = {"remaining": fault.remaining or 0}
    if fault.reset is not None:
        reply.rate_limit["reset"] = fault.reset


@kind("redirect")
def redirect(fault: Fault, reply: Reply) -> None:
    """307 to `location`, or to the same query on a path that isn't there."""
    split = urlsplit(reply.url)
    reply.status, reply.body = 307, b""
    moved = f"/moved{split.path}" + (f"?{split.query}" if split.query else "")
    reply.headers = {"location": fault.location or moved}


@kind("refuse_expand")
def refuse_expand(fault: Fault, reply: Reply) -> bool | None:
    """400 as if the properties in `names` were unknown to the listing; strikes only if one of them is asked for."""
    return _refuse_expand(fault, reply, lambda allowed: f'"expand" must be one of [{", ".join(allowed)}]')


@kind("refuse_expand_as_option")
def refuse_expand_as_option(fault: Fault, reply: Reply) -> bool | None:
    """The same refusal in the other wording that has been seen: `expected one of "a"|"b"`."""
    return _refuse_expand(
        fault, reply, lambda allowed: "Invalid option: expected one of " + "|".join(f'"{name}"' for name in allowed)
    )


def _refuse_expand(fault: Fault, reply: Reply, worded: Callable[[list[str]], str]) -> bool | None:
    asked = {value for name, value in parse_qsl(urlsplit(reply.url).query) if name in ("expand", "expand[]")}
    if reply.route not in LISTINGS or not asked & set(fault.names):
        return False
    message = worded([name for name in LISTINGS[reply.route].expands if name not in fault.names])
    reply.status, reply.body = 400, json.dumps({"error": message}).encode()
    reply.headers = JSON_HEADERS | {"x-error-message": message}
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


@kind("empty_object")
def empty_object(fault: Fault, reply: Reply) -> None:
    """200 with `{}` in place of the list."""
    reply.status, reply.body = 200, b"{}"
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


@kind("flipped_byte")
def flipped_byte(fault: Fault, reply: Reply) -> bool | None:
    """One byte in the middle is another: the length agrees, a sha256 no longer. Strikes only where there is a body."""
    if not reply.body:
        return False
    middle = len(reply.body) // 2
    reply.body = reply.body[:middle] + bytes([reply.body[middle] ^ 0xFF]) + reply.body[middle + 1 :]
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
def short_body(fault: Fault, reply: Reply) -> bool | None:
    """Half the bytes that Content-Length announces, then the connection closes. Strikes only where there is a body."""
    return _cut(reply, "cut")


@kind("reset_midway")
def reset_midway(fault: Fault, reply: Reply) -> bool | None:
    """Headers and half the bytes, then the connection is reset. Strikes only where there is a body."""
    return _cut(reply, "cut_reset")


@kind("gzip_cut")
def gzip_cut(fault: Fault, reply: Reply) -> bool | None:
    """A gzip stream that ends in the middle, with a Content-Length that agrees; strikes compressed replies only."""
    return _cut(reply, "cut_gzip") if reply.is_compressed else False


def _cut(reply: Reply, deliver: str) -> bool | None:
    if not reply.body:
        return False
    reply.deliver = deliver
    return None


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


@kind("link_back")
def link_back(fault: Fault, reply: Reply) -> bool | None:
    """A Link that leads back to the walk's first page."""
    split = urlsplit(reply.url)
    rest = "&".join(part for part in split.query.split("&") if not part.startswith("cursor="))
    return _relink(reply, f"{split.scheme}://{split.netloc}{split.path}?{rest}")


@kind("link_other_host")
def link_other_host(fault: Fault, reply: Reply) -> bool | None:
    """A Link to another host."""
    return _relink(reply, f"http://other-hub.invalid{_next_page(reply)}")


@kind("link_relative")
def link_relative(fault: Fault, reply: Reply) -> bool | None:
    """A Link without scheme and host."""
    return _relink(reply, _next_page(reply))


@kind("trailing_link")
def trailing_link(fault: Fault, reply: Reply) -> bool | None:
    """A Link on the last page of a walk by creation; the page that it leads to is an empty list."""
    if not ends_walk_by_creation(reply):
        return False
    split = urlsplit(reply.url)
    cursor = encode_cursor({"_id": {"$gt": json.loads(reply.body)[-1]["_id"]}})
    query = parse_listing_query(split.query, LISTINGS[reply.route])
    reply.headers["link"] = next_link(f"{split.scheme}://{split.netloc}", query, cursor)
    return None


def ends_walk_by_creation(reply: Reply) -> bool:
    """Whether a reply is the last page, with rows on it, of a listing in the order of creation."""
    if reply.route not in LISTINGS or reply.status != 200 or "link" in reply.headers or reply.body in (b"", b"[]"):
        return False
    query = parse_listing_query(urlsplit(reply.url).query, LISTINGS[reply.route])
    return query.sort == "createdAt" and query.ascending


def _next_page(reply: Reply) -> str:
    """The path and the query that the Link leads to."""
    split = urlsplit(reply.headers.get("link", "").partition(">")[0].removeprefix("<"))
    return f"{split.path}?{split.query}"


def _relink(reply: Reply, url: str) -> bool | None:
    if "link" not in reply.headers:
        return False
    reply.headers["link"] = f'<{url}>; rel="next"'
    return None
