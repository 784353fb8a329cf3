"""`python -m benchmarks.growth`: what the daily job costs when its day is the 2nd, 30th, 180th and 365th of a history; and the
last of them once more where it is the 2nd, since by then there are more models, too. The days between are loaded many at once by
the layers alone; `backfill.py` measures what many at once cost. What is published in the end is kept, for `queries.py` to ask."""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from benchmarks import results_file
from benchmarks.big_hub import BigHub
from benchmarks.daily import run_day
from benchmarks.landed_days import DayWriter
from benchmarks.processes import PROJECT_ROOT, measured
from benchmarks.report import of_growth
from benchmarks.results_file import say
from orchestration.settings import Settings

RESULTS = PROJECT_ROOT / "benchmarks" / "results" / "growth.json"
MODELS = 100_000
MEASURED_DAYS = (2, 30, 180, 365)
# So many model-days lie landed and are loaded in one go between the measured days, which bounds disk and memory.
MODEL_DAYS_A_LOAD = 3_000_000
BLOCK_BYTES = 262_144  # DuckDB's own, of which a table's rows fill whole ones


def home_of_year(models: int, days: int) -> Path:
    return Settings().home / "bench" / f"year-of-big-hub-models={models}-days={days}"


def measure_growth(home: Path, models: int, numbers: list[int], say: Callable[[str], None]) -> list[dict]:
    """A record of the daily job on each of the days `numbers` (1 is the first), with what the warehouse then holds.

    Rows of days that are loaded are removed, so that any length of history fits; manifests and captures stay. In the end
    the home, made anew, holds what is published and no more.
    """
    shutil.rmtree(home, ignore_errors=True)
    hub = BigHub(models, days=numbers[-1])
    writer = DayWriter(hub, home / "landing", home / "fixed", progress=lambda line: None)
    loaded, records = 0, []
    for number in numbers:
        load(writer, home, range(loaded, number - 2))
        if number > 1:
            # published, so that the measured job finds files of all days but its own, as it does day by day
            run_day(home, writer.land(number - 2))
        record = run_day(home, writer.land(number - 1)) | {
            "what": "daily_job",
            "repeat": len(records),
            "number": number,
        }
        loaded = number
        writer.forget_rows()
        record |= {"tables": bytes_of_tables(home / "warehouse" / "observatory.duckdb")}
        record["published_bytes"] = published_bytes(home)
        records.append(record)
        say(f"  day {number}: {record['wall_seconds']:.1f} s, {record['cpu_seconds']:.1f} s of CPU")
    for folder in set(home.iterdir()) - {home / "published"}:
        shutil.rmtree(folder)
    return [*records, measure_without_history(home.with_name(f"{home.name}-two-days"), hub, numbers[-1], say)]


def measure_without_history(home: Path, hub: BigHub, number: int, say: Callable[[str], None]) -> dict:
    """The record of the same day's job where only the day before has been loaded and published."""
    shutil.rmtree(home, ignore_errors=True)
    writer = DayWriter(hub, home / "landing", home / "fixed", progress=lambda line: None)
    run_day(home, writer.land(number - 2))
    record = run_day(home, writer.land(number - 1)) | {"what": "without_history", "repeat": 0, "number": number}
    shutil.rmtree(home)
    say(f"  day {number} without history: {record['wall_seconds']:.1f} s, {record['cpu_seconds']:.1f} s of CPU")
    return record


def load(writer: DayWriter, home: Path, days: range) -> None:
    """Land the days, numbered from 0, and load them by the layers alone, a block at a time."""
    at_once = max(1, MODEL_DAYS_A_LOAD // writer.hub.models)
    for start in range(days.start, days.stop, at_once):
        landed = [writer.land(day) for day in range(start, min(start + at_once, days.stop))]
        load_layers(home, landed)
        writer.forget_rows()


def load_layers(home: Path, days: list[date]) -> None:
    asked = json.dumps([day.isoformat() for day in days])
    measured(["-m", "benchmarks.refresh", asked, "--without-tests"], {"OBSERVATORY_HOME": str(home)})


def bytes_of_tables(warehouse: Path) -> dict[str, int]:
    """Bytes of the blocks that each table holds: the file itself keeps what a larger load has left free."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return {
            f"{schema}.{table}": BLOCK_BYTES
            * connection.execute(
                f"select count(distinct block_id) from pragma_storage_info('{schema}.{table}') where block_id >= 0"
            ).fetchone()[0]
            for schema, table in tables
        }


def published_bytes(home: Path) -> int:
    """Bytes of all published versions; what is hard-linked from one to the next counts once."""
    files = {}
    for path in (home / "published").rglob("*"):
        if path.is_file() and not path.is_symlink():
            told = path.stat()
            files[told.st_ino] = told.st_size
    return sum(files.values())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--days", type=int, nargs="+", default=list(MEASURED_DAYS), help="which of the year to measure")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    days = sorted(asked.days)
    head = results_file.opened({"models": asked.models, "days": days})
    records = measure_growth(home_of_year(asked.models, days[-1]), asked.models, days, say)
    say(results_file.publish("growth", asked.results, head, records, of_growth(records)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
