"""One row for each attempted day: what was captured, when, from where, and whether it is complete.
The row follows from the day's manifest; nothing here looks at the Hub."""

from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing.folders import DayFolder, write_parquet

TIMESTAMP = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("status", pa.string()),
        ("source", pa.string()),
        ("source_revision", pa.string()),
        ("source_license", pa.string()),
        ("captured_at", TIMESTAMP),
        ("counters_date", pa.date32()),
        ("models", pa.int64()),
        ("downloads_all_time", pa.int64()),
        ("is_simulated", pa.bool_()),
        ("reason", pa.string()),
    ]
)


def record(folder: DayFolder, row: dict[str, object]) -> None:
    """Write the day's row (its keys are the columns). An incomplete attempt never replaces a complete day's row."""
    path = DayFolder(folder.root, "captures", folder.snapshot_date).landed / "part-00000.parquet"
    if path.exists():
        present = pq.read_table(path, partitioning=None).to_pylist()[0]
        is_same = present == {name: row.get(name) for name in SCHEMA.names}
        if is_same or (row["status"] == "incomplete" and present["status"] == "complete"):
            return
    write_parquet(path, pa.Table.from_pylist([row], schema=SCHEMA))


def complete_row(manifest: dict[str, object]) -> dict[str, object]:
    """The row of a landed day, from its manifest."""
    return {
        "status": "complete",
        "source": manifest["source"],
        "source_revision": manifest["source_revision"],
        "source_license": manifest["source_license"],
        "captured_at": datetime.fromisoformat(manifest["captured_at"]),
        "counters_date": date.fromisoformat(manifest["counters_date"]),
        "models": manifest["rows"],
        "downloads_all_time": manifest["downloads_all_time"],
        "is_simulated": manifest["is_simulated"],
        "reason": None,
    }
