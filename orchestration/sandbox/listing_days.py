"""Made-up days of the Hub's other listings, datasets and spaces: few rows, plain counters, all of it simulated.
Models are made by the simulation, which calls this for its worlds; how a listing is served is not decided here."""

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.sandbox.catalogue import DAY, hexadecimal, noon, object_ids, rng_for
from orchestration.sandbox.tail import owners

HISTORY_DAYS = 1000  # before the first day, in which its rows were created
ROWS_PER_OWNER = 4
DATASET_TAGS = ("license:mit", "license:apache-2.0", "modality:text", "size_categories:1K<n<10K")
SDKS = ("gradio", "docker", "static", "streamlit")
KINDS = {"datasets": "dataset", "spaces": "space"}


def write_listing_days(
    out: Path,
    listing: str,
    rows: int,
    days: int,
    seed: int,
    first_day: date,
    missing: Collection[date] = (),
) -> list[date]:
    """Write `days` calendar days of `listing` ("datasets" or "spaces") to the folder `out`; give those written.

    There are `rows` on the first day and one more on each later one; no folder is written for a `missing` day. The same
    arguments give the same bytes. Raises ValueError for another listing, or less than one row or day.
    """
    if listing not in KINDS or rows < 1 or days < 1:
        raise ValueError(
            f"found {rows} rows of {listing!r} for {days} days; expected datasets or spaces, and at least one of each."
            " Correct the call."
        )
    written = [first_day + timedelta(days=number) for number in range(days)]
    written = [day for day in written if day not in missing]
    whole = _Rows(listing, rows, days, seed, noon(first_day))
    for day in written:
        folder = out / listing / f"snapshot_date={day}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(whole.on((day - first_day).days), folder / f"{listing}.parquet", compression="zstd")
    return written


class _Rows:
    """All rows that ever exist, in the order of creation; the last one of day n is created on day n."""

    def __init__(self, listing: str, first: int, days: int, seed: int, noon_of_first_day: int):
        self.listing, self.first = listing, first
        count = first + days - 1
        rng = rng_for(seed, "listing days", listing)
        before = np.sort(rng.integers(-HISTORY_DAYS * DAY, -DAY, first))
        created = noon_of_first_day + np.concatenate([before, np.arange(days - 1) * DAY + DAY // 2])
        owner_names, _ = owners(max(1, count // ROWS_PER_OWNER), seed)
        self.author = owner_names.take(pa.array(rng.integers(0, len(owner_names), count)))
        number = pa.array(np.arange(count)).cast(pa.string())
        self.ids = pc.binary_join_element_wise(
            self.author, pc.binary_join_element_wise(KINDS[listing], number, "-"), "/"
        )
        self.row_ids = object_ids(created, rng)
        self.created = pa.array(created * 1_000_000).cast(pa.timestamp("us", tz="UTC"))
        self.daily = rng.lognormal(1.0, 2.0, count).astype(np.int64)  # downloads
        self.age = np.maximum((noon_of_first_day - created) // DAY, 0)
        self.likes = rng.poisson(2.0, count)
        self.gated = pa.array(rng.choice(["false", "auto", "manual"], count, p=[0.96, 0.02, 0.02]).tolist())
        self.kind = rng.integers(0, 4, count)
        self.sha = hexadecimal(rng.integers(0, 256, (count, 20), dtype=np.uint8))

    def on(self, day: int) -> pa.Table:
        """The rows of a day, counted from the first (0)."""
        count = self.first + day
        kinds = self.kind[:count]
        # A row that comes during the days has been there since its own.
        lived = np.where(np.arange(count) < self.first, self.age[:count] + day, day - np.arange(count) + self.first - 1)
        columns = {
            "_id": self.row_ids[:count],
            "id": self.ids[:count],
            "author": self.author[:count],
            "createdAt": self.created[:count],
            "lastModified": self.created[:count],
            "likes": pa.array(self.likes[:count] + day),
            "trendingScore": pa.array(self.likes[:count] / 4),
            "disabled": pa.repeat(False, count),
            "private": pa.repeat(False, count),
            "sha": self.sha[:count],
        }
        if self.listing == "datasets":
            columns["downloads"] = pa.array(self.daily[:count] * np.minimum(lived, 30))
            columns["downloadsAllTime"] = pa.array(self.daily[:count] * lived)
            columns["gated"] = self.gated[:count]
            columns["tags"] = pa.array([[DATASET_TAGS[kind], "region:us"] for kind in kinds], pa.list_(pa.string()))
        else:
            columns["sdk"] = pa.array([SDKS[kind] for kind in kinds], pa.string())
            columns["tags"] = pa.array([[SDKS[kind], "region:us"] for kind in kinds], pa.list_(pa.string()))
        return pa.table(columns)
