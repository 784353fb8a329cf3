"""A warehouse in a temporary folder, built by dbt in this process on one parsed manifest, as the daily job does it.
Only what tests of the dbt project share; no assertions about data."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.run import RunResult
from dbt.cli.main import dbtRunner, dbtRunnerResult

from orchestration.defs.transform.dbt_in_process import DbtInProcess

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
ENVIRONMENT = {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


class Warehouse:
    """One DuckDB file over one landing folder. `build(days)` runs all layers; `rows(sql)` reads."""

    def __init__(self, home: Path, landing: Path, manifest=None):
        self.home = home
        self.landing = landing
        self.database = home / "observatory.duckdb"
        self.manifest = manifest
        home.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def environment(self):
        values = ENVIRONMENT | {
            "OBSERVATORY_WAREHOUSE": str(self.database),
            "OBSERVATORY_LANDING": str(self.landing),
            "OBSERVATORY_QUALITY": str(self.home / "quality"),
            "OBSERVATORY_ALERTS": str(self.home / "alerts.jsonl"),
            "OBSERVATORY_PUBLISHED": str(self.home / "published"),
            "OBSERVATORY_TEMP": str(self.home / "temp"),
        }
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name)
                else:
                    os.environ[name] = value

    def invoke(self, *arguments: str, days: Iterable[date | str] = ()) -> dbtRunnerResult:
        variables = json.dumps({"snapshot_dates": [str(day) for day in days], "run_id": "test"})
        command = [*arguments, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        command += [
            "--target-path",
            str(self.home / "target"),
            "--log-path",
            str(self.home / "logs"),
            "--no-write-json",
        ]
        with self.environment():
            try:
                result = dbtRunner(manifest=self.manifest).invoke([*command, "--vars", variables])
            finally:
                DuckDBConnectionManager.close_all_connections()
        return result

    def run(self, *arguments: str, days: Iterable[date | str] = ()) -> dbtRunnerResult:
        """As `invoke`, but fails with what dbt said."""
        result = self.invoke(*arguments, days=days)
        assert result.success, failures(result)
        return result

    def parse(self):
        """The project's manifest, as the daily job has it."""
        self.manifest = DbtInProcess().manifest
        return self.manifest

    def build(self, days: Iterable[date] = (), *options: str, seeds: bool = True) -> list[RunResult]:
        """All layers, one selection each, as in the daily job. Without `days`: all landed days."""
        if self.manifest is None:
            self.parse()
        days = list(days)
        selections = [
            ["--select", "staging", *(["resource_type:seed"] if seeds else [])],
            ["--select", "intermediate"],
            ["--select", "marts", "--exclude", "marts.quality"],
            ["--select", "marts.quality"],
        ]
        without_units = ["--exclude-resource-type", "unit_test"]
        results = []
        for selection in selections:
            results += self.run("build", "--quiet", *selection, *without_units, *options, days=days).result.results
        return results

    def load(self, days: Iterable[date], *options: str) -> None:
        """All models in one dbt run, without their tests: for what only compares contents."""
        self.run("run", "--quiet", *options, days=days)

    def copied_to(self, home: Path) -> "Warehouse":
        """The same warehouse in another folder, to break or to load further."""
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.database, home / self.database.name)
        return Warehouse(home, self.landing, self.manifest)

    def execute(self, statement: str) -> None:
        """Changes the file behind dbt's back, to plant what a check must find."""
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(statement)

    def rows(self, query: str, *parameters) -> list[tuple]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def fingerprints(self, schema: str = "marts") -> dict[str, str]:
        """Hash of each table's ordered contents."""
        tables = self.rows("select table_name from information_schema.tables where table_schema = ? order by 1", schema)
        return {
            name: hashlib.sha256(repr(self.rows(f"select * from {schema}.{name} order by all")).encode()).hexdigest()
            for (name,) in tables
        }


def failures(result: dbtRunnerResult) -> str:
    if result.exception:
        return repr(result.exception)
    bad = [entry for entry in result.result if str(entry.status) not in {"success", "pass", "skipped"}]
    return "\n".join(f"{entry.node.name}: {entry.status}: {entry.message}" for entry in bad)
