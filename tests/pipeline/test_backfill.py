"""Past days from the archive, through the real job and the real client: one run, and a bad day in it stops itself alone."""

import json
import shutil
from datetime import date

import dagster as dg
import pytest

from orchestration.defs.alerts.findings import look_at
from tests.pipeline.conftest import FIRST_DAY, opened

DAYS = [date.fromordinal(FIRST_DAY.toordinal() + number) for number in range(4)]


@pytest.fixture(scope="module")
def backfilled(world, dbt, daily_snapshot, tmp_path_factory):
    """Three days of the archive while the Hub is at the fourth; the second has no commit."""
    plan = {"cfahlgren1/hub-stats": {"commit_time": "23:30:00", "days_without_commit": [str(DAYS[1])]}}
    folder = tmp_path_factory.mktemp("backfill")
    own = shutil.copytree(world, folder / "world")
    (own / "archive.json").write_text(json.dumps(plan))
    with opened(folder / "home", own, dbt, daily_snapshot) as observatory:
        result = observatory.run(DAYS[0], DAYS[2], hub_day=DAYS[3])
        yield observatory, result


def test_one_run_lands_and_publishes_the_days_that_the_archive_has(backfilled):
    observatory, result = backfilled
    assert result.success, observatory.failures(result)
    days = observatory.sql(
        "select snapshot_date, status, source, source_license, length(source_revision), counters_date "
        "from marts.dim_snapshots order by snapshot_date"
    )
    assert days == [
        (DAYS[0], "complete", "hub_stats", "Apache-2.0", 40, DAYS[0]),
        (DAYS[1], "missing", None, None, None, None),
        (DAYS[2], "complete", "hub_stats", "Apache-2.0", 40, DAYS[2]),
    ]
    shares = observatory.sql("select count(distinct snapshot_date) from marts.mart_daily_country_share")
    assert shares == [(2,)]


def test_a_day_without_a_revision_is_a_gap_with_a_plain_reason(backfilled):
    observatory, result = backfilled
    run = observatory.instance.get_run_by_id(result.run_id)
    aside = json.loads(run.tags["observatory/set_aside"])
    assert list(aside) == [str(DAYS[1])]
    assert f"{DAYS[1]} can't be had: cfahlgren1/hub-stats has no revision" in aside[str(DAYS[1])]
    partitions = {
        event.partition
        for event in result.all_events
        if event.is_step_materialization and event.asset_key == dg.AssetKey(["hub", "models"])
    }
    assert partitions == {str(DAYS[0]), str(DAYS[2])}


def test_a_gap_is_an_incident_by_its_cause(backfilled):
    observatory, result = backfilled
    run = observatory.instance.get_run_by_id(result.run_id)
    findings = look_at(observatory.instance, observatory.settings, run, "2026-11-24T12:30:00+00:00").findings
    (gap,) = [finding for finding in findings if finding.kind == "aside"]
    assert gap.incident == "aside:daily_snapshot:extraction:NoSource"
    assert gap.snapshot_dates == (str(DAYS[1]),)
    assert gap.observed.startswith(f"{DAYS[1]} can't be had: ")


def test_what_the_archive_does_not_tell_is_unknown_and_not_false(backfilled):
    observatory, _ = backfilled
    assert observatory.sql("select count(*), count(gated) from marts.dim_models")[0][1] == 0
    landed = json.loads(
        (observatory.settings.landing_dir / "models" / f"snapshot_date={DAYS[0]}" / "_manifest.json").read_text()
    )
    assert landed["unasked"] == ["disabled", "gated", "private", "sha"]
    assert len(landed["file_sha256"]) == 64


def test_the_days_of_a_backfill_share_one_budget_of_look_ups(backfilled):
    observatory, _ = backfilled
    looked_up = [
        json.loads((folder / "_manifest.json").read_text())["looked_up"]
        for folder in sorted((observatory.settings.landing_dir / "accounts").glob("snapshot_date=*"))
    ]
    assert len(looked_up) == 2
    assert 0 < sum(looked_up) <= observatory.settings.account_lookups


def test_the_live_day_follows_and_nothing_lands_twice(backfilled):
    observatory, _ = backfilled
    result = observatory.run(DAYS[0], DAYS[3], hub_day=DAYS[3])
    assert result.success, observatory.failures(result)
    sources = observatory.sql("select source from marts.dim_snapshots where status = 'complete' order by snapshot_date")
    assert sources == [("hub_stats",), ("hub_stats",), ("hub_api",)]
    revisions = observatory.settings.landing_dir / "_superseded"
    assert not revisions.exists()


def test_without_archives_a_past_day_is_refused(world, dbt, daily_snapshot, tmp_path):
    with opened(tmp_path / "home", world, dbt, daily_snapshot, archives="") as observatory:
        result = observatory.run(DAYS[0], hub_day=DAYS[1])
        assert not result.success
        reason = observatory.failures(result)
        assert str(DAYS[0]) in reason
        assert str(DAYS[1]) in reason
        assert not list(observatory.settings.landing_dir.glob("*/snapshot_date=*"))
