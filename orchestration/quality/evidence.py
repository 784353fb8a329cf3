"""The data that a step's suites look at: DuckDB opened read-only, narrowed to one day, asked for a small profile.
What the profile has to look like is for suites/ to say, and whether it does for gate.py."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.quality.promises import Between, EqualTo, Learned, Promise, Suite
from orchestration.quality.suites import MADE_AT_PUBLICATION, PUBLISHED_TABLES, SUITES
from orchestration.settings import Settings

OFFENDERS = 5
LONGEST_VALUE = 200
# Four whole weeks: each weekday is in them equally often. 2026-11-29.
DAYS_LEARNED_FROM = 28

# Columns that suites read from the landing, for the views over a day that has no files.
LANDED_COLUMNS = {
    "models": {
        "_id": "varchar",
        "id": "varchar",
        "author": "varchar",
        "createdAt": "timestamptz",
        "downloads": "bigint",
        "downloadsAllTime": "bigint",
        "likes": "bigint",
        "gated": "varchar",
        "private": "boolean",
        "pipeline_tag": "varchar",
        "tags": "varchar[]",
        "cast_errors": "varchar[]",
        "fetched_at": "timestamptz",
        "source": "varchar",
        "source_revision": "varchar",
        "captured_at": "timestamptz",
        "filename": "varchar",
        "file_row_number": "bigint",
    },
    "accounts": {
        "namespace": "varchar",
        "account_type": "varchar",
        "full_name": "varchar",
        "is_verified": "boolean",
        "followers": "bigint",
    },
    "captures": {"status": "varchar", "models": "bigint", "downloads_all_time": "bigint"},
}
OF_ANY_LISTING = {
    "_id": "varchar",
    "id": "varchar",
    "author": "varchar",
    "createdAt": "timestamptz",
    "likes": "bigint",
    "private": "boolean",
    "cast_errors": "varchar[]",
    "captured_at": "timestamptz",
    "filename": "varchar",
    "file_row_number": "bigint",
}
FURTHER_COLUMNS = {
    "datasets": OF_ANY_LISTING | {"downloads": "bigint", "gated": "varchar"},
    "spaces": OF_ANY_LISTING,
}


# Columns that suites read from the version that readers see now, for the views where nothing is published.
PUBLISHED_COLUMNS = {
    "organizations": {
        "namespace": "varchar",
        "valid_from": "date",
        "valid_to": "date",
        "country_code": "varchar",
        "is_seeded": "boolean",
    },
    "snapshots": {
        "snapshot_date": "date",
        "status": "varchar",
        "captured_at": "timestamp",
        "source_revision": "varchar",
    },
}


class EvidenceMissing(OSError):
    """There is nothing to look at: the database that a step should have left behind isn't there."""


@dataclass(frozen=True)
class Profile:
    """What one query saw of a suite's table on one day."""

    rows: int
    observed: Mapping[str, Any]
    expected: Mapping[str, Any]
    failed_rows: Mapping[str, int | None]
    evaluated_rows: Mapping[str, int | None]
    bounds: Mapping[str, Between]  # of the promises that learn theirs
    basis: Mapping[str, str]  # where those come from


class Evidence:
    """One step's data, open for reading."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, step: str, settings: Settings) -> None:
        self.connection = connection
        self.step = step
        self.settings = settings
        self.published = _days_published(settings.published_dir)
        self.passed: set[date] = set()
        self.failed: set[date] = set()
        self.day: date | None = None

    def note(self, day: date, *, passed: bool) -> None:
        """What became of a day: later days of the same gate are held against it only if it passed."""
        self.forget([day])
        (self.passed if passed else self.failed).add(day)

    def forget(self, days: Sequence[date]) -> None:
        """Nothing is known any more of what became of these days."""
        self.passed -= set(days)
        self.failed -= set(days)

    def _is_good_before(self, landed: date, day: date) -> bool:
        """Whether a landed day is one to compare `day` with: published, or passed by this gate. A day that was blocked would
        let the next one pass beside it. Where no such day is known, whatever landed will do."""
        known = {good for good in self.published | self.passed if good < day}
        return landed < day and landed not in self.failed and (not known or landed in known)

    def select_day(self, day: date) -> None:
        """Narrow everything that follows to one day."""
        self.day = None
        self.connection.execute(f"set variable day = date '{day.isoformat()}'")
        if self.step in {"raw", "staging"}:
            for listing in LANDED_COLUMNS:
                self._show_landed(f"landed_{listing}", listing, day)
            previous = self._last_complete_day_before(day)
            self._show_landed("previous_models", "models", previous)
            self._show_manifests(day, previous)
        if self.step == "authors":
            self._show_accounts(day)
        if self.step == "listings":
            self._show_further_listings(day)
        self.day = day

    def profile(self, suite: Suite) -> Profile:
        """One row of measures of the suite's table. Raises duckdb.Error where a measure can't be computed."""
        row: dict[str, Any] = {}
        for numbers in _together(suite.promises):
            row |= self._measured(suite, numbers)

        def of(prefix: str) -> dict[str, Any]:
            return {promise.check_name: row.get(f"{prefix}_{n}") for n, promise in enumerate(suite.promises)}

        failed = {
            promise.check_name: row.get(f"{'observed' if promise.failed == promise.measure else 'failed'}_{n}")
            for n, promise in enumerate(suite.promises)
        }

        minimum, maximum, basis = of("minimum"), of("maximum"), of("basis")
        learning = [promise.check_name for promise in suite.promises if isinstance(promise.expectation, Learned)]
        return Profile(
            row["profiled_rows"],
            of("observed"),
            of("expected"),
            failed,
            of("evaluated"),
            bounds={name: Between(minimum[name], maximum[name]) for name in learning},
            basis={name: basis[name] or "too little history" for name in learning},
        )

    def _measured(self, suite: Suite, numbers: Sequence[int]) -> dict[str, Any]:
        """One row of what the promises of these numbers are judged by."""
        columns = ["count(*) as profiled_rows"]
        for number in numbers:
            promise = suite.promises[number]
            columns += [f"{promise.measure} as observed_{number}", f"{promise.evaluated} as evaluated_{number}"]
            if isinstance(promise.expectation, EqualTo):
                columns.append(f"{promise.expectation.sql} as expected_{number}")
            if isinstance(promise.expectation, Learned):
                columns += [
                    f"cast({promise.expectation.minimum} as double) as minimum_{number}",
                    f"cast({promise.expectation.maximum} as double) as maximum_{number}",
                    f"{promise.expectation.basis} as basis_{number}",
                ]
            if promise.failed and promise.failed != promise.measure:
                columns.append(f"{promise.failed} as failed_{number}")
        cursor = self.connection.execute(f"{suite.subject}\nselect\n    " + ",\n    ".join(columns) + "\nfrom subject")
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))

    def offenders(self, suite: Suite, promise: Promise, day: date) -> tuple[dict[str, Any], ...]:
        """A few rows of the day that break the promise, the same ones each time; none where no row can be blamed."""
        if promise.offenders is None:
            return ()
        if self.day != day:
            self.select_day(day)
        cursor = self.connection.execute(
            f"{suite.subject}\nselect * from ({promise.offenders}) as offenders order by all limit {OFFENDERS}"
        )
        names = [column[0] for column in cursor.description]
        return tuple({name: _plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall())

    def _show_landed(self, view: str, listing: str, day: date | None) -> None:
        files = sorted(self._folder(listing, day).glob("*.parquet")) if day else []
        if files:
            listed = ", ".join(_literal(str(file)) for file in files)
            read = (
                f"select * from read_parquet([{listed}], filename = true, file_row_number = true, "
                "hive_partitioning = false)"
            )
        else:
            read = _nothing((LANDED_COLUMNS | FURTHER_COLUMNS)[listing])
        self.connection.execute(f"create or replace temp view {view} as {read}")

    def _last_complete_day_before(self, day: date) -> date | None:
        folders = (self.settings.landing_dir / "captures").glob("snapshot_date=*")
        earlier = sorted((date.fromisoformat(folder.name.split("=")[1]) for folder in folders), reverse=True)
        for candidate in (landed for landed in earlier if self._is_good_before(landed, day)):
            files = [str(file) for file in self._folder("captures", candidate).glob("*.parquet")]
            is_complete = (
                files
                and self.connection.execute(
                    "select bool_and(status = 'complete') from read_parquet(?, hive_partitioning = false)", [files]
                ).fetchone()
            )
            if is_complete and is_complete[0] and any(self._folder("models", candidate).glob("*.parquet")):
                return candidate
        return None

    def _show_manifests(self, day: date, previous: date | None) -> None:
        """Table `landed_manifest`: the day's and the last complete day's, as JSON, null where there is none; and
        `past_manifests`, those of the days before from which bounds are learned."""
        manifest, previous_manifest = self._manifest(day), self._manifest(previous)
        rows = None if manifest is None else json.loads(manifest).get("rows")
        self.connection.execute("create or replace temp table landed_manifest (manifest json, previous_manifest json)")
        self.connection.execute("insert into landed_manifest values (?, ?)", [manifest, previous_manifest])
        self.connection.execute("create or replace temp table past_manifests (snapshot_date date, manifest json)")
        past = [day - timedelta(days=back) for back in range(1, DAYS_LEARNED_FROM + 1)]
        told = {one: self._manifest(one) for one in past if self._is_good_before(one, day)}
        known = {one: manifest for one, manifest in told.items() if manifest is not None}
        self.connection.execute(
            "insert into past_manifests select unnest($days::date[]), unnest($manifests::json[])",
            {"days": list(known), "manifests": list(known.values())},
        )
        self.connection.execute(f"set variable manifest_rows = {'null' if rows is None else int(rows)}")

    def _show_accounts(self, day: date) -> None:
        """Views of the accounts of the day and of the last landed day before, and table `accounts_manifests` of both."""
        previous = self._last_landed_day_before(day, "accounts")
        self._show_landed("landed_accounts", "accounts", day)
        self._show_landed("previous_accounts", "accounts", previous)
        self.connection.execute(
            "create or replace temp table accounts_manifests (manifest json, previous_manifest json)"
        )
        self.connection.execute(
            "insert into accounts_manifests values (?, ?)",
            [self._manifest(day, "accounts"), self._manifest(previous, "accounts")],
        )

    def _show_further_listings(self, day: date) -> None:
        """Of each listing beside the models: its rows of the day, of its last landed day before, and a row in
        `further_manifests`, whose numbers are null where there is no manifest, or no earlier day."""
        self.connection.execute(
            "create or replace temp table further_manifests (listing varchar, rows bigint, days_apart integer)"
        )
        for listing in FURTHER_COLUMNS:
            previous = self._last_landed_day_before(day, listing)
            self._show_landed(f"landed_{listing}", listing, day)
            self._show_landed(f"previous_{listing}", listing, previous)
            manifest = self._manifest(day, listing)
            rows = None if manifest is None else json.loads(manifest).get("rows")
            days_apart = None if previous is None else (day - previous).days
            self.connection.execute("insert into further_manifests values (?, ?, ?)", [listing, rows, days_apart])

    def _last_landed_day_before(self, day: date, listing: str) -> date | None:
        """A listing without capture rows: a day that has its manifest has been judged whole."""
        manifests = (self.settings.landing_dir / listing).glob("snapshot_date=*/_manifest.json")
        days = (date.fromisoformat(path.parent.name.split("=")[1]) for path in manifests)
        # nothing is published of the listings beside the models
        is_one = self._is_good_before if listing == "accounts" else date.__lt__
        return max((landed for landed in days if is_one(landed, day)), default=None)

    def _manifest(self, day: date | None, listing: str = "models") -> str | None:
        path = self._folder(listing, day) / "_manifest.json" if day else None
        return path.read_text(encoding="utf-8") if path is not None and path.is_file() else None

    def _folder(self, listing: str, day: date) -> Path:
        return self.settings.landing_dir / listing / f"snapshot_date={day.isoformat()}"


@contextmanager
def open_evidence(
    step: str, settings: Settings, database: Path | None = None, judged_at: datetime | None = None
) -> Iterator[Evidence]:
    """A step's data, read-only, closed again at the end: an open reader would keep dbt from writing.

    `judged_at` (UTC) is what freshness is measured by, now by default. Raises EvidenceMissing or duckdb.Error where
    the data can't be opened.
    """
    with (
        tempfile.TemporaryDirectory(prefix="observatory-gate-") as spill,
        duckdb.connect(":memory:", config={"memory_limit": settings.duckdb_memory}) as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set temp_directory = {_literal(spill)}")
        # What a query held is given back before the next one asks for as much: a sixth of the peak over three million models.
        connection.execute("set allocator_flush_threshold = '8MB'")
        connection.execute("set allocator_bulk_deallocation_flush_threshold = '8MB'")
        moment = (judged_at or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
        connection.execute(f"set variable judged_at = timestamp '{moment.isoformat(sep=' ')}'")
        if step not in {"raw", "authors", "listings"}:
            _attach(connection, settings.warehouse_path, "warehouse")
            connection.execute("use warehouse")
        if step == "marts":
            _show_published(connection, settings.published_dir)
        if step == "published":
            if database is None:
                raise EvidenceMissing(
                    "Found no candidate database to judge; expected the file that publishing wrote. "
                    "Do this: pass its path as `database`."
                )
            _attach(connection, database, "published")
            _lock_down(connection, database.parent)
            # Views find their files by it: the candidate isn't yet where they look by themselves.
            connection.execute(f"set variable observatory = {_literal(str(database.parent))}")
            _audit(connection, settings.published_dir)
            _register(connection)
        yield Evidence(connection, step, settings)


def _together(promises: Sequence[Promise]) -> list[list[int]]:
    """Numbers of promises that one query measures: all of them, but for those that are to be alone."""
    alone = [[number] for number, promise in enumerate(promises) if promise.alone]
    others = [number for number, promise in enumerate(promises) if not promise.alone]
    return [*([others] if others else []), *alone]


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    if not path.is_file():
        raise EvidenceMissing(
            f"Found no file at {path}; expected the {name} database. Do this: run the steps before it."
        )
    connection.execute(f"attach {_literal(str(path))} as {name} (read_only)")


def _lock_down(connection: duckdb.DuckDBPyConnection, version_folder: Path) -> None:
    """Give the candidate no more than a careful analyst would: its own folder, no network, no extensions."""
    connection.execute(f"set allowed_directories = [{_literal(str(version_folder))}]")
    connection.execute("set autoinstall_known_extensions = false")
    connection.execute("set autoload_known_extensions = false")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _audit(connection: duckdb.DuckDBPyConnection, published_dir: Path) -> None:
    """Look at each public table of the candidate once, under lock-down, into temp table `audited_tables`."""
    connection.execute(
        "create temp table audited_tables (table_name varchar, is_promised boolean, is_present boolean, "
        "unreadable_because varchar, rows bigint, warehouse_rows bigint, key_columns varchar, repeated_keys bigint, "
        "paths_in_view varchar[], columns varchar, warehouse_columns varchar, is_of_the_warehouse boolean)"
    )
    promised = PUBLISHED_TABLES | MADE_AT_PUBLICATION
    present, in_warehouse = _relations(connection, "published"), _relations(connection, "warehouse")
    views = _views(connection, "published")
    for table in sorted(present | set(promised)):
        key = promised.get(table)
        rows = repeated = warehouse_rows = error_text = None
        try:
            if table in views and table in MADE_AT_PUBLICATION:
                # Over all days: that it can be read is seen from one row, and its files were audited when they were made.
                connection.execute(f"select * from published.marts.{_quoted(table)} limit 1").fetchall()
            elif table in present:
                name = f"published.marts.{_quoted(table)}"
                rows = connection.execute(f"select count(*) from {name}").fetchone()[0]
                if key:
                    repeated = connection.execute(_repeated_keys(name, key)).fetchone()[0]
            if table in in_warehouse:
                name = f"warehouse.marts.{_quoted(table)}"
                warehouse_rows = connection.execute(f"select count(*) from {name}").fetchone()[0]
        except duckdb.Error as error:
            error_text = str(error)
        connection.execute(
            "insert into audited_tables values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                table,
                key is not None,
                table in present,
                error_text,
                rows,
                warehouse_rows,
                ", ".join(key or ()),
                repeated,
                _paths_in_view(connection, table, published_dir),
                _columns(connection, "published", table),
                _columns(connection, "warehouse", table),
                table not in MADE_AT_PUBLICATION,
            ],
        )


def _register(connection: duckdb.DuckDBPyConnection) -> None:
    """Temp table `registered_promises`: what the gates before this one had to judge."""
    connection.execute("create temp table registered_promises (step varchar, table_name varchar, check_name varchar)")
    connection.executemany(
        "insert into registered_promises values (?, ?, ?)",
        [
            (suite.step, suite.table, promise.check_name)
            for suite in SUITES.values()
            if suite.step not in {"published", "listings"}
            for promise in suite.promises
        ],
    )


def _relations(connection: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = $name and schema_name = 'marts' "
        "union all select view_name from duckdb_views() where database_name = $name and schema_name = 'marts'",
        {"name": database},
    ).fetchall()
    return {row[0] for row in rows}


def _views(connection: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    rows = connection.execute(
        "select view_name from duckdb_views() where database_name = ? and schema_name = 'marts'", [database]
    ).fetchall()
    return {row[0] for row in rows}


def _columns(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> str | None:
    """Names and types of a table's columns, in their order."""
    return connection.execute(
        "select string_agg(column_name || ' ' || lower(data_type), ', ' order by column_index) from duckdb_columns() "
        "where database_name = ? and schema_name = 'marts' and table_name = ?",
        [database, table],
    ).fetchone()[0]


def _repeated_keys(name: str, key: tuple[str, ...]) -> str:
    columns = ", ".join(_quoted(column) for column in key)
    whole = " and ".join(f"{_quoted(column)} is not null" for column in key)
    return f"select count(*) - count(distinct ({columns})) filter (where {whole}) from {name}"


def _paths_in_view(connection: duckdb.DuckDBPyConnection, view: str, published_dir: Path) -> list[str]:
    """Absolute paths in the view's SQL, but for those into the published versions: a view falls back to its own."""
    return connection.execute(
        r"""
        select list_filter(
            flatten(list(regexp_extract_all(
                -- what is joined on to another text ('…' || '/parquet/…') is not a path by itself
                regexp_replace(sql, '\|\|\s*''[^'']*''', '', 'g'),
                '''(/[^'']*|[A-Za-z]:\\[^'']*|[a-z0-9]+://[^'']*)''',
                1
            ))),
            lambda path: not starts_with(path, $versions)
        )
        from duckdb_views()
        where database_name = 'published' and schema_name = 'marts' and view_name = $view
        """,
        {"versions": f"{published_dir / 'versions'}/", "view": view},
    ).fetchone()[0]


def _show_published(connection: duckdb.DuckDBPyConnection, published_dir: Path) -> None:
    """Views `published_…` over dimensions of the version that readers see now; a column that it lacks is null."""
    for name, columns in PUBLISHED_COLUMNS.items():
        file = published_dir / "current" / "parquet" / f"dim_{name}.parquet"
        read = _nothing(columns)
        if file.is_file():
            read += f" union all by name select * from read_parquet({_literal(str(file))})"
        connection.execute(f"create temp view published_{name} as select {', '.join(columns)} from ({read})")


def _nothing(columns: Mapping[str, str]) -> str:
    return "select " + ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items()) + " where false"


def _days_published(published_dir: Path) -> set[date]:
    """The complete days of the version that readers see; none before the first one."""
    manifest = published_dir / "current" / "manifest.json"
    if not manifest.is_file():
        return set()
    days = json.loads(manifest.read_text(encoding="utf-8"))["snapshot_dates"]["complete"]
    return {date.fromisoformat(day) for day in days}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(value: Any) -> Any:
    """Numbers, booleans and null as they are; anything else as text of a bounded length."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
