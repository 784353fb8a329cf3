"""Two measurements of one thing: the sum of our thirty daily differences, and the Hub's own 30-day counter.
The promise about them is judged on marts that dbt made of a population; that it can break is shown in tests/quality."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.quality import SUITES, CheckResult, run_gate
from orchestration.settings import Settings
from tests.dbt.built_warehouse import Warehouse
from tests.oracle.populations import land_population

PROMISE = "thirty_days_sum_to_the_hubs_own_count"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory, manifest) -> tuple[list[CheckResult], set]:
    """The verdicts on each of fifty days, and the days of the population on which the Hub's counters stood or jumped."""
    home = tmp_path_factory.mktemp("thirty_days")
    population = land_population(home, models=300, days=50, seed=20261124)
    settings = Settings(home=home)
    warehouse = Warehouse(settings.warehouse_path.parent, population.landing, manifest)
    warehouse.run("seed", "--quiet")
    warehouse.load(population.days)
    suites = {"marts_daily_country_share": SUITES["marts_daily_country_share"]}
    result = run_gate(
        "marts", population.days, settings=settings, run_id="r", evaluated_at=datetime.now(UTC), suites=suites
    )
    events = {
        day for (day,) in warehouse.rows("select snapshot_date from marts.dim_snapshots where platform_event <> 'none'")
    }
    return [verdict for verdict in result.results if verdict.check_name == PROMISE], events


def test_it_is_kept_and_measured_wherever_a_month_is_whole_and_without_events(verdicts):
    measured = {v.snapshot_date: float(v.observed) for v in verdicts[0] if not v.observed.startswith("nothing")}

    assert all(verdict.passed for verdict in verdicts[0])
    assert len(measured) >= 5
    assert all(0.98 <= ratio <= 1.02 for ratio in measured.values())
    # no two measurements are the same number: differences of counters against a counter of its own
    assert len(set(measured.values())) == len(measured)


def test_it_says_nothing_of_a_month_with_an_event_in_it(verdicts):
    results, events = verdicts
    touched = {day + timedelta(days=later) for day in events for later in range(30)}

    assert touched
    for verdict in results:
        if verdict.snapshot_date in touched:
            assert verdict.observed.startswith("nothing to compare"), verdict.snapshot_date
