"""The one form of a benchmark's results: when, on what machine, under what load, what was asked for, all records, and the
figures made of them; on disk, and as the table in the README. What a record holds is told where it is measured."""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.processes import PROJECT_ROOT
from benchmarks.report import WHOLE_HUB, Figure, machine, table_of, versions

FOLDER = PROJECT_ROOT / "benchmarks"
README = FOLDER / "README.md"
FORM = ("date", "machine", "versions", "load_before", "is_simulated", "arguments", "records", "figures")


def opened(arguments: dict[str, object]) -> dict[str, object]:
    """What is known before anything is measured; the load is that of the last minute."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "load_before": round(os.getloadavg()[0], 2),
        "is_simulated": True,
        "arguments": arguments,
    }


def write(path: Path, head: dict[str, object], records: Sequence[dict], figures: Sequence[Figure]) -> dict[str, object]:
    """Write `FORM` to `path` and give it."""
    document = head | {"records": list(records), "figures": [figure.as_dict() for figure in figures]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, default=str) + "\n", encoding="utf-8")
    return document


def table(head: dict[str, object], figures: Sequence[Figure]) -> str:
    """The figures as Markdown, under a line that says when and where."""
    where = head["machine"]
    told = ", ".join(
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
        for name, value in head["arguments"].items()
    )
    line = (
        f"{head['date']}, {where['cpu']}, {where['cores']} cores, {where['memory_gb']} GB, load before {head['load_before']}; "
        f"{told}. All rows are SIMULATED."
    )
    if isinstance(models := head["arguments"].get("models"), int) and models < WHOLE_HUB:
        line += f" **A small run**: aims in seconds, megabytes and ratios are for {WHOLE_HUB:,} models."
    return "\n".join([line, "", *table_of(figures)])


def show(name: str, text: str, *, page: Path = README) -> None:
    """Put a text between the marks of `name` in the README. Raises ValueError if the page doesn't have both."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(opening)
    _, ended, after = rest.partition(closing)
    if not found or not ended:
        raise ValueError(
            f"found no {opening} … {closing} in {page.name}; expected the place of the table. Put it back."
        )
    page.write_text(f"{before}{opening}\n\n{text}\n\n{closing}{after}", encoding="utf-8")


def publish(
    name: str, results: Path, head: dict[str, object], records: Sequence[dict], figures: Sequence[Figure]
) -> str:
    """Write a benchmark's results and give its table; where the results are the project's own, the README shows it."""
    write(results, head, records, figures)
    shown = table(head, figures)
    if results.resolve().parent == FOLDER / "results":
        show(name, shown)
    return shown


def say(line: str) -> None:
    """Progress and tables, at once also where output is a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
