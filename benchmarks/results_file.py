"""The one form of a benchmark's results on disk: when, on what machine, under what load, what was asked for, all records, and
the figures made of them. What a record holds is told where it is measured."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import Figure, machine, table_of, versions

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
    return "\n".join([line, "", *table_of(figures)])
