"""How a dbt node is called and described in Dagster: key, group and owner follow from its folder. Descriptions and columns
come from dbt's own YAML and are not repeated here."""

import itertools
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.dbt_manifest import validate_manifest

from orchestration.defs.transform.columns import declared_columns, keys_of
from orchestration.project import dbt_project

OWNERS = ["team:data"]


class LayerTranslator(DagsterDbtTranslator):
    """Key `[layer, model]`, group = layer; seeds form a layer of their own; sources keep the key that their meta names."""

    @cached_property
    def keys(self) -> dict[str, list[str]]:
        return keys_of(validate_manifest(dbt_project.manifest_path))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] in {"model", "seed"}:
            return dg.AssetKey([layer_of(dbt_resource_props), dbt_resource_props["name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_asset_check_spec(self, asset_spec, manifest: Mapping[str, Any], unique_id: str, project):
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(description=spec.description or promised(manifest["nodes"][unique_id]))

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The prose alone: SQL of a hundred lines below it buries what a reader looks for, and its file is linked."""
        return " ".join(dbt_resource_props["description"].split())

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        metadata = dict(super().get_metadata(dbt_resource_props))
        if dbt_resource_props["resource_type"] in {"model", "seed"}:
            key = self.keys.get(dbt_resource_props["unique_id"], ())
            metadata["dagster/column_schema"] = declared_columns(dbt_resource_props, key)
            # dagster-dbt's own way to say so resolves each path on the disk, which costs a tenth of a second at each start
            file = dg.LocalFileCodeReference(
                file_path=str(dbt_project.project_dir / dbt_resource_props["original_file_path"])
            )
            metadata["dagster/code_references"] = dg.CodeReferencesMetadataValue(code_references=[file])
        return metadata

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return layer_of(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]):
        return super().get_owners(dbt_resource_props) or OWNERS


def promised(test: Mapping[str, Any]) -> str:
    """What a dbt test promises, in words: the comment that its SQL begins with, or what its kind means."""
    kind = test.get("test_metadata")
    if kind is None:
        lines = itertools.dropwhile(lambda line: not line.startswith("--"), test["raw_code"].splitlines())
        comment = itertools.takewhile(lambda line: line.startswith("--"), lines)
        return " ".join(line.removeprefix("--").strip() for line in comment)
    columns = kind["kwargs"].get("combination") or [kind["kwargs"].get("column_name")]
    return f"{kind['name'].replace('_', ' ')}: {', '.join(map(str, columns))}"


def layer_of(dbt_resource_props: Mapping[str, Any]) -> str:
    if dbt_resource_props["resource_type"] == "seed":
        return "seeds"
    if dbt_resource_props["resource_type"] == "source":
        return "extract"
    # fqn: project, layer, folders …, model
    return dbt_resource_props["fqn"][1]
