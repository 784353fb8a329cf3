"""`python -m benchmarks.soak`: the real daily job on a hundred days of a small made-up Hub, one after another in one process, and
what Dagster's storage, the process and the warehouse have become after each. How fast a day is, is measured elsewhere."""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.processes import PROJECT_ROOT
from benchmarks.report import machine, versions
from benchmarks.results_file import say
from orchestration.settings import Settings

FIRST_DAY = date(2026, 1, 5)
SEED = 20261129
# The gates' bounds are meant for some thousand models; a day of this size is start-up and checks, which is what adds up.
MODELS = 2_500
# A fifth of the runs, so that most of the soak is what comes after the first removal.
KEEP_RUNS = 20
# A day that a gate stops is part of a soak. So many in a row are something else.
STUCK = 5
RESULTS = PROJECT_ROOT / "benchmarks" / "results" / "soak.json"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"default {RESULTS.relative_to(PROJECT_ROOT)}")
    asked = parser.parse_args(arguments)
    scratch = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        results = soak(scratch, asked.runs, asked.results)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    say(results["in_words"])
    return 0 if len(results["runs"]) == asked.runs else 1


def soak(scratch: Path, runs: int, to: Path) -> dict:
    """Run the days; the results so far are written after each, so that a soak that is stopped has told what it saw."""
    from orchestration.__main__ import launch
    from orchestration.sandbox.population import write_population
    from orchestration.sandbox.server import SandboxHub

    # some days of a made-up Hub have no capture: a third more are more than enough
    world = write_population(
        scratch / "world", models=MODELS, days=runs + runs // 3 + 5, seed=SEED, first_day=FIRST_DAY
    )
    keep_what_was_there(scratch / "world", world.days)
    records: list[dict] = []
    with SandboxHub(scratch / "world", advance=True) as hub:
        settings = Settings(
            home=scratch / "home", hub_endpoint=hub.url, account_lookups=60, keep_runs=KEEP_RUNS, step_retries=0
        )
        for number, day in enumerate(world.days[:runs]):
            hub.day = day
            began, cpu = time.monotonic(), time.process_time()
            succeeded, reasons = launch(settings, [day])
            took = {"wall_seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - cpu}
            records.append(state(settings, number + 1) | {"succeeded": succeeded, "reasons": reasons} | took)
            results = told(records)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            say(f"{number + 1}/{runs}: {json.dumps(records[-1])}")
            if [record["succeeded"] for record in records[-STUCK:]] == [False] * STUCK:
                break
    return results


def keep_what_was_there(world: Path, days: list[date]) -> None:
    """Nobody withdraws a repository: among so few one of the largest would go every few days, at which the raw gate rightly
    stops each day until a person has accepted it."""
    for before, day in pairwise(days):
        (file,) = (world / f"snapshot_date={day}").glob("*.parquet")
        # the folder's name is no column of a day
        today, earlier = (
            f"read_parquet('{path}', hive_partitioning = false)"
            for path in (file, world / f"snapshot_date={before}" / "*.parquet")
        )
        written = file.with_name(".all")
        # a name that somebody has taken since goes back to the repository that had it
        duckdb.execute(
            f"copy (with lost as (select * from {earlier} where _id not in (select _id from {today})) "
            f"select * from {today} where id not in (select id from lost) union all by name select * from lost order by _id) "
            f"to '{written}' (format parquet)"
        )
        written.replace(file)


def state(settings: Settings, run: int) -> dict:
    """What there is after a run: sizes in bytes, rows, the peak of memory so far, days published."""
    import dagster as dg
    import sqlalchemy as sa

    from orchestration.defs.run_retention import CHECKS, EVENTS

    with dg.DagsterInstance.get() as instance:
        with instance.event_log_storage.index_connection() as connection:
            events, checks = (
                connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in (EVENTS, CHECKS)
            )
        marked = len(instance.get_materialized_partitions(dg.AssetKey(["publish", "current"])))
        runs = instance.get_runs_count()
    history = settings.dagster_home / "history"
    database = settings.published_dir / "current" / "observatory.duckdb"
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        (days,) = connection.execute("select count(*) from marts.dim_snapshots where status = 'complete'").fetchone()
    return {
        "run": run,
        "dagster_bytes": size_below(settings.dagster_home),
        "event_files_bytes": sum(size_of(file) for file in (history / "runs").glob("*") if "index.db" not in file.name),
        "index_bytes": sum(size_of(file) for file in (history / "runs").glob("index.db*")),
        "index_events": events,
        "check_rows": checks,
        "runs_kept": runs,
        "days_marked_materialised": marked,
        "days_published": days,
        "warehouse_bytes": size_of(settings.warehouse_path),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "open_files": len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None,
    }


def told(records: list[dict]) -> dict:
    last = records[-1]
    after = [record for record in records if record["run"] > KEEP_RUNS]
    grown = (after[-1]["dagster_bytes"] - after[0]["dagster_bytes"]) / (len(after) - 1) if len(after) > 1 else None
    before = records[: KEEP_RUNS + 1]
    first = (before[-1]["dagster_bytes"] - before[0]["dagster_bytes"]) / (len(before) - 1) if len(before) > 1 else None
    words = (
        f"{len(records)} runs of the daily job (SIMULATED Hub, {MODELS:,} models), of which a gate stopped "
        f"{sum(not record['succeeded'] for record in records)}; the newest {KEEP_RUNS} kept whole: "
        f"Dagster's storage {last['dagster_bytes'] / 1e6:.1f} MB at the end"
    )
    if grown is not None:
        words += f"; {first / 1e3:,.0f} kB a run before the first removal, {grown / 1e3:,.0f} kB a run after it"
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "is_simulated": True,
        "models": MODELS,
        "keep_runs": KEEP_RUNS,
        "in_words": words + ".",
        "bytes_a_run_before_removal": first,
        "bytes_a_run_after_removal": grown,
        "median_cpu_seconds": median(record["cpu_seconds"] for record in records),
        "runs": records,
    }


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def size_below(folder: Path) -> int:
    return sum(size_of(file) for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


if __name__ == "__main__":
    sys.exit(main())
