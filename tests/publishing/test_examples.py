"""Example queries come out of dbt's manifest into the published file, where each can be run as it stands."""

import json

import duckdb
import pytest

from orchestration.project import dbt_project
from orchestration.publishing import AuditFailed, build_candidate
from orchestration.publishing.examples import Example, name_of, read_examples
from orchestration.quality.suites import PUBLISHED_TABLES

from .warehouse import EXAMPLES, Contents, write_warehouse


def test_every_published_table_has_examples_with_a_name_each():
    examples = read_examples(dbt_project.manifest_path)
    assert {example.table_name for example in examples} == set(PUBLISHED_TABLES)
    assert len({example.name for example in examples}) == len(examples)
    for example in examples:
        assert example.name == name_of(example.question)
        assert len(example.name) <= 100
        assert f"marts.{example.table_name}" in example.sql
        assert not example.sql.endswith((";", "\n"))


def test_two_questions_of_one_name_are_refused(tmp_path):
    node = {"resource_type": "model", "name": "mart_x"}
    examples = [{"question": question, "sql": "select 1"} for question in ("Who leads?", "Who leads!")]
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"nodes": {"x": node | {"config": {"meta": {"examples": examples}}}}}))
    with pytest.raises(ValueError, match="two example queries called who_leads"):
        read_examples(manifest)


def test_the_table_the_file_and_the_dictionary_have_them(candidate):
    expected = [(each.name, each.question, each.table_name, each.sql) for each in EXAMPLES]
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        assert connection.execute("from marts.examples").fetchall() == expected
        for (sql,) in connection.execute("select sql from marts.examples").fetchall():
            assert connection.execute(sql).fetchall()
        undescribed = connection.execute(
            "select column_name from duckdb_columns() where table_name = 'examples' and comment is null"
        ).fetchall()
    assert undescribed == []
    assert duckdb.execute(f"from '{candidate.parquet('examples')}'").fetchall() == expected
    text = (candidate.path / "DICTIONARY.md").read_text()
    section = text.split("## dim_models\n")[1].split("\n## ")[0]
    assert (
        "How many models? (`how_many_models`)\n\n```sql\nselect count(*) as models\nfrom marts.dim_models\n```"
        in section
    )


def test_an_example_that_the_file_cannot_answer_is_not_published(settings):
    write_warehouse(settings.warehouse_path, Contents(days=2, missing=(), events={}, is_lean=True))
    wrong = Example("who_leads", "Who leads?", "dim_models", "select leader from marts.dim_models")
    with pytest.raises(AuditFailed, match=r"examples: who_leads can't be planned: .*leader"):
        build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[], examples=[wrong])
