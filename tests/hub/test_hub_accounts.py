"""Organisation, person or neither, over real HTTP."""

import pytest

from orchestration.hub.accounts import look_up
from orchestration.hub.client import HubClient
from orchestration.hub.errors import HubIntegrityError
from orchestration.sandbox.server import SandboxHub
from tests.hub.snapshots import DAY, models, write_snapshots

ACCOUNTS = [
    {"name": "org0", "type": "org", "fullname": "Org Zero", "isVerified": True, "plan": "team", "numFollowers": 12},
    {"name": "Ada", "type": "user", "fullname": "Ada L.", "isVerified": None, "plan": None, "numFollowers": 3},
]


@pytest.fixture
def snapshots(tmp_path):
    return write_snapshots(tmp_path / "snapshots", {DAY: models(3)}, ACCOUNTS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("org0", ("organization", "Org Zero", True, "team", 12)),
        ("Ada", ("person", None, None, None, None)),
        ("ada", ("person", None, None, None, None)),
        ("nobody", ("unknown", None, None, None, None)),
        ("a/b c", ("unknown", None, None, None, None)),
    ],
    ids=["organisation", "person", "person in another spelling", "neither", "a name that needs quoting"],
)
def test_an_account_is_told_apart(snapshots, name, expected):
    with SandboxHub(snapshots, day=DAY) as hub, HubClient(hub.url) as client:
        account = look_up(client, name)
    assert account.namespace == name
    assert (account.account_type, account.full_name, account.is_verified, account.plan, account.followers) == expected
    assert account.observed_at.date() == DAY


def test_an_overview_that_is_none_is_refused(snapshots):
    faults = [{"kind": "html", "route": "organization", "times": None}]
    with (
        SandboxHub(snapshots, day=DAY, faults=faults) as hub,
        HubClient(hub.url, sleep=lambda _: None) as client,
        pytest.raises(HubIntegrityError, match="not JSON"),
    ):
        look_up(client, "org0")
