"""Dated revisions of public Hub statistics: which there are, which day each one tells, and how its file is fetched, pinned.
Everything goes through `huggingface_hub`; what is in the file, and what becomes of its rows, is for `landing.archive`."""

import hashlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, set_client_factory
from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import _http as hub_http
from huggingface_hub.utils import tqdm

from orchestration.hub.client import LOOPBACK, NO_CONNECTION, REPLY_SECONDS, TIMEOUT, RetryPolicy, origin
from orchestration.hub.errors import (
    Action,
    HubConfigurationError,
    HubIntegrityError,
    HubUnavailable,
    HubUnreachable,
    MalformedBody,
    ObservatoryError,
    action_for_exception,
    action_for_status,
)
from orchestration.hub.governor import Governor, Priority, governor_for
from orchestration.settings import Settings

Result = TypeVar("Result")

RETRY = RetryPolicy()

# 1.6 GB, the largest file seen, at a quarter of a megabyte a second: slower is broken (set 2026-11-24).
DOWNLOAD_SECONDS = 2 * 3600.0
# A job that uploads yesterday's file again repeats one of the last days; what lies further back, the manifests of landed
# days tell. Each day costs two to six requests (set 2026-11-24).
LOOK_BACK = timedelta(days=7)
# How far from a day its neighbours are looked for, in steps, since each day looked at costs requests (set 2026-11-24).
NEIGHBOURS_WITHIN = (1, 3, 7, 14, 31)
PATHS_PER_QUESTION = 50  # what the Hub answers at once when it is to tell each file's last commit
SHA1, SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Archive:
    """One dataset of dated Hub statistics. `{label}` in `file` is the first day of a week."""

    name: str  # the `source` of its rows
    repo: str
    file: str
    license: str
    dating: str  # how a revision gets its day, in words
    upstream: str | None = None  # the archive whose last revision before the next week a weekly file holds


ARCHIVES: dict[str, Archive] = {
    archive.name: archive
    for archive in (
        Archive(
            name="hub_stats",
            repo="cfahlgren1/hub-stats",
            file="models.parquet",
            license="Apache-2.0",
            dating="the UTC day of the commit that changed the file; of several, the last",
        ),
        Archive(
            name="weekly",
            repo="hfmlsoc/hub_weekly_snapshots",
            file="models/{label}/models.parquet",
            license="ODbL-1.0",
            dating="the label is the week's first day; the rows are those of upstream's last commit before the next week",
            upstream="hub_stats",
        ),
    )
}


@dataclass(frozen=True)
class Commit:
    """One commit of a dataset; `at` is UTC."""

    sha: str
    at: datetime


@dataclass(frozen=True)
class FileSeen:
    """A file at one revision, as the Hub describes it. `committed_at` is its own last commit's time, where told."""

    bytes: int
    sha256: str
    committed_at: datetime | None = None


@dataclass(frozen=True)
class Revision:
    """One snapshot of an archive, pinned: `file` at commit `sha` has that many bytes and that sha256.

    `observed_at` (UTC) is when the rows were true, as well as it is known; `snapshot_date` its day. `repeats` is the
    earlier day whose file this one is, byte for byte.
    """

    archive: Archive
    sha: str
    committed_at: datetime | None
    observed_at: datetime
    file: str
    bytes: int
    sha256: str
    observed_at_is_estimated: bool = False
    repeats: date | None = None

    @property
    def snapshot_date(self) -> date:
        return self.observed_at.astimezone(UTC).date()

    @property
    def is_stale(self) -> bool:
        return self.repeats is not None


def archive_named(name: str) -> Archive:
    """The archive of the registry. Raises `ObservatoryError` for a name that isn't there."""
    if name not in ARCHIVES:
        raise ObservatoryError(
            f"There is no archive named {name!r}",
            expected=f"one of {', '.join(sorted(ARCHIVES))}",
            do_this="correct the name of the archive",
        )
    return ARCHIVES[name]


# --- which revisions there are ---------------------------------------------------------------------------------------


def list_revisions(hf: "ArchiveClient", archive: Archive, first: date, last: date) -> list[Revision]:
    """The revisions that tell the days from `first` to `last`, in order, at most one a day; stale ones are marked.

    A commit that leaves the file as it was is none. Raises the Hub's errors; `HubConfigurationError` if the archive is
    gone.
    """
    found = _weekly(hf, archive, first, last) if archive.upstream else _daily(hf, archive, first, last)
    return [revision for revision in _marked(found) if first <= revision.snapshot_date <= last]


def revision_for(hf: "ArchiveClient", archive: Archive, day: date) -> Revision | None:
    """The revision that tells `day`, or None: the day is a gap."""
    return next(iter(list_revisions(hf, archive, day, day)), None)


def nearest_revision(hf: "ArchiveClient", archive: Archive, day: date) -> Revision | None:
    """The revision that isn't stale and whose day is fewest days from `day`, the earlier of two; None if there is none."""
    distances = [abs((commit.at.date() - day).days) for commit in hf.commits(archive)]
    # no revision is nearer than the nearest commit, but a weekly one, whose day isn't its commit's
    start, more = 0 if archive.upstream else min(distances, default=0), 0
    while True:
        found = _fresh(hf, archive, day, start + more)
        if found:
            return min(found, key=lambda revision: (abs(revision.snapshot_date - day), revision.snapshot_date))
        if start + more > max(distances, default=0) + WEEK.days:
            return None
        more = 2 * more + 1


def neighbours(hf: "ArchiveClient", archive: Archive, day: date) -> tuple[Revision | None, Revision | None]:
    """The revisions next before and next after a day without one, as far as a month away."""
    before = after = None
    for within in NEIGHBOURS_WITHIN:
        found = _fresh(hf, archive, day, within)
        before = next((revision for revision in reversed(found) if revision.snapshot_date < day), None)
        after = next((revision for revision in found if revision.snapshot_date > day), None)
        if before and after:
            break
    return before, after


def _fresh(hf: "ArchiveClient", archive: Archive, day: date, within: int) -> list[Revision]:
    reach = timedelta(days=within)
    return [revision for revision in list_revisions(hf, archive, day - reach, day + reach) if not revision.is_stale]


def _daily(hf: "ArchiveClient", archive: Archive, first: date, last: date) -> Iterator[Revision]:
    """One revision a day from a week before `first` on: the day's last commit whose file isn't its predecessor's."""
    commits = hf.commits(archive)
    found: dict[date, Revision] = {}
    for place, commit in enumerate(commits):
        day = commit.at.date()
        if day in found or not first - LOOK_BACK <= day <= last:
            continue
        seen = _change(hf, archive, commits, place)
        if seen is not None:
            found[day] = Revision(archive, commit.sha, commit.at, commit.at, archive.file, seen.bytes, seen.sha256)
    yield from (found[day] for day in sorted(found))


def _change(hf: "ArchiveClient", archive: Archive, commits: list[Commit], place: int) -> FileSeen | None:
    """The file at a commit, if the commit made it what it is."""
    seen = hf.file_at(archive, commits[place].sha, archive.file)
    if seen is None:
        return None
    before = hf.file_at(archive, commits[place + 1].sha, archive.file) if place + 1 < len(commits) else None
    return None if before is not None and before.sha256 == seen.sha256 else seen


def _weekly(hf: "ArchiveClient", archive: Archive, first: date, last: date) -> Iterator[Revision]:
    """One revision a label. A label whose upstream didn't change in its week repeats the week before, and is none."""
    labels = [first - LOOK_BACK - WEEK + timedelta(days=n) for n in range((last - first + LOOK_BACK + WEEK).days + 1)]
    files = {archive.file.replace("{label}", label.isoformat()): label for label in labels}
    commits = hf.commits(archive)
    if not commits:
        return
    head = commits[0].sha
    for path, seen in sorted(hf.files_at(archive, head, list(files)).items()):
        label = files[path]
        upstream, is_known = _upstream_change(hf, ARCHIVES[archive.upstream], label + WEEK)
        if not is_known:
            observed_at = _estimated(label, seen)
        elif upstream is not None and upstream.at.date() >= label:
            observed_at = upstream.at
        else:
            continue
        yield Revision(
            archive, head, seen.committed_at, observed_at, path, seen.bytes, seen.sha256,
            observed_at_is_estimated=not is_known,
        )  # fmt: skip


def _upstream_change(hf: "ArchiveClient", upstream: Archive, end: date) -> tuple[Commit | None, bool]:
    """Upstream's last commit before `end` that changed its file, and whether its history tells."""
    try:
        commits = hf.commits(upstream)
        for place, commit in enumerate(commits):
            if commit.at.date() >= end:
                continue
            if commit.at.date() < end - WEEK:
                return None, True
            if _change(hf, upstream, commits, place):
                return commit, True
    except HubConfigurationError:  # taken down: the weekly archive then stands alone
        pass
    return None, False


def _estimated(label: date, seen: FileSeen) -> datetime:
    """The noon of the week's last day, or the file's own commit, if that came earlier."""
    noon = datetime.combine(label + WEEK - timedelta(days=1), time_of_day(12), UTC)
    return min(noon, seen.committed_at) if seen.committed_at else noon


def _marked(revisions: Iterator[Revision]) -> Iterator[Revision]:
    """In order of days, each with the earlier day whose file it repeats."""
    days: dict[str, date] = {}
    for revision in sorted(revisions, key=lambda revision: (revision.observed_at, revision.file)):
        earlier = days.setdefault(revision.sha256, revision.snapshot_date)
        is_first = earlier == revision.snapshot_date
        yield revision if is_first else replace(revision, repeats=earlier)


# --- the file itself -------------------------------------------------------------------------------------------------


def fetch(hf: "ArchiveClient", revision: Revision, folder: Path, progress: Callable[[str], None]) -> Path:
    """The revision's file in `folder`, with the pinned size and sha256. One that is there already isn't fetched again.

    A file that differs is removed and fetched anew, once; then `HubIntegrityError`. Raises the Hub's errors, and OSError
    if there is no room.
    """
    path = folder / revision.file
    if path.exists() and _difference(path, revision) is None:
        progress(f"{revision.archive.name} {revision.snapshot_date}: the file is here already")
        return path
    difference = ""
    for _ in range(2):
        path.unlink(missing_ok=True)
        hf.download(revision, folder, progress)
        difference = _difference(path, revision)
        if difference is None:
            return path
        progress(f"{revision.archive.name} {revision.snapshot_date}: {difference}")
    path.unlink(missing_ok=True)
    raise HubIntegrityError(
        f"{revision.archive.repo} at {revision.sha} gave {revision.file} twice with {difference}",
        expected=f"{revision.bytes:,} bytes with sha256 {revision.sha256}, as the Hub describes it",
        do_this="run the day again later; if it stays so, the archive or what lies between can't be trusted",
    )


def _difference(path: Path, revision: Revision) -> str | None:
    """How a downloaded file differs from the pinned one, in words."""
    size = path.stat().st_size
    if size != revision.bytes:
        return f"{size:,} bytes instead of {revision.bytes:,}"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return None if digest == revision.sha256 else f"sha256 {digest} instead of {revision.sha256}"


# --- the client ------------------------------------------------------------------------------------------------------

# The library has one HTTP client for all; whoever closes or replaces it does so for everyone in the process.
_LIBRARY = threading.RLock()


class ArchiveClient:
    """`huggingface_hub` on our terms: the shared rate budget, real timeouts, bounded tries, no token to strangers.

    Use as a context manager; while one is open in a process, a second waits. What was listed and seen is kept, so a
    range of days asks for an archive's commits once. `is_simulated` tells whether a sandbox answered; None before the
    first reply. `sleep` and `clock` (seconds, monotonic) are for tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        governor: Governor | None = None,
        retry: RetryPolicy = RETRY,
        timeout: httpx2.Timeout = TIMEOUT,
        reply_seconds: float = REPLY_SECONDS,
        download_seconds: float = DOWNLOAD_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.endpoint = settings.hub_endpoint
        self.is_simulated: bool | None = None
        self._token = (settings.hf_token.get_secret_value() if settings.hf_token else None) or False
        self._governor = governor or governor_for(self.endpoint, self._token or None, settings.rate_share)
        self._retry, self._timeout, self._sleep, self._clock = retry, timeout, sleep, clock
        self._reply_seconds, self._download_seconds = reply_seconds, download_seconds
        self._api = HfApi(endpoint=self.endpoint, token=self._token, library_name="open-model-observatory")
        self._connected = False
        self._download_until: float | None = None  # set while a file is being fetched
        self._asked: set[str] = set()  # addresses of the present question
        self._total: int | None = None  # commits that the present question's replies announce
        self._commits: dict[str, list[Commit]] = {}
        self._files: dict[tuple[str, str, str], FileSeen | None] = {}
        self._restore: list[Callable[[], None]] = []

    def __enter__(self) -> "ArchiveClient":
        _LIBRARY.acquire()
        factory, without_xet = hub_http._GLOBAL_CLIENT_FACTORY, constants.HF_HUB_DISABLE_XET
        set_client_factory(self._session)
        constants.HF_HUB_DISABLE_XET = True  # Xet's own client knows neither our budget nor our timeouts
        self._restore.append(lambda: set_client_factory(factory))
        self._restore.append(lambda: setattr(constants, "HF_HUB_DISABLE_XET", without_xet))
        return self

    def __exit__(self, *_: object) -> None:
        while self._restore:
            self._restore.pop()()
        _LIBRARY.release()

    # --- what can be asked ---

    def commits(self, archive: Archive) -> list[Commit]:
        """All commits of an archive's main branch, the newest first. Asked once. Raises the Hub's errors."""
        if archive.name not in self._commits:
            self._commits[archive.name] = self._ask(archive, lambda: self._listed(archive))
        return self._commits[archive.name]

    def file_at(self, archive: Archive, sha: str, path: str) -> FileSeen | None:
        """A file at a revision, or None if there is none. Asked once. Raises the Hub's errors."""
        return self.files_at(archive, sha, [path]).get(path)

    def files_at(self, archive: Archive, sha: str, paths: list[str]) -> dict[str, FileSeen]:
        """Those of the files that exist at a revision. Asked once. Raises the Hub's errors."""
        unseen = [path for path in paths if (archive.name, sha, path) not in self._files]
        for start in range(0, len(unseen), PATHS_PER_QUESTION):
            some = unseen[start : start + PATHS_PER_QUESTION]
            found = self._ask(archive, lambda some=some: self._seen(archive, sha, some))
            self._files |= {(archive.name, sha, path): found.get(path) for path in some}
        seen = {path: self._files[archive.name, sha, path] for path in paths}
        return {path: file for path, file in seen.items() if file is not None}

    def download(self, revision: Revision, folder: Path, progress: Callable[[str], None]) -> Path:
        """Fetch the file to `folder` over plain HTTP. Its content isn't checked here. Raises the Hub's errors."""
        folder.mkdir(parents=True, exist_ok=True)
        self._download_until = self._clock() + self._download_seconds
        try:
            return self._ask(revision.archive, lambda: self._downloaded(revision, folder, progress))
        finally:
            self._download_until = None
            shutil.rmtree(folder / ".cache", ignore_errors=True)  # what the library remembers; we check the file itself

    def _listed(self, archive: Archive) -> list[Commit]:
        try:
            listed = self._api.list_repo_commits(archive.repo, repo_type="dataset")
            commits = [Commit(item.commit_id, item.created_at.astimezone(UTC)) for item in listed]
        except (ValueError, KeyError, TypeError, AttributeError) as error:  # the library doesn't check what it parses
            raise MalformedBody(f"a list of commits that is none ({type(error).__name__}: {error})") from error
        if not all(SHA1.fullmatch(commit.sha) for commit in commits):
            raise MalformedBody("a commit whose id isn't 40 hexadecimal digits")
        commits = list(dict.fromkeys(commits))  # a commit made while we list shifts the pages by one
        if self._total is not None and len(commits) < self._total:
            raise MalformedBody(f"{len(commits)} commits, {self._total} were announced")
        return commits

    def _seen(self, archive: Archive, sha: str, paths: list[str]) -> dict[str, FileSeen]:
        try:
            entries = self._api.get_paths_info(
                archive.repo, paths, repo_type="dataset", revision=sha, expand=archive.upstream is not None
            )
            return {entry.path: _file_seen(archive, entry) for entry in entries if isinstance(entry, RepoFile)}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MalformedBody(f"files that are described oddly ({type(error).__name__}: {error})") from error

    def _downloaded(self, revision: Revision, folder: Path, progress: Callable[[str], None]) -> Path:
        try:
            return Path(
                self._api.hf_hub_download(
                    revision.archive.repo, revision.file, repo_type="dataset", revision=revision.sha,
                    local_dir=folder, cache_dir=folder / ".cache", tqdm_class=_progress_class(revision, progress),
                )
            )  # fmt: skip
        except LocalEntryNotFoundError as error:  # how the library wraps what went wrong when it asked for the metadata
            cause = error.__cause__
            if isinstance(cause, HfHubHTTPError):
                raise cause from error
            raise MalformedBody(f"no metadata of {revision.file} ({cause or error})") from error
        except FileMetadataError as error:
            raise MalformedBody(f"no metadata of {revision.file} ({error})") from error
        except HfHubHTTPError:
            raise
        except OSError as error:
            if error.errno is None and not isinstance(
                error, OfflineModeIsEnabled
            ):  # the library's own check of the size
                raise MalformedBody(f"{revision.file} in another size than announced") from error
            raise

    # --- how it is asked ---

    def _ask(self, archive: Archive, call: Callable[[], Result]) -> Result:
        """Do what `call` asks of the library, again if need be, by the table in `errors`."""
        failed, waited, began = 0, 0.0, self._clock()
        while True:
            self._asked, self._total = set(), None
            try:
                return call()
            except OfflineModeIsEnabled as error:
                raise HubConfigurationError(
                    "HF_HUB_OFFLINE forbids to ask the Hub",
                    expected="leave to ask for the archive",
                    do_this="unset HF_HUB_OFFLINE",
                ) from error
            except HfHubHTTPError as error:
                raise self._gone(archive, error) from error
            except (_Broken, _Refused, MalformedBody, httpx2.RequestError, httpx2.InvalidURL) as error:
                failure = error.cause if isinstance(error, _Broken) else error
            if action_for_exception(failure) is Action.CONFIGURATION:
                raise HubConfigurationError(
                    f"{self.endpoint} is no address ({failure})",
                    expected="an http or https address",
                    do_this="correct OBSERVATORY_HUB_ENDPOINT",
                ) from failure
            failed += 1
            wait = min(self._retry.longest_wait, self._retry.first_wait * 2 ** (failed - 1))
            wait = max(wait, failure.asked_wait() if isinstance(failure, _Refused) else 0.0)
            elapsed = max(self._clock() - began, waited)
            self._stop_if_hopeless(archive, failure, failed, elapsed, wait)
            waited += wait
            self._sleep(wait)

    def _stop_if_hopeless(self, archive: Archive, failure: Exception, failed: int, elapsed: float, wait: float) -> None:
        told = f"{type(failure).__name__}: {failure}"
        is_first = not self._connected and isinstance(failure, NO_CONNECTION)
        if is_first and (failed >= self._retry.connect_tries or elapsed >= self._retry.connect_patience):
            raise HubUnreachable(self.endpoint, f"{told}, {failed} tries") from failure
        if failed < self._retry.tries and elapsed + wait <= self._retry.patience:
            return
        if isinstance(failure, MalformedBody):
            raise HubIntegrityError(
                f"{archive.repo} was answered {failed} times with {failure}",
                expected="commits and files as huggingface_hub reads them",
                do_this="look at the dataset in a browser; if the Hub changed its shape, update huggingface_hub",
            ) from failure
        raise HubUnavailable(
            f"{archive.repo} failed {failed} times in {elapsed:.0f} s, last with {told}",
            expected=f"an answer within {self._retry.tries} tries and {self._retry.patience / 60:.0f} minutes",
            do_this="run the same days again later today: landed ones are not fetched again",
        ) from failure

    def _gone(self, archive: Archive, error: HfHubHTTPError) -> HubConfigurationError:
        status = error.response.status_code
        said = error.server_message or ""
        return HubConfigurationError(
            f"{archive.repo} on {self.endpoint} was refused with status {status} ({type(error).__name__}): "
            f"{said[:500] or 'no reason'}",
            expected=f"the public dataset that the archive source {archive.name!r} reads, with its history",
            do_this=(
                "look at the dataset in a browser: it may have been taken down, renamed or squashed, and the days that "
                "were not landed from it then stay gaps; if it is there, check HF_TOKEN and OBSERVATORY_HUB_ENDPOINT"
            ),
            status=status,
            said=said[:2000],
        )

    # --- the library's HTTP client ---

    def _session(self) -> httpx2.Client:
        address = urlsplit(self.endpoint)
        return _Session(
            event_hooks={"request": [hub_http.hf_request_event_hook, self._before], "response": [self._after]},
            timeout=self._timeout,
            follow_redirects=True,
            trust_env=address.hostname not in LOOPBACK,
            verify=address.scheme != "http",
        )

    def _before(self, request: httpx2.Request) -> None:
        """Each request, redirected ones too: is it ours to make, and when; and the timeout that the library left out."""
        is_download = self._download_until is not None
        address = str(request.url)
        if origin(address) != origin(self.endpoint):
            if not is_download:
                raise HubIntegrityError(
                    f"The Hub's reply leads to {request.url.host}",
                    expected=f"an address on {self.endpoint}",
                    do_this="don't send a token there; if the Hub has moved, set OBSERVATORY_HUB_ENDPOINT",
                )
            request.headers.pop("authorization", None)  # files lie on other hosts, which need no token of ours
        else:
            bucket = _bucket(request)
            if not is_download and address in self._asked:
                raise HubIntegrityError(f"{address} names itself as its next page", expected="another page")
            self._asked.add(address)
            request.extensions["observatory"] = (bucket, self._governor.wait(bucket, Priority.LOOK_UP))
        request.extensions["timeout"] = self._timeout.as_dict()

    def _after(self, response: httpx2.Response) -> None:
        bucket, sent = response.request.extensions.pop("observatory", (None, 0.0))
        self._connected = True
        if bucket is not None:
            self._governor.observe(bucket, response.headers, sent)
            kind = response.headers.get("x-sandbox-data")
            self.is_simulated = bool(self.is_simulated) or (kind is not None and kind != "recorded")
            with suppress(KeyError, ValueError):  # the first page's count: commits may be made while we list
                self._total = self._total or int(response.headers["x-total-count"])
        if action_for_status(response.status_code) in (Action.RETRY, Action.WAIT):
            raise _Refused(response)
        response.stream = _Bounded(response.stream, *self._patience(response), self._clock)

    def _patience(self, response: httpx2.Response) -> tuple[float, Exception]:
        """Until when a reply may take, and what is raised when it takes longer."""
        if self._download_until is None:
            late = httpx2.ReadTimeout(f"no whole reply within {self._reply_seconds:.0f} s")
            return self._clock() + self._reply_seconds, _Broken(late)
        late = HubUnavailable(
            f"{response.request.url.host} gave no whole file in {self._download_seconds / 60:.0f} minutes",
            expected="a quarter of a megabyte a second",
            do_this="run the same day again later today",
        )
        return self._download_until, late


class _Session(httpx2.Client):
    """Fails at once where the library would try again on its own, for minutes and without a word.

    The stream of a file is left to the library, which goes on where it broke off.
    """

    def send(self, request: httpx2.Request, **options: object) -> httpx2.Response:
        try:
            return super().send(request, **options)
        except httpx2.TransportError as error:
            if request.method == "GET" and not request.url.path.startswith("/api/"):
                raise
            raise _Broken(error) from error


class _Broken(Exception):
    """A connection that failed, in a form that the library lets pass."""

    def __init__(self, cause: httpx2.TransportError):
        super().__init__(str(cause))
        self.cause = cause


class _Refused(Exception):
    """A status that asks to come again."""

    def __init__(self, response: httpx2.Response):
        super().__init__(f"status {response.status_code}")
        self.status, self.headers = response.status_code, response.headers

    def asked_wait(self) -> float:
        """Seconds of Retry-After, a number or a date. The end of a used-up window is the governor's to await."""
        after = self.headers.get("retry-after", "").strip()
        if after.isdigit():
            return float(after)
        try:
            return (parsedate_to_datetime(after) - parsedate_to_datetime(self.headers["date"])).total_seconds()
        except (KeyError, TypeError, ValueError):
            return 0.0


@dataclass
class _Bounded(httpx2.SyncByteStream):
    """A reply's bytes, until a moment: the read timeout starts anew with each byte, so one that drips has no end."""

    stream: httpx2.SyncByteStream
    until: float
    late: Exception
    clock: Callable[[], float]

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            if self.clock() > self.until:
                raise self.late
            yield chunk

    def close(self) -> None:
        self.stream.close()


def _bucket(request: httpx2.Request) -> str:
    if request.url.path.startswith("/api/"):
        return "api"
    return "resolvers" if "/resolve/" in request.url.path else "pages"


def _file_seen(archive: Archive, entry: RepoFile) -> FileSeen:
    if entry.lfs is None or not SHA256.fullmatch(entry.lfs.sha256):
        raise HubIntegrityError(
            f"{archive.repo} has {entry.path} without a sha256",
            expected="a large file, which the Hub keeps by its hash",
            do_this="look at the dataset in a browser: a file that can't be pinned is not landed",
        )
    committed_at = entry.last_commit.date.astimezone(UTC) if entry.last_commit else None
    return FileSeen(entry.lfs.size, entry.lfs.sha256, committed_at)


def _progress_class(revision: Revision, progress: Callable[[str], None]) -> type[tqdm]:
    """A progress bar, as the library wants one, that says a line for each tenth of the file and draws nothing."""

    class Lines(tqdm):
        def __init__(self, *args: object, **options: object):
            super().__init__(*args, **options | {"disable": True})
            self.fetched, self.tenths = int(options.get("initial") or 0), 0

        def update(self, n: float | None = 1) -> None:
            self.fetched += int(n or 0)
            tenths = 10 * self.fetched // max(revision.bytes, 1)
            if tenths > self.tenths:
                self.tenths = tenths
                progress(
                    f"{revision.archive.name} {revision.snapshot_date}: downloaded {self.fetched / 1e6:,.1f} of "
                    f"{revision.bytes / 1e6:,.1f} MB"
                )

    return Lines
