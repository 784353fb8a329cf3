"""Stalls, recounts and captures in the hours of change, seen at landing against the last landed days."""

from datetime import date, timedelta

import pytest
import yaml

from orchestration.landing import counters as counters_module
from orchestration.landing import land_models
from orchestration.landing.comparison import BUSY_DOWNLOADS, WATCHED_ALL_TIME
from orchestration.settings import PROJECT_ROOT
from tests.hub.snapshots import DAY, model

COUNT = 110


def day_of(factor: float, *, moved: float = 1.0) -> list[dict]:
    """A day on which the first `moved` of all models have `factor` times the counters of a plain day."""
    return [
        model(
            number,
            downloads=2_000 + number,
            downloadsAllTime=round((100_000 + number) * (factor if number < moved * COUNT else 1.0)),
        )
        for number in range(COUNT)
    ]


def land_all(serve, settings_for, days: dict[date, list[dict]], **options) -> list[dict]:
    """The manifests of all days, landed one after the other."""
    hub = serve(days, **options)
    settings, manifests = settings_for(hub), []
    for day in sorted(days):
        hub.day = day
        manifests.append(land_models(day, settings).manifest)
    return manifests


def days_from(*lists: list[dict]) -> dict[date, list[dict]]:
    return {DAY + timedelta(days=number): rows for number, rows in enumerate(lists)}


def test_the_bounds_are_those_of_the_warehouse():
    variables = yaml.safe_load((PROJECT_ROOT / "dbt_project" / "dbt_project.yml").read_text())["vars"]
    assert variables["stalled_unchanged_share"] == counters_module.STALLED_UNCHANGED_SHARE
    assert variables["recounted_minimum_difference"] == counters_module.RECOUNTED_MINIMUM_DIFFERENCE
    assert variables["recounted_deviations"] == counters_module.RECOUNTED_DEVIATIONS
    assert variables["platform_event_baseline_days"] == counters_module.BASELINE_DAYS
    assert variables["platform_event_minimum_downloads"] == WATCHED_ALL_TIME
    assert BUSY_DOWNLOADS == 1000  # definition 2


def test_days_that_move_as_usual_are_none_and_make_the_baseline(serve, settings_for):
    first, second, third = land_all(serve, settings_for, days_from(day_of(1.0), day_of(1.01), day_of(1.02)))
    assert (first["counters"]["event"], first["warnings"]) == ("unjudged", [])
    assert (second["counters"]["event"], second["counters"]["baseline_days"]) == ("none", 0)
    assert second["counters"]["median_change"] == pytest.approx(0.01, abs=1e-4)
    assert (third["counters"]["event"], third["counters"]["baseline_days"]) == ("none", 1)
    assert (third["counters"]["watched"], third["counters"]["busy_changed_share"]) == (COUNT, 1.0)


@pytest.mark.parametrize(("moved", "event"), [(0.0, "stalled"), (0.045, "stalled"), (0.06, "none")])
def test_ninety_five_of_a_hundred_unchanged_are_a_stall(serve, settings_for, moved, event):
    lines: list[str] = []
    hub = serve(days_from(day_of(1.0), day_of(1.01, moved=moved)))
    settings = settings_for(hub)
    land_models(DAY, settings)
    hub.day = DAY + timedelta(days=1)
    manifest = land_models(hub.day, settings, progress=lines.append).manifest
    assert manifest["counters"]["event"] == event
    assert any("the counters are stalled" in line for line in lines) is (event == "stalled")
    assert bool(manifest["warnings"]) is (event == "stalled")


@pytest.mark.parametrize(
    ("last", "event"), [(1.02, "none"), (1.029, "none"), (1.05, "recounted"), (0.98, "recounted"), (0.9, "recounted")]
)
def test_a_median_far_from_the_usual_is_a_recount_either_way(serve, settings_for, last, event):
    """Usual is one per cent a day; the bound is two points around it."""
    manifests = land_all(serve, settings_for, days_from(day_of(1.0), day_of(1.01), day_of(1.01 * last)))
    assert manifests[-1]["counters"]["event"] == event
    assert any("the counters are recounted" in warning for warning in manifests[-1]["warnings"]) is (event != "none")


def test_an_affected_day_does_not_become_the_baseline(serve, settings_for):
    usual, recounted, after = day_of(1.01), day_of(1.01 * 0.8), day_of(1.01 * 0.8 * 1.01)
    manifests = land_all(serve, settings_for, days_from(day_of(1.0), usual, recounted, after))
    assert [manifest["counters"]["event"] for manifest in manifests] == ["unjudged", "none", "recounted", "none"]
    assert manifests[-1]["counters"]["baseline_days"] == 1


def test_a_gap_is_told_per_day_and_a_long_one_is_not_judged(serve, settings_for):
    days = {DAY: day_of(1.0), DAY + timedelta(1): day_of(1.01), DAY + timedelta(4): day_of(1.01**4)}
    days[DAY + timedelta(12)] = day_of(1.01**4 * 1.5)
    manifests = land_all(serve, settings_for, days)
    assert manifests[2]["counters"]["median_change"] == pytest.approx(0.01, abs=1e-4)
    assert manifests[2]["counters"]["event"] == "none"
    assert (manifests[3]["counters"]["event"], manifests[3]["warnings"]) == ("unjudged", [])
    assert "8 days away" in manifests[3]["counters"]["said"]


def test_two_captures_of_one_counters_day_are_not_compared(serve, settings_for):
    """At 02:00 the counters are those of the day before, which was captured after they had moved."""
    days = days_from(day_of(1.0), day_of(1.0))
    late = serve(days, capture_time="12:00:00")
    settings = settings_for(late)
    land_models(DAY, settings)
    late.stop()
    early = serve(days, capture_time="02:00:00", port=int(late.url.rpartition(":")[2]))
    early.day = DAY + timedelta(days=1)
    manifest = land_models(early.day, settings).manifest
    assert (manifest["counters_date"], manifest["counters"]["event"]) == (str(DAY), "unjudged")
    assert "same counters' day" in manifest["counters"]["said"]
    assert manifest["warnings"] == []


@pytest.mark.parametrize(
    ("time", "is_warned"), [("03:59:50", False), ("04:00:00", True), ("09:59:00", True), ("10:00:00", False)]
)
def test_a_capture_in_the_hours_of_change_is_warned_of(serve, settings_for, time, is_warned):
    (manifest,) = land_all(serve, settings_for, days_from(day_of(1.0)), capture_time=time)
    assert manifest["counters"]["captured_while_moving"] is is_warned
    assert any("captured between 04:00 and 10:00 UTC" in warning for warning in manifest["warnings"]) is is_warned
