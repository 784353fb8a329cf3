"""The shared rate budget: against the sandbox's own windows under a clock that is turned by hand, and once over HTTP."""

import math
import threading
import time

import pytest

from orchestration.hub.client import HubClient
from orchestration.hub.governor import Governor, Priority, governor_for
from orchestration.sandbox.rate_window import RateWindow


class Time:
    """A clock that sleeping moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def governor_of(clock: Time, share: float) -> Governor:
    return Governor(share, sleep=clock.sleep, clock=clock)


def headers(remaining: int, reset: float, limit: int = 1000, window: int = 300) -> dict[str, str]:
    return {
        "RateLimit": f'"api";r={remaining};t={reset}',
        "RateLimit-Policy": f'"fixed window";"api";q={limit};w={window}',
    }


def walk(
    clock: Time, window: RateWindow, share: float, *, until: float, latency: float, rounding=math.ceil
) -> tuple[dict[int, int], int]:
    """Requests in each window of the Hub, and how many of them were refused."""
    governor, sent_in, refused = governor_of(clock, share), {}, 0
    while clock.now < until:
        sent = governor.wait("api")
        if clock.now >= until:
            break
        clock.sleep(latency / 2)
        number = int(clock.now // window.seconds)
        sent_in[number] = sent_in.get(number, 0) + 1
        refused += not window.spend()
        reset = max(0, rounding(window._opened + window.seconds - clock.now))
        told = window.headers(reset=reset)
        clock.sleep(latency / 2)
        governor.observe("api", told, sent)
    return sent_in, refused


@pytest.mark.parametrize("rounding", [math.ceil, math.floor], ids=["seconds rounded up", "seconds rounded down"])
@pytest.mark.parametrize("latency", [0.001, 0.02])
@pytest.mark.parametrize(
    ("quota", "seconds", "share"), [(50, 5, 0.5), (40, 4, 1.0), (100, 10, 0.5), (500, 300, 0.5), (1000, 60, 0.9)]
)
def test_it_uses_its_share_of_each_window_and_is_never_refused(quota, seconds, share, latency, rounding):
    clock, windows = Time(), 8
    window = RateWindow("api", quota, seconds, now=clock)
    sent_in, refused = walk(clock, window, share, until=windows * seconds, latency=latency, rounding=rounding)
    assert refused == 0
    assert sum(sent_in.values()) >= 0.95 * share * quota * windows
    assert max(sent_in.values()) <= share * quota + 1  # one may be under way when the window turns


def test_a_walk_that_begins_late_in_a_window_is_not_refused_either():
    clock = Time()
    window = RateWindow("api", 50, 5, now=clock)
    clock.now = 3.7
    sent_in, refused = walk(clock, window, 1.0, until=25, latency=0.01)
    assert refused == 0
    assert all(sent_in[number] >= 47 for number in range(1, 5))


def test_what_others_spent_is_left_to_them():
    clock = Time()
    governor = governor_of(clock, 0.5)
    governor.observe("api", headers(remaining=500, reset=80), sent=0.0)
    governor.wait("api")
    assert clock.now == pytest.approx(81)  # half is spent: the rest of the window is others'
    governor.wait("pages")
    assert clock.now == pytest.approx(81)  # another bucket has a budget of its own


def test_without_headers_the_anonymous_limit_is_assumed():
    clock = Time()
    governor = governor_of(clock, 0.5)
    for _ in range(251):
        sent = governor.wait("api")
        governor.observe("api", {}, sent)
    assert clock.now == pytest.approx(300)  # 250 of the default 500 in 300 s


def test_a_slow_reply_is_caught_up_with_but_not_in_a_burst():
    clock = Time()
    governor = governor_of(clock, 0.5)
    sent = governor.wait("api")
    clock.sleep(200)
    governor.observe("api", headers(remaining=999, reset=100), sent)
    before = clock.now
    for _ in range(10):
        governor.wait("api")
    even = 300 / 500
    assert 9 * even / 4 <= clock.now - before <= 10 * even


def test_look_ups_leave_a_tenth_of_the_share_to_a_walk():
    clock = Time()
    governor = governor_of(clock, 1.0)
    window = RateWindow("api", 100, 100, now=clock)
    asked = 0
    while clock.now < 90:
        sent = governor.wait("api", Priority.LOOK_UP)
        if clock.now < 90:
            window.spend()
            governor.observe("api", window.headers(), sent)
            asked += 1
    assert asked <= 90
    assert window.quota - window._spent >= 10


def test_the_walk_goes_before_look_ups_that_wait():
    """Both wait for a slot at the same time: the one that may wait till tomorrow comes second."""
    order: list[str] = []
    asleep, wake = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        asleep.set()
        wake.wait(5)

    governor = Governor(0.5, sleep=sleep, clock=lambda: 0.0)
    governor.wait("api")  # the first goes at once, the next ones have to wait

    def ask(name: str, priority: Priority) -> None:
        governor.wait("api", priority)
        order.append(name)

    walk_thread = threading.Thread(target=ask, args=("walk", Priority.WALK))
    walk_thread.start()
    assert asleep.wait(5)
    look_up = threading.Thread(target=ask, args=("look-up", Priority.LOOK_UP))
    look_up.start()
    time.sleep(0.05)
    assert order == []
    wake.set()
    walk_thread.join(5)
    look_up.join(5)
    assert order == ["walk", "look-up"]


def test_threads_share_one_budget_and_none_is_refused(serve):
    hub = serve(rate_limit=40, window_seconds=2)
    governor = Governor(1.0)

    def ask(times: int, priority: Priority) -> None:
        with HubClient(hub.url, governor=governor) as client:
            for _ in range(times):
                client.get("/api/models", params=[("limit", "1")], priority=priority)

    threads = [threading.Thread(target=ask, args=(25, priority)) for priority in Priority]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    statuses = [status for _, path, status in hub.requests if path == "/api/models"]
    assert len(statuses) == 50
    assert set(statuses) == {200}


def test_one_process_has_one_governor_for_a_hub_and_an_identity():
    first = governor_for("http://hub.example/", None, 0.5)
    assert governor_for("http://hub.example", None, 0.5) is first
    assert governor_for("http://hub.example", "another identity", 0.5) is not first


def test_over_http_it_uses_its_share_of_a_small_window_and_meets_no_429(serve):
    hub = serve(rate_limit=80, window_seconds=3)
    with HubClient(hub.url, rate_share=0.5) as client:
        started = time.monotonic()
        asked = 0
        while time.monotonic() - started < 6:
            client.get("/api/models", params=[("limit", "1")])
            asked += 1
    assert {status for _, path, status in hub.requests if path == "/api/models"} == {200}
    assert asked >= 0.95 * 0.5 * 80 * 2
