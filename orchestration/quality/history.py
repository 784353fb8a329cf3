"""The history of check results as Parquet: one file per run and step, in a folder per day of evaluation.
What a result means is defined in results.py; alerts and marts only read what lies here."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.quality.results import SCALARS, CheckResult
from orchestration.settings import Settings

if TYPE_CHECKING:
    import pyarrow

FILE_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def write_results(settings: Settings, results: Sequence[CheckResult], *, step: str, run_id: str, at: datetime) -> Path:
    """Put results into the history, atomically; those that are already there (same evaluation_id) are replaced.

    Raises ValueError for a run_id that can't be part of a file name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = results_file(settings, step=step, run_id=run_id, at=at)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {row["evaluation_id"]: row for row in _read([path] if path.exists() else [])}
    rows |= {result.evaluation_id: _row(result) for result in results}
    ordered = sorted(rows.values(), key=lambda row: (row["snapshot_date"], row["table_name"], row["check_name"]))
    table = pa.Table.from_pylist(ordered, schema=schema())
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    return path


def _row(result: CheckResult) -> dict[str, Any]:
    row = {name: getattr(result, name) for name in SCALARS}
    return row | {"offenders": json.dumps(result.offenders, ensure_ascii=False) if result.offenders else None}


def results_file(settings: Settings, *, step: str, run_id: str, at: datetime) -> Path:
    """Where the results of one step of one run lie: one file, also when the step is judged again after midnight."""
    if not FILE_SAFE.fullmatch(run_id):
        raise ValueError(
            f"Found the run id {run_id!r}; expected letters, digits, '.', '_' and '-', since it names a file. "
            "Do this: pass the orchestrator's run id as it is."
        )
    name, folder = f"{run_id}-{step}.parquet", settings.quality_dir / "results"
    earlier = sorted(folder.glob(f"evaluated_date=*/{name}"))
    return earlier[0] if earlier else folder / f"evaluated_date={at.date().isoformat()}" / name


def read_history(settings: Settings) -> list[dict[str, Any]]:
    """Every result so far as plain dicts, by time of evaluation."""
    return _in_order(_read((settings.quality_dir / "results").glob("evaluated_date=*/*.parquet")))


def results_of_run(settings: Settings, run_id: str, step: str | None = None) -> list[dict[str, Any]]:
    """The results of one run's gates (or of the gate after one step) as plain dicts, by time of evaluation."""
    rows = _read((settings.quality_dir / "results").glob(f"evaluated_date=*/{run_id}-*.parquet"))
    return _in_order(row for row in rows if row["run_id"] == run_id and step in {None, row["step"]})


def schema() -> pyarrow.Schema:
    """Columns of the history, as Arrow types."""
    import pyarrow as pa

    types = {
        "evaluated_at": pa.timestamp("us", tz="UTC"),
        "snapshot_date": pa.date32(),
        "blocking": pa.bool_(),
        "passed": pa.bool_(),
        "crashed": pa.bool_(),
        "accepted_event": pa.bool_(),
        "evaluated_rows": pa.int64(),
        "failed_rows": pa.int64(),
    }
    return pa.schema([(name, types.get(name, pa.string())) for name in (*SCALARS, "offenders")])


def _read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    # a file handle, since a path would add the folder's evaluated_date as a column
    rows: list[dict[str, Any]] = []
    for path in sorted(paths):
        with path.open("rb") as file:
            rows.extend(pq.read_table(file).to_pylist())
    return rows


def _in_order(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("evaluated_at", "snapshot_date", "step", "table_name", "check_name")
    return sorted(rows, key=lambda row: tuple(row[name] for name in names))
