"""Six real days of the Hub's thousand trending models: no listing of everything, and the gate must say so."""

from pathlib import Path

import pytest

from orchestration.landing import CompletenessBounds, IncompleteDay, land_models
from orchestration.sandbox.server import SandboxHub
from tests.landing.landed import read_day
from tests.real_days import write_real_days

RECREATED = "wangzhang/Qwen3.6-27B-abliterated"


@pytest.fixture
def real_snapshots(shared_data: Path, tmp_path: Path) -> Path:
    return write_real_days(shared_data, tmp_path / "snapshots")


@pytest.mark.real_data
def test_trending_days_are_stopped_for_vanished_ids_and_land_with_wide_bounds(real_snapshots, settings_for):
    with SandboxHub(real_snapshots) as hub:
        first, *others = hub.days
        settings = settings_for(hub, page_size=100)
        hub.day = first
        assert land_models(first, settings).is_simulated is False
        hub.day = others[0]
        with pytest.raises(IncompleteDay, match=r"128 of 1,000 ids of 2026-04-29 have vanished"):
            land_models(others[0], settings)
        wide = CompletenessBounds(vanished_share=0.2, fewer_rows_share=0.2, more_rows_share=0.2)
        for day in others:
            hub.day = day
            manifest = land_models(day, settings, bounds=wide).manifest
            assert (manifest["rows"], manifest["cast_errors"], manifest["retyped"]) == (1000, {}, {})
            assert manifest["identity"]["gone"] == manifest["identity"]["created"] + manifest["identity"]["appeared"]
        holders = {
            day: [row["_id"] for row in read_day(settings, "models", day).to_pylist() if row["id"] == RECREATED]
            for day in hub.days
        }
    # created on 23 April, and again on the 24th: two repositories, of which the listing showed one at a time
    assert [len(ids) for ids in holders.values()] == [1, 0, 0, 0, 1, 1]
    assert len({row_id for ids in holders.values() for row_id in ids}) == 2
