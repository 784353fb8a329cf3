"""What Spark built is published as what DuckDB built is: judged, audited, swapped in; or stopped, with the reason."""

import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.publishing import open_current
from orchestration.publishing.errors import PublishRefused
from orchestration.publishing.files import read_json
from orchestration.quality.suites import MADE_AT_PUBLICATION, PUBLISHED_TABLES
from orchestration.settings import Settings
from orchestration.spark.publish import STEPS, publish_from_spark
from tests.spark.engines import BothEngines

pytestmark = pytest.mark.spark


@pytest.fixture
def home_of_landing(settings: Settings, engines: BothEngines) -> Settings:
    """A home with the landing that both engines have read, and nothing published."""
    settings.home.mkdir(parents=True)
    settings.landing_dir.symlink_to(engines.landing)
    return settings


def test_tables_of_spark_become_a_version(home_of_landing: Settings, engines: BothEngines):
    version = publish_from_spark(home_of_landing, engines.after_first_run)

    together = engines.runs[0]
    assert version.snapshot_date == together[-1]
    assert (version.path / "report" / "index.html").is_file()
    with open_current(home_of_landing) as connection:
        shown = {name for (name,) in connection.sql("select table_name from duckdb_tables()").fetchall()}
        days = connection.sql("select snapshot_date from marts.dim_snapshots where status = 'complete'").fetchall()
        steps = connection.sql("select distinct step from marts.fct_quality_results where blocking").fetchall()
        simulated = connection.sql("select bool_and(is_simulated) from marts.dim_snapshots").fetchone()[0]
    assert PUBLISHED_TABLES.keys() | (MADE_AT_PUBLICATION.keys() - {"fct_daily_model_downloads_all_days"}) <= shown
    assert sorted(day for (day,) in days) == together
    assert {step for (step,) in steps} == set(STEPS)
    assert simulated
    assert read_json(home_of_landing.published_dir / "status.json")["state"] == "published"


def test_a_gate_stops_what_spark_handed_over(home_of_landing: Settings, engines: BothEngines, tmp_path: Path):
    """A share that lost a tenth of its downloads on the way."""
    tables = tmp_path / "tables"
    shutil.copytree(engines.after_first_run, tables)
    _change(tables / "marts" / "mart_daily_country_share", "downloads = downloads * 9 // 10", "country_code = 'CN'")

    with pytest.raises(PublishRefused, match="days that the marts gate stops"):
        publish_from_spark(home_of_landing, tables)

    status = read_json(home_of_landing.published_dir / "status.json")
    assert (status["state"], status["attempted"]["step"]) == ("blocked", "marts")
    assert not (home_of_landing.published_dir / "current").exists()


def test_a_day_that_no_gate_has_seen_is_not_published(home_of_landing: Settings, engines: BothEngines):
    """The last hand-over holds all days, its staging only the last run's."""
    with pytest.raises(PublishRefused, match="days that no gate has judged") as refused:
        publish_from_spark(home_of_landing, engines.spark)

    assert str(engines.days[0]) in str(refused.value)


def test_a_table_that_breaks_its_contract_is_refused(home_of_landing: Settings, engines: BothEngines, tmp_path: Path):
    tables = tmp_path / "tables"
    shutil.copytree(engines.after_first_run, tables)
    _change(tables / "marts" / "dim_models", "model_id = null", "true")

    with pytest.raises(PublishRefused, match="dim_models as Spark handed it over does not fit its contract"):
        publish_from_spark(home_of_landing, tables)


def _change(folder: Path, assignment: str, condition: str) -> None:
    """Write the table's files anew, with some rows changed."""
    with duckdb.connect() as connection:
        connection.execute(f"create table changed as from read_parquet('{folder}/*.parquet')")
        connection.execute(f"update changed set {assignment} where {condition}")
        shutil.rmtree(folder)
        folder.mkdir()
        connection.execute(f"copy changed to '{folder}/part.parquet' (format parquet)")
