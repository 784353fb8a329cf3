"""`python -m benchmarks.closeness HOME`: how close a landed made-up Hub comes to each figure that is reported of the real one.
It reads the landed Parquet and nothing of what made it, but for the reported figures themselves."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks import big_hub, popularity, results_file
from benchmarks.processes import PROJECT_ROOT
from orchestration.landing.folders import landed_days
from orchestration.settings import Settings

RESULTS = PROJECT_ROOT / "benchmarks" / "results" / "big_hub.json"
LANDED_BYTES = 109  # a model: landing of made-up pages, 2026-11-29; real rows have not been landed here


@dataclass(frozen=True)
class Compared:
    """One figure: what is reported and as of when, and what the landed days have. Shares are 0–1."""

    figure: str
    reported: float
    as_of: str
    found: float

    @property
    def ratio(self) -> float:
        return self.found / self.reported

    def as_dict(self) -> dict[str, object]:
        return asdict(self) | {"ratio": self.ratio}


ONE_DAY = """
with models as (select * from read_parquet($today)),
ranked as (
    select
        downloads, downloadsAllTime as ever,
        row_number() over (order by downloads desc, _id) as place,
        row_number() over (order by downloadsAllTime desc, _id) as place_ever,
        count(*) over () as models
    from models
)
select
    avg(downloads), avg(ever), avg((downloads > 0)::int), avg((ever > 0)::int), avg((ever < 200)::int),
    sum(downloads) filter (place <= $top) / sum(downloads), sum(ever) filter (place_ever <= $top) / sum(ever),
    sum(downloads) filter (place <= 0.015 * models) / sum(downloads),
    sum(ever) filter (place_ever <= 0.015 * models) / sum(ever)
from ranked
"""
ATTRIBUTES = """
with models as (
    select *, baseModels.relation as relation from read_parquet($today)
)
select
    avg((baseModels is not null)::int),
    count(*) filter (relation = 'adapter') / count(relation),
    count(*) filter (relation = 'finetune') / count(relation),
    count(*) filter (relation = 'quantized') / count(relation),
    count(*) filter (relation = 'merge') / count(relation),
    avg((safetensors_total is not null)::int),
    sum(downloadsAllTime) filter (safetensors_total < 1000000000)
    / sum(downloadsAllTime) filter (safetensors_total is not null),
    avg(len(tags)), avg((gated <> 'none')::int), avg((createdAt < '2022-03-03')::int)
from models
"""
WELL_KNOWN = """
with largest as (select author, downloads from read_parquet($today) order by downloads desc limit $largest)
select sum(downloads) filter (author in (select unnest($well_known))) / sum(downloads) from largest
"""
TWO_DAYS = """
with today as (select _id, id, downloads, downloadsAllTime as ever from read_parquet($today)),
before as (select _id, id, downloads, downloadsAllTime as ever from read_parquet($before))
select
    count(*) filter (before._id is null) / count(before._id),
    count(*) filter (today._id is null) / count(before._id),
    count(*) filter (today.ever <> before.ever or today.downloads <> before.downloads) / count(before._id)
from today full join before using (_id)
"""


def compared(landing: Path, well_known: list[str]) -> Iterator[Compared]:
    """Each figure, from the last two landed days under `landing`. `well_known`: those whose part of downloads is reported."""
    days = landed_days(landing, "models")[-2:]
    today, before = (str(landing / "models" / f"snapshot_date={day}" / "part-*.parquet") for day in reversed(days))
    with duckdb.connect() as connection:
        models = connection.execute("select count(*) from read_parquet(?)", [today]).fetchone()[0]
        scale = models / popularity.REFERENCE_MODELS
        top, largest = max(1, round(popularity.TOP * scale)), max(1, round(3_000 * scale))

        def ask(sql: str, **values: object) -> tuple:
            return connection.execute(sql, {"today": today} | values).fetchone()

        month, ever, active, once, few, top_month, top_ever, head_month, head_ever = ask(ONE_DAY, top=top)
        base, adapter, finetune, quantized, merge, sized, small, tags, gated, floor = ask(ATTRIBUTES)
        (known,) = ask(WELL_KNOWN, largest=largest, well_known=well_known)
        new, gone, moved = ask(TWO_DAYS, before=before)
    relations = sum(big_hub.BASE_COUNTS.values())
    of_relation = {name: count / relations for name, count in big_hub.BASE_COUNTS.items()}
    size = sum(path.stat().st_size for path in Path(today).parent.glob("part-*.parquet"))
    yield Compared("30-day downloads a model", popularity.MEAN_MONTH, "2025-10", month)
    yield Compared("all-time downloads a model", popularity.MEAN_ALL_TIME, "2025-10", ever)
    yield Compared("models with 30-day downloads", popularity.ACTIVE_SHARE, "2025-10", active)
    yield Compared("models with all-time downloads", popularity.EVER_SHARE, "2025-10", once)
    yield Compared("models with fewer than 200 all-time", 0.5, "2026-03", few)
    yield Compared("largest 200's part of 30-day downloads", popularity.TOP_PART, "2026-03", top_month)
    yield Compared("largest 200's part of all-time downloads", popularity.TOP_PART, "2026-03", top_ever)
    yield Compared("1.5 % of models' part of 30-day downloads", popularity.HEAD_PART, "2026-08", head_month)
    yield Compared("1.5 % of models' part of all-time downloads", popularity.HEAD_PART, "2026-08", head_ever)
    yield Compared("118 organisations' part of the largest 3,000's", big_hub.WELL_KNOWN_PART, "2026-06", known)
    yield Compared("models with a base model", big_hub.BASE_SHARE, "2025-10", base)
    yield Compared("of them adapters", of_relation["adapter"], "2025-10", adapter)
    yield Compared("of them finetunes", of_relation["finetune"], "2025-10", finetune)
    yield Compared("of them quantized", of_relation["quantized"], "2025-10", quantized)
    yield Compared("of them merges", of_relation["merge"], "2025-10", merge)
    yield Compared("models with a parameter count", big_hub.SIZED_SHARE, "2025-10", sized)
    yield Compared("part of sized models' downloads below 1 B", big_hub.SMALL_PART, "2026", small)
    yield Compared("tags a model", 13.5, "2026-04", tags)
    yield Compared("gated models", 0.017, "2025-10", gated)
    yield Compared("models at the floor of createdAt", 0.03, "our guess", floor)
    yield Compared("new models a day, of all", big_hub.NEW_A_DAY, "2026", new)
    yield Compared("models gone a day, of all", 2e-4, "our guess", gone)
    yield Compared("models whose download counters move a day", 1 / 3, "our guess", moved)
    yield Compared("landed bytes a model", LANDED_BYTES, "made-up pages, 2026-11", size / models)


def records_of(landing: Path, seed: int = big_hub.BigHub.seed) -> list[dict[str, object]]:
    """A record of each figure, from the last two landed days of a Hub of this seed."""
    last = landed_days(landing, "models")[-1]
    manifest = landing / "models" / f"snapshot_date={last}" / "_manifest.json"
    models = json.loads(manifest.read_text(encoding="utf-8"))["rows"]
    well_known = big_hub.BigHub(models, seed).seeded_names[: big_hub.WELL_KNOWN]
    of_day = {"models": models, "day": last.isoformat()}
    return [of_day | each.as_dict() for each in compared(landing, well_known)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.closeness", description=__doc__)
    parser.add_argument("home", type=Path, help="a home with at least two days landed by benchmarks.landed_days")
    parser.add_argument("--seed", type=int, default=big_hub.BigHub.seed)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    records = records_of(Settings(home=asked.home).landing_dir, asked.seed)
    publish(asked.results, results_file.opened({"models": records[0]["models"]}), records)
    sys.stdout.write(table(records) + "\n")
    return 0


def publish(path: Path, head: dict[str, object], records: list[dict]) -> None:
    """Write the results; where they are the project's own, the README shows the table."""
    results_file.write(path, head, records, [])
    if path.resolve().parent == results_file.FOLDER / "results":
        day, models = records[0]["day"], records[0]["models"]
        results_file.show(
            "big_hub", f"{models:,} models on the made-up {day}, written {head['date']}:\n\n{table(records)}"
        )


def table(records: list[dict]) -> str:
    lines = ["| figure | reported | as of | made up | ratio |", "| --- | ---: | --- | ---: | ---: |"]
    for each in records:
        reported, found = _number(each["reported"]), _number(each["found"])
        lines.append(f"| {each['figure']} | {reported} | {each['as_of']} | {found} | {each['ratio']:.2f} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    """A share as per cent, anything else as it is."""
    if value < 0.01:
        return f"{100 * value:.3f} %"
    return f"{100 * value:.1f} %" if value <= 1 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
