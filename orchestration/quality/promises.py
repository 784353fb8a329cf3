"""The vocabulary of promises about the data: what one is made of, and the few shapes that all of them take.
The promises themselves are in suites/, and how they are judged is in gate.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

# blocks: the day goes no further. investigate: it is published, marked, and somebody is told. watch: it is published and
# marked; worth reading on a quiet day, nobody is woken.
Severity = Literal["blocks", "investigate", "watch"]
# What a promise counts in the score; the vars `promise_weight_*` of dbt_project.yml say the same, with the reason.
WEIGHTS: dict[Severity, int] = {"blocks": 5, "investigate": 2, "watch": 1}
Owner = Literal["team:data", "team:attribution"]
Step = Literal["raw", "authors", "staging", "intermediate", "marts", "published", "listings"]
# in the order of a run; 'listings' are the landed days beside the models', on which nothing rests: it stands last
STEPS: tuple[Step, ...] = ("raw", "authors", "staging", "intermediate", "marts", "published", "listings")

SUBJECTS_DIR = Path(__file__).parent / "subjects"

# the day on which the first promises were made; one that is added or changed later states its own
FOUNDED = date(2026, 11, 24)
# the day on which promises began to learn from history
FOUNDED_HISTORY = date(2026, 11, 29)


@dataclass(frozen=True)
class Between:
    """The observed number lies in [minimum, maximum]; None leaves that side open."""

    minimum: float | None = None
    maximum: float | None = None

    def threshold(self) -> str:
        if self.minimum is None and self.maximum is None:
            return "anything: too little history to say"
        if self.minimum == self.maximum:
            return f"{self.minimum:g}"
        if self.minimum is None:
            return f"at most {self.maximum:g}"
        if self.maximum is None:
            return f"at least {self.minimum:g}"
        return f"between {self.minimum:g} and {self.maximum:g}"


@dataclass(frozen=True)
class EqualTo:
    """The observed number equals another one of the same day, to the unit. `sql` is a scalar, `label` names it."""

    sql: str
    label: str


@dataclass(frozen=True)
class OneOf:
    """The observed value is one of a closed list."""

    values: tuple[str, ...]

    def threshold(self) -> str:
        return "one of " + ", ".join(self.values)


@dataclass(frozen=True)
class Learned:
    """The observed number lies within bounds that the days before set. Each part is a SQL scalar: the bounds (null leaves
    that side open; without either there is not enough history yet, and nothing is expected), and in words what they come
    from."""

    minimum: str
    maximum: str
    basis: str


Expectation = Between | EqualTo | OneOf | Learned


@dataclass(frozen=True)
class Promise:
    """One thing that holds for the data of every day.

    `measure` is a SQL aggregate over the suite's `subject` (scalar subqueries over the suite's other CTEs are welcome);
    `failed` counts the rows that break the promise and `offenders` selects them, where rows can be blamed;
    `null_means` says why a missing measure is fine: without it, a missing measure breaks the promise.
    `owner` is who is told; None leaves it to the suite. `alone`: measured by a query of its own, since it holds something
    of every row in memory.
    """

    check_name: str
    measure: str
    expectation: Expectation
    because: str
    since: date = FOUNDED
    severity: Severity = "blocks"
    owner: Owner | None = None
    failed: str | None = None
    offenders: str | None = None
    evaluated: str = "count(*)"
    null_means: str | None = None
    alone: bool = False

    @property
    def blocking(self) -> bool:
        return self.severity == "blocks"


@dataclass(frozen=True)
class Suite:
    """The promises about one table after one step.

    `subjects/<name>.sql` holds the CTEs that select one day of the table: one is `subject`, the others serve comparisons.
    `may_be_empty` says why no rows are fine: without it, a day without rows breaks every promise.
    """

    name: str
    step: Step
    table: str
    promises: tuple[Promise, ...]
    may_be_empty: str | None = None
    owner: Owner = "team:data"

    def owner_of(self, promise: Promise) -> Owner:
        """Who looks into it when the promise is broken."""
        return promise.owner or self.owner

    @cached_property
    def subject(self) -> str:
        return (SUBJECTS_DIR / f"{self.name}.sql").read_text(encoding="utf-8").strip()


def never(
    check_name: str,
    where: str,
    *,
    because: str,
    among: str = "subject",
    evaluated: str | None = None,
    show: str = "*",
    **more,
) -> Promise:
    """No row of `among` (the subject, or another CTE of its file) satisfies `where`; offenders show columns `show`.

    `evaluated` counts the rows that were looked at, if that is cheaper than to count those of `among`.
    """
    count = f"count(*) filter (where {where})"
    if among != "subject":
        count = f"(select {count} from {among})"
    return Promise(
        check_name=check_name,
        measure=count,
        failed=count,
        evaluated=evaluated or ("count(*)" if among == "subject" else f"(select count(*) from {among})"),
        offenders=f"select {show} from {among} where {where}",
        expectation=Between(0, 0),
        because=because,
        **more,
    )


def rarely(
    check_name: str, where: str, *, at_most: float, because: str, of: str = "true", show: str = "*", **more
) -> Promise:
    """The share of the subject's rows (those that satisfy `of`) that satisfy `where` stays within `at_most` (0–1)."""
    return Promise(
        check_name=check_name,
        measure=f"avg(case when {where} then 1.0 else 0.0 end) filter (where {of})",
        failed=f"count(*) filter (where ({of}) and ({where}))",
        evaluated=f"count(*) filter (where {of})",
        offenders=f"select {show} from subject where ({of}) and ({where})",
        expectation=Between(0, at_most),
        because=because,
        **more,
    )


def unique(check_name: str, key: str, *, because: str, by_hash: bool = False, **more) -> Promise:
    """`key` (comma-separated columns of the subject) occurs once, and none of its columns is null.

    `by_hash` counts 64-bit hashes in its stead, in half the memory: no repeated key escapes, and among three million keys
    two share a hash, which would be called a repeated key, once in four million days.
    """
    columns = [column.strip() for column in key.split(",")]
    whole = " and ".join(f"{column} is not null" for column in columns)
    counted = f"hash({key})" if by_hash else f"({key})"
    surplus = f"count(*) - count(distinct {counted}) filter (where {whole})"
    return Promise(
        check_name=check_name,
        measure=surplus,
        failed=surplus,
        offenders=f"select {key}, count(*) as copies from subject group by {key} having count(*) > 1 or not ({whole})",
        expectation=Between(0, 0),
        because=because,
        **more,
    )


def equal(check_name: str, measure: str, to: str, *, label: str, because: str, **more) -> Promise:
    """`measure` equals the scalar `to`, to the unit; `label` names the other side in words."""
    return Promise(check_name=check_name, measure=measure, expectation=EqualTo(to, label), because=because, **more)


def within(
    check_name: str, measure: str, minimum: float | None, maximum: float | None, *, because: str, **more
) -> Promise:
    """`measure` lies within [minimum, maximum]."""
    return Promise(
        check_name=check_name, measure=measure, expectation=Between(minimum, maximum), because=because, **more
    )


def learned(check_name: str, measure: str, *, minimum: str, maximum: str, basis: str, because: str, **more) -> Promise:
    """`measure` lies within bounds that history sets; `basis` says in words, as SQL, what they were taken from."""
    return Promise(
        check_name=check_name,
        measure=measure,
        expectation=Learned(minimum, maximum, basis),
        because=because,
        **more,
    )


def one_of(check_name: str, measure: str, values: tuple[str, ...], *, because: str, **more) -> Promise:
    """`measure` is one of `values`."""
    return Promise(check_name=check_name, measure=measure, expectation=OneOf(values), because=because, **more)
