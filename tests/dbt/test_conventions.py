"""Conventions of the dbt project, read from its manifest: what refers to what, what is described, tested and under contract.
Nothing is run here; `make test` parses the project once a session."""

import re

import pytest
import yaml

from orchestration.quality.suites import PUBLISHED_TABLES, SUITES
from orchestration.quality.suites.published import PUBLISHED_DATABASE
from tests.dbt.built_warehouse import PROJECT

LAYERS = ("staging", "intermediate", "marts")
# Check results are written after the marts' gate and alerts by sensors, and a version is compared with the one before it
# when it is made: the last step reads them itself.
READS_A_SOURCE_OUTSIDE_STAGING = {"fct_alerts", "fct_quality_results", "mart_restatements"}
# What a run replaces: its days, one evaluation, and the small numbers that a repository or an attribution keeps.
KEYS_OF_INCREMENTS = (
    "snapshot_date",
    "evaluation_id",
    "repo_id",
    "attribution_key",
    ["repo_key", "milestone_days"],
    ["name_key", "repo_key"],
)
# Marts may read dimensions, and nothing else of their own layer; the last step compares and sums up other marts, too.
SHARED_DIMENSIONS = {"dim_snapshots", "dim_models", "dim_countries", "dim_organizations"}
READ_BY_THE_LAST_STEP = {
    "mart_restatements": {"mart_daily_country_share", "mart_headline_claims"},
    "mart_daily_quality_score": {"fct_quality_results"},
    "mart_promise_history": {"fct_quality_results"},
}


@pytest.fixture(scope="module")
def models(manifest) -> dict:
    return {node.name: node for node in manifest.nodes.values() if node.resource_type == "model"}


@pytest.fixture(scope="module")
def seeds(manifest) -> dict:
    return {node.name: node for node in manifest.nodes.values() if node.resource_type == "seed"}


def layer(node) -> str:
    return node.fqn[1]


def parents(manifest, node) -> list:
    return [manifest.nodes.get(name) or manifest.sources[name] for name in node.depends_on.nodes]


def test_every_model_lies_in_a_layer_and_its_schema(models):
    for model in models.values():
        assert layer(model) in LAYERS
        assert model.schema == layer(model)


def test_names_tell_the_layer(models):
    prefixes = {"staging": ("stg_hub__",), "intermediate": ("int_",), "marts": ("dim_", "fct_", "mart_", "bridge_")}
    for model in models.values():
        assert model.name.startswith(prefixes[layer(model)]), model.name


def test_every_description_ends_with_its_grain(models, seeds):
    for node in [*models.values(), *seeds.values()]:
        assert re.search(r"One row per [^.]+\.\s*$", node.description), node.name


def test_only_staging_reads_sources(manifest, models):
    readers = {
        model.name
        for model in models.values()
        if any(parent.resource_type == "source" for parent in parents(manifest, model)) and layer(model) != "staging"
    }
    assert readers == READS_A_SOURCE_OUTSIDE_STAGING


def test_files_are_opened_by_the_macros_for_it_only():
    for path in PROJECT.glob("models/**/*.sql"):
        assert "read_parquet" not in path.read_text(), path.name


def test_layers_refer_downwards(manifest, models):
    for model in models.values():
        for parent in parents(manifest, model):
            if parent.resource_type in ("seed", "source"):
                continue
            if layer(model) == "staging":
                assert layer(parent) == "staging", (model.name, parent.name)
            elif layer(model) == "intermediate":
                assert layer(parent) in ("staging", "intermediate"), (model.name, parent.name)
            else:
                readable = SHARED_DIMENSIONS | READ_BY_THE_LAST_STEP.get(model.name, set())
                allowed = layer(parent) == "intermediate" or parent.name in readable
                assert allowed, (model.name, parent.name)


def test_every_column_of_staging_and_marts_is_described(models):
    for model in models.values():
        if layer(model) in ("staging", "marts"):
            assert model.columns, model.name
            for column in model.columns.values():
                assert column.description.strip(), (model.name, column.name)


def test_described_columns_are_those_that_exist(loaded, models):
    for model in models.values():
        exist = {
            name
            for (name,) in loaded.rows(
                "select column_name from information_schema.columns where table_schema = ? and table_name = ?",
                model.schema,
                model.name,
            )
        }
        described = set(model.columns)
        assert described <= exist, (model.name, described - exist)
        if layer(model) in ("staging", "marts"):
            assert described == exist, (model.name, exist ^ described)


def test_marts_are_under_an_enforced_contract_with_portable_types(models):
    portable = {"string", "bigint", "integer", "double", "boolean", "date", "timestamp"}
    for model in models.values():
        if layer(model) == "marts":
            assert model.config.contract.enforced, model.name
            assert {column.data_type for column in model.columns.values()} <= portable, model.name


def test_columns_that_may_be_null_say_what_null_means(models):
    for model in models.values():
        if layer(model) != "marts":
            continue
        for column in model.columns.values():
            may_be_null = not any(constraint.type.value == "not_null" for constraint in column.constraints)
            if may_be_null:
                assert "null" in column.description.lower(), (model.name, column.name)


@pytest.fixture(scope="module")
def tested_keys(manifest) -> dict[str, list[str]]:
    """The columns that are tested to be unique together, by model or seed."""
    keys = {}
    for node in manifest.nodes.values():
        metadata = getattr(node, "test_metadata", None)
        if metadata and metadata.name == "unique_combination":
            attached = manifest.nodes[node.attached_node]
            keys[attached.name] = metadata.kwargs["combination"]
    return keys


def test_the_key_of_every_mart_is_tested_and_never_null(models, tested_keys):
    for model in models.values():
        if layer(model) == "marts":
            grain = re.search(r"One row per ([^.]+)\.\s*$", model.description).group(1)
            for column in tested_keys[model.name]:
                assert column in grain, (model.name, column)
                constraints = {constraint.type.value for constraint in model.columns[column].constraints}
                assert "not_null" in constraints, (model.name, column)


def test_a_test_that_no_daily_run_makes_is_a_blocking_promise_of_a_gate(manifest, models, tested_keys):
    promised = {
        suite.table
        for suite in SUITES.values()
        for promise in suite.promises
        if suite.step == "marts" and promise.blocking and promise.check_name.endswith("_is_unique")
    }
    # of what is built behind the marts' gate, the gate on the candidate holds the key
    (keys,) = [promise for promise in PUBLISHED_DATABASE.promises if promise.check_name == "keys_are_unique"]
    behind_it = {
        name
        for name, key in PUBLISHED_TABLES.items()
        if keys.blocking and name in models and models[name].fqn[2] == "quality" and tested_keys[name] == list(key)
    }
    left_out = [node for node in manifest.nodes.values() if "judged_by_the_gate" in node.tags]
    assert {manifest.nodes[node.attached_node].name for node in left_out} - promised - behind_it == set()
    assert {node.test_metadata.name for node in left_out} == {"unique_combination"}


def test_day_slices_are_replaced_by_day(models):
    for model in models.values():
        if model.config.materialized == "incremental":
            # verdicts of the past can't be made again: what they did not tell is null
            change = "append_new_columns" if model.name == "fct_quality_results" else "fail"
            assert model.config.on_schema_change == change, model.name
            if model.config.incremental_strategy == "replace":
                # by what the run looked at: a day of which nothing is left loses its rows
                for gone in model.config.meta["replaces"]:
                    assert any(name.endswith(f".{gone['relation']}") for name in model.depends_on.nodes), model.name
            else:
                assert model.config.incremental_strategy == "delete+insert", model.name
                assert model.config.unique_key in KEYS_OF_INCREMENTS, model.name


def test_every_branching_model_has_a_unit_test(manifest, models):
    tested = {unit_test.model for unit_test in manifest.unit_tests.values()}
    branching = {
        "stg_hub__models",
        "stg_hub__model_parents",
        "stg_hub__model_licenses",
        "int_namespaces_located",
        "int_model_parents_resolved",
        "int_model_roots_placed",
        "int_families_named",
        "int_model_licenses_ranked",
        "int_models_attributed",
        "int_models_folded",
        "int_organizations_summed",
        "int_release_cadence",
        "int_releases_summed",
        "int_repositories_released",
        "int_counters_compared",
        "int_snapshots_classified",
        "int_days_of_run",
        "int_days_restated",
        "int_model_openings",
        "int_model_downloads_daily",
        "int_windows_restated",
        "int_window_downloads_summed",
        "int_window_outstanding_found",
        "int_country_crossovers",
        "int_metric_downloads_summed",
        "fct_daily_country_downloads",
        "dim_model_history",
        "mart_daily_country_share",
        "mart_daily_organization_share",
        "mart_attribution_coverage",
        "mart_attribution_sensitivity",
        "mart_headline_claims",
        "int_repository_names",
        "int_composition_summed",
        "int_entity_downloads_counted",
        "int_derivatives_summed",
        "mart_daily_modality_share",
        "mart_daily_openness",
        "mart_daily_size_share",
        "mart_daily_technique_share",
        "mart_daily_family_share",
        "mart_daily_concentration",
        "mart_daily_lineage",
        "mart_monthly_independent_players",
        "mart_restatements",
        "mart_daily_quality_score",
        "mart_promise_history",
        "mart_weekly_release_frequency",
        "dim_models",
        "dim_organizations",
    }
    assert branching <= tested
    assert tested <= set(models)


def test_the_project_stays_small(manifest):
    # tests of seeds run once a change, not once a day
    run_daily = [
        node
        for node in manifest.nodes.values()
        if node.resource_type in ("model", "seed")
        or (
            node.resource_type == "test"
            and not node.original_file_path.startswith("seeds/")
            and "judged_by_the_gate" not in node.tags
        )
    ]
    assert len(run_daily) <= 120


def test_nothing_of_a_day_stands_in_yaml_or_config(manifest):
    for path in [*PROJECT.glob("models/**/*.yml"), *PROJECT.glob("seeds/*.yml")]:
        assert "var(" not in path.read_text(), path.name
    for path in PROJECT.glob("models/**/*.sql"):
        for config in re.findall(r"\{\{\s*config\((.*?)\)\s*\}\}", path.read_text(), flags=re.DOTALL):
            assert "var(" not in config, path.name


def test_every_bound_has_a_reason_and_a_date_beside_it():
    lines = (PROJECT / "dbt_project.yml").read_text().split("\nvars:\n")[1].splitlines()
    names = yaml.safe_load("\n".join(["vars:", *lines]))["vars"]
    of_the_run = {"snapshot_dates", "run_id"}
    comment, dated = "", set()
    for line in lines:
        if line.strip().startswith("#"):
            comment += line
        elif match := re.match(r"  (\w+):", line):
            if re.search(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", comment):
                dated.add(match.group(1))
        else:
            comment = ""
    assert dated == set(names) - of_the_run


def test_sql_stays_with_what_other_engines_read():
    for path in [*PROJECT.glob("models/**/*.sql"), *PROJECT.glob("tests/*.sql")]:
        # what stands for `union` between two selects is one
        text = re.sub(r"\{\{ recursion_repeats\('(union(?: all)?)'\) \}\}", r"\1", path.read_text())
        sql = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|--[^\n]*|'[^']*'", " ", text, flags=re.DOTALL).lower()
        for foreign in (
            "::",
            '"',
            "group by all",
            "order by all",
            "qualify ",
            "unnest(",
            "list_",
            "[",
            "filter (where",
        ):
            assert foreign not in sql, (path.name, foreign)
        assert not re.search(r"^\s*from\s+\w+\s*$\s*^\s*select", sql, flags=re.MULTILINE), path.name
