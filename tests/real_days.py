"""Six real days of the Hub's thousand trending models, laid out for the sandbox Hub. The source has no `_id` and no all-time
counter; nothing else is changed, and none of it is part of the repository."""

import hashlib
import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.hub.snapshots import SCHEMA

COLUMNS = ("id", "author", "downloads", "likes", "trendingScore", "pipeline_tag")


def write_real_days(shared_data: Path, folder: Path) -> Path:
    """The snapshot folder; skips the test, saying so, where the source is absent."""
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
    columns = pa.schema([field for field in SCHEMA if field.name in model])
    for day, rows in days.items():
        path = folder / f"snapshot_date={day}" / "models.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=columns), path)
    (folder / "sandbox.json").write_text(json.dumps({"simulated": False, "days": sorted(days)}))
    return folder
