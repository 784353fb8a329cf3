"""The warehouse as a whole: days in any order and again, the day filter, reconciliation, what each table says.
Rules of a single model are dbt unit tests; they run here too."""

import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dbt.built_warehouse import Warehouse
from tests.dbt.landing_days import DAYS, INCOMPLETE_DAY, day_models, first_day_models, land_day

FIRST, SECOND, THIRD = DAYS
MARTS = {
    "bridge_model_parents",
    "dim_countries",
    "dim_model_history",
    "dim_models",
    "dim_events",
    "dim_organizations",
    "dim_snapshots",
    "fct_alerts",
    "fct_daily_country_downloads",
    "fct_daily_model_downloads",
    "fct_quality_results",
    "fct_releases",
    "mart_attribution_coverage",
    "mart_attribution_queue",
    "mart_attribution_sensitivity",
    "mart_country_crossovers",
    "mart_daily_concentration",
    "mart_daily_country_share",
    "mart_daily_family_share",
    "mart_daily_lineage",
    "mart_daily_modality_share",
    "mart_daily_openness",
    "mart_daily_organization_share",
    "mart_daily_quality_score",
    "mart_daily_size_share",
    "mart_daily_technique_share",
    "mart_headline_claims",
    "mart_monthly_independent_players",
    "mart_promise_history",
    "mart_relative_adoption",
    "mart_release_cadence",
    "mart_restatements",
    "mart_weekly_release_frequency",
}


@pytest.fixture(scope="module")
def fingerprints(loaded) -> dict[str, str]:
    return loaded.fingerprints()


def test_a_daily_run_builds_every_mart_and_stays_small(tmp_path, loaded, fingerprints):
    warehouse = loaded.copied_to(tmp_path)
    results = warehouse.build([THIRD])
    tests = [result.node for result in results if result.node.resource_type == "test"]
    assert set(fingerprints) == MARTS
    # tests of seeds run once a change, not once a day; the gates' own checks come on top, and all may be 60
    left_out = [
        node for node in tests if node.original_file_path.startswith("seeds/") or "judged_by_the_gate" in node.tags
    ]
    assert len(results) - len(left_out) <= 120
    assert 20 <= len(tests) - len(left_out) <= 45
    assert warehouse.fingerprints() == fingerprints


def test_an_older_day_again_changes_nothing(tmp_path, loaded, fingerprints):
    warehouse = loaded.copied_to(tmp_path)
    warehouse.load([FIRST])
    assert warehouse.fingerprints() == fingerprints


def test_days_backwards_give_the_same_marts(tmp_path, landing, manifest, fingerprints):
    warehouse = Warehouse(tmp_path, landing, manifest)
    warehouse.run("seed", "--quiet")
    for day in (THIRD, SECOND, FIRST):
        warehouse.load([day])
    assert warehouse.fingerprints() == fingerprints


def test_a_full_refresh_of_all_landed_days_gives_the_same_marts(tmp_path, loaded, fingerprints):
    warehouse = loaded.copied_to(tmp_path)
    warehouse.execute("update marts.mart_daily_country_share set share = 0.5")
    warehouse.execute("update marts.dim_models set first_seen_date = date '1999-01-01'")
    warehouse.load([], "--full-refresh")
    assert warehouse.fingerprints() == fingerprints


def test_several_days_in_one_run_give_the_same_marts(tmp_path, landing, manifest, fingerprints):
    warehouse = Warehouse(tmp_path, landing, manifest)
    warehouse.run("seed", "--quiet")
    warehouse.load(DAYS)
    assert warehouse.fingerprints() == fingerprints


def test_another_day_in_the_same_process_processes_that_day_only(tmp_path, loaded):
    """The session's manifest has run other days before: what a day left in it would show here."""
    warehouse = loaded.copied_to(tmp_path)
    results = warehouse.build([SECOND], seeds=False)
    for table in ("staging.stg_hub__models", "staging.stg_hub__accounts", "intermediate.int_models_attributed"):
        assert warehouse.rows(f"select distinct snapshot_date from {table}") == [(SECOND,)]
    filtered = [r.node for r in results if r.node.resource_type == "test" and "cast('20" in r.node.compiled_code]
    assert len(filtered) >= 10
    for node in filtered:
        assert str(SECOND) in node.compiled_code, node.name
        assert str(FIRST) not in node.compiled_code, node.name
        assert str(THIRD) not in node.compiled_code, node.name


def test_a_key_test_judges_the_days_of_its_run(tmp_path, loaded):
    warehouse = loaded.copied_to(tmp_path)
    warehouse.execute(
        "insert into marts.mart_daily_country_share select * from marts.mart_daily_country_share "
        f"where snapshot_date = date '{FIRST}' limit 1"
    )
    key_test = ("test", "--quiet", "--select", "mart_daily_country_share,test_name:unique_combination")
    assert warehouse.invoke(*key_test, days=[SECOND]).success
    assert not warehouse.invoke(*key_test, days=[FIRST]).success
    assert not warehouse.invoke(*key_test).success


VIOLATIONS = {
    "assert_countries_sum_to_staging": [
        "update marts.mart_daily_country_share set downloads = downloads + 1 where country_code = 'CN' and metric = "
        "'new_created' and attribution = 'origin'",
        "delete from marts.mart_daily_country_share where metric = 'all_time'",
    ],
    "assert_organizations_sum_to_country": [
        "update marts.mart_daily_organization_share set downloads = downloads - 1 where organization = '(other)'",
        "delete from marts.mart_daily_organization_share where country_code = 'US'",
    ],
    "assert_shares_sum_to_one": [
        "update marts.mart_daily_country_share set share = share + 0.00001 where country_code = 'US'",
        "update marts.mart_daily_country_share set share_without_outliers = share where country_code = 'CN'",
    ],
    "assert_country_codes_exist": [
        "update marts.mart_daily_lineage set origin_country = 'ZZ'",
        "update marts.dim_organizations set secondary_country_code = 'EN' where namespace = 'Qwen'",
    ],
    "assert_windows_sum_to_daily_downloads": [
        "update marts.fct_daily_model_downloads set downloads = downloads + 1 where delta_status <> 'vanished'",
        "update marts.fct_daily_country_downloads set downloads = downloads - 1 where country_code = 'CN'",
    ],
    "assert_organizations_leave_out_persons_only": [
        "update marts.mart_daily_country_share set total_downloads = total_downloads - 1 where denominator = "
        "'organizations'",
        "update intermediate.int_models_attributed set origin_is_person = true where origin_country_code = 'US'",
    ],
    "assert_bounds_enclose_shares": [
        "update marts.mart_daily_country_share set share_high = share - 0.001 where country_code = 'US'",
        "update marts.mart_daily_country_share set share_low = 0 where country_code = 'XX'",
    ],
    "assert_composition_sums_to_country": [
        "update marts.mart_daily_modality_share set downloads = downloads + 1 where country_code = 'CN'",
        "delete from marts.mart_daily_openness where country_code = 'US' and attribution = 'origin'",
        "update marts.mart_daily_size_share set models = models - 1 where size_class = 'unknown'",
        "update marts.mart_daily_concentration set gini = -0.01 where entity = 'model'",
        "update marts.mart_daily_concentration set effective_entities = 0.99 where scope = 'world'",
    ],
    "assert_every_model_is_kept": [
        "delete from intermediate.int_models_attributed where model_id = 'bigscience/bloom'",
        "delete from marts.dim_models where model_id = 'bigscience/bloom'",
    ],
}


@pytest.mark.parametrize(
    ("truth", "statement"),
    [
        pytest.param(truth, statement, id=f"{truth}, {number}")
        for truth, statements in VIOLATIONS.items()
        for number, statement in enumerate(statements, start=1)
    ],
)
def test_each_reconciliation_finds_what_breaks_it(tmp_path, loaded, truth, statement):
    warehouse = loaded.copied_to(tmp_path)
    warehouse.execute(statement)
    result = warehouse.invoke("test", "--quiet", "--select", truth, days=[THIRD])
    assert [str(entry.status) for entry in result.result] == ["fail"]


def test_every_truth_has_a_violation(manifest):
    truths = {node.name for node in manifest.nodes.values() if node.name.startswith("assert_")}
    assert truths == set(VIOLATIONS)


def test_the_seeds_keep_their_keys_and_references(tmp_path, loaded):
    result = loaded.copied_to(tmp_path).run("test", "--quiet", "--select", "path:seeds")
    assert len(result.result) >= 10


def test_the_unit_tests_of_all_rules_pass(tmp_path, loaded, manifest):
    result = loaded.copied_to(tmp_path).run("test", "--quiet", "--select", "test_type:unit")
    assert len(result.result) == len(manifest.unit_tests) >= 29


# What the tables say


def test_totals_equal_the_landed_days_to_the_unit(loaded):
    for day in DAYS:
        models = day_models(day)
        published = dict(
            loaded.rows(
                "select metric, cast(sum(downloads) as bigint) from marts.mart_daily_country_share where "
                "snapshot_date = ? and denominator = 'all' and attribution = 'origin' group by metric",
                day,
            )
        )
        assert published["all_time"] == sum(row["downloadsAllTime"] for row in models)
        assert published["trailing_30d"] == sum(row["downloads"] for row in models)


def test_snapshots_name_missing_and_incomplete_days(loaded):
    days = loaded.rows("select snapshot_date, status, reason, is_simulated from marts.dim_snapshots order by 1")
    assert days == [
        (FIRST, "complete", None, True),
        (SECOND, "complete", None, True),
        (date(2026, 10, 8), "missing", None, None),
        (THIRD, "complete", None, True),
        (INCOMPLETE_DAY, "incomplete", "terminal page not reached", True),
    ]


def test_models_follow_their_id_through_renames_and_deletions(loaded):
    models = {
        row[0]: row[1:]
        for row in loaded.rows(
            "select model_id, namespace, first_seen_date, last_seen_date, is_listed from marts.dim_models"
        )
    }
    assert models["another/small-two"] == ("another", FIRST, THIRD, True)
    assert "someone/small-2" not in models
    assert models["someone/small-1"] == ("someone", FIRST, FIRST, False)
    assert models["deepseek-ai/DeepSeek-R2-VL"] == ("deepseek-ai", SECOND, THIRD, True)
    assert len(models) == len(first_day_models()) + 1


def test_parents_are_those_of_the_latest_sight(loaded):
    parents = loaded.rows(
        "select models.model_id, bridge.parent_model_id, bridge.parent_repo_id is not null "
        "from marts.bridge_model_parents as bridge join marts.dim_models as models using (repo_id) order by 1, 2"
    )
    children = [child for child, _, _ in parents]
    assert "someone/placed-orphan" not in children
    assert ("someone/orphan", "nobody-knows/gone", False) in parents
    assert ("someone/gpt-oss-finetune", "openai/GPT-OSS-20b", True) in parents
    assert children.count("someone/east-west-merge") == 2


def test_origin_follows_declared_lineage(loaded):
    places = {
        row[0]: row[1:]
        for row in loaded.rows("select model_id, uploader_country, origin_country from marts.dim_models")
    }
    assert places["unsloth/Qwen3-8B-Instruct-GGUF"] == ("XC", "CN")
    assert places["someone/qwen3-tuned-gguf"] == ("XC", "CN")
    assert places["someone/east-west-merge"] == ("XC", "XM")
    assert places["another/chinese-merge"] == ("XC", "CN")
    assert places["someone/gpt-oss-finetune"] == ("XC", "US")
    assert places["someone/on-renamed"] == ("XC", "FR")
    assert places["someone/orphan"] == ("XC", "XX")
    assert places["someone/cycle-a"] == ("XC", "XC")
    assert places["mystery/model"] == ("XX", "XX")
    assert places["legacy-model"] == ("XX", "XX")


def test_persons_are_in_no_published_table_of_organisations(loaded):
    assert loaded.rows(
        "select count(*) from marts.dim_organizations where account_type = 'person' and not is_seeded"
    ) == [(0,)]
    names = {name for (name,) in loaded.rows("select distinct organization from marts.mart_daily_organization_share")}
    assert names.isdisjoint({"someone", "another", "TheBloke", "mystery", "acme-labs"})
    assert {"Qwen", "DeepSeek", "(other)"} <= names


def test_the_queue_names_the_largest_unlocated_namespaces_of_the_latest_day(loaded):
    queue = loaded.rows(
        "select namespace, models, largest_model, snapshot_date from marts.mart_attribution_queue order by downloads desc"
    )
    assert queue == [
        ("acme-labs", 2, "acme-labs/tiny-test", THIRD),
        ("mystery", 1, "mystery/model", THIRD),
        ("(none)", 1, "legacy-model", THIRD),
    ]


def test_every_claim_has_rows_on_every_day_and_a_reason_where_it_has_no_value(loaded):
    claims = loaded.rows(
        "select snapshot_date, list(distinct claim_id order by claim_id), "
        "list(distinct claim_id order by claim_id) filter (value is not null), min(length(caveat)), "
        "count(*) filter ((value is null) <> starts_with(caveat, 'Null: ')) "
        "from marts.mart_headline_claims group by 1 order by 1"
    )
    # the hand-made Hub lists nothing distilled, no Llama, no Olmo and nothing that generates video
    assert [(day, answered) for day, _, answered, _, _ in claims] == [(day, [1, 3, 4, 7, 8, 11, 12]) for day in DAYS]
    assert all(present == list(range(1, 16)) and shortest > 40 for _, present, _, shortest, _ in claims)
    assert all(without_reason == 0 for *_, without_reason in claims)
    value, reported, comparison, as_of = loaded.rows(
        "select value, reported_value, reported_comparison_value, reported_as_of from marts.mart_headline_claims "
        "where claim_id = 1 and part = 'new_trailing_30d/origin' and snapshot_date = ?",
        THIRD,
    )[0]
    assert (reported, comparison, as_of) == (0.171, 0.158, date(2025, 8, 31))
    share = loaded.rows(
        "select share from marts.mart_daily_country_share where metric = 'new_trailing_30d' and attribution = 'origin' "
        "and denominator = 'all' and country_code = 'CN' and snapshot_date = ?",
        THIRD,
    )
    assert share == [(value,)]


def test_tables_and_columns_carry_their_descriptions_in_the_database(loaded):
    without = loaded.rows(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and coalesce(comment, '') = ''"
    )
    assert without == []
    tables = loaded.rows("select comment from duckdb_tables() where schema_name = 'marts'")
    assert len(tables) == len(MARTS)
    assert all("One row per" in comment for (comment,) in tables)


# Platform events, on landed days of their own


def _tracked(counters: list[int]) -> list[dict]:
    rows = [row for row in first_day_models() if row["downloadsAllTime"] >= 1_000][: len(counters)]
    return [row | {"downloadsAllTime": counter} for row, counter in zip(rows, counters, strict=True)]


def test_platform_events_are_the_same_however_late_a_day_is_loaded(tmp_path, manifest):
    days = {
        date(2026, 10, 1): 1_000_000,
        date(2026, 10, 2): 1_005_000,
        date(2026, 10, 3): 1_005_000,
        date(2026, 10, 4): 1_015_000,
        date(2026, 10, 5): 900_000,
        date(2026, 10, 6): 904_000,
    }
    landing = tmp_path / "landing"
    for day, counter in days.items():
        land_day(landing, day, _tracked([counter] * 20))
    warehouse = Warehouse(tmp_path / "warehouse", landing, manifest)
    select = ("build", "--quiet", "--select", "+dim_snapshots", "--exclude-resource-type", "unit_test")
    for day in (date(2026, 10, 6), date(2026, 10, 3), date(2026, 10, 1), date(2026, 10, 5)):
        warehouse.run(*select, days=[day])
    assert (
        dict(warehouse.rows("select snapshot_date, status from marts.dim_snapshots"))[date(2026, 10, 2)] == "incomplete"
    )
    warehouse.run(*select, days=[date(2026, 10, 2), date(2026, 10, 4)])
    events = warehouse.rows("select snapshot_date, status, platform_event from marts.dim_snapshots order by 1")
    assert events == [
        (date(2026, 10, 1), "complete", "none"),
        (date(2026, 10, 2), "complete", "none"),
        (date(2026, 10, 3), "complete", "stalled"),
        (date(2026, 10, 4), "complete", "none"),
        (date(2026, 10, 5), "complete", "recounted"),
        (date(2026, 10, 6), "complete", "none"),
    ]


# Errors


def test_a_day_that_was_not_landed_is_refused_with_what_to_do(tmp_path, loaded):
    result = loaded.copied_to(tmp_path).invoke("run", "--quiet", "--select", "stg_hub__models", days=[date(2020, 1, 1)])
    (entry,) = result.result
    assert "found no file" in entry.message
    assert "snapshot_date=2020-01-01" in entry.message
    assert "land it first" in entry.message


def test_a_day_in_another_format_is_refused_with_the_one_expected(tmp_path, loaded):
    result = loaded.copied_to(tmp_path).invoke("run", "--quiet", "--select", "stg_hub__models", days=["6 Oct"])
    (entry,) = result.result
    assert "found '6 Oct', expected days as YYYY-MM-DD" in entry.message


# Quality results


def _write_results(warehouse: Warehouse, evaluated: date, run_id: str, names: list[str]) -> None:
    folder = warehouse.home / "quality" / "results" / f"evaluated_date={evaluated}"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "evaluation_id": f"{run_id}-{name}",
            "run_id": run_id,
            "evaluated_at": datetime(evaluated.year, evaluated.month, evaluated.day, 13, tzinfo=UTC),
            "snapshot_date": evaluated,
            "step": "raw",
            "table_name": "hub/models",
            "check_name": name,
            "severity": "error",  # as before 2026-11-29, without the columns that came then
            "blocking": True,
            "passed": True,
            "crashed": False,
            "accepted_event": False,
            "observed": "1",
            "threshold": "1",
            "reason": "because",
            "evaluated_rows": 1,
            "failed_rows": 0,
        }
        for name in names
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{run_id}-raw.parquet")


def test_check_results_are_appended_once_from_the_newest_day_on(tmp_path, loaded):
    warehouse = loaded.copied_to(tmp_path)
    build = ("build", "--quiet", "--select", "marts.quality")
    assert warehouse.rows("select count(*) from marts.fct_quality_results") == [(0,)]
    _write_results(warehouse, date(2026, 10, 6), "a", ["one", "two"])
    warehouse.run(*build)
    _write_results(warehouse, date(2026, 10, 6), "b", ["one"])
    _write_results(warehouse, date(2026, 10, 7), "c", ["one"])
    # older than what is stored: its folder isn't opened again
    _write_results(warehouse, date(2026, 10, 5), "z", ["late"])
    warehouse.run(*build)
    warehouse.run(*build)
    results = warehouse.rows("select evaluation_id, snapshot_date from marts.fct_quality_results order by 1")
    assert results == [
        ("a-one", date(2026, 10, 6)),
        ("a-two", date(2026, 10, 6)),
        ("b-one", date(2026, 10, 6)),
        ("c-one", date(2026, 10, 7)),
    ]


def test_alerts_are_the_lines_of_the_file_also_those_of_before_and_without_one_that_was_cut(tmp_path, loaded):
    warehouse = loaded.copied_to(tmp_path)
    assert warehouse.rows("select count(*) from marts.fct_alerts") == [(0,)]
    now = {
        "alert_id": "a2",
        "event": "resolved",
        "incident": "freshness:published",
        "raised_at": "2026-11-29T17:30:00.5+00:00",
        "severity": "blocks",
        "title": "resolved · 2026-11-29 · not published by its deadline",
        "snapshot_date": "2026-11-29",
        "check_name": None,
        "incidents": ["freshness:published"],
        "body": "two\nlines",
    }
    before = {
        "alert_id": "a1",
        "raised_at": "2026-11-24T12:30:00+00:00",
        "severity": "error",
        "title": "t",
        "run_id": "r",
    }
    lines = [json.dumps(before), json.dumps(now), '{"alert_id": "cut o']
    (warehouse.home / "alerts.jsonl").write_text("\n".join(lines))

    for _ in range(2):
        warehouse.run("build", "--quiet", "--select", "fct_alerts")

    told = warehouse.rows(
        "select alert_id, event, incident, raised_at::varchar, severity, snapshot_date, check_name "
        "from marts.fct_alerts order by 1"
    )
    assert told == [
        ("a1", "raised", "run:r", "2026-11-24 12:30:00", "blocks", None, None),
        ("a2", "resolved", "freshness:published", "2026-11-29 17:30:00.5", "blocks", date(2026, 11, 29), None),
    ]
