"""What a version holds otherwise than the one that analysts saw before it: days, tables, columns, rows, day files.
Which values of days that both hold moved, and why, is `restatements`'."""

from collections.abc import Mapping
from typing import Any

from orchestration.publishing.candidate import Candidate
from orchestration.publishing.current import Version
from orchestration.publishing.day_files import days_of

Columns = Mapping[str, Mapping[str, str]]


def changes_since(
    before: Version | None, candidate: Candidate, columns: Columns, complete_days: list[str]
) -> dict[str, Any]:
    """For the manifest; `columns` are the types by table and column, `complete_days` ISO dates of the candidate.

    Without a version before everything is new. Columns are None where the version before told none of its own.
    """
    manifest = before.manifest if before else {}
    had_days = set(manifest.get("snapshot_dates", {}).get("complete", []))
    had_tables = manifest.get("tables", {})
    had_columns = manifest.get("columns", {} if before is None else None)
    rows = {
        table: {"before": had_tables.get(table, {}).get("rows"), "after": candidate.tables.get(table)}
        for table in sorted(had_tables.keys() | candidate.tables.keys())
    }
    had_files = days_of(before) if before else {}
    return {
        "compared_with": before.version_id if before else None,
        "days_added": sorted(set(complete_days) - had_days),
        "days_gone": sorted(had_days - set(complete_days)),
        "tables_added": sorted(candidate.tables.keys() - had_tables.keys()),
        "tables_gone": sorted(had_tables.keys() - candidate.tables.keys()),
        "columns": None if had_columns is None else _changed_columns(had_columns, columns),
        "rows": {table: both for table, both in rows.items() if both["before"] != both["after"]},
        "day_files": sorted(
            day
            for day in had_files.keys() | candidate.days.keys()
            if _hash(had_files, day) != _hash(candidate.days, day)
        ),
    }


def _changed_columns(before: Columns, after: Columns) -> dict[str, list[str]]:
    """`table.column` of those that are new, gone, or of another type; those of new and gone tables among them."""
    had, has = (
        {f"{t}.{c}": kind for t, kinds in each.items() for c, kind in kinds.items()} for each in (before, after)
    )
    return {
        "added": sorted(has.keys() - had.keys()),
        "gone": sorted(had.keys() - has.keys()),
        "retyped": sorted(name for name in has.keys() & had.keys() if has[name] != had[name]),
    }


def _hash(days: Mapping[str, Any], day: str) -> str | None:
    return days[day].sha256 if day in days else None
