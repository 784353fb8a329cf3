"""status.json tells what was tried last and what is still good, after good days and bad ones."""

from datetime import UTC, date, datetime

import pytest

from orchestration.publishing import current_version, read_status, write_status

AT = datetime(2026, 10, 14, 12, 30, tzinfo=UTC)
DAY = date(2026, 10, 14)
BLOCKED = {
    "state": "blocked",
    "attempted_dates": [DAY],
    "step": "raw",
    "reason": "volume fell by 40 %",
    "run_id": "run-9",
    "at": AT,
}


def test_nothing_was_tried_yet(settings):
    assert read_status(settings) is None


def test_a_published_day_is_the_last_good_one(settings, warehouse, publish):
    publish("v1", at=AT)
    assert read_status(settings) == {
        "state": "published",
        "last_good": {"version": "v1", "snapshot_date": "2026-10-13", "published_at": "2026-10-14T12:30:00+00:00"},
        "attempted": {
            "snapshot_dates": ["2026-10-13"],
            "run_id": "run-1",
            "at": "2026-10-14T12:30:00+00:00",
            "step": None,
            "reason": None,
            "set_aside": {},
        },
        "rolled_back": None,
    }


@pytest.mark.parametrize("state", ["blocked", "failed"])
def test_a_bad_day_is_told_and_the_last_good_one_stays(settings, warehouse, publish, state):
    publish("v1", at=AT)
    write_status(settings, **(BLOCKED | {"state": state}))
    status = read_status(settings)
    assert status["state"] == state
    assert status["last_good"]["version"] == "v1"
    assert status["attempted"] == {
        "snapshot_dates": ["2026-10-14"],
        "run_id": "run-9",
        "at": "2026-10-14T12:30:00+00:00",
        "step": "raw",
        "reason": "volume fell by 40 %",
        "set_aside": {},
    }
    assert current_version(settings).version_id == "v1"


def test_the_first_day_can_be_blocked(settings):
    write_status(settings, **BLOCKED)
    assert read_status(settings)["last_good"] is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"state": "fine"}, "Found state 'fine'"),
        ({"reason": None}, "without step or reason"),
        ({"step": ""}, "without step or reason"),
        ({"at": datetime(2026, 10, 14)}, "without a time zone"),  # noqa: DTZ001
    ],
    ids=["unknown state", "no reason", "no step", "naive time"],
)
def test_a_status_that_says_too_little_is_refused_and_the_old_one_stays(settings, wrong, named):
    write_status(settings, **BLOCKED)
    with pytest.raises(ValueError, match=named):
        write_status(settings, **(BLOCKED | wrong))
    assert read_status(settings)["state"] == "blocked"
