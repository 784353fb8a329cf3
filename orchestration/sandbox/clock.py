"""The sandbox Hub's own time: which day it shows, and when it moves on to the next.
The window of the rate limit runs on real seconds and is not kept here."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from threading import Lock


class SandboxClock:
    """A clock set to one of the available days, at the time of capture; from there it ticks in real seconds."""

    def __init__(self, days: list[date], day: date | None, capture_time: str, *, advance: bool):
        self.days = days
        self._capture_time = time_of_day.fromisoformat(capture_time)
        self._advance = advance
        self._lock = Lock()
        self.set(day or (days[0] if advance else days[-1]))

    @property
    def day(self) -> date:
        return self._moved[0]

    def set(self, day: date) -> None:
        """Move to `day`, at the time of capture. Raises ValueError if there is no such day."""
        if day not in self.days:
            raise ValueError(
                f"found the day {day}; expected one of the {len(self.days)} days that the snapshots hold,"
                f" {self.days[0]} to {self.days[-1]} with gaps for missing days. Choose one of them."
            )
        with self._lock:
            self._move(day)

    def now(self) -> datetime:
        """The sandbox's present, in UTC."""
        day, since = self._moved
        return datetime.combine(day, self._capture_time, UTC) + timedelta(seconds=time.monotonic() - since)

    def begin_walk(self) -> None:
        """A walk of the listing begins: if the last one was served to its end, the clock may go on to the next day."""
        with self._lock:
            following = self.days.index(self.day) + 1
            if self._advance and self._walked and following < len(self.days):
                self._move(self.days[following])

    def finish_walk(self) -> None:
        """The listing's last page has been served whole."""
        self._walked = True

    def _move(self, day: date) -> None:
        self._moved, self._walked = (day, time.monotonic()), False
