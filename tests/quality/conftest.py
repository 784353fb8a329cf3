"""A good home, made once and copied for each test that breaks it."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from orchestration.quality import GateResult, run_gate
from orchestration.settings import Settings
from tests.quality.good_day import (
    DAY,
    LANDED_LISTINGS,
    NEXT_DAY,
    build_warehouse,
    copy_candidate,
    land_day,
    land_listing_day,
    land_past,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
# within hours of the second day's capture
SOON = datetime(2026, 10, 7, 18, tzinfo=UTC)


@pytest.fixture(scope="session")
def good_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two landed days of every listing, a warehouse of the first, a candidate of that. Not to be written to."""
    good = Settings(home=tmp_path_factory.mktemp("quality") / "home")
    land_past(good)
    land_day(good, DAY)
    land_day(good, NEXT_DAY)
    for listing in LANDED_LISTINGS:
        land_listing_day(good, listing, DAY)
        land_listing_day(good, listing, NEXT_DAY)
    build_warehouse(good, [DAY])
    copy_candidate(good)
    return good.home


@pytest.fixture
def good(good_home: Path, settings: Settings) -> Settings:
    """Settings with a copy of the good home."""
    shutil.copytree(good_home, settings.home)
    return settings


@pytest.fixture
def candidate(good: Settings) -> Path:
    return good.published_dir / "_candidates" / "one" / "observatory.duckdb"


@pytest.fixture
def gate(good: Settings, candidate: Path) -> Callable[..., GateResult]:
    """`run_gate` on the good home: gate(step, *days, **what differs)."""

    def judge(step: str, *days: date, **more) -> GateResult:
        arguments = {"settings": good, "run_id": "a-run", "evaluated_at": NOON, "database": candidate} | more
        return run_gate(step, list(days), **arguments)

    return judge
