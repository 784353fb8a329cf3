"""How a dbt node is called in Dagster: key, group and owner follow from its folder. Descriptions and columns come from
dbt's own YAML and are not repeated here."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

OWNERS = ["team:data"]


class LayerTranslator(DagsterDbtTranslator):
    """Key `[layer, model]`, group = layer; seeds form a layer of their own; sources keep the key that their meta names."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] in {"model", "seed"}:
            return dg.AssetKey([layer_of(dbt_resource_props), dbt_resource_props["name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return layer_of(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]):
        return super().get_owners(dbt_resource_props) or OWNERS


def layer_of(dbt_resource_props: Mapping[str, Any]) -> str:
    if dbt_resource_props["resource_type"] == "seed":
        return "seeds"
    if dbt_resource_props["resource_type"] == "source":
        return "extract"
    # fqn: project, layer, folders …, model
    return dbt_resource_props["fqn"][1]
