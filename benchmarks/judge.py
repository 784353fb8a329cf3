"""`python -m benchmarks.judge HOME DAY [--each | --gates]`: the raw gate over a landed day, as the daily job runs it, in this
process. Prints what it judged as one line of JSON; with `--each`, what every promise costs when it is measured alone; with
`--gates`, what the gates of a built day cost one after the other, and what importing great_expectations does."""

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from orchestration.quality import SUITES, run_gate
from orchestration.quality.evidence import open_evidence
from orchestration.settings import Settings


def main(arguments: list[str]) -> int:
    settings, day = Settings(home=Path(arguments[0])), date.fromisoformat(arguments[1])
    modes = {"--each": costs, "--gates": gates}
    told = next((mode for flag, mode in modes.items() if flag in arguments), judged)(settings, day)
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


def judged(settings: Settings, day: date) -> dict:
    """Rows and promises that one gate judged, and the names of those that were not kept."""
    result = run_gate("raw", [day], settings=settings, run_id="bench", evaluated_at=datetime.now(UTC))
    return {
        "rows": max(check.evaluated_rows or 0 for check in result.results),
        "promises": len(result.results),
        "crashed": [check.check_name for check in result.results if check.crashed],
        "not_kept": [check.check_name for check in result.failures],
    }


def costs(settings: Settings, day: date) -> dict:
    """Seconds that the query of each promise takes by itself, without great_expectations' part, which is the same for all."""
    seconds = {}
    with open_evidence("raw", settings) as evidence:
        evidence.select_day(day)
        for suite in (suite for suite in SUITES.values() if suite.step == "raw"):
            for promise in suite.promises:
                started = time.perf_counter()
                evidence.profile(replace(suite, promises=(promise,)))
                seconds[f"{suite.table}.{promise.check_name}"] = round(time.perf_counter() - started, 3)
    return {"seconds": seconds}


GATES = ("raw", "authors", "staging", "intermediate", "marts")


def gates(settings: Settings, day: date) -> dict:
    """Seconds of wall time: the import that the first gate would pay for, then each gate with all its promises."""
    started = time.perf_counter()
    import great_expectations  # noqa: F401

    seconds, promises = {"import great_expectations": round(time.perf_counter() - started, 3)}, 0
    for step in GATES:
        started = time.perf_counter()
        promises += len(
            run_gate(step, [day], settings=settings, run_id="bench", evaluated_at=datetime.now(UTC)).results
        )
        seconds[step] = round(time.perf_counter() - started, 3)
    return {"gate_seconds": seconds, "promises": promises}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
