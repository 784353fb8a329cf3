"""The folder that the sandbox Hub serves: its listings' days as sorted columns, rows as the Hub's JSON, accounts and
renames. Nothing here knows HTTP, cursors or the clock; writing such a folder belongs to the simulation."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.sandbox.listing_kinds import JSON_FIELDS, LISTINGS, MODELS, ListingKind

DAYS_IN_MEMORY = 2  # a walk needs its own day; the one before it is what a late reader still asks for


class SnapshotError(ValueError):
    """A snapshot folder that cannot be served; says what was found, what was expected, and what to do."""


class Day:
    """The rows of a listing that are public on one day: Arrow columns ordered by `_id`, the order of creation."""

    def __init__(self, day: date, table: pa.Table, origin: Path):
        self.day = day
        self.table = _prepared(table, origin)
        self._check_identity(origin)
        self.row_ids = np.array(self.table["_id"].to_pylist(), dtype="S24")
        self._check_creation(origin)
        self._orders: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._selections: OrderedDict[tuple, np.ndarray] = OrderedDict()
        self._by_name: dict[str, int] | None = None
        self._by_folded_name: dict[str, int] = {}

    def __len__(self) -> int:
        return self.table.num_rows

    def row_of(self, model_id: str) -> int | None:
        """The row of a model's exact name, or None."""
        self._index_names()
        return self._by_name.get(model_id)

    def row_of_any_case(self, model_id: str) -> int | None:
        """The row of a name whatever its upper and lower case, or None."""
        self._index_names()
        return self._by_folded_name.get(model_id.lower())

    def row_of_identity(self, row_id: str) -> int | None:
        """The row of an `_id`, or None."""
        position = int(np.searchsorted(self.row_ids, row_id.encode()))
        found = position < len(self) and self.row_ids[position] == row_id.encode()
        return position if found else None

    def value(self, name: str, row: int):
        """One cell as the Hub's JSON value; None where the source says nothing."""
        return json_values(name, self.table[name].slice(row, 1))[0] if name in self.table.column_names else None

    def order(self, key: str) -> tuple[np.ndarray, np.ndarray]:
        """Rows from the largest `key` to the smallest, ties by `_id`, nulls last; and the negated key in that order.

        Both arrays are as long as the day; a null's negated key is +inf.
        """
        if key not in self._orders:
            negated = -self._sort_values(key)
            negated[np.isnan(negated)] = np.inf
            rows = np.argsort(negated, kind="stable")
            self._orders[key] = rows, negated[rows]
        return self._orders[key]

    def _sort_values(self, key: str, rows: slice = slice(None)) -> np.ndarray:
        if key not in self.table.column_names:
            return np.full(len(self.row_ids[rows]), np.nan)
        column = self.table[key].slice(rows.start or 0, None if rows.stop is None else rows.stop - rows.start)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        return column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float, copy=True)

    def selected(self, *, tags: tuple[str, ...], equal: tuple[tuple[str, str], ...], search: str | None) -> np.ndarray:
        """A boolean per row: has all `tags` (a task, a library and an SDK count as tags), equals, and name contains."""
        key = (tags, equal, search)
        if key not in self._selections:
            self._selections[key] = self._select(tags, equal, search)
            while len(self._selections) > 8:
                self._selections.popitem(last=False)
        return self._selections[key]

    def _select(self, tags, equal, search) -> np.ndarray:
        mask = np.ones(len(self), dtype=bool)
        for tag in tags:
            mask &= self._tagged(tag)
        for name, wanted in equal:
            mask &= self._equals(name, wanted)
        if search:
            found = pc.match_substring(self.table["id"], search, ignore_case=True)
            mask &= found.to_numpy(zero_copy_only=False).astype(bool)
        return mask

    def _tagged(self, tag: str) -> np.ndarray:
        mask = np.logical_or.reduce([self._equals(name, tag) for name in ("pipeline_tag", "library_name", "sdk")])
        if "tags" in self.table.column_names:
            tags = self.table["tags"].combine_chunks()
            hits = pc.equal(pc.list_flatten(tags), tag).to_numpy(zero_copy_only=False).astype(bool)
            mask[pc.list_parent_indices(tags).to_numpy()[hits]] = True
        return mask

    def _equals(self, name: str, wanted: str) -> np.ndarray:
        if name not in self.table.column_names:
            return np.zeros(len(self), dtype=bool)
        is_any_gate = name == "gated" and wanted == "true"
        hits = pc.not_equal(self.table[name], "false") if is_any_gate else pc.equal(self.table[name], wanted)
        return pc.fill_null(hits, False).to_numpy(zero_copy_only=False).astype(bool)

    def records(self, rows: np.ndarray | slice, fields: tuple[str, ...], *, model_id: bool = False) -> list[dict]:
        """Rows as the Hub's JSON objects: `_id`, `id` and `fields`, a key only where there is a value."""
        part = (
            self.table.slice(rows.start, rows.stop - rows.start) if isinstance(rows, slice) else self.table.take(rows)
        )
        columns = {"_id": part["_id"].to_pylist(), "id": part["id"].to_pylist()}
        if model_id:
            columns["modelId"] = columns["id"]
        for name in fields:
            if name in part.column_names:
                columns[name] = json_values(name, part[name])
        names = tuple(columns)
        return [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in zip(*columns.values(), strict=True)
        ]

    def _index_names(self) -> None:
        if self._by_name is None:
            names = self.table["id"].to_pylist()
            self._by_folded_name = {name.lower(): row for row, name in enumerate(names)}
            self._by_name = {name: row for row, name in enumerate(names)}

    def _check_identity(self, origin: Path) -> None:
        row_ids, names = self.table["_id"], self.table["id"]
        is_good = pc.fill_null(pc.match_substring_regex(row_ids, "^[0-9a-f]{24}$"), False)
        if names.null_count or (len(self) and not pc.all(is_good).as_py()):
            bad = row_ids.filter(pc.invert(is_good)).slice(0, 1).to_pylist()
            raise SnapshotError(
                f"{origin}: found _id {bad} and {names.null_count} rows without id; expected an _id of 24 lower-case"
                " hex digits and an id in every row. Correct the rows."
            )
        for column in ("_id", "id"):
            if pc.count_distinct(self.table[column]).as_py() != len(self):
                raise SnapshotError(
                    f"{origin}: found an {column} twice among the public rows; expected one row a repository."
                    " Drop the double."
                )

    def _check_creation(self, origin: Path) -> None:
        if "createdAt" not in self.table.column_names:
            return
        told = pc.fill_null(self.table["createdAt"].cast(pa.int64()), -1).to_numpy() // 1000
        meant = np.frombuffer(bytes.fromhex(b"".join(self.row_ids.astype("S8").tolist()).decode()), dtype=">u4")
        wrong = np.flatnonzero((told >= 0) & (told != meant))
        if len(wrong):
            row = int(wrong[0])
            raise SnapshotError(
                f"{origin}: found _id {self.row_ids[row].decode()} with createdAt {told[row]} (seconds since 1970);"
                f" expected its first eight hex digits to be that second, {told[row]:08x}, because the order of the"
                " listing is built on it. Make the _id from createdAt."
            )


class ListingDays:
    """The days of one listing: folders snapshot_date=YYYY-MM-DD with Parquet files in them. There may be none."""

    def __init__(self, path: Path, kind: ListingKind):
        self.kind = kind
        self.folders: dict[date, Path] = {
            _date_of(folder): folder for folder in sorted(path.glob("snapshot_date=*")) if any(folder.glob("*.parquet"))
        }
        self.days: list[date] = sorted(self.folders)
        self._loaded: OrderedDict[date, Day] = OrderedDict()

    def day(self, day: date) -> Day:
        """The rows of a day, read when first asked for; the last two days stay in memory. Raises SnapshotError."""
        if day not in self._loaded:
            self._loaded[day] = Day(day, self.read(day), self.folders[day])
        self._loaded.move_to_end(day)
        while len(self._loaded) > DAYS_IN_MEMORY:
            self._loaded.popitem(last=False)
        return self._loaded[day]

    def read(self, day: date) -> pa.Table:
        """A day's rows as they lie on disk, private ones left out."""
        files = sorted(self.folders[day].glob("*.parquet"))
        table = pa.concat_tables([pq.ParquetFile(file).read() for file in files], promote_options="permissive")
        missing = {"_id", "id"} - set(table.column_names)
        unknown = set(table.column_names) - {"_id", "id", *self.kind.columns}
        if missing or unknown:
            raise SnapshotError(
                f"{self.folders[day]}: found the unknown columns {sorted(unknown)}, lacked {sorted(missing)}; expected"
                " columns named as the Hub's own fields, with _id and id among them. Rename or drop the columns."
            )
        if "private" in table.column_names:
            table = table.filter(pc.invert(pc.fill_null(table["private"], False)))
        return table


class SnapshotFolder:
    """A folder of days of models, with what stands beside them if it is there: `sandbox.json`, `accounts.parquet`,
    `renames.parquet`, and the days of other listings in `datasets/` and `spaces/`."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self.listings = {
            name: ListingDays(self.path if kind is MODELS else self.path / name, kind)
            for name, kind in LISTINGS.items()
        }
        self.models = self.listings[MODELS.name]
        if not self.models.days:
            raise SnapshotError(
                f"{self.path}: found no day; expected folders snapshot_date=YYYY-MM-DD with Parquet files in them."
                " Point the sandbox at a folder of snapshots, or make one with --population."
            )
        self.days: list[date] = self.models.days
        self._description_bytes = self._read_description()
        self.description: dict = self._parsed_description()
        self.is_simulated: bool = self.description.get("simulated", True) is not False
        self._accounts = self._read_accounts()
        self._renames = self._read_renames()

    def fingerprint(self, day: date) -> bytes:
        """What tells this day of this folder from any other: its description, its date, its files and their sizes."""
        files = [f"{file.name}:{file.stat().st_size}" for file in sorted(self.models.folders[day].glob("*.parquet"))]
        return b"\n".join([self._description_bytes, day.isoformat().encode(), *(name.encode() for name in files)])

    def account(self, name: str) -> dict | None:
        """An account by its exact name: name, type ('org' or 'user') and whatever else is known of it."""
        return self._accounts[0].get(name)

    def account_of_any_case(self, name: str) -> dict | None:
        return self._accounts[1].get(name.lower())

    def renamed(self, old_id: str, day: date) -> tuple[str, str | None] | None:
        """(`_id`, new name) that an old name stood for, if it was given up on or before `day`."""
        known = [rename for rename in self._renames.get(old_id.lower(), []) if rename[0] <= day]
        return known[-1][1:] if known else None

    def _read_description(self) -> bytes:
        file = self.path / "sandbox.json"
        return file.read_bytes() if file.exists() else b""

    def _parsed_description(self) -> dict:
        try:
            description = orjson.loads(self._description_bytes or b"{}")
        except orjson.JSONDecodeError as error:
            raise SnapshotError(
                f"{self.path / 'sandbox.json'}: found {error}; expected JSON. Correct the file."
            ) from error
        if not isinstance(description, dict):
            raise SnapshotError(f"{self.path / 'sandbox.json'}: found no JSON object; expected one. Correct the file.")
        return description

    def _read_accounts(self) -> tuple[dict[str, dict], dict[str, dict]]:
        file = self.path / "accounts.parquet"
        rows = pq.ParquetFile(file).read().to_pylist() if file.exists() else []
        for row in rows:
            if row.get("type") not in ("org", "user"):
                raise SnapshotError(
                    f"{file}: found type {row.get('type')!r} for {row.get('name')!r}; expected 'org' or 'user'."
                    " Correct the row."
                )
        return {row["name"]: row for row in rows}, {row["name"].lower(): row for row in rows}

    def _read_renames(self) -> dict[str, list[tuple[date, str, str | None]]]:
        file = self.path / "renames.parquet"
        rows = pq.ParquetFile(file).read().to_pylist() if file.exists() else []
        renames: dict[str, list[tuple[date, str, str | None]]] = {}
        for row in sorted(rows, key=lambda row: (row["from_date"], row["_id"])):
            renames.setdefault(row["old_id"].lower(), []).append((row["from_date"], row["_id"], row["new_id"]))
        return renames


def _date_of(folder: Path) -> date:
    try:
        return date.fromisoformat(folder.name.removeprefix("snapshot_date="))
    except ValueError as error:
        raise SnapshotError(
            f"{folder}: found a folder whose name tells no day; expected snapshot_date=YYYY-MM-DD. Rename or remove it."
        ) from error


def _prepared(table: pa.Table, origin: Path) -> pa.Table:
    table = table.sort_by("_id").combine_chunks()
    for name in ("createdAt", "lastModified"):
        if name in table.column_names:
            column = table[name]
            if not pa.types.is_timestamp(column.type):
                raise SnapshotError(
                    f"{origin}: found {name} as {column.type}; expected a timestamp in UTC. Cast the column."
                )
            # The Hub tells milliseconds; what it does not tell must not decide its order either.
            column = column.cast(pa.timestamp("ms", tz="UTC"), safe=False)
            table = table.set_column(table.column_names.index(name), name, column)
    return table


def json_values(name: str, column: pa.ChunkedArray) -> list:
    """A column as the values that the Hub's JSON carries."""
    if pa.types.is_timestamp(column.type):
        # Milliseconds as text, "2026-10-06 12:00:00.000"; strftime, or a cast with the zone, takes 25 times as long.
        text = pc.binary_replace_slice(column.cast(pa.timestamp("ms")).cast(pa.string()), 10, 11, "T")
        return pc.binary_join_element_wise(text, "Z", "").to_pylist()
    if name == "trendingScore":
        return [_as_javascript_number(value) for value in column.to_pylist()]
    if name == "gated":
        return [False if value == "false" else value for value in column.to_pylist()]
    if name in JSON_FIELDS and pa.types.is_string(column.type):
        return [value if value is None else orjson.loads(value) for value in column.to_pylist()]
    # Asked for maps as dicts, to_pylist takes ten times as long on any column: ask only where there is one.
    holds_map = "map<" in str(column.type)
    values = column.to_pylist(maps_as_pydicts="strict") if holds_map else column.to_pylist()
    return [_without_nulls(value) for value in values] if name in JSON_FIELDS else values


def _without_nulls(value):
    """Nested values as the Hub sends them: a key that has no value is absent."""
    if type(value) is dict:
        return {
            name: part if type(part) not in (dict, list) else _without_nulls(part)
            for name, part in value.items()
            if part is not None
        }
    return [_without_nulls(part) for part in value] if type(value) is list else value


def _as_javascript_number(value: float | None) -> float | int | None:
    """The Hub writes 7 for 7.0 and 0.7000000000000001 for what it is: one field, two JSON types."""
    return int(value) if value is not None and value.is_integer() else value
