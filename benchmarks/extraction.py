"""Two made-up days landed beside the floors, over the very same pages and server, each in a fresh process.
How a process is measured is in `processes`; what comes of the figures in words is for `report`."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

from benchmarks.listing import DAYS, description_of
from benchmarks.page_server import PageServer
from benchmarks.processes import measured

FLOORS = ("bytes", "parse")
LANDINGS = ("land_first_day", "land_second_day")


def measure_extraction(pages: Path, scratch: Path, repeats: int, say: Callable[[str], None]) -> list[dict]:
    """Measure `repeats` rounds over a folder of pages; `scratch` is an empty or absent folder for what is landed.

    Floors and landings take turns in going first, so that neither always meets the warmer machine. Gives one record a
    process: `what`, `repeat`, rows, bytes landed, the server's CPU for it, and what the process took.
    Raises RuntimeError if what was landed is not what is on the pages: its figures would mean nothing.
    """
    records = []
    with PageServer(pages, DAYS[0]) as first, PageServer(pages, DAYS[1]) as second:
        for repeat in range(repeats):
            home = scratch / f"repeat={repeat}"
            order = [*FLOORS, *LANDINGS] if repeat % 2 == 0 else [*LANDINGS, *reversed(FLOORS)]
            for what in order:
                server, day = (second, DAYS[1]) if what == "land_second_day" else (first, DAYS[0])
                record = {"what": what, "repeat": repeat} | _measure(what, server, day, home)
                _check(record, _described(pages, day))
                records.append(record)
                say(
                    f"  {what}, repeat {repeat + 1}: {record['wall_seconds']:.1f} s, {record['cpu_seconds']:.1f} s CPU,"
                    f" {record['peak_bytes'] / 1e6:.0f} MB"
                )
            records.append({"what": "judge_raw", "repeat": repeat} | judge(home, DAYS[1]))
            say("  judge_raw, repeat {repeat}: {wall_seconds:.1f} s, {promises} promises".format(**records[-1]))
            shutil.rmtree(home, ignore_errors=True)
    return records


def judge(home: Path, day: date) -> dict:
    """The raw gate over the landed day, with the one before it beside it, in a fresh process; then each promise alone."""
    output, taken = measured(["-m", "benchmarks.judge", str(home), day.isoformat()])
    told = json.loads(output.strip().rpartition("\n")[2])
    if told["crashed"]:
        raise RuntimeError(
            f"found checks that crashed: {told['crashed']}; expected verdicts. No figure is worth anything."
        )
    each, _ = measured(["-m", "benchmarks.judge", str(home), day.isoformat(), "--each"])
    return told | json.loads(each.strip().rpartition("\n")[2]) | taken.as_dict()


def _measure(what: str, server: PageServer, day: date, home: Path) -> dict:
    before = server.usage()
    if what in FLOORS:
        output, taken = measured(["-m", "benchmarks.floors", what, server.url])
    else:
        output, taken = measured(["-m", "benchmarks.land", str(home), server.url, day.isoformat()])
    after = server.usage()
    told = json.loads(output.strip().rpartition("\n")[2])
    path = told.pop("path", None)
    if path is not None:
        told["landed_bytes"] = sum(part.stat().st_size for part in Path(path).glob("part-*.parquet"))
        told["parts"] = sum(1 for _ in Path(path).glob("part-*.parquet"))
    server_took = {
        "server_requests": after["requests"] - before["requests"] - 1,
        "server_cpu_seconds": after["cpu_seconds"] - before["cpu_seconds"],
    }
    return told | server_took | taken.as_dict()


def _described(pages: Path, day: date) -> dict:
    return next(each for each in description_of(pages)["days"] if each["day"] == day.isoformat())


def _check(record: dict, described: dict) -> None:
    """Everything that the process tells of what it read must agree with what was written."""
    truth = {
        "rows": described["rows"],
        "pages": described["pages"],
        "bytes": described["raw_bytes"] if record["what"] in FLOORS else record.get("landed_bytes"),
        "downloads_all_time": described["sums"]["downloads_all_time"],
    }
    wrong = {name: (record[name], truth[name]) for name in truth if name in record and record[name] != truth[name]}
    if wrong or "pages" not in record:
        raise RuntimeError(
            f"found {record['what']} to have read something else than the pages (told, true): {wrong}; expected them"
            " equal. No figure is worth anything until they are."
        )
