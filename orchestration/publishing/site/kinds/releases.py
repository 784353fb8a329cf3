"""Kinds of charts about releases: weeks by laboratory as a heat map, and how many days lie between releases.
Which laboratories are shown is for the topics."""

import altair as alt

from orchestration.publishing.site.kinds.shares import names_axis
from orchestration.publishing.site.kinds.style import finished, source, watermark

# How dense a cell of one, two, three or four, and more releases is. The first is 3:1 on neither paper: the cell's edge is.
DENSITIES = {"1": 0.5, "2": 0.7, "3–4": 0.85, "5+": 1.0}
LONGEST_DAYS = 400  # beyond the trailing year in which gaps are counted


def heat_map(simulated: bool) -> alt.LayerChart:
    """A row a laboratory, a cell a week with releases, the denser the more; a pale band is a row without any.

    Sources: `rows` (name, from, to: the weeks looked at) and `cells` (name, from, to, week, releases, class, variants,
    repositories, colour). Placeholders: `first`, `last`, `ticks`, `dates`.
    """
    y = alt.Y("name:N", sort=None, title=None, axis=names_axis(140), scale=alt.Scale(paddingInner=0.18))
    told = alt.X(
        "from:T",
        scale=alt.Scale(type="utc", domain=["@first", "@last"], nice=False),
        title=None,
        axis=alt.Axis(
            format="@dates", grid=False, labelOverlap=True, labelSeparation=6, labelFlush=False, values=["@ticks"]
        ),
    )  # fmt: skip
    density = alt.FillOpacity(
        "class:O",
        sort=list(DENSITIES),
        scale=alt.Scale(domain=list(DENSITIES), range=list(DENSITIES.values())),
        legend=None,  # a legend of densities has no colour to show them in; the caption says it
    )
    cells = (
        source("cells")
        .mark_rect(strokeWidth=1)
        .encode(
            x=alt.X("from:T"),
            x2="to:T",
            y=y,
            color=alt.Color("colour:N", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),
            fillOpacity=density,
            tooltip=[
                alt.Tooltip("name:N", title="Laboratory"),
                alt.Tooltip("week:N", title="Week of"),
                alt.Tooltip("releases:Q", title="Releases"),
                alt.Tooltip("variants:Q", title="Variants"),
                alt.Tooltip("repositories:Q", title="New repositories"),
            ],
        )
    )
    # The scale is told in a layer without a second edge: told beside one, it would be united with itself.
    edge = source("rows").mark_point(opacity=0).encode(x=told, y=y)
    rows = source("rows").mark_rect(style="band", opacity=0.5).encode(x=alt.X("from:T"), x2="to:T", y=y)
    return finished(alt.layer(edge, rows, cells, *watermark(simulated, 40)))


def cadence(simulated: bool) -> alt.LayerChart:
    """A dot a laboratory at the median of days between its releases, and a line at each of two countries' medians.

    Sources: `rows` (name), `dots` (name, days, text, colour, cadence, releases, variants) and `medians` (days, text, colour,
    shape).
    """
    y = alt.Y("name:N", sort=None, title=None, axis=names_axis(140))
    x = alt.X(
        "days:Q",
        scale=alt.Scale(type="log", domain=[1, LONGEST_DAYS], nice=False),
        title="Median of days between releases, logarithmic",
        axis=alt.Axis(values=[1, 3, 10, 21, 45, 135, 270], format="d", labelOverlap=True, labelSeparation=6),
    )
    colour = alt.Color("colour:N", scale=None)
    # Drawn first, so that a laboratory without a median has its place too.
    names = source("rows").mark_point(opacity=0).encode(y=y)
    medians = source("medians").mark_rule(strokeWidth=2, strokeDash=[6, 3]).encode(x=alt.X("days:Q"), color=colour)
    dots = (
        source("dots")
        .mark_point(filled=True, size=75, opacity=1)
        .encode(
            x=x,
            y=y,
            color=colour,
            tooltip=[
                alt.Tooltip("name:N", title="Laboratory"),
                alt.Tooltip("text:N", title="Days between releases"),
                alt.Tooltip("cadence:N", title="Cadence"),
                alt.Tooltip("releases:Q", title="Releases in a year"),
                alt.Tooltip("variants:Q", title="Variants of them"),
            ],
        )
    )
    text = (
        source("dots")
        .mark_text(align="left", dx=8, fontSize=10, style="ink")
        .encode(x=alt.X("days:Q"), y=y, text="text:N")
    )
    return finished(alt.layer(names, medians, dots, text, *watermark(simulated, 40)))


KINDS = {"heat_map": heat_map, "cadence": cadence}
