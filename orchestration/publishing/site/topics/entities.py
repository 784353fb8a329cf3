"""Figures that pages of countries and of organisations have in common: lines by both attributions, bars of parts, weeks of
releases. What is asked for them is with each page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from orchestration.publishing.site.answers import Answer, Rows
from orchestration.publishing.site.figures import Figure, View, one_view
from orchestration.publishing.site.ground import Ground, day_axis, milliseconds
from orchestration.publishing.site.naming import ATTRIBUTIONS, Measure, display_name
from orchestration.publishing.site.topics.shares import lone_days
from orchestration.publishing.site.topics.timeline import event_marks, gap_bands
from orchestration.publishing.site.words import count, percent

# Models of any age, beside the measures of new ones.
OF_ANY_AGE = Measure(
    "trailing_30d",
    30,
    "30 days, models of any age",
    ("Share of the 30-day downloads of models", "of any age"),
    "of the 30-day downloads of open models on",
    "The Hub's own count of the last 30 days, summed over all models, old and new.",
)
# Side marts carry metrics of one snapshot only; of those, the one whose downloads are recent tells more of a day.
OF_ONE_SNAPSHOT = ("new_trailing_30d", "new_created", "trailing_30d")
WEEKS_SHOWN = 53
BARS_SHOWN = 8
DARK, PALE = "#0072B2", "#8CC1E3"
# How the axis and the tooltip write a value; small shares need decimals, or all ticks read alike.
# Square pixels of a day's point: few days have points that can be seen, many have points to hover over.
FEW_DAYS, FEW, MANY = 45, 40, 6
COUNTS = {"format": "~s", "exact": ","}


@dataclass(frozen=True)
class Span:
    """The days that lines of one measure are drawn over: from the first one that has a share at all."""

    drawn: tuple[date, ...]
    covered: frozenset[date]
    gaps: Rows
    events: Rows
    axis: dict[str, Any]


@dataclass(frozen=True)
class Calendar:
    """What all lines over days have in common: by measure the days that are drawn, and which have no value at all."""

    ground: Ground
    spans: dict[str, Span]
    step: int  # each how-manieth day is drawn, counted back from the last

    @property
    def thinning(self) -> dict[str, Any]:
        """Parameters that thin a statement to the days that are drawn."""
        return {"last_day": self.ground.snapshot_date, "step": self.step}

    @property
    def caption(self) -> str:
        """What the marks of all such lines mean."""
        some = " Lines are drawn through some of the days only." if self.step > 1 else ""
        return (
            "A grey band is a day without a snapshot; at a dashed upright the Hub's own counters stalled or were recounted."
            + some
        )


def calendar_of(ground: Ground, covered: Rows) -> Calendar:
    """`covered`: metric, window_days, snapshot_date of every day with a share in a measure."""
    days: dict[str, set[date]] = {}
    for row in covered:
        if row["snapshot_date"] <= ground.snapshot_date:
            days.setdefault(f"{row['metric']}-{row['window_days']}", set()).add(row["snapshot_date"])
    drawn = ground.drawn_days
    step = (drawn[1] - drawn[0]).days if len(drawn) > 1 else 1
    return Calendar(ground, {key: span_of(ground, found) for key, found in days.items()}, step)


def span_of(ground: Ground, covered: set[date]) -> Span:
    first = min(covered)
    calendar = [row["snapshot_date"] for row in ground.days if first <= row["snapshot_date"] <= ground.snapshot_date]
    gaps = gap_bands(ground, [{"snapshot_date": day} for day in sorted(covered)], frozenset(ground.drawn_days))
    return Span(
        drawn=tuple(day for day in ground.drawn_days if day >= first),
        covered=frozenset(covered),
        gaps=[gap for gap in gaps if first.isoformat() <= gap["middle"][:10] <= ground.snapshot_date.isoformat()],
        events=spaced([mark for mark in event_marks(ground) if mark["day"] >= first.isoformat()], len(calendar)),
        axis=day_axis(calendar),
    )


def spaced(marks: Rows, days: int, part: int = 20) -> Rows:
    """Marks that stand so close that their words would lie on each other keep their line only. Words that run downwards take a
    twentieth of a phone's width, others a third."""
    told: Rows = []
    free_from = date.min
    for mark in marks:
        day = mark["day"] if isinstance(mark["day"], date) else date.fromisoformat(mark["day"])
        is_free = day >= free_from
        told.append(mark if is_free else mark | {"text": ""})
        if is_free:
            free_from = day + timedelta(days=max(1, days // part))
    return told


def measures_told(ground: Ground) -> tuple[Measure, ...]:
    """Those of new models that the day has, the lead first, and models of any age."""
    return (*ground.measures, OF_ANY_AGE)


def one_snapshot_measure(ground: Ground) -> Measure:
    """The measure of the side marts: of new models if the day has one."""
    at_hand = {measure.metric: measure for measure in measures_told(ground)}
    return next(at_hand[metric] for metric in OF_ONE_SNAPSHOT if metric in at_hand)


NOTHING = Span((), frozenset(), [], [], {"first": 0, "last": 1, "ticks": [0]})


def lines_view(
    calendar: Calendar,
    key: str,
    found: Rows,
    value: str,
    *,
    is_zero_if_absent: bool,
    crossovers: Rows = (),
    **words: Any,
) -> View:
    """A reading of `entity_lines`: column `value` of the found rows of one measure, by attribution and day."""
    by_day = {(row["attribution"], row["snapshot_date"]): row for row in found}
    span = calendar.spans.get(key, NOTHING)
    series = []
    for attribution in ("origin", "uploader"):
        for day in span.drawn:
            row = by_day.get((attribution, day), {})
            absent = 0 if is_zero_if_absent and day in span.covered else None
            series.append(
                {
                    "day": day,
                    "by": attribution,
                    "value": row.get(value, absent),
                    "low": row.get("share_low", absent if value == "share" else None),
                    "high": row.get("share_high", absent if value == "share" else None),
                    "downloads": row.get("downloads", absent),
                    "models": row.get("models", absent),
                }
            )
    held = [
        {"day": row["day"], "code": "", "share": row["value"], "low": row["low"], "high": row["high"]}
        for row in series
        if row["by"] == "uploader"
    ]
    lone = [{name: row[name] for name in ("day", "low", "high")} for row in lone_days(held) if row["low"] is not None]
    highest = max((row[name] for row in series for name in ("value", "high") if row[name] is not None), default=0)
    top = (highest or (0.01 if value.startswith("share") else 1)) * (1.28 if span.gaps or span.events else 1.1)
    return View(
        data={
            "series": series,
            "lone": lone,
            "gaps": span.gaps,
            "events": span.events,
            "crossovers": spaced(list(crossovers), len(span.drawn) * calendar.step, part=3),
        },
        params=span.axis
        | (share_formats(top) if value.startswith("share") else COUNTS)
        | {"top": round(top, 6), "size": str(FEW if len(span.drawn) <= FEW_DAYS else MANY)},
        **words,
    )


def share_formats(top: float) -> dict[str, str]:
    decimals = next((number for number, least in enumerate((0.08, 0.008, 0.0008, 0.00008)) if top >= least), 4)
    return {"format": f".{decimals}%", "exact": f".{max(decimals + 1, 2)}%"}


def bars_view(found: Rows, *, name: str, value: str, title: str, subtitle: tuple[str, ...], what: str) -> View:
    """A reading of `paired_bars`: the largest parts by either attribution, in their order, and how they are said."""
    largest: dict[str, float] = {}
    for row in found:
        largest[row[name]] = max(largest.get(row[name], 0), row[value] or 0)
    kept = sorted(largest, key=lambda part: (part == "(other)", -largest[part], part))[:BARS_SHOWN]
    labels = labels_of(kept)
    bars = [
        {
            "name": labels[part],
            "by": attribution,
            "share": row[value],
            "downloads": row["downloads"],
            "colour": DARK if attribution == "uploader" else PALE,
        }
        for part in kept
        for attribution, _ in ATTRIBUTIONS
        for row in found
        if row[name] == part and row["attribution"] == attribution
    ]
    first = [bar for bar in bars if bar["by"] == bars[0]["by"]][:3]
    said = ", ".join(f"{bar['name']} {percent(bar['share'])}" for bar in first)
    said = f"by {first[0]['by']}, first {said}" if first else "nothing on this day"
    return View(
        title=title,
        subtitle=subtitle,
        alt=f"Bar chart: {what}; {said}.",
        data={"bars": bars},
        params={"top": round(max([bar["share"] or 0 for bar in bars] + [0.01]) * 1.22, 4)},
        height=38 * max(len(kept), 1),
    )


def labels_of(names: Sequence[str]) -> dict[str, str]:
    """What each name is called in a chart. Names that look alike once made visible are told apart by a number."""
    labels: dict[str, str] = {}
    for name in names:
        label, number = display_name(name), 2
        while label in labels.values():
            label, number = f"{display_name(name)} ({number})", number + 1
        labels[name] = label
    return labels


def weeks_figure(ground: Ground, name: str, who: str, answer: Answer, csv: str) -> Figure:
    """Releases of the last 53 weeks. Columns of the answer: week_start, releases, variants, repositories."""
    rows = [
        {
            "week": row["week_start"],
            "label": row["week_start"].isoformat(),
            "releases": row["releases"],
            "variants": row["variants"],
            "repositories": row["repositories"],
        }
        for row in answer.rows
    ]
    first = ground.snapshot_date - timedelta(weeks=WEEKS_SHOWN)
    releases = sum(row["releases"] for row in rows)
    most = max([row["releases"] for row in rows] + [1])
    return Figure(
        name=name,
        kind="release_weeks",
        heading="Releases by week",
        caption="Weeks begin on Monday. Repositories of one family within 14 days of its first are one release.",
        definition="A family's repositories that came within 14 days of the first of them are one release, its sizes and "
        "formats are variants.",
        answer=answer,
        csv=csv,
        basis=None,
        views=one_view(
            title=f"Releases of {who}, by week",
            subtitle=("First-party repositories, by family",),
            alt=f"Bar chart: releases by week in the year to {ground.snapshot_date.isoformat()}: {count(releases)} in "
            f"{len([row for row in rows if row['releases']])} weeks.",
            data={"weeks": rows},
            params={
                "first": milliseconds(first),
                "last": milliseconds(ground.snapshot_date + timedelta(days=7)),
                "top": most,
                "counts": list(range(0, most + 1, -(-most // 4))),
            },
        ),
    )
