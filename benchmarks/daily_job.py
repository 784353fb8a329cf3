"""What the daily job costs beside its data: loading the definitions, and a run of a small day that is landed already.
Both are measured from outside, in fresh processes; of the steps' own time only Dagster's event log knows."""

import json
import sys
from datetime import date
from pathlib import Path

from benchmarks.processes import measured

SMALL_HUB, SMALL_DAY, SEED = 2_000, date(2026, 10, 6), 7
LOAD_DAGSTER = "import dagster, dagster_dbt"
LOAD_DEFINITIONS = """
from orchestration.definitions import defs
loaded = defs()
loaded.resolve_asset_graph()
loaded.resolve_job_def("daily_snapshot")
"""


def measure_definitions(scratch: Path, repeats: int) -> list[dict]:
    """Fresh processes that import and resolve the definitions, and such that import Dagster and dagster-dbt alone."""
    scratch.mkdir(parents=True, exist_ok=True)
    environment = {"DAGSTER_HOME": str(scratch), "OBSERVATORY_HOME": str(scratch)}
    commands = {"load_dagster": LOAD_DAGSTER, "load_definitions": LOAD_DEFINITIONS}
    if repeats > 1:
        for command in commands.values():  # the very first may still have to compile bytecode
            measured(["-c", command], environment)
    return [
        {"what": what, "repeat": repeat} | measured(["-c", command], environment)[1].as_dict()
        for repeat in range(repeats)
        for what, command in commands.items()
    ]


def measure_run_overhead(scratch: Path, repeats: int) -> list[dict]:
    """The daily job's command for a small day of the sandbox Hub: once to land and publish it, then again and again.

    The record of the first is `run_small_day`; of each further one, which finds the day landed and fetches no page,
    `run_landed_day`. `step_seconds` is the sum of its steps, which run one after the other; `overhead_seconds` is the
    rest of the process: interpreter, imports, definitions, Dagster between the steps, printing the result.
    """
    from orchestration.sandbox.population import write_population
    from orchestration.sandbox.server import SandboxHub

    snapshots, home = scratch / "small-hub", scratch / "home"
    write_population(snapshots, models=SMALL_HUB, days=1, seed=SEED, first_day=SMALL_DAY)
    records = []
    with SandboxHub(snapshots, day=SMALL_DAY) as hub:
        environment = {"OBSERVATORY_HOME": str(home), "OBSERVATORY_HUB_ENDPOINT": hub.url, "HF_TOKEN": ""}
        for repeat in range(repeats + 1):
            asked_before = len(hub.requests)
            _, taken = measured(["-m", "orchestration", "run", "--day", SMALL_DAY.isoformat()], environment)
            what = (
                {"what": "run_landed_day", "repeat": repeat - 1} if repeat else {"what": "run_small_day", "repeat": 0}
            )
            record = what | {"requests": len(hub.requests) - asked_before} | taken.as_dict()
            records.append(record | last_run(home, taken.wall_seconds))
    return records + [judge_small_day(home) | {"repeat": repeat} for repeat in range(repeats)]


def judge_small_day(home: Path) -> dict:
    """What the checks of the small day cost beside their data: a process that runs its gates one after the other."""
    said, taken = measured(["-m", "benchmarks.judge", str(home), SMALL_DAY.isoformat(), "--gates"])
    return {"what": "judge_small_day"} | json.loads(said.strip().rpartition("\n")[2]) | taken.as_dict()


def last_run(home: Path, wall_seconds: float) -> dict:
    output, _ = measured(["-m", "benchmarks.daily_job", str(home / "dagster")], {"DAGSTER_HOME": str(home / "dagster")})
    told = json.loads(output.strip().rpartition("\n")[2])
    if not told["succeeded"]:
        raise RuntimeError(f"found the run in {home} to have failed; expected success. Look at it with `make ui`.")
    return told | {"overhead_seconds": wall_seconds - told["step_seconds"]}


def steps_of_last_run() -> dict:
    """How many steps the last run in Dagster's storage had, their seconds in all and when each began and ended (seconds
    since 1970), and the run's from start to end."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        (record,) = instance.get_run_records(limit=1)
        steps = [stats for stats in instance.get_run_step_stats(record.dagster_run.run_id) if stats.end_time]
        return {
            "succeeded": record.dagster_run.is_success,
            "steps": len(steps),
            "step_seconds": sum(stats.end_time - stats.start_time for stats in steps),
            "run_seconds": record.end_time - record.start_time,
            "run_started_at": record.start_time,
            "of_steps": {stats.step_key: [stats.start_time, stats.end_time] for stats in steps},
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(steps_of_last_run()) + "\n")
