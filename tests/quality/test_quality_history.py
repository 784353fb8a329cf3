"""The history of results: readable, replaced and never doubled by judging again, whole or absent after a crash."""

import dataclasses

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.quality import SUITES, read_history, results_of_run
from orchestration.quality.history import results_file, schema, write_results
from orchestration.quality.results import SCALARS
from tests.quality.conftest import NOON
from tests.quality.good_day import DAY, NEXT_DAY, RAW_PROMISES, land_day


def test_results_are_in_the_history_as_they_were_returned(good, gate):
    result = gate("raw", DAY)

    rows = read_history(good)

    assert len(rows) == len(result.results) == RAW_PROMISES
    by_id = {row["evaluation_id"]: row for row in rows}
    for check in result.results:
        assert by_id[check.evaluation_id] == {name: getattr(check, name) for name in SCALARS} | {"offenders": None}


def test_the_file_has_the_contracts_columns_and_types(good, gate):
    gate("raw", DAY)

    path = good.quality_dir / "results" / "evaluated_date=2026-11-24" / "a-run-raw.parquet"
    assert pq.read_schema(path).equals(schema(), check_metadata=False)
    types = {name: str(kind) for name, kind in zip(schema().names, schema().types, strict=True)}
    assert types["snapshot_date"] == "date32[day]"
    assert types["evaluated_at"] == "timestamp[us, tz=UTC]"
    assert types["blocking"] == types["passed"] == types["crashed"] == types["accepted_event"] == "bool"
    assert types["evaluated_rows"] == types["failed_rows"] == "int64"
    assert types["observed"] == types["threshold"] == types["reason"] == "string"
    assert types["offenders"] == types["basis"] == types["owner"] == types["accepted_because"] == "string"


def test_duckdb_reads_the_history_with_its_day_of_evaluation(good, gate):
    gate("raw", DAY)

    with duckdb.connect() as connection:
        counted = connection.execute(
            "select evaluated_date, count(*), bool_and(passed) "
            "from read_parquet(?, hive_partitioning = true) group by 1",
            [str(good.quality_dir / "results" / "evaluated_date=*" / "*.parquet")],
        ).fetchall()
    assert [(str(day), count, passed) for day, count, passed in counted] == [("2026-11-24", RAW_PROMISES, True)]


def test_judging_again_gives_the_same_ids_and_replaces(good, gate):
    first = gate("raw", DAY)
    land_day(good, DAY, rows="select * replace (case when i = 5 then -1 else downloads end as downloads) from good")

    second = gate("raw", DAY)

    assert [r.evaluation_id for r in first.results] == [r.evaluation_id for r in second.results]
    rows = {row["check_name"]: row for row in read_history(good)}
    assert len(rows) == len(read_history(good)) == len(first.results)
    assert not rows["downloads_is_not_negative"]["passed"]


def test_judging_again_after_midnight_still_replaces(good, gate):
    gate("raw", DAY)
    gate("raw", DAY, evaluated_at=NOON.replace(day=25))

    rows = read_history(good)
    assert len({row["evaluation_id"] for row in rows}) == len(rows)
    assert {row["evaluated_at"].day for row in rows} == {25}


def test_other_days_steps_and_runs_stay(good, gate):
    gate("raw", DAY)
    gate("raw", NEXT_DAY)
    gate("intermediate", DAY)
    gate("raw", DAY, run_id="another-run")

    rows = read_history(good)

    raw, intermediate = RAW_PROMISES, len(SUITES["intermediate_models_attributed"].promises)
    assert len(rows) == len({row["evaluation_id"] for row in rows}) == 3 * raw + intermediate
    assert len(results_of_run(good, "a-run")) == 2 * raw + intermediate
    assert {row["run_id"] for row in results_of_run(good, "another-run")} == {"another-run"}
    assert results_of_run(good, "a") == []
    assert {row["step"] for row in results_of_run(good, "a-run", "intermediate")} == {"intermediate"}


def test_ids_differ_by_run_step_day_table_and_check(good, gate):
    results = [
        *gate("raw", DAY, NEXT_DAY).results,
        *gate("staging", DAY).results,
        *gate("raw", DAY, run_id="another").results,
    ]

    assert len({r.evaluation_id for r in results}) == len(results)


def test_crashes_are_in_the_history(good, gate):
    (good.landing_dir / "models" / f"snapshot_date={DAY}" / "_manifest.json").write_text("{")
    gate("raw", DAY)

    rows = read_history(good)

    assert all(row["crashed"] and not row["passed"] for row in rows)
    assert all("JSONDecodeError" in row["observed"] for row in rows)


def test_an_empty_history_is_no_error(settings):
    assert read_history(settings) == []
    assert results_of_run(settings, "a-run") == []


def test_a_write_that_fails_leaves_the_earlier_file(good, gate, monkeypatch):
    result = gate("raw", DAY)
    before = read_history(good)
    changed = [dataclasses.replace(check, observed="later") for check in result.results]

    def no_space(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        write_results(good, changed, step="raw", run_id="a-run", at=NOON)

    assert read_history(good) == before


def test_a_run_id_that_leaves_the_folder_is_refused(settings):
    with pytest.raises(ValueError, match="Do this"):
        results_file(settings, step="raw", run_id="../elsewhere", at=NOON)
