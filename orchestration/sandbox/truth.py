"""The truth of a world: what really happened, in tables that tests compare the warehouse with. The only place of the
sandbox that reads countries, and only after all days are written; nothing here changes a world."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from orchestration.sandbox.catalogue import NO_PARENT, numbers
from orchestration.sandbox.identity import IdentityPlan
from orchestration.sandbox.organization_names import SEED_PATH

if TYPE_CHECKING:
    from orchestration.sandbox.simulation import World

RELEASE_DAYS = 14  # a family's repositories within so many days of a release's first belong to it (definition 17)
REAL_FIELDS = "id, downloads and likes of the first day, date of createdAt, license, pipeline_tag, parameters"

DAILY = pa.schema([("snapshot_date", pa.date32()), ("_id", pa.string()), ("downloads", pa.int64())])
CORRECTIONS = pa.schema([*DAILY, ("event", pa.string())])


class Truth:
    """Writes the tables of truth of one world to `folder`.

    - `daily_downloads`: true downloads of each calendar day from the first on, missing and stalled ones too; no zero
      rows.
    - `daily_downloads_before`: the same for the 29 days before the first, so that each 30-day counter can be summed
      up.
    - `corrections`: what a day's recount or fall added to an all-time counter (negative: took away).
    - `events` (missing, stalled, recounted), `renames` (and transfers), `deletions`, `absences`, `recreations`,
      `private_phases`, `release_families`, `lineage`, `models`, `countries`.

    On days that are neither stalled nor missing, an all-time counter is its value on an earlier such day plus the
    daily downloads and the corrections in between; `downloads` is always the sum of the last 30 daily downloads.
    """

    def __init__(self, folder: Path, first_day: date, row_ids: pa.Array):
        folder.mkdir(parents=True)
        self.folder, self.first_day, self.row_ids = folder, first_day, row_ids
        self._writers = {
            name: pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            for name, schema in {
                "daily_downloads": DAILY,
                "daily_downloads_before": DAILY,
                "corrections": CORRECTIONS,
            }.items()
        }

    def add_downloads(self, day: date, downloads: np.ndarray) -> None:
        name = "daily_downloads_before" if day < self.first_day else "daily_downloads"
        self._append(name, DAILY, day, downloads)

    def add_corrections(self, day: date, event: str, downloads: np.ndarray) -> None:
        if downloads.any():
            self._append("corrections", CORRECTIONS, day, downloads, event)

    def _append(self, name: str, schema: pa.Schema, day: date, downloads: np.ndarray, *labels: str) -> None:
        rows = np.flatnonzero(downloads)
        constants = [pa.repeat(pa.scalar(label), len(rows)) for label in labels]
        dates = pa.repeat(pa.scalar(day, pa.date32()), len(rows))
        counted = pa.array(downloads[rows].astype(np.int64))
        columns = [dates, self.row_ids.take(pa.array(rows)), counted, *constants]
        self._writers[name].write_table(pa.table(columns, schema=schema))

    def finish(
        self, repositories: pa.Table, events: IdentityPlan, world: World, accounts: pa.Table, organizations: Path | None
    ) -> None:
        """Write all that is known once the days are over; `organizations` is the seed CSV with countries, if any."""
        for writer in self._writers.values():
            writer.close()
        self._write("events", _events(world))
        self._write_identity(repositories, events)
        self._write("private_phases", self._private_phases(repositories))
        self._write("release_families", self._release_families(repositories))
        self._write("lineage", self._lineage(repositories))
        self._write("models", self._models(repositories, events))
        self._write(
            "countries", countries(accounts, SEED_PATH if organizations is None else organizations, self.first_day)
        )

    def _write(self, name: str, table: pa.Table) -> None:
        pq.write_table(table, self.folder / f"{name}.parquet", compression="zstd")

    def _date(self, day: int) -> date:
        return self.first_day + timedelta(days=int(day))

    def _dates(self, days: np.ndarray) -> pa.Array:
        since_epoch = (self.first_day - date(1970, 1, 1)).days
        return pa.array((np.asarray(days) + since_epoch).astype(np.int32)).cast(pa.date32())

    def _write_identity(self, repositories: pa.Table, events: IdentityPlan) -> None:
        ids, row_ids = repositories["id"], self.row_ids
        replaced = {old for _, old, _, why in events.recreations if why == "deleted"}
        self._write(
            "renames",
            _sorted_table(
                [
                    ("snapshot_date", pa.date32()),
                    ("_id", pa.string()),
                    ("old_id", pa.string()),
                    ("new_id", pa.string()),
                    ("kind", pa.string()),
                ],
                [(self._date(day), row_ids[row], ids[row], new_id, kind) for row, day, new_id, kind in events.moves],
            ),
        )
        self._write(
            "deletions",
            _sorted_table(
                [
                    ("snapshot_date", pa.date32()),
                    ("_id", pa.string()),
                    ("id", pa.string()),
                    ("is_recreated", pa.bool_()),
                ],
                [(self._date(day), row_ids[row], ids[row], row in replaced) for row, day in events.gone.items()],
            ),
        )
        self._write(
            "absences",
            _sorted_table(
                [
                    ("snapshot_date", pa.date32()),
                    ("_id", pa.string()),
                    ("id", pa.string()),
                    ("returns_on", pa.date32()),
                ],
                [(self._date(day), row_ids[row], ids[row], self._date(back)) for row, day, back in events.absences],
            ),
        )
        self._write(
            "recreations",
            _sorted_table(
                [
                    ("snapshot_date", pa.date32()),
                    ("old__id", pa.string()),
                    ("id", pa.string()),
                    ("new__id", pa.string()),
                    ("why_free", pa.string()),
                ],
                [
                    (self._date(day), row_ids[old], ids[old], row_ids[new], why)
                    for day, old, new, why in events.recreations
                ],
            ),
        )

    def _private_phases(self, repositories: pa.Table) -> pa.Table:
        """Repositories that were created more than a day before they could be seen."""
        created = numbers(repositories, "created_at") // 86_400 - (self.first_day - date(1970, 1, 1)).days
        public = numbers(repositories, "public_day")
        rows = pa.array(np.flatnonzero(public - created > 1))
        table = {
            "_id": self.row_ids.take(rows),
            "id": repositories["id"].take(rows),
            "created_date": self._dates(created).take(rows),
            "public_date": self._dates(public).take(rows),
        }
        return pa.table(table).sort_by("_id")

    def _release_families(self, repositories: pa.Table) -> pa.Table:
        """Labs' own repositories by family and release; `released_at` is the first day on which one of them was
        public."""
        names = ("id", "family", "public_day")
        columns = [repositories[name].to_pylist() for name in names] + [self.row_ids.to_pylist()]
        owned = sorted(
            (name.split("/")[0], family, day, row_id)
            for name, family, day, row_id in zip(*columns, strict=True)
            if family is not None
        )
        found, current = [], None
        for namespace, family, day, row_id in owned:
            if current is None or current[:2] != (namespace, family) or day - current[2] > RELEASE_DAYS:
                current = (namespace, family, day, row_id)
            found.append((row_id, namespace, family, current[3], self._date(current[2]), self._date(day)))
        fields = [
            ("_id", pa.string()),
            ("namespace", pa.string()),
            ("family", pa.string()),
            ("release_id", pa.string()),
            ("released_at", pa.date32()),
            ("public_date", pa.date32()),
        ]
        return _sorted_table(fields, found)

    def _lineage(self, repositories: pa.Table) -> pa.Table:
        """Every declared parent; `declared_in` says whether the struct tells it (while the parent is public) or only
        tags."""
        parts = []
        in_tags_only = repositories["lineage_in_tags_only"].combine_chunks()
        for place in (1, 2, 3):
            parent = numbers(repositories, f"parent_{place}")
            rows, parents = pa.array(np.flatnonzero(parent != NO_PARENT)), pa.array(parent[parent != NO_PARENT])
            declared = pc.if_else(in_tags_only.take(rows), "tags", "baseModels")
            names = repositories["id"].combine_chunks().take(parents)
            parts.append(self._edges(repositories, rows, names, declared, self.row_ids.take(parents)))
        missing = repositories["missing_parent"].combine_chunks()
        rows = pa.array(np.flatnonzero(missing.is_valid().to_numpy(zero_copy_only=False)))
        nothing = pa.nulls(len(rows), pa.string())
        parts.append(self._edges(repositories, rows, missing.take(rows), pa.repeat("tags", len(rows)), nothing))
        return pa.concat_tables(parts).sort_by([("_id", "ascending"), ("parent_id", "ascending")])

    def _edges(
        self, repositories: pa.Table, rows: pa.Array, parent_id: pa.Array, declared: pa.Array, parent: pa.Array
    ) -> pa.Table:
        columns = {
            "_id": self.row_ids.take(rows),
            "parent_id": parent_id,
            "parent__id": parent,
            "relation": repositories["relation"].combine_chunks().take(rows),
            "declared_in": declared,
        }
        return pa.table(columns)

    def _models(self, repositories: pa.Table, events: IdentityPlan) -> pa.Table:
        """Every repository under its first name: since when and until when it was public, what it says that it does and
        allows, and what of it is real."""
        gone = np.zeros(repositories.num_rows, dtype=np.int64)
        has_gone = np.zeros(repositories.num_rows, dtype=bool)
        gone[list(events.gone)], has_gone[list(events.gone)] = list(events.gone.values()), True
        gone_dates = pc.if_else(pa.array(has_gone), self._dates(gone), pa.scalar(None, pa.date32()))
        is_real = repositories["is_real"].combine_chunks()
        table = {
            "_id": self.row_ids,
            "id": repositories["id"],
            "created_at": pa.array(numbers(repositories, "created_at") * 1_000_000).cast(pa.timestamp("us", tz="UTC")),
            "public_date": self._dates(numbers(repositories, "public_day")),
            "gone_date": gone_dates,
            "pipeline_tag": repositories["pipeline_tag"].combine_chunks(),
            "licenses": _licenses(repositories),
            "sample_provenance": pc.if_else(is_real, "real", "simulated"),
            "real_fields": pc.if_else(is_real, REAL_FIELDS, pa.scalar(None, pa.string())),
        }
        return pa.table(table).sort_by("_id")


def _licenses(repositories: pa.Table) -> pa.Array:
    """Every licence that a repository declares, in order of its tags; mostly one or none."""
    pairs = zip(repositories["license"].to_pylist(), repositories["second_license"].to_pylist(), strict=True)
    return pa.array([[name for name in pair if name] for pair in pairs], pa.list_(pa.string()))


def countries(accounts: pa.Table, organizations: Path, on: date) -> pa.Table:
    """Each account's country by the seed on the day `on`; without a seed row `XC` for persons, `XX` for
    organisations."""
    seeded = _seeded_countries(organizations, on) if organizations.is_file() else {}
    names = accounts["name"].to_pylist()
    is_person = [kind == "user" for kind in accounts["type"].to_pylist()]
    codes = [seeded.get(name) or ("XC" if person else "XX") for name, person in zip(names, is_person, strict=True)]
    kinds = ["person" if person else "organization" for person in is_person]
    return pa.table({"namespace": names, "country_code": codes, "account_type": kinds})


def _seeded_countries(organizations: Path, on: date) -> dict[str, str]:
    names = ["namespace", "country_code", "valid_from", "valid_to"]
    # NA is Namibia, not a null.
    options = csv.ConvertOptions(
        include_columns=names, column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
    )
    table = csv.read_csv(organizations, convert_options=options)
    return {
        row["namespace"]: row["country_code"]
        for row in table.to_pylist()
        if row["valid_from"] <= on.isoformat() and (not row["valid_to"] or on.isoformat() < row["valid_to"])
    }


def _events(world: World) -> pa.Table:
    kinds = {"missing": world.missing_days, "stalled": world.stalled_days, "recounted": world.recounted_days}
    found = [(day, kind) for kind, days in kinds.items() for day in days]
    return _sorted_table([("snapshot_date", pa.date32()), ("event", pa.string())], found)


def _sorted_table(fields: list[tuple[str, pa.DataType]], found: list[tuple]) -> pa.Table:
    plain = [tuple(value.as_py() if isinstance(value, pa.Scalar) else value for value in row) for row in found]
    rows = [dict(zip((name for name, _ in fields), row, strict=True)) for row in plain]
    schema = pa.schema(fields)
    if not rows:
        return schema.empty_table()
    return pa.Table.from_pylist(rows, schema).sort_by([(name, "ascending") for name, _ in fields[:2]])
