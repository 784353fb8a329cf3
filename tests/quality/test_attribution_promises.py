"""What excuses a country's jump, and what does not: each cause by its name, in a warehouse of two days that differ in one share.
That the promises hold on a good day and break on a bad one is tested with all others, in test_quality_promises."""

import duckdb
import pytest

from orchestration.quality import SUITES
from orchestration.quality.suites.marts import COVERAGE_FALLS_BY, DOWNLOADS_TO_JUDGE_MOVES
from tests.quality.broken_days import ATTRIBUTED, COVERAGE, DAY_BEFORE, SHARES, SNAPSHOTS, another_share_the_day_before
from tests.quality.good_day import DAY

JUMP, LEAP = "no_country_jumps_without_a_named_cause", "no_country_leaps_without_a_named_cause"
ORGANIZATIONS = "marts.dim_organizations"


@pytest.fixture
def failures(good, gate):
    """Names of the promises about country shares that fail after changes of the warehouse."""

    def judge(*changes: str) -> list[str]:
        with duckdb.connect(str(good.warehouse_path)) as connection:
            for change in changes:
                connection.execute(change)
        name = "marts_daily_country_share"
        return [failure.check_name for failure in gate("marts", DAY, suites={name: SUITES[name]}).failures]

    return judge


@pytest.fixture
def publish(good):
    """Write a dimension of the version that readers see: publish(table, SQL over the warehouse)."""

    def write(table: str, query: str) -> None:
        folder = good.published_dir / "current" / "parquet"
        folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(good.warehouse_path), read_only=True) as connection:
            connection.execute(f"copy ({query}) to '{folder / table}.parquet' (format parquet)")

    return write


def jump(by: float = 0.02) -> str:
    return another_share_the_day_before(by).warehouse


def on_the_day_before(assignment: str, table: str = SNAPSHOTS) -> str:
    return f"update {table} set {assignment} where snapshot_date < date '{DAY}'"


def test_two_days_alike_have_no_jump(failures):
    assert failures(jump(by=0)) == []


@pytest.mark.parametrize("by", [0.02, -0.02])
def test_a_jump_either_way_warns(failures, by):
    assert failures(jump(by)) == [JUMP]


def test_a_leap_blocks(good, gate, failures):
    assert failures(jump(0.2)) == [LEAP]
    assert gate("marts", DAY).failed_dates == [DAY]


def test_the_day_after_a_bad_one_is_not_blamed_for_coming_back(failures):
    one_more = f"insert into {SHARES} select * replace (snapshot_date - {{}} as snapshot_date) from {SHARES} where {{}}"
    as_today = one_more.format(2, f"snapshot_date = date '{DAY}'")
    landed = (
        f"insert into {SNAPSHOTS} select * replace (snapshot_date - 2 as snapshot_date) from {SNAPSHOTS} where {{}}"
    )
    assert failures(jump(0.2), as_today, landed.format(f"snapshot_date = date '{DAY}'")) == [JUMP]

    as_yesterday = one_more.format(1, f"snapshot_date = date '{DAY}' - 1")
    assert failures(f"delete from {SHARES} where snapshot_date < date '{DAY}' - 1", as_yesterday) == [LEAP]


def test_a_day_that_only_windows_know_is_not_what_a_day_is_compared_with(failures):
    """Windows end on days without a capture, too; what moved over a gap has moved over its days."""
    assert failures(jump(0.2), on_the_day_before("status = 'missing'")) == []


def test_less_than_the_bound_is_an_ordinary_day(failures):
    assert failures(jump(0.009)) == []


@pytest.mark.parametrize(
    "cause",
    [
        on_the_day_before("platform_event = 'recounted'"),
        f"update {SNAPSHOTS} set platform_event = 'stalled' where snapshot_date = date '{DAY}'",
        on_the_day_before("source = 'archive'"),
        # the last landed day is two days back
        on_the_day_before("snapshot_date = snapshot_date - 1")
        + "; "
        + on_the_day_before("snapshot_date = snapshot_date - 1", SHARES),
        on_the_day_before("correction_downloads = -5", SHARES),
        f"update {ORGANIZATIONS} set valid_from = date '{DAY}' where namespace = 'moved' and valid_to is null",
        # without its largest repository the country stays where it was
        on_the_day_before("share_without_top_repository = share_without_top_repository + 0.2", SHARES),
    ],
    ids=["recounted", "stalled", "another-source", "days-apart", "correction", "dated-move", "one-repository"],
)
def test_a_named_cause_explains_even_a_leap(failures, cause):
    assert failures(jump(0.2), cause) == []


def test_a_move_of_another_country_explains_nothing(failures):
    moved = f"update {ORGANIZATIONS} set country_code = 'CN', valid_from = date '{DAY}' where namespace = 'n5-0'"
    assert failures(jump(), moved) == [JUMP]


def test_a_seed_that_changed_since_the_published_version_explains_its_countries(failures, publish):
    publish("dim_organizations", f"select * from {ORGANIZATIONS}")
    assert failures(jump()) == [JUMP]

    publish(
        "dim_organizations",
        f"select * replace (case when namespace = 'n0' then 'FR' else country_code end as country_code) from {ORGANIZATIONS}",
    )
    assert failures() == []


def test_accounts_that_are_only_observed_explain_nothing(failures, publish):
    publish("dim_organizations", f"select * from {ORGANIZATIONS} where is_seeded")
    assert failures(jump()) == [JUMP]


def test_a_day_that_was_loaded_again_or_late_explains(failures, publish):
    later = f"select * replace (snapshot_date + 1 as snapshot_date) from {SNAPSHOTS}"
    publish("dim_snapshots", f"select * from {SNAPSHOTS} union all {later}")
    assert failures(jump()) == []  # the day before is new to a version that has later ones

    publish("dim_snapshots", f"select * from {SNAPSHOTS} union all from ({later} where snapshot_date = date '{DAY}')")
    assert failures() == [JUMP]  # as published: nothing was loaded again

    publish(
        "dim_snapshots",
        f"select * replace (captured_at - interval 1 hour as captured_at) from {SNAPSHOTS} union all {later}",
    )
    assert failures() == []


def test_a_version_with_fewer_columns_is_read_all_the_same(failures, publish):
    publish("dim_organizations", f"select namespace, country_code from {ORGANIZATIONS}")
    assert failures(jump()) == [JUMP]


def test_of_few_downloads_no_jump_is_judged(failures):
    fewer = f"update {SHARES} set total_downloads = {DOWNLOADS_TO_JUDGE_MOVES - 1} where snapshot_date < date '{DAY}'"
    assert failures(jump(0.2), fewer) == []


def test_a_country_that_vanishes_has_jumped(failures):
    # France had 0 where it isn't listed; here it leaves the day that is judged, with nothing else amiss in `moves`
    gone = f"delete from {SHARES} where country_code = 'FR' and metric = 'all_time' and snapshot_date = date '{DAY}'"
    assert {JUMP, LEAP} & set(failures(jump(0), gone))


def test_only_the_largest_accounts_that_are_no_persons_have_to_be_classed(good, gate):
    name = "marts_attribution_coverage"
    changed = f"update {ATTRIBUTED} set uploader_country_code = 'XX'"

    def judged(*changes: str) -> list[dict]:
        with duckdb.connect(str(good.warehouse_path)) as connection:
            for change in changes:
                connection.execute(change)
        failures = gate("marts", DAY, suites={name: SUITES[name]}).failures
        return [offender for failure in failures for offender in failure.offenders]

    assert judged(f"{changed} where namespace = 'n14'") == []  # a person
    tiny = f"update {ATTRIBUTED} set downloads_30d = 1 where namespace = 'n4'"
    assert judged(tiny, f"{changed} where namespace = 'n4'") == []  # less than one in ten thousand
    (offender,) = judged(f"{changed} where namespace = 'n0'")
    assert offender["namespace"] == "n0"
    assert 1 <= offender["place"] <= 10
    assert offender["share"] > 0.01


def test_coverage_is_compared_with_the_last_landed_day_of_thirty(good, gate):
    fallen = f"where attribution = 'uploader' and basis = 'models' and snapshot_date < date '{DAY}'"
    name = "marts_attribution_coverage"

    def judged(*changes: str) -> list[str]:
        with duckdb.connect(str(good.warehouse_path)) as connection:
            for change in changes:
                connection.execute(change)
        return [failure.check_name for failure in gate("marts", DAY, suites={name: SUITES[name]}).failures]

    before = f"insert into {COVERAGE} {DAY_BEFORE} from {COVERAGE}"
    higher = f"update {COVERAGE} set located_share = located_share + {{}} {fallen}"
    assert judged(before, higher.format(COVERAGE_FALLS_BY - 0.001)) == []
    assert judged(higher.format(0.01)) == ["coverage_has_not_fallen"]
    assert judged(on_the_day_before("snapshot_date = snapshot_date - 40", COVERAGE)) == []
