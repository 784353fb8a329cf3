"""Kinds of charts about what something is made of: parts of a whole a bar each, bars of one number, and bars side by side.
Lines over days are in `lines`, what compares attributions in `shares`."""

import altair as alt

from orchestration.publishing.site.kinds.shares import names_axis
from orchestration.publishing.site.kinds.style import finished, source, watermark

NARROW = 480  # pixels of plot: below it a legend has three columns, since a phone has no room for more


def stacked_bars(simulated: bool) -> alt.LayerChart:
    """A bar a name that is cut into parts, in one order everywhere, with the larger parts' shares written in them.

    Source: `bars` (name, part, from, to, middle, share, text, ink, downloads, models); `text` is empty where it has no room.
    Placeholders: `parts` and `colours`, in the order of the legend, and `top`, the right edge.
    """
    scale = alt.Scale(domain=["@parts"], range=["@colours"])
    legend = alt.Legend(
        title=None, orient="top", symbolType="square", columns=alt.ExprRef(f"width < {NARROW} ? 3 : 8"), labelLimit=130
    )
    y = alt.Y("name:N", sort=None, title=None, axis=names_axis(130))
    x = alt.X(
        "from:Q",
        scale=alt.Scale(domain=[0, "@top"]),
        title=None,
        axis=alt.Axis(format=".0%", tickCount=5),
    )
    bars = (
        source("bars")
        .mark_bar(style="apart", strokeWidth=1)
        .encode(
            y=y,
            x=x,
            x2="to:Q",
            color=alt.Color("part:N", scale=scale, legend=legend),
            tooltip=[
                alt.Tooltip("name:N", title="Name"),
                alt.Tooltip("part:N", title="Part"),
                alt.Tooltip("share:Q", format=".1%", title="Share"),
                alt.Tooltip("downloads:Q", format=",", title="Downloads"),
                alt.Tooltip("models:Q", format=",", title="Models"),
            ],
        )
    )
    text = (
        source("bars")
        .mark_text(fontSize=10)
        .encode(y=y, x=alt.X("middle:Q"), text="text:N", color=alt.Color("ink:N", scale=None))
    )
    return finished(alt.layer(bars, text, *watermark(simulated, 40)))


def bars(simulated: bool) -> alt.LayerChart:
    """A bar a name, its number written at its end.

    Source: `bars` (name, value, text, colour, and what the tooltip tells: `more`). Placeholders: `top`, `format`, `measure`.
    """
    x = alt.X(
        "value:Q",
        scale=alt.Scale(domain=[0, "@top"]),
        title="@measure",
        axis=alt.Axis(format="@format", tickCount=4),
    )
    base = source("bars").encode(x=x, y=alt.Y("name:N", sort=None, title=None, axis=names_axis(190)))
    marks = base.mark_bar().encode(
        color=alt.Color("colour:N", scale=None),
        tooltip=[
            alt.Tooltip("name:N", title="Name"),
            alt.Tooltip("text:N", title="Number"),
            alt.Tooltip("more:N", title="More"),
        ],
    )
    text = base.mark_text(align="left", dx=4, fontSize=11, style="ink").encode(text="text:N")
    return finished(alt.layer(marks, text, *watermark(simulated, 40)))


def grouped_bars(simulated: bool) -> alt.LayerChart:
    """Some bars a name, one for each of those that are compared, in the order of the legend.

    Source: `bars` (name, by, share, text, downloads, models). Placeholders: `bys` and `colours`, `top`.
    """
    scale = alt.Scale(domain=["@bys"], range=["@colours"])
    legend = alt.Legend(title=None, orient="top", symbolType="square", columns=alt.ExprRef(f"width < {NARROW} ? 2 : 8"))
    base = source("bars").encode(
        y=alt.Y("name:N", sort=None, title=None, axis=names_axis(150)),
        yOffset=alt.YOffset("by:N", sort=["@bys"], scale=alt.Scale(paddingInner=0.1)),
        x=alt.X(
            "share:Q",
            scale=alt.Scale(domain=[0, "@top"]),
            title=None,
            axis=alt.Axis(format=".0%", tickCount=4),
        ),
    )
    marks = base.mark_bar().encode(
        color=alt.Color("by:N", scale=scale, legend=legend),
        tooltip=[
            alt.Tooltip("name:N", title="Name"),
            alt.Tooltip("by:N", title="Of"),
            alt.Tooltip("share:Q", format=".2%", title="Share"),
            alt.Tooltip("downloads:Q", format=",", title="Downloads"),
            alt.Tooltip("models:Q", format=",", title="Models"),
        ],
    )
    text = base.mark_text(align="left", dx=4, fontSize=10, style="ink").encode(text="text:N")
    return finished(alt.layer(marks, text, *watermark(simulated, 40)))


KINDS = {"stacked_bars": stacked_bars, "bars": bars, "grouped_bars": grouped_bars}
