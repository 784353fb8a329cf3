"""What every test shares: a home of its own, and an environment in which nothing reaches out or phones home."""

import os
from pathlib import Path

import pytest

# Before anything imports the Hub's client: it reads these once, at import.
os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["DO_NOT_TRACK"] = "1"
for name in [name for name in os.environ if name.startswith(("OBSERVATORY_", "HF_TOKEN", "HF_ENDPOINT"))]:
    del os.environ[name]

from orchestration.settings import PROJECT_ROOT, Settings  # noqa: E402

SHARED_DATA = PROJECT_ROOT.parent / "shared" / "data"


# Folders whose files take minutes: begun last, one of them would run alone.
LONG = ("pipeline", "oracle", "dbt")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; within a folder and a file as they were."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(PROJECT_ROOT / "tests").parts[0]
        return LONG.index(folder) if folder in LONG else len(LONG)

    items.sort(key=place)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with an empty home and a Hub address at which nothing listens."""
    return Settings(home=tmp_path / "home", hub_endpoint="http://127.0.0.1:9", hf_token=None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real rows that are not part of the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real rows are not part of the repository and are not on this machine")
    return SHARED_DATA
