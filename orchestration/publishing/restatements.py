"""What a version restates, as its manifest and its run tell it, and which organisations its history was loaded with.
Which values moved and why is worked out by dbt in `mart_restatements`; here that is only kept and summed up."""

import shutil
from typing import Any

import duckdb

from orchestration.publishing.candidate import SCHEMA, Candidate
from orchestration.publishing.current import Version

ORGANIZATIONS = "dim_organizations"
# Not among the tables: it is no table of this version, but what the next one is compared with.
OF_HISTORY = f"history/{ORGANIZATIONS}.parquet"
# A reader wants the headline of it; every value is a row of the table (2026-11-24).
LARGEST_MOVES_TOLD, CAUSES_TOLD = 5, 10


def keep_organizations_of_history(candidate: Candidate, before: Version | None) -> None:
    """Put into the candidate the organisations that all of its days were last loaded with together.

    Those are its own where its run loaded all days, or nothing is published yet; else those that the version before
    has kept, since a day keeps what it was loaded with.
    """
    own = candidate.parquet(ORGANIZATIONS)
    kept = [before.path / OF_HISTORY, before.path / "parquet" / own.name] if before else []
    kept = [] if _loaded_all_days(candidate) else [path for path in kept if path.is_file()]
    target = candidate.path / OF_HISTORY
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile((kept or [own])[0], target)


def summary_of(candidate: Candidate, before: Version | None) -> dict[str, Any]:
    """What the candidate restates of the version before it: how much, the largest moves, the causes by values moved, and
    what the table of organisations says that history does not know yet (None if nothing)."""
    rows = _restatements(candidate)
    moved = [row for row in rows if row["table_name"] not in ("(all)", ORGANIZATIONS)]
    days = [row for row in rows if row["table_name"] == "(all)"]
    causes: dict[str, int] = {}
    for row in moved:
        causes[row["cause"]] = causes.get(row["cause"], 0) + 1
    both = [row for row in moved if row["old_value"] is not None and row["new_value"] is not None]
    largest = sorted(both, key=lambda row: (-abs(row["new_value"] - row["old_value"]), row["row_key"]))
    return {
        "compared_with": before.version_id if before else None,
        "days": [row["snapshot_date"].isoformat() for row in days],
        "values_compared": sum(row["values_compared"] for row in days),
        "values_moved": len(moved),
        "largest_move": max((row["largest_move"] for row in days if row["largest_move"] is not None), default=None),
        "largest_moves": [
            {name: row[name] for name in ("table_name", "row_key", "old_value", "new_value", "cause")}
            for row in largest[:LARGEST_MOVES_TOLD]
        ],
        "causes": dict(sorted(causes.items(), key=lambda item: (-item[1], item[0]))[:CAUSES_TOLD]),
        "organizations_not_in_history": next(
            (row["cause"] for row in rows if row["table_name"] == ORGANIZATIONS), None
        ),
    }


def restated(summary: dict[str, Any]) -> str | None:
    """One line on what moved and why; None if nothing did."""
    if not summary["values_moved"]:
        return None
    cause, *others = summary["causes"]
    more = f" (and {len(others)} more cause{'s' if len(others) > 1 else ''})" if others else ""
    by = "" if summary["largest_move"] is None else f", by {summary['largest_move']:.4g} at most"
    return (
        f"{summary['values_moved']:,} of {summary['values_compared']:,} values on {len(summary['days'])} day(s) differ "
        f"from version {summary['compared_with']}{by}; {cause}{more}"
    )


def not_in_history(summary: dict[str, Any]) -> str | None:
    """One line on organisations that earlier days were loaded without; None if there are none."""
    said = summary["organizations_not_in_history"]
    return said and f"{said}: days that were loaded before stay as they are until history is rebuilt (make rebuild)"


def _loaded_all_days(candidate: Candidate) -> bool:
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        complete = connection.execute(
            f"select snapshot_date from {SCHEMA}.dim_snapshots where status = 'complete'"
        ).fetchall()
    return {day for (day,) in complete} <= set(candidate.snapshot_dates)


def _restatements(candidate: Candidate) -> list[dict[str, Any]]:
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        cursor = connection.execute(
            f"select * from {SCHEMA}.mart_restatements where published_version = ? order by table_name, row_key",
            [candidate.version_id],
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
