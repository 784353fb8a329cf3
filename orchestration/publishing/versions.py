"""From an audited candidate to the version that everyone sees: manifest, hashes, one rename, one swap, then pruning.
In this order a crash at any instant leaves the last good version current; what the data must satisfy is the gates'."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.publishing.candidate import STORAGE_VERSION, Candidate, note_path
from orchestration.publishing.changes import changes_since
from orchestration.publishing.citation import citation_file, citation_of
from orchestration.publishing.current import (
    Version,
    current_version,
    point_current_at,
    published_versions,
    publishing_lock,
    read_version,
    version_ids,
    versions_dir,
)
from orchestration.publishing.day_files import READ_ONLY, taken_over, told_of
from orchestration.publishing.errors import PublishRefused, VersionDamaged, VersionExists
from orchestration.publishing.files import files_below, read_json, sha256_of, sync_path, sync_tree, write_json
from orchestration.publishing.layout import CITATION_NAME, MANIFEST_NAME, SCHEMA, SCHEMA_NAME
from orchestration.publishing.licences import data_licences, licence_of_all
from orchestration.publishing.quality_facts import days_told, flagged_promises, verdicts_of
from orchestration.publishing.restatements import keep_organizations_of_history, summary_of
from orchestration.publishing.status import write_status_locked
from orchestration.quality.score import SCORE_MEANS, is_broken, score_of, scores_by_day_and_step
from orchestration.settings import PROJECT_ROOT, Settings

# Analysts open files of a version lazily: it stays this long after it stopped being current (2026-11-24: a working day
# and a night, so that a query started yesterday still ends).
RETIRED_FOR = timedelta(hours=24)
# A candidate that no run has touched for this long was left behind by a crash.
ABANDONED_AFTER = timedelta(hours=24)
# What a manifest holds, for programs that read it; every version has it beside its own.
MANIFEST_SCHEMA = Path(__file__).with_name(SCHEMA_NAME)


def publish_candidate(
    settings: Settings,
    candidate: Candidate,
    *,
    quality: Sequence[Mapping[str, Any]],
    at: datetime | None = None,
    set_aside: Mapping[date, str] | None = None,
) -> Version:
    """Make the candidate the current version, prune old ones, and write `status.json`.

    `quality` are the results of the suite on the candidate itself (fields of a check result); none, or a blocking
    failure among them, is refused. `at` is the time of publication, UTC, now by default;
    `set_aside` are the days of the same range that did not get this far, each with the reason, for `status.json`.
    Publishing the same contents
    under the same id again changes nothing. Raises `PublishRefused`, `VersionExists`, `VersionDamaged` and
    `PublisherBusy`.
    """
    at = at or datetime.now(UTC)
    refuse_unchecked(quality)
    with publishing_lock(settings):
        empty_trash(settings)
        version = finished_earlier(settings, candidate) or move_into_versions(settings, candidate, quality, at)
        current = current_version(settings)
        if current is None or current.version_id != version.version_id:
            point_current_at(settings, version.version_id)
        prune(settings, at)
        write_status_locked(
            settings,
            state="published",
            attempted_dates=candidate.snapshot_dates,
            step=None,
            reason=None,
            run_id=candidate.run_id,
            at=at,
            set_aside=set_aside,
        )
        note_path(settings, candidate.version_id).unlink(missing_ok=True)
    return version


def refuse_unchecked(quality: Sequence[Mapping[str, Any]]) -> None:
    if not quality:
        raise PublishRefused(
            found="a candidate without a single check on it",
            expected="the results of the suite on the published step",
            do_this="run the gate `published` on the candidate's database and pass its results",
        )
    stopped = [result for result in quality if result["blocking"] and is_broken(result)]
    if stopped:
        named = ", ".join(f"{result['table_name']}.{result['check_name']}" for result in stopped[:10])
        raise PublishRefused(
            found=f"{len(stopped)} blocking checks that failed on the candidate: {named}",
            expected="none",
            do_this="read their observed values in the run's checks, mend the cause, and run the day again",
        )


def finished_earlier(settings: Settings, candidate: Candidate) -> Version | None:
    """The version of this id and contents, if an earlier run got as far as its rename; the copy is then dropped."""
    path = versions_dir(settings) / candidate.version_id
    if not path.exists():
        return None
    version = read_version(path)
    trusted = taken_over(candidate.days, candidate.version_id)
    verify_hashes(version.path, trusted)
    was_moved_here = not candidate.path.exists() and version.manifest["run_id"] == candidate.run_id
    if not was_moved_here and contents_of(version.path, trusted) != contents_of(candidate.path, trusted):
        raise VersionExists(
            found=f"version {candidate.version_id} published already, with other contents",
            expected="a new id for new contents: versions never change",
            do_this="build the candidate again under another version id",
        )
    if version.version_id in retired_versions(settings):
        raise VersionExists(
            found=f"version {candidate.version_id} published earlier and replaced since",
            expected="a new id: publishing it again would take analysts back",
            do_this="build the candidate again under another version id",
        )
    if not was_moved_here:
        shutil.rmtree(candidate.path)
    return version


def contents_of(path: Path, trusted: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Hash of each table's Parquet files: rows are written in a fixed order, so equal tables have equal files."""
    return {name: facts["sha256"] for name, facts in files_of(path, trusted).items() if name.startswith("parquet/")}


def files_of(path: Path, trusted: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Bytes and sha256 of all files in a version's folder but its manifest; the hashes of `trusted` ones are not made anew."""
    found = {}
    for file in files_below(path):
        name, size = str(file.relative_to(path)), file.stat().st_size
        known = trusted.get(name)
        if name != MANIFEST_NAME:
            hash_ = known["sha256"] if known and known["bytes"] == size else sha256_of(file)
            found[name] = {"bytes": size, "sha256": hash_}
    return found


def move_into_versions(
    settings: Settings, candidate: Candidate, quality: Sequence[Mapping[str, Any]], at: datetime
) -> Version:
    if not candidate.path.is_dir():
        raise PublishRefused(
            found=f"no candidate {candidate.version_id}",
            expected="the folder that build_candidate made",
            do_this="build the candidate again",
        )
    before = current_version(settings)
    trusted = taken_over(candidate.days, candidate.version_id)
    keep_organizations_of_history(candidate, before)
    shutil.copyfile(MANIFEST_SCHEMA, candidate.path / SCHEMA_NAME)
    # Whoever opens it without saying read-only would lock all others out, and could change what they read.
    candidate.database.chmod(READ_ONLY)
    manifest = manifest_of(candidate, quality, at, before, settings.keep_versions)
    (candidate.path / CITATION_NAME).write_text(citation_file(manifest), encoding="utf-8")
    write_json(candidate.path / MANIFEST_NAME, manifest | {"files": files_of(candidate.path, trusted)})
    verify_hashes(candidate.path, trusted)
    sync_tree(candidate.path, but_not={candidate.path / name for name in trusted})
    target = versions_dir(settings) / candidate.version_id
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(candidate.path, target)
    sync_path(target.parent)
    return read_version(target)


def verify_hashes(path: Path, trusted: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Compare a folder with its manifest: the same files, each with its bytes and sha256. Raises `VersionDamaged`.

    Of `trusted` files, day files that an earlier publication has hashed, only the bytes are counted: a year of them is
    gigabytes, and a publisher holds the lock meanwhile. Nothing is trusted by default.
    """
    manifest = read_version(path).manifest
    found = files_of(path, trusted or {})
    expected = manifest["files"]
    different = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if different:
        raise VersionDamaged(
            found=f"files of {path.name} that differ from its manifest: {', '.join(different[:10])}",
            expected="every file as it was when the manifest was written",
            do_this="publish again under a new version id, and look at what else writes there",
        )


def manifest_of(
    candidate: Candidate, quality: Sequence[Mapping[str, Any]], at: datetime, before: Version | None, keep_versions: int
) -> dict[str, Any]:
    """Everything that a reader of the folder needs to trust or to cite it, but for `files`; manifest.schema.json says what."""
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        days = rows_of(connection, f"select snapshot_date, status, is_simulated from {SCHEMA}.dim_snapshots order by 1")
        licences = data_licences(connection)
        verdicts = verdicts_of(connection, days_told(connection, candidate.snapshot_dates), quality)
        columns = columns_of(connection)
    complete = [day["snapshot_date"].isoformat() for day in days if day["status"] == "complete"]
    snapshot_dates = {
        "first": complete[0] if complete else None,
        "last": complete[-1] if complete else None,
        "complete": complete,
        "not_complete": [day["snapshot_date"].isoformat() for day in days if day["status"] != "complete"],
        "added_by_run": [day.isoformat() for day in candidate.snapshot_dates],
    }
    is_simulated, licence = any(day["is_simulated"] for day in days), licence_of_all(licences)
    return {
        "$schema": SCHEMA_NAME,
        "version": candidate.version_id,
        "previous_version": before.version_id if before else None,
        "created_at": at.isoformat(),
        "run_id": candidate.run_id,
        "git_revision": git_revision(),
        "duckdb_version": duckdb.__version__,
        "storage_version": STORAGE_VERSION,
        "cite": citation_of(candidate.version_id, at.date(), snapshot_dates, licence, is_simulated),
        "retention": retention(at, keep_versions),
        "snapshot_dates": snapshot_dates,
        "is_simulated": is_simulated,
        "simulation_note": candidate.simulation_note,
        "data_licence": licence,
        "data_licences": licences,
        "quality": quality_summary(verdicts, quality),
        "changes": changes_since(before, candidate, columns, complete),
        "restatements": summary_of(candidate, before),
        "tables": {
            table: {"rows": rows, "parquet": f"parquet/{table}.parquet"} for table, rows in candidate.tables.items()
        },
        "columns": columns,
        "day_files": told_of(candidate.days),
    }


def columns_of(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """DuckDB's type of each column by table, views among them, in the columns' order."""
    columns: dict[str, dict[str, str]] = {}
    for row in rows_of(connection, COLUMNS, {"schema": SCHEMA}):
        columns.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
    return columns


COLUMNS = """
    select table_name, column_name, data_type
    from duckdb_columns()
    where database_name = current_database()
        and schema_name = $schema
    order by table_name, column_index
"""


def retention(at: datetime, keep_versions: int) -> dict[str, Any]:
    """How long the version stays. When it is replaced nobody knows yet: it is promised from its own publication on."""
    hours = round(RETIRED_FOR.total_seconds() / 3600)
    return {
        "stays_until": (at + RETIRED_FOR).isoformat(),
        "keep_versions": keep_versions,
        "hours_after_replaced": hours,
        "rule": f"It stays while it is current, for at least {hours} hours after that (so until stays_until, whatever happens), "
        f"and longer while it is among the newest {keep_versions}. Its id is never given to another one.",
    }


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict | None = None) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, parameters or {})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def quality_summary(verdicts: Sequence[Mapping[str, Any]], published: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The score of the promises about the days that a version answers for, in parts, and what was published though broken.

    The verdicts on the candidate are told one by one as well: SQL shows them one version later.
    """
    whole = score_of(verdicts)
    evaluated = Counter(verdict["step"] for verdict in verdicts)
    broken = Counter(verdict["step"] for verdict in verdicts if is_broken(verdict))
    return {
        "score": whole.score,
        "score_means": SCORE_MEANS,
        "scores": [
            {"snapshot_date": day.isoformat(), "step": step, **score.as_plain()}
            for (day, step), score in scores_by_day_and_step(verdicts).items()
        ],
        "checks": whole.promises,
        "passed": whole.kept,
        "failed": whole.broken,
        "accepted_for_an_event": whole.accepted,
        "crashed": whole.crashed,
        "steps": {step: {"checks": evaluated[step], "failed": broken[step]} for step in sorted(evaluated)},
        "flagged": [
            {name: plain(verdict[name]) for name in FLAGGED} | {"days": [day.isoformat() for day in verdict["days"]]}
            for verdict in flagged_promises(verdicts)
        ],
        "published": [{name: plain(value) for name, value in result.items()} for result in published],
    }


FLAGGED = (
    "step",
    "table_name",
    "check_name",
    "severity",
    "owner",
    "crashed",
    "observed",
    "threshold",
    "basis",
    "reason",
)


def plain(value: Any) -> bool | int | float | str | None:
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def git_revision() -> str:
    """Commit of the code, with `-dirty` if it was changed since; 'unknown' outside a repository or without git."""
    if not (PROJECT_ROOT / ".git").exists():
        return "unknown"
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        described = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=10, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return "unknown"
    return described.stdout.strip() or "unknown"


def prune(settings: Settings, at: datetime) -> list[str]:
    """Remove versions beyond `keep_versions`, oldest first; never the current one, nor one retired within a day."""
    versions = published_versions(settings)
    retired = note_retired(settings, at)
    removed = [
        version.version_id
        for version in versions[settings.keep_versions :]
        if version.version_id in retired and at - datetime.fromisoformat(retired[version.version_id]) >= RETIRED_FOR
    ]
    for version_id in removed:
        # Renamed first: a crash half-way through the removal must not leave half a version in its place.
        os.rename(versions_dir(settings) / version_id, trash_dir(settings) / version_id)
    remove_abandoned_candidates(settings, at)
    empty_trash(settings)
    return removed


def note_retired(settings: Settings, at: datetime) -> dict[str, str]:
    """Write down which versions are not current, each with when that was first seen; give it.

    One that is current again is no longer among them.
    """
    current, known = current_version(settings), retired_versions(settings)
    retired = {
        version_id: known.get(version_id, at.isoformat())
        for version_id in version_ids(settings)
        if current and version_id != current.version_id
    }
    write_json(settings.published_dir / "retired.json", retired)
    return retired


def retired_versions(settings: Settings) -> dict[str, str]:
    """When each version was first seen not to be current any more, ISO time by version id."""
    return read_json(settings.published_dir / "retired.json") or {}


def remove_abandoned_candidates(settings: Settings, at: datetime) -> None:
    folder = settings.published_dir / "_candidates"
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if at - datetime.fromtimestamp(path.stat().st_mtime, UTC) >= ABANDONED_AFTER:
            os.rename(path, trash_dir(settings) / f"candidate-{path.name}")


def trash_dir(settings: Settings) -> Path:
    return settings.published_dir / "_trash"


def empty_trash(settings: Settings) -> None:
    """Remove what a prune has put aside, also one that a crash cut short."""
    shutil.rmtree(trash_dir(settings), ignore_errors=True)
    trash_dir(settings).mkdir(parents=True)
