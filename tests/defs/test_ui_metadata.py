"""What the data team reads in Dagster's UI: columns of every table, what checks promise and found, where links lead."""

from dataclasses import replace
from datetime import UTC, date, datetime

import dagster as dg
import pytest
from dagster_dbt.dbt_manifest import validate_manifest

from orchestration.definitions import defs as load
from orchestration.defs.extract.columns import listing_columns
from orchestration.defs.links import reading, runbook_link
from orchestration.defs.transform.columns import built_columns, declared_columns, is_complete
from orchestration.defs.verdicts import verdict_description, verdict_metadata
from orchestration.hub.listings import LISTINGS
from orchestration.landing import accounts, captures
from orchestration.project import dbt_project
from orchestration.quality.results import CheckResult, GateResult
from tests.defs.hostile import ACTS, CONTROLS, HOSTILE

DAY = date(2026, 11, 24)
# A version and its pages: what they hold is told by the marts.
NO_TABLES = {"publish/candidate", "publish/report", "publish/current", "publish/previous_version"}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return load()


@pytest.fixture(scope="module")
def specs(definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def nodes() -> dict[str, dict]:
    manifest = validate_manifest(dbt_project.manifest_path)
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] in {"model", "seed"}}


def schema_of(spec: dg.AssetSpec) -> dg.TableSchema:
    return spec.metadata["dagster/column_schema"]


def test_every_table_has_columns_and_every_description_is_prose(specs, nodes):
    for name, spec in specs.items():
        assert ("dagster/column_schema" in spec.metadata) == (name not in NO_TABLES), name
        assert "SQL" not in spec.description.split(". ")[-1]
        assert "\n" not in spec.description, name
        if name not in NO_TABLES and name.split("/")[-1] in nodes:
            node = nodes[name.split("/")[-1]]
            assert [c.name for c in schema_of(spec).columns] == list(node["columns"]), name
            assert spec.metadata["dagster/table_name"] == f"observatory.{node['schema']}.{node['name']}"
            assert all(column.description for column in schema_of(spec).columns), name
            (source,) = spec.metadata["dagster/code_references"].code_references
            assert source.file_path.endswith(node["original_file_path"])


def test_public_tables_show_their_contract(specs, nodes):
    marts = {name: spec for name, spec in specs.items() if name.startswith("marts/")}
    assert len(marts) >= 30
    for name, spec in marts.items():
        node = nodes[name.split("/")[-1]]
        assert is_complete(schema_of(spec)), name
        for column in schema_of(spec).columns:
            declared = node["columns"][column.name]
            refused = any(constraint["type"] == "not_null" for constraint in declared["constraints"])
            assert (column.type, column.constraints.nullable) == (declared["data_type"], not refused), column


def test_keys_are_shown_where_they_are_tested(specs):
    shares = schema_of(specs["marts/mart_daily_country_share"])
    key = [c.name for c in shares.columns if c.constraints.other == ["part of the key"]]
    assert key == ["snapshot_date", "metric", "window_days", "attribution", "denominator", "country_code"]
    assert shares.constraints.other == [f"one row per {', '.join(key)}"]
    models = {column.name: column for column in schema_of(specs["marts/dim_models"]).columns}
    assert models["repo_id"].constraints.unique
    assert not models["model_id"].constraints.unique


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("hub/models", LISTINGS["models"].schema),
        ("hub/authors", accounts.SCHEMA),
        ("hub/captures", captures.SCHEMA),
    ],
)
def test_landed_days_show_the_schema_that_they_are_written_with(specs, name, schema):
    columns = schema_of(specs[name]).columns
    assert [column.name for column in columns] == schema.names
    assert all(column.description for column in columns)


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_every_listing_can_be_shown(listing):
    columns = listing_columns(listing)["dagster/column_schema"].columns
    assert [c.name for c in columns if c.constraints.unique] == ["_id"]
    assert [c.name for c in columns] == listing.schema.names


def test_types_that_nobody_declared_come_from_the_table():
    node = {"columns": {"a": {"description": "What a is."}, "b": {"data_type": "date"}}, "config": {}}
    declared = declared_columns(node, ["a"])
    assert not is_complete(declared)
    built = built_columns([("a", "VARCHAR", True), ("c", "BIGINT[]", False)], declared)
    assert [(c.name, c.type, c.description, c.constraints.nullable) for c in built.columns] == [
        ("a", "varchar", "What a is.", True),
        ("c", "bigint[]", None, False),
    ]
    assert built.constraints.other == ["one row per a"]


def test_checks_say_what_they_promise(definitions):
    graph = definitions.resolve_asset_graph()
    assert len(graph.asset_check_keys) > 40
    for key in graph.asset_check_keys:
        assert len(graph.get(key).description or "") > 15, key


# ---------- a verdict


RESULT = CheckResult(
    evaluation_id="e",
    run_id="r",
    evaluated_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    snapshot_date=DAY,
    step="raw",
    table_name="hub_models",
    check_name="downloads_is_not_negative",
    severity="blocks",
    blocking=True,
    passed=True,
    crashed=False,
    accepted_event=False,
    accepted_because=None,
    owner="team:data",
    observed="0",
    threshold="0",
    basis="fixed on 2026-11-24",
    reason="it is a count",
    evaluated_rows=7,
    failed_rows=0,
)


def broken(**changes) -> CheckResult:
    return replace(RESULT, **{"passed": False, "observed": "2", "failed_rows": 2, **changes})


def shown(settings, *results: CheckResult) -> dict:
    return {
        name: value.records
        if isinstance(value, dg.TableMetadataValue)
        else value.value
        if isinstance(value, dg.MetadataValue)
        else value
        for name, value in verdict_metadata(GateResult("raw", (DAY,), results), settings).items()
    }


def test_a_green_check_is_short_and_leads_to_the_gates_chapter(settings):
    metadata = shown(settings, RESULT)
    assert set(metadata) == {"days", "overview", "promises", "promises_broken", "runbook"}
    assert (metadata["promises"], metadata["promises_broken"]) == (1, 0)
    assert metadata["runbook"].endswith("RUNBOOK.md#gate-raw")


def test_a_red_check_shows_all_that_its_reader_asks_for(settings):
    settings = settings.model_copy(update={"runbook_url": "http://127.0.0.1:1/RUNBOOK.md"})
    offenders = ({"_id": "1", "downloads": -1}, {"_id": "2", "downloads": -3})
    watched = broken(blocking=False, severity="watch", check_name="model_name_is_held_once")
    metadata = shown(settings, watched, broken(offenders=offenders))

    assert metadata["first_promise"] == "hub_models: downloads is not negative"  # what blocks comes first
    assert metadata["first_found"] == "2"
    assert metadata["first_expected"] == "0 (fixed on 2026-11-24)"
    assert metadata["first_reason"] == "it is a count"
    assert (metadata["first_owner"], metadata["first_severity"]) == ("team:data", "blocks")
    assert metadata["first_what_to_do"] == "http://127.0.0.1:1/RUNBOOK.md#downloads_is_not_negative"
    assert [record.data for record in metadata["first_offenders"]] == [
        {"_id": "1", "downloads": "-1"},
        {"_id": "2", "downloads": "-3"},
    ]
    assert (metadata["days_stopped"], metadata["promises_broken"]) == ("2026-11-24", 2)
    assert "| _id | downloads |" in metadata["broken_promises"].replace("`", "")
    for name in ("downloads_is_not_negative", "model_name_is_held_once"):
        assert f"[what to do](http://127.0.0.1:1/RUNBOOK.md#{name})" in metadata["broken_promises"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_text_in_a_verdict(settings, name):
    settings = settings.model_copy(update={"runbook_url": ""})
    part = GateResult("raw", (DAY,), (broken(observed=name, offenders=({"id": name, name: 1},), crashed=True),))
    metadata = shown(settings, part.results[0])

    prose = [line for line in metadata["broken_promises"].split("\n") if not line.startswith("|")]
    assert not ACTS.search(verdict_description(part).replace("`RUNBOOK", ""))
    assert not ACTS.search("\n".join(prose).split("what to do: ")[0])
    texts = [str(value) for value in metadata.values()]
    assert not set("".join(texts).replace("\n", "")) & CONTROLS
    (record,) = metadata["first_offenders"]
    assert not set("".join(map(str, [*record.data, *record.data.values()]))) & CONTROLS


# ---------- links


def test_links_are_addresses_if_there_are_some_and_paths_else(settings):
    assert {type(value) for value in reading(settings).values()} == {dg.PathMetadataValue}
    assert reading(settings)["report"].value.endswith("published/current/report/index.html")
    assert runbook_link(settings, "gate-raw").value.endswith("/RUNBOOK.md#gate-raw")

    settings = settings.model_copy(
        update={"report_url": "http://127.0.0.1:1/report", "runbook_url": "http://127.0.0.1:2"}
    )
    assert reading(settings)["report"] == dg.MetadataValue.url("http://127.0.0.1:1/report/index.html")
    assert reading(settings)["quality_page"] == dg.MetadataValue.url("http://127.0.0.1:1/report/quality.html")
    assert runbook_link(settings, "gate-raw") == dg.MetadataValue.url("http://127.0.0.1:2#gate-raw")
