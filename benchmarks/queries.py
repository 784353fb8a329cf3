"""`python -m benchmarks.queries`: how long an analyst waits for an answer when the published version holds a year.
The year is the one that `growth.py` leaves behind; the questions are the tables' own examples and those of `analysts.py`."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks import results_file
from benchmarks.analysts import QUESTIONS
from benchmarks.growth import MODELS, home_of_year, measure_growth
from benchmarks.processes import PROJECT_ROOT
from benchmarks.results_file import say
from orchestration.project import dbt_project
from orchestration.publishing import current_version, open_current
from orchestration.publishing.query import public_tables
from orchestration.settings import Settings

DAYS, REPEATS = 365, 5
AIM_MS = 100  # an answer that comes at once, as the eye sees it (2026-11-29)


@dataclass(frozen=True)
class Timed:
    """One question: milliseconds until all rows of its answer are there, in a database that was just opened, and again."""

    question: str
    sql: str
    rows: int
    first_ms: tuple[float, ...]
    again_ms: tuple[float, ...]

    @property
    def first(self) -> float:
        return median(self.first_ms)

    @property
    def again(self) -> float:
        return median(self.again_ms)

    def as_dict(self) -> dict:
        shown = {"first_median": self.first, "first_most": max(self.first_ms), "again_median": self.again}
        return asdict(self) | shown | {"is_met": self.first <= AIM_MS}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--home", type=Path, help="ask what is published there, and make nothing up")
    parser.add_argument("--results", type=Path, default=PROJECT_ROOT / "benchmarks" / "results" / "queries.json")
    asked = parser.parse_args(arguments)
    results = measure_queries(say, models=asked.models, days=asked.days, repeats=asked.repeats, home=asked.home)
    write(asked.results, results)
    say(table(results))
    return 0


def measure_queries(
    progress: Callable[[str], None],
    *,
    models: int = MODELS,
    days: int = DAYS,
    repeats: int = REPEATS,
    home: Path | None = None,
) -> dict:
    """Every question's times, and the size of what they were asked. The year is made up unless it is there."""
    settings = Settings(home=home) if home else published_year(models, days, progress)
    with open_current(settings) as connection:
        sizes = rows_of_tables(connection)
        landed = connection.execute("select count(*) from marts.dim_snapshots where status = 'complete'").fetchone()[0]
    return results_file.opened({"models": models, "days": days, "repeats": repeats}) | {
        "is_simulated": bool(current_version(settings).manifest["is_simulated"]),
        "models": sizes["dim_models"],
        "days": landed,
        "rows": sizes,
        "database_bytes": current_version(settings).database.stat().st_size,
        "repeats": repeats,
        "aim_ms": AIM_MS,
        "queries": [timed(settings, question, sql, repeats).as_dict() for question, sql in questions().items()],
    }


def rows_of_tables(connection) -> dict[str, int]:
    return {
        name: connection.execute(f"select count(*) from marts.{name}").fetchone()[0]
        for name in public_tables(connection)
    }


def questions() -> dict[str, str]:
    """What analysts type first, then the examples of each public table, from dbt's manifest."""
    nodes = json.loads(dbt_project.manifest_path.read_text(encoding="utf-8"))["nodes"].values()
    examples = {
        f"{node['name']}: {example['question']}": example["sql"]
        for node in nodes
        if node["resource_type"] in ("model", "seed") and node["schema"] == "marts"
        for example in node["config"]["meta"].get("examples", [])
    }
    return QUESTIONS | dict(sorted(examples.items()))


def timed(settings: Settings, question: str, sql: str, repeats: int) -> Timed:
    """Each repeat opens the database anew, which nothing else in this process holds open: DuckDB begins with no block read.
    The system's own cache of the file is warm, as it is for whoever asks a second question."""
    first, again, rows = [], [], 0
    for _ in range(repeats):
        with open_current(settings) as connection:
            rows, spent = asked(connection, sql)
            first.append(spent)
            again.append(asked(connection, sql)[1])
    return Timed(question, sql, rows, tuple(first), tuple(again))


def asked(connection, sql: str) -> tuple[int, float]:
    """Rows of the answer, and milliseconds until the last of them was there."""
    began = time.perf_counter()
    rows = len(connection.execute(sql).fetchall())
    return rows, 1000 * (time.perf_counter() - began)


def published_year(models: int, days: int, progress: Callable[[str], None]) -> Settings:
    """A home whose published version holds `days` days of a made-up Hub; made once for each size, by growing it to its last
    day, which takes a quarter of an hour for 100,000 models and a year."""
    settings = Settings(home=home_of_year(models, days))
    if current_version(settings) is None:
        progress(f"A year of a made-up Hub of {models:,} models, loaded and published; once made it is kept …")
        measure_growth(settings.home, models, [days], progress)
    return settings


def write(path: Path, results: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1, default=str) + "\n", encoding="utf-8")


def table(results: dict) -> str:
    """Every question, slowest first, as Markdown."""
    lines = ["| question | rows | first | again | |", "| --- | ---: | ---: | ---: | --- |"]
    for query in sorted(results["queries"], key=lambda query: -query["first_median"]):
        missed = "" if query["is_met"] else "**missed**"
        lines.append(
            f"| {query['question']} | {query['rows']:,} | {query['first_median']:.1f} ms | {query['again_median']:.1f} ms "
            f"| {missed} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
