"""`python -m benchmarks`: everything that `make bench` measures, one after the other, and its results as JSON and Markdown; with
`--full` the long ones. The order is here, and nothing of how anything is measured."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import backfill, closeness, growth, queries, results_file
from benchmarks.daily import measure_daily
from benchmarks.daily_job import measure_definitions, measure_run_overhead
from benchmarks.extraction import measure_extraction
from benchmarks.listing import description_of
from benchmarks.misbehaving import Ordeal, run_ordeal
from benchmarks.pages import Pages, written_pages
from benchmarks.processes import PROJECT_ROOT
from benchmarks.report import figures, markdown, of_daily
from benchmarks.results_file import say
from orchestration.settings import Settings

QUICK_MODELS = 60_000
QUICK_ORDEAL = Ordeal(models=4_000, page_size=20, kills=2)  # 200 pages in 8 shards


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--models", type=int, help=f"of the made-up Hub (default {Pages.models:,})")
    parser.add_argument("--repeats", type=int, help="of each measurement (default 3)")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_MODELS:,} models, one repeat, without the daily job's runs"
    )
    parser.add_argument(
        "--results", type=Path, help="folder for the results (default benchmarks/, or the home if quick)"
    )
    parser.add_argument("--full", action="store_true", help="only the long ones: growth, backfill, queries on a year")
    asked = parser.parse_args(arguments)
    if asked.full:
        return full()
    bench = Settings().home / "bench"
    models = asked.models or (QUICK_MODELS if asked.quick else Pages.models)
    repeats = asked.repeats or (1 if asked.quick else 3)
    bench.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="run-", dir=bench))
    try:
        results, transcript = measure(bench, scratch, models, repeats, quick=asked.quick)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    write(asked.results or (bench / "quick" if asked.quick else PROJECT_ROOT / "benchmarks"), results, transcript)
    return 0


def measure(bench: Path, scratch: Path, models: int, repeats: int, *, quick: bool) -> tuple[dict, list[str]]:
    """Everything there is to measure; the results, and the transcript of the kills."""
    transcript: list[str] = []
    results = results_file.opened({"models": models, "repeats": repeats, "quick": quick})
    say(f"Pages of a made-up Hub of {models:,} models (all SIMULATED), once written they are kept …")
    pages = written_pages(bench, Pages(models))
    results["pages"] = description_of(pages)
    say(f"Extraction beside its floors, {repeats} × …")
    results["extraction"] = measure_extraction(pages, scratch / "landing", repeats, say)
    say("Definitions, and the daily job of a small day …")
    results["daily_job"] = measure_definitions(scratch / "definitions", repeats)
    if not quick:
        results["daily_job"] += measure_run_overhead(scratch / "daily-job", repeats)
    say("A Hub that misbehaves, and kills …")

    def keep(line: str) -> None:
        transcript.append(line)
        say(f"  {line}")

    results["misbehaving"] = run_ordeal(scratch / "ordeal", QUICK_ORDEAL if quick else Ordeal(), keep)
    if not quick:
        say("The daily job, from a landed day of the big made-up Hub to the published version …")
        results["daily"] = measure_daily(bench, models, 1, say)
        results["closeness"] = closeness.records_of(bench / f"big-hub-models={models}" / "landing")
    return results, transcript


def full() -> int:
    """The long ones, each with the defaults of its own command."""
    for part in (backfill, growth, queries):
        say(f"python -m {part.__name__} …")
        part.main([])
    return 0


def write(folder: Path, results: dict, transcript: list[str]) -> None:
    """`RESULTS.md`, and under `results/` all records and the transcript of the kills."""
    head = {name: results[name] for name in results_file.FORM if name in results}
    if "daily" in results:
        records = results["daily"]
        results_file.publish("daily", folder / "results" / "daily.json", head, records, of_daily(records))
        closeness.publish(folder / "results" / "big_hub.json", head, results.pop("closeness"))
    shown = figures(results)
    results.pop("daily", None)  # its records have a file of their own
    (folder / "results").mkdir(parents=True, exist_ok=True)
    document = results | {"figures": [figure.as_dict() for figure in shown]}
    (folder / "results" / "extraction.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (folder / "results" / "kill_and_resume.txt").write_text("\n".join(transcript) + "\n", encoding="utf-8")
    table = markdown(results, shown)
    (folder / "RESULTS.md").write_text(table, encoding="utf-8")
    say(f"\n{table}")


if __name__ == "__main__":
    sys.exit(main())
