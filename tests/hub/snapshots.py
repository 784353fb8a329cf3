"""Small made-up snapshot folders for the tests of extraction; the sandbox Hub serves them over real HTTP."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DAY, NEXT_DAY = date(2026, 10, 6), date(2026, 10, 7)
FIRST_CREATED = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("_id", pa.string()),
        ("id", pa.string()),
        ("author", pa.string()),
        ("createdAt", TIME),
        ("lastModified", TIME),
        ("downloads", pa.int64()),
        ("downloadsAllTime", pa.int64()),
        ("likes", pa.int64()),
        ("trendingScore", pa.float64()),
        ("gated", pa.string()),
        ("pipeline_tag", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("safetensors", pa.struct([("parameters", pa.struct([("BF16", pa.int64())])), ("total", pa.int64())])),
        (
            "baseModels",
            pa.struct(
                [
                    ("relation", pa.string()),
                    ("models", pa.list_(pa.struct([("_id", pa.string()), ("id", pa.string())]))),
                ]
            ),
        ),
    ]
)


def model_id(number: int) -> str:
    """The `_id` of the model with this number: one is created each hour."""
    return f"{FIRST_CREATED + 3600 * number:08x}{number:016x}"


def model(number: int, **changes: object) -> dict[str, object]:
    """One model of the made-up Hub, unlike its neighbours."""
    created = datetime.fromtimestamp(FIRST_CREATED + 3600 * number, UTC)
    parent = {"relation": "quantized", "models": [{"_id": model_id(0), "id": "org0/model-0"}]}
    row = {
        "_id": model_id(number),
        "id": f"org{number % 5}/model-{number}",
        "author": f"org{number % 5}",
        "createdAt": created,
        "lastModified": created,
        "downloads": 10 * number,
        "downloadsAllTime": 100 * number,
        "likes": number,
        "trendingScore": number / 4,
        "gated": ("false", "auto", "manual")[number % 3],
        "pipeline_tag": None if number % 4 == 0 else "text-generation",
        "tags": [f"license:{number % 2}", "transformers"],
        "safetensors": {"parameters": {"BF16": number}, "total": number} if number % 2 else None,
        "baseModels": parent if number % 3 == 1 else None,
    }
    return row | changes


def models(count: int, *, without: range | tuple[int, ...] = (), **changes: object) -> list[dict[str, object]]:
    """`count` models, in order, all with the same changes, less those whose numbers are in `without`."""
    return [model(number, **changes) for number in range(count) if number not in without]


def write_snapshots(
    folder: Path, days: Mapping[date, list[dict[str, object]]], accounts: list[dict[str, object]] = ()
) -> Path:
    """Write the folder that the sandbox Hub serves."""
    for day, rows in days.items():
        path = folder / f"snapshot_date={day}" / "models.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
    description = {"simulated": True, "description": "made up for tests", "days": [str(day) for day in days]}
    (folder / "sandbox.json").write_text(json.dumps(description))
    if accounts:
        schema = pa.schema(
            [
                ("name", pa.string()),
                ("type", pa.string()),
                ("fullname", pa.string()),
                ("isVerified", pa.bool_()),
                ("plan", pa.string()),
                ("numFollowers", pa.int64()),
                ("numModels", pa.int64()),
            ]
        )
        pq.write_table(pa.Table.from_pylist(accounts, schema=schema), folder / "accounts.parquet")
    return folder
