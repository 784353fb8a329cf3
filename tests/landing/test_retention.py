"""Old days thinned: nothing that history needs is lost, nothing unread is touched, and no crash leaves less than a day."""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.hub.errors import ObservatoryError
from orchestration.hub.listings import MODELS
from orchestration.landing import DayLocked, land_models, retention
from orchestration.landing.archive import DOWNLOADS
from orchestration.landing.folders import MANIFEST, DayFolder, landed_days, write_json, write_parquet
from orchestration.landing.retention import (
    DROPPED_COLUMNS,
    KEPT_TAG_PATTERNS,
    KEPT_TAGS,
    LEFTOVERS_KEPT,
    leftovers,
    plan,
    repair,
    thin,
)
from orchestration.publishing import build_candidate, publish_candidate
from orchestration.publishing.current import point_current_at, versions_dir
from orchestration.quality import run_gate
from orchestration.settings import PROJECT_ROOT, Settings
from tests.dbt.built_warehouse import Warehouse
from tests.dbt.landing_days import captured_at, day_models, land_day, model
from tests.landing.landed import read_day
from tests.publishing.warehouse import PASSED, write_warehouse
from tests.real_days import write_real_days

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, OLDER = date(2026, 9, 2), date(2026, 9, 1)
STAGING = sorted((PROJECT_ROOT / "dbt_project" / "models" / "staging" / "hub").glob("*.sql"))

HOSTILE_TAGS = [
    ["en", "base_model:a/b", "base_model:quantized:a/b", "region:us", "license:MIT", "license:mit", "dataset:x/y"],
    ["base-model:a/b", "Base_model:a/b", " license:mit", "licence:mit", "LICENSE:MIT", "license:", "base_model:"],
    ["base_model:a\nb/c", "license:Größe", "license:\U0001f600", "%", "_", "'", "base_model:finetune:a'b/c"],
    ["GGUF", "gguf ", "ggufs", "moe", "MoE", "x" * 100_000],
    ["same", "gguf", "same", "gguf"],
    [],
    None,
]


def hostile_models() -> list[dict]:
    """Rows whose tags, lists and nulls are at the edge of each rule, and one for each tag that is kept."""
    tags = [*HOSTILE_TAGS, *([f"{word}x", word, f"x{word}"] for word in KEPT_TAGS)]
    rows = [
        model(f"hostile/m{number}", 1000 + number, "2026-08-20", number, 10 * number, tags=listed)
        for number, listed in enumerate(tags)
    ]
    rows[0] |= {"cast_errors": ["likes"], "likes": None, "pipeline_tag": "text-generation", "safetensors_total": 2**62}
    rows[1] |= {"baseModels": {"relation": None, "models": []}, "gated": None, "trendingScore": 0.7000000000000001}
    rows[2] |= {"baseModels": {"relation": "merge", "models": [{"_id": None, "id": "a/b"}, {"_id": "", "id": "c/d"}]}}
    rows[3] |= {"private": True, "author": None}
    rows[4] |= {"lastModified": None, "createdAt": None, "downloads": None, "downloadsAllTime": None}
    return rows


def rows_of(day: date) -> list[dict]:
    rows = [*day_models(day), *hostile_models()]
    return [
        row
        | {"sha": f"{number:040x}", "extra": '{"a":1}', "captured_at": captured_at(day), "fetched_at": captured_at(day)}
        for number, row in enumerate(sorted(rows, key=lambda row: row["_id"]))
    ]


def land(
    settings: Settings, day: date, rows: list[dict] | None = None, *, parts: int = 3, revision: int = 1
) -> DayFolder:
    """Land a day as the extraction does, in several files."""
    folder = DayFolder(settings.landing_dir, "models", day)
    table = pa.Table.from_pylist(rows_of(day) if rows is None else rows, schema=MODELS.schema)
    folder.start_over()
    size = -(-table.num_rows // parts) or 1
    written = [
        write_parquet(folder.work / f"part-{part:05d}.parquet", table.slice(part * size, size)) for part in range(parts)
    ]
    manifest = {
        "listing": "models",
        "snapshot_date": day,
        "revision": revision,
        "is_simulated": True,
        "rows": table.num_rows,
        "bytes": sum(part["bytes"] for part in written),
        "source": "hub_api",
        "source_revision": "api",
        "source_license": "made up",
        "captured_at": captured_at(day),
        "counters_date": day,
        "downloads_all_time": 1,
        "last_id": table["_id"][-1].as_py() if table.num_rows else None,
        "parts": written,
    }
    write_json(folder.work / MANIFEST, manifest)
    folder.put_in_place(revision)
    return folder


def publish(settings: Settings, *days: date, version: str = "v1", created_at: datetime = AT) -> None:
    """A current version whose manifest holds these days; that real ones are written so, a test of its own says."""
    document = {"created_at": created_at, "snapshot_dates": {"complete": [day.isoformat() for day in days]}}
    write_json(versions_dir(settings) / version / "manifest.json", document)
    point_current_at(settings, version)


def state_of(folder: Path) -> dict[str, tuple]:
    """Each file below with what changes whenever it is written again."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path / "home", keep_full_days=1, hub_endpoint="http://127.0.0.1:9", hf_token=None)


@pytest.fixture
def due(settings) -> DayFolder:
    """A day that is to be thinned, and its full table beside it as `full` in the test's own hands."""
    land(settings, OLDER, rows_of(OLDER)[:5])
    folder = land(settings, OLD)
    land(settings, date(2026, 10, 6), rows_of(OLD)[:5])
    publish(settings, OLDER, OLD)
    return folder


# --- which days ------------------------------------------------------------------------------------------


def test_the_plan_gives_a_reason_for_each_day(tmp_path):
    settings = Settings(home=tmp_path / "home", keep_full_days=2, hf_token=None)
    days = [date(2026, 8, 30), date(2026, 8, 31), OLDER, OLD, date(2026, 9, 3), date(2026, 9, 4)]
    days += [date(2026, 9, 5), date(2026, 9, 6)]
    for day in days:
        land(settings, day, rows_of(OLD)[:3], parts=1, revision=2 if day.day == 4 else 1)
    publish(settings, *days[:4], *days[5:])
    thinned = json.loads((DayFolder(settings.landing_dir, "models", days[1]).landed / MANIFEST).read_text())
    write_json(DayFolder(settings.landing_dir, "models", days[1]).landed / MANIFEST, thinned | {"thinned": {}})
    assert [(item.snapshot_date.isoformat(), item.is_due, item.reason) for item in plan(settings)] == [
        ("2026-08-30", False, "the first landed day of 2026-08"),
        ("2026-08-31", False, "thinned already"),
        ("2026-09-01", False, "the first landed day of 2026-09"),
        ("2026-09-02", True, "read by v1 and older than what stays full"),
        ("2026-09-03", False, "not in the published version v1, so it may not have been read yet"),
        ("2026-09-04", False, "landed again as revision 2, which may not have been read yet"),
        ("2026-09-05", False, "one of the last 2 landed days"),
        ("2026-09-06", False, "one of the last 2 landed days"),
    ]


def test_an_empty_landing_has_nothing_to_thin(settings):
    assert plan(settings) == []
    assert thin(settings, at=AT).thinned == ()


def test_without_a_published_version_nothing_is_touched(settings, due):
    shutil.rmtree(settings.published_dir)
    before = state_of(settings.landing_dir)
    retained = thin(settings, at=AT)
    assert (retained.thinned, retained.kept_full, retained.bytes_before) == ((), 3, 0)
    assert state_of(settings.landing_dir) == before
    assert "nothing is published" in plan(settings)[1].reason


def test_what_the_published_version_does_not_hold_is_not_touched(settings, due):
    publish(settings, OLDER, version="v2")
    before = state_of(settings.landing_dir)
    assert thin(settings, at=AT).thinned == ()
    assert state_of(settings.landing_dir) == before


def test_a_version_is_read_as_it_is_really_published(settings):
    write_warehouse(settings.warehouse_path.parent / "observatory.duckdb")
    for number in range(13):
        land(settings, date(2026, 10, 1 + number), rows_of(OLD)[:3], parts=1)
    candidate = build_candidate(settings, version_id="v1", run_id="run", snapshot_dates=[date(2026, 10, 13)])
    version = publish_candidate(settings, candidate, quality=[PASSED], at=AT)
    published = {date.fromisoformat(day) for day in version.manifest["snapshot_dates"]["complete"]}
    due = {item.snapshot_date for item in plan(settings) if item.is_due}
    assert due == published & {date(2026, 10, day) for day in range(2, 13)}
    assert due


# --- what a thinned day is -------------------------------------------------------------------------------


def test_a_thinned_day_has_the_same_rows_and_types_and_what_history_needs(settings, due):
    full = read_day(settings, "models", OLD)
    bytes_before = due.manifest()["bytes"]
    lines: list[str] = []
    retained = thin(settings, at=AT, progress=lines.append)
    thinned = read_day(settings, "models", OLD)
    assert retained.thinned == (OLD,)
    assert thinned.schema == full.schema
    assert thinned["_id"].equals(full["_id"])
    for name in set(full.schema.names) - {"tags", *DROPPED_COLUMNS}:
        assert thinned[name].to_pylist() == full[name].to_pylist(), name
    for name in DROPPED_COLUMNS:
        assert thinned[name].null_count == thinned.num_rows
    assert thinned["tags"].to_pylist() == [expected_tags(listed) for listed in full["tags"].to_pylist()]
    assert retained.bytes_before == bytes_before > retained.bytes_after == due.manifest()["bytes"]
    assert lines == [
        f"models 2026-09-02: thinned from {bytes_before / 1e6:,.1f} to {retained.bytes_after / 1e6:,.1f} MB"
    ]


def expected_tags(listed: list[str] | None) -> list[str] | None:
    """The rule once more, in plain Python: `_` in SQL's LIKE is any one character."""
    if listed is None:
        return None
    return [tag for tag in listed if tag in KEPT_TAGS or re.match(r"base.model:|dataset:|license:", tag, re.DOTALL)]


def test_the_manifest_stays_and_tells_what_was_thinned(settings, due):
    before = due.manifest()
    thin(settings, at=AT)
    after = due.manifest()
    part = due.landed / "part-00000.parquet"
    assert sorted(path.name for path in due.landed.iterdir()) == [MANIFEST, part.name]
    assert after["parts"][0] | {"sha256": ""} == {
        "file": part.name,
        "rows": before["rows"],
        "bytes": part.stat().st_size,
        "sha256": "",
        "last_id": before["last_id"],
    }
    assert after["thinned"] == {
        "at": AT.isoformat(),
        "dropped_columns": list(DROPPED_COLUMNS),
        "kept_tags": [*KEPT_TAG_PATTERNS, *KEPT_TAGS],
        "bytes_before": before["bytes"],
        "bytes_after": part.stat().st_size,
        "parts": 3,
    }
    same = set(before) - {"parts", "bytes"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_a_second_run_changes_nothing(settings, due):
    thin(settings, at=AT)
    before = state_of(settings.landing_dir)
    retained = thin(settings, at=AT + timedelta(days=1))
    assert (retained.thinned, retained.thinned_earlier, retained.kept_full) == ((), 1, 2)
    assert state_of(settings.landing_dir) == before
    assert not (settings.landing_dir / "_thinning").exists()


def test_a_thinned_day_is_a_landed_day(settings, due):
    thin(settings, at=AT)
    landed = land_models(OLD, settings)  # nothing listens at the Hub's address
    assert (landed.already_landed, landed.rows) == (True, due.manifest()["rows"])
    assert landed_days(settings.landing_dir, "models") == [OLDER, OLD, date(2026, 10, 6)]


@pytest.mark.parametrize(("rows_a_batch", "rows_a_group"), [(1, 1), (4, 7), (5, 23), (1000, 1000)])
def test_row_groups_of_any_size_give_the_same_day(settings, due, monkeypatch, rows_a_batch, rows_a_group):
    monkeypatch.setattr(retention, "BATCH_ROWS", rows_a_batch)
    monkeypatch.setattr(retention, "ROW_GROUP_ROWS", rows_a_group)
    full = read_day(settings, "models", OLD)
    thin(settings, at=AT)
    thinned = read_day(settings, "models", OLD)
    assert thinned["_id"].equals(full["_id"])
    assert thinned["tags"].to_pylist() == [expected_tags(listed) for listed in full["tags"].to_pylist()]
    metadata = pq.read_metadata(due.landed / "part-00000.parquet")
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert all(rows_a_group <= rows < rows_a_group + rows_a_batch for rows in groups[:-1])
    assert (len(groups) == 1) == (rows_a_group == 1000)


def test_a_day_without_rows_and_one_with_an_empty_part_are_thinned(settings):
    land(settings, OLDER, rows_of(OLDER)[:2])
    empty = land(settings, OLD, [], parts=1)
    uneven = land(settings, date(2026, 9, 3), rows_of(OLD)[:2], parts=3)
    land(settings, date(2026, 10, 6), rows_of(OLD)[:2])
    publish(settings, OLD, date(2026, 9, 3))
    assert len(thin(settings, at=AT).thinned) == 2
    assert (empty.manifest()["rows"], uneven.manifest()["rows"]) == (0, 2)
    assert read_day(settings, "models", date(2026, 9, 3)).num_rows == 2


def test_parts_whose_columns_differ_are_joined_by_name(settings, due):
    first = due.landed / "part-00000.parquet"
    table = pq.read_table(first, partitioning=None).append_column(
        "new_field", pa.array(["x"] * pq.read_metadata(first).num_rows)
    )
    manifest = due.manifest()
    manifest["parts"][0] = write_parquet(first, table)
    write_json(due.landed / MANIFEST, manifest)
    thin(settings, at=AT)
    values = read_day(settings, "models", OLD)["new_field"]
    assert values.null_count == manifest["rows"] - table.num_rows


# --- history comes out the same --------------------------------------------------------------------------


def staging_over_both(settings: Settings, home: Path) -> tuple[Warehouse, Warehouse]:
    """dbt's staging over the full days, and again after one of them was thinned."""
    publish(settings, OLDER, OLD)
    full = Warehouse(home / "full", settings.landing_dir)
    full.parse()
    full.run("run", "--quiet", "--select", "staging", days=[OLDER, OLD])
    assert thin(settings, at=AT).thinned == (OLD,)
    thinned = Warehouse(home / "thinned", settings.landing_dir, full.manifest)
    thinned.run("run", "--quiet", "--select", "staging", days=[OLDER, OLD])
    return full, thinned


def land_for_staging(settings: Settings, days: dict[date, list[dict]]) -> None:
    for day, rows in days.items():
        land_day(settings.landing_dir, day, rows_of(OLD)[:3])  # for its captures and accounts
        shutil.rmtree(settings.landing_dir / "models" / f"snapshot_date={day}")
        land(settings, day, rows)


def test_staging_is_the_same_over_the_full_and_the_thinned_day(tmp_path, settings):
    land_for_staging(settings, {day: rows_of(day) for day in (OLDER, OLD, date(2026, 10, 6))})
    full, thinned = staging_over_both(settings, tmp_path)
    fingerprints = full.fingerprints("staging")
    assert set(fingerprints) == {path.stem for path in STAGING}
    assert thinned.fingerprints("staging") == fingerprints
    # what the rules tell apart is there at all
    for table, least in (("stg_hub__models", 60), ("stg_hub__model_parents", 9), ("stg_hub__model_licenses", 8)):
        assert full.rows(f"select count(*) from staging.{table} where snapshot_date = ?", OLD)[0][0] >= least
    assert full.rows("select bool_or(is_tagged_moe) and bool_or(is_tagged_distilled) from staging.stg_hub__models") == [
        (True,)
    ]


@pytest.mark.real_data
def test_staging_is_the_same_over_real_tags(tmp_path, settings, shared_data):
    snapshots = write_real_days(shared_data, tmp_path / "snapshots")
    file = sorted(snapshots.glob("snapshot_date=*/models.parquet"))[0]
    rows = sorted(pq.read_table(file, partitioning=None).to_pylist(), key=lambda row: row["_id"])
    land_for_staging(settings, {day: rows for day in (OLDER, OLD, date(2026, 10, 6))})
    full, thinned = staging_over_both(settings, tmp_path)
    assert thinned.fingerprints("staging") == full.fingerprints("staging")
    assert full.rows(
        "select count(*) from staging.stg_hub__models where is_tagged_quantized and snapshot_date = ?", OLD
    )
    manifest = DayFolder(settings.landing_dir, "models", OLD).manifest()
    assert manifest["thinned"]["bytes_after"] < 0.8 * manifest["thinned"]["bytes_before"]


def test_the_raw_gate_judges_a_thinned_day_as_it_judged_the_full_one(settings, due):
    for day in (OLDER, OLD):
        capture = {"status": "complete", "models": due.manifest()["rows"], "downloads_all_time": 1}
        write_parquet(
            DayFolder(settings.landing_dir, "captures", day).landed / "part-00000.parquet",
            pa.Table.from_pylist([capture]),
        )

    def judged() -> list[tuple]:
        result = run_gate("raw", [OLD], settings=settings, run_id="r", evaluated_at=AT, database=None)
        assert result.results
        return [
            (item.check_name, item.passed, item.crashed, item.observed, item.failed_rows) for item in result.results
        ]

    before = judged()
    thin(settings, at=AT)
    assert judged() == before
    assert not any(crashed for _, _, crashed, _, _ in before)


def test_two_days_compare_as_before(settings, due):
    columns = "_id, id, downloads, downloadsAllTime"
    query = f"select {columns} from read_parquet('{due.landed}/part-*.parquet') order by _id"
    before = duckdb.sql(query).fetchall()
    thin(settings, at=AT)
    assert duckdb.sql(query).fetchall() == before


def staging_reads(sql: str) -> tuple[set[str], set[str], list[str]]:
    """What staging's SQL looks for in tags (words, beginnings), and the lines that look at tags in any other way."""
    sql = re.sub(r"--[^\n]*|\{#.*?#\}", "", sql, flags=re.DOTALL)
    words: set[str] = set()
    beginnings: set[str] = set()

    def note_words(found: re.Match) -> str:
        words.update(re.findall(r"'([^']+)'", found[1]))
        return ""

    def note_beginning(found: re.Match) -> str:
        beginnings.add(found[1])
        return ""

    sql = re.sub(r"\{\{ text_of_list\('tags'\) \}\} as tags_text\b", "", sql)
    sql = re.sub(r"text_has_any\('tags_text', \[(.*?)\]\)", note_words, sql, flags=re.DOTALL)
    sql = re.sub(r"text_has_prefix\('tags_text', '([^'%]+)'\)", note_beginning, sql)
    sql = re.sub(r"\{\{ explode\(list_with_prefix\('tags', '([^']+)'\)\) \}\} as tag\b", note_beginning, sql)
    sql = re.sub(r"tag like '([^'%]+?)_?%'", note_beginning, sql)
    sql = re.sub(r"\{\{ starts_with\('tag', '([^']+)'\) \}\}", note_beginning, sql)
    sql = re.sub(r"substr\(tag, length\('([^']+)'\) \+ 1\)", note_beginning, sql)
    sql = re.sub(r"'tags' as lineage_source|^\s*tags,$", "", sql, flags=re.MULTILINE)
    return words, beginnings, [line.strip() for line in sql.splitlines() if re.search(r"\btags?(_text)?\b", line)]


def columns_named(sql: str) -> set[str]:
    return set(re.findall(r"\w+", re.sub(r"--[^\n]*|\{#.*?#\}", "", sql, flags=re.DOTALL))) & set(DROPPED_COLUMNS)


def test_staging_looks_at_no_tag_and_no_column_that_thinning_drops():
    words, beginnings, other = staging_reads("\n".join(path.read_text() for path in STAGING))
    assert words == set(KEPT_TAGS), "keep KEPT_TAGS as staging's lists are; days thinned before lack a new word"
    assert other == [], "staging looks at tags in a way that KEPT_TAGS and KEPT_TAG_PATTERNS don't know"
    assert beginnings == {pattern.removesuffix("%") for pattern in KEPT_TAG_PATTERNS}
    for path in STAGING:
        assert columns_named(path.read_text()) == set(), f"{path.name} reads a column that thinned days don't have"


@pytest.mark.parametrize(
    "sql",
    [
        "where tag like '%gguf%'",
        "{{ matches('tag', 'lora') }}",
        "list_contains(tags, 'lora')",
        "    tags[1] as first_tag,",
    ],
)
def test_an_unknown_look_at_tags_is_noticed(sql):
    assert staging_reads(sql)[2]


def test_a_dropped_column_or_another_word_in_staging_is_noticed():
    assert columns_named("select _id, sha as commit from landed") == {"sha"}
    assert columns_named("-- the sha is left out\nselect _id from landed") == set()
    assert staging_reads("{{ text_has_any('tags_text', ['lora', 'gguf']) }}")[0] == {"lora", "gguf"}
    assert staging_reads("where tag like 'arxiv:%'")[1] == {"arxiv:"}


def test_the_gates_and_the_comparison_read_no_column_that_thinning_drops():
    raw_suites = (PROJECT_ROOT / "orchestration" / "quality" / "suites" / "raw.py").read_text()
    subject = (PROJECT_ROOT / "orchestration" / "quality" / "subjects" / "raw_models.sql").read_text()
    measured = "\n".join(re.findall(r'"([^"\n]*)"', raw_suites))
    prose = re.findall(r'because="[^"]*"(?:\s*"[^"]*")*', raw_suites)
    for line in "\n".join(prose).split("\n"):
        measured = measured.replace(line.strip().removeprefix("because=").strip('"'), "")
    assert columns_named(subject) | columns_named(measured) == set()


# --- nothing worse than a full day -----------------------------------------------------------------------


def test_a_full_day_that_is_not_what_its_manifest_says_stays(settings, due):
    part = due.landed / "part-00001.parquet"
    table = pq.read_table(part, partitioning=None)
    pq.write_table(table.slice(1), part)
    before = state_of(due.landed)
    with pytest.raises(ObservatoryError, match=r"differ from its manifest: part-00001.parquet.*nothing was thinned"):
        thin(settings, at=AT)
    assert state_of(due.landed) == before


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda table: table.slice(1), "rows, order of _id, contents"),
        (lambda table: table.take(list(reversed(range(table.num_rows)))), "order of _id"),
        (lambda table: table.set_column(5, "downloads", pa.array([0] * table.num_rows)), "contents"),
        (lambda table: table.set_column(15, "tags", pa.array([["gguf"]] * table.num_rows)), "contents"),
        (lambda table: table.set_column(15, "tags", table["tags"].fill_null([])), "contents"),
        (lambda table: table.rename_columns({"likes": "liked"}), "columns"),
        (lambda table: table.set_column(7, "likes", table["likes"].cast(pa.int32())), "columns"),
    ],
    ids=["a row less", "another order", "a counter", "tags", "an empty list for null", "a name", "a type"],
)
def test_what_is_not_the_day_is_never_put_in_its_place(settings, due, monkeypatch, spoil, named):
    def write_spoilt(parts, path) -> None:
        table = pa.concat_tables(pq.read_table(part, partitioning=None) for part in parts)
        assert [table.schema.names[at] for at in (5, 7, 15)] == ["downloads", "likes", "tags"]
        pq.write_table(spoil(retention._reduced(table)), path)

    monkeypatch.setattr(retention, "_write_thinned", write_spoilt)
    before = state_of(due.landed)
    with pytest.raises(ObservatoryError, match=f"differ from the full ones in {named}\\."):
        thin(settings, at=AT)
    assert state_of(due.landed) == before


def test_a_day_that_is_being_landed_is_left_to_whoever_lands_it(settings, due):
    before = state_of(due.landed)
    with due.locked(), pytest.raises(DayLocked):
        thin(settings, at=AT)
    assert state_of(due.landed) == before
    assert thin(settings, at=AT).thinned == (OLD,)


def test_a_day_that_was_landed_again_after_the_plan_is_not_thinned(settings, due, monkeypatch):
    planned = plan(settings)
    monkeypatch.setattr(retention, "plan", lambda settings: planned)
    land(settings, OLD, revision=2)
    assert thin(settings, at=AT).thinned == ()
    assert "thinned" not in due.manifest()


# --- a crash at any instant ------------------------------------------------------------------------------


# Each copy of the home gets a process of its own, which kills itself for good at its n-th step on the file system.
KILLING = """
import os, pathlib, signal, shutil, sys
from datetime import datetime, UTC
from orchestration.landing import retention
from orchestration.settings import Settings

home, has_exchange = pathlib.Path(sys.argv[1]), sys.argv[2] == "True"
if not has_exchange:
    retention._exchanged = lambda one, other: False

def die_at(step, home):
    count = 0
    def hook(event, arguments):
        nonlocal count
        # opening a folder is the fsync of a rename in it
        is_step = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "ctypes.dlopen")
        if is_step or (event == "open" and "/landing" in str(arguments[0])):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    settings = Settings(home=home, keep_full_days=1, hf_token=None)
    retention.thin(settings, at=datetime(2026, 11, 24, 12, tzinfo=UTC), progress=lambda line: None)

step = status = 1
while status:
    copy = home.with_name(f"{home.name}-{step}")
    shutil.copytree(home, copy, symlinks=True)
    child = os.fork()
    if not child:
        die_at(step, copy)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    step += 1
"""


@pytest.mark.parametrize("has_exchange", [True, False], ids=["exchanged", "renamed twice"])
def test_killed_at_any_step_either_the_full_or_the_thinned_day_is_there(settings, due, has_exchange):
    full = read_day(settings, "models", OLD).to_pylist()
    command = [sys.executable, "-c", KILLING, str(settings.home), str(has_exchange)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    homes = sorted(settings.home.parent.glob(f"{settings.home.name}-*"), key=lambda home: int(home.name.split("-")[1]))
    survived, absent = [], 0
    for home in homes:
        copy = Settings(home=home, keep_full_days=1, hf_token=None)
        folder = DayFolder(copy.landing_dir, "models", OLD)
        if not folder.landed.exists():
            absent += 1
            repair(copy)
        survived.append(check_whole(folder, full))
        retained = thin(copy, at=AT)
        assert (len(retained.thinned), retained.thinned_earlier) in ((1, 0), (0, 1))
        assert check_whole(folder, full) == "thinned"
        assert not (copy.landing_dir / "_thinning").exists()
    assert len(homes) > 20
    # full up to the exchange, thinned from then on; the last process wasn't killed
    assert survived == sorted(survived)
    assert set(survived) == {"full", "thinned"}
    # only two renames, one after the other, leave a moment without the day
    assert (absent == 0) if has_exchange else (1 <= absent <= 4)


def check_whole(folder: DayFolder, full: list[dict]) -> str:
    """'full' or 'thinned', whichever the day's files wholly are, and as its manifest says."""
    manifest = folder.manifest()
    files = sorted(folder.landed.glob("part-*.parquet"))
    assert [(path.name, path.stat().st_size) for path in files] == [
        (part["file"], part["bytes"]) for part in manifest["parts"]
    ]
    rows = pa.concat_tables(pq.read_table(path, partitioning=None) for path in files).to_pylist()
    if "thinned" not in manifest:
        assert rows == full
        return "full"
    reduced = [row | dict.fromkeys(DROPPED_COLUMNS) | {"tags": expected_tags(row["tags"])} for row in full]
    assert rows == reduced
    return "thinned"


def test_a_reader_finds_the_day_at_every_moment(settings, due):
    if not hasattr(ctypes.CDLL(None), "renameat2"):
        pytest.skip("this system can't exchange two folders in one step")
    found, done = [], threading.Event()

    def watch() -> None:
        while not done.is_set():
            found.append(due.manifest() is not None)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        for _ in range(5):
            thin(settings, at=AT)
            whole = due.manifest()
            write_json(due.landed / MANIFEST, {name: value for name, value in whole.items() if name != "thinned"})
    finally:
        done.set()
        watcher.join()
    assert len(found) > 100
    assert all(found)


def test_a_file_that_is_open_goes_on_being_read(settings, due):
    full = read_day(settings, "models", OLD)
    with pq.ParquetFile(due.landed / "part-00002.parquet") as file:
        thin(settings, at=AT)
        rows = file.read()
    assert rows["sha"].to_pylist() == full["sha"].to_pylist()[-rows.num_rows :]


# --- leftovers -------------------------------------------------------------------------------------------


LATER = LEFTOVERS_KEPT + timedelta(hours=1)


def aged(path: Path, age: timedelta) -> None:
    for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.utime(file, ns=(int((AT - age).timestamp() * 1e9),) * 2)


@pytest.fixture
def forced(settings, due) -> DayFolder:
    """A day that was landed three times, the last time long before the version was published."""
    land(settings, OLD, revision=2)
    land(settings, OLD, revision=3)
    for path in (due.landed, due.superseded(1), due.superseded(2)):
        aged(path, LATER)
    return due


def test_superseded_revisions_go_when_their_successor_is_old_and_published(settings, forced):
    landed = state_of(settings.landing_dir / "models")
    retained = thin(settings, at=AT)
    assert retained.removed == tuple(f"_superseded/models/snapshot_date={OLD}/revision={number}" for number in (1, 2))
    assert retained.bytes_removed > 0
    assert not (settings.landing_dir / "_superseded").exists()
    assert state_of(settings.landing_dir / "models") == landed
    assert thin(settings, at=AT).removed == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda settings, forced: aged(forced.landed / MANIFEST, LEFTOVERS_KEPT - timedelta(hours=1)),
        lambda settings, forced: publish(settings, OLDER, version="v2"),
        lambda settings, forced: publish(settings, OLD, version="v2", created_at=AT - LATER - timedelta(hours=1)),
        lambda settings, forced: shutil.rmtree(settings.published_dir),
    ],
    ids=["too young", "day not published", "published before", "nothing published"],
)
def test_a_superseded_revision_stays_while_it_may_be_wanted(settings, forced, change):
    change(settings, forced)
    thin(settings, at=AT)
    assert forced.superseded(2).exists()


def attempt(settings: Settings, listing: str, state: dict | str | None, age: timedelta) -> DayFolder:
    """An attempt that didn't become a day: rows, and what its state file says."""
    folder = DayFolder(settings.landing_dir, listing, date(2026, 9, 20))
    write_parquet(folder.work / "part-00000.parquet", pa.table({"_id": ["1"]}))
    if state is not None:
        folder.state.write_text(state if isinstance(state, str) else json.dumps(state))
    aged(folder.work.parent, age)
    return folder


@pytest.mark.parametrize(
    ("state", "age", "goes"),
    [
        ({"is_terminal": True, "is_rejected": True}, LATER, True),
        ({"is_terminal": False, "is_rejected": False}, LATER, True),
        (None, LATER, True),
        ("{spoilt", LATER, True),
        ({"is_terminal": True, "is_rejected": False}, LATER, False),
        ({"is_terminal": True, "is_rejected": True}, LEFTOVERS_KEPT - timedelta(hours=1), False),
    ],
    ids=["rejected", "abandoned", "no state", "spoilt state", "may still land", "too young"],
)
@pytest.mark.parametrize("listing", ["models", "accounts"])
def test_work_folders_go_when_no_run_takes_them_up_again(settings, listing, state, age, goes):
    folder = attempt(settings, listing, state, age)
    retained = thin(settings, at=AT)
    assert bool(retained.removed) == goes
    assert folder.work.exists() == folder.state.exists() == (not goes) or state is None
    assert folder.work.exists() != goes
    assert (settings.landing_dir / "_incomplete").exists() != goes


def test_a_day_that_only_lacks_its_rename_stays(settings):
    folder = attempt(settings, "models", None, LATER)
    write_json(folder.work / MANIFEST, {"revision": 2})
    aged(folder.work, LATER)
    assert thin(settings, at=AT).removed == ()
    assert (folder.work / MANIFEST).exists()


def test_the_journal_of_look_ups_goes_with_its_day(settings):
    folder = attempt(settings, "accounts", None, LATER)
    journal = folder.work.with_name(f"{folder.key}.lookups.jsonl")
    journal.write_text("{}\n")
    assert thin(settings, at=AT).removed == ()  # just written to
    aged(journal, LATER)
    thin(settings, at=AT)
    assert not journal.exists()


def download(settings: Settings, age: timedelta, day: date = date(2026, 9, 20)) -> Path:
    """What a crash in the middle of an archive's day leaves: a part of the file, and what the library remembers."""
    folder = DayFolder(settings.landing_dir, "models", day).work.parent / DOWNLOADS / f"snapshot_date={day}"
    for name in ("models/2026-09-16/models.parquet", ".cache/huggingface/download/half.incomplete"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"x" * 1000)
    aged(folder, age)
    return folder


def test_an_archives_download_goes_when_nobody_came_back_for_it(settings):
    old = download(settings, LATER)
    young = download(settings, LEFTOVERS_KEPT - timedelta(hours=1), date(2026, 9, 21))
    [leftover] = leftovers(settings, AT)
    assert leftover.reason == "an archive's download, untouched since 2026-11-10"
    retained = thin(settings, at=AT)
    assert retained.removed == (f"_incomplete/models/{DOWNLOADS}/{old.name}",)
    assert retained.bytes_removed == 2000
    assert (old.exists(), young.exists()) == (False, True)
    aged(young, LATER)
    thin(settings, at=AT)
    assert not (settings.landing_dir / "_incomplete").exists()


def test_a_download_that_is_going_on_is_no_leftover(settings):
    folder = download(settings, LATER)
    with DayFolder(settings.landing_dir, "models", date(2026, 9, 20)).locked():
        assert thin(settings, at=AT).removed == ()
    (folder / "models" / "2026-09-16" / "models.parquet").write_bytes(b"y")  # the last thing written counts
    assert thin(settings, at=AT).removed == ()
    assert folder.exists()


def test_a_download_goes_beside_an_attempt_that_may_still_land(settings):
    kept = attempt(settings, "models", {"is_terminal": True, "is_rejected": False}, LATER)
    folder = download(settings, LATER)
    thin(settings, at=AT)
    assert (folder.exists(), kept.work.exists()) == (False, True)


def test_an_attempt_that_somebody_works_on_is_no_leftover(settings):
    folder = attempt(settings, "models", None, LATER)
    with folder.locked():
        assert thin(settings, at=AT).removed == ()
    assert folder.work.exists()


def test_leftovers_say_why(settings, forced):
    attempt(settings, "models", None, LATER)
    assert [leftover.reason for leftover in leftovers(settings, AT)] == [
        "revision 1, superseded on 2026-11-10",
        "revision 2, superseded on 2026-11-10",
        "an attempt given up, untouched since 2026-11-10",
    ]
