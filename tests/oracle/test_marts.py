"""Every public table that history gives: dbt's against the oracle's, each key and value, exactly, on made-up populations.
What is known of them by hand is in `test_oracle_rules`, what the sandbox knows in `test_truth`."""

from datetime import timedelta

import pytest

from tests.oracle.comparison import WHOLE_RELATIONS, compare, published_rows
from tests.oracle.conftest import BothReadings
from tests.oracle.tables import TABLES, Table

READINGS = {"eventful": "eventful_readings", "long": "long_readings"}
# fct_daily_model_downloads says so itself: the whole history stays under small numbers.
PUBLISHED_DAYS = 30


@pytest.fixture(scope="module", params=READINGS)
def both(request: pytest.FixtureRequest) -> BothReadings:
    return request.getfixturevalue(READINGS[request.param])


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
