"""The rate budget that every caller of one Hub shares: when the next request may go out, by the Hub's own headers.
What a request asks and what its answer means is for others; nothing here opens a connection."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from huggingface_hub.utils import parse_ratelimit_headers

# What the Hub grants an anonymous address (its documentation, 2026-08), assumed when its headers don't say.
DEFAULT_LIMIT, DEFAULT_WINDOW_SECONDS = 500, 300
# After a slow reply we may catch up, but never at more than this many times the even pace: a share spent in one burst is
# no share of anything (set 2026-11-24).
FASTEST_PACE = 4.0
# Look-ups leave a tenth of our share, so that a walk that begins late in a window isn't held up by them (2026-11-24).
LEFT_BY_LOOK_UPS = 0.1


class Priority(IntEnum):
    """Who goes first when several wait: the walk, which has to end on its day; then what can wait for tomorrow."""

    WALK = 0
    LOOK_UP = 1


@dataclass
class _Budget:
    """The window of one kind of request, as the Hub's last headers told it. Times are the governor's clock."""

    limit: int = DEFAULT_LIMIT
    window: float = float(DEFAULT_WINDOW_SECONDS)
    remaining: int | None = None  # as told; None when nothing is known of the present window
    unseen: int = 0  # sent in this window, but not in `remaining` yet
    closes_from: float = 0.0  # the window closes between these two: headers count whole seconds, and each narrows it
    closes_until: float = 0.0
    last_slot: float | None = None

    def slot(self, now: float, share: float) -> float:
        """When the next request may go out, at once included. Takes the slot."""
        if self.remaining is not None and now >= self.closes_until:
            self._turn(now)
        allowed = max(1, int(share * self.limit))
        even = self.window / allowed
        if self.remaining is None:
            at = now if self.last_slot is None else max(now, self.last_slot + even)
        elif (left := self.remaining - self.unseen - (self.limit - allowed)) > 0:
            pace = max((self.closes_from - now) / left, even / FASTEST_PACE)
            at = now if self.last_slot is None else max(now, self.last_slot + pace)
        else:
            at = max(now, self.closes_until)
        if self.remaining is not None and at >= self.closes_until:
            self._turn(at)
        self.unseen += 1
        self.last_slot = at
        return at

    def _turn(self, now: float) -> None:
        """The window has closed for sure; until a reply says otherwise, the next one is as long, whole, and ours to share."""
        windows = int((now - self.closes_until) // self.window) + 1
        self.closes_from += windows * self.window
        self.closes_until += windows * self.window
        self.remaining, self.unseen = self.limit, 0

    def observe(
        self, sent: float, now: float, limit: int | None, window: float | None, remaining: int, reset_in: float
    ) -> None:
        """Take over a reply's headers; its request went out at `sent`, and `reset_in` was true somewhere between."""
        self.limit, self.window = limit or self.limit, window or self.window
        closes_from, closes_until = sent + reset_in - 1, now + reset_in + 1  # rounded up or down, nobody says which
        is_same = (
            self.remaining is not None
            and closes_from < self.closes_until
            and closes_until > self.closes_from
            and remaining <= self.remaining
        )
        if is_same:
            closes_from, closes_until = max(closes_from, self.closes_from), min(closes_until, self.closes_until)
        self.closes_from, self.closes_until = closes_from, closes_until
        self.remaining, self.unseen = remaining, max(self.unseen - 1, 0) if is_same else 0


@dataclass
class Governor:
    """Spends a share of each rate-limit window, evenly: 0.5 leaves the other half to whoever shares our address.

    One governor serves all callers of a Hub in this process, from any thread. `sleep` and `clock` (seconds, monotonic)
    are for tests.
    """

    share: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _budgets: dict[str, _Budget] = field(default_factory=dict)
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _waiting: dict[Priority, int] = field(default_factory=lambda: dict.fromkeys(Priority, 0))

    def wait(self, bucket: str, priority: Priority = Priority.WALK) -> float:
        """Sleep until the next request of this kind is within our share. Whoever is more urgent goes first.

        Gives the moment at which the request goes out, which `observe` wants back.
        """
        with self._turn:
            self._waiting[priority] += 1
            self._turn.wait_for(lambda: not any(self._waiting[other] for other in Priority if other < priority))
            now = self.clock()
            share = self.share * (1 - LEFT_BY_LOOK_UPS) if priority is Priority.LOOK_UP else self.share
            at = self._budget(bucket).slot(now, share)
        try:
            if at > now:
                self.sleep(at - now)
        finally:
            with self._turn:
                self._waiting[priority] -= 1
                self._turn.notify_all()
        return at

    def observe(self, bucket: str, headers: Mapping[str, str], sent: float) -> None:
        """Take over what a reply's RateLimit headers say; without them the last known, or the default, holds."""
        told = parse_ratelimit_headers(headers)
        if told is None:
            return
        with self._turn:
            now = self.clock()
            self._budget(bucket).observe(
                min(sent, now), now, told.limit, told.window_seconds, told.remaining, told.reset_in_seconds
            )

    def window(self, bucket: str) -> float:
        """The length of the window in seconds."""
        with self._turn:
            return self._budget(bucket).window

    def _budget(self, bucket: str) -> _Budget:
        return self._budgets.setdefault(bucket, _Budget())


_GOVERNORS: dict[tuple[str, str | None, float], Governor] = {}
_GOVERNORS_LOCK = threading.Lock()


def governor_for(endpoint: str, token: str | None, share: float) -> Governor:
    """The one governor of this process for a Hub and an identity: limits are per address or account, not per client."""
    with _GOVERNORS_LOCK:
        return _GOVERNORS.setdefault((endpoint.rstrip("/"), token, share), Governor(share))
