"""Landing files as the extraction writes them, made from plain dicts, and readers of the golden CSVs into those dicts.
What the numbers mean belongs to the oracle; running dbt belongs to `warehouse.py`."""

import csv
import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent

_UTC = pa.timestamp("us", tz="UTC")
_PARENT = pa.struct([("_id", pa.string()), ("id", pa.string())])

MODELS_SCHEMA = pa.schema(
    [
        ("_id", pa.string()),
        ("id", pa.string()),
        ("author", pa.string()),
        ("createdAt", _UTC),
        ("lastModified", _UTC),
        ("downloads", pa.int64()),
        ("downloadsAllTime", pa.int64()),
        ("likes", pa.int64()),
        ("trendingScore", pa.float64()),
        ("gated", pa.string()),
        ("disabled", pa.bool_()),
        ("private", pa.bool_()),
        ("pipeline_tag", pa.string()),
        ("library_name", pa.string()),
        ("sha", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("safetensors_total", pa.int64()),
        ("baseModels", pa.struct([("relation", pa.string()), ("models", pa.list_(_PARENT))])),
        ("extra", pa.string()),
        ("cast_errors", pa.list_(pa.string())),
        ("page", pa.int32()),
        ("fetched_at", _UTC),
        ("source", pa.string()),
        ("source_revision", pa.string()),
        ("captured_at", _UTC),
    ]
)
ACCOUNTS_SCHEMA = pa.schema(
    [
        ("namespace", pa.string()),
        ("account_type", pa.string()),
        ("full_name", pa.string()),
        ("is_verified", pa.bool_()),
        ("plan", pa.string()),
        ("followers", pa.int64()),
        ("observed_at", _UTC),
    ]
)
CAPTURES_SCHEMA = pa.schema(
    [
        ("status", pa.string()),
        ("source", pa.string()),
        ("source_revision", pa.string()),
        ("source_license", pa.string()),
        ("captured_at", _UTC),
        ("counters_date", pa.date32()),
        ("models", pa.int64()),
        ("downloads_all_time", pa.int64()),
        ("is_simulated", pa.bool_()),
        ("reason", pa.string()),
    ]
)


def model(repo_id: str, model_id: str, created_at: datetime, **fields) -> dict:
    """One row of the listing as landed: the given fields, and for the rest what a repository with nothing set has."""
    return {
        "_id": repo_id,
        "id": model_id,
        "author": model_id.split("/")[0] if "/" in model_id else None,
        "createdAt": created_at,
        "lastModified": created_at,
        "downloads": 0,
        "downloadsAllTime": 0,
        "likes": 0,
        "trendingScore": 0.0,
        "gated": "none",
        "disabled": False,
        "private": False,
        "tags": [],
        **fields,
    }


def land(landing: Path, day: date, *, models: list[dict], accounts: list[dict], capture: dict) -> None:
    """Write one complete day under `landing`: its models ordered by `_id`, the accounts known, its row of captures."""
    captured_at = capture["captured_at"]
    provenance = {"page": 1, "fetched_at": captured_at, "source": "hub_api", "captured_at": captured_at}
    rows = [{**row, **provenance} for row in sorted(models, key=lambda row: row["_id"])]
    known = [{**row, "observed_at": captured_at} for row in sorted(accounts, key=lambda row: row["namespace"])]
    for table, schema, content in (
        ("models", MODELS_SCHEMA, rows),
        ("accounts", ACCOUNTS_SCHEMA, known),
        ("captures", CAPTURES_SCHEMA, [capture]),
    ):
        folder = landing / table / f"snapshot_date={day}"
        folder.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(content, schema=schema), folder / "part-00000.parquet", compression="zstd")
        manifest = {"snapshot_date": str(day), "rows": len(content), "is_simulated": True}
        (folder / "_manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def complete_capture(day: date, models: list[dict]) -> dict:
    """The captures row of a complete walk at noon of `day`."""
    return {
        "status": "complete",
        "source": "hub_api",
        "captured_at": datetime.fromisoformat(f"{day}T12:00:00+00:00"),
        "counters_date": day,
        "models": len(models),
        "downloads_all_time": sum(row["downloadsAllTime"] for row in models),
        "is_simulated": True,
    }


def read_csv(name: str) -> list[dict[str, str | None]]:
    """Rows of a CSV beside this module; empty cells are None."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]


def _split(cell: str | None) -> list[str]:
    return cell.split(";") if cell else []


def _golden_model(row: dict[str, str | None]) -> dict:
    parents = [
        {"id": parent_id, "_id": parent_repo_id}
        for parent_id, parent_repo_id in zip(_split(row["base_models"]), _split(row["base_repo_ids"]), strict=True)
    ]
    return model(
        row["repo_id"],
        row["model_id"],
        datetime.fromisoformat(row["created_at"]),
        downloads=int(row["downloads_30d"]),
        downloadsAllTime=int(row["downloads_all_time"]),
        likes=int(row["likes"]),
        tags=_split(row["tags"]),
        baseModels={"relation": row["base_relation"], "models": parents} if parents else None,
    )


def golden_models() -> list[dict]:
    """The ten models of `models.csv` as landed rows."""
    return [_golden_model(row) for row in read_csv("models.csv")]


def golden_accounts() -> list[dict]:
    """The accounts of `accounts.csv` as landed rows."""
    return read_csv("accounts.csv")


def golden_capture() -> tuple[date, dict]:
    """The snapshot day of `captures.csv` and its captures row."""
    (row,) = read_csv("captures.csv")
    day = date.fromisoformat(row.pop("snapshot_date"))
    return day, {
        **row,
        "captured_at": datetime.fromisoformat(row["captured_at"]),
        "counters_date": date.fromisoformat(row["counters_date"]),
        "models": int(row["models"]),
        "downloads_all_time": int(row["downloads_all_time"]),
        "is_simulated": row["is_simulated"] == "true",
    }


def _history_model(row: dict[str, str | None], counter: dict[str, str | None]) -> dict:
    parents = zip(_split(row["base_models"]), _split(row["base_repo_ids"]), strict=True)
    listed = [{"id": parent_id, "_id": parent_repo_id} for parent_id, parent_repo_id in parents]
    count = counter["downloads_all_time"]
    return model(
        row["repo_id"],
        counter["model_id"],
        datetime.fromisoformat(row["created_at"]),
        downloadsAllTime=None if count is None else int(count),
        baseModels={"relation": row["base_relation"], "models": listed} if listed else None,
    )


def history_listing(day: str) -> list[dict]:
    """What `history_counters.csv` lists on a day as landed rows; a row without a name isn't listed."""
    models = {row["repo_id"]: row for row in read_csv("history_models.csv")}
    counters = [row for row in read_csv("history_counters.csv") if row["snapshot_date"] == day and row["model_id"]]
    return [_history_model(models[counter["repo_id"]], counter) for counter in counters]


def land_history(landing: Path) -> list[str]:
    """Land the days of `history_days.csv`; returns them in order."""
    days = read_csv("history_days.csv")
    for row in days:
        day = date.fromisoformat(row["snapshot_date"])
        listing = history_listing(row["snapshot_date"])
        capture = {
            "status": row["status"],
            "source": "hub_api",
            "captured_at": datetime.fromisoformat(row["captured_at"]),
            "counters_date": date.fromisoformat(row["counters_date"]),
            "models": len(listing),
            "downloads_all_time": sum(model["downloadsAllTime"] or 0 for model in listing),
            "is_simulated": True,
        }
        land(landing, day, models=listing, accounts=golden_accounts(), capture=capture)
    return [row["snapshot_date"] for row in days]
