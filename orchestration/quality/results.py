"""Verdicts: what a gate says about each promise and each day, in forms that a person, Dagster and the history can read.
Nothing is judged or written here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from orchestration.foreign_text import markdown_cell
from orchestration.quality.promises import Severity

# an operator reads a handful of failures; the history holds all of them
LONGEST_LIST = 25
LONGEST_CELL = 160


@dataclass(frozen=True)
class CheckResult:
    """The verdict on one promise for one day.

    `passed` is False for broken promises and for crashed checks alike; `crashed` tells them apart, and `observed` then
    holds the error. `accepted_event` means that the promise was broken, and that a person has written into the seed
    `known_events` why that is right: the result is passed=True, and `accepted_because` names the row. `basis` says where
    the bound in `threshold` comes from.
    `evaluated_rows` and `failed_rows` are None where a promise isn't about rows.
    """

    evaluation_id: str
    run_id: str
    evaluated_at: datetime
    snapshot_date: date
    step: str
    table_name: str
    check_name: str
    severity: Severity
    blocking: bool
    passed: bool
    crashed: bool
    accepted_event: bool
    accepted_because: str | None
    owner: str
    observed: str
    threshold: str
    basis: str
    reason: str
    evaluated_rows: int | None
    failed_rows: int | None
    offenders: tuple[dict[str, Any], ...] = field(default=(), hash=False)

    @property
    def blocks(self) -> bool:
        """Whether this result alone keeps its day from going on."""
        return self.blocking and not self.passed

    @property
    def sentence(self) -> str:
        """Found, expected, why: one line."""
        what = f"{self.table_name}: {self.check_name.replace('_', ' ')}"
        if self.crashed:
            return f"{what}: the check crashed, which says nothing about the data: {self.observed}"
        return f"{what}: found {self.observed}, expected {self.threshold} ({self.reason})"


SCALARS = tuple(column.name for column in fields(CheckResult) if column.name != "offenders")


def evaluation_id(run_id: str, step: str, snapshot_date: date, table_name: str, check_name: str) -> str:
    """The same for the same check of the same day in the same run, so that judging again replaces and never doubles."""
    parts = "\n".join([run_id, step, snapshot_date.isoformat(), table_name, check_name])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class GateResult:
    """The verdicts of one gate on the days it was asked about."""

    step: str
    snapshot_dates: tuple[date, ...]
    results: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every day may go on. Warnings never stop one."""
        return not self.failed_dates

    @property
    def failed_dates(self) -> list[date]:
        return sorted({result.snapshot_date for result in self.results if result.blocks})

    @property
    def failures(self) -> list[CheckResult]:
        """Results that didn't pass: those that block first, then by day, table and check."""
        broken = [result for result in self.results if not result.passed]
        return sorted(broken, key=lambda r: (not r.blocks, r.snapshot_date, r.table_name, r.check_name))

    def for_table(self, table_name: str) -> GateResult:
        """The part of the verdict that concerns one table."""
        part = tuple(result for result in self.results if result.table_name == table_name)
        return GateResult(self.step, self.snapshot_dates, part)

    def reason(self, day: date) -> str:
        """Why the day may not go on, in a line; empty if it may."""
        blocking = [result for result in self.failures if result.blocks and result.snapshot_date == day]
        return "; ".join(result.sentence for result in blocking)

    def summary(self) -> str:
        """One sentence about the whole verdict."""
        accepted = [result for result in self.results if result.accepted_event]
        told = f" {len(accepted)} accepted as a known event: {accepted[0].accepted_because}." if accepted else ""
        if not self.failures:
            return f"All {len(self.results)} checks passed, days judged: {len(self.snapshot_dates)}.{told}"
        counts = self._counts()
        return (
            f"{counts['failed']} of {counts['evaluated']} checks failed, {counts['warned']} warned, "
            f"{counts['crashed']} of these crashed. First, {self.failures[0].snapshot_date}: {self.failures[0].sentence}{told}"
        )

    def metadata(self) -> dict[str, Any]:
        """A plain, JSON-able dict for an operator: counts, each failure with its numbers, and both as Markdown tables.

        Values that start with '|' are Markdown tables: `overview` always, `failed_checks` when something failed.
        """
        metadata: dict[str, Any] = {
            "step": self.step,
            "passed": self.passed,
            "days": [day.isoformat() for day in self.snapshot_dates],
            "failed_dates": [day.isoformat() for day in self.failed_dates],
            **self._counts(),
            "overview": self._overview(),
        }
        if self.failures:
            metadata["failures"] = [_as_plain(result) for result in self.failures[:LONGEST_LIST]]
            metadata["failures_not_listed"] = max(0, len(self.failures) - LONGEST_LIST)
            metadata["failed_checks"] = self._failed_checks()
        return metadata

    def _counts(self) -> dict[str, int]:
        return {
            "evaluated": len(self.results),
            "failed": sum(result.blocks for result in self.results),
            "warned": sum(not result.passed and not result.blocks for result in self.results),
            "crashed": sum(result.crashed for result in self.results),
            "accepted": sum(result.accepted_event for result in self.results),
        }

    def _overview(self) -> str:
        lines = []
        for day, table in sorted({(result.snapshot_date, result.table_name) for result in self.results}):
            part = [r for r in self.results if (r.snapshot_date, r.table_name) == (day, table)]
            rows = max((r.evaluated_rows for r in part if r.evaluated_rows is not None), default=0)
            failed = sum(r.blocks for r in part)
            warned = sum(not r.passed and not r.blocks for r in part)
            lines.append([day, table, rows, len(part), failed, warned])
        return _markdown(["day", "table", "rows", "checks", "failed", "warned"], lines)

    def _failed_checks(self) -> str:
        lines = [
            [
                result.snapshot_date,
                f"{result.table_name}: {result.check_name}",
                "crash" if result.crashed else result.severity,
                result.observed,
                result.threshold,
                result.reason,
                "; ".join(", ".join(f"{k}={v}" for k, v in row.items()) for row in result.offenders),
            ]
            for result in self.failures[:LONGEST_LIST]
        ]
        return _markdown(["day", "check", "severity", "observed", "threshold", "reason", "offenders"], lines)


def _as_plain(result: CheckResult) -> dict[str, Any]:
    return {
        "day": result.snapshot_date.isoformat(),
        "table": result.table_name,
        "check": result.check_name,
        "severity": result.severity,
        "crashed": result.crashed,
        "observed": result.observed,
        "threshold": result.threshold,
        "reason": result.reason,
        "evaluated_rows": result.evaluated_rows,
        "failed_rows": result.failed_rows,
        "offenders": [dict(row) for row in result.offenders],
    }


def _markdown(head: list[str], lines: list[list[Any]]) -> str:
    rows = [head, ["---"] * len(head), *[[_cell(value) for value in line] for line in lines]]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(value: Any) -> str:
    """Names in the data come from strangers: nothing in a cell may act as Markdown or HTML, or break the table."""
    return markdown_cell(value, LONGEST_CELL)
