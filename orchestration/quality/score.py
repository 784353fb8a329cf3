"""The quality score of verdicts, as plain dicts: what it is in words, which verdicts count, and what they come to.
The same formula over all days is dbt's `mart_daily_quality_score`; where a score is shown belongs in `publishing`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from orchestration.quality.promises import STEPS, WEIGHTS

SCORE_MEANS = (
    "100 × weights of the promises kept ÷ weights of the promises judged, rounded down to one decimal, so that nothing "
    f"broken rounds to 100. A promise that blocks weighs {WEIGHTS['blocks']}, one to be investigated "
    f"{WEIGHTS['investigate']}, one that is watched {WEIGHTS['watch']}: one that blocks outweighs two that are to be "
    "investigated. A check that crashed counts as broken, a broken promise that a known event accepts as kept; what was "
    "judged more than once counts as it came out last."
)

Verdict = Mapping[str, Any]


@dataclass(frozen=True)
class Score:
    """What some promises come to; `score` is None where none was judged."""

    score: float | None
    promises: int
    kept: int
    accepted: int
    broken_blocks: int
    broken_investigate: int
    broken_watch: int
    crashed: int
    kept_weight: int
    judged_weight: int

    @property
    def broken(self) -> int:
        return self.promises - self.kept

    @property
    def worst_broken(self) -> str | None:
        """The gravest severity among what is broken."""
        return next((severity for severity in WEIGHTS if getattr(self, f"broken_{severity}")), None)

    def as_plain(self) -> dict[str, Any]:
        return asdict(self)


def is_broken(verdict: Verdict) -> bool:
    """Broken or crashed; what a known event accepts has passed."""
    return verdict["crashed"] or not verdict["passed"]


def last_verdicts(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The last verdict on each promise of each day, by day, step in the order of a run, table and name."""
    last: dict[tuple, Verdict] = {}
    for verdict in sorted(verdicts, key=lambda each: (_utc(each["evaluated_at"]), each["evaluation_id"])):
        last[verdict["snapshot_date"], *promise_of(verdict)] = verdict
    return sorted(last.values(), key=lambda each: (each["snapshot_date"], *in_order(each)))


def score_of(verdicts: Iterable[Verdict]) -> Score:
    """The score of what was judged, each promise of each day as it came out last."""
    last = last_verdicts(verdicts)
    broken = [verdict for verdict in last if is_broken(verdict)]
    judged_weight = sum(WEIGHTS[verdict["severity"]] for verdict in last)
    kept_weight = judged_weight - sum(WEIGHTS[verdict["severity"]] for verdict in broken)
    by_severity = {
        f"broken_{severity}": sum(verdict["severity"] == severity for verdict in broken) for severity in WEIGHTS
    }
    return Score(
        score=1000 * kept_weight // judged_weight / 10 if last else None,
        promises=len(last),
        kept=len(last) - len(broken),
        accepted=sum(bool(verdict["accepted_event"]) for verdict in last),
        **by_severity,
        crashed=sum(bool(verdict["crashed"]) for verdict in last),
        kept_weight=kept_weight,
        judged_weight=judged_weight,
    )


def scores_by_day_and_step(verdicts: Iterable[Verdict]) -> dict[tuple[date, str], Score]:
    """A score for each day and step, in that order."""
    groups: dict[tuple[date, str], list[Verdict]] = {}
    for verdict in last_verdicts(verdicts):
        groups.setdefault((verdict["snapshot_date"], verdict["step"]), []).append(verdict)
    return {key: score_of(group) for key, group in groups.items()}


def flagged(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """What was broken and published all the same, gravest first: blocking promises keep a day from being published."""
    broken = [verdict for verdict in last_verdicts(verdicts) if is_broken(verdict) and not verdict["blocking"]]
    return sorted(broken, key=lambda verdict: -WEIGHTS[verdict["severity"]])


def promise_of(verdict: Verdict) -> tuple[str, str, str]:
    """Which promise a verdict is on."""
    return verdict["step"], verdict["table_name"], verdict["check_name"]


def in_order(verdict: Verdict) -> tuple[int, str, str]:
    """Promises in the order of a run's steps."""
    step, table_name, check_name = promise_of(verdict)
    return STEPS.index(step), table_name, check_name


def _utc(at: datetime) -> datetime:
    """The warehouse's timestamps carry no zone, the history's do; both are UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
