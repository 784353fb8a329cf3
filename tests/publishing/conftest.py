"""Fixtures of the publishing tests: a home in a temporary folder, with a small real warehouse in it."""

import shutil
from datetime import date

import pytest

from orchestration.publishing import build_candidate, publish_candidate
from orchestration.settings import Settings

from .warehouse import PASSED, Contents, write_warehouse


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", keep_versions=2)


@pytest.fixture(scope="session")
def written_once(tmp_path_factory):
    path = tmp_path_factory.mktemp("warehouse") / "observatory.duckdb"
    write_warehouse(path)
    return path


@pytest.fixture
def warehouse(settings, written_once) -> Contents:
    settings.warehouse_path.parent.mkdir(parents=True)
    shutil.copy(written_once, settings.warehouse_path)
    return Contents()


@pytest.fixture
def candidate(settings, warehouse):
    return build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[warehouse.last_day])


@pytest.fixture
def publish(settings):
    """Build and publish what the warehouse holds now, without a report."""

    def publish(version_id: str, *, at=None):
        candidate = build_candidate(
            settings, version_id=version_id, run_id="run-1", snapshot_dates=[date(2026, 10, 13)]
        )
        return publish_candidate(settings, candidate, quality=[PASSED], at=at)

    return publish
