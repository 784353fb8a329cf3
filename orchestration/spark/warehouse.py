"""A warehouse file made of the tables that Spark has handed over, fit for the same gates and the same publication as one
that dbt built in DuckDB. Nothing is worked out here: a table has the rows that Spark gave it and what its contract says."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from orchestration.publishing.errors import PublishRefused
from orchestration.publishing.layout import quoted, text_literal
from orchestration.settings import Settings

# Spark has no whole numbers beyond 64 bits and keeps them as decimals; its timestamps in Parquet are those of UTC.
OUR_TYPE = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMP", "DECIMAL(38,0)": "HUGEINT"}


def fill_warehouse(settings: Settings, handed_over: Path, manifest: Path) -> dict[str, int]:
    """Make the warehouse file anew from `<handed_over>/<schema>/<table>/*.parquet`; give the rows of each public table.

    `manifest` is dbt's: a public table gets the types, not-null constraints and descriptions of its contract, and one that
    is missing, or whose columns are others, is refused (PublishRefused). Tables that only gates read are views on the files.
    """
    models = _models(manifest)
    beside = settings.warehouse_path.with_suffix(".filling")
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.unlink(missing_ok=True)
    with duckdb.connect(str(beside)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for schema in ("staging", "intermediate", "marts"):
            connection.execute(f"create schema {schema}")
            for folder in sorted(path for path in (handed_over / schema).glob("*") if path.is_dir()):
                if schema != "marts":
                    connection.execute(
                        f"create view {schema}.{quoted(folder.name)} as {_selection(connection, folder)}"
                    )
        rows = {name: _copy(connection, handed_over / "marts" / name, model) for name, model in models.items()}
    beside.replace(settings.warehouse_path)
    return rows


def _models(manifest: Path) -> dict[str, Mapping[str, Any]]:
    """The public tables that Spark builds: the run's own history is made where is published."""
    nodes = json.loads(manifest.read_bytes())["nodes"].values()
    return {
        node["name"]: node
        for node in sorted(nodes, key=lambda node: node["name"])
        if node["resource_type"] == "model" and node["schema"] == "marts" and "quality" not in node["fqn"]
    }


def _selection(connection: duckdb.DuckDBPyConnection, folder: Path) -> str:
    """The table's rows in DuckDB's types."""
    files = f"read_parquet({text_literal(str(folder / '*.parquet'))}, hive_partitioning = false)"
    described = connection.execute(f"describe select * from {files}").fetchall()
    columns = [
        f"cast({quoted(name)} as {OUR_TYPE[kind]}) as {quoted(name)}" if kind in OUR_TYPE else quoted(name)
        for name, kind, *_ in described
    ]
    return f"select {', '.join(columns)} from {files}"


def _copy(connection: duckdb.DuckDBPyConnection, folder: Path, model: Mapping[str, Any]) -> int:
    name, columns = f"marts.{quoted(model['name'])}", model["columns"].values()
    if not any(folder.glob("*.parquet")):
        raise PublishRefused(
            found=f"no file of {model['name']} in {folder}",
            expected="every public table that dbt builds on Spark",
            do_this="build the days on Spark again, and hand its tables over",
        )
    declared = ", ".join(
        f"{quoted(column['name'])} {column['data_type']}"
        + (" not null" if any(constraint["type"] == "not_null" for constraint in column["constraints"]) else "")
        for column in columns
    )
    order = ", ".join(quoted(column["name"]) for column in columns)
    try:
        connection.execute(f"create table {name} ({declared})")
        connection.execute(f"insert into {name} select {order} from ({_selection(connection, folder)})")
    except duckdb.Error as error:
        raise PublishRefused(
            found=f"{model['name']} as Spark handed it over does not fit its contract: {error}",
            expected="the columns, types and not-null constraints of the model's YAML",
            do_this="build the days on Spark with the same commit that publishes them",
        ) from error
    connection.execute(f"comment on table {name} is {text_literal(model['description'])}")
    for column in columns:
        described = text_literal(column["description"])
        connection.execute(f"comment on column {name}.{quoted(column['name'])} is {described}")
    return connection.execute(f"select count(*) from {name}").fetchone()[0]
