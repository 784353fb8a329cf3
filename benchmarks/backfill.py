"""`python -m benchmarks.backfill`: the command for many landed days, in as few runs as fit into memory, in ratio to the job for
the one day that follows. Both are the real commands, with all checks; the days are made by `landed_days` and lie all at once."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import results_file
from benchmarks.big_hub import BigHub
from benchmarks.daily import run_command, run_day
from benchmarks.landed_days import DayWriter
from benchmarks.processes import PROJECT_ROOT
from benchmarks.report import of_backfill
from benchmarks.results_file import say
from orchestration.settings import Settings

RESULTS = PROJECT_ROOT / "benchmarks" / "results" / "backfill.json"
MODELS, DAYS = 20_000, 365  # a year of so many takes 0.9 GB of landed files


def measure_backfill(scratch: Path, models: int, days: int, say: Callable[[str], None]) -> list[dict]:
    """The record of the command for `days` landed days, and of the daily job for the next one."""
    home = scratch / "home"
    writer = DayWriter(BigHub(models, days=days + 1), home / "landing", scratch / "fixed")
    landed = [writer.land(day) for day in range(days + 1)]
    span = ["--first", landed[0].isoformat(), "--last", landed[-2].isoformat()]
    records = [run_command(home, ["backfill", *span], landed[-2]) | {"what": "backfill", "repeat": 0, "days": days}]
    records.append(run_day(home, landed[-1]) | {"what": "daily_job", "repeat": 0})
    for record in records:
        say(f"  {record['what']}: {record['wall_seconds']:.1f} s, {record['cpu_seconds']:.1f} s of CPU")
    return records


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backfill", description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    bench = Settings().home / "bench"
    bench.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="backfill-", dir=bench))
    head = results_file.opened({"models": asked.models, "days": asked.days})
    try:
        records = measure_backfill(scratch, asked.models, asked.days, say)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    say(results_file.publish("backfill", asked.results, head, records, of_backfill(records)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
