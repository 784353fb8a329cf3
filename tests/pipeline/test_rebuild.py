"""A seed changes between two days: what the next run says, what a rebuild makes of history, what it leaves when it stops.
Which cause is told of which value are unit tests of dbt's `mart_restatements`; late days are in `test_snapshot_day`."""

import csv
import hashlib
import json
import shutil
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.defs.rebuild import rebuild
from orchestration.defs.transform.dbt_in_process import LAYERS, DbtInProcess
from orchestration.project import dbt_project
from orchestration.publishing import checkpoint
from orchestration.settings import Settings
from tests.pipeline.conftest import RUN_HISTORY, opened
from tests.publishing.days_held import differing_days

DAY_1, DAY_2, DAY_3 = date(2026, 10, 6), date(2026, 10, 7), date(2026, 10, 8)
SEED = dbt_project.project_dir / "seeds" / "organizations.csv"
MOVED, CAUSE = "google", "attribution: google (US → GB)"
NOT_IN_HISTORY = ("dim_organizations", "not in history", None, None, None, CAUSE)


class DbtWithOtherSeed(DbtInProcess):
    """Real dbt on the same project, with another file of organisations; it can be told to die in a layer."""

    def __init__(self, dbt: DbtInProcess, seed: Path):
        self.__dict__["manifest"] = dbt.manifest
        self.seed, self.dies_in = seed, None

    def build(self, select, settings, **given):
        node = self.manifest.nodes["seed.open_model_observatory.organizations"]
        of_project = node.root_path, node.original_file_path
        # dbt looks there for what the project has not; it must not be absolute, or dbt writes its SQL over the file
        node.root_path, node.original_file_path = str(self.seed.parents[1]), f"other/{self.seed.name}"
        try:
            built = super().build(select, settings, **given)
        finally:
            node.root_path, node.original_file_path = of_project
        if self.dies_in and select == LAYERS[self.dies_in].select:
            raise OSError("No space left on device")
        return built


@pytest.fixture(scope="module")
def other_seed(dbt, tmp_path_factory) -> DbtWithOtherSeed:
    """Of all organisations one has moved, for all of time."""
    with SEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["namespace"] == MOVED:
            row["country_code"] = "GB"
    path = tmp_path_factory.mktemp("seed") / "other" / "organizations.csv"
    path.parent.mkdir()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return DbtWithOtherSeed(dbt, path)


@pytest.fixture(scope="module")
def after_the_change(world, dbt, daily_snapshot, home_with_day_1, other_seed, tmp_path_factory):
    """The first day is published; the seed has changed; a further day is published."""
    folder = tmp_path_factory.mktemp("changed")
    home = Path(shutil.copytree(home_with_day_1, folder / "home", symlinks=True))
    with opened(home, world, dbt, daily_snapshot) as observatory:
        observatory.first_shares = shares(observatory, DAY_1)
        result = observatory.run(DAY_3, dbt=other_seed)
        assert result.success, observatory.failures(result)
        observatory.result = result
        yield observatory


def shares(observatory, day) -> dict[str, float]:
    return dict(
        observatory.sql(
            "select country_code, share from marts.mart_daily_country_share where metric = 'all_time' "
            f"and attribution = 'uploader' and denominator = 'all' and snapshot_date = date '{day}'"
        )
    )


def restatements(observatory, version: str) -> list[tuple]:
    return observatory.sql(
        "select table_name, row_key, snapshot_date, old_value, new_value, cause from marts.mart_restatements "
        f"where published_version = '{version}' order by all"
    )


def manifest_of(observatory) -> dict:
    return json.loads((observatory.settings.published_dir / "current" / "manifest.json").read_text())


def hashes_of(warehouse: Path) -> dict[str, str]:
    """Of each mart's ordered contents, run history aside."""
    with closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        return {
            table: hashlib.sha256(
                repr(connection.execute(f"select * from marts.{table} order by all").fetchall()).encode()
            ).hexdigest()
            for (table,) in tables
            if table not in RUN_HISTORY
        }


def test_the_next_day_says_that_history_is_not_rebuilt(after_the_change):
    observatory = after_the_change
    assert shares(observatory, DAY_1) == observatory.first_shares
    told = restatements(observatory, observatory.version())
    assert NOT_IN_HISTORY in told
    # claims are answered anew for all days on each one, by the organisations of today
    assert {row[0] for row in told} == {"dim_organizations", "mart_headline_claims", "(all)"}
    assert {row[5] for row in told} == {CAUSE, f"{CAUSE}; new day {DAY_3}"}
    assert manifest_of(observatory)["restatements"]["organizations_not_in_history"] == CAUSE
    (noted,) = [
        event.step_materialization_data.materialization.metadata["not_in_history"].value
        for event in observatory.result.all_events
        if event.is_step_materialization and event.asset_key.path == ["publish", "current"]
    ]
    assert noted.startswith(f"{CAUSE}: days that were loaded before stay as they are until history is rebuilt")


@pytest.fixture(scope="module")
def rebuilt(after_the_change, other_seed):
    """The same home after a rebuild, in parts of a day."""
    observatory = after_the_change
    observatory.version_before = observatory.version()
    observatory.told_before = restatements(observatory, observatory.version_before)
    observatory.checks_before = observatory.sql("select count(*) from marts.fct_quality_results")[0][0]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("orchestration.defs.rebuild.ROWS_AT_ONCE", 1)
        reasons = rebuild(observatory.settings, dbt=other_seed, job=observatory.job, instance=observatory.instance)
    assert reasons == []
    return observatory


def test_a_rebuild_restates_each_earlier_day_and_says_why(rebuilt):
    version = rebuilt.version()
    assert version != rebuilt.version_before
    before, after = rebuilt.first_shares, shares(rebuilt, DAY_1)
    assert after["GB"] > before["GB"] + 0.01
    assert before["US"] - after["US"] == pytest.approx(after["GB"] - before["GB"])
    key = "metric=all_time window_days=0 attribution=uploader denominator=all country_code={} snapshot_date=2026-10-06"
    told = {row[1]: row[2:] for row in restatements(rebuilt, version)}
    for country in ("GB", "US"):
        assert told[key.format(country)] == (DAY_1, before[country], after[country], CAUSE)
    # the day after the change was loaded with it already
    assert {row[0] for key, row in told.items() if key.startswith("metric=")} == {DAY_1}
    assert told[str(DAY_1)] == (DAY_1, None, None, CAUSE)
    assert {row[3] for row in told.values()} == {CAUSE}
    assert NOT_IN_HISTORY[1] not in told


def test_its_manifest_sums_up_what_moved_and_nothing_waits_any_more(rebuilt):
    manifest = manifest_of(rebuilt)
    summary = manifest["restatements"]
    assert summary["compared_with"] == rebuilt.version_before
    assert summary["days"][0] == str(DAY_1)
    assert 0 < summary["values_moved"] < summary["values_compared"]
    assert summary["causes"] == {CAUSE: summary["values_moved"]}
    assert summary["organizations_not_in_history"] is None
    assert manifest["snapshot_dates"]["added_by_run"] == [str(DAY_1), str(DAY_3)]
    assert set(manifest["quality"]["steps"]) == {"raw", "authors", "staging", "intermediate", "marts", "published"}
    assert differing_days(rebuilt.settings) == []


def test_it_gives_the_marts_of_a_home_that_never_knew_the_other_seed(rebuilt, other_seed, tmp_path):
    fresh = Settings(home=tmp_path / "home")
    shutil.copytree(rebuilt.settings.landing_dir, fresh.landing_dir)
    for layer in ("staging", "intermediate", "marts"):
        _, result = other_seed.build(LAYERS[layer].select, fresh, days=[DAY_1, DAY_3], run_id="fresh")
        assert result.success
    assert hashes_of(fresh.warehouse_path) == hashes_of(rebuilt.settings.warehouse_path)


def test_what_was_judged_and_restated_earlier_survives_it(rebuilt):
    assert rebuilt.sql("select count(*) from marts.fct_quality_results")[0][0] > rebuilt.checks_before
    assert restatements(rebuilt, rebuilt.version_before) == rebuilt.told_before


@pytest.mark.parametrize("dies_in", ["staging", "quality_marts"])
def test_one_that_dies_leaves_the_old_version_and_warehouse(started, other_seed, dies_in):
    published, before = started.version(), hashes_of(started.settings.warehouse_path)
    dying = DbtWithOtherSeed(other_seed, other_seed.seed)
    dying.dies_in = dies_in

    def again():
        return rebuild(started.settings, dbt=dying, job=started.job, instance=started.instance)

    if dies_in == "staging":
        with pytest.raises(OSError, match="No space left"):
            again()
        assert hashes_of(started.settings.warehouse_path) == before
    else:
        assert "No space left" in " ".join(again())
    assert not (started.settings.home / "warehouse" / "rebuild").exists()
    assert started.version() == published

    # whatever run comes next starts from the old one
    checkpoint.begin(started.settings, owner="next", run_id="next")
    assert hashes_of(started.settings.warehouse_path) == before


def test_a_published_day_that_a_gate_stops_stops_it_and_is_named(started, other_seed):
    landed = started.settings.landing_dir / "models" / f"snapshot_date={DAY_1}"
    manifest = json.loads((landed / "_manifest.json").read_text())
    (landed / "_manifest.json").write_text(json.dumps(manifest | {"rows": manifest["rows"] - 1}))
    before = hashes_of(started.settings.warehouse_path)

    (reason,) = rebuild(started.settings, dbt=other_seed, job=started.job, instance=started.instance)

    assert reason.startswith(f"{DAY_1}: raw gate: ")
    assert hashes_of(started.settings.warehouse_path) == before
    status = json.loads((started.settings.published_dir / "status.json").read_text())
    assert (status["state"], status["attempted"]["step"]) == ("blocked", "rebuild: raw")
    assert status["attempted"]["snapshot_dates"] == [str(DAY_1)]


def test_nothing_landed_is_said(settings, other_seed):
    assert rebuild(settings, dbt=other_seed, job=None, instance=None) == [
        "Found no landed day; expected at least one. Land one first: make run, or make backfill."
    ]
