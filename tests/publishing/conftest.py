"""Fixtures of the publishing tests: a home in a temporary folder, with a small real warehouse in it."""

import shutil
from datetime import date

import duckdb
import pytest

from orchestration.publishing import build_candidate, publish_candidate
from orchestration.settings import Settings

from .warehouse import EXAMPLES, PASSED, Contents, write_warehouse


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
    return build_candidate(
        settings, version_id="v1", run_id="run-1", snapshot_dates=[warehouse.last_day], examples=EXAMPLES
    )


@pytest.fixture
def publish(settings):
    """Build and publish what the warehouse holds now, without a report."""

    def publish(version_id: str, *, at=None):
        candidate = build_candidate(
            settings, version_id=version_id, run_id="run-1", snapshot_dates=[date(2026, 10, 13)]
        )
        return publish_candidate(settings, candidate, quality=[PASSED], at=at)

    return publish


# As an enemy would name things: formulas, sequences that steer a terminal, text that runs backwards, what CSV must quote.
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "＝1+1",
    "－1",
    '"quoted", and, commas',
    "two\nlines",
    "\x1b]0;another title\x07",
    "\x1b[2J\x1b[31mred",
    "\x9b31mred",
    "\u202egnp.exe",
    "",
    "plain-name",
    "'=1+1",
)


@pytest.fixture(scope="session")
def analysts_home(tmp_path_factory) -> Settings:
    """A home with one published version, whose models have hostile names, one of them none; tests only read it."""
    settings = Settings(home=tmp_path_factory.mktemp("analysts") / "home")
    write_warehouse(settings.warehouse_path)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for place, name in enumerate([*HOSTILE, None]):
            connection.execute(
                "update marts.dim_models set model_id = ?, parameters = -5 where repo_id = ?", [name, f"{place:024x}"]
            )
    candidate = build_candidate(
        settings, version_id="2026-10-13-1a2b3c4d", run_id="run-1", snapshot_dates=[date(2026, 10, 13)]
    )
    publish_candidate(settings, candidate, quality=[PASSED])
    return settings
