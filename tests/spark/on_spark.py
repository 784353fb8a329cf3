"""What Spark is asked for in the tests, in one process of its own environment: the first days together, handed over, then the
others one by one, handed over again. `python -m tests.spark.on_spark ORDER_FILE`, written by conftest."""

import json
import sys
from datetime import date
from pathlib import Path

from orchestration.spark.build import DbtOnSpark, hand_over


def main(order_file: str) -> None:
    order = json.loads(Path(order_file).read_text(encoding="utf-8"))
    runs = [[date.fromisoformat(day) for day in run] for run in order["runs"]]
    spark = DbtOnSpark(Path(order["landing"]), Path(order["work"]))
    spark.load_seeds()
    for number, days in enumerate(runs):
        # dbt's data tests once, on the whole history
        spark.load(days, with_tests=number == len(runs) - 1)
        if number == 0:
            hand_over(Path(order["first"]))
    hand_over(Path(order["last"]))


if __name__ == "__main__":
    main(sys.argv[1])
