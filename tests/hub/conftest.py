"""A sandbox Hub with a few dozen models, which each test may have misbehave, and clients that don't sleep for real."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from orchestration.hub.client import HubClient
from orchestration.sandbox.faults import Faults
from orchestration.sandbox.server import SandboxHub
from tests.hub.snapshots import DAY, models, write_snapshots


@pytest.fixture(scope="session")
def shared_hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], SandboxHub]]:
    """One running Hub for each number of models: stopping one takes a tenth of a second."""
    hubs: dict[int, SandboxHub] = {}
    with ExitStack() as stack:

        def hub_with(count: int) -> SandboxHub:
            if count not in hubs:
                folder = write_snapshots(tmp_path_factory.mktemp("hub") / "snapshots", {DAY: models(count)})
                hubs[count] = stack.enter_context(SandboxHub(folder, day=DAY))
            return hubs[count]

        yield hub_with


@pytest.fixture
def serve(tmp_path: Path, shared_hubs) -> Iterator[Callable[..., SandboxHub]]:
    """`serve(count, faults=[…])`: a Hub with that many models on one day; with any other option, a Hub of its own."""
    with ExitStack() as stack:

        def start(count: int = 45, *, faults: list[dict] | None = None, **options: object) -> SandboxHub:
            if options:
                folder = write_snapshots(tmp_path / "snapshots", {DAY: models(count)})
                return stack.enter_context(SandboxHub(folder, day=DAY, faults=faults, **options))
            hub = shared_hubs(count)
            hub.faults.rules = Faults(faults).rules
            return hub

        yield start


@pytest.fixture
def naps() -> list[float]:
    """Seconds that a client of `client_of` would have slept."""
    return []


@pytest.fixture
def client_of(naps: list[float]) -> Iterator[Callable[..., HubClient]]:
    """Clients of a sandbox Hub that note their waits instead of sleeping."""
    with ExitStack() as stack:

        def client(hub: SandboxHub, **options: object) -> HubClient:
            return stack.enter_context(HubClient(hub.url, sleep=naps.append, **options))

        yield client
