"""One row for each attempted day: what was captured, when, from where, and whether it is complete.
The row follows from the day's manifest; nothing here looks at the Hub."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import duckdb
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
# The Hub's counters change once a day, between about 04 and 10 UTC, and stand still in between (observed in 2026).
COUNTERS_MOVE_FROM, COUNTERS_MOVED_BY = time(4), time(10)
# Below this, a repository's counter may well not move on a normal day.
BUSY_DOWNLOADS = 1000


def counters_date(captured_at: datetime, busy_changed_share: float | None) -> date:
    """The day that the counters tell, by the time of capture (UTC).

    Between 04:00 and 10:00 it takes evidence: `busy_changed_share`, the part (0–1) of repositories with ≥ 1,000 30-day
    downloads whose counters changed since the last capture, or None if there was none.
    """
    moment, day = captured_at.astimezone(UTC).time(), captured_at.astimezone(UTC).date()
    if moment >= COUNTERS_MOVED_BY:
        return day
    if moment < COUNTERS_MOVE_FROM:
        return day - timedelta(days=1)
    has_moved = busy_changed_share is not None and busy_changed_share > 0.5
    return day if has_moved else day - timedelta(days=1)


def is_same_counters(earlier: datetime, later: datetime) -> bool:
    """Whether two moments of one UTC day surely see the same counters: both before they move, or both after."""
    earlier, later = earlier.astimezone(UTC), later.astimezone(UTC)
    if earlier.date() != later.date():
        return False
    return later.time() < COUNTERS_MOVE_FROM or earlier.time() >= COUNTERS_MOVED_BY


def busy_changed_share(parts: list[Path], last: DayFolder | None) -> float | None:
    """The part of busy repositories whose counters differ from the last complete day's; None without any to compare."""
    if last is None:
        return None
    earlier = [str(path) for path in sorted(last.landed.glob("part-*.parquet"))]
    with duckdb.connect(":memory:") as connection:
        return connection.execute(
            """
            select avg(cast(
                today.downloadsAllTime is distinct from earlier.downloadsAllTime
                or today.downloads is distinct from earlier.downloads as integer
            ))
            from read_parquet(?) as today inner join read_parquet(?) as earlier using (_id)
            where earlier.downloads >= ?
            """,
            [[str(path) for path in parts], earlier, BUSY_DOWNLOADS],
        ).fetchone()[0]


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
