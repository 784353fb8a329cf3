"""Reading what lies in a landing folder, for the tests of landing."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing.content import CHANGING
from orchestration.settings import Settings


def day_folder(settings: Settings, listing: str, day: date) -> Path:
    return settings.landing_dir / listing / f"snapshot_date={day}"


def read_day(settings: Settings, listing: str, day: date) -> pa.Table:
    """The landed rows in the order of the files."""
    files = sorted(day_folder(settings, listing, day).glob("part-*.parquet"))
    return pa.concat_tables(pq.read_table(file, partitioning=None) for file in files)


def content(settings: Settings, day: date) -> pa.Table:
    """The landed models without what differs between two walks."""
    rows = read_day(settings, "models", day)
    return rows.drop_columns([name for name in rows.column_names if name in CHANGING])


def capture(settings: Settings, day: date) -> dict[str, object] | None:
    """The day's capture row."""
    file = day_folder(settings, "captures", day) / "part-00000.parquet"
    return pq.read_table(file, partitioning=None).to_pylist()[0] if file.exists() else None


def listing_requests(hub) -> int:
    return sum(path == "/api/models" for _, path, _ in hub.requests)


def visible(settings: Settings) -> list[str]:
    """All that a reader of landed models could see."""
    root = settings.landing_dir / "models"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*")) if root.exists() else []
