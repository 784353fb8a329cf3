"""What a served folder's `archive.json` asks of the archives: days without a commit, repeated files, odd columns.
The plans say so and check it; histories and files are made from them in `archives`.

The file is optional; without it each archive is as its plan's defaults say. It holds an object, and in it an object for
each archive that is to be other than usual, with the fields of `DailyPlan` or `WeeklyPlan` as keys, days as
YYYY-MM-DD:

    {"cfahlgren1/hub-stats": {"commit_time": "23:30:00", "days_without_commit": ["2026-10-08"],
                              "repeats": {"2026-10-09": "2026-10-07"},
                              "retyped_columns": {"2026-10-07": {"downloads": "double", "createdAt": "string"}}},
     "hfmlsoc/hub_weekly_snapshots": {"week_begins": "monday"}}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from pathlib import Path

import orjson

from orchestration.sandbox.snapshot_store import SnapshotError

TYPES = ("bool", "double", "float", "int32", "int64", "string")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
README_TIME = time_of_day(23, 45)


@dataclass(frozen=True)
class DailyPlan:
    """`cfahlgren1/hub-stats`: one commit a day of the snapshots that overwrites `models.parquet`."""

    commit_time: time_of_day | None = None
    """UTC time of day of each day's commit; None: the sandbox's capture time, when the listing showed those rows."""
    commit_times: dict[date, list[time_of_day]] = field(default_factory=dict)
    """A day's commits, in order, in place of one: all but the last hold every second row only, an upload done again."""
    days_without_commit: frozenset[date] = frozenset()
    readme_commits: tuple[datetime, ...] = ()
    """Commits that change README.md alone, by instant (YYYY-MM-DDTHH:MM:SS) or day (at 23:45); on any day."""
    repeats: dict[date, date] = field(default_factory=dict)
    """Day → the earlier day whose file, byte for byte, is uploaded again."""
    absent_columns: dict[date, list[str]] = field(default_factory=dict)
    retyped_columns: dict[date, dict[str, str]] = field(default_factory=dict)
    """Day → column → bool, double, float, int32, int64 or string (ISO 8601 for times, JSON for what is nested)."""
    extra_columns: dict[date, dict[str, object]] = field(default_factory=dict)
    """Day → column → the value of every row: text, a number, true or false."""

    def file_day(self, day: date) -> date:
        """The day whose rows are in the file that is uploaded on `day`."""
        while day in self.repeats:
            day = self.repeats[day]
        return day

    @property
    def forgotten(self) -> list[date]:
        """Days that have no commit, and of which the plan says something that only a commit could show."""
        told = {*self.commit_times, *self.repeats, *self.repeats.values(), *self.absent_columns}
        return sorted((told | set(self.retyped_columns) | set(self.extra_columns)) & self.days_without_commit)


@dataclass(frozen=True)
class WeeklyPlan:
    """`hfmlsoc/hub_weekly_snapshots`: a first commit with README.md alone, and one after each week that ended.

    A week's file is what upstream's last commit before the next week held; if upstream slept, the same file again.
    """

    commit_time: time_of_day = time_of_day(3, 0)
    """UTC time of day of the commit, on the first day of the next week."""
    week_begins: int = WEEKDAYS.index("wednesday")
    """A day's name. The real labels seen, 2024-07-24 and 2026-09-30, are both Wednesdays."""
    readme_commits: tuple[datetime, ...] = ()


def read_plans(file: Path, plans: dict[str, type], days: Sequence[date], columns: Sequence[str]) -> list:
    """One plan for each of `plans` (repository → its class), in that order, from a file that may be absent.

    `days` are those of the snapshots, `columns` what the archives' files may have. Raises SnapshotError.
    """
    told = _object(file)
    if unknown := set(told) - set(plans):
        raise _wrong(file, f"the keys {sorted(unknown)}", f"any of {', '.join(plans)}")
    return [_plan(file, kind, told.get(repo, {}), _Readers(days, columns)) for repo, kind in plans.items()]


def _object(file: Path) -> dict:
    if not file.exists():
        return {}
    try:
        told = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise _wrong(file, str(error), "JSON") from error
    if not isinstance(told, dict):
        raise _wrong(file, "no JSON object", "one")
    return told


def _plan(file: Path, kind: type, told: object, readers: _Readers):
    names = [each.name for each in fields(kind)]
    if not isinstance(told, dict) or (set(told) - set(names)):
        raise _wrong(file, repr(told), f"an object with any of {', '.join(names)}")
    values = {}
    for name, value in told.items():
        read, expected = readers.of(name)
        try:
            values[name] = read(value)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _wrong(file, f"{name} = {value!r} ({error})", expected) from error
    plan = kind(**values)
    if isinstance(plan, DailyPlan) and plan.forgotten:
        raise _wrong(file, f"{plan.forgotten[0]} without a commit, and more said of it", "one or the other")
    return plan


def _wrong(file: Path, found: str, expected: str) -> SnapshotError:
    return SnapshotError(f"{file}: found {found}; expected {expected}. Correct the file.")


class _Readers:
    """How each key's value is read. Each reader raises ValueError, or what Python raises, for what it can't read."""

    def __init__(self, days: Sequence[date], columns: Sequence[str]):
        self._days, self._columns = days, columns

    def of(self, name: str) -> tuple[Callable[[object], object], str]:
        """The reader of a key, and in words what it expects."""
        a_day = f"days of the snapshots ({len(self._days)}, from {self._days[0]} to {self._days[-1]})"
        return {
            "commit_time": (_time, "HH:MM:SS"),
            "commit_times": (self._by_day(_times), f"{a_day}, each with a list of HH:MM:SS in order"),
            "days_without_commit": (self._some_days, f"a list of {a_day}, not all of them"),
            "readme_commits": (_instants, "a list of YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS"),
            "repeats": (self._earlier_days, f"{a_day}, each with an earlier one"),
            "absent_columns": (
                self._by_day(self._names),
                f"{a_day}, each with a list of columns other than _id and id ({', '.join(self._columns)})",
            ),
            "retyped_columns": (
                self._by_day(self._types),
                f"{a_day}, each with columns ({', '.join(self._columns)}) and their types ({', '.join(TYPES)})",
            ),
            "extra_columns": (self._by_day(self._extras), f"{a_day}, each with new columns and their one value"),
            "week_begins": (WEEKDAYS.index, f"one of {', '.join(WEEKDAYS)}"),
        }[name]

    def _day(self, text: str) -> date:
        day = date.fromisoformat(text)
        if day not in self._days:
            raise ValueError(f"no snapshot on {day}")
        return day

    def _by_day(self, read: Callable) -> Callable[[dict], dict]:
        return lambda told: {self._day(day): read(value) for day, value in told.items()}

    def _some_days(self, told: list) -> frozenset[date]:
        found = frozenset(self._day(day) for day in _listed(told))
        if found >= set(self._days):
            raise ValueError("no day is left")
        return found

    def _earlier_days(self, told: dict) -> dict[date, date]:
        pairs = self._by_day(self._day)(told)
        if late := [day for day, earlier in pairs.items() if earlier >= day]:
            raise ValueError(f"{late[0]} repeats no earlier day")
        return pairs

    def _names(self, told: list) -> list[str]:
        if unknown := [name for name in _listed(told) if name not in self._columns or name in ("_id", "id")]:
            raise ValueError(f"not {', '.join(map(str, unknown))}")
        return told

    def _types(self, told: dict) -> dict[str, str]:
        if unknown := [name for name, kind in told.items() if name not in self._columns or kind not in TYPES]:
            raise ValueError(f"not {', '.join(unknown)}")
        return told

    def _extras(self, told: dict) -> dict[str, object]:
        if wrong := [
            name
            for name, value in told.items()
            if name in self._columns or not isinstance(value, str | int | float | bool)
        ]:
            raise ValueError(f"not {', '.join(wrong)}")
        return told


def _listed(told: object) -> list:
    if not isinstance(told, list):
        raise TypeError("no list")
    return told


def _time(text: str) -> time_of_day:
    told = time_of_day.fromisoformat(text)
    if told.tzinfo is not None:
        raise ValueError("all times are UTC; leave the offset out")
    return told


def _times(told: list) -> list[time_of_day]:
    times = [_time(text) for text in _listed(told)]
    if not times or times != sorted(set(times)):
        raise ValueError("not in order, or none")
    return times


def _instants(told: list) -> tuple[datetime, ...]:
    return tuple(sorted(_instant(text) for text in _listed(told)))


def _instant(text: str) -> datetime:
    day, _, time = text.partition("T")
    return datetime.combine(date.fromisoformat(day), _time(time) if time else README_TIME, UTC)
