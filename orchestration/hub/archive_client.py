"""`huggingface_hub` on our terms, for the archives: the shared rate budget, real timeouts, bounded tries, pinned files.
Which revision tells which day is for `archive`; this module only asks, and knows no day and no column."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, set_client_factory
from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import _http as hub_http
from huggingface_hub.utils import tqdm

from orchestration.hub.archive import Archive, Commit, FileSeen, Revision
from orchestration.hub.client import (
    LOOPBACK,
    NO_CONNECTION,
    REPLY_SECONDS,
    TIMEOUT,
    RetryPolicy,
    asked_wait,
    bad_address,
    origin,
    own_version,
)
from orchestration.hub.errors import (
    Action,
    HubConfigurationError,
    HubIntegrityError,
    HubUnavailable,
    HubUnreachable,
    MalformedBody,
    action_for_exception,
    action_for_status,
)
from orchestration.hub.governor import Governor, Priority, governor_for
from orchestration.settings import Settings

Result = TypeVar("Result")

RETRY = RetryPolicy()

# 1.6 GB, the largest file seen, at a quarter of a megabyte a second: slower is broken (set 2026-11-24).
DOWNLOAD_SECONDS = 2 * 3600.0
PATHS_PER_QUESTION = 50  # what the Hub answers at once when it is to tell each file's last commit
SHA1, SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")

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
        self._api = HfApi(
            endpoint=self.endpoint,
            token=self._token,
            library_name="open-model-observatory",
            library_version=own_version(),
        )
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
                raise bad_address(self.endpoint, failure) from failure
            failed += 1
            wait = min(self._retry.longest_wait, self._retry.first_wait * 2 ** (failed - 1))
            wait = max(wait, asked_wait(failure.status, failure.headers) if isinstance(failure, _Refused) else 0.0)
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
