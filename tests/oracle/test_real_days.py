"""Six real days of the Hub's thousand trending models: dbt against the oracle in all that they hold, which is no all-time
counter. They are landed in a temporary folder, and none of it is part of the repository."""

import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dbt.built_warehouse import Warehouse
from tests.golden.landed import ACCOUNTS_SCHEMA, CAPTURES_SCHEMA, MODELS_SCHEMA
from tests.oracle.comparison import WHOLE_RELATIONS, compare, published_rows
from tests.oracle.conftest import BothReadings
from tests.oracle.populations import NOON, write_landed
from tests.oracle.tables import TABLES, Oracle
from tests.real_days import write_real_days

pytestmark = pytest.mark.real_data

# Without all-time counters there is nothing to difference: no downloads of a day, and nothing that they add up to.
EMPTY = {
    "fct_daily_country_downloads",
    "mart_attribution_sensitivity",
    "mart_country_crossovers",
    "mart_relative_adoption",
}


def land_real_days(snapshots: Path, landing: Path) -> list[date]:
    days = [date.fromisoformat(day) for day in json.loads((snapshots / "sandbox.json").read_text())["days"]]
    for day in days:
        captured_at = datetime.combine(day, NOON)
        listed = pq.read_table(snapshots / f"snapshot_date={day}" / "models.parquet", partitioning=None)
        provenance = {"captured_at": captured_at, "fetched_at": captured_at, "source": "hub_api", "page": 1}
        # One id was listed twice under two dates of creation; the landing keeps the `_id`s apart.
        rows = sorted((row | provenance for row in listed.to_pylist()), key=lambda row: row["_id"])
        models = pa.Table.from_pylist(rows, schema=MODELS_SCHEMA)
        capture = {
            "status": "complete",
            "source": "hub_api",
            "captured_at": captured_at,
            "counters_date": day,
            "models": models.num_rows,
            "downloads_all_time": 0,
            "is_simulated": False,
        }
        write_landed(landing, "models", day, models)
        write_landed(landing, "accounts", day, ACCOUNTS_SCHEMA.empty_table())
        write_landed(landing, "captures", day, pa.Table.from_pylist([capture], schema=CAPTURES_SCHEMA))
    return days


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, shared_data: Path, manifest) -> BothReadings:
    """Landed, and loaded in two batches, the later days first."""
    home = tmp_path_factory.mktemp("real_days")
    days = land_real_days(write_real_days(shared_data, home / "snapshots"), home / "landing")
    warehouse = Warehouse(home / "warehouse", home / "landing", manifest)
    warehouse.run("seed", "--quiet")
    for batch in (days[3:], days[:3]):
        warehouse.load(batch)
    return BothReadings("six real days", Oracle(home / "landing"), warehouse)


@pytest.mark.parametrize("name", TABLES)
def test_dbt_agrees_on_real_rows(name: str, both: BothReadings, record):
    table = both.oracle.table(name)
    assert bool(table.rows) is (name not in EMPTY)
    compared = compare(table, published_rows(both.warehouse, table, WHOLE_RELATIONS.get(name)))
    record(both.name, compared)
    assert compared.differences == 0, str(compared)


def test_one_repository_held_most_of_what_new_models_were_downloaded(both: BothReadings):
    """What made the study of these days a warning: without it, China's share of new models falls by a third."""
    table = both.oracle.table("mart_daily_country_share")
    share, without = table.columns.index("share"), table.columns.index("share_without_top_repository")
    rows = [row for key, row in table.rows.items() if key[1:] == ("new_trailing_30d", 30, "uploader", "all", "CN")]
    assert len(rows) == 6
    for row in rows:
        assert row[share] > 0.6
        assert row[without] < 0.5
