"""Every public table is the same from both engines, but for the run's own history, which only one engine writes: whole
numbers, texts and dates exactly, doubles at twelve decimals, in the awkward order of tests/spark/conftest.py."""

import duckdb
import pytest

from orchestration.publishing.layout import text_literal
from orchestration.quality.suites import PUBLISHED_TABLES
from tests.spark.engines import BothEngines

pytestmark = pytest.mark.spark

OF_THE_RUN = {
    "fct_quality_results",
    "mart_daily_quality_score",
    "mart_promise_history",
    "fct_alerts",
    "mart_restatements",
}
# Seeds that are published as they are have nothing of an engine.
SEEDS = {"dim_events"}
TABLES = sorted(PUBLISHED_TABLES.keys() - OF_THE_RUN - SEEDS)


@pytest.mark.parametrize("table", TABLES)
def test_a_public_table_is_the_same_from_both_engines(table: str, engines: BothEngines):
    with duckdb.connect(str(engines.duckdb.database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        described = connection.execute(f"describe marts.{table}").fetchall()
        files = f"read_parquet({text_literal(str(engines.spark / 'marts' / table / '*.parquet'))})"
        columns = ", ".join(_comparable(name, kind) for name, kind, *_ in described)
        connection.execute(f"create temp table ours as select {columns} from marts.{table}")
        connection.execute(f"create temp table theirs as select {columns} from {files}")
        rows = connection.execute("select count(*) from ours").fetchone()[0]
        differences = _differences(connection, PUBLISHED_TABLES[table], [name for name, *_ in described])
    print(f"{table}: {rows:,} rows, {len(differences)} differences")
    assert not differences, f"{table}: {len(differences)} rows differ, such as\n" + "\n".join(differences[:5])


def test_the_days_hold_what_the_engines_could_differ_in(engines: BothEngines):
    """Without these the comparison above would prove less than it says."""
    events = {event for (event,) in engines.duckdb.rows("select platform_event from marts.dim_snapshots")}
    statuses = {status for (status,) in engines.duckdb.rows("select status from marts.dim_snapshots")}
    deltas = {row[0] for row in engines.duckdb.rows("select delta_status from marts.fct_daily_model_downloads")}
    models = engines.duckdb.rows("select count(*) from marts.dim_models")[0][0]
    several_roots = engines.duckdb.rows("select count(*) from marts.dim_models where origin_country = 'XM'")[0][0]
    assert events == {"none", "stalled", "recounted"}
    assert statuses == {"complete", "missing"}
    assert {"ok", "first_seen", "vanished", "reappeared", "gap_spread"} <= deltas
    assert len(engines.days) >= 10
    assert models >= 20_000
    assert several_roots > 0


def _comparable(name: str, kind: str) -> str:
    """As the published type; a double at twelve decimals, as every one is published (definition 28)."""
    value = f'cast("{name}" as {kind})'
    return f'round({value}, 12) as "{name}"' if kind == "DOUBLE" else f'{value} as "{name}"'


def _differences(connection: duckdb.DuckDBPyConnection, key: tuple[str, ...], columns: list[str]) -> list[str]:
    """One line a row that is not the same in both, with its key and both values of each column that differs."""
    found = {}
    for side, other in (("ours", "theirs"), ("theirs", "ours")):
        rows = connection.execute(f"select * from (from {side} except all from {other}) order by all").fetchall()
        for row in rows:
            values = dict(zip(columns, row, strict=True))
            found.setdefault(tuple(values[name] for name in key), {}).setdefault(side, values)
    lines = []
    for place, sides in found.items():
        ours, theirs = sides.get("ours", {}), sides.get("theirs", {})
        told = [
            f"{name}: DuckDB {ours.get(name, '(no row)')!r}, Spark {theirs.get(name, '(no row)')!r}"
            for name in columns
            if ours.get(name, "(no row)") != theirs.get(name, "(no row)")
        ]
        lines.append(f"  {dict(zip(key, map(str, place), strict=True))}: {'; '.join(told)}")
    return lines
