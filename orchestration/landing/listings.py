"""Land one day of a listing from the live Hub: walk, shards, state, and on to `finish`, which judges and puts in place.
Each of these is a module of its own; here is only their order, and what a failure or a signal leaves behind."""

import gc
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from functools import partial
from itertools import chain
from json import JSONDecodeError
from logging import getLogger
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.hub.client import HubClient
from orchestration.hub.errors import HubIntegrityError, HubUnreachable, ObservatoryError
from orchestration.hub.listings import MODELS, Listing, Page, Walk, fetch_total
from orchestration.hub.records import Conversion, Counts, Provenance
from orchestration.landing.completeness import CompletenessBounds
from orchestration.landing.counters import is_same_counters
from orchestration.landing.days import LandedDay, refuse_other_kind
from orchestration.landing.errors import IncompleteDay, StorageFull, WrongDay
from orchestration.landing.finish import Draft, finish, landed_before, record_incomplete
from orchestration.landing.folders import DayFolder, read_json, sha256_of, write_json, write_parquet
from orchestration.settings import Settings

LOG = getLogger(__name__)

SOURCE = "hub_api"
BOUNDS = CompletenessBounds()
LICENSES = {
    False: "Hugging Face Terms of Service (listing metadata; each model has its own licence)",
    True: "simulated by the sandbox Hub",
}
LATE = "_id: created after the walk began"
STATE_VERSION = 2  # of the state file's keys: another one's walk is started over


def land_listing(
    listing: Listing,
    snapshot_date: date,
    settings: Settings,
    *,
    force: bool = False,
    progress: Callable[[str], None] = LOG.info,
    bounds: CompletenessBounds = BOUNDS,
    client: HubClient | None = None,
) -> LandedDay:
    """Land `listing` as of `snapshot_date`, which must be the Hub's own current UTC day.

    A landed day isn't fetched again unless `force`, which lands it as a new revision. A walk that was interrupted
    earlier on the same day is resumed. `progress` gets a line a shard; `bounds` are those of the completeness gate.

    Raises `WrongDay` (nothing landed), `IncompleteDay` (rows stay under `_incomplete`), `DayLocked`, `StorageFull`, and
    the Hub's errors: `HubUnreachable`, `HubUnavailable` (a re-run resumes), `HubConfigurationError`, `HubIntegrityError`.
    """
    folder = DayFolder(settings.landing_dir, listing.name, snapshot_date)
    # Arrow's own allocator keeps more than it uses: a walk of 300,000 rows peaked at 228 MB with it and at 185 MB with the
    # system's, which was a tenth quicker as well (measured 2026-11-24)
    pa.set_memory_pool(pa.system_memory_pool())
    with folder.locked(), _stopped_by_sigterm():
        landed, revision = landed_before(folder, listing, progress, force=force)
        if landed is not None:
            return landed
        with nullcontext(client) if client else HubClient.from_settings(settings) as hub:
            return _Attempt(folder, listing, hub, settings, revision, bounds, progress).run()


land_models = partial(land_listing, MODELS)


@dataclass
class _State:
    """All that a walk needs to go on after a crash. Written after each shard."""

    revision: int
    endpoint: str
    page_size: int
    captured_at: str
    is_simulated: bool
    expand: list[str]
    version: int = STATE_VERSION
    site_total: int | None = None
    site_total_note: str = ""
    expected_pages: int | None = None
    next_url: str | None = None
    is_terminal: bool = False
    is_rejected: bool = False
    pages: int = 0
    rows: int = 0
    first_id: str | None = None
    last_id: str | None = None
    resumed: int = 0  # how often the walk was taken up again
    parts: list[dict[str, object]] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)
    retries: dict[str, int] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass
class _Attempt:
    """One attempt at one day."""

    folder: DayFolder
    listing: Listing
    hub: HubClient
    settings: Settings
    revision: int
    bounds: CompletenessBounds
    progress: Callable[[str], None]
    state: _State | None = None
    walked_before: int = 0
    retried_before: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    kept: list[tuple[Page, Conversion]] = field(default_factory=list)
    writing: Future | None = None
    last: DayFolder | None = None

    def run(self) -> LandedDay:
        """Walk to the last page, or take up the walk that stopped; then judge what was fetched and put it in place."""
        self.last = self.folder.earlier(inclusive=True)
        self.state = self._resumable()
        if self.state is None or not self.state.is_terminal:
            try:
                self._walk()
            except (WrongDay, HubUnreachable) as error:
                self._give_up(error)
                raise
            except StorageFull:
                raise
            except ObservatoryError as error:
                if self.state is not None:
                    record_incomplete(self.folder, self._draft(), str(error))
                    if isinstance(error, HubIntegrityError):
                        self._reject()
                raise
        pa.default_memory_pool().release_unused()  # what pages needed, the comparison may have
        try:
            return finish(self.folder, self._draft(), self.bounds, self.progress)
        except IncompleteDay:
            self._reject()
            raise

    def _walk(self) -> None:
        walk = self._new_walk()
        pages = iter(walk)
        first = next(pages)
        # only a run's first reply is held to the day: a walk may end after midnight, but not be taken up again then
        if first.fetched_at.date() != self.folder.snapshot_date:
            raise WrongDay(self.folder.snapshot_date, first.fetched_at.date())
        if self.state is not None and not is_same_counters(self._captured_at, first.fetched_at):
            self._report("the counters may have moved since; starting over after")
            self.state = None
            self._walk()
            return
        if self.state is None:
            self._begin(first, walk)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="shards") as writer, _without_collector():
            try:
                for page in chain([first], pages):
                    self._keep(page, walk, writer)
            except (StorageFull, OSError):
                raise
            except (
                BaseException
            ):  # whatever ends the walk, a signal included: pages that came whole are not fetched again
                self._write_shard(walk, writer)
                raise
            finally:
                self._wait_for_shard()

    def _new_walk(self) -> Walk:
        walk, state = Walk(self.hub, self.listing, self.settings.page_size), self.state
        self.walked_before = state.rows if state else 0
        self.retried_before = Counter(state.retries if state else {})
        if state is not None:
            walk.url, walk.pages, walk.last_id = state.next_url, state.pages, state.last_id or ""
            walk.expand, walk.drift = tuple(state.expand), dict(state.drift)
            state.resumed += 1
            self._report("resumed after")
        return walk

    @property
    def _captured_at(self) -> datetime:
        return datetime.fromisoformat(self.state.captured_at)

    def _begin(self, page: Page, walk: Walk) -> None:
        refuse_other_kind(self.folder, self.hub.endpoint, is_simulated=page.simulated)
        self.folder.start_over()
        self.state = _State(
            revision=self.revision,
            endpoint=self.hub.endpoint,
            page_size=self.settings.page_size,
            captured_at=page.fetched_at.isoformat(),
            is_simulated=page.simulated,
            expand=list(walk.expand),
        )
        try:
            self.state.site_total = fetch_total(self.hub, self.listing)
        except ObservatoryError as error:  # an extra witness; the verdict says that it is missing
            self.state.site_total_note = f"the site's count is not to be had ({error})"
        expected = self._expected_rows()
        if expected is not None and page.count:
            page_rows = page.count if page.next_url else self.settings.page_size
            self.state.expected_pages = -(-expected // page_rows)

    def _keep(self, page: Page, walk: Walk, writer: ThreadPoolExecutor) -> None:
        state = self.state
        where_from = Provenance(
            page.number, page.fetched_at, SOURCE, _source_revision(state.captured_at), self._captured_at
        )
        conversion = page.to_table(self.listing.fields, where_from)
        # without its rows, which are in the table now: twenty-five pages of them would be the most of our memory
        self.kept.append((replace(page, rows=[]), conversion))
        is_last = page.next_url is None
        if is_last or len(self.kept) >= self.settings.pages_per_shard:
            self._write_shard(walk, writer)
        limit = None if state.expected_pages is None else self.bounds.pages_over_expected * state.expected_pages + 1
        if limit is not None and page.number > limit + walk.halved and not is_last:
            raise HubIntegrityError(
                f"{page.number:,} pages and no end, {state.expected_pages:,} were expected",
                expected=f"at most {limit:,.0f}",
                do_this="see whether the Hub now gives shorter pages",
            )

    def _write_shard(self, walk: Walk, writer: ThreadPoolExecutor) -> None:
        """Hand the kept pages to the writer, once it is done with the shard before: memory holds two at most."""
        self._wait_for_shard()
        if not self.kept:
            return
        state, (page, _) = self.state, self.kept[-1]
        counts = Counts.from_json(state.counts)
        for _, conversion in self.kept:
            counts.add(conversion.counts)
        table = pa.concat_tables([conversion.table for _, conversion in self.kept])
        self.kept = []
        if table.num_rows:
            state.first_id = state.first_id or table["_id"][0].as_py()
            state.last_id = table["_id"][-1].as_py()
            counts.oddities[LATE] += _created_after(self._captured_at, table["_id"])
        state.rows += table.num_rows
        state.pages, state.next_url = page.number, page.next_url
        state.is_terminal = page.next_url is None
        state.drift = dict(walk.drift)
        state.retries = dict(sorted((self.retried_before + self.hub.retries).items()))
        state.counts = counts.as_json()
        path = self.folder.work / f"part-{len(state.parts):05d}.parquet"
        document = asdict(state)
        self.writing = writer.submit(_write_part, path, table, state.parts, self.folder.state, document)

    def _wait_for_shard(self) -> None:
        if self.writing is not None:
            writing, self.writing = self.writing, None
            try:
                writing.result()
            except BaseException:
                self.kept = []  # they come after rows that were not written
                raise
            self._report("walked")

    def _resumable(self) -> _State | None:
        """The state of an earlier attempt that can be gone on with; None to start from the first page."""
        try:
            saved = read_json(self.folder.state)
        except (JSONDecodeError, UnicodeDecodeError) as error:
            self._say(f"the saved state is damaged ({error}); starting over")
            return None
        if saved is None:
            return None
        if not isinstance(saved, dict) or saved.get("version") != STATE_VERSION or set(saved) != STATE_KEYS:
            self._say("the saved state has other keys than this program writes; starting over")
            return None
        state = _State(**saved)
        asked = (self.revision, self.hub.endpoint, self.settings.page_size)
        if state.is_rejected or (state.revision, state.endpoint, state.page_size) != asked:
            return None
        for part in state.parts:
            path = self.folder.work / part["file"]
            if not path.exists() or sha256_of(path) != part["sha256"]:
                self._say(f"{path.name} of the interrupted walk is missing or damaged; starting over")
                return None
        self.folder.keep_only({part["file"] for part in state.parts})
        return state

    def _give_up(self, error: ObservatoryError) -> None:
        """A walk that stopped half-way on its day can't be taken up on another one: say so where days are listed."""
        if isinstance(error, WrongDay) and self.state is not None:
            reason = f"the walk stopped after {self.state.pages:,} pages and was not taken up again on its day"
            record_incomplete(self.folder, self._draft(), reason)

    def _reject(self) -> None:
        self.state.is_rejected = True
        write_json(self.folder.state, asdict(self.state))

    def _draft(self) -> Draft:
        state = self.state
        refused = frozenset(field.column_name for field in self.listing.fields if field.name not in state.expand)
        return Draft(
            listing=self.listing,
            revision=self.revision,
            source=SOURCE,
            source_revision=_source_revision(state.captured_at),
            source_license=LICENSES[state.is_simulated],
            endpoint=state.endpoint,
            captured_at=self._captured_at,
            is_simulated=state.is_simulated,
            parts=state.parts,
            rows=state.rows,
            first_id=state.first_id,
            last_id=state.last_id,
            counts=Counts.from_json(state.counts),
            drift=state.drift,
            unasked=refused - {"_id", "id"},
            pages=state.pages,
            is_terminal=state.is_terminal,
            page_size=state.page_size,
            site_total=state.site_total,
            site_total_note=state.site_total_note,
            origin={"expand": state.expand, "resumed": state.resumed, "retries": state.retries},
        )

    def _expected_rows(self) -> int | None:
        if self.state is not None and self.state.site_total is not None:
            return self.state.site_total
        return self.last.manifest()["rows"] if self.last else None

    def _report(self, what: str) -> None:
        rows = self.state.rows
        seconds = max(time.monotonic() - self.started, 1e-6)
        expected = self._expected_rows()
        of = f" of about {expected:,} ({rows / expected:.0%})" if expected else ""
        self._say(
            f"{what} {self.state.pages:,} pages, {rows:,} rows{of}, {(rows - self.walked_before) / seconds:,.0f} rows/s"
        )

    def _say(self, line: str) -> None:
        self.progress(f"{self.listing.name} {self.folder.snapshot_date}: {line}")


STATE_KEYS = {item.name for item in fields(_State)}


@contextmanager
def _without_collector() -> Iterator[None]:
    """A page is tens of thousands of objects and no cycle: looking for cycles in them again and again costs a fifth of
    a walk (measured on 300,000 rows, 2026-11-24), and frees nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Terminated(SystemExit):
    """SIGTERM: what was fetched is written, then the process ends with the status that shells know."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Turn SIGTERM into an exception, where nobody else handles it (an orchestrator does) and Python lets us."""
    is_ours = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not is_ours:
        yield
        return

    def stop(*_: object) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _write_part(
    path: Path, table: pa.Table, parts: list[dict[str, object]], state: Path, document: dict[str, object]
) -> None:
    """One shard, then the state that knows of it: a crash between the two writes the same shard again."""
    part = write_parquet(path, table)
    if table.num_rows:
        part |= {"first_id": table["_id"][0].as_py(), "last_id": table["_id"][-1].as_py()}
    parts.append(part)
    write_json(state, document | {"parts": parts})


def _created_after(moment: datetime, ids: pa.ChunkedArray) -> int:
    """How many rows are younger than the walk: an `_id` begins with the second of its creation. They are kept."""
    bound = f"{int(moment.timestamp()) + 1:08x}"
    return pc.sum(pc.greater_equal(ids, bound)).as_py() or 0


def _source_revision(captured_at: str) -> str:
    """The live Hub has no revisions: the moment of capture is what comes nearest."""
    return datetime.fromisoformat(captured_at).strftime("%Y-%m-%dT%H:%M:%SZ")
