"""Analysts read one whole version at any time, and can do nothing else. That many do while others are published is in
`test_reading_while_writing`."""

import duckdb
import pytest

from orchestration.__main__ import main, show, sql
from orchestration.publishing import NothingPublished, build_candidate, current_version, open_current, publish_candidate

from .warehouse import PASSED, Contents, write_warehouse

MODELS = "select count(*) from marts.dim_models"


def publish_with(settings, version_id: str, extra_models: int) -> None:
    """A version whose tables all tell its number: 200 + n models, and n in the rows of the attribution queue."""
    write_warehouse(settings.warehouse_path, Contents(extra_models=extra_models, days=2, missing=(), events={}))
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("update marts.mart_attribution_queue set models = ?", [extra_models])
    candidate = build_candidate(settings, version_id=version_id, run_id="run-1", snapshot_dates=[])
    publish_candidate(settings, candidate, quality=[PASSED])


def test_before_the_first_publication_the_way_out_is_said(settings):
    with pytest.raises(NothingPublished, match=r"Found nothing at .*current\. .*make demo"):
        open_current(settings)


def test_commands_say_what_is_missing_and_fail(settings, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OBSERVATORY_HOME", str(settings.home))

    assert show(settings) == 1
    assert "Found nothing at" in capsys.readouterr().out
    # as the README has it: a folder, and no more
    assert main(["publish", str(tmp_path / "handed-over")]) == 1
    assert "Do this" in capsys.readouterr().out


def test_an_open_reader_keeps_its_version_and_a_new_one_gets_the_next(settings):
    publish_with(settings, "v1", 0)
    with open_current(settings) as before:
        assert before.execute(MODELS).fetchone() == (200,)
        publish_with(settings, "v2", 5)
        assert before.execute(MODELS).fetchone() == (200,)
        with open_current(settings) as after:
            assert after.execute(MODELS).fetchone() == (205,)
        assert before.execute("select max(models) from marts.mart_attribution_queue").fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "create table marts.mine as select 1 as x",
        "delete from marts.dim_models",
        "select * from read_csv('/etc/hostname')",
        "copy marts.dim_models to 'never-written.csv'",
        "attach 'never-written.duckdb' as other",
        "install httpfs",
        "load httpfs",
        "select * from read_parquet('https://example.org/x.parquet')",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set allowed_configs = ['lock_configuration']",
        "select * from read_text(getvariable('observatory') || '/manifest.json')",
    ],
)
def test_a_reader_can_neither_write_nor_reach_out(settings, warehouse, publish, statement):
    publish("v1")
    with open_current(settings) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)


@pytest.mark.parametrize("name", ["manifest.json", "DICTIONARY.md", "new.csv"])
def test_a_reader_cannot_copy_over_what_stands_beside_the_database(analysts_home, name):
    path = current_version(analysts_home).path / name
    before = path.read_bytes() if path.exists() else None
    with open_current(analysts_home) as connection, pytest.raises(duckdb.PermissionException):
        connection.execute(f"copy (select 1) to '{path}' (format csv, use_tmp_file false)")

    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to '{folder}/x.csv'",
        "/* hidden */ copy (select 1) to '{folder}/x.csv'",
        "select 1; copy (select 1) to '{folder}/x.csv'",
        "explain analyze copy (select 1) to '{folder}/x.csv'",
        "copy (select 1) to '{folder}/../observatory.duckdb' (use_tmp_file false)",
        "prepare p as copy (select 1) to '{folder}/x.csv'",
        "export database '{folder}/x.csv'",
    ],
)
def test_a_query_does_not_write_where_readers_may_read(analysts_home, capsys, statement):
    folder = current_version(analysts_home).path / "parquet"
    assert sql(analysts_home, statement.format(folder=folder)) == 1
    assert "Expected: one that reads" in capsys.readouterr().out
    assert not (folder / "x.csv").exists()


def test_what_does_not_fit_into_memory_is_not_written_beside_the_database(analysts_home):
    with open_current(analysts_home) as connection:
        spill = connection.execute("select current_setting('temp_directory')").fetchone()[0]

    assert spill.startswith(str(analysts_home.home / "tmp"))


def test_a_reader_can_open_its_versions_own_parquet_files(settings, warehouse, publish):
    publish("v1")
    sql = "select count(*) from read_parquet(getvariable('observatory') || '/parquet/dim_models.parquet')"
    with open_current(settings) as connection, open_current(settings) as second:
        assert connection.execute(sql).fetchone() == second.execute(sql).fetchone() == (200,)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select share_pct from marts.mart_daily_country_shares", "mart_daily_country_share"),
        ("selec 1", "syntax error"),
        ("create table marts.mine as select 1", "read-only"),
        ("select * from read_csv('/etc/hostname')", "file system operations are disabled"),
    ],
    ids=["a table's name", "syntax", "a write", "a file"],
)
def test_a_query_that_cannot_be_answered_says_why_and_where_to_look(settings, capsys, query, said):
    publish_with(settings, "v1", 0)
    assert sql(settings, query) == 1
    answer = capsys.readouterr().out
    assert said in answer
    assert "show all tables" in answer


def test_a_query_before_the_first_publication_says_the_way_out(settings, capsys):
    assert sql(settings, "select 1") == 1
    assert "make demo" in capsys.readouterr().out
