"""Every public table that history gives: dbt's against the oracle's, each key and value, exactly, on made-up populations.
What is known of them by hand is in `test_oracle_rules`, what the sandbox knows in `test_truth`."""

from datetime import timedelta

import pytest

from tests.oracle.comparison import WHOLE_RELATIONS, compare, published_rows
from tests.oracle.conftest import BothReadings, read_eventful, read_long
from tests.oracle.tables import SHARE_COLUMNS, TABLES, Oracle, Table

READINGS = {"eventful": read_eventful, "long_running": read_long}
# fct_daily_model_downloads says so itself: the whole history stays under small numbers.
PUBLISHED_DAYS = 30


@pytest.fixture(scope="module", params=READINGS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, manifest) -> BothReadings:
    """One population after the other: each takes more than a gigabyte."""
    home = tmp_path_factory.mktemp(f"{request.param}_warehouse")
    return READINGS[request.param](home, request.getfixturevalue(request.param), manifest)


def values_of(read: Oracle, name: str, column: str) -> set:
    table = read.table(name)
    if column in table.key:
        return {key[table.key.index(column)] for key in table.rows}
    return {row[table.columns.index(column)] for row in table.rows.values()}


def test_the_population_holds_what_the_rules_distinguish(both: BothReadings):
    read = both.oracle
    days, shares = read.seen.days, read.shares.country_share
    windows = [row for key, row in shares.items() if key[1] in ("window", "new_rolling")]
    place = SHARE_COLUMNS.index
    daily = read.table("fct_daily_model_downloads").rows.values()
    cases = {
        "every status of a delta": {row[1] for row in daily}
        == {"ok", "first_seen", "reappeared", "vanished", "gap_spread", "negative"},
        "first sights with and without downloads": {row[0] is None for row in daily if row[1] == "first_seen"}
        == {True, False},
        "negative parts of a spread": any(row[1] == "gap_spread" and row[0] < 0 for row in daily),
        "no date of creation": any(row[3] is None for row in daily),
        "every status of a day": values_of(read, "dim_snapshots", "status") == {"complete", "incomplete", "missing"},
        "every platform event": values_of(read, "dim_snapshots", "platform_event") == {"none", "stalled", "recounted"},
        "two captures of a counters' day": any(
            days.events[day] == "none" and day not in days.moving for day in days.captured
        ),
        "every kind of account": values_of(read, "fct_daily_country_downloads", "account_type")
        == {"person", "organization", "unknown"},
        "every code that is no country": values_of(read, "mart_daily_country_share", "country_code")
        >= {"XC", "XI", "XM", "XX"},
        "outliers in windows": any(row[place("share")] != row[place("share_without_outliers")] for row in windows),
        "a largest repository in windows": any(
            row[place("share")] != row[place("share_without_top_repository")] for row in windows
        ),
        "estimated days": any(row[place("days_estimated")] for row in windows),
        "corrections of both signs": {row[place("correction_downloads")] > 0 for row in windows} == {True, False},
        "crossovers": True in values_of(read, "mart_country_crossovers", "is_first"),
        "crossovers again, within a year": len(days.captured) < 365
        or False in values_of(read, "mart_country_crossovers", "is_first"),
        "every source of a release's date": values_of(read, "fct_releases", "release_date_source")
        >= {"first_sight", "created_at"},
        "cadences of months and more": len(values_of(read, "mart_release_cadence", "cadence")) >= 4,
        "peers and too few of them": {
            value is None for value in values_of(read, "mart_relative_adoption", "peer_median")
        }
        == {True, False},
        "every technique": len(values_of(read, "mart_daily_technique_share", "technique")) == 5,
        "decisions that move a country": {"other_country", "repackagers_at_home", "moved:Google"}
        <= {
            variant for (_, variant, _), row in read.table("mart_attribution_sensitivity").rows.items() if row[-1] != 0
        },
        "several parents": any(len(one.parents) > 1 for one in read.seen.attributed[days.first].attributed.values()),
    }
    assert [case for case, is_there in cases.items() if not is_there] == []


@pytest.mark.parametrize("name", TABLES)
def test_dbt_agrees_on_every_row(name: str, both: BothReadings, record):
    table = both.oracle.table(name)
    assert table.rows, f"the population gives no row of {name}, so there is nothing to compare"
    compared = compare(table, published_rows(both.warehouse, table, WHOLE_RELATIONS.get(name)))
    record(both.name, compared)
    assert compared.differences == 0, str(compared)


def test_the_last_month_of_daily_downloads_is_published(both: BothReadings):
    whole = both.oracle.table("fct_daily_model_downloads")
    since = both.oracle.seen.days.last - timedelta(days=PUBLISHED_DAYS)
    last = Table(whole.name, whole.key, whole.columns, {key: row for key, row in whole.rows.items() if key[0] > since})
    compared = compare(last, published_rows(both.warehouse, last))
    assert compared.differences == 0, str(compared)


def test_the_largest_model_of_a_queued_namespace_is_one_of_its_largest(both: BothReadings):
    """Several may be equally large, and the definitions don't say which is told."""
    days = both.oracle.seen.days
    sizes: dict[str, dict[str, int]] = {}
    for row in days.listings[days.last].values():
        sizes.setdefault(row.namespace, {})[row.model_id] = row.downloads_30d or 0
    queued = both.warehouse.rows("select namespace, largest_model from marts.mart_attribution_queue")
    wrong = [pair for pair in queued if sizes[pair[0]].get(pair[1]) != max(sizes[pair[0]].values())]
    assert (wrong, bool(queued)) == ([], True)
