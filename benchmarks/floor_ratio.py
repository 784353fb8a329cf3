"""`python -m benchmarks.floor_ratio DAYS`: CPU that DuckDB takes for the layers of the home's landed days, in ratio to the
floor's for the same days, both in this process. It guards against a regression in SQL; a day's cost is for `daily.py`."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from benchmarks import daily_floor
from benchmarks.refresh import build_layers
from orchestration.settings import Settings


@contextmanager
def noting_statements(taken: list[float]) -> Iterator[None]:
    """For the time being, add to `taken` the CPU seconds of this process, DuckDB's threads among it, for each statement
    that dbt runs."""
    from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper

    plain = DuckDBCursorWrapper.execute

    def noted(self, sql, bindings=None):
        began = time.process_time()
        try:
            return plain(self, sql, bindings)
        finally:
            taken.append(time.process_time() - began)

    DuckDBCursorWrapper.execute = noted
    try:
        yield
    finally:
        DuckDBCursorWrapper.execute = plain


def main(arguments: list[str]) -> int:
    days = json.loads(arguments[0])
    landing = Settings().landing_dir
    taken: list[float] = []
    with noting_statements(taken):
        # in one thread, so that no other one's Python is counted with a statement
        nodes = build_layers([date.fromisoformat(day) for day in days], with_tests=False, threads=1)
    layers = sum(taken)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        for before, day in zip([days[0], *days], days, strict=False):
            daily_floor.run(landing, day, before, Path(scratch) / f"{day}.duckdb")
    floor = time.process_time() - began
    told = {"nodes": nodes, "layers_cpu_seconds": layers, "floor_cpu_seconds": floor, "ratio": layers / floor}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
