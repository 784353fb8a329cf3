"""Three days of thirty models, small enough to reason about: a rename, a deletion, a name that comes back, ties, nulls.
Only what tests of the sandbox's server read; the demo's data is made by the simulation."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DAYS = [date(2026, 10, 6), date(2026, 10, 7), date(2026, 10, 9)]  # the 8th is missing
FIRST_CREATED = datetime(2026, 9, 1, tzinfo=UTC)
SCHEMA = pa.schema(
    {
        "_id": pa.string(),
        "id": pa.string(),
        "author": pa.string(),
        "createdAt": pa.timestamp("us", "UTC"),
        "lastModified": pa.timestamp("us", "UTC"),
        "downloads": pa.int64(),
        "downloadsAllTime": pa.int64(),
        "likes": pa.int64(),
        "trendingScore": pa.float64(),
        "gated": pa.string(),
        "disabled": pa.bool_(),
        "private": pa.bool_(),
        "pipeline_tag": pa.string(),
        "library_name": pa.string(),
        "sha": pa.string(),
        "tags": pa.list_(pa.string()),
        "safetensors": pa.struct({"parameters": pa.map_(pa.string(), pa.int64()), "total": pa.int64()}),
        "baseModels": pa.struct(
            {"relation": pa.string(), "models": pa.list_(pa.struct({"_id": pa.string(), "id": pa.string()}))}
        ),
    }
)


def row_id(created: datetime, number: int) -> str:
    return f"{int(created.timestamp()):08x}{number:016x}"


def model(number: int, *, name: str | None = None, created: datetime | None = None, **changes) -> dict:
    """One row; numbers give ties, nulls, gates and lineage a regular place."""
    created = created or FIRST_CREATED + timedelta(hours=number)
    identity = name or f"{'Alpha' if number % 3 else 'beta'}/model-{number:02d}"
    parent = {"_id": row_id(FIRST_CREATED, 0), "id": "beta/model-00"}
    return {
        "_id": row_id(created, number),
        "id": identity,
        "author": identity.split("/")[0],
        "createdAt": created,
        "lastModified": created + timedelta(days=number % 4, microseconds=1234),
        "downloads": number % 5 * 100,
        "downloadsAllTime": number * 1000,
        "likes": number % 3,
        "trendingScore": None if number % 4 == 0 else number % 4 * 0.5,
        "gated": ["false", "auto", "manual"][number % 3],
        "disabled": number == 5,
        "private": number == 7,
        "pipeline_tag": None if number % 6 == 0 else "text-generation",
        "library_name": "transformers" if number % 2 else None,
        "sha": f"{number:040x}",
        "tags": ["license:mit", "région:ü", f"odd:{number % 2}"],
        "safetensors": {"parameters": [("BF16", number), ("F32", None)], "total": number} if number % 2 else None,
        "baseModels": {"relation": "finetune", "models": [parent]} if number % 10 == 1 else None,
    } | changes


def rows_of(day: date) -> list[dict]:
    """Day 2: model 1 is renamed, model 2 deleted. Day 3: model 2's name comes back as another repository."""
    rows = {number: model(number) for number in range(30)}
    if day > DAYS[0]:
        rows[1] = model(1, name="Alpha/renamed-01")
        del rows[2]
    if day > DAYS[1]:
        rows[90] = model(90, name="Alpha/model-02", created=datetime(2026, 10, 8, 9, tzinfo=UTC))
    return list(rows.values())


def write_snapshots(folder: Path, *, simulated: bool = True) -> Path:
    for day in DAYS:
        rows = rows_of(day)[::-1]  # files need not be in order
        part = folder / f"snapshot_date={day}"
        part.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows[:10], SCHEMA), part / "part-0.parquet")
        pq.write_table(pa.Table.from_pylist(rows[10:], SCHEMA), part / "part-1.parquet")
    (folder / "sandbox.json").write_text(
        json.dumps({"simulated": simulated, "description": "thirty models", "seed": 7})
    )
    accounts = [
        {
            "name": "Alpha",
            "type": "org",
            "fullname": "Alpha Lab",
            "isVerified": True,
            "plan": "team",
            "numFollowers": 5,
        },
        {"name": "beta", "type": "user", "fullname": "B. Eta", "isVerified": None, "plan": None, "numFollowers": 1},
    ]
    pq.write_table(pa.Table.from_pylist(accounts), folder / "accounts.parquet")
    rename = {
        "old_id": "Alpha/model-01",
        "_id": model(1)["_id"],
        "new_id": "Alpha/renamed-01",
        "from_date": DAYS[1],
    }
    pq.write_table(pa.Table.from_pylist([rename]), folder / "renames.parquet")
    return folder


def public_rows(day: date) -> list[dict]:
    return sorted((row for row in rows_of(day) if not row["private"]), key=lambda row: row["_id"])
