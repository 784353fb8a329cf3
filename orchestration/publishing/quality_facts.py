"""What a version says about its own quality, read from its database and from the verdicts on the candidate itself.
The score's formula is in `quality/score.py`; manifest, dictionary, report and quality page take what is read here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import duckdb

from orchestration.foreign_text import display_name
from orchestration.publishing.site.answers import Rows, rows
from orchestration.quality.promises import STEPS, WEIGHTS
from orchestration.quality.score import (
    Score,
    flagged,
    in_order,
    is_broken,
    last_verdicts,
    promise_of,
    score_of,
    scores_by_day_and_step,
)

OFFENDERS_SHOWN = 5
# Judged after a version is published, and nothing in it rests on them: they are no part of its score.
BESIDE = "listings"


@dataclass(frozen=True)
class QualityFacts:
    """A version's quality: of the days that its run added and of its last day, and of all days before them."""

    days: tuple[date, ...]
    verdicts: Rows  # the last ones on each promise of these days, the candidate's own among them
    beside: Rows  # the last ones on other listings
    calendar: Rows  # snapshot_date, status: every calendar day, and every other day that was judged
    scores: dict[tuple[date, str], Score]  # of every day and step
    history: Rows  # promises that were ever broken, as mart_promise_history has them
    accepted: Rows  # promise, accepted_because, first_date, last_date, days

    @cached_property
    def score(self) -> Score:
        return score_of(self.verdicts)

    @property
    def steps(self) -> list[str]:
        """Steps that ever judged a day, in the order of a run."""
        return [step for step in STEPS if any(judged == step for _, judged in self.scores)]

    @property
    def flagged(self) -> Rows:
        return flagged_promises(self.verdicts)


def read_quality(
    connection: duckdb.DuckDBPyConnection, snapshot_dates: Sequence[date], on_candidate: Sequence[Mapping[str, Any]]
) -> QualityFacts:
    """Everything about the quality of the version that is being made; `on_candidate` are the verdicts on its own file."""
    days = days_told(connection, snapshot_dates)
    verdicts = verdicts_of(connection, days, on_candidate)
    return QualityFacts(
        days=tuple(days),
        verdicts=verdicts,
        beside=last_verdicts(rows(connection, LAST_BESIDE, {"step": BESIDE})),
        calendar=rows(connection, CALENDAR, {"judged": [verdict["snapshot_date"] for verdict in verdicts]}),
        scores=stored_scores(connection) | scores_by_day_and_step(on_candidate),
        history=sorted(rows(connection, HISTORY), key=lambda row: (not row["is_broken"], *in_order(row))),
        accepted=accepted_events(connection, on_candidate),
    )


def days_told(connection: duckdb.DuckDBPyConnection, snapshot_dates: Sequence[date]) -> list[date]:
    """The days that a version answers for: those that its run added, and the last one, which its headline is about."""
    last = last_day(connection)
    return sorted({*snapshot_dates, *([last] if last else [])})


def last_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    return rows(connection, LAST_DAY)[0]["snapshot_date"]


def verdicts_of(
    connection: duckdb.DuckDBPyConnection, days: Sequence[date], on_candidate: Sequence[Mapping[str, Any]]
) -> Rows:
    """The last verdict on each promise of the days up to the marts, and those on the candidate's own file.

    Verdicts on the files of earlier versions say nothing about this one.
    """
    own = [dict(verdict, step="published") for verdict in on_candidate]
    return last_verdicts([*rows(connection, VERDICTS, {"days": list(days), "without": ["published", BESIDE]}), *own])


def flagged_promises(verdicts: Rows) -> Rows:
    """What was broken and published all the same, each promise once, gravest first."""
    return one_a_promise(flagged(verdicts))


def one_a_promise(verdicts: Rows) -> Rows:
    """The last of the worst verdicts on each promise, with the `days` that came out alike, so that a version of many days
    is told in as many lines as one of a single day."""
    groups: dict[tuple, Rows] = {}
    for verdict in verdicts:
        groups.setdefault(promise_of(verdict), []).append(verdict)
    told = []
    for group in groups.values():
        worst = min(map(outcome, group))
        alike = sorted((v for v in group if outcome(v) == worst), key=lambda verdict: verdict["snapshot_date"])
        told.append(dict(alike[-1]) | {"days": [verdict["snapshot_date"] for verdict in alike]})
    return told


def outcome(verdict: Mapping[str, Any]) -> int:
    """0 broken, 1 accepted for an event, 2 kept."""
    return 0 if is_broken(verdict) else 1 if verdict["accepted_event"] else 2


def quality_of_tables(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> dict[str, str]:
    """For the dictionary: a sentence a table about its own promises on the last day, or about the marts' where it has none."""
    day = last_day(connection)
    verdicts = verdicts_of(connection, [day] if day else [], [])
    of_step = score_of(verdict for verdict in verdicts if verdict["step"] == "marts")
    sentences = {}
    for table in tables:
        own = score_of(verdict for verdict in verdicts if verdict["table_name"] == table)
        if own.promises:
            sentences[table] = (
                f"Quality on {day}: {score_in_words(own.score)} of 100, by {own.promises} of its own promises."
            )
        elif of_step.promises:
            sentences[table] = (
                f"Quality on {day}: no promise of its own; step score {score_in_words(of_step.score)} of 100."
            )
        else:
            sentences[table] = "Quality: no promise of its own, and no day was judged yet."
    return sentences


def stored_scores(connection: duckdb.DuckDBPyConnection) -> dict[tuple[date, str], Score]:
    """The scores of all days as the mart has them."""
    return {
        (row.pop("snapshot_date"), row.pop("step")): Score(**row)
        for row in rows(connection, SCORES.format(columns=", ".join(Score.__dataclass_fields__)))
    }


def accepted_events(connection: duckdb.DuckDBPyConnection, on_candidate: Sequence[Mapping[str, Any]]) -> Rows:
    """Broken promises that a known event accepts, each with the days on which it did."""
    events: dict[tuple, list[date]] = {}
    stored = rows(connection, ACCEPTED)
    for verdict in last_verdicts([*stored, *(v for v in on_candidate if v["accepted_event"])]):
        events.setdefault((*promise_of(verdict), verdict["accepted_because"]), []).append(verdict["snapshot_date"])
    names = ("step", "table_name", "check_name", "accepted_because")
    told = [
        dict(zip(names, event, strict=True)) | {"first_date": min(days), "last_date": max(days), "days": len(days)}
        for event, days in events.items()
    ]
    return sorted(told, key=lambda event: (event["last_date"], event["check_name"]), reverse=True)


def broken_first(verdicts: Rows) -> Rows:
    """Broken promises by weight, then those that an event accepts, then those kept."""
    return sorted(
        verdicts,
        key=lambda verdict: (
            outcome(verdict),
            -WEIGHTS[verdict["severity"]] if is_broken(verdict) else 0,
            *in_order(verdict),
        ),
    )


def offenders_of(verdict: Mapping[str, Any]) -> list[dict[str, str]]:
    """A few of the rows that broke a promise, as a page may show them: strangers named what stands in them."""
    stored = verdict["offenders"]
    listed = json.loads(stored) if isinstance(stored, str) else list(stored or ())
    return [
        {
            display_name(str(name)): display_name(f"{value:.6g}" if isinstance(value, float) else str(value))
            for name, value in row.items()
        }
        for row in listed[:OFFENDERS_SHOWN]
    ]


def score_in_words(score: float | None) -> str:
    """To the tenth that it is rounded down to; 100 as such, as nothing else is."""
    if score is None:
        return "–"
    return "100" if score == 100 else f"{score:.1f}"


def hours_in_words(hours: float | None) -> str:
    """To a tenth; days from two on, as nobody counts hours beyond."""
    if hours is None:
        return "–"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def moment(at: datetime | None) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


LAST_DAY = """
    select max(snapshot_date) as snapshot_date
    from marts.dim_snapshots
    where status = 'complete'
"""

VERDICTS = """
    select *
    from marts.fct_quality_results
    where list_contains($days, snapshot_date)
        and not list_contains($without, step)
"""

LAST_BESIDE = """
    select *
    from marts.fct_quality_results
    where step = $step
        and snapshot_date = (
            select max(snapshot_date)
            from marts.fct_quality_results
            where step = $step
        )
"""

# A day that no capture stands for can have been judged: it was landed, and set aside.
CALENDAR = """
    with

    judged as (
        select snapshot_date from marts.mart_daily_quality_score
        union
        select unnest($judged) as snapshot_date
    )

    select
        coalesce(days.snapshot_date, judged.snapshot_date) as snapshot_date,
        coalesce(days.status, 'missing') as status
    from marts.dim_snapshots as days
    full join judged
        on days.snapshot_date = judged.snapshot_date
    order by snapshot_date desc
"""

SCORES = """
    select snapshot_date, step, {columns}
    from marts.mart_daily_quality_score
"""

HISTORY = """
    select *
    from marts.mart_promise_history
    where episodes > 0
"""

# Only of what was ever accepted are the verdicts put in order: they are few, the others a year of days.
ACCEPTED = """
    with

    ever_accepted as (
        select distinct snapshot_date, step, table_name, check_name
        from marts.fct_quality_results
        where accepted_event
    ),

    numbered as (
        select
            *,
            row_number() over (
                partition by snapshot_date, step, table_name, check_name
                order by evaluated_at desc, evaluation_id desc
            ) as place
        from marts.fct_quality_results
        inner join ever_accepted
            using (snapshot_date, step, table_name, check_name)
    )

    select * exclude (place)
    from numbered
    where place = 1
        and accepted_event
"""
