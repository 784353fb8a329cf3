"""`python -m benchmarks.history`: what a day costs the warehouse when it is the 5th, the 60th and the 365th of its history.
One made-up Hub is landed for a year, and only those days are measured; how a day is landed is measured in `extraction.py`."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.processes import PROJECT_ROOT, measured
from benchmarks.report import machine
from orchestration.settings import Settings

MODELS, SEED, FIRST_DAY = 200_000, 7, date(2025, 9, 1)
MEASURED_DAYS = (5, 60, 365)
# So many model-days are loaded in one go between the measured days, which bounds memory.
MODEL_DAYS_A_LOAD = 3_000_000
BLOCK_BYTES = 262_144  # DuckDB's own, of which a table's rows fill whole ones

# As the daily job builds its layers, with their data tests; the bytes are what the process asked the kernel to read.
BUILD = """
import json, sys
from datetime import date
from orchestration.defs.transform.dbt_in_process import LAYERS, DbtInProcess
from orchestration.settings import Settings
days, with_tests = [date.fromisoformat(day) for day in json.loads(sys.argv[1])], sys.argv[2] == "with_tests"
dbt, settings = DbtInProcess(), Settings()
for layer in LAYERS.values():
    if with_tests:
        _, result = dbt.build(layer.select, settings, exclude=layer.exclude, days=days, run_id="bench")
    else:
        command = ["build", "--select", layer.select, "--exclude-resource-type", "unit_test", "test"]
        _, result = dbt.invoke(command + (["--exclude", layer.exclude] if layer.exclude else []), settings, days=days)
    failed = [str(node.message) for node in result.result or () if str(node.status) in ("error", "fail")]
    assert result.success, (result.exception, failed)
for line in open("/proc/self/io"):
    if line.startswith("rchar"):
        print("read", line.split()[1])
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--days", type=int, nargs="+", default=list(MEASURED_DAYS), help="which of the year to measure")
    parser.add_argument("--results", type=Path, default=PROJECT_ROOT / "benchmarks" / "results" / "history.json")
    asked = parser.parse_args(arguments)
    bench = Settings().home / "bench"
    bench.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="history-", dir=bench))
    try:
        records = measure(scratch, asked.models, sorted(asked.days))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    said = {"date": today, "machine": machine(), "models": asked.models, "is_simulated": True, "days": records}
    asked.results.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(scratch: Path, models: int, days: list[int]) -> list[dict]:
    """Seconds, CPU, peak memory, bytes read and the warehouse's size after each of `days` (1 is the first)."""
    home = scratch / "home"
    landed = land_year(scratch / "hub", home / "landing", models, days[-1])
    environment = {"OBSERVATORY_HOME": str(home)}
    warehouse, loaded, records = home / "warehouse" / "observatory.duckdb", 0, []
    at_once = max(1, MODEL_DAYS_A_LOAD // models)
    for number in days:
        while loaded < number - 1:
            upto = min(loaded + at_once, number - 1)
            build(landed[loaded:upto], "without_tests", environment)
            loaded = upto
        record = build(landed[number - 1 : number], "with_tests", environment)
        loaded = number
        record |= {"day": number, "warehouse_bytes": bytes_used(warehouse)}
        records.append(record)
        say(str(record))
    return records


def bytes_used(warehouse: Path) -> dict[str, int]:
    """Bytes of the blocks of each table that they hold: the file itself keeps what a larger load has left free."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return {
            f"{schema}.{table}": BLOCK_BYTES
            * connection.execute(
                f"select count(distinct block_id) from pragma_storage_info('{schema}.{table}') where block_id >= 0"
            ).fetchone()[0]
            for schema, table in tables
        }


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def build(days: list[date], mode: str, environment: dict[str, str]) -> dict:
    """Build all layers for `days` in a fresh process."""
    said, cost = measured(["-c", BUILD, json.dumps([day.isoformat() for day in days]), mode], environment)
    read = [line.split()[1] for line in said.splitlines() if line.startswith("read ")]
    return cost.as_dict() | {"read_bytes": int(read[-1])}


def land_year(hub: Path, landing: Path, models: int, days: int) -> list[date]:
    """Land `days` days of a made-up Hub without a walk: the sandbox's first day, then counters that move for a fifth of
    the models, and for nearly all with many downloads, every day. Nothing comes or goes after the first day."""
    from orchestration.sandbox.population import write_population

    write_population(hub, models=models, days=1, seed=SEED, first_day=FIRST_DAY)
    first = landed_table(hub / f"snapshot_date={FIRST_DAY}" / "models.parquet")
    accounts = pq.read_table(hub / "accounts.parquet")
    all_days = [FIRST_DAY + timedelta(days=number) for number in range(days)]
    for day, all_time in zip(all_days, counters_of_days(first, days), strict=True):
        table = first.set_column(
            first.schema.get_field_index("downloadsAllTime"), "downloadsAllTime", pa.array(all_time)
        )
        write_day(landing, day, table, accounts, int(all_time.sum()))
    return all_days


def counters_of_days(first: pa.Table, days: int) -> Iterator[np.ndarray]:
    draws = np.random.default_rng(SEED)
    all_time = first["downloadsAllTime"].to_numpy().astype(np.int64)
    rate = np.maximum(first["downloads"].to_numpy() / 30, 0.05)
    yield all_time
    for _ in range(days - 1):
        all_time = all_time + draws.poisson(rate)
        yield all_time


def landed_table(snapshot: Path) -> pa.Table:
    """The sandbox's file as the landing names its columns."""
    listed = pq.read_table(snapshot)
    total = listed["safetensors"].combine_chunks().field("total")
    gated = pa.array(["none" if gate == "false" else gate for gate in listed["gated"].to_pylist()], pa.string())
    at = listed.schema.get_field_index("gated")
    listed = listed.set_column(at, "gated", gated).drop_columns(["safetensors"])
    listed = listed.append_column("safetensors_total", total)
    return listed.append_column("cast_errors", pa.nulls(listed.num_rows, pa.list_(pa.string())))


def write_day(landing: Path, day: date, models: pa.Table, accounts: pa.Table, downloads_all_time: int) -> None:
    """Models, accounts and capture of one day, complete at noon."""
    moment = pa.scalar(f"{day}T12:00:00Z").cast(pa.timestamp("us", tz="UTC"))

    def told(table: pa.Table, **columns: pa.Scalar) -> pa.Table:
        for name, value in columns.items():
            table = table.append_column(name, pa.repeat(value, table.num_rows))
        return table

    source = {"source": pa.scalar("hub_api"), "source_revision": pa.scalar(None, pa.string()), "captured_at": moment}
    kinds = pa.array(["organization" if kind == "org" else "person" for kind in accounts["type"].to_pylist()])
    known = pa.table(
        {
            "namespace": accounts["name"], "account_type": kinds, "full_name": accounts["fullname"],
            "is_verified": accounts["isVerified"], "plan": accounts["plan"], "followers": accounts["numFollowers"],
        }
    )  # fmt: skip
    capture = pa.table(
        {
            "status": ["complete"], "counters_date": [day], "models": [models.num_rows],
            "downloads_all_time": [downloads_all_time], "is_simulated": [True],
            "source_license": pa.nulls(1, pa.string()), "reason": pa.nulls(1, pa.string()),
        }
    )  # fmt: skip
    for name, table in {
        "models": told(models, **source),
        "accounts": told(known, observed_at=moment),
        "captures": told(capture, **source),
    }.items():
        folder = landing / name / f"snapshot_date={day}"
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "part-00000.parquet", compression="zstd")


if __name__ == "__main__":
    raise SystemExit(main())
