"""Organisation, person or neither, over real HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from orchestration.hub.accounts import Account, look_up
from orchestration.hub.client import HubClient
from orchestration.hub.errors import HubIntegrityError
from orchestration.sandbox.server import SandboxHub
from tests.hub.snapshots import DAY, models, write_snapshots

ACCOUNTS = [
    {"name": "org0", "type": "org", "fullname": "Org Zero", "isVerified": True, "plan": "team", "numFollowers": 12},
    {"name": "Ada", "type": "user", "fullname": "Ada L.", "isVerified": None, "plan": None, "numFollowers": 3},
]
NOT_FOUND = (404, {}, {"error": "not found"})


@pytest.fixture
def snapshots(tmp_path):
    return write_snapshots(tmp_path / "snapshots", {DAY: models(3)}, ACCOUNTS)


@pytest.fixture
def answering() -> Iterator[Callable[[dict], HubClient]]:
    """`answering({path: (status, headers, document)})`: a client of a Hub that says just that, and 404 to the rest."""
    with ExitStack() as stack:

        def start(answers: dict[str, tuple[int, dict[str, str], object]]) -> HubClient:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    status, headers, document = answers.get(self.path, NOT_FOUND)
                    body = json.dumps(document).encode()
                    self.send_response_only(status)
                    for name, value in {"Date": formatdate(usegmt=True), **headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

                def log_message(self, *_: object) -> None:
                    pass

            server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return stack.enter_context(HubClient(f"http://127.0.0.1:{server.server_address[1]}", sleep=lambda _: None))

        yield start


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("org0", ("organization", "Org Zero", True, "team", 12)),
        ("ORG0", ("organization", "Org Zero", True, "team", 12)),
        ("Ada", ("person", None, None, None, None)),
        ("ada", ("person", None, None, None, None)),
        ("nobody", ("unknown", None, None, None, None)),
        ("a/b c", ("unknown", None, None, None, None)),
    ],
    ids=[
        "organisation",
        "organisation in another spelling",
        "person",
        "person in another spelling",
        "neither",
        "a name that needs quoting",
    ],
)
def test_an_account_is_told_apart(snapshots, name, expected):
    with SandboxHub(snapshots, day=DAY) as hub, HubClient(hub.url) as client:
        account = look_up(client, name)
    assert account.namespace == name
    assert (account.account_type, account.full_name, account.is_verified, account.plan, account.followers) == expected
    assert account.observed_at.date() == DAY
    assert not account.is_renamed


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(
            {"/api/organizations/old/overview": (200, {}, {"name": "New", "fullname": "New Inc", "numFollowers": 5})},
            ("organization", "New Inc", True),
            id="an organisation answers under another name",
        ),
        pytest.param(
            {"/api/organizations/old/overview": (200, {}, {"name": "OLD", "fullname": "Old Inc"})},
            ("organization", "Old Inc", False),
            id="an organisation answers in another spelling",
        ),
        pytest.param(
            {"/api/organizations/old/overview": (200, {}, {"fullname": "Old Inc"})},
            ("organization", "Old Inc", False),
            id="an organisation that doesn't tell its name",
        ),
        pytest.param(
            {
                "/api/organizations/old/overview": (307, {"Location": "/api/organizations/new/overview"}, None),
                "/api/organizations/new/overview": (200, {}, {"name": "new", "fullname": "New Inc"}),
            },
            ("organization", "New Inc", True),
            id="an organisation redirects to another name",
        ),
        pytest.param(
            {"/api/users/old/overview": (307, {"Location": "/api/users/New%20One/overview?x=1"}, None)},
            ("person", None, True),
            id="a person redirects to another name",
        ),
        pytest.param(
            {"/api/users/old/overview": (307, {"Location": "/api/users/Old/overview"}, None)},
            ("person", None, False),
            id="a person redirects to another spelling",
        ),
        pytest.param(
            {"/api/users/old/overview": (200, {}, {"user": "new", "fullname": "A Person"})},
            ("person", None, True),
            id="a person answers under another name",
        ),
    ],
)
def test_a_rename_is_noticed(answering, answers, expected):
    account = look_up(answering(answers), "old")
    assert (account.account_type, account.full_name, account.is_renamed) == expected
    assert account.namespace == "old"


def test_of_a_renamed_person_the_new_name_is_not_kept(answering):
    client = answering({"/api/users/old/overview": (307, {"Location": "/api/users/Zebediah/overview"}, None)})
    account = look_up(client, "old")
    assert "Zebediah" not in repr([getattr(account, item.name) for item in fields(Account)])


@pytest.mark.parametrize("location", ["/login", "/api/users//overview", "/api/organizations/new/overview", ""])
def test_a_redirection_to_anything_but_an_overview_is_no_answer(answering, location):
    client = answering({"/api/users/old/overview": (307, {"Location": location}, None)})
    with pytest.raises(HubIntegrityError, match="instead of an overview of /api/users"):
        look_up(client, "old")


def test_values_that_do_not_fit_are_null(answering):
    odd = {"name": "lab", "fullname": ["Lab"], "isVerified": "yes", "plan": 3, "numFollowers": 1.5}
    account = look_up(answering({"/api/organizations/lab/overview": (200, {}, odd)}), "lab")
    assert account.account_type == "organization"
    assert (account.full_name, account.is_verified, account.plan, account.followers) == (None, None, None, None)


def test_an_overview_that_is_none_is_refused(snapshots):
    faults = [{"kind": "html", "route": "organization", "times": None}]
    with (
        SandboxHub(snapshots, day=DAY, faults=faults) as hub,
        HubClient(hub.url, sleep=lambda _: None) as client,
        pytest.raises(HubIntegrityError, match="not JSON"),
    ):
        look_up(client, "org0")
