"""A candidate is the whole of the marts and nothing else, and an altered one is found out."""

import duckdb
import pytest

from orchestration.publishing import (
    AuditFailed,
    PublishRefused,
    WarehouseUnavailable,
    audit_candidate,
    build_candidate,
    load_candidate,
)
from orchestration.publishing.files import sha256_of
from orchestration.quality.suites import MADE_AT_PUBLICATION

from .warehouse import EXAMPLES, TABLES, Contents, write_warehouse


def change(candidate, statement: str) -> None:
    with duckdb.connect(str(candidate.database)) as connection:
        connection.execute(statement)


def test_candidate_holds_each_public_table_with_all_its_rows(settings, candidate):
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        expected = {
            table: warehouse.execute(f"select count(*) from marts.{table}").fetchone()[0] for table in sorted(TABLES)
        }
    assert candidate.tables == expected | {"examples": len(EXAMPLES)}
    assert min(expected.values()) > 0
    files = sorted(path.name for path in (candidate.path / "parquet").iterdir())
    assert files == sorted([f"{table}.parquet" for table in candidate.tables] + ["fct_daily_model_downloads_all_days"])


def test_candidate_holds_no_other_schema(candidate):
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        assert connection.execute("select distinct schema_name from duckdb_tables()").fetchall() == [("marts",)]


def test_candidate_keeps_types_not_null_and_comments(settings, candidate):
    columns = """
        select table_name, column_name, data_type, is_nullable, comment
        from duckdb_columns() where schema_name = 'marts' order by all
    """
    tables = "select table_name, comment from duckdb_tables() where schema_name = 'marts' order by all"
    with (
        duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse,
        duckdb.connect(str(candidate.database), read_only=True) as copy,
    ):
        for sql in (columns, tables):
            found = [row for row in copy.execute(sql).fetchall() if row[0] not in MADE_AT_PUBLICATION]
            assert found == warehouse.execute(sql).fetchall()
    assert "it's all here" in copy_comment(candidate, "dim_models")


def copy_comment(candidate, table: str) -> str:
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        sql = "select comment from duckdb_tables() where table_name = ?"
        return connection.execute(sql, [table]).fetchone()[0]


def test_equal_warehouses_give_equal_parquet_bytes_whatever_the_order_of_rows(settings, candidate):
    first = hashes(candidate)
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        for table in TABLES:
            warehouse.execute(f"create temp table t as select * from marts.{table} order by hash({table}::varchar)")
            warehouse.execute(f"delete from marts.{table}")
            warehouse.execute(f"insert into marts.{table} select * from t")
            warehouse.execute("drop table t")
    again = build_candidate(settings, version_id="v2", run_id="run-2", snapshot_dates=[], examples=EXAMPLES)
    assert hashes(again) == first


def hashes(candidate) -> dict[str, str]:
    return {
        str(path.relative_to(candidate.path)): sha256_of(path)
        for path in (candidate.path / "parquet").rglob("*.parquet")
    }


def test_warehouse_is_free_for_its_writer_afterwards(settings, candidate):
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("create table staging.written_after as select 1 as one")


def test_dictionary_names_every_table_and_column_with_its_description(candidate):
    text = (candidate.path / "DICTIONARY.md").read_text()
    for table, columns in TABLES.items():
        section = text.split(f"## {table}\n")[1].split("\n## ")[0]
        assert f"What {table} holds" in section
        for column in columns.split(", "):
            name, data_type = column.split()[:2]
            assert f"| `{name}` | {data_type} |" in section
            assert f"The {name} \\| of {table}." in section


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        pytest.param("delete from marts.dim_models where repo_id like '%1'", "dim_models rows", id="rows lost"),
        pytest.param(
            "update marts.mart_daily_country_share set downloads = downloads + 1 where country_code = 'CN'",
            "mart_daily_country_share sum of downloads",
            id="a number changed",
        ),
        pytest.param(
            "update marts.mart_daily_country_share set share = 0.99 where country_code = 'CN'",
            "mart_daily_country_share greatest share",
            id="a share changed",
        ),
        pytest.param("update marts.dim_models set likes = null where likes = 1", "count of likes", id="nulls"),
        pytest.param("drop table marts.dim_countries", "dim_countries: missing", id="table lost"),
        pytest.param("create table marts.more as select 1 as x", "more: only in the copy", id="table too many"),
        pytest.param("alter table marts.dim_models alter likes type integer", "other columns", id="type changed"),
        pytest.param("comment on column marts.dim_models.likes is 'x'", "comments", id="comment changed"),
    ],
)
def test_audit_finds_a_database_that_differs(settings, candidate, statement, named):
    audit_candidate(settings, candidate)
    change(candidate, statement)
    with pytest.raises(AuditFailed, match=named) as caught:
        audit_candidate(settings, candidate)
    assert "Expected: " in str(caught.value)
    assert "Do this: " in str(caught.value)


def test_audit_finds_a_parquet_file_that_differs(settings, candidate):
    path = candidate.parquet("dim_models")
    duckdb.execute(f"copy (select * from '{path}' limit 10) to '{path}.x' (format parquet)")
    path.with_suffix(".parquet.x").rename(path)
    with pytest.raises(AuditFailed, match="dim_models rows in Parquet: found 10, expected 200"):
        audit_candidate(settings, candidate)


def test_audit_finds_a_parquet_file_that_is_cut_short_or_lost(settings, candidate):
    path = candidate.parquet("dim_models")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(AuditFailed, match="dim_models: its Parquet file can't be read"):
        audit_candidate(settings, candidate)
    path.unlink()
    with pytest.raises(AuditFailed, match="dim_models: no Parquet file"):
        audit_candidate(settings, candidate)


def test_audit_finds_a_database_that_cannot_be_opened(settings, candidate):
    candidate.database.write_bytes(b"not a database" * 1000)
    with pytest.raises(AuditFailed, match="can't be opened read-only"):
        audit_candidate(settings, candidate)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("comment on table marts.dim_models is null", "dim_models"),
        ("comment on column marts.dim_models.likes is ''", "likes"),
    ],
    ids=["a table", "a column"],
)
def test_undescribed_tables_are_not_made_public(settings, warehouse, statement, named):
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(statement)
    with pytest.raises(AuditFailed, match=f"without a description: .*{named}"):
        build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])


def test_a_table_without_its_key_is_not_made_public(settings, warehouse):
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("alter table marts.dim_models drop column repo_id")
    with pytest.raises(AuditFailed, match="dim_models without its key column repo_id"):
        build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])


def test_missing_warehouse_is_said_plainly(settings):
    with pytest.raises(WarehouseUnavailable, match=r"Found no file at .*\. Expected: .*\. Do this: .*make demo"):
        build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])


def test_warehouse_without_marts_is_said_plainly(settings):
    settings.warehouse_path.parent.mkdir(parents=True)
    duckdb.connect(str(settings.warehouse_path)).close()
    with pytest.raises(AuditFailed, match="no table in schema marts"):
        build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])


@pytest.mark.parametrize("version_id", ["", "../v1", "a/b", ".hidden", "a" * 200], ids=repr)
def test_version_ids_that_name_no_folder_of_ours_are_refused(settings, warehouse, version_id):
    with pytest.raises(ValueError, match="Found the version id"):
        build_candidate(settings, version_id=version_id, run_id="run-1", snapshot_dates=[])


def test_a_later_step_loads_the_candidate_that_was_audited(settings, candidate):
    assert load_candidate(settings, "v1") == candidate


def test_a_candidate_that_failed_its_audit_cannot_be_loaded(settings, candidate):
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("comment on table marts.dim_models is null")
    with pytest.raises(AuditFailed):
        build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])
    with pytest.raises(PublishRefused, match="no candidate v1"):
        load_candidate(settings, "v1")


def test_building_again_replaces_what_a_crash_left(settings, candidate):
    (candidate.path / "half-written").write_text("x")
    write_warehouse(settings.warehouse_path, Contents(extra_models=5))
    again = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])
    assert again.tables["dim_models"] == 205
    assert not (again.path / "half-written").exists()
