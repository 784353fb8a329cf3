"""A kind of chart for any number by day: a few lines with their names at the ends, gaps and events.
Shares of countries with their bounds and crossovers are in `shares`."""

import altair as alt

from orchestration.publishing.site.kinds.days import BROKEN, behind_the_lines, told_days
from orchestration.publishing.site.kinds.shares import names_at_the_ends
from orchestration.publishing.site.kinds.style import DASHES, finished, source, watermark

LINES_HEIGHT = 260


def lines(simulated: bool) -> alt.LayerChart:
    """Numbers by day, a line each.

    Sources: `series` (day, code, name, value, label, more), `looks` (code, colour, dash, width, size), `ends` (day, at,
    colour, text, weight), `gaps` (day, to, middle, text) and `events` (day, text). Placeholders: `first` and `last` (days
    as milliseconds), `ticks`, `top`, `format` (of the numbers' axis) and `dates` (of the days').
    """
    day = alt.X("day:T")
    value = alt.Y(
        "value:Q",
        scale=alt.Scale(domain=[0, "@top"]),
        title=None,
        axis=alt.Axis(format="@format", tickCount=5),
    )
    colour = alt.Color("colour:N", scale=None)
    dash = alt.StrokeDash("dash:N", scale=alt.Scale(domain=list(DASHES), range=list(DASHES.values())), legend=None)
    drawn = source("series").transform_lookup(
        lookup="code", from_=alt.LookupData(data=alt.NamedData(name="looks"), key="code", fields=LOOKS)
    )
    layers = [
        *behind_the_lines(told_days()),
        drawn.mark_line(invalid=BROKEN).encode(
            x=day,
            y=value,
            color=colour,
            strokeDash=dash,
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
            detail="code:N",
        ),
        drawn.transform_filter("isValid(datum.value) && datum.size > 0")
        .mark_point(filled=True, opacity=1)
        .encode(
            x=day,
            y=alt.Y("value:Q"),
            color=colour,
            size=alt.Size("size:Q", scale=None),
            tooltip=[
                alt.Tooltip("name:N", title="Of"),
                alt.Tooltip("label:N", title="Day"),
                alt.Tooltip("value:Q", format="@precise", title="Number"),
                alt.Tooltip("more:N", title="More"),
            ],
        ),
        *names_at_the_ends(day, colour),
    ]
    return finished(alt.layer(*layers, *watermark(simulated, 44)), height=LINES_HEIGHT)


LOOKS = ["name", "colour", "dash", "width", "size"]
KINDS = {"lines": lines}
