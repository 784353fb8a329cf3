"""`python -m benchmarks.reading`: how heavy the report's pages are, and how soon a reader can use them, in a real Chromium.
It opens what is published, from its files, with the network switched off; it makes nothing up."""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from benchmarks.processes import PROJECT_ROOT
from benchmarks.report import machine
from orchestration.publishing import current_version
from orchestration.settings import Settings

REPEATS = 5
# A front page heavier than this, or later than this, is left by readers on the way (2026-11-29; both asked for by its users).
AIM_BYTES, AIM_MS = 3_000_000, 2_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Milliseconds from the navigation's start until the page's first chart is drawn, or until a page without one is loaded.
USABLE = """() => document.querySelector(".figure")
  ? document.querySelector(".figure .chart").dataset.drawn !== undefined : document.readyState === "complete" """


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--home", type=Path, help="of the observatory (default: the one that is set)")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--results", type=Path, default=PROJECT_ROOT / "benchmarks" / "results" / "reading.json")
    asked = parser.parse_args(arguments)
    version = current_version(Settings(home=asked.home) if asked.home else Settings())
    results = measure(version.report.parent, asked.repeats) | {"version": version.version_id}
    asked.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(table(results) + "\n")
    return 0


def measure(report: Path, repeats: int) -> dict:
    """Every kind of page: the bytes of all files that it loads, and the median and the most of its milliseconds."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        pages = [timed(browser, report, page, repeats) for page in kinds_of_pages(report)]
        released = browser.version
        browser.close()
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "chromium": released,
        "repeats": repeats,
        "aims": {"bytes": AIM_BYTES, "ms": AIM_MS},
        "files": sum(path.is_file() for path in report.rglob("*")),
        "bytes": sum(path.stat().st_size for path in report.rglob("*") if path.is_file()),
        "pages": pages,
    }


def kinds_of_pages(report: Path) -> list[str]:
    """One page of each kind: of countries and of organisations the heaviest."""
    heaviest = [
        max((report / folder).glob("*.html"), key=lambda path: path.stat().st_size)
        for folder in ("countries", "organizations")
    ]
    return ["index.html", *(str(path.relative_to(report)) for path in heaviest), "countries.html", "organizations.html",
            "quality.html", "corrections.html", "dictionary.html"]  # fmt: skip


def timed(browser: Browser, report: Path, page: str, repeats: int) -> dict:
    """Each repeat in a window of its own, with nothing kept from the one before."""
    times = []
    for _ in range(repeats):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
        opened, loaded = context.new_page(), set()
        opened.on("request", lambda request, loaded=loaded: loaded.add(request.url))
        opened.goto((report / page).as_uri())
        opened.wait_for_function(USABLE)
        times.append(opened.evaluate("performance.now()"))
        context.close()
    files = {Path(url.removeprefix("file://").split("#")[0]) for url in loaded if url.startswith("file:")}
    return {
        "page": page,
        "bytes": sum(path.stat().st_size for path in files),
        "ms_median": median(times),
        "ms_most": max(times),
    }


def table(results: dict) -> str:
    lines = [
        f"{results['files']} files, {results['bytes'] / 1e6:.1f} MB; Chromium {results['chromium']}, {results['date']}",
        "",
        "| page, with all that it loads | MB | usable after, median | at most |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| `{row['page']}` | {row['bytes'] / 1e6:.2f} | {row['ms_median']:.0f} ms | {row['ms_most']:.0f} ms |"
        for row in results["pages"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
