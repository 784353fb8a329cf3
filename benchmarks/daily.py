"""`python -m benchmarks.daily`: the daily job from a landed day to the published version, beside a floor and two peers.
Days are made by `landed_days`; every command is the real one in a process of its own, with all its checks."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from benchmarks import results_file
from benchmarks.big_hub import BigHub
from benchmarks.daily_job import last_run
from benchmarks.inside_duckdb import seconds_within
from benchmarks.landed_days import DayWriter
from benchmarks.popularity import REFERENCE_MODELS
from benchmarks.processes import PROJECT_ROOT, measured
from benchmarks.report import of_daily
from benchmarks.results_file import say
from orchestration.settings import Settings

RESULTS = PROJECT_ROOT / "benchmarks" / "results" / "daily.json"
REFRESHED_DAYS = 3
# The full refresh of several days of the whole Hub takes more memory than a daily job may; a third of it tells the ratio.
MOST_REFRESHED = 1_000_000


def measure_daily(
    bench: Path, models: int, repeats: int, say: Callable[[str], None], *, peers: bool = True
) -> list[dict]:
    """The records of a first day, of `repeats` days that follow it, of one more that is only looked into, and of floor and
    peers over the last day's files. Landed days are kept below `bench`; nothing else is."""
    kept = bench / f"big-hub-models={models}"
    hub = BigHub(models, days=repeats + 2)
    writer = DayWriter(hub, kept / "landing", kept / "fixed", progress=say)
    days = [writer.land(day) for day in range(repeats + 2)]
    scratch = Path(tempfile.mkdtemp(prefix="daily-", dir=bench))
    try:
        home = scratch / "home"
        shutil.copytree(kept / "landing", home / "landing", copy_function=os.link)
        records = [run_day(home, days[0]) | {"what": "first_day", "repeat": 0}]
        say(_told(records[-1]))
        for repeat, day in enumerate(days[1:-1]):
            records.append(run_day(home, day) | {"what": "daily_job", "repeat": repeat})
            say(_told(records[-1]))
        records.append(look_inside(home, days[-1]) | {"what": "inside_duckdb", "repeat": 0})
        records.append(floor(home, scratch, days[-1], days[-2]) | {"what": "floor", "repeat": 0})
        say(_told(records[-1]))
        if peers:
            records.append(pandas_peer(home, days[-1], days[-2]) | {"what": "pandas", "repeat": 0})
            say(_told(records[-1]))
            records += refreshed(scratch / "refreshed", bench, min(models, MOST_REFRESHED), say)
        return records
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def run_day(home: Path, day: date) -> dict:
    """The command for a landed day. Of its wall time: until the run's start, and from there until the published version was
    swapped."""
    return run_command(home, ["run", "--day", day.isoformat()], day)


def run_command(home: Path, command: list[str], day: date) -> dict:
    """An observatory's command that publishes, with `day` as its last; the days are landed, so that no Hub is asked."""
    before = _swapped_at(home)
    _, taken = measured(["-m", "orchestration", *command], _environment(home))
    return _with_run(home, day, taken.as_dict(), before)


def _environment(home: Path) -> dict[str, str]:
    return {"OBSERVATORY_HOME": str(home), "HF_TOKEN": "", "OBSERVATORY_HUB_ENDPOINT": "http://127.0.0.1:9"}


def look_inside(home: Path, day: date) -> dict:
    """The same command, noting when it is inside DuckDB; of its other times only the whole is used, for DuckDB's share of it."""
    before, file = _swapped_at(home), home / "inside.json"
    command = ["-m", "benchmarks.inside_duckdb", str(file), "run", "--day", day.isoformat()]
    _, taken = measured(command, _environment(home))
    record = _with_run(home, day, taken.as_dict(), before)
    told = json.loads(file.read_text(encoding="utf-8"))
    stretches, record["duckdb_cpu_seconds"] = told["stretches"], told["cpu_seconds"]
    started = record["run_started_at"]
    record["duckdb_seconds"] = seconds_within(stretches, started, started + record["to_swap_seconds"])
    record["duckdb_of_steps"] = {
        step: round(seconds_within(stretches, *span), 3) for step, span in record["of_steps"].items()
    }
    return record


def _with_run(home: Path, day: date, record: dict, swapped_before: float) -> dict:
    swapped = _swapped_at(home)
    if swapped <= swapped_before:
        raise RuntimeError(
            f"found {day} not to be published; expected a new version in {home}. Read the command's output."
        )
    record |= last_run(home, record["wall_seconds"])
    record["day"] = day.isoformat()
    record["rows"] = json.loads((home / "landing/models" / f"snapshot_date={day}" / "_manifest.json").read_text())[
        "rows"
    ]
    record["startup_seconds"] = record["run_started_at"] - record["started_at"]
    record["to_swap_seconds"] = swapped - record["run_started_at"]
    record["warehouse_bytes"] = (home / "warehouse" / "observatory.duckdb").stat().st_size
    return record


def _swapped_at(home: Path) -> float:
    """When the published version last changed, in seconds since 1970; 0 if there is none."""
    link = home / "published" / "current"
    return link.lstat().st_mtime if link.is_symlink() else 0.0


def floor(home: Path, scratch: Path, day: date, before: date) -> dict:
    file = scratch / "floor.duckdb"
    said, taken = measured(["-m", "benchmarks.daily_floor", str(home / "landing"), str(day), str(before), str(file)])
    size = file.stat().st_size
    file.unlink()
    return taken.as_dict() | {"rows": int(said), "file_bytes": size}


def pandas_peer(home: Path, day: date, before: date) -> dict:
    """What the script took, once its numbers are the marts'. Raises RuntimeError if they are not."""
    said, taken = measured(["-m", "benchmarks.tracker", str(home / "landing"), str(day), str(before)])
    told = json.loads(said)
    settings = Settings(home=home)
    database = settings.published_dir / "current" / "observatory.duckdb"
    compared = sum(len(table) for table in agreed(database, told, day).values())
    return taken.as_dict() | {"rows": sum(len(table) for table in told.values()), "compared": compared}


OF_MARTS = {
    "countries": """
        select metric, country_code as country, downloads, share from marts.mart_daily_country_share
        where snapshot_date = ? and attribution = 'uploader' and denominator = 'all'
        and metric in ('trailing_30d', 'new_trailing_30d', 'all_time', 'new_created')
    """,
    "organizations": """
        select metric, country_code as country, organization, downloads from marts.mart_daily_organization_share
        where snapshot_date = ? and attribution = 'uploader' and organization <> '(other)'
        and metric in ('trailing_30d', 'new_trailing_30d', 'all_time', 'new_created')
    """,
    "daily": """
        select country_code as country, sum(downloads) as downloads from marts.fct_daily_country_downloads
        where snapshot_date = ? and attribution = 'uploader' group by all
    """,
}


def agreed(database: Path, told: dict[str, list[dict]], day: date) -> dict[str, dict]:
    """The marts' rows by table, each of which the script has to the unit (shares to 1e-9). Countries without a
    download have no row in the marts."""
    found: dict[str, dict] = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for name, sql in OF_MARTS.items():
            cursor = connection.execute(sql, [day])
            columns = [column[0] for column in cursor.description]
            found[name] = dict(_keyed(dict(zip(columns, row, strict=True))) for row in cursor.fetchall())
            theirs = dict(_keyed(row) for row in told[name])
            if not found[name]:
                raise RuntimeError(f"found no rows of {name} on {day}; expected the marts to have some")
            differing = {
                key: (value, theirs.get(key))
                for key, value in found[name].items()
                if not _is_same(value, theirs.get(key))
            }
            if name != "organizations":  # of these the marts sum the small ones as (other)
                more = theirs.keys() - found[name].keys()
                differing |= {key: (None, theirs[key]) for key in more if theirs[key][0]}
            if differing:
                raise RuntimeError(
                    f"found {len(differing)} rows of {name} in which marts and pandas differ, such as "
                    f"{dict(list(differing.items())[:3])}; expected none. One of the two is wrong."
                )
    return found


def _keyed(row: dict) -> tuple[tuple, tuple]:
    key = tuple(row[name] for name in ("metric", "country", "organization") if name in row)
    return key, (int(row["downloads"]), row.get("share", 0.0))


def _is_same(ours: tuple[int, float], theirs: tuple[int, float] | None) -> bool:
    return theirs is not None and ours[0] == theirs[0] and abs(ours[1] - theirs[1]) < 1e-9


def refreshed(home: Path, bench: Path, models: int, say: Callable[[str], None]) -> list[dict]:
    """The layers of a third day built on two, beside all three made anew: the same tables either way, without gates."""
    kept = bench / f"big-hub-models={models}"
    writer = DayWriter(BigHub(models, days=REFRESHED_DAYS), kept / "landing", kept / "fixed", progress=say)
    days = [writer.land(day).isoformat() for day in range(REFRESHED_DAYS)]
    (home / "landing").parent.mkdir(parents=True)
    (home / "landing").symlink_to((kept / "landing").resolve())
    environment = {"OBSERVATORY_HOME": str(home)}
    measured(["-m", "benchmarks.refresh", json.dumps(days[:-1])], environment)
    records = []
    for what, command in {
        "layers_of_a_day": [json.dumps(days[-1:])],
        "full_refresh": [json.dumps(days), "--full"],
    }.items():
        said, taken = measured(["-m", "benchmarks.refresh", *command], environment)
        records.append({"what": what, "repeat": 0, "rows": models} | json.loads(said) | taken.as_dict())
        say(_told(records[-1]))
    return records


def _told(record: dict) -> str:
    wall, cpu, peak = record["wall_seconds"], record["cpu_seconds"], record["peak_bytes"] / 1e6
    return f"  {record['what']}: {wall:.1f} s, {cpu:.1f} s of CPU, {peak:,.0f} MB"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.daily", description=__doc__)
    parser.add_argument("--models", type=int, default=REFERENCE_MODELS)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    bench = Settings().home / "bench"
    bench.mkdir(parents=True, exist_ok=True)
    head = results_file.opened({"models": asked.models, "repeats": asked.repeats})
    records = measure_daily(bench, asked.models, asked.repeats, say, peers=not asked.without_peers)
    say(results_file.publish("daily", asked.results, head, records, of_daily(records)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
