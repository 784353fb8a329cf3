"""Days that land late or out of order, where one day's rows depend on what other days showed: dbt against the oracle.
Whole populations in awkward orders are in `test_marts`."""

import pytest

from tests.dbt.built_warehouse import Warehouse
from tests.oracle.comparison import compare, published_rows
from tests.oracle.hand_made import day, landed
from tests.oracle.seeds import read_seeds
from tests.oracle.tables import Oracle

LATE = "a late day's names are not looked at again for the days after it that are loaded already (definition 28)"


@pytest.mark.parametrize(
    "order", [(0, 1, 2), pytest.param((0, 2, 1), marks=pytest.mark.xfail(reason=LATE, strict=True))], ids=str
)
def test_a_parent_is_found_by_a_name_that_only_a_late_day_shows(order, tmp_path, manifest):
    """`google/old` is the parent's name on the second day only; its child calls it so for ever."""
    child = {"id": "someone/child", "tags": ["base_model:finetune:google/old"], "downloads": 7, "at": 70}
    landing = landed(
        tmp_path / "landing",
        {
            0: {"x": {"id": "Qwen/x", "at": 5}},
            1: {"p": {"id": "google/old", "at": 9}, "child": child},
            2: {"p": {"id": "Qwen/new", "at": 9}, "child": child},
        },
    )
    warehouse = Warehouse(tmp_path / "warehouse", landing, manifest)
    warehouse.run("seed", "--quiet")
    for offset in order:
        warehouse.load([day(offset)])
    read = Oracle(landing, read_seeds())
    for name in ("dim_models", "mart_daily_country_share"):
        compared = compare(read.table(name), published_rows(warehouse, read.table(name)))
        assert compared.differences == 0, str(compared)
