"""The whole history of downloads by model and day, as a file a day that never changes: written once, then linked from version
to version together with its hash. Which rows a day has is for the warehouse; tables that are copied whole are `candidate`'s."""

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.publishing import checkpoint
from orchestration.publishing.current import Version, current_version, read_version, versions_dir
from orchestration.publishing.files import sha256_of
from orchestration.publishing.layout import MANIFEST_NAME, SCHEMA, quoted, text_literal
from orchestration.settings import Settings

# The table that the database itself holds: the same columns, the last 30 days.
RECENT = "fct_daily_model_downloads"
VIEW = "fct_daily_model_downloads_all_days"
FOLDER = f"parquet/{VIEW}"
READ_ONLY = 0o444
DESCRIPTION = (
    f"What {RECENT} holds, for all days since the first, not for the last 30 only: read from the Parquet files of the days, "
    f"which lie in {FOLDER}/ beside this database. Works where the version was published; after a move of its folder, say "
    "first: set variable observatory = '/where/the/folder/is/now'. One row per snapshot day and repository."
)


@dataclass(frozen=True)
class DayFile:
    """A day's file, as the manifest tells it: its rows, the sum of their downloads, and which version wrote it."""

    rows: int
    downloads: int
    bytes: int
    sha256: str
    written_by: str

    def as_plain(self) -> dict[str, Any]:
        return asdict(self)


Days = dict[str, DayFile]


def path_of(day: str) -> str:
    """The day's file, seen from the version's folder. `day` is an ISO date."""
    return f"{FOLDER}/{day}.parquet"


def days_of(version: Version) -> Days:
    """The day files of a published version; none if it was made before there were any."""
    told = version.manifest.get("day_files", {})
    files = version.manifest["files"]
    return {day: DayFile(**facts, **files[path_of(day)]) for day, facts in told.get("days", {}).items()}


def told_of(days: Days) -> dict[str, Any]:
    """For the manifest; bytes and sha256 of the files stand among its files."""
    return {
        "view": VIEW,
        "folder": FOLDER,
        "rows": sum(file.rows for file in days.values()),
        "days": {
            day: {"rows": file.rows, "downloads": file.downloads, "written_by": file.written_by}
            for day, file in days.items()
        },
    }


def taken_over(days: Days, version_id: str) -> dict[str, dict[str, Any]]:
    """Path, bytes and sha256 of the files that another version has written: their hashes are carried over, not made again."""
    return {
        path_of(day): {"bytes": file.bytes, "sha256": file.sha256}
        for day, file in days.items()
        if file.written_by != version_id
    }


def make_day_files(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    folder: Path,
    version_id: str,
    snapshot_dates: Sequence[date],
) -> Days:
    """A file for each calendar day of the warehouse: linked from the version before where its rows are the same, else written.

    `connection` sees the warehouse as `warehouse` and the candidate's tables in schema `marts`; `folder` is the candidate's.
    """
    (folder / FOLDER).mkdir(parents=True)
    days = [
        day.isoformat() for (day,) in connection.execute(f"select snapshot_date from {SCHEMA}.dim_snapshots").fetchall()
    ]
    before = _version_before(settings)
    unchanged = _unchanged(connection, before, snapshot_dates) if before else {}
    made = {day: file for day, file in unchanged.items() if day in days and _take_over(before, day, file, folder)}
    # What is written anew may be what somebody has already, as after a rebuild: then it is kept once.
    there = before or current_version(settings)
    for day in sorted(set(days) - made.keys()):
        made[day] = _write(connection, day, folder, version_id)
        known = days_of(there).get(day) if there else None
        if known is not None and known.sha256 == made[day].sha256 and _take_over(there, day, known, folder):
            made[day] = known
    return dict(sorted(made.items()))


def create_view(connection: duckdb.DuckDBPyConnection, settings: Settings, *, folder: Path, version_id: str) -> None:
    """The view over all days, in the current catalogue, described as the table of the last 30 is.

    It finds its files by the variable `observatory`, or else where the version is going to be published.
    """
    published = text_literal(str(versions_dir(settings) / version_id))
    name = f"{SCHEMA}.{VIEW}"
    # The files are not there yet: by the variable it binds to those of the candidate.
    connection.execute(f"set variable observatory = {text_literal(str(folder))}")
    connection.execute(
        f"create view {name} as select * from "
        f"read_parquet(coalesce(getvariable('observatory'), {published}) || '/{FOLDER}/*.parquet', hive_partitioning = false)"
    )
    connection.execute(f"comment on view {name} is {text_literal(DESCRIPTION)}")
    for column, comment in connection.execute(
        "select column_name, comment from duckdb_columns() "
        "where database_name = current_database() and schema_name = ? and table_name = ? and comment is not null",
        [SCHEMA, RECENT],
    ).fetchall():
        connection.execute(f"comment on column {name}.{quoted(column)} is {text_literal(comment)}")


def differences_of_days(
    connection: duckdb.DuckDBPyConnection, folder: Path, days: Mapping[str, DayFile], version_id: str
) -> list[str]:
    """What is wrong with the candidate's day files: all of those that it wrote are held against the warehouse, and the noted
    rows and downloads of the others against the table of the last 30 days. `connection` sees `warehouse` and `copy`."""
    found = {path.stem: path.stat().st_size for path in (folder / FOLDER).glob("*")}
    differences = [f"{FOLDER}: no file of {day}" for day in sorted(days.keys() - found.keys())]
    differences += [f"{FOLDER}: {day} is no day of it" for day in sorted(found.keys() - days.keys())]
    differences += [
        f"{FOLDER}: {day} has {found[day]} bytes, not {file.bytes}"
        for day, file in days.items()
        if day in found and found[day] != file.bytes
    ]
    if differences:
        return differences
    calendar = connection.execute(f"select snapshot_date from warehouse.{SCHEMA}.dim_snapshots").fetchall()
    if (expected := {day.isoformat() for (day,) in calendar}) != days.keys():
        return [f"{FOLDER}: files of {len(days)} days, not of the {len(expected)} of dim_snapshots"]
    for day, facts in _recent(connection, f"copy.{SCHEMA}.{RECENT}").items():
        noted = days.get(day)
        if noted is None or (noted.rows, noted.downloads) != facts:
            differences.append(f"{FOLDER}: {day} differs from {RECENT}")
    written = [day for day, file in days.items() if file.written_by == version_id]
    return differences + (_differences_of_written(connection, folder, written) if written else [])


def _version_before(settings: Settings) -> Version | None:
    """The version that holds the days as the warehouse did before this run, if it is still there."""
    version_id = checkpoint.version_before(settings)
    path = versions_dir(settings) / version_id if version_id else None
    return read_version(path) if path and (path / MANIFEST_NAME).is_file() else None


def _unchanged(connection: duckdb.DuckDBPyConnection, before: Version, snapshot_dates: Sequence[date]) -> Days:
    """The day files of the version before that still tell what the warehouse holds: none, where there is any doubt.

    A run about all complete days has loaded them all (`make rebuild`, in parts): the warehouse lists those of its last
    part only.
    """
    complete = connection.execute(
        f"select snapshot_date from {SCHEMA}.dim_snapshots where status = 'complete'"
    ).fetchall()
    there = before.manifest.get("columns", {}).get(VIEW)
    if {day for (day,) in complete} <= set(snapshot_dates) or there != _columns(connection):
        return {}
    restated = connection.execute(
        "select snapshot_date from warehouse.intermediate.int_days_restated where extent in ('wholly', 'openings')"
    ).fetchall()
    gone = {day.isoformat() for (day,) in restated}
    unchanged = {day: file for day, file in days_of(before).items() if day not in gone}
    recent = _recent(connection, f"{SCHEMA}.{RECENT}")
    if any((file.rows, file.downloads) != recent[day] for day, file in unchanged.items() if day in recent):
        return {}
    return unchanged


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() where database_name = current_database() "
            "and schema_name = ? and table_name = ? order by column_index",
            [SCHEMA, RECENT],
        ).fetchall()
    )


def _recent(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, tuple[int, int]]:
    """Rows and downloads of each day of the table."""
    rows = connection.execute(
        f"select snapshot_date, count(*), coalesce(sum(downloads), 0) from {table} group by snapshot_date"
    ).fetchall()
    return {day.isoformat(): (count, int(downloads)) for day, count, downloads in rows}


def _take_over(before: Version, day: str, file: DayFile, folder: Path) -> bool:
    """Link the day's file into the folder, or copy it where links are refused; False if it isn't what it was."""
    source, target = before.path / path_of(day), folder / path_of(day)
    if not source.is_file() or source.stat().st_size != file.bytes:
        return False
    taken = target.with_suffix(".taken")
    try:
        os.link(source, taken)
    except OSError:
        # Another file system, or one without links. Bytes that were read and written again are not taken on trust.
        shutil.copyfile(source, taken)
        if sha256_of(taken) != file.sha256:
            taken.unlink()
            return False
        taken.chmod(READ_ONLY)
    os.replace(taken, target)
    return True


def _write(connection: duckdb.DuckDBPyConnection, day: str, folder: Path, version_id: str) -> DayFile:
    path = folder / path_of(day)
    path.unlink(missing_ok=True)
    connection.execute(
        f"copy ({_rows_of(connection, [day])} order by downloads.snapshot_date, repositories.repo_id) "
        f"to {text_literal(str(path))} (format parquet, compression zstd)"
    )
    # One file under many names: what is written into one version would be written into all.
    path.chmod(READ_ONLY)
    rows, downloads = connection.execute(
        f"select count(*), coalesce(sum(downloads), 0) from {_files([path])}"
    ).fetchone()
    return DayFile(rows, int(downloads), path.stat().st_size, sha256_of(path), version_id)


def _rows_of(connection: duckdb.DuckDBPyConnection, days: Collection[str]) -> str:
    """A query for the days' rows in the warehouse, under the columns of the published table."""
    names = [
        name
        for (name,) in connection.execute(
            "select column_name from duckdb_columns() "
            f"where database_name = 'warehouse' and schema_name = '{SCHEMA}' and table_name = '{RECENT}' order by column_index"
        ).fetchall()
    ]
    listed = ", ".join(f"date '{day}'" for day in days)
    columns = ", ".join(f"{'repositories' if name == 'repo_id' else 'downloads'}.{quoted(name)}" for name in names)
    return (
        f"select {columns} from warehouse.intermediate.int_model_downloads_daily as downloads "
        "inner join warehouse.intermediate.int_repositories_keyed as repositories "
        f"on downloads.repo_key = repositories.repo_key where downloads.snapshot_date in ({listed})"
    )


def _files(paths: Collection[Path]) -> str:
    listed = ", ".join(text_literal(str(path)) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false)"


def _differences_of_written(connection: duckdb.DuckDBPyConnection, folder: Path, written: Sequence[str]) -> list[str]:
    """Days whose rows in file and warehouse are not the same, by their number and by a hash over all of their values."""
    files = f"select * from {_files([folder / path_of(day) for day in written])}"
    try:
        found, expected = (
            dict(
                (day, facts)
                for day, *facts in connection.execute(
                    "select facts.snapshot_date, count(*), sum(hash(facts)), bit_xor(hash(facts)) "
                    f"from ({query}) as facts group by facts.snapshot_date"
                ).fetchall()
            )
            for query in (files, _rows_of(connection, written))
        )
    except duckdb.Error as error:
        return [f"{FOLDER}: a file can't be read: {error}"]
    return [
        f"{FOLDER}: {day} differs from the warehouse"
        for day in sorted(found.keys() | expected.keys())
        if found.get(day) != expected.get(day)
    ]
