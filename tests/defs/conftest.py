"""What tests of the definitions share: a target for alerts that really listens."""

from collections.abc import Iterator

import pytest

from tests.defs.receivers import Webhook, webhook


@pytest.fixture
def target() -> Iterator[Webhook]:
    """A real HTTP server that takes messages, or refuses them while `status` says so."""
    with webhook() as server:
        yield server
