"""The example queries of each mart's yml, run on a made-up Hub: each returns rows, and says what is written beside it.
That the marts are right is for other tests; a value here shows that the query asks what its question says."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.quality.history import write_results
from orchestration.quality.results import CheckResult, evaluation_id
from orchestration.settings import Settings
from tests.dbt.built_warehouse import PROJECT, Warehouse
from tests.oracle.populations import land_population

# Long enough for milestones of a month, windows of 30 days and an overtaking; 2026-11-24.
MODELS, DAYS, SEED = 300, 45, 4
FEWEST = 2


def _written_examples() -> list[tuple[str, dict]]:
    """Read from the files, because tests are collected before the project is parsed."""
    written = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((PROJECT / "models" / "marts").rglob("*.yml"))
    ]
    seeds = yaml.safe_load((PROJECT / "seeds" / "_seeds.yml").read_text(encoding="utf-8"))["seeds"]
    return [
        (node["name"], example)
        for node in [*(model for file in written for model in file.get("models", [])), *seeds]
        for example in node.get("config", {}).get("meta", {}).get("examples", [])
    ]


EXAMPLES = _written_examples()


def _check(step: str, table_name: str, check_name: str, failed_rows: int) -> CheckResult:
    day = date(2026, 11, 19)
    return CheckResult(
        evaluation_id=evaluation_id("a-run", step, day, table_name, check_name),
        run_id="a-run",
        evaluated_at=datetime(2026, 11, 19, 12, 30, tzinfo=UTC),
        snapshot_date=day,
        step=step,
        table_name=table_name,
        check_name=check_name,
        severity="investigate",
        blocking=False,
        passed=not failed_rows,
        crashed=False,
        accepted_event=False,
        accepted_because=None,
        owner="team:data",
        observed=str(failed_rows),
        threshold="0",
        basis="fixed on 2026-11-24",
        reason="An example of a check.",
        evaluated_rows=300,
        failed_rows=failed_rows,
    )


def _write_alerts(path: Path) -> None:
    """One incident that is open and was told again, and one that is over."""
    events = [
        ("raised", "shares_sum_to_one", "2026-11-17T12:30:00+00:00"),
        ("raised", "values_fit", "2026-11-17T13:30:00+00:00"),
        ("repeated", "shares_sum_to_one", "2026-11-18T12:30:00+00:00"),
        ("resolved", "values_fit", "2026-11-18T13:30:00+00:00"),
    ]
    lines = [
        {
            "alert_id": f"alert-{number}",
            "event": event,
            "incident": f"check:marts:mart_daily_country_share:{check_name}",
            "raised_at": at,
            "severity": "blocks",
            "title": f"{event} · {check_name}",
            "snapshot_date": at[:10],
            "step": "marts",
            "table_name": "mart_daily_country_share",
            "check_name": check_name,
            "run_id": "a-run",
            "owner": "team:data",
            "body": "not part of the table",
        }
        for number, (event, check_name, at) in enumerate(events)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, manifest) -> Warehouse:
    home = tmp_path_factory.mktemp("examples")
    population = land_population(home, models=MODELS, days=DAYS, seed=SEED)
    built = Warehouse(home / "warehouse", population.landing, manifest)
    settings = Settings(home=built.home, hub_endpoint="http://127.0.0.1:9", hf_token=None)
    for step, results in {
        "marts": [_check("marts", "mart_daily_country_share", "shares_sum_to_one", 0)],
        "raw": [_check("raw", "hub/models", "ids_are_unique", 0), _check("raw", "hub/models", "values_fit", 3)],
    }.items():
        write_results(settings, results, step=step, run_id="a-run", at=results[0].evaluated_at)
    _write_alerts(built.home / "alerts.jsonl")
    built.run("seed", "--quiet")
    built.load([])
    publish_with_another_share(built, population.days[-1])
    built.load(population.days[-1:], "--select", "mart_restatements")
    return built


def publish_with_another_share(built: Warehouse, day: date) -> None:
    """The tables as a version that was published before, in which China's share of a day was a hundredth less."""
    folder = built.home / "published" / "current"
    (folder / "parquet").mkdir(parents=True)
    with duckdb.connect(str(built.database), read_only=True) as connection:
        for table in ("dim_snapshots", "dim_organizations", "mart_headline_claims", "mart_daily_country_share"):
            share = f"""
                replace (share - case when snapshot_date = date '{day}' and metric = 'all_time' and denominator = 'all'
                and attribution = 'uploader' and country_code = 'CN' then 0.01 else 0 end as share)
            """
            columns = share if table == "mart_daily_country_share" else ""
            connection.execute(f"copy (select * {columns} from marts.{table}) to '{folder}/parquet/{table}.parquet'")
    manifest = {"version": f"{day}-before", "git_revision": "0000000"}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def plain(value):
    """As yml writes it: dates in ISO's words, sums of integers as integers."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize(("mart", "example"), EXAMPLES, ids=[f"{mart}: {each['question']}" for mart, each in EXAMPLES])
def test_the_example_answers_its_question(warehouse, mart, example):
    with duckdb.connect(str(warehouse.database), read_only=True) as connection:
        answer = connection.execute(example["sql"])
        names = [column[0] for column in answer.description]
        first = answer.fetchone()

    assert first is not None
    ((column, value),) = example["expect"].items()
    assert plain(dict(zip(names, first, strict=True))[column]) == value


def test_every_mart_has_examples_of_its_own(manifest):
    marts = {
        node.name: node for node in manifest.nodes.values() if node.resource_type == "model" and "marts" in node.fqn
    }
    assert marts
    for name, node in marts.items():
        examples = node.config.meta.get("examples", [])
        assert len(examples) >= FEWEST, name
        assert len({example["question"] for example in examples}) == len(examples), name
        for example in examples:
            assert example.keys() == {"question", "sql", "expect"}, name
            assert example["question"].endswith("?"), name
            assert f"marts.{name}" in example["sql"], name
            assert len(example["expect"]) == 1, name


def test_the_examples_that_run_are_those_that_dbt_knows(manifest):
    known = [
        (node.name, example["question"])
        for node in manifest.nodes.values()
        if node.resource_type in ("model", "seed")
        for example in node.config.meta.get("examples", [])
    ]
    assert sorted(known) == sorted((mart, example["question"]) for mart, example in EXAMPLES)


def test_examples_leave_what_a_model_replaces_as_it_is(manifest):
    """Both stand in `meta`, one in the yml and one in the model's own config: dbt merges them."""
    replacing = [
        node
        for node in manifest.nodes.values()
        if node.resource_type == "model" and node.config.incremental_strategy == "replace"
    ]
    assert any(node.name == "mart_daily_country_share" for node in replacing)
    assert all(node.config.meta["replaces"] for node in replacing)
