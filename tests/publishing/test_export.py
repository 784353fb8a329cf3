"""CSV of the public tables: every row once, exactly as asked for, and harmless in a spreadsheet unless that is declined."""

import csv
import io
import json
import subprocess
import sys
import unicodedata

import duckdb
import pytest

from orchestration.__main__ import export_csv
from orchestration.publishing import open_current
from orchestration.publishing.errors import ExportRefused, NoSuchTable, NothingPublished
from orchestration.publishing.export import FORMULA_SIGNS, csv_of, export_table, guarded
from orchestration.settings import PROJECT_ROOT

from .conftest import HOSTILE

NAMES = f"select model_id, parameters from marts.dim_models order by repo_id limit {len(HOSTILE) + 1}"


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def is_formula(cell: str) -> bool:
    """What OWASP warns of, said in another way than the code says it."""
    bare = "".join(character for character in cell if unicodedata.category(character)[0] not in "ZC")
    return cell[:1] in tuple("\t\r\n") or unicodedata.normalize("NFKC", bare)[:1] in tuple("=+-@")


def test_no_text_begins_a_formula_and_numbers_stay_numbers(analysts_home):
    with open_current(analysts_home) as connection:
        header, *rows = cells("".join(csv_of(connection, NAMES)))

    assert header == ["model_id", "parameters"]
    assert [name for name, _ in rows] == [f"'{name}" if is_formula(name) else name for name in HOSTILE] + [""]
    assert sum(is_formula(name) for name in HOSTILE) == 11
    assert not any(is_formula(name) for name, _ in rows)
    assert {number for _, number in rows} == {"-5"}


def test_the_guard_in_sql_and_the_one_in_python_are_one():
    signs = [*FORMULA_SIGNS, "\t", "\r", "\n", "a", "'", "−", "|"]
    before = ["", " ", "\t", "\r\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "\x1b", "\x00", "x"]
    all_cells = [f"{blank}{sign}{rest}" for blank in before for sign in signs for rest in ("", "1+1")]
    with duckdb.connect() as connection:
        connection.execute("create table cells as select unnest(?) as cell", [all_cells])
        rows = cells("".join(csv_of(connection, "select cell from cells")))[1:]

    assert [row[0] for row in rows] == [guarded(cell) for cell in all_cells]
    assert [cell for cell in all_cells if guarded(cell) != cell] == [cell for cell in all_cells if is_formula(cell)]


def test_raw_is_the_tables_own_rows_again(analysts_home, tmp_path):
    exported = export_table(analysts_home, "dim_models", to=str(tmp_path), guard=False)
    with open_current(analysts_home) as connection, duckdb.connect() as reading:
        expected = connection.execute("select * from marts.dim_models order by repo_id").fetchall()
        types = dict(connection.execute("select column_name, column_type from (describe marts.dim_models)").fetchall())
        found = reading.execute(
            "select * from read_csv(?, columns = ?, header = true, allow_quoted_nulls = false, all_varchar = false)"
            " order by repo_id",
            [str(exported.path), types],
        ).fetchall()

    assert found == expected
    assert exported.rows == len(expected) == 200


def test_null_is_nothing_and_an_empty_text_has_quotes(analysts_home):
    with open_current(analysts_home) as connection:
        lines = "".join(csv_of(connection, "select null::varchar as a, '' as b, 'x' as c, null::int as d"))

    assert lines == 'a,b,c,d\r\n,"",x,\r\n'


def test_dates_are_iso_and_lines_are_as_the_rfc_says(analysts_home):
    sql = "select date '2026-10-13' as d, timestamp '2026-10-13 12:00:00.5' as t, true as b, 1e-7::double as x, ? as \"a,b\""
    with open_current(analysts_home) as connection:
        text = "".join(csv_of(connection, sql, ['say "hi"\nthere']))

    assert text == 'd,t,b,x,"a,b"\r\n2026-10-13,2026-10-13T12:00:00.5,true,1e-07,"say ""hi""\nthere"\r\n'


def test_rows_keep_the_querys_order(analysts_home):
    with open_current(analysts_home) as connection:
        rows = cells("".join(csv_of(connection, "select i from range(100000) r(i) order by i desc;")))

    assert [int(row[0]) for row in rows[1:]] == list(range(99_999, -1, -1))


def test_a_file_in_exports_says_what_it_is(analysts_home, capsys):
    assert (
        export_csv(analysts_home, "marts.mart_daily_country_share", to="", where="country_code = 'CN'", raw=False) == 0
    )
    path = analysts_home.home / "exports" / "mart_daily_country_share_2026-10-13_SIMULATED.csv"
    about = json.loads(path.with_name(f"{path.name}-metadata.json").read_text(encoding="utf-8"))
    header, *rows = cells(path.read_bytes().decode())

    assert {row[header.index("country_code")] for row in rows} == {"CN"}
    said = capsys.readouterr().err
    assert said.startswith("SIMULATED")
    assert f"{len(rows)} rows" in said
    assert [column["name"] for column in about["tableSchema"]["columns"]] == header
    assert all(column["dc:description"] for column in about["tableSchema"]["columns"])
    assert "SIMULATED" in about["dc:description"]
    assert "country_code = 'CN'" in about["dc:description"]
    assert [file.name for file in path.parent.iterdir() if "unfinished" in file.name] == []


def test_a_named_file_of_a_simulated_version_says_so_too(analysts_home, tmp_path):
    assert export_table(analysts_home, "dim_countries", to=str(tmp_path / "mine.csv")).path.name == "mine_SIMULATED.csv"
    with pytest.raises(ExportRefused, match="no folder"):
        export_table(analysts_home, "dim_countries", to=str(tmp_path / "nowhere" / "mine.csv"))


def test_a_condition_that_fails_half_way_leaves_the_old_file(analysts_home, tmp_path):
    path = tmp_path / "mine_SIMULATED.csv"
    path.write_text("old", encoding="utf-8")
    wrong = "case when repo_id like '%c7' then error('no') else true end"
    with pytest.raises(duckdb.Error, match="no"):
        export_table(analysts_home, "dim_models", to=str(path), where=wrong)

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("where", ["true) ; copy (select 1) to 'x.csv'; select (1", "true); select 1 --"])
def test_a_condition_is_one_condition(analysts_home, where):
    with pytest.raises((ExportRefused, duckdb.ParserException), match=r"one query that reads|syntax error"):
        export_table(analysts_home, "dim_countries", to="-", where=where)


def test_an_unknown_table_names_the_nearest_and_all(analysts_home):
    with pytest.raises(NoSuchTable, match=r"(?s)dim_countries, .*the nearest is mart_daily_country_share;"):
        export_table(analysts_home, "mart_daily_country_shares")


def test_before_the_first_publication_the_way_out_is_said(settings):
    with pytest.raises(NothingPublished, match="make demo"):
        export_table(settings, "dim_models")


def test_standard_output_gets_the_rows_and_nothing_else(analysts_home):
    command = ["-m", "orchestration", "export", "dim_countries", "--to", "-"]
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        cwd=PROJECT_ROOT,
        timeout=60,
        check=True,
        env={"OBSERVATORY_HOME": str(analysts_home.home), "PATH": "/usr/bin"},
    )

    assert cells(done.stdout.decode())[0][0] == "country_code"
    assert len(cells(done.stdout.decode())) == 11
    assert done.stderr.decode().startswith("SIMULATED · 10 rows")


MEMORY = """
import resource, duckdb
from orchestration.publishing.export import lines_of
connection = duckdb.connect(config={"threads": 1})
connection.execute("set enable_progress_bar = false")
query = "select i, md5(i::varchar) as a, md5((i + 1)::varchar) as b from range({rows}) r(i)"
for _ in lines_of(connection, query.format(rows=20_000)):
    pass
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(map(len, lines_of(connection, query.format(rows=1_000_000)))) - 1
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_table():
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, cwd=PROJECT_ROOT, timeout=60, check=True
    )
    rows, kilobytes = map(int, done.stdout.split())

    assert rows == 1_000_000
    # The rows are 75 MB as text; 2026-11-29: 20,000 lines at a time, and what DuckDB holds ready of its answer.
    assert kilobytes < 40_000
