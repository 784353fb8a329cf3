"""`python -m orchestration.spark.build`: loads landed days with dbt's target `spark`, as one run, and hands the tables over
as Parquet. It runs in `.venv-spark`, so that it imports dbt and Spark and nothing else of ours."""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
# What the gates judge and what is published; each schema a folder, each table a folder in it.
HANDED_OVER = ("staging", "intermediate", "marts")
# So that Spark serves nobody but this process, also on a machine with an address.
LOCAL_ONLY = {"SPARK_LOCAL_IP": "127.0.0.1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


class SparkFailed(RuntimeError):
    """dbt could not build something on Spark; says what, with dbt's own words."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestration.spark.build", description=__doc__)
    parser.add_argument("--landing", type=Path, required=True, help="folder of landed days")
    parser.add_argument("--days", type=date.fromisoformat, nargs="+", required=True, help="loaded together, as one run")
    parser.add_argument("--work", type=Path, required=True, help="folder for Spark's own files; emptied first")
    parser.add_argument("--into", type=Path, required=True, help="folder that the tables are handed over in")
    parser.add_argument("--tests", action="store_true", help="run dbt's data tests, too")
    asked = parser.parse_args(arguments)
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        sys.exit(
            "Found no Java. Expected Java 17 or newer on the path, or in JAVA_HOME, because Spark runs on it. Install it."
        )
    spark = DbtOnSpark(asked.landing.resolve(), asked.work.resolve())
    spark.load_seeds()
    spark.load(asked.days, with_tests=asked.tests)
    hand_over(asked.into.resolve())
    return 0


def has_java() -> bool:
    return shutil.which("java") is not None or "JAVA_HOME" in os.environ


class DbtOnSpark:
    """The project's models in a Spark of this process; its tables are known as long as the process lives."""

    def __init__(self, landing: Path, work: Path) -> None:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        self.work = work
        os.environ.update(
            LOCAL_ONLY | {"OBSERVATORY_LANDING": str(landing), "OBSERVATORY_SPARK_WAREHOUSE": str(work / "warehouse")}
        )
        self.manifest = None
        self.manifest = self._invoke(["parse"])

    def load_seeds(self) -> None:
        self._invoke(["seed"])

    def load(self, days: Sequence[date], *, with_tests: bool = False) -> None:
        """All models for the days, as one run; with dbt's data tests if asked. Tells how long it took. Raises SparkFailed."""
        started = time.perf_counter()
        command = ["build", "--exclude-resource-type", "unit_test", "seed"] if with_tests else ["run"]
        self._invoke(command, days)
        seconds = time.perf_counter() - started
        print(f"{', '.join(map(str, days))}: built on Spark in {seconds:.0f} s", flush=True)  # noqa: T201 - told as it goes

    def _invoke(self, command: list[str], days: Sequence[date] = ()):
        from dbt.cli.main import dbtRunner

        variables = json.dumps({"snapshot_dates": [day.isoformat() for day in days], "run_id": "spark"})
        folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        folders += ["--target-path", str(self.work / "dbt"), "--log-path", str(self.work / "dbt" / "logs")]
        done = dbtRunner(manifest=self.manifest).invoke(
            ["--quiet", "--no-write-json", *command, "--target", "spark", "--vars", variables, *folders]
        )
        if not done.success:
            failed = [node for node in getattr(done.result, "results", []) if str(node.status) in ("error", "fail")]
            said = [f"{node.node.name}: {str(node.message)[:2000]}" for node in failed] or [repr(done.exception)]
            raise SparkFailed("\n".join(said))
        return done.result


def hand_over(into: Path) -> None:
    """Write each table of this process's Spark as Parquet into `<into>/<schema>/<table>`, the whole of it in place of what
    was there."""
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
    for schema in HANDED_OVER:
        # the session's views of landed days are listed with every schema
        for table in (table for table in spark.catalog.listTables(schema) if not table.isTemporary):
            spark.table(f"{schema}.{table.name}").write.mode("overwrite").parquet(str(into / schema / table.name))


if __name__ == "__main__":
    sys.exit(main())
