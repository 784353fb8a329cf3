"""Hand-made landed days for the warehouse's tests: Parquet in the landing's shape, with the cases rules tell apart.
Nothing here runs dbt or asserts anything."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

BASE_MODELS = pa.struct(
    [
        pa.field("relation", pa.string()),
        pa.field("models", pa.list_(pa.struct([pa.field("_id", pa.string()), pa.field("id", pa.string())]))),
    ]
)
TIMESTAMP = pa.timestamp("us", tz="UTC")
MODELS = pa.schema(
    [
        ("_id", pa.string()),
        ("id", pa.string()),
        ("author", pa.string()),
        ("createdAt", TIMESTAMP),
        ("lastModified", TIMESTAMP),
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
        ("baseModels", BASE_MODELS),
        ("extra", pa.string()),
        ("cast_errors", pa.list_(pa.string())),
        ("page", pa.int32()),
        ("fetched_at", TIMESTAMP),
        ("source", pa.string()),
        ("source_revision", pa.string()),
        ("captured_at", TIMESTAMP),
    ]
)
ACCOUNTS = pa.schema(
    [
        ("namespace", pa.string()),
        ("account_type", pa.string()),
        ("full_name", pa.string()),
        ("is_verified", pa.bool_()),
        ("plan", pa.string()),
        ("followers", pa.int64()),
        ("observed_at", TIMESTAMP),
    ]
)
CAPTURES = pa.schema(
    [
        ("status", pa.string()),
        ("source", pa.string()),
        ("source_revision", pa.string()),
        ("source_license", pa.string()),
        ("captured_at", TIMESTAMP),
        ("counters_date", pa.date32()),
        ("models", pa.int64()),
        ("downloads_all_time", pa.int64()),
        ("is_simulated", pa.bool_()),
        ("reason", pa.string()),
    ]
)
DAYS = [date(2026, 10, 6), date(2026, 10, 7), date(2026, 10, 9)]  # the 8th was never captured
INCOMPLETE_DAY = date(2026, 10, 10)

ORGANIZATIONS = ["Qwen", "deepseek-ai", "openai", "google", "mistralai", "unsloth", "acme-labs", "bigscience"]
PERSONS = ["someone", "TheBloke", "another"]


def repo_id(created_at: datetime, number: int) -> str:
    return f"{int(created_at.timestamp()):08x}{number:016x}"


def captured_at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def model(name: str, number: int, created: str, monthly: int, total: int, likes: int = 50, **attributes) -> dict:
    """One listed model on the first day. `parents`: (relation, [(_id, name), …])."""
    created_at = datetime.fromisoformat(created).replace(tzinfo=UTC)
    parents = attributes.pop("parents", None)
    row = {
        "_id": repo_id(created_at, number),
        "id": name,
        "author": name.split("/")[0] if "/" in name else None,
        "createdAt": created_at,
        "lastModified": created_at + timedelta(days=1),
        "downloads": monthly,
        "downloadsAllTime": total,
        "likes": likes,
        "trendingScore": 0.0,
        "gated": "none",
        "disabled": False,
        "private": False,
        "tags": [],
        "source": "hub_api",
        "source_revision": "api",
        "page": 1,
    }
    if parents:
        relation, listed = parents
        row["baseModels"] = {"relation": relation, "models": [{"_id": key, "id": parent} for key, parent in listed]}
    return row | attributes


def first_day_models() -> list[dict]:
    apache = ["license:apache-2.0"]
    qwen = model(
        "Qwen/Qwen3-8B-Instruct",
        1,
        "2026-03-01",
        900_000,
        4_000_000,
        5_000,
        pipeline_tag="text-generation",
        tags=apache,
    )
    qwen_small = model(
        "Qwen/Qwen3-0.6B", 2, "2026-03-05", 300_000, 900_000, 800, pipeline_tag="text-generation", tags=apache
    )
    qwen_late = model("Qwen/Qwen3-8B-FP8", 3, "2026-03-20", 40_000, 90_000, tags=apache)
    deepseek = model("deepseek-ai/DeepSeek-R2", 4, "2026-01-15", 500_000, 2_000_000, 9_000, tags=["license:mit"])
    gpt_oss = model("openai/gpt-oss-20b", 5, "2025-08-04", 700_000, 9_000_000, 4_000, tags=apache)
    gemma = model(
        "google/gemma-4-12b", 6, "2026-04-10", 600_000, 1_500_000, 900, tags=["license:gemma"], gated="manual"
    )
    mistral = model("mistralai/Mistral-Small-4", 7, "2026-06-01", 100_000, 300_000, 200, tags=apache)
    old_bert = model("google/bert-base", 8, "2022-03-02T23:29:04", 2_000_000, 80_000_000, 2_000)
    outlier = model("acme-labs/tiny-test", 9, "2026-05-05", 1_500_000, 3_000_000, 1)
    rows = [qwen, qwen_small, qwen_late, deepseek, gpt_oss, gemma, mistral, old_bert, outlier]
    by_name = {row["id"]: row for row in rows}

    def parent(name: str) -> list[tuple[str, str]]:
        return [(by_name[name]["_id"], name)]

    quantized = model(
        "unsloth/Qwen3-8B-Instruct-GGUF",
        10,
        "2026-03-02",
        400_000,
        1_000_000,
        300,
        parents=("quantized", parent("Qwen/Qwen3-8B-Instruct")),
        library_name="gguf",
    )
    chained = model(
        "someone/qwen3-tuned-gguf",
        11,
        "2026-04-02",
        2_000,
        5_000,
        parents=("finetune", [(quantized["_id"], quantized["id"])]),
    )
    merged = model(
        "someone/east-west-merge",
        12,
        "2026-05-02",
        9_000,
        20_000,
        parents=("merge", parent("Qwen/Qwen3-8B-Instruct") + parent("google/gemma-4-12b")),
    )
    same_country = model(
        "another/chinese-merge",
        13,
        "2026-05-03",
        7_000,
        15_000,
        parents=("merge", parent("Qwen/Qwen3-8B-Instruct") + parent("deepseek-ai/DeepSeek-R2")),
    )
    tagged = model(
        "someone/gpt-oss-finetune",
        14,
        "2026-02-02",
        8_000,
        30_000,
        tags=["base_model:finetune:openai/GPT-OSS-20b", "base_model:openai/GPT-OSS-20b", "dataset:someone/words"],
    )
    orphan = model("someone/orphan", 15, "2026-02-03", 1_000, 3_000, tags=["base_model:nobody-knows/gone"])
    placed_orphan = model(
        "someone/placed-orphan", 16, "2026-02-04", 1_100, 3_100, tags=["base_model:mistralai/deleted"]
    )
    renamed_parent = model(
        "someone/on-renamed",
        17,
        "2026-06-04",
        1_200,
        3_200,
        parents=("adapter", [(mistral["_id"], "mistralai/old-name")]),
    )
    cycle_a = model("someone/cycle-a", 18, "2026-02-05", 1_300, 3_300, tags=["base_model:another/cycle-b"])
    cycle_b = model("another/cycle-b", 19, "2026-02-06", 1_400, 3_400, tags=["base_model:someone/cycle-a"])
    unlocated = model("acme-labs/big-new", 20, "2026-07-01", 250_000, 600_000, 90, tags=["license:other"])
    unknown_account = model("mystery/model", 21, "2026-07-02", 30_000, 60_000, 9)
    repackaged = model("TheBloke/Llama-GPTQ", 22, "2023-07-02", 60_000, 6_000_000, 900, tags=["license:llama2"])
    no_namespace = model("legacy-model", 23, "2022-03-02T23:29:05", 5_000, 900_000, 10)
    bloom = model(
        "bigscience/bloom", 24, "2022-07-01", 20_000, 9_000_000, 4_000, tags=["license:bigscience-bloom-rail-1.0"]
    )
    rows += [quantized, chained, merged, same_country, tagged, orphan, placed_orphan, renamed_parent, cycle_a, cycle_b]
    rows += [unlocated, unknown_account, repackaged, no_namespace, bloom]
    rows += [
        model(f"someone/small-{number}", 100 + number, f"2026-08-{number:02d}", 10 * number, 2_000 + 10 * number)
        for number in range(1, 17)
    ]
    return rows


def day_models(day: date) -> list[dict]:
    """The same Hub days later: counters grow, one repository renamed, one deleted, one new, one without its parent."""
    elapsed = (day - DAYS[0]).days
    rows = []
    for position, row in enumerate(first_day_models()):
        grown = row | {
            "downloadsAllTime": row["downloadsAllTime"] + elapsed * (position + row["downloadsAllTime"] // 200),
            "downloads": row["downloads"] + elapsed * position,
        }
        if elapsed >= 1 and row["id"] == "someone/small-1":
            continue
        if elapsed >= 1 and row["id"] == "someone/small-2":
            grown |= {"id": "another/small-two", "author": "another"}
        if elapsed >= 3 and row["id"] == "someone/placed-orphan":
            grown |= {"tags": []}
        rows.append(grown)
    if elapsed >= 1:
        rows.append(model("deepseek-ai/DeepSeek-R2-VL", 200, "2026-10-06", 1_000, 1_000 * elapsed))
    return [row | {"captured_at": captured_at(day), "fetched_at": captured_at(day)} for row in rows]


def write_day(landing: Path, listing: str, day: date, rows: list[dict], schema: pa.Schema) -> None:
    folder = landing / listing / f"snapshot_date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=schema)
    pq.write_table(table, folder / "part-00000.parquet", compression="zstd")
    (folder / "_manifest.json").write_text(json.dumps({"rows": table.num_rows}))


def land_day(
    landing: Path,
    day: date,
    models: list[dict],
    accounts: list[dict] | None = None,
    counters_date: date | None = None,
) -> None:
    """A complete landed day with these models; accounts default to the hand-made ones."""
    if accounts is None:
        accounts = [{"namespace": name, "account_type": "organization", "full_name": name} for name in ORGANIZATIONS]
        accounts += [{"namespace": name, "account_type": "person"} for name in PERSONS]
    accounts = [{"observed_at": captured_at(day)} | account for account in accounts]
    write_day(landing, "models", day, sorted(models, key=lambda row: row["_id"]), MODELS)
    write_day(landing, "accounts", day, accounts, ACCOUNTS)
    capture = {
        "status": "complete",
        "source": "hub_api",
        "source_revision": "api",
        "captured_at": captured_at(day),
        "counters_date": counters_date or day,
        "models": len(models),
        "downloads_all_time": sum(row["downloadsAllTime"] or 0 for row in models),
        "is_simulated": True,
    }
    write_day(landing, "captures", day, [capture], CAPTURES)


def land_incomplete_day(landing: Path, day: date, reason: str) -> None:
    capture = {
        "status": "incomplete",
        "source": "hub_api",
        "captured_at": captured_at(day),
        "counters_date": day,
        "models": 3,
        "downloads_all_time": 30,
        "is_simulated": True,
        "reason": reason,
    }
    write_day(landing, "captures", day, [capture], CAPTURES)


def land_hand_made_days(landing: Path) -> None:
    for day in DAYS:
        land_day(landing, day, day_models(day))
    land_incomplete_day(landing, INCOMPLETE_DAY, "terminal page not reached")
