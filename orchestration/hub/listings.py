"""The Hub's listings: a table of what is asked for, and the one walk that reads any of them page by page.
No row is changed here (that is `records`) and nothing is written (that is `landing`)."""

import base64
import binascii
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from queue import Full, Queue
from typing import TypeVar
from urllib.parse import parse_qs, urljoin, urlsplit

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.hub import readers, records
from orchestration.hub.client import HubClient, HubReply, origin, parse_json
from orchestration.hub.errors import HubConfigurationError, HubIntegrityError, HubUnavailable, MalformedBody
from orchestration.hub.pages import PageColumns, Prepared, columns_of, prepared, read_into
from orchestration.hub.records import Conversion, Field, Provenance, Rows, values_of

# A page that fails three times in a row may be too heavy rather than unlucky: deep, filtered or long rows ran into 504s
# on the Hub (its client's issues 2460 and 2581; set 2026-11-24).
TRIES_BEFORE_HALVING = 3

Item = TypeVar("Item")


@dataclass(frozen=True)
class Listing:
    """One listing of the Hub: where it is, which fields it has, where the site tells its total."""

    name: str
    path: str
    fields: tuple[Field, ...]
    total_path: str
    row_floor: int  # below it a whole Hub can't be, where neither the site's count nor an earlier day can tell
    floor_reason: str
    sentinels: frozenset[str] = frozenset()  # names that a whole listing has, spread over the years
    has_captures: bool = False  # its days are the warehouse's snapshot days

    @property
    def expand(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.fields if item.is_expanded)

    @property
    def required(self) -> frozenset[str]:
        return frozenset(item.name for item in self.fields if item.is_required)

    @property
    def schema(self) -> pa.Schema:
        return records.schema(self.fields)


# Left out on purpose: cardData, config, gguf, siblings (kilobytes a row; no daily question needs them).
MODELS = Listing(
    name="models",
    path="/api/models",
    total_path="/models-json?sort=created&withCount=true",
    row_floor=2_500_000,
    floor_reason="2,932,554 models on 2026-07-23 and growing by 2,500 a day; below 2.5 M it is a part (2026-11-24)",
    sentinels=frozenset(
        {
            "openai-community/gpt2",
            "google-bert/bert-base-uncased",
            "sentence-transformers/all-MiniLM-L6-v2",
            "meta-llama/Llama-3.1-8B-Instruct",
            "deepseek-ai/DeepSeek-R1",
            "Qwen/Qwen3-0.6B",
            "openai/gpt-oss-20b",
        }
    ),
    has_captures=True,
    fields=(
        Field("_id", pa.string(), readers.text, is_expanded=False, is_required=True),
        Field("id", pa.string(), readers.text, is_expanded=False, is_required=True),
        Field("author", pa.string(), readers.text),
        Field("createdAt", readers.TIMESTAMP, readers.timestamp, is_required=True),
        Field("lastModified", readers.TIMESTAMP, readers.timestamp),
        Field("downloads", pa.int64(), readers.integer, is_required=True),
        Field("downloadsAllTime", pa.int64(), readers.integer, is_required=True),
        Field("likes", pa.int64(), readers.integer),
        Field("trendingScore", pa.float64(), readers.number),
        Field("gated", pa.string(), readers.gated),
        Field("disabled", pa.bool_(), readers.flag),
        Field("private", pa.bool_(), readers.flag),
        Field("pipeline_tag", pa.string(), readers.text),
        Field("library_name", pa.string(), readers.text),
        Field("sha", pa.string(), readers.text),
        Field("tags", pa.list_(pa.string()), readers.strings),
        Field(
            "safetensors",
            pa.int64(),
            readers.safetensors_total,
            column="safetensors_total",
            rest=readers.without_total,
        ),
        Field("baseModels", readers.BASE_MODELS, readers.base_models, rest=readers.unknown_of_base_models),
    ),
)


def _common_fields(*, has_downloads: bool) -> tuple[Field, ...]:
    """What every listing of the Hub tells of a repository."""
    counters = (
        Field("downloads", pa.int64(), readers.integer, is_required=True),
        Field("downloadsAllTime", pa.int64(), readers.integer),
    )
    return (
        Field("_id", pa.string(), readers.text, is_expanded=False, is_required=True),
        Field("id", pa.string(), readers.text, is_expanded=False, is_required=True),
        Field("author", pa.string(), readers.text),
        Field("createdAt", readers.TIMESTAMP, readers.timestamp, is_required=True),
        Field("lastModified", readers.TIMESTAMP, readers.timestamp),
        *(counters if has_downloads else ()),
        Field("likes", pa.int64(), readers.integer),
        Field("trendingScore", pa.float64(), readers.number),
        Field("disabled", pa.bool_(), readers.flag),
        Field("private", pa.bool_(), readers.flag),
        Field("sha", pa.string(), readers.text),
        Field("tags", pa.list_(pa.string()), readers.strings),
    )


# cardData, citation and description are left out: kilobytes of text a row.
DATASETS = Listing(
    name="datasets",
    path="/api/datasets",
    total_path="/datasets-json?sort=created&withCount=true",
    row_floor=100_000,
    floor_reason="the Hub had several hundred thousand datasets in 2025; a tenth of a million is a part (2026-11-24)",
    fields=(*_common_fields(has_downloads=True), Field("gated", pa.string(), readers.gated)),
)

# siblings, runtime and the lists of models and datasets are left out.
SPACES = Listing(
    name="spaces",
    path="/api/spaces",
    total_path="/spaces-json?sort=created&withCount=true",
    row_floor=1_000_000,
    floor_reason="a walk of July 2026 counted 1.43 M spaces; a million is a part of them (2026-11-24)",
    fields=(*_common_fields(has_downloads=False), Field("sdk", pa.string(), readers.text)),
)

# The registry. Models are what everything is built on; the others land when OBSERVATORY_LISTINGS names them.
LISTINGS: dict[str, Listing] = {listing.name: listing for listing in (MODELS, DATASETS, SPACES)}


@dataclass(frozen=True)
class Page:
    """One page that passed every check. `number` counts from 1; `next_url` is None on the last."""

    number: int
    rows: PageColumns | list[dict[str, object]]
    count: int
    fetched_at: datetime
    next_url: str | None
    simulated: bool

    def to_table(self, fields: Sequence[Field], provenance: Provenance) -> Conversion:
        """The page in the landed schema."""
        if isinstance(self.rows, list):
            return records.to_table(self.rows, fields, provenance)
        rows = Rows(self.count)
        read_into(rows, self.rows, fields)
        return rows.conversion(fields, provenance)


@dataclass
class Walk:
    """A walk over a whole listing in the order of creation, which is the order of `_id`.

    The cursor is a bound on `_id`, so no row can move during the walk, and the walk can be taken up again at `url`,
    after `pages` pages, the last row being `last_id`. `drift` collects what was unusual and harmless: kind → count.
    """

    client: HubClient
    listing: Listing
    page_size: int
    expand: tuple[str, ...] = ()
    url: str | None = None
    pages: int = 0
    last_id: str = ""
    drift: dict[str, int] = field(default_factory=dict)
    halved: int = 0  # pages that came with fewer rows because whole ones failed

    def __iter__(self) -> Iterator[Page]:
        """Pages until the Hub names no next one. Raises the client's errors, `HubIntegrityError` for a broken order,
        size or next page, and `HubConfigurationError` if a field we can't do without is refused."""
        page = self._checked(self._fetch())
        yield page
        while page.next_url is not None:
            # one page is dealt with, the next one is read and the one after fetched, all at the same time
            with ahead(self._bodies(page.next_url)) as bodies, ahead(map(self._read, bodies)) as replies:
                for asked, reply in replies:
                    if asked != page.next_url:
                        break  # a page was asked for again, and now names another next one
                    self.url = asked
                    page = self._checked(reply)
                    yield page
                    if page.next_url is None:
                        return

    def _bodies(self, url: str | None) -> Iterator[tuple[str, HubReply, Prepared | None]]:
        """The addresses from one page on, each with its reply and that made ready for the parser, as long as replies name
        a next one. Nothing is checked."""
        while url is not None:
            reply = self._fetch_smaller_if_need_be(url, is_parsed=False)
            yield url, reply, prepared(reply.body)
            url = self._following(reply)

    def _following(self, reply: HubReply) -> str | None:
        return with_limit(urljoin(reply.url, reply.next_url), self.page_size) if reply.next_url else None

    def _read(self, fetched: tuple[str, HubReply, Prepared | None]) -> tuple[str, HubReply]:
        """The reply with its rows: the quick way, or as JSON, or asked for again if it is none."""
        asked, reply, ready = fetched
        columns = columns_of(ready, self.listing.fields) if ready is not None else None
        if columns is not None:
            return asked, replace(reply, document=columns, body=b"")
        try:
            reply = replace(reply, document=parse_json(reply.body), body=b"")
            check_page(reply)
        except MalformedBody as error:
            self.client.retries[type(error).__name__] += 1
            reply = self._fetch_smaller_if_need_be(asked)
        return asked, reply

    def _fetch(self) -> HubReply:
        if self.url is not None:
            return self._fetch_smaller_if_need_be(self.url)
        self.expand = self.listing.expand
        try:
            return self._fetch_first()
        except HubConfigurationError as refusal:
            if refusal.status != 400:
                raise
            self.expand = self._negotiated(refusal)
        return self._fetch_first()

    def _fetch_smaller_if_need_be(self, url: str, *, is_parsed: bool = True) -> HubReply:
        """The page; after repeated failures half as many rows of it, and half again: heavy pages run into timeouts."""
        sizes = list(dict.fromkeys(max(1, self.page_size // part) for part in (1, 2, 4)))
        for size in sizes[:-1]:
            try:
                return self._get(with_limit(url, size), tries=TRIES_BEFORE_HALVING, is_parsed=is_parsed)
            except HubUnavailable:
                self.halved += 4  # at most four pages now take the place of one
                self._note("a page was asked for with half the rows after repeated failures")
        return self._get(with_limit(url, sizes[-1]), is_parsed=is_parsed)

    def _get(self, target: str, **how: object) -> HubReply:
        return self.client.get(target, check=check_page, **how)

    def _fetch_first(self) -> HubReply:
        question = [("sort", "createdAt"), ("direction", "1"), ("limit", str(self.page_size))]
        question += [("expand", name) for name in self.expand]
        return self._get(self.listing.path, params=question)

    def _negotiated(self, refusal: HubConfigurationError) -> tuple[str, ...]:
        """The fields that the Hub's refusal says it takes. It has changed its mind about some of them before."""
        accepted = accepted_expands(refusal.said)
        refused = [name for name in self.listing.expand if name not in accepted]
        if not accepted or not refused:
            raise refusal
        missing = sorted(self.listing.required.intersection(refused))
        if missing:
            raise HubConfigurationError(
                f"The Hub's listing {self.listing.path} no longer gives {', '.join(missing)}: {refusal.said}",
                expected="at least " + ", ".join(sorted(self.listing.required)),
                do_this="find where the Hub tells these now; a snapshot without them is worth nothing",
                status=400,
                said=refusal.said,
            ) from refusal
        for name in refused:
            self._note(f"the Hub refused expand={name}; the column is null")
        return tuple(name for name in self.listing.expand if name in accepted)

    def _checked(self, reply: HubReply) -> Page:
        rows: PageColumns | list[dict[str, object]] = reply.document
        ids = pa.array(values_of(rows, "_id"), pa.string()) if isinstance(rows, list) else rows.ids
        self.pages += 1
        where = f"page {self.pages} ({reply.url})"
        if len(ids) > self.page_size:
            raise HubIntegrityError(f"{where} has {len(ids)} rows", expected=f"at most {self.page_size}")
        before = pa.concat_arrays([pa.array([self.last_id]), ids.slice(0, max(len(ids) - 1, 0))])
        if len(ids) and not pc.all(pc.greater(ids, before)).as_py():
            at = pc.index(pc.greater(ids, before), False).as_py()
            raise HubIntegrityError(
                f"{where} has _id {ids[at]} after {before[at]}",
                expected="strictly increasing _id inside and across pages",
                do_this="run the day again; if it stays so, the Hub no longer sorts by createdAt as asked",
            )
        self.last_id = ids[-1].as_py() if len(ids) else self.last_id
        if reply.damaged:
            self._note("invalid UTF-8 in a page, twice the same: bad bytes are replaced by U+FFFD")
        next_url = self._next_url(reply, where, len(ids))
        simulated = reply.headers.get("x-sandbox-data", "recorded") != "recorded"
        return Page(self.pages, rows, len(ids), reply.date, next_url, simulated)

    def _next_url(self, reply: HubReply, where: str, rows: int) -> str | None:
        if reply.next_url is None:
            return None
        next_url = urljoin(reply.url, reply.next_url)
        if origin(next_url) != origin(reply.url) or urlsplit(next_url).path != urlsplit(reply.url).path:
            raise HubIntegrityError(
                f"{where} names {next_url} as its next page",
                expected="the same scheme, host and path",
                do_this="don't send a token there; if the Hub has moved, set OBSERVATORY_HUB_ENDPOINT",
            )
        if next_url == reply.url:
            raise HubIntegrityError(f"{where} names itself as its next page", expected="another cursor")
        if rows == 0:
            raise HubIntegrityError(f"{where} is empty and names a next page", expected="rows, or no next page")
        if rows < limit_of(reply.url, self.page_size):
            self._note("a page other than the last is shorter than asked for")
        if cursor_id(next_url) != self.last_id:
            self._note("a cursor doesn't decode to the page's last _id")
        return with_limit(next_url, self.page_size)

    def _note(self, kind: str) -> None:
        self.drift[kind] = self.drift.get(kind, 0) + 1


@contextmanager
def ahead(source: Iterable[Item]) -> Iterator[Iterator[Item]]:
    """The same items, the next one being made in a thread while the last one is used; one waits at most.

    The thread is a daemon: whoever is told to stop needn't wait for a page that hangs. An error comes in its turn.
    """
    made: Queue[tuple[Item | None, BaseException | None]] = Queue(maxsize=1)
    closed = threading.Event()

    def put(item: Item | None, error: BaseException | None) -> None:
        while not closed.is_set():
            with suppress(Full):
                made.put((item, error), timeout=0.2)
                return

    def run() -> None:
        try:
            for item in source:
                put(item, None)
                if closed.is_set():
                    return
            put(None, StopIteration())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the next item
            put(None, error)

    def items() -> Iterator[Item]:
        while True:
            item, error = made.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item

    threading.Thread(target=run, name="ahead", daemon=True).start()
    try:
        yield items()
    finally:
        closed.set()


def fetch_total(client: HubClient, listing: Listing) -> int:
    """How many repositories the Hub's site counts: an address that nothing documents, so two tries and no more.

    Raises `ObservatoryError` where it isn't to be had.
    """
    reply = client.get(listing.total_path, bucket="pages", tries=2, check=_check_total)
    return reply.document["numTotalItems"]


def accepted_expands(said: str) -> frozenset[str]:
    """The names that a refusal lists, in either wording known: `must be one of [a, b]`, `expected one of "a"|"b"`."""
    listed = re.search(r"one of\s+\[([^\]]*)\]", said) or re.search(r"one of\s+((?:\"[^\"]*\"\s*\|?\s*)+)", said)
    return frozenset(re.findall(r"[\w-]+", listed.group(1))) if listed else frozenset()


def cursor_id(url: str) -> str | None:
    """The `_id` in a cursor of the form base64({"_id": {"$gt": …}}), or None if it has another form."""
    cursor = parse_qs(urlsplit(url).query).get("cursor", [""])[0]
    try:
        bound = orjson.loads(base64.b64decode(cursor, validate=True))["_id"]["$gt"]
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return bound if isinstance(bound, str) else None


def limit_of(url: str, default: int) -> int:
    """The rows that an address asks for."""
    told = parse_qs(urlsplit(url).query).get("limit", [""])[0]
    return int(told) if told.isdecimal() else default


def with_limit(url: str, limit: int) -> str:
    """The same address, asking for so many rows; unchanged if it asks for them already or says no number."""
    return url if limit_of(url, limit) == limit else re.sub(r"(?<=[?&]limit=)\d+", str(limit), url)


def check_page(reply: HubReply) -> None:
    """Raises `MalformedBody` unless the document is a list of objects that have `_id` and `id`, with a readable date."""
    items = reply.document
    if reply.body or isinstance(items, PageColumns):  # not looked into yet, or already
        reply.date  # noqa: B018 (raises where the header is missing)
        return
    if not isinstance(items, list):
        raise MalformedBody(f"a {type(items).__name__} instead of a list: {str(items)[:200]}")
    if not set(map(type, items)) <= {dict}:
        position = next(position for position, item in enumerate(items) if type(item) is not dict)
        raise MalformedBody(f"row {position} is a {type(items[position]).__name__}")
    for name in ("_id", "id"):
        if not set(map(type, values_of(items, name))) <= {str}:
            position = next(position for position, item in enumerate(items) if type(item.get(name)) is not str)
            raise MalformedBody(f"row {position} has no _id or no id: {str(items[position])[:200]}")
    reply.date  # noqa: B018 (raises where the header is missing: the day rests on it)


def _check_total(reply: HubReply) -> None:
    document = reply.document
    if not isinstance(document, dict) or type(document.get("numTotalItems")) is not int:
        raise MalformedBody("no numTotalItems")
