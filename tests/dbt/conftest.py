"""Fixtures of the warehouse's tests: three hand-made landed days and one warehouse that loaded them in order.
Data and the dbt runner are in `landing_days` and `built_warehouse`."""

from pathlib import Path

import pytest

from tests.dbt.built_warehouse import Warehouse
from tests.dbt.landing_days import DAYS, land_hand_made_days


@pytest.fixture(scope="session")
def landing(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    land_hand_made_days(folder)
    return folder


@pytest.fixture(scope="session")
def manifest(tmp_path_factory, landing):
    """Parsed once; every warehouse of the session runs on it, day after day."""
    return Warehouse(tmp_path_factory.mktemp("parsed"), landing).parse()


@pytest.fixture(scope="session")
def loaded(tmp_path_factory, landing, manifest) -> Warehouse:
    """All days, one by one in order, in one process. Read only: tests that load or break something take a copy."""
    warehouse = Warehouse(tmp_path_factory.mktemp("in_order"), landing, manifest)
    warehouse.run("seed", "--quiet")
    for day in DAYS:
        warehouse.load([day])
    return warehouse
