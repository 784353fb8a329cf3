"""The front page: the story in a sentence, its figures by topic, how sure it all is, the claims, and what was checked.
Figures are made in `topics`; here they are put on the page with the words around them."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.publishing.site.facts import FrontFacts
from orchestration.publishing.site.figures import Figure
from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.ground import LEADERS, Ground
from orchestration.publishing.site.topics import shares

if TYPE_CHECKING:
    import jinja2

FLAGS_SHOWN = 5  # what a reader takes in before the headline's chart; all of them are on the quality page


def figures_of(connection: duckdb.DuckDBPyConnection, ground: Ground, facts: FrontFacts) -> dict[str, Figure]:
    """Every figure of the front page by name, in the order of the page."""
    made = [
        shares.headline(connection, ground, shares.drawn_countries(facts.countries.rows)),
        *(shares.organizations(connection, ground, leader) for leader in LEADERS),
        shares.attributions(ground, facts.countries),
        shares.coverage(connection, ground),
    ]
    return {figure.name: figure for figure in made}


def render_front(environment: "jinja2.Environment", frame: Frame, facts: FrontFacts, figures: dict[str, Figure]) -> str:
    """The page as text."""
    ground = facts.ground
    return environment.get_template("front.html.j2").render(
        root="",
        facts=facts,
        ground=ground,
        quality=frame.quality,
        figures=figures,
        flags_shown=FLAGS_SHOWN,
        leaders=[facts.country(code) for code in LEADERS],
        order=order_in_words(facts),
        queue_share=sum(row["share"] or 0 for row in facts.queue),
        unattributed_share=unattributed_share(ground),
        turned_round=[row["decision"] for row in facts.sensitivity if row["is_turned_round"]],
        claims=claims_by_question(facts),
        missing=[day["snapshot_date"].isoformat() for day in ground.days if day["status"] != "complete"],
        events=[day for day in ground.days if day["platform_event"] not in (None, "none")],
    )


def claims_by_question(facts: FrontFacts) -> list[dict[str, Any]]:
    """A claim's parts together, what is common to them once: its question, what was reported, and its caveats."""
    claims = []
    for _, group in groupby(facts.claims, key=lambda claim: claim["claim_id"]):
        parts = list(group)
        claims.append(
            parts[0]
            | {
                "parts": parts,
                "is_answered": any(part["value"] is not None for part in parts),
                "caveats": list(dict.fromkeys(part["caveat"] for part in parts if part["caveat"])),
            }
        )
    return claims


# As a sentence names the two: the country, and what is the country's.
IN_A_SENTENCE = {"CN": ("China", "China's"), "US": ("the United States", "the United States'")}


def order_in_words(facts: FrontFacts) -> str:
    """Whether the order of the two could be another, were what isn't attributed known."""
    first, second = sorted((facts.country(code) for code in LEADERS), key=lambda row: -row["share"])
    if first["share"] == second["share"]:
        return "The two are equal on this day."
    (name, _), (other, of_the_other) = (IN_A_SENTENCE[row["country_code"]] for row in (first, second))
    if first["share_low"] > second["share_high"]:
        return (
            f"Even if all that isn't attributed were {of_the_other}, {name} would have more: the order of the two doesn't "
            "rest on it."
        )
    return (
        f"What isn't attributed is more than what parts {name} and {other}: were all of it {of_the_other}, the order of "
        "the two would be the other."
    )


def unattributed_share(ground: Ground) -> float | None:
    """Part of all 30-day downloads that have no class, by uploader; none where the day tells no such downloads."""
    classed = ground.attributed("downloads").get("uploader")
    return None if classed is None else 1 - classed
