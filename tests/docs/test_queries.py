"""The README's SQL runs on the public tables: empty ones, with the columns and types of the marts' contracts.
What the queries answer on real days is for the warehouse's own tests."""

import re

import duckdb
import pytest

from orchestration.settings import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^```sql\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def database(marts):
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema marts")
        for name, node in marts.items():
            columns = ", ".join(f'"{column}" {declared["data_type"]}' for column, declared in node["columns"].items())
            connection.execute(f"create table marts.{name} ({columns})")
        yield connection


def test_there_are_queries():
    assert len(QUERIES) >= 2


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: re.search(r"from (marts\.\w+)", query)[1])
def test_the_query_runs(database, query):
    assert database.execute(query).description


def test_a_query_on_a_column_that_is_gone_would_be_noticed(database):
    broken = QUERIES[0].replace("share_low", "share_lower")

    with pytest.raises(duckdb.BinderException, match="share_lower"):
        database.execute(broken)


def test_the_output_shown_has_the_columns_of_its_query(database):
    names = [column[0] for column in database.execute(QUERIES[0]).description]
    output = README[README.index(QUERIES[0]) :]
    header = next(line for line in output.splitlines() if line.startswith("│"))

    assert [cell.strip() for cell in header.strip("│").split("│")] == names
