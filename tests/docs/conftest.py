"""The published tables as dbt declares them, read from its manifest: nothing is built for the tests of the prose."""

import json

import pytest

from orchestration.project import dbt_project


@pytest.fixture(scope="session")
def marts() -> dict[str, dict]:
    """Manifest nodes of schema `marts` by name, seeds that are published among them. `make setup` and `make test`
    write the manifest."""
    assert dbt_project.manifest_path.is_file(), "dbt's manifest is missing; do this: make setup"
    nodes = json.loads(dbt_project.manifest_path.read_text(encoding="utf-8"))["nodes"].values()
    return {
        node["name"]: node for node in nodes if node["resource_type"] in ("model", "seed") and node["schema"] == "marts"
    }
