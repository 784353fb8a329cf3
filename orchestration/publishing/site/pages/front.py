"""The front page: the story in a sentence, its figures by topic, how sure it all is, the claims, and what was checked.
Figures are made in `topics`; here they are put on the page with the words around them."""

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.foreign_text import display_name
from orchestration.publishing.site.facts import FrontFacts
from orchestration.publishing.site.figures import Figure
from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.ground import LEADERS, Ground
from orchestration.publishing.site.topics import (
    adoption,
    concentration,
    lineage,
    makeup,
    modalities,
    openness,
    players,
    releases,
    shares,
    sizes,
)
from orchestration.publishing.site.topics.timeline import marks_of
from orchestration.publishing.site.topics.topic import Topic, read_story
from orchestration.publishing.site.words import percent

if TYPE_CHECKING:
    import jinja2

DAYS_SHOWN = 12  # days that are listed in a sentence; more of them are counted
FLAGS_SHOWN = 5  # what a reader takes in before the headline's chart; all of them are on the quality page


@dataclass(frozen=True)
class Contents:
    """What the page shows that is drawn: the figures that stand in places of their own, by name, and the topics in order."""

    figures: dict[str, Figure]
    topics: tuple[Topic, ...]

    @property
    def in_order(self) -> list[Figure]:
        return [*self.figures.values(), *(figure for topic in self.topics for figure in topic.figures)]


def contents_of(connection: duckdb.DuckDBPyConnection, ground: Ground, facts: FrontFacts) -> Contents:
    """Every figure and topic of the front page."""
    story = read_story(connection, ground, facts.countries.rows)
    made_up = {figure.name: figure for figure in (makeup.families(story), makeup.over_time(story)) if figure}
    return Contents(
        figures=figures_of(connection, ground, facts) | made_up,
        topics=(
            releases.releases(story),
            modalities.modalities(story),
            openness.openness(story),
            concentration.concentration(story),
            lineage.lineage(story),
            sizes.sizes(story),
            players.players(story),
            adoption.adoption(story),
        ),
    )


def figures_of(connection: duckdb.DuckDBPyConnection, ground: Ground, facts: FrontFacts) -> dict[str, Figure]:
    """The figures about countries' shares, by name."""
    made = [
        shares.headline(connection, ground, shares.drawn_countries(facts.countries.rows)),
        *(shares.organizations(connection, ground, leader) for leader in LEADERS),
        shares.attributions(ground, facts.countries),
        shares.coverage(connection, ground),
    ]
    return {figure.name: figure for figure in made}


def render_front(environment: "jinja2.Environment", frame: Frame, facts: FrontFacts, contents: Contents) -> str:
    """The page as text."""
    ground = facts.ground
    claims = claims_by_question(facts)
    return environment.get_template("front.html.j2").render(
        root="",
        facts=facts,
        ground=ground,
        quality=frame.quality,
        figures=contents.figures,
        topics=contents.topics,
        marks=marks_of(ground),
        crossovers=[mark["text"] for mark in contents.figures["headline"].first.data["crossovers"]],
        flags_shown=FLAGS_SHOWN,
        leaders=[facts.country(code) for code in LEADERS],
        order=order_in_words(facts),
        queue_share=sum(row["share"] or 0 for row in facts.queue),
        unattributed_share=unattributed_share(ground),
        turned_round=[row["decision"] for row in facts.sensitivity if row["is_turned_round"]],
        claims=claims,
        tally=tally_in_words(claims),
        makers=makers_in_words(contents.figures),
        days_shown=DAYS_SHOWN,
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
                "told": (told := the_part_that_is_told(parts)),
                "verdict": verdict(parts, told),
                "short_caveat": first_sentence((told or parts[0])["caveat"]),
            }
        )
    return claims


def the_part_that_is_told(parts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one part that stands for a claim: with a number, if possible one that says yes or no, then the first by the order
    of the parts, in which the page's lead measure and the uploader come first, China's before other countries'."""
    answered = [part for part in parts if part["value"] is not None]
    return min(
        answered,
        key=lambda part: (part["holds"] is None, not is_of_china(part["part"]), parts.index(part)),
        default=None,
    )


def is_of_china(part: str) -> bool:
    return "CN" in part.split("/")


CANT_BE_TOLD = "not from the Hub"
NOT_YET = "not yet"
NO_VERDICT = "a number only"


def verdict(parts: list[dict[str, Any]], told: dict[str, Any] | None) -> str:
    """Yes or no where the claim is a comparison that the data decides; else why there is neither."""
    if told is None:
        return CANT_BE_TOLD if all(part["unit"] in (None, "none") for part in parts) else NOT_YET
    if told["holds"] is None:
        return NOT_YET if any(part["predicate"] for part in parts) else NO_VERDICT
    of_this = {part["holds"] for part in parts if part["holds"] is not None and part["predicate"] == told["predicate"]}
    return ("yes" if told["holds"] else "no") + (", but not in every reading" if len(of_this) > 1 else "")


def first_sentence(caveat: str | None) -> str:
    """The first sentence of a caveat: what fits beside an answer."""
    said = (caveat or "").removeprefix("Null: ")
    end = said.find(". ")
    return said if end < 0 else said[: end + 1]


def tally_in_words(claims: list[dict[str, Any]]) -> str:
    """How the claims fare, counted."""
    verdicts = [claim["verdict"] for claim in claims]
    counted = [
        (sum(each.startswith("yes") for each in verdicts), "hold by what is found here"),
        (sum(each == "no" or each.startswith("no,") for each in verdicts), "don't hold"),
        (verdicts.count(NO_VERDICT), "are answered by a number that is neither yes nor no"),
        (verdicts.count(NOT_YET), "can't be answered yet"),
        (verdicts.count(CANT_BE_TOLD), "can't be told from the Hub at all"),
    ]
    told = ", ".join(f"{number} {words}" for number, words in counted if number)
    return f"Of {len(claims)} claims, {told}." if claims else "No claim is in this version."


def makers_in_words(figures: dict[str, Figure]) -> str:
    """The largest organisation of each of the two, by uploader."""
    told = []
    for name, whose in (("china", "China's"), ("states", "the United States'")):
        held = [
            row
            for row in figures[name].answer.rows
            if row["attribution"] == "uploader" and row["organization"] != "(other)"
        ]
        if held:
            largest = max(held, key=lambda row: (row["share_of_country"], row["organization"]))
            share = percent(largest["share_of_country"])
            told.append(f"{share} of {whose} are held by {display_name(largest['organization'])}")
    return (
        f"Of downloads of new models, {' and '.join(told)}." if told else "Neither has an organisation with downloads."
    )


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
