"""A version that begins with the one before is the one that would have been written anew, to the byte of its Parquet files."""

import shutil

import duckdb
import pytest

from orchestration.publishing import build_candidate, carried_over, publish_candidate
from orchestration.publishing.candidate import BY_DAY, STORAGE_VERSION
from orchestration.publishing.carried_over import carry_over
from orchestration.settings import Settings
from tests.publishing.test_candidate import hashes

from .conftest import PASSED
from .warehouse import EXAMPLES, Contents, write_warehouse

SHARES = "mart_daily_country_share"
FEWER, MORE = Contents(days=40), Contents(days=41)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """A home in which a version of forty days is published, and whose warehouse has one more."""
    made = Settings(home=tmp_path_factory.mktemp("carried") / "home")
    write_warehouse(made.warehouse_path, FEWER)
    change(made.warehouse_path, many_shares(FEWER))
    candidate = build_candidate(made, version_id="v1", run_id="run-1", snapshot_dates=[FEWER.last_day])
    publish_candidate(made, candidate, quality=[PASSED])
    write_warehouse(made.warehouse_path, MORE)
    change(made.warehouse_path, many_shares(MORE))
    return made.home


@pytest.fixture
def published(settings, made_once, monkeypatch):
    """Settings of a copy of that home, in which any row is worth to be carried over."""
    monkeypatch.setattr(carried_over, "WORTH_IT_FROM_ROWS", 1)
    shutil.copytree(made_once, settings.home, symlinks=True)
    return settings


def many_shares(contents: Contents) -> str:
    """More rows by day than a row group of a table has, or of a Parquet file."""
    return (
        f"insert into marts.{SHARES} (snapshot_date, metric, window_days, attribution, denominator, country_code, share) "
        f"select day::date, 'made up', n, 'none', 'none', 'XX', n / 7 from "
        f"generate_series(timestamp '{contents.first_day}', timestamp '{contents.calendar[-1]}', interval 1 day) as t(day), "
        "range(3100) as r(n)"
    )


def change(database, statement: str) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(statement)


@pytest.fixture
def kept(monkeypatch):
    """Of each table that was carried over, whether the candidate kept it."""
    told = {}

    def listen(connection, table, columns, had):
        told[table] = carried_over.is_as_in_warehouse(connection, table, columns, had)
        return told[table]

    monkeypatch.setattr("orchestration.publishing.candidate.is_as_in_warehouse", listen)
    return told


def carried(settings, tmp_path):
    return carry_over(settings, tmp_path / "begun.duckdb", BY_DAY, STORAGE_VERSION)


def anew(settings, monkeypatch):
    monkeypatch.setattr(carried_over, "WORTH_IT_FROM_ROWS", 10**12)
    return build_candidate(settings, version_id="anew", run_id="run-2", snapshot_dates=[], examples=EXAMPLES)


def test_the_tables_by_day_are_carried_over_and_nothing_else(published, tmp_path):
    tables = carried(published, tmp_path)

    assert set(tables) > {SHARES, "mart_daily_organization_share", "dim_snapshots"}
    assert set(tables[SHARES].days) == set(FEWER.complete) | set(FEWER.calendar)
    with duckdb.connect(str(tmp_path / "begun.duckdb"), read_only=True) as connection:
        relations = (
            "select table_name from duckdb_tables() union select view_name from duckdb_views() where not internal"
        )
        assert {name for (name,) in connection.execute(relations).fetchall()} == set(tables)


# What became of an old day, a table each, and whether the rows are still those that were published.
AN_OLDER_DAY = "select * replace (snapshot_date - 400 as snapshot_date) from marts.$table where snapshot_date = $day"
REORDERED = (
    "create temp table t as from marts.$table order by hash(rank, share); truncate marts.$table; "
    "insert into marts.$table from t"
)
CHANGES = {
    "dim_snapshots": ("update marts.$table set status = 'partial' where snapshot_date = $day", False),
    "mart_daily_organization_share": ("delete from marts.$table where snapshot_date = $day", False),
    "mart_attribution_sensitivity": (f"insert into marts.$table {AN_OLDER_DAY}", False),
    "mart_attribution_coverage": ("alter table marts.$table alter located_share type float", False),
    SHARES: (REORDERED, True),
}


@pytest.mark.parametrize("changes", [{}, CHANGES], ids=["a day came", "days changed"])
def test_a_version_that_was_carried_over_is_the_one_written_anew(published, monkeypatch, kept, changes):
    for table, (statement, _) in changes.items():
        said = statement.replace("$table", table).replace("$day", f"date '{FEWER.complete[5]}'")
        change(published.warehouse_path, said)

    begun = build_candidate(published, version_id="begun", run_id="run-2", snapshot_dates=[], examples=EXAMPLES)
    assert {table: kept[table] for table in CHANGES} == {table: changes.get(table, ("", True))[1] for table in CHANGES}
    fresh = anew(published, monkeypatch)

    assert hashes(begun) == hashes(fresh)
    assert begun.tables == fresh.tables
    with duckdb.connect() as connection:
        for name, one in {"begun": begun, "fresh": fresh}.items():
            connection.execute(f"attach '{one.database}' as {name} (read_only)")
        declared = (
            "select table_name, column_name, column_index, data_type, is_nullable, comment from duckdb_columns() "
            "where database_name = ? and schema_name = 'marts' order by all"
        )
        told = [connection.execute(declared, [name]).fetchall() for name in ("begun", "fresh")]
        assert told[0] == told[1]
        order = f"select snapshot_date, country_code, downloads, share from {{}}.marts.{SHARES}"
        assert (
            connection.execute(order.format("begun")).fetchall() == connection.execute(order.format("fresh")).fetchall()
        )


def test_what_was_altered_in_the_published_file_is_not_carried_on(published, monkeypatch, kept):
    current = (published.published_dir / "current" / "observatory.duckdb").resolve()
    current.chmod(0o644)
    change(current, f"update marts.{SHARES} set share = 0.99 where country_code = 'CN'")

    begun = build_candidate(published, version_id="begun", run_id="run-2", snapshot_dates=[], examples=EXAMPLES)

    assert not kept[SHARES]
    assert hashes(begun) == hashes(anew(published, monkeypatch))


def test_a_damaged_version_is_no_beginning(published, monkeypatch, kept):
    current = (published.published_dir / "current" / "observatory.duckdb").resolve()
    current.chmod(0o644)
    content = bytearray(current.read_bytes())
    middle = slice(len(content) // 4, 3 * len(content) // 4)
    content[middle] = bytes(byte ^ 0xFF for byte in content[middle])
    current.write_bytes(content)

    begun = build_candidate(published, version_id="begun", run_id="run-2", snapshot_dates=[], examples=EXAMPLES)

    assert not kept
    assert hashes(begun) == hashes(anew(published, monkeypatch))


def test_nothing_is_carried_over_where_there_is_nothing_or_too_little_or_another_format(
    published, tmp_path, monkeypatch
):
    begun = tmp_path / "begun.duckdb"
    assert carry_over(published, begun, BY_DAY, "v9.9.9") == {}
    monkeypatch.setattr(carried_over, "WORTH_IT_FROM_ROWS", 10**7)
    assert carried(published, tmp_path) == {}
    monkeypatch.setattr(carried_over, "WORTH_IT_FROM_ROWS", 1)
    shutil.rmtree(published.published_dir)
    assert carried(published, tmp_path) == {}
    assert not begun.exists()
