"""The oracle's tables against a warehouse's: every key and value, exactly, with a count of what was compared.
It knows no rules and builds nothing; which warehouse it is and what must be equal is the tests' business."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from tests.dbt.built_warehouse import Warehouse
from tests.golden.compare import is_same
from tests.oracle.tables import Table

SHOWN = 20
# Where the warehouse keeps a table wholly that it publishes in part.
WHOLE_RELATIONS = {
    "fct_daily_model_downloads": (
        "(select * from intermediate.int_model_downloads_daily join intermediate.int_repositories_keyed using (repo_key))"
    ),
}


@dataclass(frozen=True)
class Compared:
    """What a comparison found. `rows` are the oracle's, `values` all of theirs that were held against the warehouse's."""

    table: str
    rows: int
    published_rows: int
    values: int
    differences: int
    shown: tuple[str, ...]

    def summary(self) -> str:
        return (
            f"{self.table}: {self.rows:,} rows expected, {self.published_rows:,} published, "
            f"{self.values:,} values compared, {self.differences:,} differences"
        )

    def __str__(self) -> str:
        return "\n".join([self.summary(), *self.shown])


def published_rows(warehouse: Warehouse, table: Table, relation: str | None = None) -> dict[tuple, tuple]:
    """The warehouse's rows of the same columns, by key, of the mart of that name or another relation.

    Raises AssertionError if a key comes twice.
    """
    relation = relation or f"marts.{table.name}"
    rows = warehouse.rows(f"select {', '.join((*table.key, *table.columns))} from {relation}")
    width = len(table.key)
    by_key = {row[:width]: row[width:] for row in rows}
    assert len(by_key) == len(rows), f"{relation} has {len(rows)} rows for {len(by_key)} keys {table.key}"
    return by_key


def compare(table: Table, published: dict[tuple, tuple]) -> Compared:
    """Rows that only one side has, and values that aren't the same."""
    found, lines = 0, []
    for key in sorted(table.rows.keys() ^ published.keys(), key=str):
        found += 1
        side = "expected, but not published" if key in table.rows else "published, but not expected"
        lines += [f"{key}: {side}: {table.rows.get(key) or published.get(key)}"] if len(lines) < SHOWN else []
    for key, expected in table.rows.items():
        row = published.get(key)
        if row is None or row == expected:
            continue
        for column, value, seen in zip(table.columns, expected, row, strict=True):
            if not _is_same(value, seen):
                found += 1
                line = f"{key} {column}: expected {_told(value)}, published {seen}"
                lines += [line] if len(lines) < SHOWN else []
    values = len(table.rows.keys() & published.keys()) * len(table.columns)
    return Compared(table.name, len(table.rows), len(published), values, found, tuple(lines))


def _is_same(expected: object, published: object) -> bool:
    """As `is_same`; the double that a fraction rounds to needs no exact arithmetic."""
    if isinstance(expected, Fraction) and published == round(float(expected), 12):
        return True
    return is_same(expected, published)


def _told(value: object) -> str:
    return f"{value} ({float(value):.12f})" if isinstance(value, Fraction) else str(value)


def summary(compared: Iterable[Compared]) -> list[str]:
    """A line a table, and one of all."""
    compared = list(compared)
    total = (
        f"{len(compared)} tables, {sum(one.rows for one in compared):,} rows, "
        f"{sum(one.differences for one in compared):,} differences"
    )
    return [one.summary() for one in compared] + [total]
