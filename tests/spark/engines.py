"""What both engines made of the same landed days. How they are run is in conftest; what must be equal, in the tests."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.dbt.built_warehouse import Warehouse


@dataclass(frozen=True)
class BothEngines:
    """The same landed days, loaded in the same runs: DuckDB's warehouse, and the Parquet that Spark handed over after the
    first run and after the last."""

    landing: Path
    days: list[date]
    runs: list[list[date]]
    duckdb: Warehouse
    after_first_run: Path
    spark: Path
