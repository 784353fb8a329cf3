"""Runs whose process was killed: a real process runs a real job in it and is killed; runs that live are left alone."""

import os
import signal
import subprocess
import sys

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from orchestration.__main__ import dagster_home
from orchestration.defs.lost_runs import _lives, _state_and_start, lost_runs, runs_without_a_process
from orchestration.settings import PROJECT_ROOT, Settings

PROGRAM = """
import sys, time
import dagster as dg

@dg.op(out={})
def endless():
    print("under way", flush=True)
    time.sleep(600)

@dg.job
def slow():
    endless()

with dg.DagsterInstance.get() as instance:
    slow.execute_in_process(instance=instance, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}})
"""


@pytest.fixture
def instance(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home(Settings(home=tmp_path / "home"))))
    with dg.DagsterInstance.get() as opened:
        yield opened


@pytest.fixture
def process(instance):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT, env=dict(os.environ)
    ) as running:
        assert running.stdout.readline() == "under way\n"
        yield running
        running.kill()


def look(instance: dg.DagsterInstance, cursor: str | None) -> tuple[str, str]:
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        reason = lost_runs(context)
        return context.cursor, reason.skip_message


def test_a_run_whose_process_was_killed_is_marked_as_failed_at_the_second_look(instance, process):
    (run,) = instance.get_runs()
    cursor, said = look(instance, None)
    assert said == "0 run(s) without a process."

    process.send_signal(signal.SIGKILL)  # and left as a zombie, as where nobody asks after it
    while runs_without_a_process(instance) == []:
        pass
    cursor, said = look(instance, cursor)
    assert said == "1 run(s) without a process."
    assert instance.get_run_by_id(run.run_id).status == DagsterRunStatus.STARTED

    cursor, said = look(instance, cursor)
    assert said == f"Marked as failed: {run.run_id}."
    assert instance.get_run_by_id(run.run_id).status == DagsterRunStatus.FAILURE
    assert look(instance, cursor)[1] == "0 run(s) without a process."


def test_a_process_that_was_given_the_number_of_a_dead_one_is_not_taken_for_it():
    ours = os.getpid()
    _, began = _state_and_start(ours)
    assert _lives(ours, seen_at=began + 60)
    assert not _lives(ours, seen_at=began - 60)
