"""Which day the counters tell, by the time of capture and, in between, by what moved."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from orchestration.landing import land_models
from orchestration.landing.counters import counters_date, is_same_counters
from tests.hub.snapshots import DAY, NEXT_DAY, models
from tests.landing.landed import capture

BEFORE = DAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("time", "share", "expected"),
    [
        ("00:00:00", 1.0, BEFORE),
        ("03:59:59", 1.0, BEFORE),
        ("04:00:00", None, BEFORE),
        ("04:00:00", 0.0, BEFORE),
        ("07:30:00", 0.5, BEFORE),
        ("07:30:00", 0.51, DAY),
        ("09:59:59", 1.0, DAY),
        ("10:00:00", None, DAY),
        ("10:00:00", 0.0, DAY),
        ("23:59:59", 0.0, DAY),
    ],
)
def test_the_day_of_the_counters(time, share, expected):
    assert counters_date(datetime.fromisoformat(f"{DAY}T{time}+00:00"), share) == expected


def test_the_day_of_the_counters_is_utc():
    moment = datetime(2026, 10, 7, 1, 0, tzinfo=timezone(timedelta(hours=9)))  # 16:00 the day before in UTC
    assert counters_date(moment, None) == date(2026, 10, 6)


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [("01:00", "03:59", True), ("03:00", "04:00", False), ("05:00", "11:00", False), ("10:00", "23:00", True)],
)
def test_when_two_moments_surely_see_the_same_counters(earlier, later, expected):
    moments = [datetime.fromisoformat(f"{DAY}T{time}:00+00:00") for time in (earlier, later)]
    assert is_same_counters(*moments) is expected
    assert not is_same_counters(moments[0], moments[1] + timedelta(days=1))


@pytest.mark.parametrize(("moved", "expected"), [(True, NEXT_DAY), (False, DAY)])
def test_in_the_morning_the_busy_repositories_decide(serve, settings_for, moved, expected):
    # 200 models; those from number 100 on have at least 1,000 downloads
    changed = [row | {"downloadsAllTime": row["downloadsAllTime"] + 1} for row in models(200)]
    quiet = models(200)[:100]
    second_day = changed if moved else [*(row | {"downloadsAllTime": 1} for row in quiet), *models(200)[100:]]
    hub = serve({DAY: models(200), NEXT_DAY: second_day}, capture_time="07:00:00")
    settings = settings_for(hub, page_size=200)
    land_models(DAY, settings)
    assert capture(settings, DAY)["counters_date"] == BEFORE  # nothing to compare with
    hub.day = NEXT_DAY
    land_models(NEXT_DAY, settings)
    assert capture(settings, NEXT_DAY)["counters_date"] == expected
    assert capture(settings, NEXT_DAY)["captured_at"].astimezone(UTC).hour == 7
