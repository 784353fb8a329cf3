"""Which days of a world are missing, stalled or recounted, and on which days repositories come, go and change their
names. Only days are decided here; which repositories it strikes is decided in `identity.py`, what it does in
`simulation.py`."""

from dataclasses import dataclass

# A world longer than this meets each platform event once more in every such stretch of days.
STRETCH_DAYS = 60


@dataclass(frozen=True)
class CalendarPlan:
    """Days counted from the world's first (0). `recounts` gives the share of the older downloads that each one takes
    away (negative: adds)."""

    days: int
    missing: frozenset[int]
    stalled: frozenset[int]
    recounts: dict[int, float]

    @property
    def landed(self) -> list[int]:
        return [day for day in range(self.days) if day not in self.missing]

    @property
    def event_days(self) -> list[int]:
        """Days on which repositories may vanish, move or fall: captured, counting, and with a day before them."""
        return [day for day in self.landed[1:] if day not in self.stalled and day not in self.recounts]


def plan_calendar(days: int) -> CalendarPlan:
    """The calendar of a world of `days` days (at least 1).

    With eight days: the third stalls, the fifth is missing, the seventh is recounted, which is as early as a recount
    can be told from the ordinary days before it. Shorter worlds have those of the events for which there is room.
    """
    if days < 1:
        raise ValueError(f"A world has at least one day; found days={days}.")
    missing, stalled, recounts = set(), set(), {}
    for number, start in enumerate(range(0, days, STRETCH_DAYS)):
        room = min(days - start, STRETCH_DAYS)
        if room >= 4:
            stalled.add(start + 2)
        if room >= 6:
            missing.add(start + 4)
        if room >= 8:
            # Mostly counters fall; every second time the Hub gives back.
            recounts[start + (6 if days <= STRETCH_DAYS else 40 if room > 40 else 6)] = (
                0.09 if number % 2 == 0 else -0.07
            )
    return CalendarPlan(days, frozenset(missing), frozenset(stalled), recounts)
