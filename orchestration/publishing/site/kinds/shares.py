"""Kinds of charts about countries' and organisations' shares: lines over days with bounds and marks, and bars and dots that
compare the two attributions."""

import altair as alt

from orchestration.publishing.site.kinds.days import BROKEN, behind_the_lines, told_days
from orchestration.publishing.site.kinds.style import DASHES, finished, source, watermark

HEADLINE_HEIGHT = 380
NARROW = 420  # pixels of plot: below it a sentence beside a mark would reach beyond the chart


def share_lines(simulated: bool) -> alt.LayerChart:
    """Shares by day, a line each, with the bounds of some, gaps, events and crossovers.

    Sources: `series` (day, code, name, share, low, high, downloads, models, colour, dash, width, size), `bounds` and
    `lone` (day, low, high, colour), `ends` (day, at, colour, text, weight), `gaps` (day, to, middle, text), `events` (day,
    text) and `crossovers` (day, share, text, side). Placeholders: `first` and `last` (days as milliseconds), `ticks` and
    `dates` (how they are written), `top`.
    """
    day = alt.X("day:T")
    low = alt.Y(
        "low:Q",
        scale=alt.Scale(domain=[0, "@top"]),
        title=None,
        axis=alt.Axis(format=".0%", tickCount=6),
    )
    share, high = alt.Y("share:Q"), alt.Y2("high:Q")
    colour = alt.Color("colour:N", scale=None)
    tooltip = [
        alt.Tooltip("name:N", title="Country"),
        alt.Tooltip("label:N", title="Day"),
        alt.Tooltip("share:Q", format=".2%", title="Share"),
        alt.Tooltip("low:Q", format=".2%", title="At least"),
        alt.Tooltip("high:Q", format=".2%", title="At most"),
        alt.Tooltip("downloads:Q", format=",", title="Downloads"),
        alt.Tooltip("models:Q", format=",", title="Models"),
    ]
    dash = alt.StrokeDash("dash:N", scale=alt.Scale(domain=list(DASHES), range=list(DASHES.values())), legend=None)
    layers = [
        *behind_the_lines(told_days()),
        source("bounds")
        .mark_area(opacity=0.14, invalid=BROKEN)
        .encode(x=day, y=low, y2=high, color=colour, detail="code:N"),
        source("lone").mark_rule(opacity=0.3, strokeWidth=5).encode(x=day, y="low:Q", y2=high, color=colour),
        source("series")
        .mark_line(invalid=BROKEN)
        .encode(
            x=day,
            y=share,
            color=colour,
            strokeDash=dash,
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
            detail="code:N",
        ),
        source("series")
        .transform_filter("isValid(datum.share) && datum.size > 0")
        .mark_point(filled=True, opacity=1)
        .encode(x=day, y=share, color=colour, size=alt.Size("size:Q", scale=None), tooltip=tooltip),
        source("crossovers")
        .mark_point(shape="diamond", size=170, strokeWidth=2.5, filled=False, style="softline", opacity=1)
        .encode(x=day, y=share, tooltip=[alt.Tooltip("text:N", title="Crossover")]),
        *said_beside(day, share),
        *names_at_the_ends(day, colour),
    ]
    return finished(
        alt.layer(*layers, *watermark(simulated, 58)),
        height=HEADLINE_HEIGHT,
    )


def said_beside(day: alt.X, share: alt.Y) -> list[alt.Chart]:
    """The text of each crossover on the side where it has room, first as a rim of paper, since it lies upon lines."""
    return [
        source("crossovers")
        .transform_filter(f"datum.side === '{side}'")
        .mark_text(align=align, dx=dx, dy=-13, fontSize=11, style=style, strokeWidth=width)
        .encode(x=day, y=share, text=alt.condition(f"width > {NARROW}", alt.Text("text:N"), alt.value("")))
        for side, align, dx in (("right", "left", 9), ("left", "right", -9))
        for style, width in ((["ink", "apart"], 5), ("ink", 0))
    ]


def names_at_the_ends(day: alt.X, colour: alt.Color) -> list[alt.Chart]:
    """Each name with a dot of its line's colour before it, since a name that was moved apart isn't beside its line."""
    place = source("ends").encode(x=day, y="at:Q")
    dots = place.mark_text(text="●", align="left", dx=8, fontSize=9, baseline="middle").encode(color=colour)
    words = [
        place.transform_filter(f"datum.weight === '{weight}'")
        .mark_text(align="left", dx=19, fontSize=size, fontWeight=weight, style="ink", baseline="middle")
        .encode(text="text:N")
        for weight, size in (("bold", 12), ("normal", 11))
    ]
    return [dots, *words]


def paired_bars(simulated: bool) -> alt.LayerChart:
    """Two bars a name, uploader above origin, with their values at the ends.

    Source: `bars` (name, by, share, downloads, colour, place). Placeholder: `top`, the right edge's share.
    """
    x = alt.X(
        "share:Q",
        scale=alt.Scale(domain=[0, "@top"]),
        title=None,
        axis=alt.Axis(format=".0%", tickCount=4),
    )
    y = alt.Y("name:N", sort=None, title=None, axis=names_axis(150))
    offset = alt.YOffset("by:N", sort=["uploader", "origin"], scale=alt.Scale(paddingInner=0.1))
    base = source("bars").encode(x=x, y=y, yOffset=offset)
    bars = base.mark_bar().encode(
        color=alt.Color("colour:N", scale=None),
        tooltip=[
            alt.Tooltip("name:N", title="Name"),
            alt.Tooltip("by:N", title="Counted by"),
            alt.Tooltip("share:Q", format=".1%", title="Share"),
            alt.Tooltip("downloads:Q", format=",", title="Downloads"),
        ],
    )
    text = base.mark_text(align="left", dx=4, fontSize=11, style="ink").encode(text=alt.Text("share:Q", format=".1%"))
    return finished(alt.layer(bars, text, *watermark(simulated, 40)))


def names_axis(limit: int) -> alt.Axis:
    return alt.Axis(labelLimit=limit, ticks=False, domain=False)


def dumbbell(simulated: bool) -> alt.LayerChart:
    """Two shares of each name, by uploader and by origin, and a line from one to the other.

    Sources: `lines` (name, place, share, origin_share) and `dots` (name, place, by, share, downloads, colour).
    """
    y = alt.Y(
        "name:N",
        sort=None,
        title=None,
        axis=alt.Axis(labelLimit=160, labelPadding=12, ticks=False, domain=False, grid=True),
    )
    axis = alt.Axis(format=".0%", tickCount=5)
    line = (
        source("lines")
        .mark_rule(style="softline", strokeWidth=2, opacity=0.6)
        .encode(y=y, x=alt.X("share:Q", title=None, axis=axis), x2="origin_share:Q")
    )
    tooltip = [
        alt.Tooltip("name:N", title="Country"),
        alt.Tooltip("by:N", title="Counted by"),
        alt.Tooltip("share:Q", format=".2%", title="Share"),
        alt.Tooltip("downloads:Q", format=",", title="Downloads"),
    ]
    dots = [
        source("dots")
        .transform_filter(f"datum.by === '{by}'")
        .mark_point(shape=shape, filled=filled, size=size, strokeWidth=2, opacity=1)
        .encode(
            y=y, x=alt.X("share:Q", title=None, axis=axis), color=alt.Color("colour:N", scale=None), tooltip=tooltip
        )
        for by, shape, filled, size in (("uploader", "circle", True, 55), ("origin", "diamond", False, 210))
    ]
    return finished(alt.layer(line, *dots, *watermark(simulated)))


def coverage(simulated: bool) -> alt.LayerChart:
    """How much has a class, wide and pale, and how much has a place, narrow and dark. Source: `bars` (what, place, measure,
    share)."""
    scale = alt.Scale(domain=["classed", "located"], range=["#8CC1E3", "#0072B2"])
    y = alt.Y("what:N", sort=None, title=None, axis=names_axis(190))
    x = alt.X(
        "share:Q", scale=alt.Scale(domain=[0, 1]), title=None, axis=alt.Axis(format=".0%", tickCount=5), stack=None
    )
    layers = [
        source("bars")
        .transform_filter(f"datum.measure === '{measure}'")
        .mark_bar(size=size)
        .encode(
            y=y,
            x=x,
            color=alt.Color("measure:N", scale=scale, legend=alt.Legend(title=None, orient="top", symbolType="square")),
            tooltip=["what:N", "measure:N", alt.Tooltip("share:Q", format=".1%")],
        )
        for measure, size in (("classed", 18), ("located", 8))
    ]
    return finished(alt.layer(*layers, *watermark(simulated, 40)))


KINDS = {
    "share_lines": share_lines,
    "paired_bars": paired_bars,
    "dumbbell": dumbbell,
    "coverage": coverage,
}
