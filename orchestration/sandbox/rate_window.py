"""The Hub's rate limit: a fixed window of requests a bucket, and the headers that announce it.
Which request belongs to which bucket is the server's business."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

# Resolver and page quotas relative to the API's, as the Hub's anonymous limits are: 3,000 and 100 to 500.
BUCKET_RATIO = {"api": 1.0, "resolvers": 6.0, "pages": 0.2}


class RateWindow:
    """One bucket: `quota` requests in each window of `seconds`; all of it is back when the next window opens."""

    def __init__(self, bucket: str, quota: int, seconds: int, now: Callable[[], float] = time.monotonic):
        self.bucket, self.quota, self.seconds = bucket, quota, seconds
        self._now = now
        self._opened = now()
        self._spent = 0

    def spend(self) -> bool:
        """Take one request from the window; False if none is left."""
        self._turn()
        if self._spent >= self.quota:
            return False
        self._spent += 1
        return True

    def headers(self, *, remaining: int | None = None, reset: int | None = None) -> dict[str, str]:
        """`RateLimit` and `RateLimit-Policy`; a fault may tell other numbers than the true ones."""
        self._turn()
        left = self.quota - self._spent if remaining is None else remaining
        until = max(1, math.ceil(self._opened + self.seconds - self._now())) if reset is None else reset
        return {
            "ratelimit": f'"{self.bucket}";r={left};t={until}',
            "ratelimit-policy": f'"fixed window";"{self.bucket}";q={self.quota};w={self.seconds}',
        }

    def _turn(self) -> None:
        windows = int((self._now() - self._opened) // self.seconds)
        if windows:
            self._opened += windows * self.seconds
            self._spent = 0


def rate_windows(api_quota: int, seconds: int) -> dict[str, RateWindow]:
    """The three buckets, their quotas in the Hub's own proportions."""
    return {
        bucket: RateWindow(bucket, max(1, int(api_quota * ratio)), seconds) for bucket, ratio in BUCKET_RATIO.items()
    }
