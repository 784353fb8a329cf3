"""Known events: broken promises that a person has looked into and accepted for some days, with a reason, in a reviewed seed.
What an accepted promise does to a day is for gate.py; here are only the seed's rows and what is wrong with them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestration.settings import PROJECT_ROOT

SEED = PROJECT_ROOT / "dbt_project" / "seeds" / "known_events.csv"
COLUMNS = ("event_id", "table_name", "check_name", "first_date", "last_date", "reason", "accepted_by", "accepted_on")
# Nothing is accepted for ever: a promise that is wrong for longer than a quarter is to be changed, not excused. 2026-11-29.
LONGEST_DAYS = 92
SHORTEST_REASON = 20


class KnownEventsUnreadable(ValueError):
    """The seed cannot be used: a row that is half understood would let bad data pass."""


@dataclass(frozen=True)
class KnownEvent:
    """One promise about one table, accepted as broken from the first to the last day."""

    event_id: str
    table_name: str
    check_name: str
    first_date: date
    last_date: date
    reason: str
    accepted_by: str
    accepted_on: date

    @property
    def sentence(self) -> str:
        """For whoever reads the verdict: why this passed."""
        return f"{self.event_id}: {self.reason} (accepted by {self.accepted_by} on {self.accepted_on.isoformat()})"


def read_known_events(path: Path | None = None) -> tuple[KnownEvent, ...]:
    """The seed's rows, in its order. Raises KnownEventsUnreadable, which names the line, what it found and what to do."""
    path = path or SEED
    if not path.is_file():
        raise _unreadable(path, None, "no file", "the seed, if only with its header")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise _unreadable(path, 1, f"the columns {reader.fieldnames}", ", ".join(COLUMNS))
        events = tuple(_event(path, reader.line_num, row) for row in reader)
    repeated = sorted({e.event_id for e in events if sum(e.event_id == other.event_id for other in events) > 1})
    if repeated:
        raise _unreadable(path, None, f"the event_id {repeated[0]} more than once", "each event_id once")
    return events


def event_that_accepts(events: Sequence[KnownEvent], table_name: str, check_name: str, day: date) -> KnownEvent | None:
    """The first event that accepts this promise about this table as broken on this day."""
    covering = (
        event
        for event in events
        if (event.table_name, event.check_name) == (table_name, check_name)
        and event.first_date <= day <= event.last_date
    )
    return next(covering, None)


def _event(path: Path, line: int, row: dict[str, str]) -> KnownEvent:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    missing = [name for name, value in values.items() if not value]
    if missing or None in row:
        found = f"no value for {', '.join(missing)}" if missing else "more values than columns"
        raise _unreadable(path, line, found, "a value in each column")
    try:
        dates = {name: date.fromisoformat(values[name]) for name in ("first_date", "last_date", "accepted_on")}
    except ValueError as error:
        raise _unreadable(path, line, str(error), "days as YYYY-MM-DD") from error
    event = KnownEvent(**(values | dates))
    days = (event.last_date - event.first_date).days + 1
    if not 1 <= days <= LONGEST_DAYS:
        raise _unreadable(
            path, line, f"{days} days", f"1 to {LONGEST_DAYS}: what lasts longer is a change of the promise"
        )
    if len(event.reason) < SHORTEST_REASON:
        raise _unreadable(path, line, f"the reason {event.reason!r}", "a sentence that a stranger can check")
    return event


def _unreadable(path: Path, line: int | None, found: str, expected: str) -> KnownEventsUnreadable:
    where = path.name if line is None else f"{path.name}, line {line}"
    return KnownEventsUnreadable(
        f"{where}: found {found}; expected {expected}. Do this: correct the row, or take it out; until then no gate judges."
    )
