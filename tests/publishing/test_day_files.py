"""Day files are written once and then shared by all versions, and each version's say what the warehouse said then.
What the warehouse says of late days is for `tests/oracle`; here it is told, by the days that a run lists as restated."""

import os
import shutil
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest

from orchestration.publishing import (
    AuditFailed,
    audit_candidate,
    build_candidate,
    checkpoint,
    publish_candidate,
    roll_back,
)
from orchestration.publishing import files as durable
from orchestration.publishing import versions as versions_module
from orchestration.publishing.day_files import FOLDER, VIEW, path_of
from orchestration.publishing.versions import prune, verify_hashes

from .days_held import differing_days, inodes
from .warehouse import PASSED, Contents, write_warehouse

FIRST = date(2026, 10, 6)
DAYS = [FIRST + timedelta(days=number) for number in range(9)]
NAMES = [str(day) for day in DAYS]
SMALL = Contents(first_day=FIRST, days=4, missing=(), events={}, is_lean=True)


@pytest.fixture
def run(settings):
    """A run as the daily job makes it: checkpoint, warehouse, candidate, version; `published=False` stops before the last."""
    numbers = iter(range(1, 100))

    def run(contents: Contents, *, loaded, attempts: int = 1, published: bool = True):
        number = next(numbers)
        for attempt in range(attempts):
            checkpoint.begin(settings, owner=f"run-{number}", run_id=f"run-{number}-{attempt}")
        write_warehouse(settings.warehouse_path, contents)
        if not published:
            return None
        candidate = build_candidate(settings, version_id=f"v{number}", run_id=f"run-{number}-0", snapshot_dates=loaded)
        version = publish_candidate(settings, candidate, quality=[PASSED])
        checkpoint.commit(settings, version)
        return version

    return run


def shared(one, other) -> list[str]:
    """Days of which both versions have the very same file."""
    there = inodes(other.path)
    return sorted(day for day, inode in inodes(one.path).items() if there.get(day) == inode)


def with_days(days: int, restated, **more) -> Contents:
    return replace(SMALL, days=days, restated=restated, **more)


def test_late_days_a_block_a_rollback_and_a_rebuild_leave_each_day_as_the_warehouse_has_it(settings, run):
    first = run(with_days(4, None), loaded=DAYS[:4])
    assert differing_days(settings) == []
    assert sorted(inodes(first.path)) == NAMES[:4]

    usual = run(with_days(5, [DAYS[4]]), loaded=[DAYS[4]])
    assert differing_days(settings) == []
    assert shared(first, usual) == NAMES[:4]

    # day 2 comes late; day 4 is written again as well, and comes out as it was: it stays the file that everyone has
    moved = {DAYS[2]: 5}
    late = run(with_days(5, [DAYS[2], DAYS[4]], downloads_plus=moved), loaded=[DAYS[2]])
    assert differing_days(settings) == []
    assert shared(usual, late) == [name for name in NAMES[:5] if name != NAMES[2]]
    assert late.manifest["day_files"]["days"][NAMES[2]]["written_by"] == "v3"
    assert late.manifest["changes"]["day_files"] == [NAMES[2]]

    # a gate stops a run that had changed day 0: nothing of it is in the next one
    run(with_days(6, [DAYS[0], DAYS[5]], downloads_plus=moved | {DAYS[0]: 9}), loaded=[DAYS[5]], published=False)
    after_block = run(with_days(6, [DAYS[5]], downloads_plus=moved), loaded=[DAYS[5]])
    assert differing_days(settings) == []
    assert shared(late, after_block) == NAMES[:5]

    # analysts are taken back to before the late day; the warehouse still has it
    roll_back(settings, "v2")
    after_rollback = run(with_days(7, [DAYS[6]], downloads_plus=moved), loaded=[DAYS[6]])
    assert differing_days(settings) == []
    assert shared(after_block, after_rollback) == NAMES[:6]
    assert differing_days(settings, after_rollback.path) == []

    # a rebuild loads all in parts and lists the last part only; a rule has changed day 1
    moved |= {DAYS[1]: 3}
    rebuilt = run(with_days(7, [DAYS[6]], downloads_plus=moved), loaded=DAYS[:7])
    assert differing_days(settings) == []
    assert shared(after_rollback, rebuilt) == [name for name in NAMES[:7] if name != NAMES[1]]
    for version in (first, usual, late, after_block, after_rollback, rebuilt):
        verify_hashes(version.path)


@pytest.mark.parametrize("doubt", ["retry", "no version", "warehouse put back", "nothing noted", "numbers differ"])
def test_where_there_is_any_doubt_all_days_are_written_anew(settings, run, doubt):
    """Each case changes day 0 and says nothing of it, as something that went by the lists would not notice."""
    before = run(with_days(4, None), loaded=DAYS[:4])
    attempts = 2 if doubt == "retry" else 1
    if doubt == "no version":
        shutil.rmtree(before.path)
        settings.published_dir.joinpath("current").unlink()
    elif doubt == "warehouse put back":
        os.utime(settings.warehouse_path, ns=(1, 1))
    elif doubt == "nothing noted":
        checkpoint.commit(settings)
    after = run(with_days(5, [DAYS[4]], downloads_plus={DAYS[0]: 9}), loaded=[DAYS[4]], attempts=attempts)
    assert differing_days(settings) == []
    if doubt != "no version":
        assert shared(before, after) == NAMES[1:4]  # what came out the same is kept once


def test_days_beyond_the_published_table_are_taken_over_without_looking_at_them(settings, run):
    """History is not read again: the warehouse's is spoilt behind the run's back, and nobody notices."""
    first = run(with_days(5, None, recent_days=2), loaded=DAYS[:5])
    second = run(with_days(6, [DAYS[5]], recent_days=2, downloads_plus={FIRST: 1}), loaded=[DAYS[5]])
    assert shared(first, second) == NAMES[:5]
    assert NAMES[0] in differing_days(settings)


def test_a_file_system_without_links_gets_copies(settings, run, monkeypatch):
    before = run(with_days(4, None), loaded=DAYS[:4])

    def refuse(*_, **__):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    after = run(with_days(5, [DAYS[4]]), loaded=[DAYS[4]])
    assert shared(before, after) == []
    assert differing_days(settings) == []
    assert [file["written_by"] for file in after.manifest["day_files"]["days"].values()] == ["v1"] * 4 + ["v2"]
    # a copy is looked at: one that a disk has spoilt is written anew
    path = after.path / path_of(NAMES[0])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    last = run(with_days(6, [DAYS[5]]), loaded=[DAYS[5]])
    assert differing_days(settings) == []
    assert last.manifest["day_files"]["days"][NAMES[0]]["written_by"] == "v3"


def test_publishing_hashes_no_file_that_it_did_not_write(settings, run, monkeypatch):
    run(with_days(4, None), loaded=DAYS[:4])
    hashed = []

    def noted(path):
        hashed.append(path.name)
        return durable.sha256_of(path)

    monkeypatch.setattr(versions_module, "sha256_of", noted)
    monkeypatch.setattr("orchestration.publishing.day_files.sha256_of", noted)
    version = run(with_days(5, [DAYS[4]]), loaded=[DAYS[4]])
    assert {name for name in hashed if name.startswith("2026-")} == {f"{NAMES[4]}.parquet"}
    monkeypatch.undo()
    verify_hashes(version.path)


def test_a_rollback_looks_at_shared_files_too(settings, run):
    first = run(with_days(4, None), loaded=DAYS[:4])
    run(with_days(5, [DAYS[4]]), loaded=[DAYS[4]])
    path = first.path / path_of(NAMES[1])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(versions_module.VersionDamaged, match=NAMES[1]):
        roll_back(settings, "v1")


def test_pruning_a_version_leaves_the_others_whole(settings, run):
    """Two are kept."""
    first = run(with_days(4, None), loaded=DAYS[:4])
    others = [run(with_days(days, [DAYS[days - 1]]), loaded=[DAYS[days - 1]]) for days in (5, 6)]
    assert shared(first, others[-1]) == NAMES[:4]
    assert prune(settings, others[-1].created_at + timedelta(days=2)) == ["v1"]
    assert not first.path.exists()
    for version in others:
        verify_hashes(version.path)
    assert differing_days(settings) == []


@pytest.mark.parametrize("harm", ["changed", "cut short", "lost", "too many"])
def test_audit_finds_a_day_file_that_differs(settings, candidate, harm):
    audit_candidate(settings, candidate)
    path = candidate.path / path_of("2026-10-08")
    path.chmod(0o644)
    if harm == "changed":
        noted = candidate.days["2026-10-08"]
        duckdb.execute(
            f"copy (select * replace (downloads + (case when repo_id like '%01' then 1 when repo_id like '%02' then -1 else 0 "
            f"end) as downloads) from '{path}') to '{path}.x' (format parquet, compression zstd)"
        )
        path.with_suffix(".parquet.x").rename(path)
        candidate.days["2026-10-08"] = replace(noted, bytes=path.stat().st_size)
    elif harm == "cut short":
        path.write_bytes(path.read_bytes()[:100])
    elif harm == "lost":
        path.unlink()
    else:
        shutil.copy(path, candidate.path / path_of("2026-12-24"))
    with pytest.raises(AuditFailed, match=f"{FOLDER}: (no file of )?2026-1"):
        audit_candidate(settings, candidate)


def test_the_file_alone_works_wherever_it_is_put_and_the_folder_after_one_line(settings, warehouse, publish, tmp_path):
    version = publish("v1")
    whole = f"select count(*), sum(downloads) from marts.{VIEW}"
    with duckdb.connect(str(version.database), read_only=True) as connection:
        in_place = connection.execute(whole).fetchone()
    assert in_place[0] == 200 * len(warehouse.calendar)

    alone = tmp_path / "elsewhere" / "alone.duckdb"
    alone.parent.mkdir()
    shutil.copy(version.database, alone)
    moved = tmp_path / "elsewhere" / "it's moved"
    shutil.move(settings.published_dir, tmp_path / "gone")
    shutil.copytree(tmp_path / "gone" / "versions" / "v1", moved)
    with duckdb.connect(str(alone), read_only=True) as connection:
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts'"
        ).fetchall():
            connection.execute(f"select * from marts.{table}").fetchall()
        with pytest.raises(duckdb.IOException, match="No files found"):
            connection.execute(whole)
    with duckdb.connect(str(moved / "observatory.duckdb"), read_only=True) as connection:
        connection.execute(f"set variable observatory = '{str(moved).replace(chr(39), chr(39) * 2)}'")
        assert connection.execute(whole).fetchone() == in_place
        # filters reach the files: one day of them
        one = f"select count(*) from marts.{VIEW} where snapshot_date = date '{warehouse.last_day}'"
        assert connection.execute(one).fetchone() == (200,)


def test_the_view_is_described_as_the_table_of_the_last_days_is(candidate):
    sql = "select column_name, data_type, comment from duckdb_columns() where table_name = ? order by column_index"
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        of_view, of_table = (connection.execute(sql, [name]).fetchall() for name in (VIEW, "fct_daily_model_downloads"))
        (comment,) = connection.execute("select comment from duckdb_views() where view_name = ?", [VIEW]).fetchone()
    assert of_view == of_table
    assert "One row per snapshot day and repository." in comment
    text = (candidate.path / "DICTIONARY.md").read_text()
    assert f"## {VIEW}\n" in text
