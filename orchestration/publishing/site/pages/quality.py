"""The quality page of a version: each promise about its days with what was found, every day's score, what was ever broken.
What it says is read in `quality_facts`; here it is put on a page that needs no script and no network, escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from orchestration.foreign_text import display_name
from orchestration.publishing.quality_facts import (
    QualityFacts,
    broken_first,
    offenders_of,
    one_a_promise,
    score_in_words,
)
from orchestration.publishing.site.answers import Rows
from orchestration.publishing.site.frame import Frame
from orchestration.quality.promises import STEPS, WEIGHTS
from orchestration.quality.score import SCORE_MEANS, Score, is_broken, score_of

if TYPE_CHECKING:
    import jinja2

QUALITY_PAGE = "quality.html"
DAYS_NAMED = 4  # more days than these are told as the first and the last

# Colours of the calendar by score. The marts' gate weighs about 260: a promise to be investigated takes less than a point
# of it, one that blocks almost two; among the few of a small step either takes much more. 2026-11-29.
BANDS = ((100.0, "all", "100"), (99.0, "most", "99 to 99.9"), (95.0, "some", "95 to 98.9"), (0.0, "few", "below 95"))
# Beside the colour, for whoever can't tell it or prints the page: the gravest promise that was broken.
MARKS = {None: "✓", "watch": "○", "investigate": "△", "blocks": "✕"}
WHAT_A_MARK_MEANS = {
    "✓": "all kept",
    "○": "broken: only what is watched",
    "△": "broken: something to be investigated",
    "✕": "broken: something that blocks",
}


@dataclass(frozen=True)
class Cell:
    """A day's score after one step, as the calendar shows it."""

    text: str
    mark: str
    band: str
    title: str


def render_quality_page(environment: "jinja2.Environment", frame: Frame) -> str:
    """The page as text."""
    quality = frame.quality
    environment.filters |= {"promise": promise_in_words, "days_in_words": days_in_words}
    steps = promises_by_step(quality)
    return environment.get_template("quality.html.j2").render(
        root="",
        quality=quality,
        score_means=SCORE_MEANS,
        weights=WEIGHTS,
        steps=steps,
        offenders=[
            (verdict, offenders_of(verdict)) for part in steps for verdict in part["not_kept"] if is_broken(verdict)
        ],
        months=calendar(quality),
        bands=BANDS,
        marks=WHAT_A_MARK_MEANS,
    )


def promises_by_step(quality: QualityFacts) -> list[dict[str, Any]]:
    """Each step's promises, those that were broken or accepted on any day apart from the others; other listings last."""
    groups: dict[str, Rows] = {}
    for verdict in [*quality.verdicts, *quality.beside]:
        groups.setdefault(verdict["step"], []).append(verdict)
    parts = []
    for step, verdicts in sorted(groups.items(), key=lambda item: STEPS.index(item[0])):
        promises = broken_first(one_a_promise(verdicts))
        parts.append(
            {
                "step": step,
                "score": score_of(verdicts),
                "days": sorted({verdict["snapshot_date"] for verdict in verdicts}),
                "not_kept": [verdict for verdict in promises if is_broken(verdict) or verdict["accepted_event"]],
                "kept": [verdict for verdict in promises if not (is_broken(verdict) or verdict["accepted_event"])],
            }
        )
    return parts


def calendar(quality: QualityFacts) -> list[dict[str, Any]]:
    """The days by month, newest first, each with a cell a step; none where the step judged nothing."""
    months = groupby(quality.calendar, key=lambda day: day["snapshot_date"].replace(day=1))
    return [
        {
            "first": first,
            "days": [
                day | {"cells": [cell(quality.scores.get((day["snapshot_date"], step))) for step in quality.steps]}
                for day in days
            ],
        }
        for first, days in months
    ]


def cell(score: Score | None) -> Cell | None:
    if score is None:
        return None
    band = next(name for least, name, _ in BANDS if score.score >= least)
    mark = MARKS[score.worst_broken]
    title = f"{score.kept} of {score.promises} promises kept; {WHAT_A_MARK_MEANS[mark]}"
    return Cell(text=score_in_words(score.score), mark=mark, band=band, title=title)


def promise_in_words(verdict: dict[str, Any]) -> str:
    return display_name(verdict["check_name"].replace("_", " "))


def days_in_words(days: Sequence[date]) -> str:
    if len(days) <= DAYS_NAMED:
        return ", ".join(day.isoformat() for day in days)
    return f"{len(days)} days from {days[0].isoformat()} to {days[-1].isoformat()}"
