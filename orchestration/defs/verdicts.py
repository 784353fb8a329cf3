"""A gate's verdict as Dagster's UI shows it: what was found and expected, why, whose it is, who offended, what to do.
What is judged, and what a broken promise does to the run, stands elsewhere (`quality`, `gates.py`)."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from orchestration.defs.links import runbook, runbook_link
from orchestration.foreign_text import harmless, markdown_cell, one_line
from orchestration.quality.results import LONGEST_LIST, CheckResult, GateResult
from orchestration.settings import Settings

LONGEST_VALUE = 160


def verdict_description(part: GateResult) -> str:
    """One sentence. The UI reads it as Markdown, and a crash or an observed value may quote anything."""
    return harmless(part.summary())


def verdict_metadata(part: GateResult, settings: Settings) -> dict[str, Any]:
    """Counts (the UI draws them), the first broken promise field by field, and all of them to unfold.

    The UI sorts the names; they are chosen so that what belongs together stands together.
    """
    counts = part.metadata()
    metadata = {
        "days": _days_in_words(counts["days"]),
        "overview": dg.MetadataValue.md(counts["overview"]),
        "promises": counts["evaluated"],
        "promises_broken": counts["failed"] + counts["warned"],
    }
    metadata |= {f"promises_{name}": counts[name] for name in ("crashed", "accepted") if counts[name]}
    if counts["failed_dates"]:
        metadata["days_stopped"] = _days_in_words(counts["failed_dates"])
    if not part.failures:
        return metadata | {"runbook": runbook_link(settings, f"gate-{part.step}")}
    metadata["broken_promises"] = dg.MetadataValue.md(_all_broken(part.failures, settings))
    return metadata | _first_broken(part.failures[0], settings)


def _first_broken(first: CheckResult, settings: Settings) -> dict[str, Any]:
    fields = {
        "first_day": first.snapshot_date.isoformat(),
        "first_expected": f"{first.threshold} ({first.basis})" if first.basis else first.threshold,
        "first_found": f"the check crashed: {first.observed}" if first.crashed else first.observed,
        "first_owner": first.owner,
        "first_promise": in_words(first),
        "first_reason": first.reason,
        "first_severity": first.severity,
    }
    metadata: dict[str, Any] = {name: one_line(text, 1_000) for name, text in fields.items()}
    if first.offenders:
        metadata["first_offenders"] = _offenders(first.offenders)
    return metadata | {"first_what_to_do": runbook_link(settings, first.check_name)}


def _offenders(offenders: Sequence[dict[str, Any]]) -> dg.MetadataValue:
    """The rows as a table, whose cells the UI shows as they are."""
    names = list(dict.fromkeys(name for row in offenders for name in row))
    records = [
        dg.TableRecord({one_line(name, LONGEST_VALUE): _cell(row.get(name)) for name in names}) for row in offenders
    ]
    columns = [dg.TableColumn(one_line(name, LONGEST_VALUE)) for name in names]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def _cell(value: Any) -> str:
    return "" if value is None else one_line(str(value), LONGEST_VALUE)


def _all_broken(failures: Sequence[CheckResult], settings: Settings) -> str:
    parts = [_in_markdown(result, settings) for result in failures[:LONGEST_LIST]]
    if len(failures) > LONGEST_LIST:
        parts.append(f"and {len(failures) - LONGEST_LIST} more, all of them in the quality history")
    return "\n\n---\n\n".join(parts)


def _in_markdown(result: CheckResult, settings: Settings) -> str:
    link = runbook(settings, result.check_name)
    to_do = f"[what to do]({link})" if settings.runbook_url else f"what to do: `{link}`"
    found = f"the check crashed, which says nothing about the data: {result.observed}" if result.crashed else None
    lines = [
        f"**{result.snapshot_date}: {in_words(result)}** ({result.severity}, {result.owner})",
        f"Found {harmless(found or result.observed)}; expected {harmless(result.threshold)}"
        + (f" ({harmless(result.basis)})" if result.basis else "")
        + f". Why it matters: {harmless(result.reason)}. {to_do}",
    ]
    if result.offenders:
        names = list(dict.fromkeys(name for row in result.offenders for name in row))
        rows = [[markdown_cell(row.get(name), LONGEST_VALUE) for name in names] for row in result.offenders]
        head = [[markdown_cell(name) for name in names], ["---"] * len(names)]
        lines.append("\n".join("| " + " | ".join(row) + " |" for row in [*head, *rows]))
    return "\n\n".join(lines)


def in_words(result: CheckResult) -> str:
    return f"{result.table_name}: {result.check_name.replace('_', ' ')}"


def _days_in_words(days: Sequence[str]) -> str:
    return ", ".join(days) if len(days) <= 3 else f"{len(days)} days from {days[0]} to {days[-1]}"
