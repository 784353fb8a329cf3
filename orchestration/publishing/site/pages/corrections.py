"""What each version said otherwise of days that an earlier one had told, by how much and why, newest first.
Which values moved is worked out by dbt in `mart_restatements`; here it is shown."""

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.publishing.site.answers import Answer, Rows, ask
from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.words import percent, points

if TYPE_CHECKING:
    import jinja2

CORRECTIONS_PAGE = "corrections.html"
CORRECTIONS_CSV = "corrections"
# A reader takes in the largest moves; each version's others are in the CSV, and so are versions before these (2026-11-29).
MOVES_LISTED, VERSIONS_LISTED = 40, 30
ALL, ORGANIZATIONS = "(all)", "dim_organizations"
SHARES = "mart_daily_country_share"


@dataclass(frozen=True)
class Correction:
    """What one version restates: its days with how much moved on each, the largest moves, and what history lacks."""

    version_id: str
    days: Rows  # snapshot_date, values_compared, values_moved, largest_move, cause
    moves: Rows  # as the mart has them, with `was`, `is` and `by` in words
    more: int
    not_in_history: list[str]


def read_corrections(connection: duckdb.DuckDBPyConnection) -> Answer:
    """All rows of the mart, versions in the order of their ids, newest first."""
    return ask(connection, CORRECTIONS)


def render_corrections(environment: "jinja2.Environment", frame: Frame, answer: Answer) -> str:
    """The page as text."""
    versions = [correction(version_id, list(found)) for version_id, found in groupby(answer.rows, key=version_of)]
    return environment.get_template("corrections.html.j2").render(
        root="",
        ground=frame.ground,
        answer=answer,
        versions=versions[:VERSIONS_LISTED],
        more_versions=max(len(versions) - VERSIONS_LISTED, 0),
        csv=CORRECTIONS_CSV,
    )


def version_of(row: dict[str, Any]) -> str:
    return row["published_version"]


def correction(version_id: str, found: Rows) -> Correction:
    moved = sorted(
        (row for row in found if row["table_name"] not in (ALL, ORGANIZATIONS)),
        key=lambda row: (-size(row), row["table_name"], row["row_key"]),
    )
    return Correction(
        version_id=version_id,
        days=[row for row in found if row["table_name"] == ALL],
        moves=[in_words(row) for row in moved[:MOVES_LISTED]],
        more=max(len(moved) - MOVES_LISTED, 0),
        not_in_history=[row["cause"] for row in found if row["table_name"] == ORGANIZATIONS],
    )


def size(row: dict[str, Any]) -> float:
    """By how much a value moved. A share that appeared or went moved by all of it; a claim's value is of another unit, and
    comes after the shares."""
    moved = abs((row["new_value"] or 0) - (row["old_value"] or 0))
    return moved if row["table_name"] == SHARES else moved * 1e-12


def in_words(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its values as they are read: shares as per cent and points, a claim's as numbers."""
    old, new = row["old_value"], row["new_value"]
    is_share = row["table_name"] == SHARES
    write = (lambda value: percent(value, 2)) if is_share else (lambda value: "–" if value is None else f"{value:,.6g}")
    if old is None or new is None:
        by = "appeared" if old is None else "went"
    else:
        by = f"{points(new - old)} points" if is_share else f"{new - old:+,.4g}".replace("-", "−")
    return row | {"was": write(old), "is": write(new), "by": by, "of": row["row_key"].replace("=", " ")}


CORRECTIONS = """
    select *
    from marts.mart_restatements
    order by published_version desc, table_name, snapshot_date desc, row_key
"""
