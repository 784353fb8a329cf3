"""Who is struck by what: deletions, repositories hidden for days, renames, transfers, names that come back with a new
`_id`, single counters that fall. The days come from `calendar_plan.py`; nothing here counts downloads."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sandbox.calendar_plan import CalendarPlan
from orchestration.sandbox.catalogue import DAY, NO_PARENT, Catalogue, numbers, rng_for, set_rows

# Chance of an event for a public repository on an event day. Together well below the completeness gate's 0.5 % a day.
# Their order matters: in small worlds it gives the kinds in which ids vanish a day each.
RATES = {"deletion": 4e-4, "absence": 1e-4, "fall": 3e-4, "recreation": 1e-4, "rename": 3e-4, "transfer": 2e-4}
HIGHEST_VANISHING_SHARE = 0.003
VANISHING = ("deletion", "recreation", "absence")
ABSENT_DAYS = 2


@dataclass
class IdentityPlan:
    """Events by row number of the catalogue and day."""

    gone: dict[int, int] = field(default_factory=dict)  # row → first absent day, for good
    absences: list[tuple[int, int, int]] = field(default_factory=list)  # row, first absent day, day of return
    moves: list[tuple[int, int, str, str]] = field(default_factory=list)  # row, day, new id, 'rename' or 'transfer'
    recreations: list[tuple[int, int, int, str]] = field(default_factory=list)  # day, old row, new row, why it was free
    falls: list[tuple[int, int]] = field(default_factory=list)  # row, day


def plan_identity(catalogue: Catalogue, calendar: CalendarPlan, seed: int) -> tuple[pa.Table, IdentityPlan]:
    """The events of a world, and its repositories with those added that take up a free name."""
    return _Planner(catalogue, calendar, seed).plan()


class _Planner:
    def __init__(self, catalogue: Catalogue, calendar: CalendarPlan, seed: int):
        self.repositories = catalogue.repositories
        self.calendar = calendar
        self.noon = catalogue.noon
        self.rng = rng_for(seed, "identity")
        self.ids = self.repositories["id"]
        self.taken = {name.lower() for name in self.ids.to_pylist()}
        self.public_day = numbers(self.repositories, "public_day")
        self.movable = self.repositories["movable"].to_numpy()
        older = numbers(self.repositories, "all_time") - numbers(self.repositories, "downloads")
        # A fall must show (what can be taken away is many times a day's downloads) and not drown all else.
        self.can_fall = (older >= 2_000) & (older <= 2_000_000) & (older > 5 * self.repositories["rate"].to_numpy())
        self.of_family = pc.is_valid(self.repositories["family"]).to_numpy()
        self.struck: set[int] = set()
        self.reborn: list[tuple[int, int]] = []  # day, old row
        self.events = IdentityPlan()
        owner_rows = np.flatnonzero(self.movable & (self.public_day <= 0))
        owners = pc.replace_substring_regex(self.ids.take(pa.array(owner_rows)), "/.*", "")
        self.owners = sorted(set(owners.to_pylist()))

    def plan(self) -> tuple[pa.Table, IdentityPlan]:
        days = self.calendar.event_days
        for position, day in enumerate(days):
            budget = max(1, int(HIGHEST_VANISHING_SHARE * np.sum(self.public_day < day)))
            for place, kind in enumerate(RATES):
                count = self._number_of_events(kind, due=position % len(RATES) == place % len(days))
                if kind in VANISHING:
                    count = min(count, budget)
                    budget -= count
                for row in self._candidates(kind, day, count):
                    self._strike(kind, int(row), day)
        self._reuse_a_left_name()
        return self._with_reborn(), self.events

    def _number_of_events(self, kind: str, *, due: bool) -> int:
        """A random number by rate; at least one where it is `due`, so that small worlds meet every kind once."""
        eligible = self.can_fall if kind == "fall" else self.movable
        return max(int(self.rng.poisson(RATES[kind] * np.sum(eligible))), int(due))

    def _candidates(self, kind: str, day: int, count: int) -> np.ndarray:
        eligible = self.public_day < day
        eligible = eligible & (self.can_fall if kind == "fall" else self.movable)
        if kind == "absence" and day + ABSENT_DAYS >= self.calendar.days:
            return np.array([], dtype=np.int64)
        if kind == "rename":
            eligible = eligible & ~self.of_family  # the name is what makes the family
        rows = np.flatnonzero(eligible)
        rows = rows[~np.isin(rows, list(self.struck))]
        return self.rng.choice(rows, size=min(count, len(rows)), replace=False)

    def _strike(self, kind: str, row: int, day: int) -> None:
        self.struck.add(row)
        if kind == "deletion":
            self.events.gone[row] = day
        elif kind == "absence":
            self.events.absences.append((row, day, day + ABSENT_DAYS))
        elif kind == "recreation":
            self.events.gone[row] = day
            self.reborn.append((day, row))
        elif kind == "fall":
            self.events.falls.append((row, day))
        else:
            self._move(kind, row, day)

    def _move(self, kind: str, row: int, day: int) -> None:
        owner, name = self.ids[row].as_py().split("/")
        if kind == "rename":
            new_id = f"{owner}/{name}-v2"
        else:
            others = [other for other in self.owners if other != owner]
            if not others:
                return
            new_id = f"{others[int(self.rng.integers(len(others)))]}/{name}"
        if new_id.lower() not in self.taken:
            self.taken.add(new_id.lower())
            self.events.moves.append((row, day, new_id, kind))

    def _reuse_a_left_name(self) -> None:
        """The hard case: the name that a renamed repository has left is taken by another one on a later day."""
        for row, moved_on, _, kind in self.events.moves:
            later = [day for day in self.calendar.event_days if day > moved_on]
            if kind == "rename" and later:
                self.reborn.append((later[0], row))
                return

    def _with_reborn(self) -> pa.Table:
        if not self.reborn:
            return self.repositories
        count = self.repositories.num_rows
        old_rows = [row for _, row in self.reborn]
        reborn = self.repositories.take(pa.array(old_rows))
        new = range(len(old_rows))
        age = self.rng.integers(0, DAY, len(old_rows)).tolist()
        created = [self.noon + day * DAY - seconds for (day, _), seconds in zip(self.reborn, age, strict=True)]
        for column, values in {"public_day": [day for day, _ in self.reborn], "created_at": created}.items():
            reborn = set_rows(reborn, column, new, values)
        for column in ("downloads", "all_time", "likes"):
            reborn = set_rows(reborn, column, new, [0] * len(old_rows))
        for column in ("parent_1", "parent_2", "parent_3"):
            reborn = set_rows(reborn, column, new, [NO_PARENT] * len(old_rows))
        # The family stays: it is read from the name, whoever bears it.
        for column in ("relation", "missing_parent"):
            reborn = set_rows(reborn, column, new, [None] * len(old_rows))
        reborn = set_rows(reborn, "rate", new, [rate + 1 for rate in reborn["rate"].to_pylist()])
        for position, (day, row) in enumerate(self.reborn):
            why = "deleted" if row in self.events.gone else "renamed"
            self.events.recreations.append((day, row, count + position, why))
        return pa.concat_tables([self.repositories, reborn]).combine_chunks()
