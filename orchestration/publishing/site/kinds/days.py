"""What all charts over days have in common: the axis, the bands of days that have no value, and the marks of events.
The lines themselves are for each kind."""

import altair as alt

from orchestration.publishing.site.kinds.style import source

# A null breaks the line: nothing is drawn across a missing day.
BROKEN = "break-paths-show-path-domains"


def told_days(dates: str = "@dates") -> alt.X:
    """The axis of days, whose ends and ticks are placeholders (`first`, `last`, `ticks`), written as `dates` says.

    A scale is told in one layer of a chart only: told in each, or beside a second edge, the domains would be united.
    """
    axis = alt.Axis(
        format=dates, grid=False, labelOverlap=True, labelSeparation=6, labelFlush=False, values=["@ticks"]
    )  # fmt: skip
    scale = alt.Scale(type="utc", domain=["@first", "@last"], nice=False)
    return alt.X("day:T", scale=scale, title=None, axis=axis)


def behind_the_lines(days: alt.X) -> list[alt.Chart]:
    """Bands of the source `gaps` (day, to, middle, text), and uprights of `events` (day, text), which tell the axis."""
    day = alt.X("day:T")
    return [
        source("gaps").mark_rect(style="band").encode(x=day, x2="to:T"),
        along_the_top("gaps").encode(x=alt.X("middle:T"), text="text:N"),
        source("events").mark_rule(style="softline", strokeDash=[3, 3], opacity=0.7).encode(x=days),
        along_the_top("events", dy=-7).encode(x=day, text="text:N"),
    ]


def along_the_top(name: str, dy: int = 0) -> alt.Chart:
    """Small text that runs downwards from the top edge."""
    return source(name).mark_text(
        angle=90, align="left", baseline="middle", y=6, dy=dy, fontSize=10, style="soft"
    )  # fmt: skip
