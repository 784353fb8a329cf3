"""The client against real HTTP that fails: what is retried, how long is waited, what stops it, what it says then."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2
import pytest

from orchestration.hub import client as client_module
from orchestration.hub.client import HubClient, RetryPolicy
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
from orchestration.hub.listings import check_page
from tests.hub.snapshots import DAY

LISTING = "/api/models?sort=createdAt&direction=1&limit=20"


def get(client: HubClient):
    return client.get(LISTING, check=check_page)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520, 530])
def test_a_transient_status_is_tried_again(serve, client_of, naps, status):
    hub = serve(faults=[{"kind": "status", "status": status, "times": 2}])
    client = client_of(hub)
    assert len(get(client).document) == 20
    assert client.retries == {str(status): 2}
    assert sum(nap >= 0.1 for nap in naps) == 2


@pytest.mark.parametrize(
    "fault",
    ["html", "empty", "error_object", "truncated_json", "invalid_utf8", "reset", "short_body", "gzip_cut"],
)
def test_a_spoilt_body_or_connection_is_asked_for_again(serve, client_of, fault):
    hub = serve(faults=[{"kind": fault}])
    client = client_of(hub)
    reply = get(client)
    assert len(reply.document) == 20
    assert not reply.damaged
    assert client.retries.total() == 1


def test_a_silent_server_times_out_and_is_asked_again(serve, client_of):
    hub = serve(faults=[{"kind": "hang", "seconds": 20}])
    client = client_of(hub, timeout=httpx2.Timeout(0.3))
    assert len(get(client).document) == 20
    assert client.retries == {"ReadTimeout": 1}


def test_a_dripping_reply_has_a_bound_of_its_own(serve, client_of, monkeypatch):
    monkeypatch.setattr(client_module, "REPLY_SECONDS", 0.3)
    hub = serve(faults=[{"kind": "drip", "seconds": 5}])
    client = client_of(hub)
    assert len(get(client).document) == 20
    assert client.retries == {"ReadTimeout": 1}


def test_bytes_that_stay_invalid_are_replaced_and_flagged(serve, client_of):
    hub = serve(faults=[{"kind": "invalid_utf8", "times": None}])
    reply = get(client_of(hub))
    assert reply.damaged
    assert "\ufffd" in reply.document[0]["_id"]


def test_retry_after_in_seconds_is_obeyed(serve, client_of, naps):
    hub = serve(faults=[{"kind": "status", "status": 503, "retry_after": 33}])
    get(client_of(hub))
    assert max(naps) == 33


def test_retry_after_as_a_date_is_obeyed(serve, client_of, naps):
    later = datetime(DAY.year, DAY.month, DAY.day, 12, 0, 50, tzinfo=UTC)
    hub = serve(faults=[{"kind": "status", "status": 503, "retry_after": format_datetime(later, usegmt=True)}])
    get(client_of(hub))
    assert 40 <= max(naps) <= 50


def test_a_used_up_window_is_waited_for(serve, client_of, naps):
    hub = serve(faults=[{"kind": "status", "status": 429, "remaining": 0, "reset": 41}])
    get(client_of(hub))
    assert max(naps) >= 42


def test_throttling_does_not_count_as_failing_for_three_windows(serve, client_of):
    hub = serve(faults=[{"kind": "status", "status": 429, "remaining": 7, "retry_after": 20, "times": 15}])
    client = client_of(hub)
    get(client)
    assert client.retries == {"429": 15}


def test_endless_throttling_ends(serve, client_of, naps):
    hub = serve(faults=[{"kind": "status", "status": 429, "remaining": 0, "reset": 100, "times": None}])
    with pytest.raises(HubUnavailable, match="status 429"):
        get(client_of(hub))
    assert sum(naps) <= 2 * RetryPolicy().patience  # the client's waits and the governor's


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"kind": "status", "status": 500}, HubUnavailable, "failed 10 times.*status 500.*resumes"),
        ({"kind": "reset"}, HubUnavailable, "failed 10 times"),
        ({"kind": "html"}, HubIntegrityError, "answered 10 times with a body that is none.*doctype"),
        ({"kind": "error_object"}, HubIntegrityError, "a dict instead of a list.*working on it"),
        ({"kind": "missing_header", "names": ["Date"]}, HubIntegrityError, "no readable Date header"),
    ],
    ids=["error status", "reset connection", "web page", "object for a list", "no Date"],
)
def test_what_does_not_pass_ends_after_bounded_tries(serve, client_of, naps, fault, error, words):
    hub = serve(faults=[fault | {"times": None}])
    with pytest.raises(error, match=words):
        get(client_of(hub))
    assert max(naps) <= 60


def test_a_hub_that_goes_away_is_unavailable_and_not_unreachable(serve, client_of):
    hub = serve(capture_time="12:00:00")  # one of its own, to be stopped
    client = client_of(hub)
    get(client)
    hub.stop()
    with pytest.raises(HubUnavailable, match=r"failed 10 times.*resumes"):
        get(client)


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "HF_TOKEN"), (403, "HF_TOKEN"), (404, "OBSERVATORY_HUB_ENDPOINT"), (410, "address")]
)
def test_a_refusal_stops_at_once_and_never_drops_the_token(serve, client_of, status, advice):
    hub = serve(faults=[{"kind": "status", "status": status, "times": None}])
    before = len(hub.requests)
    with pytest.raises(HubConfigurationError, match=advice) as caught:
        get(client_of(hub, token="hf_secret"))
    assert "with the token" in str(caught.value)
    assert "hf_secret" not in str(caught.value)
    assert [request[2] for request in hub.requests][before:] == [status]


def test_nobody_there_is_said_in_one_sentence_within_seconds(naps):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    clock = lambda: time.monotonic() + sum(naps)  # noqa: E731 - time goes on while the client would sleep
    with HubClient(address, sleep=naps.append, clock=clock) as client, pytest.raises(HubUnreachable) as caught:
        get(client)
    assert address in str(caught.value)
    assert "`make demo`" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "3 tries" in str(caught.value)
    assert sum(naps) < 6  # at most 1 + 2 s of backoff, and the governor's pace


def test_an_address_that_is_none_is_a_configuration_error(naps):
    with HubClient("ftp://hub.example", sleep=naps.append) as client, pytest.raises(HubConfigurationError):
        get(client)
    assert naps == []


def test_no_other_host_is_ever_asked(serve, client_of):
    client = client_of(serve())
    with pytest.raises(HubIntegrityError, match=r"other-hub\.invalid"):
        client.get("http://other-hub.invalid/api/models")


@pytest.mark.parametrize("token", [None, "hf_given"])
def test_only_the_given_token_is_sent(monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", "hf_from_the_environment")
    monkeypatch.delenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", raising=False)
    seen: list[dict[str, str]] = []

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with HubClient(f"http://127.0.0.1:{server.server_port}", token=token) as client:
            client.get("/api/models")
    assert seen[0].get("authorization") == (f"Bearer {token}" if token else None)
    assert seen[0]["user-agent"].startswith("open-model-observatory/")


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (429, Action.WAIT),
        (500, Action.RETRY),
        (529, Action.RETRY),
        (400, Action.CONFIGURATION),
        (401, Action.CONFIGURATION),
        (307, Action.CONFIGURATION),
        (418, Action.CONFIGURATION),
    ],
)
def test_the_table_treats_statuses(status, action):
    assert action_for_status(status) is action


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (httpx2.ReadTimeout("slow"), Action.RETRY),
        (httpx2.RemoteProtocolError("cut"), Action.RETRY),
        (httpx2.DecodingError("gzip"), Action.RETRY),
        (MalformedBody("html"), Action.RETRY),
        (httpx2.UnsupportedProtocol("ftp"), Action.CONFIGURATION),
        (HubIntegrityError("order"), Action.INTEGRITY),
        (KeyError("ours"), None),
    ],
    ids=lambda value: getattr(value, "name", type(value).__name__),
)
def test_the_table_treats_exceptions(error, action):
    assert action_for_exception(error) is action


def test_dates_are_the_hubs(serve, client_of):
    reply = get(client_of(serve()))
    assert reply.date - datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC) < timedelta(seconds=60)
