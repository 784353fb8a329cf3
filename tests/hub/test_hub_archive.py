"""Dated revisions of Hub statistics, through the real client, from a dataset server that can be given any history."""

import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from huggingface_hub import constants
from huggingface_hub.utils import _http as hub_http

from orchestration.hub.archive import (
    ARCHIVES,
    archive_named,
    fetch,
    list_revisions,
    nearest_revision,
    neighbours,
    revision_for,
)
from orchestration.hub.archive_client import ArchiveClient
from orchestration.hub.client import RetryPolicy, own_version
from orchestration.hub.errors import (
    HubConfigurationError,
    HubIntegrityError,
    HubUnavailable,
    HubUnreachable,
    ObservatoryError,
)
from orchestration.hub.governor import Governor, governor_for
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import Settings
from tests.hub.snapshots import DAY, models, write_snapshots

DAILY, WEEKLY = ARCHIVES["hub_stats"], ARCHIVES["weekly"]
README = {"README.md": b"read me"}
PLENTY = {"RateLimit": '"api";r=1000000;t=300', "RateLimit-Policy": '"fixed window";"api";q=1000000;w=300'}


def october(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def on(day: int) -> date:
    return date(2026, 10, day)


# --- a server of datasets --------------------------------------------------------------------------------------------


@dataclass
class Dataset:
    """A dataset's commits, the oldest first: (sha, time, files)."""

    name: str
    history: list[tuple[str, datetime, dict[str, bytes]]] = field(default_factory=list)

    def commit(self, at: datetime, files: dict[str, bytes]) -> str:
        """A commit that changes these files and keeps the others. Returns its sha."""
        before = self.history[-1][2] if self.history else {}
        sha = hashlib.sha1(f"{self.name} {len(self.history)}".encode()).hexdigest()
        self.history.append((sha, at, before | files))
        return sha

    def changed_at(self, place: int, path: str) -> datetime:
        """When the file's content at a place in the history was made."""
        content = self.history[place][2][path]
        while place and self.history[place - 1][2].get(path) == content:
            place -= 1
        return self.history[place][1]


@dataclass
class DatasetServer:
    """Answers the real client's questions about datasets. `faults` strike the next requests whose path has the word."""

    url: str = ""
    datasets: dict[str, Dataset] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    faults: list[tuple[str, Callable]] = field(default_factory=list)
    commits_a_page: int = 50
    headers: dict[str, str] = field(default_factory=lambda: dict(PLENTY))
    elsewhere: str = ""  # another server that holds the files

    def dataset(self, archive) -> Dataset:
        return self.datasets.setdefault(archive.repo, Dataset(archive.repo))

    def misbehave(self, word: str, *faults: Callable) -> None:
        self.faults += [(word, fault) for fault in faults]

    def asked(self, word: str, method: str = "") -> int:
        return sum(word in path and method in told for told, path, _ in self.requests)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body go out one after the other: else each reply takes 40 ms
    server: "_Server"

    def _serve(self) -> None:
        told = self.server.told
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told.requests.append((self.command, self.path, dict(self.headers)))
        for number, (word, fault) in enumerate(told.faults):
            if word in f"{self.command} {self.path}":
                del told.faults[number]
                fault(self, lambda: self._answer(body))
                return
        self._answer(body)

    do_GET = do_POST = do_HEAD = _serve

    def _answer(self, body: bytes) -> None:
        told, split = self.server.told, urlsplit(self.path)
        parts = split.path.strip("/").split("/")
        is_api = parts[0] == "api"
        dataset = told.datasets.get("/".join(parts[2:4] if is_api else parts[1:3]))
        if dataset is None:
            self.reply(401, b'{"error":"Invalid username or password."}')
            return
        kind, revision = (parts[4], parts[5]) if is_api else (parts[3], parts[4])
        if kind == "commits":
            self._commits(dataset, int(parse_qs(split.query).get("p", ["0"])[0]))
            return
        place = next((n for n, (sha, _, _) in enumerate(dataset.history) if sha == revision), None)
        if place is None:
            self.reply(404, b'{"error":"Invalid rev id"}', {"X-Error-Code": "RevisionNotFound"})
        elif kind == "paths-info":
            self._paths(dataset, place, dict(parse_qsl(body.decode()) or {}), parse_qs(body.decode())["paths"])
        else:
            self._file(dataset, place, "/".join(parts[5:]))

    def _commits(self, dataset: Dataset, page: int) -> None:
        size, newest_first = self.server.told.commits_a_page, list(reversed(dataset.history))
        some = [
            {"id": sha, "title": "x", "message": "", "authors": [], "date": f"{at:%Y-%m-%dT%H:%M:%S}.000Z"}
            for sha, at, _ in newest_first[page * size :][:size]
        ]
        headers = {"X-Total-Count": str(len(newest_first))}
        if (page + 1) * size < len(newest_first):
            headers["Link"] = f'<{self.server.told.url}{urlsplit(self.path).path}?p={page + 1}>; rel="next"'
        self.reply(200, json.dumps(some).encode(), headers)

    def _paths(self, dataset: Dataset, place: int, asked: dict[str, str], paths: list[str]) -> None:
        sha, _, files = dataset.history[place]
        entries = []
        for path in (path for path in paths if path in files):
            digest, size = hashlib.sha256(files[path]).hexdigest(), len(files[path])
            entry = {"type": "file", "oid": sha, "size": size, "path": path}
            entry["lfs"] = {"oid": digest, "size": size, "pointerSize": 134}
            if asked.get("expand", "").lower() == "true":
                changed = f"{dataset.changed_at(place, path):%Y-%m-%dT%H:%M:%S}.000Z"
                entry["lastCommit"] = {"id": sha, "title": "x", "date": changed}
            entries.append(entry)
        self.reply(200, json.dumps(entries).encode())

    def _file(self, dataset: Dataset, place: int, path: str) -> None:
        sha, _, files = dataset.history[place]
        if path not in files:
            self.reply(404, b'{"error":"Entry not found"}', {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha})
            return
        content = files[path]
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": sha}
        if self.server.told.elsewhere:
            self.reply(302, b"", headers | {
                "Location": f"{self.server.told.elsewhere}{self.path}",
                "X-Linked-Etag": headers["ETag"],
                "X-Linked-Size": str(len(content)),
            })  # fmt: skip
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.reply(206 if start else 200, content[start:], headers)

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, sent: bytes | None = None):
        """Send a whole reply, or one whose body is `sent` and not what its length says."""
        self.send_response_only(status)
        for name, value in {**self.server.told.headers, **(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if sent is None else sent)
        if sent is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    told: DatasetServer

    def handle_error(self, *_: object) -> None:
        pass  # a client that hangs up is what some tests are about


@contextmanager
def serving() -> Iterator[DatasetServer]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.told = DatasetServer(url=f"http://127.0.0.1:{server.server_address[1]}")
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server.told
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def server() -> Iterator[DatasetServer]:
    with serving() as told:
        yield told


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def client_of(naps, tmp_path) -> Iterator[Callable[..., ArchiveClient]]:
    """Clients that note their waits between tries instead of sleeping."""
    with ExitStack() as stack:

        def client(url: str, *, token: str | None = None, **options: object) -> ArchiveClient:
            settings = Settings(home=tmp_path / "home", hub_endpoint=url, hf_token=token)
            options = {"sleep": naps.append, "governor": Governor(1.0)} | options
            return stack.enter_context(ArchiveClient(settings, **options))

        yield client


@pytest.fixture
def hf(server, client_of) -> ArchiveClient:
    return client_of(server.url)


def stats(content: str) -> dict[str, bytes]:
    return {"models.parquet": content.encode() * 100}


@pytest.fixture
def history(server) -> Dataset:
    """A few days of the daily archive: 5 and 6 tell something, 7 has no commit, 8 only a README, 10 repeats 6."""
    dataset = server.dataset(DAILY)
    dataset.commit(october(5, 3), {".gitattributes": b""})
    dataset.commit(october(5, 9), stats("fifth"))
    dataset.commit(october(6, 8), stats("sixth, early"))
    dataset.commit(october(6, 9), stats("sixth"))
    dataset.commit(october(6, 23), README)
    dataset.commit(october(8), {"README.md": b"read me again"})
    dataset.commit(october(9), stats("ninth"))
    dataset.commit(october(10), stats("sixth"))
    dataset.commit(october(11), stats("eleventh"))
    return dataset


# --- which revisions there are ---------------------------------------------------------------------------------------


def test_a_day_is_told_by_its_last_commit_that_changed_the_file(history, hf):
    revisions = {revision.snapshot_date: revision for revision in list_revisions(hf, DAILY, on(5), on(11))}
    assert list(revisions) == [on(5), on(6), on(9), on(10), on(11)]
    sixth = revisions[on(6)]
    content = stats("sixth")["models.parquet"]
    assert (sixth.sha, sixth.file) == (history.history[3][0], "models.parquet")
    assert (sixth.committed_at, sixth.observed_at, sixth.observed_at_is_estimated) == (
        october(6, 9),
        october(6, 9),
        False,
    )
    assert (sixth.bytes, sixth.sha256) == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("day", [4, 7, 8, 12], ids=["before all", "no commit", "a README only", "after all"])
def test_a_day_whose_file_no_commit_changed_has_no_revision(history, hf, day):
    assert revision_for(hf, DAILY, on(day)) is None


@pytest.mark.parametrize("first", [5, 10], ids=["within a range", "alone"])
def test_a_file_of_an_earlier_day_is_stale(history, hf, first):
    found = {revision.snapshot_date: revision for revision in list_revisions(hf, DAILY, on(first), on(11))}
    assert (found[on(10)].is_stale, found[on(10)].repeats) == (True, on(6))
    assert [day for day, revision in found.items() if not revision.is_stale] == [d for d in found if d != on(10)]


def test_a_range_lists_the_commits_once_and_asks_for_each_revision_once(history, hf, server):
    server.commits_a_page = 4
    for day in range(5, 12):
        revision_for(hf, DAILY, on(day))
    assert server.asked("/commits/") == 3
    asked = [path for _, path, _ in server.requests if "/paths-info/" in path]
    assert len(asked) == len(set(asked)) <= len(history.history)


def test_a_commit_made_while_they_are_listed_is_no_trouble(history, hf, server):
    server.commits_a_page = 4

    def with_another_commit(handler, answer):
        history.commit(october(12), stats("twelfth"))
        answer()

    server.misbehave("p=1", with_another_commit)
    commits = hf.commits(DAILY)
    assert [commit.sha for commit in commits] == [sha for sha, _, _ in reversed(history.history[:-1])]


@pytest.mark.parametrize(
    ("day", "nearest"),
    [(6, 6), (7, 6), (8, 9), (10, 9), (30, 11), (1, 5)],
    ids=["itself", "the one before", "the one after", "a tie, and not the stale one", "long after", "long before"],
)
def test_the_nearest_revision_is_fewest_days_away_and_the_earlier_of_two(history, hf, day, nearest):
    assert nearest_revision(hf, DAILY, on(day)).snapshot_date == on(nearest)


def test_nothing_is_nearest_in_a_dataset_without_the_file(server, hf):
    server.dataset(DAILY).commit(october(5), README)
    assert nearest_revision(hf, DAILY, on(6)) is None
    assert neighbours(hf, DAILY, on(6)) == (None, None)


def test_a_gap_knows_its_neighbours(history, hf):
    before, after = neighbours(hf, DAILY, on(8))
    assert (before.snapshot_date, after.snapshot_date) == (on(6), on(9))
    before, after = neighbours(hf, DAILY, on(13))
    assert (before.snapshot_date, after) == (on(11), None)


def test_an_archive_that_nobody_knows_is_named(history):
    with pytest.raises(ObservatoryError, match=r"no archive named 'monthly'.*Expected: one of hub_stats, weekly"):
        archive_named("monthly")


# --- the weekly archive ----------------------------------------------------------------------------------------------


@pytest.fixture
def weeks(server) -> Dataset:
    """Labels of three weeks, committed together, long after; upstream told something in the first and the third."""
    upstream = server.dataset(DAILY)
    upstream.commit(october(2), stats("second"))
    upstream.commit(october(6), stats("sixth"))
    upstream.commit(october(7, 1), README)
    upstream.commit(october(15), README)
    upstream.commit(october(22), stats("twenty-second"))
    weekly = server.dataset(WEEKLY)
    labels = {f"models/2026-10-{day:02}/models.parquet": content.encode() for day, content in
              ((1, "the second's"), (8, "the sixth's again"), (22, "the twenty-second's"))}  # fmt: skip
    weekly.commit(datetime(2026, 11, 1, tzinfo=UTC), labels)
    return weekly


def test_a_weekly_file_tells_the_day_of_upstreams_last_change_in_its_week(weeks, hf):
    found = list_revisions(hf, WEEKLY, on(1), on(30))
    assert [(revision.snapshot_date, revision.file) for revision in found] == [
        (on(6), "models/2026-10-01/models.parquet"),
        (on(22), "models/2026-10-22/models.parquet"),
    ]
    assert found[0].observed_at == october(6)
    assert found[0].sha == weeks.history[0][0]
    assert not any(revision.observed_at_is_estimated for revision in found)
    assert found[0].archive.license == "ODbL-1.0"
    assert revision_for(hf, WEEKLY, on(6)) == found[0]
    assert revision_for(hf, WEEKLY, on(1)) is None  # a label is no observation


def test_without_upstream_a_weekly_file_is_dated_by_the_end_of_its_week(weeks, hf, server):
    del server.datasets[DAILY.repo]
    found = list_revisions(hf, WEEKLY, on(1), on(30))
    assert [revision.observed_at for revision in found] == [october(7), october(14), october(28)]
    assert all(revision.observed_at_is_estimated for revision in found)


def test_an_estimate_is_never_later_than_the_files_own_commit(weeks, hf, server):
    del server.datasets[DAILY.repo]
    weeks.commit(datetime(2026, 11, 6, 8, tzinfo=UTC), {"models/2026-11-05/models.parquet": b"in its own week"})
    [revision] = list_revisions(hf, WEEKLY, date(2026, 11, 5), date(2026, 11, 11))
    assert revision.observed_at == datetime(2026, 11, 6, 8, tzinfo=UTC)


# --- the file --------------------------------------------------------------------------------------------------------


def flipped(handler, _answer):
    """The right length and the right name, and one other byte."""
    dataset = next(iter(handler.server.told.datasets.values()))
    content = dataset.history[-1][2]["models.parquet"]
    headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": dataset.history[-1][0]}
    handler.reply(200, bytes([content[0] ^ 1]) + content[1:], headers)


def short(handler, _answer):
    """Half of what is announced, then the connection closes."""
    content = next(iter(handler.server.told.datasets.values())).history[-1][2]["models.parquet"]
    handler.reply(200, content, sent=content[: len(content) // 2])


@pytest.fixture
def eleventh(history, hf):
    return revision_for(hf, DAILY, on(11))


def test_a_file_is_fetched_by_its_commit_and_checked(eleventh, hf, server, tmp_path):
    lines: list[str] = []
    path = fetch(hf, eleventh, tmp_path / "files", lines.append)
    assert path.read_bytes() == stats("eleventh")["models.parquet"]
    assert lines == ["hub_stats 2026-10-11: downloaded 0.0 of 0.0 MB"]
    assert server.asked(f"/resolve/{eleventh.sha}/models.parquet") == 2  # HEAD and GET
    assert [file.name for file in (tmp_path / "files").iterdir()] == ["models.parquet"]


def test_a_file_that_is_there_is_not_fetched_again_unless_it_is_damaged(eleventh, hf, server, tmp_path):
    path = fetch(hf, eleventh, tmp_path, lambda _: None)
    before = len(server.requests)
    assert fetch(hf, eleventh, tmp_path, lambda _: None) == path
    assert len(server.requests) == before
    path.write_bytes(b"x" * eleventh.bytes)
    assert fetch(hf, eleventh, tmp_path, lambda _: None).read_bytes() == stats("eleventh")["models.parquet"]


def test_a_flipped_byte_is_noticed_and_the_file_fetched_anew(eleventh, hf, server, tmp_path):
    server.misbehave("GET /datasets/", flipped)
    lines: list[str] = []
    assert fetch(hf, eleventh, tmp_path, lines.append).read_bytes() == stats("eleventh")["models.parquet"]
    assert server.asked("/resolve/", "GET") == 2
    assert any("sha256" in line and "instead of" in line for line in lines)


def test_a_file_that_is_wrong_twice_is_refused_and_removed(eleventh, hf, server, tmp_path):
    server.misbehave("GET /datasets/", flipped, flipped)
    with pytest.raises(HubIntegrityError, match=r"gave models.parquet twice with sha256 .* instead of"):
        fetch(hf, eleventh, tmp_path, lambda _: None)
    assert list(tmp_path.rglob("*.parquet")) == []


def test_a_body_that_breaks_off_is_asked_for_again(eleventh, hf, server, tmp_path):
    server.misbehave("GET /datasets/", short)
    assert fetch(hf, eleventh, tmp_path, lambda _: None).read_bytes() == stats("eleventh")["models.parquet"]
    assert server.asked("/resolve/", "GET") == 2


def test_a_file_on_another_host_comes_without_our_token_going_there(history, server, client_of, tmp_path):
    with serving() as storage:
        storage.datasets = server.datasets
        server.elsewhere = storage.url
        hf = client_of(server.url, token="hf_secret")
        path = fetch(hf, revision_for(hf, DAILY, on(11)), tmp_path, lambda _: None)
        assert path.read_bytes() == stats("eleventh")["models.parquet"]
        assert all(headers["authorization"] == "Bearer hf_secret" for _, _, headers in server.requests)
        assert storage.requests
        assert not any("authorization" in map(str.lower, headers) for _, _, headers in storage.requests)


# --- an archive that is gone -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers"),
    [(401, {"X-Error-Code": "RepoNotFound"}), (401, {}), (403, {}), (404, {"X-Error-Code": "RepoNotFound"}), (404, {}),
     (403, {"X-Error-Code": "GatedRepo"})],
)  # fmt: skip
def test_an_archive_that_is_gone_says_so(history, hf, server, naps, status, headers):
    server.misbehave("/commits/", lambda handler, _: handler.reply(status, b'{"error":"no"}', headers))
    with pytest.raises(
        HubConfigurationError, match=f"refused with status {status}.*may have been taken down"
    ) as caught:
        list_revisions(hf, DAILY, on(5), on(6))
    assert (caught.value.status, naps) == (status, [])


@pytest.mark.parametrize("code", ["RevisionNotFound", "EntryNotFound"])
def test_a_history_that_was_squashed_meanwhile_says_so(eleventh, hf, server, tmp_path, code):
    server.misbehave("HEAD", lambda handler, _: handler.reply(404, b"", {"X-Error-Code": code}))
    with pytest.raises(
        HubConfigurationError, match="squashed, and the days that were not landed from it then stay gaps"
    ):
        fetch(hf, eleventh, tmp_path, lambda _: None)


# --- trouble ---------------------------------------------------------------------------------------------------------


def answering(status: int, body: bytes = b"", **headers: str) -> Callable:
    return lambda handler, _: handler.reply(status, body, {name.replace("_", "-"): v for name, v in headers.items()})


def hanging_up(handler, _answer):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


PASSING = {
    "500": answering(500),
    "503": answering(503),
    "520": answering(520),
    "a broken connection": hanging_up,
    "HTML": answering(200, b"<!doctype html>"),
    "nothing": answering(200),
    "half a document": answering(200, b'[{"id": "abc'),
    "an object": answering(200, b'{"error": "later"}'),
    "a body cut short": lambda handler, _: handler.reply(200, b"[]" * 50, sent=b"[]"),
}


WITHOUT_A_BODY = ("500", "503", "520", "a broken connection", "nothing")


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        *((word, name) for word in ("/commits/", "/paths-info/") for name in PASSING),
        *(("HEAD", name) for name in WITHOUT_A_BODY),
    ],
)
def test_trouble_that_passes_changes_nothing(history, hf, server, naps, tmp_path, word, fault):
    server.misbehave(word, PASSING[fault], PASSING[fault])
    fetch(hf, revision_for(hf, DAILY, on(11)), tmp_path, lambda _: None)
    assert not server.faults
    assert naps == [1.0, 2.0]


def test_too_many_requests_wait_as_the_server_says(history, hf, server, naps):
    later = {"Date": "Tue, 06 Oct 2026 12:00:00 GMT", "Retry_After": "Tue, 06 Oct 2026 12:00:33 GMT"}
    server.misbehave("/commits/", answering(429, Retry_After="17"), answering(429, **later))
    assert hf.commits(DAILY)
    assert naps == [17.0, 33.0]


def test_a_used_up_window_is_awaited_without_a_retry_after(history, client_of, server, naps):
    spent = {"RateLimit": '"api";r=0;t=41', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}
    server.misbehave("/commits/", lambda handler, _: handler.reply(429, b"{}", spent))
    client_of(server.url, governor=Governor(1.0, sleep=lambda _: None)).commits(DAILY)
    assert naps == [42.0]


def test_every_request_says_who_asks_and_in_which_version(history, hf, server, tmp_path):
    revision = revision_for(hf, DAILY, on(9))
    fetch(hf, revision, tmp_path, lambda _: None)
    asked = [{name.lower(): value for name, value in headers.items()} for _, _, headers in server.requests]
    assert len(asked) >= 4
    for headers in asked:
        assert headers["user-agent"].startswith(f"open-model-observatory/{own_version()};")


def test_trouble_that_stays_is_given_up(history, client_of, server, naps):
    hf = client_of(server.url, retry=RetryPolicy(tries=4))
    server.misbehave("/commits/", *[answering(503)] * 4)
    with pytest.raises(HubUnavailable, match=r"failed 4 times.*status 503"):
        hf.commits(DAILY)
    assert len(naps) == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (answering(200, b"<!doctype html>"), "a list of commits that is none"),
        (answering(200, b"[]", X_Total_Count="9"), "0 commits, 9 were announced"),
        (answering(200, b'[{"id":"../main","title":"","message":"","authors":[],"date":"2026-10-06T00:00:00.000Z"}]'),
         "whose id isn't 40 hexadecimal digits"),
    ],
    ids=["no list", "a listing that ends early", "an id that is none"],
)  # fmt: skip
def test_a_listing_that_stays_odd_is_not_believed(history, client_of, server, fault, said):
    hf = client_of(server.url, retry=RetryPolicy(tries=2))
    server.misbehave("/commits/", fault, fault)
    with pytest.raises(HubIntegrityError, match=said):
        hf.commits(DAILY)


def test_a_file_without_a_hash_is_not_trusted(history, hf, server):
    entry = {"type": "file", "oid": "a" * 40, "size": 3, "path": "models.parquet"}
    server.misbehave("/paths-info/", answering(200, json.dumps([entry]).encode()))
    with pytest.raises(HubIntegrityError, match=r"models.parquet without a sha256"):
        revision_for(hf, DAILY, on(11))


def test_a_hub_that_isnt_there_is_unreachable(client_of, naps):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(HubUnreachable, match="3 tries"):
        client_of(f"http://127.0.0.1:{port}").commits(DAILY)
    assert len(naps) == 2


def test_an_address_that_is_none_is_a_setting_to_correct(client_of):
    with pytest.raises(HubConfigurationError, match="correct OBSERVATORY_HUB_ENDPOINT"):
        client_of("nowhere").commits(DAILY)


def test_a_reply_that_never_comes_is_timed_out(history, client_of, server):
    hf = client_of(server.url, timeout=httpx2.Timeout(0.2), retry=RetryPolicy(tries=2))
    server.misbehave("/commits/", *[lambda _handler, _answer: time.sleep(1)] * 2)
    with pytest.raises(HubUnavailable, match="ReadTimeout"):
        hf.commits(DAILY)


def dripping(handler, _answer):
    handler.send_response_only(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.02)


def test_a_reply_that_drips_is_timed_out(history, client_of, server):
    hf = client_of(server.url, reply_seconds=0.1, retry=RetryPolicy(tries=2))
    server.misbehave("/commits/", dripping, dripping)
    with pytest.raises(HubUnavailable, match="no whole reply within 0 s"):
        hf.commits(DAILY)


def test_a_file_that_drips_is_given_up(history, client_of, server, tmp_path):
    hf = client_of(server.url, download_seconds=0.3)
    revision = revision_for(hf, DAILY, on(11))
    server.misbehave("GET /datasets/", dripping)
    with pytest.raises(HubUnavailable, match="gave no whole file"):
        fetch(hf, revision, tmp_path, lambda _: None)


@pytest.mark.parametrize(
    ("link", "said"),
    [("{url}{path}", "names itself as its next page"), ("http://other-hub.invalid/x", "leads to other-hub.invalid")],
    ids=["itself", "another host"],
)
def test_a_next_page_that_leads_astray_is_not_followed(history, client_of, server, link, said):
    hf = client_of(server.url, token="hf_secret")

    def astray(handler, _answer):
        target = link.replace("{url}", server.url).replace("{path}", handler.path)
        handler.reply(200, b"[]", {"Link": f'<{target}>; rel="next"'})

    server.misbehave("/commits/", astray)
    with pytest.raises(HubIntegrityError, match=said):
        hf.commits(DAILY)
    assert len(server.requests) == 1


# --- one budget, one library -----------------------------------------------------------------------------------------


def test_all_requests_go_through_the_shared_governor(history, server, tmp_path):
    server.headers = {"RateLimit": '"api";r=4000;t=55', "RateLimit-Policy": '"fixed window";"api";q=5000;w=77'}
    settings = Settings(home=tmp_path, hub_endpoint=server.url, hf_token=None, rate_share=0.9)
    governor = governor_for(server.url, None, 0.9)  # as HubClient.from_settings has it
    with ArchiveClient(settings) as hf:
        revision = revision_for(hf, DAILY, on(11))
        assert (governor.window("api"), governor.window("resolvers")) == (77, 300)
        server.headers["RateLimit-Policy"] = '"fixed window";"resolvers";q=5000;w=78'
        fetch(hf, revision, tmp_path / "files", lambda _: None)
    assert (governor.window("api"), governor.window("resolvers")) == (77, 78)


def test_requests_wait_for_their_share(history, server, client_of):
    slept: list[float] = []
    server.headers = {"RateLimit": '"api";r=0;t=40', "RateLimit-Policy": '"fixed window";"api";q=100;w=300'}
    hf = client_of(server.url, governor=Governor(0.5, sleep=slept.append))
    server.commits_a_page = 8
    hf.commits(DAILY)  # two pages: the window is used up after the first
    assert [round(seconds) for seconds in slept] == [41]


def test_the_library_is_left_as_it_was(server, client_of, tmp_path):
    before = hub_http._GLOBAL_CLIENT_FACTORY, constants.HF_HUB_DISABLE_XET
    with ArchiveClient(Settings(home=tmp_path, hub_endpoint=server.url, hf_token=None)):
        assert constants.HF_HUB_DISABLE_XET is True
        assert before[0] != hub_http._GLOBAL_CLIENT_FACTORY
    assert before == (hub_http._GLOBAL_CLIENT_FACTORY, constants.HF_HUB_DISABLE_XET)


def test_a_sandbox_is_told_from_a_hub(history, hf, tmp_path, client_of):
    assert hf.is_simulated is None
    hf.commits(DAILY)
    assert hf.is_simulated is False
    folder = write_snapshots(tmp_path / "snapshots", {DAY: models(3)})
    with SandboxHub(folder, day=DAY) as sandbox:
        other = client_of(sandbox.url)
        assert revision_for(other, DAILY, DAY).committed_at.date() == DAY
        assert other.is_simulated is True
