"""What a version tells of what it restates, and which organisations it keeps for the next one to be compared with.
Which values moved and why are unit tests of dbt's `mart_restatements`; the whole of it is in `tests/pipeline/test_rebuild`."""

import duckdb
import pytest

from orchestration.publishing import build_candidate, publish_candidate
from orchestration.publishing.restatements import OF_HISTORY, not_in_history, restated
from orchestration.publishing.versions import verify_hashes

from .warehouse import PASSED


def organizations(path) -> list[tuple]:
    with duckdb.connect() as connection:
        return connection.execute("select namespace, country_code from read_parquet(?)", [str(path)]).fetchall()


@pytest.fixture
def publish_days(settings, warehouse):
    """Publish what the warehouse holds now, as a run that loaded these days."""

    def publish(version_id, days, *, moved_to=None):
        if moved_to:
            with duckdb.connect(str(settings.warehouse_path)) as connection:
                connection.execute("update marts.dim_organizations set country_code = ?", [moved_to])
        candidate = build_candidate(settings, version_id=version_id, run_id=f"run-{version_id}", snapshot_dates=days)
        return publish_candidate(settings, candidate, quality=[PASSED])

    return publish


def test_the_manifest_sums_up_what_moved_and_why(publish_days, warehouse):
    publish_days("v1", [warehouse.last_day])
    version = publish_days("v2", [warehouse.last_day])

    day = warehouse.first_day
    summary = version.manifest["restatements"]
    assert summary == {
        "compared_with": "v1",
        "days": [str(day)],
        "values_compared": 1_200,
        "values_moved": 3,
        "largest_move": 7,
        "largest_moves": [
            {
                "table_name": "mart_headline_claims",
                "row_key": f"claim_id=4 part=cadence snapshot_date={day}",
                "old_value": 14,
                "new_value": 21,
                "cause": f"late day {day}",
            },
            {
                "table_name": "mart_daily_country_share",
                "row_key": f"country_code=US snapshot_date={day}",
                "old_value": 0.4,
                "new_value": 0.3,
                "cause": "attribution: Org (US → FR)",
            },
        ],
        "causes": {"attribution: Org (US → FR)": 2, f"late day {day}": 1},
        "organizations_not_in_history": "attribution: Other (CN → SG)",
    }
    assert restated(summary) == (
        "3 of 1,200 values on 1 day(s) differ from version v1, by 7 at most; attribution: Org (US → FR) (and 1 more cause)"
    )
    assert not_in_history(summary) == (
        "attribution: Other (CN → SG): days that were loaded before stay as they are until history is rebuilt "
        "(make rebuild)"
    )


def test_a_version_that_restates_nothing_says_nothing(publish_days, warehouse):
    summary = publish_days("v1", [warehouse.last_day]).manifest["restatements"]

    assert (summary["compared_with"], summary["days"], summary["values_moved"]) == (None, [], 0)
    assert restated(summary) is None
    assert not_in_history(summary) is None


def test_history_keeps_the_organisations_that_it_was_loaded_with_until_all_days_are_loaded_again(
    publish_days, warehouse
):
    first = publish_days("v1", [warehouse.last_day])
    assert organizations(first.path / OF_HISTORY) == [("Org", "FR")]

    daily = publish_days("v2", [warehouse.last_day], moved_to="DE")
    assert organizations(daily.path / "parquet" / "dim_organizations.parquet") == [("Org", "DE")]
    assert organizations(daily.path / OF_HISTORY) == [("Org", "FR")]
    verify_hashes(daily.path)

    rebuilt = publish_days("v3", warehouse.complete)
    assert organizations(rebuilt.path / OF_HISTORY) == [("Org", "DE")]


def test_a_version_from_before_it_was_kept_counts_as_loaded_with_its_own(publish_days, warehouse):
    first = publish_days("v1", [warehouse.last_day])
    (first.path / OF_HISTORY).unlink()

    assert organizations(publish_days("v2", [warehouse.last_day], moved_to="DE").path / OF_HISTORY) == [("Org", "FR")]
