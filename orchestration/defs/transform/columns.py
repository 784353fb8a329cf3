"""Columns of dbt's models and seeds as Dagster shows them, from the manifest: names, types, meaning, not-null, key.
What a column is and means is written in dbt's YAML; types that nobody declared are read from the table once it is built."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg
from dagster_dbt.dbt_manifest import validate_manifest

from orchestration.project import dbt_project

UNDECLARED = "?"
KEY_TESTS = {"unique": "column_name", "unique_combination": "combination"}


def keys_of(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """The columns of each node's key, by its unique id: those that a dbt test says to be unique."""
    keys: dict[str, list[str]] = {}
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        if test.get("name") in KEY_TESTS and node.get("attached_node"):
            columns = test["kwargs"][KEY_TESTS[test["name"]]]
            keys[node["attached_node"]] = [columns] if isinstance(columns, str) else list(columns)
    return keys


def declared_columns(node: Mapping[str, Any], key: Iterable[str]) -> dg.TableSchema:
    """The columns that dbt's YAML describes, in its order; a table whose contract is enforced has these and no others."""
    types = node["config"].get("column_types") or {}
    key = list(key)
    columns = [
        dg.TableColumn(
            name=name,
            type=column.get("data_type") or types.get(name) or UNDECLARED,
            description=" ".join((column.get("description") or "").split()) or None,
            constraints=_constraints(name, is_null_refused=_is_null_refused(column), key=key),
        )
        for name, column in node["columns"].items()
    ]
    return dg.TableSchema(columns, constraints=dg.TableConstraints(other=_key_in_words(key)))


def built_columns(built: Iterable[tuple[str, str, bool]], declared: dg.TableSchema) -> dg.TableSchema:
    """The columns (name, type, nullable) that a table really has, each with what is declared of it, if anything."""
    known = {column.name: column for column in declared.columns}
    columns = []
    for name, of_type, is_nullable in built:
        column = known.get(name)
        described = column.description if column else None
        constraints = column.constraints if column else dg.TableColumnConstraints(nullable=is_nullable)
        columns.append(dg.TableColumn(name, of_type.lower(), described, constraints))
    return dg.TableSchema(columns, constraints=declared.constraints)


def columns_of_file(types: Mapping[str, str], mart: str, *, key: str) -> dict[str, dg.TableSchema]:
    """Metadata of a file (type by column) that a mart is made of; what a column means is said where the mart has it."""
    nodes = validate_manifest(dbt_project.manifest_path)["nodes"]
    described = next(node for node in nodes.values() if node["name"] == mart)["columns"]
    columns = [
        dg.TableColumn(
            name=name,
            type=of_type,
            description=" ".join(described.get(name, {}).get("description", "").split()) or None,
            constraints=_constraints(name, is_null_refused=name == key, key=[key]),
        )
        for name, of_type in types.items()
    ]
    return {
        "dagster/column_schema": dg.TableSchema(columns, constraints=dg.TableConstraints(other=_key_in_words([key])))
    }


def is_complete(schema: dg.TableSchema) -> bool:
    """Whether the declaration names every type, so that the table need not be looked at."""
    return bool(schema.columns) and all(column.type != UNDECLARED for column in schema.columns)


def _is_null_refused(column: Mapping[str, Any]) -> bool:
    return any(constraint["type"] == "not_null" for constraint in column.get("constraints") or ())


def _constraints(name: str, *, is_null_refused: bool, key: list[str]) -> dg.TableColumnConstraints:
    part_of_key = ["part of the key"] if name in key and len(key) > 1 else []
    return dg.TableColumnConstraints(nullable=not is_null_refused, unique=key == [name], other=part_of_key)


def _key_in_words(key: list[str]) -> list[str]:
    return [f"one row per {', '.join(key)}"] if key else []
