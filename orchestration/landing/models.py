"""Land one day of the model listing: walk, shards, state, completeness gate, rename into place, capture row.
Each of these is a module of its own; here is only their order, and what a failure leaves behind."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from itertools import chain

import pyarrow as pa

from orchestration.hub.client import HubClient
from orchestration.hub.errors import HubConfigurationError, HubIntegrityError, HubUnreachable, ObservatoryError
from orchestration.hub.listings import MODELS, Listing, Page, Walk, fetch_total
from orchestration.hub.records import Provenance, to_table
from orchestration.landing import captures
from orchestration.landing.completeness import CompletenessBounds, Verdict, Walked, judge
from orchestration.landing.days import LandedDay, landed_day
from orchestration.landing.errors import IncompleteDay, WrongDay
from orchestration.landing.folders import MANIFEST, DayFolder, read_json, write_json, write_parquet
from orchestration.settings import Settings

LOG = logging.getLogger(__name__)

SOURCE = "hub_api"
BOUNDS = CompletenessBounds()
LICENSES = {
    False: "Hugging Face Terms of Service (listing metadata; each model has its own licence)",
    True: "simulated by the sandbox Hub",
}


def land_models(
    snapshot_date: date,
    settings: Settings,
    *,
    force: bool = False,
    progress: Callable[[str], None] = LOG.info,
    bounds: CompletenessBounds = BOUNDS,
    client: HubClient | None = None,
) -> LandedDay:
    """Land the model listing of `snapshot_date`, which must be the Hub's own current UTC day.

    A landed day isn't fetched again unless `force`, which lands it as a new revision. A walk that was interrupted
    earlier on the same day is resumed. `progress` gets a line a shard; `bounds` are those of the completeness gate.

    Raises `WrongDay` (nothing written), `IncompleteDay` (rows stay under `_incomplete`), `DayLocked`, and the Hub's
    errors: `HubUnreachable`, `HubUnavailable` (a re-run resumes), `HubConfigurationError`, `HubIntegrityError`.
    """
    folder = DayFolder(settings.landing_dir, MODELS.name, snapshot_date)
    with folder.locked():
        folder.finish_replacement()
        landed = folder.manifest()
        if landed is not None:
            captures.record(folder, captures.complete_row(landed))
            if not force:
                progress(f"{MODELS.name} {snapshot_date}: already landed, {landed['rows']:,} rows")
                return landed_day(folder, already_landed=True)
        revision = landed["revision"] + 1 if landed else 1
        with nullcontext(client) if client else HubClient.from_settings(settings) as hub:
            attempt = _Attempt(folder, MODELS, hub, settings, revision, bounds, progress)
            attempt.fetch()
            attempt.land()
    return landed_day(folder, already_landed=False)


@dataclass
class _State:
    """All that a walk needs to go on after a crash. Written after each shard."""

    revision: int
    endpoint: str
    page_size: int
    captured_at: str
    is_simulated: bool
    expand: list[str]
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
    parts: list[dict[str, object]] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)
    cast_errors: dict[str, int] = field(default_factory=dict)
    unknown_fields: dict[str, int] = field(default_factory=dict)


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
    started: float = field(default_factory=time.monotonic)
    tables: list[pa.Table] = field(default_factory=list)
    last: DayFolder | None = None

    def fetch(self) -> None:
        """Walk to the last page, or take up the walk that stopped. Leaves all rows in shards of the work folder."""
        self.last = self.folder.earlier(inclusive=True)
        self.state = self._resumable()
        if self.state is not None and self.state.is_terminal:
            return
        try:
            self._walk()
        except (WrongDay, HubUnreachable):
            raise
        except ObservatoryError as error:
            if self.state is not None:
                self._record_incomplete(str(error))
                if isinstance(error, HubIntegrityError):
                    self._reject()
            raise

    def land(self) -> None:
        """Judge what was fetched; put it in place, or raise `IncompleteDay`."""
        state = self.state
        parts = [self.folder.work / part["file"] for part in state.parts]
        walked = Walked(
            state.rows,
            state.pages,
            state.first_id,
            state.last_id,
            state.is_terminal,
            state.page_size,
            state.site_total,
            state.site_total_note,
        )
        verdicts, downloads_all_time = judge(walked, parts, self.last, self.bounds)
        failed = [verdict for verdict in verdicts if verdict.passed is False]
        if failed:
            reason = "; ".join(f"{verdict.observed} ({verdict.threshold})" for verdict in failed)
            self._record_incomplete(reason)
            self._reject()
            raise IncompleteDay(self.folder.snapshot_date, reason, str(self.folder.work))
        share = captures.busy_changed_share(parts, self.last)
        manifest = self._manifest(verdicts, downloads_all_time, captures.counters_date(self._captured_at, share))
        write_json(self.folder.work / MANIFEST, manifest)
        self.folder.put_in_place(self.revision)
        captures.record(self.folder, captures.complete_row(self.folder.manifest()))
        self._report("landed", state.rows)

    def _walk(self) -> None:
        walk = self._new_walk()
        pages = iter(walk)
        first = next(pages)
        # only a run's first reply is held to the day: a walk may end after midnight, but not be taken up again then
        if first.fetched_at.date() != self.folder.snapshot_date:
            raise WrongDay(self.folder.snapshot_date, first.fetched_at.date())
        if self.state is not None and not captures.is_same_counters(self._captured_at, first.fetched_at):
            self._report("the counters may have moved since; starting over after", self.state.rows)
            self.state = None
            self._walk()
            return
        for page in chain([first], pages):
            if self.state is None:
                self._begin(page, walk)
            self._keep(page, walk)

    def _new_walk(self) -> Walk:
        walk, state = Walk(self.hub, self.listing, self.settings.page_size), self.state
        self.walked_before = state.rows if state else 0
        if state is not None:
            walk.url, walk.pages, walk.last_id = state.next_url, state.pages, state.last_id or ""
            walk.expand, walk.drift = tuple(state.expand), dict(state.drift)
            self._report("resumed after", state.rows)
        return walk

    @property
    def _captured_at(self) -> datetime:
        return datetime.fromisoformat(self.state.captured_at)

    def _begin(self, page: Page, walk: Walk) -> None:
        manifest = self.last.manifest() if self.last else None
        if manifest and manifest["is_simulated"] != page.simulated:
            words = {True: "simulated", False: "real"}
            raise HubConfigurationError(
                f"{self.hub.endpoint} gives {words[page.simulated]} data, and {self.last.root} holds "
                f"{words[manifest['is_simulated']]} days",
                expected="one kind of data in one home",
                do_this="set OBSERVATORY_HOME to another folder for one of them",
            )
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
        if expected is not None and page.items:
            page_rows = len(page.items) if page.next_url else self.settings.page_size
            self.state.expected_pages = -(-expected // page_rows)

    def _keep(self, page: Page, walk: Walk) -> None:
        state = self.state
        conversion = to_table(
            page.items,
            self.listing.fields,
            Provenance(page.number, page.fetched_at, SOURCE, _source_revision(state.captured_at), self._captured_at),
        )
        self.tables.append(conversion.table)
        state.cast_errors = _added(state.cast_errors, conversion.cast_errors)
        state.unknown_fields = _added(state.unknown_fields, conversion.unknown_fields)
        is_last = page.next_url is None
        if is_last or len(self.tables) >= self.settings.pages_per_shard:
            self._write_shard(page, walk)
        limit = None if state.expected_pages is None else self.bounds.pages_over_expected * state.expected_pages + 1
        if limit is not None and page.number > limit and not is_last:
            raise HubIntegrityError(
                f"{page.number:,} pages and no end, {state.expected_pages:,} were expected",
                expected=f"at most {limit:,.0f}",
                do_this="see whether the Hub now gives shorter pages",
            )

    def _write_shard(self, page: Page, walk: Walk) -> None:
        state, table = self.state, pa.concat_tables(self.tables)
        path = self.folder.work / f"part-{len(state.parts):05d}.parquet"
        part = write_parquet(path, table)
        if table.num_rows:
            ids = table["_id"]
            part |= {"first_id": ids[0].as_py(), "last_id": ids[-1].as_py()}
            state.first_id = state.first_id or part["first_id"]
            state.last_id = part["last_id"]
        state.parts.append(part)
        state.rows += table.num_rows
        state.pages, state.next_url = page.number, page.next_url
        state.is_terminal = page.next_url is None
        state.drift = dict(walk.drift)
        self.tables = []
        write_json(self.folder.state, asdict(state))
        self._report("walked", state.rows)

    def _resumable(self) -> _State | None:
        """The state of an earlier attempt that can be gone on with; None to start from the first page."""
        saved = read_json(self.folder.state)
        if saved is None:
            return None
        state = _State(**saved)
        asked = (self.revision, self.hub.endpoint, self.settings.page_size)
        if state.is_rejected or (state.revision, state.endpoint, state.page_size) != asked:
            return None
        files = [(self.folder.work / part["file"], part["bytes"]) for part in state.parts]
        if not all(path.exists() and path.stat().st_size == size for path, size in files):
            return None
        self.folder.keep_only({path.name for path, _ in files})
        return state

    def _reject(self) -> None:
        self.state.is_rejected = True
        write_json(self.folder.state, asdict(self.state))

    def _record_incomplete(self, reason: str) -> None:
        state = self.state
        captures.record(
            self.folder,
            {
                "status": "incomplete",
                "source": SOURCE,
                "source_revision": _source_revision(state.captured_at),
                "source_license": LICENSES[state.is_simulated],
                "captured_at": self._captured_at,
                "counters_date": None,
                "models": state.rows,
                "downloads_all_time": None,
                "is_simulated": state.is_simulated,
                "reason": reason,
            },
        )

    def _manifest(
        self, verdicts: list[Verdict], downloads_all_time: int | None, counters_date: date
    ) -> dict[str, object]:
        state = self.state
        return {
            "listing": self.listing.name,
            "snapshot_date": self.folder.snapshot_date,
            "revision": self.revision,
            "source": SOURCE,
            "source_revision": _source_revision(state.captured_at),
            "source_license": LICENSES[state.is_simulated],
            "endpoint": state.endpoint,
            "captured_at": state.captured_at,
            "counters_date": counters_date,
            "is_simulated": state.is_simulated,
            "rows": state.rows,
            "bytes": sum(part["bytes"] for part in state.parts),
            "pages": state.pages,
            "page_size": state.page_size,
            "first_id": state.first_id,
            "last_id": state.last_id,
            "downloads_all_time": downloads_all_time,
            "expand": state.expand,
            "drift": state.drift,
            "cast_errors": state.cast_errors,
            "unknown_fields": state.unknown_fields,
            "retries": dict(sorted(self.hub.retries.items())),
            "completeness": [asdict(verdict) for verdict in verdicts],
            "parts": state.parts,
        }

    def _expected_rows(self) -> int | None:
        if self.state is not None and self.state.site_total is not None:
            return self.state.site_total
        return self.last.manifest()["rows"] if self.last else None

    def _report(self, what: str, rows: int) -> None:
        seconds = max(time.monotonic() - self.started, 1e-6)
        expected = self._expected_rows()
        of = f" of about {expected:,} ({rows / expected:.0%})" if expected else ""
        speed = f"{(rows - self.walked_before) / seconds:,.0f} rows/s"
        day = f"{self.listing.name} {self.folder.snapshot_date}"
        self.progress(f"{day}: {what} {self.state.pages:,} pages, {rows:,} rows{of}, {speed}")


def _source_revision(captured_at: str) -> str:
    """The live Hub has no revisions: the moment of capture is what comes nearest."""
    return datetime.fromisoformat(captured_at).strftime("%Y-%m-%dT%H:%M:%SZ")


def _added(counts: dict[str, int], more: Counter[str]) -> dict[str, int]:
    return dict(sorted((Counter(counts) + more).items()))
