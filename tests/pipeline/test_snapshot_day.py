"""The whole story of a snapshot day: a good day, the same day again, days out of order, a crash."""

import json
import re
import shutil
from datetime import date

import dagster as dg
import duckdb
import jsonschema
import pyarrow.parquet as pq
import pytest

from orchestration.publishing import published_versions, roll_back
from orchestration.quality.suites import PUBLISHED_TABLES
from tests.pipeline.conftest import opened
from tests.publishing.days_held import differing_days, inodes

DAY_1, DAY_2, DAY_3 = date(2026, 10, 6), date(2026, 10, 7), date(2026, 10, 8)


def listed_models(snapshots, day):
    files = sorted((snapshots / f"snapshot_date={day}").glob("*.parquet"))
    return sum(pq.read_metadata(file).num_rows for file in files)


@pytest.fixture(scope="module")
def first_day(world, dbt, daily_snapshot, tmp_path_factory):
    """An empty home's first day, published, with every account of the Hub looked up."""
    with opened(tmp_path_factory.mktemp("first_day") / "home", world, dbt, daily_snapshot) as observatory:
        observatory.settings = observatory.settings.model_copy(update={"account_lookups": 1_000})
        result = observatory.run(DAY_1)
        assert result.success, observatory.failures(result)
        yield observatory


@pytest.fixture(scope="module")
def second_day(world, dbt, daily_snapshot, home_with_day_1, tmp_path_factory):
    """A home in which two days were published one after the other; only read."""
    home = shutil.copytree(home_with_day_1, tmp_path_factory.mktemp("second_day") / "home", symlinks=True)
    with opened(home, world, dbt, daily_snapshot) as observatory:
        result = observatory.run(DAY_2)
        assert result.success, observatory.failures(result)
        yield observatory


def test_a_day_goes_from_the_hub_to_a_published_version_and_report(first_day, world):
    observatory = first_day
    models = listed_models(world, DAY_1)
    assert observatory.sql("select snapshot_date, status, models, is_simulated from marts.dim_snapshots") == [
        (DAY_1, "complete", models, True)
    ]
    assert observatory.sql("select count(*) from marts.dim_models") == [(models,)]
    with duckdb.connect() as connection:
        files = str(world / f"snapshot_date={DAY_1}" / "*.parquet")
        landed = connection.execute(
            "select sum(downloads), sum(downloadsAllTime) from read_parquet(?)", [files]
        ).fetchone()
    published = observatory.sql(
        """
        select metric, sum(downloads) from marts.mart_daily_country_share
        where attribution = 'uploader' and denominator = 'all' and metric in ('trailing_30d', 'all_time')
        group by metric order by metric desc
        """
    )
    assert published == [("trailing_30d", landed[0]), ("all_time", landed[1])]
    page = (observatory.settings.published_dir / "current" / "report" / "index.html").read_text()
    assert "SIMULATED" in page
    status = json.loads((observatory.settings.published_dir / "status.json").read_text())
    assert (status["state"], status["last_good"]["snapshot_date"]) == ("published", str(DAY_1))


# a model is called by its whole name, owner included: what it is based on must be
WHERE_MODELS_ARE_NAMED = {("bridge_model_parents", "parent_model_id")}


def test_persons_are_named_nowhere_but_in_the_table_of_models(first_day, world):
    persons = pq.read_table(world / "accounts.parquet", filters=[("type", "!=", "org")])["name"].to_pylist()
    assert len(persons) > 300
    columns = first_day.sql(
        "select table_name, column_name from duckdb_columns() "
        "where schema_name = 'marts' and data_type like '%VARCHAR%' order by all"
    )
    texts = {
        f"{table}.{column}": [
            text for (text,) in first_day.sql(f"select distinct {column}::varchar from marts.{table}")
        ]
        for table, column in columns
        if table != "dim_models" and (table, column) not in WHERE_MODELS_ARE_NAMED
    }
    assert {
        "dim_organizations.namespace",
        "mart_daily_organization_share.organization",
        "mart_attribution_queue.largest_model",
        "fct_quality_results.observed",
    } <= set(texts)
    published = first_day.settings.published_dir
    for file in ("report/index.html", "report/quality.html", "manifest.json", "DICTIONARY.md", "LICENSE-DATA"):
        page = (published / "current" / file).read_text()
        texts[file] = [re.sub(r"(?s)<script>.*?</script>", "", page)]  # without the code that draws the charts
    texts["status.json"] = [(published / "status.json").read_text()]

    names = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, persons))})(?![\w-])", re.IGNORECASE)
    named = {
        where: sorted({match[0] for text in found if text for match in names.finditer(text)})
        for where, found in texts.items()
    }
    assert {where: some for where, some in named.items() if some} == {}
    # the same look finds them where they are
    models = " ".join(namespace for (namespace,) in first_day.sql("select distinct namespace from marts.dim_models"))
    assert len(set(names.findall(models))) > 300


def test_the_same_day_again_changes_nothing(started):
    first, version = started.contents(), started.version()

    result = started.run(DAY_1)

    assert result.success, started.failures(result)
    assert started.contents() == first
    assert started.version() != version
    assert started.sql("select count(*) from marts.mart_restatements") == [(0,)]
    assert [path for _, path, *_ in started.hub.requests if path.startswith("/api/models?")] == []


def test_day_two_in_the_same_process_is_day_two(second_day):
    counts = second_day.sql(
        """
        select snapshot_date, models from marts.mart_daily_country_share
        where metric = 'trailing_30d' and attribution = 'uploader' and denominator = 'all' and country_code = 'XX'
        order by 1
        """
    )
    assert [day for day, _ in counts] == [DAY_1, DAY_2]
    manifest = json.loads((second_day.settings.published_dir / "current" / "manifest.json").read_text())
    judged = second_day.sql(
        f"select distinct snapshot_date from marts.fct_quality_results where run_id = '{manifest['run_id']}'"
    )
    assert judged == [(DAY_2,)]


def test_a_version_tells_its_quality_in_sql_manifest_page_report_and_dictionary_alike(second_day):
    current = second_day.settings.published_dir / "current"
    quality = json.loads((current / "manifest.json").read_text())["quality"]
    in_manifest = {part["step"]: part["score"] for part in quality["scores"]}
    in_sql = second_day.sql(
        f"select step, score from marts.mart_daily_quality_score where snapshot_date = date '{DAY_2}' order by step"
    )
    assert {part["snapshot_date"] for part in quality["scores"]} == {str(DAY_2)}
    assert in_sql == [(step, in_manifest[step]) for step in ("authors", "intermediate", "marts", "raw", "staging")]
    assert in_manifest["published"] == 100
    promises = second_day.sql(
        f"select sum(promises) from marts.mart_daily_quality_score where snapshot_date = date '{DAY_2}'"
    )
    of_the_file = len(quality["published"])
    assert [(quality["checks"] - of_the_file,)] == promises
    assert of_the_file > 5
    page = (current / "report" / "quality.html").read_text()
    assert '<h3 id="step-published">' in page
    assert f"{quality['passed']} of {quality['checks']} promises" in page
    assert f"{quality['passed']} of {quality['checks']} promises" in (current / "report" / "index.html").read_text()
    dictionary = (current / "DICTIONARY.md").read_text()
    own = r"## mart_daily_country_share\n[^#]*Quality on 2026-10-07: [\d.]+ of 100, by \d\d of its own promises"
    assert re.search(own, dictionary)


def test_what_a_version_says_of_itself_can_be_checked_and_its_examples_run_as_they_stand(second_day):
    version = second_day.settings.published_dir / "current"
    manifest, schema = (json.loads((version / name).read_text()) for name in ("manifest.json", "manifest.schema.json"))
    jsonschema.Draft202012Validator(schema).validate(manifest)
    assert manifest["changes"]["days_added"] == [str(DAY_2)]
    assert differing_days(second_day.settings) == []
    examples = second_day.sql("select name, table_name, sql from marts.examples")
    assert {table for _, table, _ in examples} == set(PUBLISHED_TABLES)
    answered = {table for _, table, sql in examples if second_day.sql(sql)}
    # on two days of a Hub to which nothing happens
    assert {"mart_daily_country_share", "dim_models", "fct_daily_model_downloads", "fct_releases"} <= answered


def test_after_a_rollback_the_next_run_publishes_as_usual(second_day, world, dbt, daily_snapshot, tmp_path):
    home = shutil.copytree(second_day.settings.home, tmp_path / "home", symlinks=True)
    with opened(home, world, dbt, daily_snapshot) as observatory:
        first = min(version.version_id for version in published_versions(observatory.settings))
        of_day_2 = inodes(observatory.settings.published_dir / "current")
        replaced, _ = roll_back(observatory.settings, first)
        assert replaced.days_added == (DAY_2,)
        assert observatory.version() == first
        assert observatory.sql("select max(snapshot_date) from marts.mart_daily_country_share") == [(DAY_1,)]

        result = observatory.run(DAY_3)

        assert result.success, observatory.failures(result)
        status = json.loads((observatory.settings.published_dir / "status.json").read_text())
        assert (status["state"], status["rolled_back"]) == ("published", None)
        # from the warehouse, which was not taken back
        days = observatory.sql("select distinct snapshot_date from marts.mart_daily_country_share order by 1")
        assert days == [(DAY_1,), (DAY_2,), (DAY_3,)]
        assert differing_days(observatory.settings) == []
        # of both days the warehouse was made with, the file is that of the version that was taken back
        of_day_3 = inodes(observatory.settings.published_dir / "current")
        assert [of_day_3[str(day)] for day in (DAY_1, DAY_2)] == [of_day_2[str(day)] for day in (DAY_1, DAY_2)]
        # the checks on the file that was taken back are in SQL by now
        assert observatory.sql(
            f"select score from marts.mart_daily_quality_score where snapshot_date = '{DAY_2}' and step = 'published'"
        ) == [(100.0,)]


def test_days_in_any_order_or_in_one_range_give_the_same_marts(observatory, tmp_path, own_world, dbt, daily_snapshot):
    # without look-ups of accounts: those are asked for on the Hub's own day, whatever day they are for
    observatory.settings = observatory.settings.model_copy(update={"account_lookups": 0})
    for day in (DAY_3, DAY_1, DAY_2):
        result = observatory.run(day)
        assert result.success, observatory.failures(result)

    with opened(tmp_path / "other" / "home", own_world, dbt, daily_snapshot) as in_a_range:
        in_a_range.settings = in_a_range.settings.model_copy(update={"account_lookups": 0})
        result = in_a_range.run(DAY_1, DAY_3)
        assert result.success, in_a_range.failures(result)

        # the second at which a day was captured is the only thing that may differ
        snapshots = "select * exclude (captured_at, source_revision) from marts.dim_snapshots order by snapshot_date"
        assert in_a_range.sql(snapshots) == observatory.sql(snapshots)
        assert differing_days(observatory.settings) == differing_days(in_a_range.settings) == []
        one_by_one, at_once = observatory.contents(), in_a_range.contents()
        assert {name for name in at_once if at_once[name] != one_by_one[name]} <= {"dim_snapshots"}


def test_a_run_that_dies_after_the_marts_leaves_no_trace_in_the_next_version(started, monkeypatch):
    published = started.version()

    import orchestration.defs.publish.version as publish

    def die(*_, **__):
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(publish, "build_candidate", die)
        result = started.run(DAY_2)
    assert not result.success
    assert started.version() == published
    status = json.loads((started.settings.published_dir / "status.json").read_text())
    assert status["state"] == "failed"
    assert status["attempted"]["snapshot_dates"] == [str(DAY_2)]
    assert "No space left" in status["attempted"]["reason"]

    result = started.run(DAY_3)

    assert result.success, started.failures(result)
    days = started.sql("select distinct snapshot_date from marts.mart_daily_country_share order by 1")
    assert days == [(DAY_1,), (DAY_3,)]
    statuses = started.sql("select snapshot_date, status from marts.dim_snapshots order by 1")
    assert statuses == [(DAY_1, "complete"), (DAY_2, "incomplete"), (DAY_3, "complete")]

    result = started.run(DAY_2)
    assert result.success, started.failures(result)
    days = started.sql("select distinct snapshot_date from marts.mart_daily_country_share order by 1")
    assert days == [(DAY_1,), (DAY_2,), (DAY_3,)]
    causes = started.sql(f"select cause from marts.mart_restatements where published_version = '{started.version()}'")
    assert causes
    assert {cause.split("; ")[0] for (cause,) in causes} == {f"late day {DAY_2}"}


def test_without_a_hub_nothing_lands_and_the_reason_is_one_sentence(observatory):
    observatory.settings = observatory.settings.model_copy(update={"hub_endpoint": "http://127.0.0.1:9"})

    result = observatory.run(DAY_1)

    assert not result.success
    assert "http://127.0.0.1:9" in observatory.failures(result)
    assert "make demo" in observatory.failures(result)
    assert not (observatory.settings.landing_dir / "models").exists()
    assert not (observatory.settings.published_dir / "current").exists()


def test_a_day_to_come_is_refused(observatory):
    result = observatory.run(DAY_2, hub_day=DAY_1)

    assert not result.success
    reason = observatory.failures(result)
    assert str(DAY_1) in reason
    assert str(DAY_2) in reason
    assert not list(observatory.settings.landing_dir.glob("*/snapshot_date=*"))


def test_a_ranged_run_materialises_only_the_days_that_are_good(observatory):
    """The sandbox has four days; the fifth of the range has no snapshot and is set aside."""
    result = observatory.run(DAY_1, date(2026, 10, 10))

    assert result.success, observatory.failures(result)
    for key in (["hub", "models"], ["marts", "mart_daily_country_share"], ["publish", "current"]):
        partitions = {
            event.partition
            for event in result.all_events
            if event.is_step_materialization and event.asset_key == dg.AssetKey(key)
        }
        assert partitions == {f"2026-10-0{number}" for number in range(6, 10)}, key


def test_dagster_knows_columns_rows_and_numbers_of_the_day(second_day):
    from orchestration.definitions import defs

    tables = {}
    for spec in defs().resolve_all_asset_specs():
        event = second_day.instance.get_latest_materialization_event(spec.key)
        if event and spec.key.path[0] != "publish" and spec.key.path != ["quality", "results"]:
            tables[spec.key.to_user_string()] = {**spec.metadata, **event.asset_materialization.metadata}

    assert len(tables) > 85
    for name, metadata in tables.items():
        columns = metadata["dagster/column_schema"]
        columns = getattr(columns, "schema", columns).columns
        assert columns, name
        assert all(column.type != "?" for column in columns), name
        if name != "hub/captures":
            assert "dagster/row_count" in metadata, name
            assert metadata["dagster/row_count"].value >= 0, name
    shares = {
        name.removeprefix("share_"): value.value
        for name, value in tables["marts/mart_daily_country_share"].items()
        if name.startswith("share_")
    }
    assert sorted(shares.items()) == second_day.sql(
        "select country_code, share from marts.mart_daily_country_share where country_code in ('CN', 'US', 'XX') "
        f"and snapshot_date = '{DAY_2}' and metric = 'new_trailing_30d' and attribution = 'uploader' "
        "and denominator = 'all' order by all"
    )
    assert all("SIMULATED" in tables[name]["data"].value for name in tables if name.startswith("marts/"))
    models = tables["hub/models"]
    assert (
        models["dagster/partition_row_count"].value
        == second_day.sql(f"select models from marts.dim_snapshots where snapshot_date = '{DAY_2}'")[0][0]
    )
    assert (models["pages"].value, models["retries"].value) == (3, 0)
    assert models["seconds"].value > 0
    assert 0 < tables["marts/mart_daily_quality_score"]["score_lowest"].value <= 100
    assert tables["marts/mart_attribution_coverage"]["located_downloads_by_origin"].value > 0
