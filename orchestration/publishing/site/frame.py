"""What all pages of the site share: the environment that writes them, escaped, and what stands around each page's own content.
What a page says is in `pages`; how it looks, in `static/style.css` and `templates/`."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.foreign_text import display_name, display_text
from orchestration.publishing.quality_facts import QualityFacts, hours_in_words, moment, score_in_words
from orchestration.publishing.site import words
from orchestration.publishing.site.answers import Rows
from orchestration.publishing.site.figures import Figure, as_plain, spoken
from orchestration.publishing.site.ground import Ground
from orchestration.publishing.site.naming import page_of_country, page_of_organization
from orchestration.quality.score import is_broken

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Frame:
    """What stands around a page: the version, its day, whether it is simulated and in what respect, its quality and its
    licence."""

    version_id: str
    ground: Ground
    quality: QualityFacts
    simulation_note: str | None
    sources: Rows
    licence: dict[str, Any]


def environment(frame: Frame) -> "jinja2.Environment":
    """Where the pages of one site are made, one site at a time: its templates are read once in a process."""
    simulated = frame.ground.is_simulated
    made = blank_environment()
    made.globals |= {
        "frame": frame,
        "figure_json": lambda figure: figure_json(figure, simulated),
        "spoken": lambda figure: spoken(figure.first, simulated),
    }
    return made


@cache
def blank_environment() -> "jinja2.Environment":
    """Everything is escaped, and a name that isn't there is an error."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "percent": words.percent,
        "points": words.points,
        "count": words.count,
        "parameters": words.parameters,
        "claim_value": words.claim_value,
        "score": score_in_words,
        "visible": lambda text: "–" if text in (None, "") else display_text(str(text)),
        "name": display_name,
        "hours": hours_in_words,
        "moment": moment,
        "broken": is_broken,
        "page_of_country": page_of_country,
        "page_of_organization": page_of_organization,
    }
    return made


def figure_json(figure: Figure, simulated: bool) -> Any:
    """The figure for the page's script, as JSON that can stand inside a script element: no character in it can end the
    element or open a comment."""
    import markupsafe

    document = as_plain(figure, simulated)
    text = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return markupsafe.Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
