"""Sandbox Hubs over made-up snapshots, and settings that walk them in small pages and shards."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.hub.client import HubClient
from orchestration.landing import land_models
from orchestration.sandbox.faults import Faults
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import Settings
from tests.hub.snapshots import DAY, NEXT_DAY, models, write_snapshots
from tests.landing.landed import content

COUNT = 110  # in pages of 20: five whole ones and a partial one


@pytest.fixture(scope="session")
def usual_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHub]:
    days = {DAY: models(COUNT), NEXT_DAY: models(COUNT + 3, without=(50,), likes=9)}
    accounts = [
        {"name": "org0", "type": "org", "fullname": "Org Zero", "isVerified": True, "numFollowers": 12},
        {"name": "org1", "type": "org", "fullname": "Org One"},
        {"name": "org2", "type": "user", "fullname": "A Person", "numFollowers": 3},
    ]
    folder = write_snapshots(tmp_path_factory.mktemp("usual") / "snapshots", days, accounts)
    with SandboxHub(folder, day=DAY) as hub:
        yield hub


@pytest.fixture(scope="session")
def clean_home(usual_hub: SandboxHub, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which the first day landed undisturbed. Only to be read, or copied."""
    usual_hub.day, usual_hub.faults.rules = DAY, []
    home = tmp_path_factory.mktemp("clean") / "home"
    settings = Settings(home=home, hub_endpoint=usual_hub.url, page_size=20, pages_per_shard=2, hf_token=None)
    land_models(DAY, settings)
    return settings


@pytest.fixture(scope="session")
def clean_rows(clean_home: Settings) -> pa.Table:
    """What every landing of the first day must equal."""
    return content(clean_home, DAY)


@pytest.fixture
def hub(usual_hub: SandboxHub) -> SandboxHub:
    """The usual Hub of two days, behaving, on its first day."""
    usual_hub.day = DAY
    usual_hub.faults.rules = []
    return usual_hub


@pytest.fixture
def misbehave(hub: SandboxHub) -> Callable[..., None]:
    """`misbehave({"kind": …}, …)`: from now on the usual Hub does so; without arguments it behaves again."""

    def set_faults(*faults: dict) -> None:
        hub.faults.rules = Faults(list(faults)).rules

    return set_faults


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., SandboxHub]]:
    """A Hub of its own over the given days."""
    with ExitStack() as stack:

        def start(days: dict[date, list[dict]], **options: object) -> SandboxHub:
            folder = tmp_path / "snapshots"
            if not folder.exists():
                write_snapshots(folder, days)
            return stack.enter_context(SandboxHub(folder, day=min(days), **options))

        yield start


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a fresh home for a Hub: pages of 20, shards of two pages."""

    def make(hub: SandboxHub, *, home: str = "home", **changes: object) -> Settings:
        options = {"page_size": 20, "pages_per_shard": 2, "hf_token": None} | changes
        return Settings(home=tmp_path / home, hub_endpoint=hub.url, **options)

    return make


@pytest.fixture
def client_of() -> Iterator[Callable[[SandboxHub], HubClient]]:
    """Clients that don't sleep between tries."""
    with ExitStack() as stack:
        yield lambda hub: stack.enter_context(HubClient(hub.url, sleep=lambda _: None))
