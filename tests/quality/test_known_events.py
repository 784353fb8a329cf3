"""Known events: what the seed accepts, for which table, promise and days, and what is wrong with a bad row."""

from datetime import date

import pytest

from orchestration.quality.known_events import (
    COLUMNS,
    LONGEST_DAYS,
    KnownEventsUnreadable,
    event_that_accepts,
    read_known_events,
)
from orchestration.quality.suites import SUITES
from tests.quality.good_day import NEXT_DAY, land_day

ROW = {
    "event_id": "recount-june",
    "table_name": "hub_models",
    "check_name": "downloads_are_near_the_last_complete_day",
    "first_date": "2026-10-07",
    "last_date": "2026-10-08",
    "reason": "The Hub recounted downloads and announced it",
    "accepted_by": "Ada",
    "accepted_on": "2026-10-08",
}


@pytest.fixture
def seed(tmp_path):
    def write(*rows: dict[str, str], header=COLUMNS):
        path = tmp_path / "known_events.csv"
        path.write_text("\n".join([",".join(header), *(",".join(row.values()) for row in rows)]) + "\n")
        return path

    return write


def test_the_projects_own_seed_is_in_order_and_names_promises_that_there_are():
    promised = {(suite.table, promise.check_name) for suite in SUITES.values() for promise in suite.promises}

    assert {(event.table_name, event.check_name) for event in read_known_events()} <= promised


@pytest.mark.parametrize(
    ("table", "check", "day", "accepted"),
    [
        (ROW["table_name"], ROW["check_name"], date(2026, 10, 7), True),
        (ROW["table_name"], ROW["check_name"], date(2026, 10, 8), True),
        (ROW["table_name"], ROW["check_name"], date(2026, 10, 6), False),
        (ROW["table_name"], ROW["check_name"], date(2026, 10, 9), False),
        (ROW["table_name"], "likes_is_given", date(2026, 10, 7), False),
        ("hub_landing", ROW["check_name"], date(2026, 10, 7), False),
    ],
)
def test_an_event_accepts_its_promise_on_its_days_only(seed, table, check, day, accepted):
    assert (event_that_accepts(read_known_events(seed(ROW)), table, check, day) is not None) == accepted


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param([ROW | {"reason": ""}], "line 2: found no value for reason", id="no reason"),
        pytest.param([ROW | {"reason": "because"}], "a sentence that a stranger can check", id="short reason"),
        pytest.param([ROW | {"first_date": "7 Oct"}], "days as YYYY-MM-DD", id="no date"),
        pytest.param([ROW | {"last_date": "2026-10-06"}], "line 2: found 0 days", id="ends before it begins"),
        pytest.param([ROW | {"last_date": "2027-10-06"}], f"1 to {LONGEST_DAYS}", id="for ever"),
        pytest.param([ROW, ROW], "the event_id recount-june more than once", id="twice"),
        pytest.param([ROW | {"accepted_on": "2026-10-08,too much"}], "more values than columns", id="too many values"),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_its_line(seed, rows, said):
    with pytest.raises(KnownEventsUnreadable) as refused:
        read_known_events(seed(*rows))

    assert said in str(refused.value)
    assert "Do this: correct the row" in str(refused.value)


def test_another_header_or_no_seed_is_refused(seed, tmp_path):
    with pytest.raises(KnownEventsUnreadable, match="found the columns"):
        read_known_events(seed(ROW, header=COLUMNS[1:]))
    with pytest.raises(KnownEventsUnreadable, match="found no file"):
        read_known_events(tmp_path / "elsewhere.csv")


def test_a_crash_is_never_accepted(good, gate, seed):
    (good.landing_dir / "models" / f"snapshot_date={NEXT_DAY}" / "part-00000.parquet").write_bytes(b"no parquet")

    result = gate("raw", NEXT_DAY, known_events=read_known_events(seed(ROW)))

    assert result.failed_dates == [NEXT_DAY]
    assert not any(verdict.accepted_event for verdict in result.results)


def test_an_accepted_promise_keeps_what_was_found_and_another_still_blocks(good, gate, seed):
    land_day(good, NEXT_DAY, rows="select * replace (-1 as downloads) from good")

    result = gate("raw", NEXT_DAY, known_events=read_known_events(seed(ROW)))

    verdicts = {verdict.check_name: verdict for verdict in result.results}
    accepted = verdicts["downloads_are_near_the_last_complete_day"]
    assert (accepted.passed, accepted.accepted_event, accepted.blocks) == (True, True, False)
    assert accepted.observed.startswith("-0.0")
    assert accepted.accepted_because.startswith("recount-june: The Hub recounted")
    assert verdicts["downloads_is_not_negative"].blocks
