"""The report's charts, as altair specifications of plain rows; the word SIMULATED is drawn into each where the data is.
Only this module imports altair, and only `report` and Dagster metadata import this module."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import altair as alt

from orchestration.publishing.facts import COUNTRIES_SHOWN, LEADERS, SPECIAL_NAMES, ReportFacts, Rows

Width = int | str  # pixels, or "container"

# Okabe–Ito, which people with any common colour blindness can tell apart; the two leaders also differ in lightness.
LEADER_COLOURS = {"CN": "#D55E00", "US": "#0072B2"}
LEADER_TINTS = {"CN": "#F0B58A", "US": "#8CC1E3"}
NEIGHBOUR_COLOURS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SPECIAL_COLOURS = {"XC": "#5A5A5A", "XI": "#777777", "XM": "#777777", "XX": "#8A8A8A"}
SPECIAL_DASHES = {"XC": [6, 3], "XI": [2, 4], "XM": [2, 4], "XX": [2, 2]}
INK = "#222222"
FAINT = "#E8E8E8"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"

HEADLINE_HEIGHT = 380
LABEL_LINE = 15  # pixels from one name at the lines' ends to the next
MARKED_HEADROOM = 1.28  # above the lines where a gap or an event is named there
PADDING = {"left": 4, "top": 4, "bottom": 4, "right": 16}
BAR_STEP = 15
SIMULATED = "SIMULATED"
SIMULATED_SUBTITLE = "SIMULATED data: nothing here is evidence"


def headline(facts: ReportFacts, width: Width) -> alt.LayerChart:
    """Share of the lead metric by country and day, with the bounds of the leaders and of the EU's largest. A day without
    a snapshot is a gap."""
    day = alt.X("day:T", scale=day_scale(facts), title=None, axis=day_axis(facts))
    bounded_codes = {row["country_code"] for row in facts.bounded}
    top = max(
        (row["share_high"] if row["country_code"] in bounded_codes else row["share"]) or 0 for row in facts.series
    )
    marked = [*gaps(facts, day), *events(facts, day)]
    top = max(top, 0.05) * (MARKED_HEADROOM if marked else 1.06)
    share = alt.Y("share:Q", scale=alt.Scale(domain=[0, top]), title=None, axis=alt.Axis(format=".0%", tickCount=6))
    codes = list(dict.fromkeys(row["country_code"] for row in facts.series))
    colour = alt.Color("country_code:N", scale=alt.Scale(domain=codes, range=colours(codes)), legend=None)
    values = [with_day(row) | {"is_leader": row["country_code"] in LEADERS} for row in facts.series]
    bounded = [row for row in values if row["country_code"] in bounded_codes]
    tooltip = [
        alt.Tooltip("name:N", title="Country"),
        alt.Tooltip("label:N", title="Day"),
        alt.Tooltip("share:Q", format=".2%", title="Share"),
        alt.Tooltip("share_low:Q", format=".2%", title="At least"),
        alt.Tooltip("share_high:Q", format=".2%", title="At most"),
    ]
    low, high = alt.Y("share_low:Q", scale=alt.Scale(domain=[0, top])), alt.Y2("share_high:Q")
    layers = [
        *marked,
        chart(bounded).mark_area(opacity=0.14, invalid=BROKEN).encode(x=day, y=low, y2=high, color=colour),
        chart(lone_days(bounded)).mark_rule(opacity=0.3, strokeWidth=5).encode(x=day, y=low, y2=high, color=colour),
        *(
            chart([row for row in values if row["country_code"] == code])
            .mark_line(
                invalid=BROKEN,
                strokeWidth=3.5 if code in LEADERS else 1.5,
                strokeDash=SPECIAL_DASHES.get(code, [1, 0]),
                opacity=1 if code in LEADERS else 0.8,
            )
            .encode(x=day, y=share, color=colour)
            for code in reversed(codes)
        ),
        chart([row for row in values if row["share"] is not None])
        .mark_point(filled=True, opacity=1)
        .encode(
            x=day,
            y=share,
            color=colour,
            size=alt.Size("is_leader:N", scale=alt.Scale(domain=[True, False], range=[60, 18]), legend=None),
            tooltip=tooltip,
        ),
        *names_at_the_ends(end_labels(facts, top), day, top, colour),
    ]
    return finished(
        alt.layer(*layers, *watermark(facts, 58)).properties(width=width, height=HEADLINE_HEIGHT),
        facts,
        title="New models' downloads, by country",
        subtitle=["Share of the 30-day downloads of models", "under a year old, by the uploader's country"],
    )


def organizations(facts: ReportFacts, leader: str, width: Width) -> alt.LayerChart:
    """A leader's downloads in the lead metric by organisation: held as uploader, and developed as origin."""
    rows = [
        row | {"by": "uploader" if row["attribution"] == "uploader" else "origin"}
        for row in facts.organizations[leader]
    ]
    names = list(dict.fromkeys(row["organization"] for row in rows))
    return finished(
        paired_bars(facts, rows, names, "organization", "share_of_country", leader, width),
        facts,
        title={"CN": "Who makes up China's share", "US": "Who makes up the US share"}[leader],
        subtitle=["Part of the country's 30-day downloads", "of models under a year old"],
    )


def paired_bars(
    facts: ReportFacts, rows: Rows, names: list[str], field: str, measure: str, leader: str, width: Width
) -> alt.LayerChart:
    """Two bars a name, uploader above origin, with their values written at the ends."""
    longest = max((row[measure] for row in rows), default=0.0)
    x = alt.X(
        f"{measure}:Q",
        scale=alt.Scale(domain=[0, max(longest, 0.01) * 1.22]),
        title=None,
        axis=alt.Axis(format=".0%", tickCount=4),
    )
    y = alt.Y(f"{field}:N", sort=names, title=None, axis=alt.Axis(labelLimit=150, ticks=False, domain=False))
    offset = alt.YOffset("by:N", sort=["uploader", "origin"], scale=alt.Scale(paddingInner=0.1))
    base = chart(rows).encode(x=x, y=y, yOffset=offset)
    tints = alt.Scale(domain=["uploader", "origin"], range=[LEADER_COLOURS[leader], LEADER_TINTS[leader]])
    legend = alt.Legend(title="counted by", orient="top", symbolType="square", titleOrient="left")
    bars = base.mark_bar().encode(
        color=alt.Color("by:N", scale=tints, legend=legend),
        tooltip=[
            alt.Tooltip(f"{field}:N", title="Organisation"),
            alt.Tooltip("by:N", title="Counted by"),
            alt.Tooltip(f"{measure}:Q", format=".1%", title="Share"),
            alt.Tooltip("downloads:Q", format=",", title="Downloads"),
        ],
    )
    text = base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(
        text=alt.Text(f"{measure}:Q", format=".1%")
    )
    height = max(len(names), 1) * 2 * BAR_STEP + 8 * max(len(names), 1)
    return alt.layer(bars, text, *watermark(facts, 40)).properties(width=width, height=height)


def attributions(facts: ReportFacts, width: Width) -> alt.LayerChart:
    """Each country's share by uploader and by origin, a line from one to the other."""
    special = [row for row in facts.countries if row["country_code"] in SPECIAL_NAMES]
    located = [row for row in facts.countries if row["country_code"] not in SPECIAL_NAMES]
    located = sorted(located, key=lambda row: (-max(row["share"], row["origin_share"]), row["country_code"]))
    shown = [*located[:COUNTRIES_SHOWN], *special]
    names = [row["name"] for row in shown]
    points = [
        {"name": row["name"], "code": row["country_code"], "by": by, "share": row[column]}
        for row in shown
        for by, column in (("uploader", "share"), ("origin", "origin_share"))
    ]
    y = alt.Y(
        "name:N",
        sort=names,
        title=None,
        axis=alt.Axis(labelLimit=160, labelPadding=12, ticks=False, domain=False, grid=True),
    )
    axis = alt.Axis(format=".0%", tickCount=5)
    line = (
        chart([{"name": row["name"], "share": row["share"], "origin_share": row["origin_share"]} for row in shown])
        .mark_rule(color="#9A9A9A", strokeWidth=2)
        .encode(y=y, x=alt.X("share:Q", title=None, axis=axis), x2="origin_share:Q")
    )
    codes = [row["country_code"] for row in shown]
    palette = [LEADER_COLOURS.get(code, "#5A5A5A") for code in codes]
    colour = alt.Color("code:N", scale=alt.Scale(domain=codes, range=palette), legend=None)
    tooltip = [
        alt.Tooltip("name:N", title="Country"),
        alt.Tooltip("by:N", title="Counted by"),
        alt.Tooltip("share:Q", format=".2%", title="Share"),
    ]
    dots = [
        chart([point for point in points if point["by"] == by])
        .mark_point(shape=shape, filled=filled, size=size, strokeWidth=2, opacity=1)
        .encode(y=y, x=alt.X("share:Q", title=None, axis=axis), color=colour, tooltip=tooltip)
        for by, shape, filled, size in (("uploader", "circle", True, 55), ("origin", "diamond", False, 210))
    ]
    return finished(
        alt.layer(line, *dots, *watermark(facts, 48)).properties(width=width, height=26 * max(len(names), 2)),
        facts,
        title="Who holds models, who first made them",
        subtitle=[
            "Share of new models' 30-day downloads, by country",
            "● of the uploader, ◇ of the lineage's root (origin)",
        ],
    )


BASES = {"models": "models", "downloads": "downloads", "new_downloads": "new downloads"}


def coverage(facts: ReportFacts, width: Width) -> alt.LayerChart:
    """How much of the Hub has a class at all, and how much has a place, by attribution and basis."""
    rows = [
        {
            "what": f"{BASES.get(row['basis'], row['basis'])}, by {row['attribution']}",
            "measure": measure,
            "share": row[column],
            "thickness": thickness,
        }
        for row in facts.coverage
        for measure, column, thickness in (("classed", "classed_share", 18), ("located", "located_share", 8))
    ]
    names = list(dict.fromkeys(row["what"] for row in rows))
    scale = alt.Scale(domain=["classed", "located"], range=["#BFD9E8", "#0072B2"])
    y = alt.Y("what:N", sort=names, title=None, axis=alt.Axis(labelLimit=190, ticks=False, domain=False))
    x = alt.X(
        "share:Q", scale=alt.Scale(domain=[0, 1]), title=None, axis=alt.Axis(format=".0%", tickCount=5), stack=None
    )
    layers = [
        chart([row for row in rows if row["measure"] == measure])
        .mark_bar(size=size)
        .encode(
            y=y,
            x=x,
            color=alt.Color("measure:N", scale=scale, legend=alt.Legend(title=None, orient="top", symbolType="square")),
            tooltip=["what:N", "measure:N", alt.Tooltip("share:Q", format=".1%")],
        )
        for measure, size in (("classed", 18), ("located", 8))
    ]
    return finished(
        alt.layer(*layers, *watermark(facts, 40)).properties(width=width, height=30 * max(len(names), 2)),
        facts,
        title="Attributed so far",
        subtitle=["Part of all models, of their 30-day downloads,", "and of the new models' 30-day downloads"],
    )


# A null breaks the line: nothing is drawn across a missing day.
BROKEN = "break-paths-show-path-domains"


def chart(values: Rows) -> alt.Chart:
    return alt.Chart(alt.Data(values=values))


def with_day(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("country_code", "name", "share", "share_low", "share_high")}
    return kept | {"day": row["snapshot_date"].isoformat(), "label": row["snapshot_date"].isoformat()}


def colours(codes: list[str]) -> list[str]:
    neighbours = iter(NEIGHBOUR_COLOURS)
    return [LEADER_COLOURS.get(code) or SPECIAL_COLOURS.get(code) or next(neighbours, "#777777") for code in codes]


def day_scale(facts: ReportFacts) -> alt.Scale:
    """Every calendar day at hand, with half a day at each side, in UTC so that no reader's clock shifts a date."""
    first, last = facts.days[0]["snapshot_date"], max(facts.days[-1]["snapshot_date"], facts.snapshot_date)
    return alt.Scale(type="utc", domain=[noon_before(first), noon_of(last)], nice=False)


def day_axis(facts: ReportFacts) -> alt.Axis:
    """A tick a day while they fit; later the axis chooses."""
    options: dict[str, Any] = {"format": "%-d %b", "grid": False, "labelOverlap": True, "labelFlush": False}
    if len(facts.days) <= 14:
        options["values"] = [day["snapshot_date"].isoformat() for day in facts.days]
    return alt.Axis(**options)


def noon_before(day: date) -> str:
    return f"{(day - timedelta(days=1)).isoformat()}T12:00:00Z"


def noon_of(day: date) -> str:
    return f"{day.isoformat()}T12:00:00Z"


def gaps(facts: ReportFacts, day: alt.X) -> Iterator[alt.Chart]:
    """A grey band over each run of days without a share, said in words."""
    covered = {row["snapshot_date"] for row in facts.series if row["share"] is not None}
    spans = []
    for is_covered, days in groupby(facts.days, key=lambda row: row["snapshot_date"] in covered):
        if not is_covered:
            run = [row["snapshot_date"] for row in days]
            spans.append(
                {"day": noon_before(run[0]), "to": noon_of(run[-1]), "middle": middle(run), "text": "no snapshot"}
            )
    if spans:
        yield chart(spans).mark_rect(color=FAINT).encode(x=day, x2="to:T")
        yield along_the_top(chart(spans)).encode(x=alt.X("middle:T"), text="text:N")


def middle(days: list[date]) -> str:
    return (days[0] + (days[-1] - days[0]) / 2).isoformat()


def events(facts: ReportFacts, day: alt.X) -> Iterator[alt.Chart]:
    """A line at each day on which the platform's own counters stalled or were recounted."""
    marked = [
        {"day": row["snapshot_date"].isoformat(), "text": f"Hub: {row['platform_event']}"}
        for row in facts.days
        if row["platform_event"] not in (None, "none")
    ]
    if marked:
        yield chart(marked).mark_rule(strokeDash=[3, 3], color="#666666").encode(x=day)
        yield along_the_top(chart(marked), dy=-7).encode(x=day, text="text:N")


def along_the_top(marks: alt.Chart, dy: int = 0) -> alt.Chart:
    """Small text that runs downwards from the top edge."""
    return marks.mark_text(angle=90, align="left", baseline="middle", y=6, dy=dy, fontSize=10, color="#555555")


def lone_days(rows: Rows) -> Rows:
    """Rows whose neighbours have no share: an area has no width there, so that their bounds need a line."""
    lone = []
    for _, group in groupby(
        sorted(rows, key=lambda row: (row["country_code"], row["day"])), key=lambda r: r["country_code"]
    ):
        days = list(group)
        for place, row in enumerate(days):
            around = days[max(place - 1, 0) : place] + days[place + 1 : place + 2]
            if row["share"] is not None and all(other["share"] is None for other in around):
                lone.append(row)
    return lone


def end_labels(facts: ReportFacts, top: float) -> Rows:
    """Name and share at each line's end, moved apart where they would overlap. `at` is in units of share."""
    latest = [row for row in facts.series if row["snapshot_date"] == facts.snapshot_date and row["share"] is not None]
    spacing = top * LABEL_LINE / HEADLINE_HEIGHT
    labels = []
    lowest_free = 0.0
    for row in sorted(latest, key=lambda row: (row["share"], row["country_code"])):
        at = max(row["share"], lowest_free)
        lowest_free = at + spacing
        short = END_NAMES.get(row["country_code"]) or row["name"]
        labels.append(
            {
                "day": row["snapshot_date"].isoformat(),
                "at": at,
                "country_code": row["country_code"],
                "text": f"{short if len(short) <= 14 else short[:13] + '…'} {row['share']:.1%}",
                "is_leader": row["country_code"] in LEADERS,
            }
        )
    return labels


END_NAMES = {"XC": "Community"}


def names_at_the_ends(labels: Rows, day: alt.X, top: float, colour: alt.Color) -> list[alt.Chart]:
    """Each name with a dot of its line's colour before it, since a name that was moved apart isn't beside its line."""
    place = chart(labels).encode(x=day, y=alt.Y("at:Q", scale=alt.Scale(domain=[0, top])))
    dots = place.mark_text(text="●", align="left", dx=8, fontSize=9, baseline="middle").encode(color=colour)
    words = [
        place.transform_filter(f"datum.is_leader === {is_leader}")
        .mark_text(align="left", dx=19, fontSize=size, fontWeight=weight, color=INK, baseline="middle")
        .encode(text="text:N")
        for is_leader, size, weight in (("true", 12, "bold"), ("false", 11, "normal"))
    ]
    return [dots, *words]


def watermark(facts: ReportFacts, size: int) -> list[alt.Chart]:
    """The word SIMULATED across the plot: a screenshot travels without its page."""
    if not facts.is_simulated:
        return []
    mark = chart([{}]).mark_text(
        text=SIMULATED,
        x={"expr": "width / 2"},
        y={"expr": "height / 2"},
        fontSize={"expr": f"min({size}, width / 6)"},
        fontWeight="bold",
        opacity=0.13,
        color="#000000",
        align="center",
        baseline="middle",
    )
    return [mark]


def finished(layers: alt.LayerChart, facts: ReportFacts, *, title: str, subtitle: list[str]) -> alt.LayerChart:
    """Title, house style, and the word SIMULATED above the chart where the data is."""
    lines = [*([SIMULATED_SUBTITLE] if facts.is_simulated else []), *subtitle]
    return (
        layers.properties(
            title=alt.TitleParams(
                title,
                subtitle=lines,
                anchor="start",
                frame="bounds",
                fontSize=15,
                subtitleFontSize=12,
                subtitleColor="#555555",
                offset=12,
            ),
            padding=PADDING,
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        )
        .configure(font=FONT, background="#FFFFFF")
        .configure_view(stroke=None)
        .configure_axis(labelColor="#333333", gridColor="#ECECEC", domainColor="#BBBBBB", labelFontSize=11)
        .configure_legend(labelFontSize=11, titleFontSize=11, titleFontWeight="normal", padding=0)
    )
