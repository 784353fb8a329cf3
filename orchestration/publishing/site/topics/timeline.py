"""What stands on every axis of time: days without a snapshot, events, and lines of numbers with their names at the ends.
What a line is of is for the topics; how it is drawn, for `kinds`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import Any

from orchestration.publishing.site.answers import Rows
from orchestration.publishing.site.figures import View
from orchestration.publishing.site.ground import LEADERS, Ground, day_axis, thinned
from orchestration.publishing.site.marks import dash_of, line_colours
from orchestration.publishing.site.naming import display_name
from orchestration.publishing.site.topics.topic import WORLD, Story

# Points of a small line chart: on a phone still four pixels apart (2026-11-29).
POINTS_OF_A_LINE = 70
ROOM_FOR_WORDS = 1.42  # above the highest value, where words run down from the top edge
END_LABEL_SHARE = 15 / 260  # of the chart's height, from one name at the lines' ends to the next


# So many days without a number before the first: a window that the history doesn't cover yet, and no gap to be shown.
LONG_BEFORE = 30


def covered_ground(ground: Ground, found: Rows) -> Ground:
    """The ground of a chart: without the days before the first number, if those are so many that they would be most of it."""
    known = [row["snapshot_date"] for row in found]
    if not known or (min(known) - ground.days[0]["snapshot_date"]).days < LONG_BEFORE:
        return ground
    return ground.since(min(known))


@dataclass(frozen=True)
class Line:
    """What a line is of, in code, words and colour."""

    code: str
    name: str
    colour: str
    dash: str = "solid"
    bold: bool = False


def country_lines(story: Story, codes: Sequence[str]) -> list[Line]:
    colours = line_colours([code for code in codes if code != WORLD])
    return [
        Line(
            code,
            story.name(code),
            colours.get(code, "#767676"),
            "long" if code == WORLD else dash_of(code),
            code in LEADERS,
        )
        for code in codes
    ]


def lines_view(
    story: Story,
    lines: Sequence[Line],
    values: dict[tuple[date, str], tuple[float | None, str]],
    *,
    title: str,
    subtitle: tuple[str, ...],
    alt: str,
    number: str,
    precise: str,
) -> View:
    """A view of the kind `lines`. `values` are number and further words by day and code; a day without is a gap."""
    found = [{"snapshot_date": day} for day in sorted({day for day, _ in values})]
    ground = covered_ground(story.ground, found)
    drawn = thinned(ground.calendar, {row["snapshot_date"] for row in found}, POINTS_OF_A_LINE)
    series, last = [], []
    for line in sorted(lines, key=lambda line: line.bold):
        for day in drawn:
            value, more = values.get((day, line.code), (None, ""))
            row = {"day": day, "code": line.code, "value": value, "label": day.isoformat(), "more": more}
            series.append(row)
            if day == story.ground.snapshot_date and value is not None:
                last.append({"line": line, "value": value})
    highest = max((row["value"] for row in series if row["value"] is not None), default=0) or 0
    gaps, events = gap_bands(ground, found, drawn), numbered_marks(story.ground, ground.days[0]["snapshot_date"])
    in_words = bool(gaps) or any(event["text"].strip("–0123456789") for event in events)
    top = max(highest, 1e-4) * (ROOM_FOR_WORDS if in_words else 1.15)
    if number.endswith("%") and highest <= 1:
        top = min(top, 1.0)  # no part is more than the whole, and no axis should say so
    few = len(drawn) <= 45
    return View(
        title=title,
        subtitle=subtitle,
        alt=alt,
        data={
            "series": series,
            "looks": [
                {
                    "code": line.code,
                    "name": line.name,
                    "colour": line.colour,
                    "dash": line.dash,
                    "width": 3 if line.bold else 1.7,
                    "size": (50 if line.bold else 18) if few else 9,
                }
                for line in lines
            ],
            "ends": ends_of(last, story.ground.snapshot_date, top, precise),
            "gaps": gaps,
            "events": events,
        },
        params=day_axis([row["snapshot_date"] for row in ground.days])
        | {"top": round(top, 6), "format": number, "precise": precise},
    )


def ends_of(last: Sequence[dict[str, Any]], day: date, top: float, precise: str) -> Rows:
    """Name and number at each line's end, moved apart where they would overlap."""
    ends, free = [], 0.0
    for each in sorted(last, key=lambda each: (each["value"], each["line"].code)):
        at = max(each["value"], free)
        free = at + top * END_LABEL_SHARE
        name = display_name(each["line"].name)
        number = f"{each['value']:.1%}" if precise.endswith("%") else f"{each['value']:,.1f}".removesuffix(".0")
        ends.append(
            {
                "day": day,
                "at": at,
                "code": each["line"].code,
                "colour": each["line"].colour,
                "text": f"{name if len(name) <= 14 else name[:13] + '…'} {number}",
                "weight": "bold" if each["line"].bold else "normal",
            }
        )
    return ends


def gap_bands(ground: Ground, found: Rows, drawn: Collection[date]) -> Rows:
    """A band over each run of days that have nothing. Where lines are thinned, a band of one day among hundreds would be a
    hair: then only runs of a week and more are told in words."""
    known = {row["snapshot_date"] for row in found}
    every_day = len(drawn) == len(ground.days)
    bands = []
    for is_known, days in groupby(ground.days, key=lambda row: row["snapshot_date"] in known):
        run = [row["snapshot_date"] for row in days]
        if not is_known and len(run) >= (1 if every_day else 7):
            bands.append(
                {
                    "day": noon(run[0] - timedelta(days=1)),
                    "to": noon(run[-1]),
                    "middle": (run[0] + (run[-1] - run[0]) / 2).isoformat(),
                    "text": "no snapshot" if len(run) < LONG_BEFORE else "no share yet",
                }
            )
    return bands


def noon(day: date) -> str:
    return f"{day.isoformat()}T12:00:00Z"


MARKS_IN_WORDS = 6  # more than these stand as numbers, with a list below the chart
# Of the axis: nearer than this two texts that run downwards would touch, on a phone (2026-11-29).
MARKS_APART = 1 / 15


@dataclass(frozen=True)
class Mark:
    """Something that happened within the history: on one day, or on days in a row."""

    number: int
    first: date
    last: date
    text: str  # as it stands on a chart
    title: str
    reason: str
    source: str


PLATFORM_REASONS = {
    "stalled": "The Hub's counters did not move on that day.",
    "recounted": "The Hub changed its counters all at once.",
}


def marks_of(ground: Ground) -> list[Mark]:
    """Platform events as they are found in the data, and dated events of the seed, in the order of their days."""
    first, last = ground.days[0]["snapshot_date"], ground.snapshot_date
    found: list[tuple[date, date, str, str, str, str]] = []
    for row in ground.days:
        event, day = row["platform_event"], row["snapshot_date"]
        if event in (None, "none") or day > last:
            continue
        if found and found[-1][3] == event and found[-1][1] == day - timedelta(days=1):
            found[-1] = (found[-1][0], day, *found[-1][2:])
        else:
            found.append((day, day, f"Hub: {event}", event, PLATFORM_REASONS.get(event, ""), "dim_snapshots"))
    for row in ground.dated_events:
        if first <= row["event_date"] <= last:
            day = row["event_date"]
            found.append((day, day, row["title"], row["title"], row["reason"], row["source"]))
    ordered = sorted(found, key=lambda each: (each[0], each[2]))
    return [
        Mark(number, day, until, text, display_name(title), reason, source)
        for number, (day, until, text, title, reason, source) in enumerate(ordered, start=1)
    ]


def event_marks(ground: Ground) -> Rows:
    """The marks in words, each on its first day, for a chart without a list of them."""
    return [{"day": mark.first.isoformat(), "text": mark.text} for mark in marks_of(ground)]


def numbered_marks(ground: Ground, since: date | None = None) -> Rows:
    """The marks as a chart has them: in words while they are few and apart, else by the numbers of the list; marks that
    would touch share one text."""
    start = since or ground.days[0]["snapshot_date"]
    marks = [mark for mark in marks_of(ground) if mark.last >= start]
    if not marks:
        return []
    span = max((ground.days[-1]["snapshot_date"] - start).days, 1)
    apart = all((after.first - before.first).days >= span * MARKS_APART for before, after in pairwise(marks))
    drawn: Rows = []
    if len(marks) <= MARKS_IN_WORDS and apart:
        return [{"day": mark.first.isoformat(), "text": mark.text} for mark in marks]
    for group in near_ones(marks, span * MARKS_APART):
        words = str(group[0].number) if len(group) == 1 else f"{group[0].number}–{group[-1].number}"
        drawn += [{"day": mark.first.isoformat(), "text": words if mark is group[0] else ""} for mark in group]
    return drawn


def near_ones(marks: Sequence[Mark], least: float) -> list[list[Mark]]:
    """Marks in groups, each group's first at least so many days after the one before's first."""
    groups: list[list[Mark]] = []
    for mark in marks:
        if groups and (mark.first - groups[-1][0].first).days < least:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups
