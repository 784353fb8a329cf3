"""Whole days through the real job: sandbox Hub over HTTP, real dbt, real DuckDB, real gates, in this process."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.sandbox.population import write_population
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import Settings

FIRST_DAY = date(2026, 10, 6)
# Rebuilt by every run from what happened in that run; everything else must come out the same.
RUN_HISTORY = {"fct_quality_results", "mart_daily_quality_score", "mart_promise_history", "mart_restatements"}


@pytest.fixture(scope="session")
def dbt() -> DbtInProcess:
    return DbtInProcess()


@pytest.fixture(scope="session")
def daily_snapshot() -> dg.JobDefinition:
    from orchestration.definitions import defs

    return defs().resolve_job_def("daily_snapshot")


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """Four days of a made-up Hub; the default bounds need some thousand models to be meant."""
    out = tmp_path_factory.mktemp("world") / "population"
    write_population(out, models=2_500, days=4, seed=11, first_day=FIRST_DAY)
    return out


@pytest.fixture
def own_world(world, tmp_path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(world, tmp_path / "world"))


@dataclass
class Observatory:
    """One home, one Hub, one Dagster instance, and the job between them."""

    settings: Settings
    dbt: DbtInProcess
    job: dg.JobDefinition
    instance: dg.DagsterInstance
    hub: SandboxHub

    def run(self, *days: date, hub_day: date | None = None, dbt: DbtInProcess | None = None, force: bool = False):
        """Run the daily job for one day, or for the range between two; the Hub's clock is set to its first day.

        `force` fetches days again that have landed already.
        """
        self.hub.day = hub_day or days[0]
        tags = (
            {"dagster/partition": str(days[0])}
            if len(days) == 1
            else {
                "dagster/asset_partition_range_start": str(days[0]),
                "dagster/asset_partition_range_end": str(days[-1]),
            }
        )
        return self.job.execute_in_process(
            instance=self.instance,
            tags=tags,
            resources={"settings": self.settings, "dbt": dbt or self.dbt},
            raise_on_error=False,
            run_config={
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                "ops": {"hub_models": {"config": {"force": force}}},
            },
        )

    def sql(self, query: str):
        database = self.settings.published_dir / "current" / "observatory.duckdb"
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def contents(self) -> dict[str, str]:
        """A hash of each published table's Parquet file, whose rows lie in key order."""
        folder = self.settings.published_dir / "current" / "parquet"
        return {
            file.stem: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(folder.glob("*.parquet"))
            if file.stem not in RUN_HISTORY
        }

    def version(self) -> str:
        return (self.settings.published_dir / "current").resolve().name

    def failures(self, result) -> str:
        from orchestration.defs.alerts.findings import failures_of

        return "\n".join(failures_of(self.instance, result.run_id))

    def failed_steps(self, result) -> list[str]:
        return sorted(event.step_key for event in result.all_events if event.is_step_failure)


@contextmanager
def opened(
    home: Path, snapshots: Path, dbt: DbtInProcess, job: dg.JobDefinition, **options: object
) -> Iterator[Observatory]:
    home.parent.mkdir(parents=True, exist_ok=True)
    with SandboxHub(snapshots, advance=True) as hub, dg.DagsterInstance.ephemeral(tempdir=str(home.parent)) as instance:
        settings = Settings(
            home=home, hub_endpoint=hub.url, hf_token=None, account_lookups=60, **({"step_retries": 0} | options)
        )
        yield Observatory(settings, dbt, job, instance, hub)


@pytest.fixture
def observatory(tmp_path, own_world, dbt, daily_snapshot):
    """An empty home."""
    with opened(tmp_path / "home", own_world, dbt, daily_snapshot) as empty:
        yield empty


@pytest.fixture(scope="session")
def home_with_day_1(tmp_path_factory, world, dbt, daily_snapshot) -> Path:
    """A home in which the first day was run and published; copied, never used."""
    home = tmp_path_factory.mktemp("day_1") / "home"
    with opened(home, world, dbt, daily_snapshot) as first:
        result = first.run(FIRST_DAY)
        assert result.success, first.failures(result)
    return home


@pytest.fixture
def started(tmp_path, own_world, dbt, daily_snapshot, home_with_day_1):
    """A home in which the first day is published already."""
    home = Path(shutil.copytree(home_with_day_1, tmp_path / "home", symlinks=True))
    with opened(home, own_world, dbt, daily_snapshot) as after_day_1:
        yield after_day_1
