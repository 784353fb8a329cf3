"""`python -m benchmarks.refresh DAYS [--full]`: builds the layers of the home's warehouse for the days, with their data tests, as
the daily job does between its gates. With `--full` every table is made anew: what the project would cost without increments."""

import json
import sys
from datetime import date

from orchestration.defs.transform.dbt_in_process import LAYERS, DbtInProcess
from orchestration.settings import Settings


def build_layers(days: list[date], *, full: bool = False, with_tests: bool = True, threads: int = 0) -> int:
    """How many nodes dbt ran, in as many `threads` as its profile says if 0.

    Raises RuntimeError with what dbt says of those that failed.
    """
    dbt, settings, nodes = DbtInProcess(), Settings(), 0
    for name, layer in LAYERS.items():
        command = ["build", "--select", layer.select, "--indirect-selection", "buildable"]
        command += ["--exclude-resource-type", "unit_test"] + ([] if with_tests else ["test"])
        command += ["--exclude", layer.exclude] if layer.exclude else []
        command += ["--full-refresh"] if full else []
        command += ["--threads", str(threads)] if threads else []
        _, result = dbt.invoke(command, settings, days=days, run_id="bench")
        nodes += len(result.result or ())
        if not result.success:
            failed = [str(node.message) for node in result.result or () if str(node.status) in ("error", "fail")]
            raise RuntimeError(f"found layer {name} to fail; expected it to be built: {result.exception or failed}")
    return nodes


def main(arguments: list[str]) -> int:
    days = [date.fromisoformat(day) for day in json.loads(arguments[0])]
    nodes = build_layers(days, full="--full" in arguments, with_tests="--without-tests" not in arguments)
    sys.stdout.write(json.dumps({"days": len(days), "nodes": nodes}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
