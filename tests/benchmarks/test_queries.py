"""Every question that is timed can be asked of the public tables, and the aim is judged on what was measured."""

import json

import duckdb
import pytest

from benchmarks.analysts import QUESTIONS
from benchmarks.queries import AIM_MS, Timed, asked, questions, table
from benchmarks.report import of_queries
from orchestration.project import dbt_project


@pytest.fixture(scope="module")
def tables():
    """Empty tables as the contracts declare them."""
    nodes = json.loads(dbt_project.manifest_path.read_text(encoding="utf-8"))["nodes"].values()
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        for node in nodes:
            if node["resource_type"] in ("model", "seed") and node["schema"] == "marts":
                columns = ", ".join(f'"{name}" {column["data_type"]}' for name, column in node["columns"].items())
                connection.execute(f"create table marts.{node['name']} ({columns})")
        yield connection


def test_every_question_can_be_asked(tables):
    every = questions()
    assert set(QUESTIONS) < set(every)
    assert len(every) > 60
    for sql in every.values():
        assert asked(tables, sql)[1] > 0


def test_a_slow_first_answer_misses_the_aim():
    slow = Timed("Slow?", "select 1", 1, (AIM_MS + 50.0, AIM_MS + 1.0, 1.0), (2.0, 3.0, 4.0)).as_dict()
    fast = Timed("Fast?", "select 1", 1, (1.0, 2.0, 500.0), (1.0, 1.0, 1.0)).as_dict()
    told = {"queries": [fast, slow], "models": 10, "days": 3, "aim_ms": AIM_MS}

    assert (slow["is_met"], fast["is_met"]) == (False, True)
    assert [line.split(" | ")[0] for line in table(told).splitlines()[2:]] == ["| Slow?", "| Fast?"]
    first, again = of_queries(told)
    assert first.is_met is False
    assert "Slow?" in first.note
    assert again.is_met is True
