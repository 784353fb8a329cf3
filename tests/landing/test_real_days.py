"""Six real days of the Hub's thousand trending models: no listing of everything, and the gate must say so."""

import hashlib
import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.landing import CompletenessBounds, IncompleteDay, land_models
from orchestration.sandbox.server import SandboxHub
from tests.hub.snapshots import SCHEMA

COLUMNS = ("id", "author", "downloads", "likes", "trendingScore", "pipeline_tag")


@pytest.fixture
def real_snapshots(shared_data: Path, tmp_path: Path) -> Path:
    file = shared_data / "hub_trending" / "hf_trending_top1000_daily.parquet"
    if not file.exists():
        pytest.skip("the six real days of trending models are not on this machine")
    days: dict[str, list[dict[str, object]]] = {}
    for row in pq.read_table(file).to_pylist():
        created = datetime.fromisoformat(row["createdAt"])
        # the source has no _id: made from the seconds of creation and a hash of the name
        identity = f"{int(created.timestamp()):08x}{hashlib.sha256(row['id'].encode()).hexdigest()[:16]}"
        model = {"_id": identity, "createdAt": created, "lastModified": datetime.fromisoformat(row["lastModified"])}
        model |= {name: row[name] for name in COLUMNS} | {"tags": json.loads(row["tags"])}
        days.setdefault(row["counter_date"], []).append(model)
    folder = tmp_path / "snapshots"
    columns = pa.schema([field for field in SCHEMA if field.name in model])
    for day, rows in days.items():
        path = folder / f"snapshot_date={day}" / "models.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=columns), path)
    (folder / "sandbox.json").write_text(json.dumps({"simulated": False, "days": sorted(days)}))
    return folder


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
            landed = land_models(day, settings, bounds=wide)
            assert (landed.rows, landed.manifest["cast_errors"]) == (1000, {})
