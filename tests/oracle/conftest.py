"""Landed populations, the warehouses that dbt builds of them in every awkward order, and the oracle's reading of them.
Prints, at the end of a run, how many rows of each table were compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.dbt.built_warehouse import Warehouse
from tests.golden.landed import MODELS_SCHEMA
from tests.oracle.comparison import Compared, summary
from tests.oracle.populations import Population, land_eventful_population, land_population, write_landed
from tests.oracle.tables import Oracle

SEED = 20261124
COMPARED = pytest.StashKey[dict[str, list[Compared]]]()


@dataclass
class BothReadings:
    """A landing as the oracle reads it, and the warehouse that dbt built of it."""

    name: str
    oracle: Oracle
    warehouse: Warehouse


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory):
    """The project, parsed once."""
    home = tmp_path_factory.mktemp("parsed")
    return Warehouse(home, home / "landing").parse()


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Population:
    """A population as the sandbox makes it, whose truth holds for it."""
    return land_population(tmp_path_factory.mktemp("plain"), models=1_000, days=60, seed=SEED)


@pytest.fixture(scope="session")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Population:
    """Many models, two months."""
    return land_eventful_population(tmp_path_factory.mktemp("eventful"), models=3_000, days=60, seed=SEED)


@pytest.fixture(scope="session")
def long_running(tmp_path_factory: pytest.TempPathFactory) -> Population:
    """Few models, more than a year."""
    return land_eventful_population(tmp_path_factory.mktemp("long"), models=300, days=450, seed=SEED)


def read_eventful(home: Path, population: Population, manifest) -> BothReadings:
    """Loaded in a batch, day by day, out of order, with one day late, and one loaded before it had its last content."""
    warehouse = Warehouse(home, population.landing, manifest)
    days = population.days
    late, revised = days[30], days[40]
    with landed_before(population.landing, revised):
        warehouse.run("seed", "--quiet")
        warehouse.load(days[:20])
        for day in (days[21], days[20]):
            warehouse.load([day])
        warehouse.load([day for day in days[22:] if day != late])
        warehouse.load([late])
    warehouse.load([revised])
    return BothReadings("3,000 models × 60 days", Oracle(population.landing), warehouse)


def read_long(home: Path, population: Population, manifest) -> BothReadings:
    """Loaded in a few batches, the second one after the third."""
    warehouse = Warehouse(home, population.landing, manifest)
    days = population.days
    warehouse.run("seed", "--quiet")
    for batch in (days[:150], days[300:], days[150:300]):
        warehouse.load(batch)
    return BothReadings("300 models × 450 days", Oracle(population.landing), warehouse)


@contextmanager
def landed_before(landing: Path, day: date) -> Iterator[None]:
    """An earlier revision of a day: other counters, a few repositories missing; the last one is landed at the end."""
    tables = ("models", "captures")
    last = {table: _part(landing, table, day) for table in tables}
    counters = last["models"]["downloadsAllTime"]
    place = last["models"].column_names.index("downloadsAllTime")
    item = MODELS_SCHEMA.field("downloadsAllTime")
    other = pc.subtract(counters, pc.divide(counters, pa.scalar(50, pa.int64())))
    earlier = last["models"].set_column(place, item, other).slice(10)
    write_landed(landing, "models", day, earlier)
    totals = {"models": earlier.num_rows, "downloads_all_time": pc.sum(other).as_py()}
    capture = last["captures"].to_pylist()[0] | totals
    write_landed(landing, "captures", day, pa.Table.from_pylist([capture], schema=last["captures"].schema))
    try:
        yield
    finally:
        for table in tables:
            write_landed(landing, table, day, last[table])


def _part(landing: Path, table: str, day: date) -> pa.Table:
    return pq.read_table(landing / table / f"snapshot_date={day}" / "part-00000.parquet", partitioning=None)


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest):
    """Keeps a comparison for the summary at the end of the run."""
    found = request.config.stash.setdefault(COMPARED, {})

    def keep(readings: str, compared: Compared) -> None:
        found.setdefault(readings, []).append(compared)

    return keep


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    for readings, compared in config.stash.get(COMPARED, {}).items():
        terminalreporter.write_sep("-", f"oracle and warehouse: {readings}")
        for line in summary(compared):
            terminalreporter.write_line(line)
