"""The hand that all charts are drawn in: colours that colour-blind people can tell apart on light and on dark paper, the
two themes, and the word SIMULATED across whatever is. What is drawn is for the kinds."""

from typing import Any

import altair as alt

# Line styles of what is no country.
DASHES = {"solid": [1, 0], "long": [6, 3], "dots": [2, 4], "short": [2, 2]}

FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"
# Room at the right for names at the ends of lines is the kind's own.
PADDING = {"left": 4, "top": 4, "bottom": 4, "right": 16}
SIMULATED = "SIMULATED"


def theme(*, paper: str, ink: str, soft: str, grid: str, line: str, rim: str) -> dict[str, Any]:
    """A Vega config: whatever has no colour of its own in a specification takes it from here."""
    return {
        "background": paper,
        # A chart is one picture with one text that says what it shows; labels of each of its points would be read out.
        "aria": False,
        "font": FONT,
        "view": {"stroke": None},
        "title": {
            "color": ink, "subtitleColor": soft, "anchor": "start", "frame": "bounds", "fontSize": 15,
            "subtitleFontSize": 12, "offset": 12,
        },
        "text": {"color": ink, "fill": ink},
        "axis": {
            "labelColor": ink, "titleColor": soft, "gridColor": grid, "domainColor": line, "tickColor": line,
            "labelFontSize": 11, "titleFontWeight": "normal",
        },
        "legend": {
            "labelColor": ink, "titleColor": soft, "labelFontSize": 11, "titleFontSize": 11,
            "titleFontWeight": "normal", "padding": 0,
        },
        "header": {"labelColor": ink, "titleColor": soft},
        "style": {
            "ink": {"color": ink, "fill": ink}, "soft": {"color": soft, "fill": soft},
            "softline": {"color": soft, "stroke": soft}, "band": {"color": grid, "fill": grid}, "apart": {"stroke": rim},
            "watermark": {"color": ink, "fill": ink, "opacity": 0.13},
        },
    }  # fmt: skip


# On a page, charts take the colours of `static/style.css`, so that they follow the reader's theme, and paper, without being
# drawn again. A picture that leaves the page has the light ones.
THEMES = {
    "page": theme(
        paper="transparent",
        ink="var(--ink)",
        soft="var(--soft)",
        grid="var(--grid)",
        line="var(--axis)",
        rim="var(--paper)",
    ),
    "light": theme(paper="#ffffff", ink="#1d1d1d", soft="#555555", grid="#e8e8e8", line="#bbbbbb", rim="#ffffff"),
}


def source(name: str) -> alt.Chart:
    """A layer on the rows that a page brings under this name."""
    return alt.Chart(alt.NamedData(name=name))


def watermark(simulated: bool, size: int = 48) -> list[alt.Chart]:
    """The word SIMULATED across the plot: a screenshot travels without its page."""
    if not simulated:
        return []
    mark = alt.Chart(alt.Data(values=[{}])).mark_text(
        text=SIMULATED,
        style="watermark",
        x={"expr": "width / 2"},
        y={"expr": "height / 2"},
        fontSize={"expr": f"min({size}, width / 6)"},
        fontWeight="bold",
        align="center",
        baseline="middle",
    )
    return [mark]


def finished(layers: alt.LayerChart, **properties: Any) -> alt.LayerChart:
    """A kind in the house's frame: as wide as its place on the page, with room for a title that each view brings."""
    return layers.properties(
        title=alt.TitleParams(" "),
        padding=PADDING,
        width="container",
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        **properties,
    )
