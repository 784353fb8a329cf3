"""Kinds of charts, each an altair specification whose data has names only: a page brings the rows, a script joins the two.
Only this package imports altair. What a chart is about, and its words, is for the pages."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.publishing.site.figures import SIMULATED_SUBTITLE, Figure, View, plain_rows
from orchestration.publishing.site.kept import kept_or_made

if TYPE_CHECKING:
    import altair

# Altair 6.3 writes Vega-Lite 6.4; drawn by another version, each chart logs a warning.
VEGA_LITE_VERSION = "6.4"


def builders() -> dict[str, Callable[[bool], "altair.TopLevelMixin"]]:
    """Each kind by its name: a function of whether the data is simulated."""
    from orchestration.publishing.site.kinds import composition, entities, lines, releases, shares

    return shares.KINDS | composition.KINDS | lines.KINDS | releases.KINDS | entities.KINDS


@cache
def kinds_and_themes(simulated: bool, kept: Path | None = None) -> dict[str, dict[str, Any]]:
    """`specs`: every kind as Vega-Lite, without the address of its schema, which nothing here fetches; `themes`: a Vega config
    for light and for dark. `kept` is a folder in which they outlive this process: altair takes a second to say them."""
    name = f"kinds-{'simulated' if simulated else 'real'}"
    return json.loads(kept_or_made(kept, name, _made_of(), lambda: json.dumps(_made(simulated))))


def _made(simulated: bool) -> dict[str, dict[str, Any]]:
    from orchestration.publishing.site.kinds.style import THEMES

    specs = {}
    for name, build in builders().items():
        document = build(simulated).to_dict()
        document.pop("$schema")
        specs[name] = document
    return {"specs": specs, "themes": THEMES}


def _made_of() -> Iterator[str | bytes]:
    """Altair, and all that is written of the site: what a kind takes from another module is in it as well."""
    yield version("altair")
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        yield path.read_bytes()


def drawn(figure: Figure, simulated: bool, width: int, kept: Path | None = None) -> str:
    """The figure's first view as an SVG of this width in pixels, in the light theme."""
    import vl_convert

    known = kinds_and_themes(simulated, kept)
    spec = filled(known["specs"][figure.kind], figure.first, simulated) | {"width": width}
    return vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE_VERSION, config=known["themes"]["light"])


def filled(spec: dict[str, Any], view: View, simulated: bool) -> dict[str, Any]:
    """A kind's specification with a view's words, values and rows in it: what `site.js` does in the reader's browser."""
    title = spec["title"] | {
        "text": view.title,
        "subtitle": [*([SIMULATED_SUBTITLE] if simulated else []), *view.subtitle],
    }
    datasets = {name: plain_rows(rows) for name, rows in view.data.items()}
    height = {"height": view.height} if view.height else {}
    return placed(spec, view.params) | {"title": title, "datasets": datasets} | height


def placed(document: Any, params: dict[str, Any]) -> Any:
    """The document with each placeholder, a text `@name`, replaced by its value; a list of one by the value, if a list."""
    if isinstance(document, dict):
        return {name: placed(value, params) for name, value in document.items()}
    if isinstance(document, list):
        values = [placed(value, params) for value in document]
        return values[0] if len(values) == 1 and isinstance(values[0], list) and is_placeholder(document[0]) else values
    return params[document[1:]] if is_placeholder(document) else document


def is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("@")
