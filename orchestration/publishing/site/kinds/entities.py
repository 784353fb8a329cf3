"""Kinds of charts on the pages of countries and organisations: one entity's lines by both attributions, and its weeks of
releases. What compares entities with each other is in `shares`."""

import altair as alt

from orchestration.publishing.site.kinds.days import BROKEN, behind_the_lines, told_days
from orchestration.publishing.site.kinds.style import finished, source, watermark

HEIGHT = 300
# As `marks` has them for the two leaders: the pair that is told apart best.
BY_COLOURS = {"uploader": "#0072B2", "origin": "#D55E00"}
BY_DASHES = {"uploader": [1, 0], "origin": [6, 3]}


def entity_lines(simulated: bool) -> alt.LayerChart:
    """One entity's values by day, by uploader and by origin, with the uploader's bounds, gaps, events and crossovers.

    Sources: `series` (day, by, value, low, high, downloads, models), `lone` (day, low, high), `gaps` (day, to, middle,
    text), `events` (day, text), `crossovers` (day, value, text). Placeholders: `first` and `last` (days as milliseconds),
    `ticks`, `top`, `format` (of the axis), `exact` (of the tooltip), `size` (of the points).
    """
    day, high = alt.X("day:T"), alt.Y2("high:Q")
    low = alt.Y("low:Q", scale=alt.Scale(domain=[0, "@top"]), title=None, axis=alt.Axis(format="@format", tickCount=5))
    # The same legend for both, so that they are one.
    legend = alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolStrokeWidth=3, labelExpr="'by ' + datum.label"
    )
    told_colour = alt.Color(
        "by:N", scale=alt.Scale(domain=list(BY_COLOURS), range=list(BY_COLOURS.values())), legend=legend
    )
    dash = alt.StrokeDash(
        "by:N", scale=alt.Scale(domain=list(BY_DASHES), range=list(BY_DASHES.values())), legend=legend
    )
    bounded = alt.value(BY_COLOURS["uploader"])
    tooltip = [
        alt.Tooltip("by:N", title="Counted by"),
        alt.Tooltip("label:N", title="Day"),
        alt.Tooltip("value:Q", format="@exact", title="Value"),
        alt.Tooltip("low:Q", format="@exact", title="At least"),
        alt.Tooltip("high:Q", format="@exact", title="At most"),
        alt.Tooltip("downloads:Q", format=",", title="Downloads"),
        alt.Tooltip("models:Q", format=",", title="Models"),
    ]
    of_uploader = "datum.by === 'uploader'"
    layers = [
        *behind_the_lines(told_days("%-d %b")),
        source("series")
        .transform_filter(of_uploader)
        .mark_area(opacity=0.14, invalid=BROKEN)
        .encode(x=day, y=low, y2=high, color=bounded),
        source("lone").mark_rule(opacity=0.3, strokeWidth=5).encode(x=day, y="low:Q", y2=high, color=bounded),
        source("series")
        .mark_line(invalid=BROKEN, strokeWidth=2.5)
        .encode(x=day, y="value:Q", color=told_colour, strokeDash=dash, detail="by:N"),
        source("series")
        .transform_filter("isValid(datum.value)")
        .transform_calculate(label="utcFormat(toDate(datum.day), '%Y-%m-%d')")
        .mark_point(filled=True, opacity=1)
        .encode(x=day, y="value:Q", color="by:N", size=alt.value(alt.ExprRef("@size")), tooltip=tooltip),
        source("crossovers")
        .mark_point(shape="diamond", size=150, strokeWidth=2.5, filled=False, style="softline", opacity=1)
        .encode(x=day, y="value:Q", tooltip=[alt.Tooltip("text:N", title="Crossover")]),
        source("crossovers")
        .mark_text(align="right", dx=-8, dy=-10, fontSize=11, style="ink")
        .encode(x=day, y="value:Q", text="text:N"),
    ]
    return finished(alt.layer(*layers, *watermark(simulated, 48)), height=HEIGHT)


def release_weeks(simulated: bool) -> alt.LayerChart:
    """Releases by week, a bar each. Source: `weeks` (week, label, releases, variants, repositories). Placeholders: `first`
    and `last` (days as milliseconds), `top`, `counts` (its ticks)."""
    base = source("weeks").encode(
        x=alt.X(
            "week:T",
            scale=alt.Scale(type="utc", domain=["@first", "@last"], nice=False),
            title=None,
            axis=alt.Axis(
                format="%b %y", grid=False, labelOverlap=True, labelSeparation=6, labelFlush=False, tickCount=6
            ),
        )
    )
    bars = base.mark_bar(size=5, color=BY_COLOURS["uploader"]).encode(
        y=alt.Y(
            "releases:Q",
            scale=alt.Scale(domain=[0, "@top"]),
            title=None,
            axis=alt.Axis(format="d", values=["@counts"]),
        ),
        tooltip=[
            alt.Tooltip("label:N", title="Week from"),
            alt.Tooltip("releases:Q", title="Releases"),
            alt.Tooltip("variants:Q", title="Variants"),
            alt.Tooltip("repositories:Q", title="New repositories"),
        ],
    )
    return finished(alt.layer(bars, *watermark(simulated, 40)), height=150)


KINDS = {"entity_lines": entity_lines, "release_weeks": release_weeks}
