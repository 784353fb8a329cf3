"""Runs whose process is gone without having said so (killed, out of memory, the machine restarted): marked as failed, or they
would stand in the queue for ever. What becomes of a failed run (another try, an alert) is decided elsewhere."""

import json
import os
import time
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

UNDER_WAY = [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
# Clocks of the kernel and of the event log differ by less; a process id is given again after some 30,000 others. 2026-11-29.
CLOCKS_DIFFER_SECONDS = 5


# Dagster's own run monitoring knows of a lost process only where the launcher can tell (Docker, Kubernetes), and this
# launcher's server reports it only as long as the server itself lives.
@dg.sensor(
    name="lost_runs",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs as failed whose process is gone at two looks in a row: the queue waits for none that never ends.",
)
def lost_runs(context: dg.SensorEvaluationContext):
    missed = json.loads(context.cursor) if context.cursor else []
    gone = [run.run_id for run in runs_without_a_process(context.instance)]
    ended = [run_id for run_id in gone if run_id in missed and end(context.instance, run_id)]
    context.update_cursor(json.dumps(gone))
    return dg.SkipReason(
        f"Marked as failed: {', '.join(ended)}." if ended else f"{len(gone)} run(s) without a process."
    )


def runs_without_a_process(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Runs under way on this machine, all of whose processes are gone."""
    runs = instance.get_runs(RunsFilter(statuses=UNDER_WAY))
    return [
        run
        for run in runs
        if (seen := _processes(instance, run.run_id)) and not any(map(_lives, *zip(*seen, strict=True)))
    ]


def end(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Mark the run as failed if it is still under way; give whether it was."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in UNDER_WAY:
        return False
    instance.report_run_failed(
        run,
        "The run's process is gone without a word: killed, out of memory, or the machine was restarted. Nothing of it was "
        "published after that. What was fetched is kept: run the day again, and it resumes there.",
    )
    return True


def _processes(instance: dg.DagsterInstance, run_id: str) -> list[tuple[int, float]]:
    """Each process that said to be working on the run, and when it said so."""
    events = instance.get_records_for_run(run_id, of_type=DagsterEventType.ENGINE_EVENT).records
    said = [
        (event.event_log_entry.timestamp, event.event_log_entry.dagster_event.engine_event_data) for event in events
    ]
    return [(int(data.metadata["pid"].value), at) for at, data in said if "pid" in data.metadata]


def _lives(pid: int, seen_at: float) -> bool:
    """Whether the process that had this id then has it now."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state, started_at = _state_and_start(pid)
    return state != "Z" and started_at <= seen_at + CLOCKS_DIFFER_SECONDS


def _state_and_start(pid: int) -> tuple[str, float]:
    """The kernel's letter for its state (Z: dead, waiting for its parent) and when it began, seconds since 1970; unknown, as
    on machines without /proc, is taken for alive."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        booted_at = time.time() - float(Path("/proc/uptime").read_text().split()[0])
    except FileNotFoundError:
        return "", 0.0
    return fields[0], booted_at + int(fields[19]) / os.sysconf("SC_CLK_TCK")
