"""One landed population, loaded day by day by both engines: DuckDB in this process, Spark in one process of its own
environment. Only what the tests of parity and publication share; what must be equal is theirs to say."""

import json
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_ROOT
from orchestration.spark.build import has_java
from tests.dbt.built_warehouse import Warehouse
from tests.spark.engines import BothEngines
from tests.spark.population import land_eventful_days

MODELS, DAYS, SEED = 20_000, 13, 20261124
# Places in the history: loaded together at first; loaded after the two days that follow it; loaded again at the end.
TOGETHER, LATE, AGAIN = 3, 4, 7
SPARK_PYTHON = PROJECT_ROOT / ".venv-spark" / "bin" / "python"
DO_THIS = "Do this: install a Java 17 or newer, then make test-spark."


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> BothEngines:
    """Both engines after all runs. Fails, saying so, where Spark can't run."""
    refuse_without_spark()
    home = tmp_path_factory.mktemp("engines")
    landing = land_eventful_days(home / "hub", models=MODELS, days=DAYS, seed=SEED)
    days = sorted(date.fromisoformat(path.name.split("=")[1]) for path in (landing / "models").iterdir())
    runs = runs_of(days)
    both = BothEngines(landing, days, runs, Warehouse(home / "duckdb", landing), home / "first", home / "last")
    build_on_duckdb(both)
    build_on_spark(both, home / "spark")
    return both


def runs_of(days: list[date]) -> list[list[date]]:
    one_by_one = [*days[TOGETHER:LATE], *days[LATE + 1 : LATE + 3], days[LATE], *days[LATE + 3 :], days[AGAIN]]
    return [days[:TOGETHER], *([day] for day in one_by_one)]


def refuse_without_spark() -> None:
    if not has_java():
        pytest.fail(f"Found no Java. Expected one on the path, or in JAVA_HOME, because Spark runs on it. {DO_THIS}")
    if not SPARK_PYTHON.exists():
        pytest.fail(f"Found no {SPARK_PYTHON}. Expected the environment of requirements-spark.lock. {DO_THIS}")


def build_on_duckdb(both: BothEngines) -> None:
    both.duckdb.parse()
    both.duckdb.run("seed", "--quiet")
    for run in both.runs:
        both.duckdb.load(run)


def build_on_spark(both: BothEngines, work: Path) -> None:
    """In Spark's own environment, which knows none of this process's packages."""
    order = {
        "landing": str(both.landing),
        "work": str(work),
        "first": str(both.after_first_run),
        "last": str(both.spark),
        "runs": [[str(day) for day in run] for run in both.runs],
    }
    work.mkdir()
    order_file = work.with_suffix(".json")
    order_file.write_text(json.dumps(order), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(SPARK_PYTHON), "-m", "tests.spark.on_spark", str(order_file)],
        cwd=PROJECT_ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
