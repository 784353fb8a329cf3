"""Runs the project's own dbt, in this process, on a landing folder, and reads the marts back as dicts keyed by grain.
It chooses no values and knows no rules; those are in the oracle and in the hand-made CSVs."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.settings import PROJECT_ROOT

DBT_PROJECT = PROJECT_ROOT / "dbt_project"
MODELS = [
    "+mart_daily_country_share",
    "+mart_daily_organization_share",
    "+mart_attribution_coverage",
    "+dim_models",
]

HISTORY = ["+dim_snapshots", "+fct_daily_model_downloads", "+fct_daily_country_downloads"]

COUNTRY_SHARE_KEY = ("metric", "window_days", "attribution", "denominator", "country_code")
ORGANIZATION_SHARE_KEY = ("metric", "window_days", "attribution", "country_code", "organization")
COVERAGE_KEY = ("attribution", "basis")


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def build_marts(home: Path, *, runs: list[list[str]], models: list[str] = MODELS) -> Path:
    """Build seeds and `models`, with all that they read, from `home/landing`, one dbt run a list of days; returns the database.

    Raises AssertionError with dbt's own words if a run fails.
    """
    warehouse = home / "warehouse" / "observatory.duckdb"
    for folder in (warehouse.parent, home / "quality", home / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    environment = {
        "OBSERVATORY_WAREHOUSE": str(warehouse),
        "OBSERVATORY_LANDING": str(home / "landing"),
        "OBSERVATORY_QUALITY": str(home / "quality"),
        "OBSERVATORY_ALERTS": str(home / "alerts.jsonl"),
        "OBSERVATORY_PUBLISHED": str(home / "published"),
        "OBSERVATORY_TEMP": str(home / "tmp"),
    }
    with _environment(environment):
        _invoke(home, "seed")
        for days in runs:
            variables = json.dumps({"snapshot_dates": days, "run_id": "golden"})
            _invoke(home, "run", "--select", *models, "--vars", variables)
    return warehouse


@cache
def _manifest() -> Manifest:
    """The project, parsed once for all runs of this process, as the daily job does it."""
    return DbtInProcess().manifest


def _options(home: Path) -> list[str]:
    folders = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    return [
        *folders,
        "--target-path",
        str(home / "target"),
        "--log-path",
        str(home / "logs"),
        "--quiet",
        "--no-write-json",
    ]


def _invoke(home: Path, *arguments: str) -> None:
    result = dbtRunner(manifest=_manifest()).invoke([*arguments, *_options(home)])
    # dbt keeps the file open after a call; nothing else in this process could read it.
    DuckDBConnectionManager.close_all_connections()
    failed = [] if result.result is None else [row for row in result.result if str(row.status) in ("error", "fail")]
    messages = "\n".join(f"{row.node.unique_id}: {row.message}" for row in failed)
    assert result.success, f"dbt {arguments[0]} failed: {result.exception or ''}\n{messages}"


def _table(warehouse: Path, query: str, key: tuple[str, ...], parameters: list) -> dict[tuple, dict]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        cursor = connection.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    table = {tuple(row[name] for name in key): row for row in rows}
    assert len(table) == len(rows), f"found {len(rows)} rows for {len(table)} keys; expected one row per {key}"
    return table


def published_table(warehouse: Path, table: str, key: tuple[str, ...], day: object) -> dict[tuple, dict]:
    """Rows of one snapshot day of a mart, by `key`."""
    return _table(warehouse, f"select * from marts.{table} where snapshot_date = ?", key, [day])


def published_history(warehouse: Path, table: str, key: tuple[str, ...]) -> dict[tuple, dict]:
    """Rows of all days of a mart, by `key`."""
    return _table(warehouse, f"select * from marts.{table}", key, [])


def published_models(warehouse: Path) -> dict[tuple, dict]:
    """Rows of dim_models by repo_id."""
    return _table(warehouse, "select * from marts.dim_models", ("repo_id",), [])
