"""A quick run of everything at a small size: every figure is there with its rows, machine and date. No time is judged."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from benchmarks import daily_floor, floors, results_file
from benchmarks.daily_job import steps_of_last_run
from benchmarks.misbehaving import Ordeal, judge
from benchmarks.processes import CommandFailed, measured
from benchmarks.report import Figure, markdown
from orchestration.quality import SUITES
from orchestration.settings import PROJECT_ROOT
from tests.benchmarks.conftest import MODELS

README = (PROJECT_ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def quick(pages, tmp_path_factory) -> Path:
    """The folder of results. The pages are those of the other tests: in the home, they are not written again."""
    home, results = tmp_path_factory.mktemp("bench-home"), tmp_path_factory.mktemp("results")
    (home / "bench").mkdir()
    (home / "bench" / pages.folder.name).symlink_to(pages.folder)
    command = [sys.executable, "-m", "benchmarks", "--quick", "--models", str(MODELS), "--results", str(results)]
    environment = os.environ | {"OBSERVATORY_HOME": str(home)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [path.name for path in (home / "bench").iterdir()] == [pages.folder.name]  # nothing else is left
    return results


@pytest.fixture(scope="module")
def results(quick) -> dict:
    return json.loads((quick / "results" / "extraction.json").read_text())


def test_every_figure_has_its_rows_and_the_run_its_machine_and_date(results):
    shown = {(figure["name"], figure["unit"]): figure for figure in results["figures"]}

    assert len(shown) == len(results["figures"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", results["date"])
    assert results["machine"]["cores"] >= 1
    assert results["machine"]["memory_gb"] > 0
    assert set(results["versions"]) >= {"python", "pyarrow", "duckdb"}
    aims = {key: figure["aim"] for key, figure in shown.items() if figure["aim"] is not None}
    assert aims[("landing a first day", "rows/s")] == aims[("landing a second day, compared", "rows/s")] == 60_000
    assert aims[("peak memory, first day", "MB")] == aims[("peak memory, second day", "MB")] == 250
    assert aims[("first day : parse-only floor", "× wall")] == 1.8
    assert aims[("landed size, first day", "bytes/model")] == 110
    for (name, _), figure in shown.items():
        if name.startswith("daily job"):
            assert figure["values"] == []
            assert figure["note"] == "not measured in a quick run"
        else:
            assert figure["values"], name
        if not name.startswith(("loading", "importing")):
            assert figure["rows"] > 0, name


def test_records_hold_what_the_figures_are_made_of(results, pages):
    records = {record["what"]: record for record in results["extraction"]}

    assert set(records) == {"bytes", "parse", "land_first_day", "land_second_day", "judge_raw"}
    assert records["land_first_day"]["rows"] == records["parse"]["rows"] == MODELS
    assert records["land_second_day"]["rows"] == len(pages.days[1])
    for record in records.values():
        assert record["wall_seconds"] > 0
        assert record["cpu_seconds"] == record["user_seconds"] + record["system_seconds"]
        assert record["peak_bytes"] > 10_000_000
        assert record["what"] == "judge_raw" or record["server_requests"] >= record["pages"]
    raw = [(suite.table, promise) for suite in SUITES.values() if suite.step == "raw" for promise in suite.promises]
    judged = records["judge_raw"]
    assert judged["rows"] == len(pages.days[1])
    assert judged["promises"] == len(raw) == len(judged["seconds"])
    assert set(judged["seconds"]) == {f"{table}.{promise.check_name}" for table, promise in raw}
    assert records["land_first_day"]["landed_bytes"] > 50 * MODELS
    assert {record["what"] for record in results["daily_job"]} == {"load_dagster", "load_definitions"}


def test_the_walk_through_faults_and_kills_lands_the_same_day(results, quick):
    told = results["misbehaving"]

    assert told["rows"] == told["clean_rows"] == 4_000
    assert told["content_sha256"] == told["clean_content_sha256"]
    assert told["kills"] == 2
    assert told["resumptions"] >= 2
    assert sum(told["faults"].values()) > 0
    transcript = (quick / "results" / "kill_and_resume.txt").read_text()
    assert transcript.count("-- SIGKILL number") == 2
    assert transcript.count("resumed after") >= 2


def test_the_table_says_what_it_is(results, quick):
    table = (quick / "RESULTS.md").read_text()

    assert "All rows are simulated" in table
    assert f"A small run, of {MODELS:,} models" in table
    assert results["date"] in table
    assert results["machine"]["cpu"] in table
    assert len(re.findall(r"^\| (?!figure|---)", table, re.MULTILINE)) == len(results["figures"])
    assert not re.findall(r"(?<![\w.:/])/(?:work|root|tmp|home|Users|usr|opt|var|mnt)\b\S*", table)


@pytest.mark.parametrize(
    ("figure", "is_met"),
    [
        (Figure("speed", "rows/s", 10, (59_000, 61_000, 70_000), 60_000, True), True),
        (Figure("speed", "rows/s", 10, (59_000, 59_500, 70_000), 60_000, True), False),
        (Figure("memory", "MB", 10, (251.0,), 250), False),
        (Figure("memory", "MB", 10, (250.0,), 250), True),
        (Figure("wall", "s", 10, (3.0,)), None),
        (Figure("not measured", "s", 10, (), 5), None),
    ],
    ids=["fast enough", "too slow", "too large", "just small enough", "no aim", "no value"],
)
def test_an_aim_that_is_missed_is_said_to_be(results, figure, is_met):
    table = markdown(results, [figure])

    assert figure.is_met is is_met
    assert ("**missed**" in table) == ("An aim is missed" in table) == (is_met is False)
    assert ("No aim is missed" in table) == (is_met is not False)


KEPT = {
    "rows": 10,
    "clean_rows": 10,
    "content_sha256": "a",
    "clean_content_sha256": "a",
    "faults": {"reset": 1},
    "kills": 2,
    "resumptions": 2,
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": 9}, "as many rows as the Hub has"),
        ({"rows": 9, "clean_rows": 9}, "as many rows as the Hub has"),
        ({"content_sha256": "b"}, "the same content"),
        ({"kills": 1}, "as many kills as asked"),
        ({"resumptions": 1}, "taken up again"),
        ({"faults": {"reset": 0}}, "faults that struck"),
    ],
    ids=["a row lost", "a row lost by both", "other content", "a kill too few", "started over", "no fault"],
)
def test_an_ordeal_that_left_a_trace_or_did_not_happen_fails(change, reason):
    ordeal = Ordeal(models=10, kills=2)
    judge(KEPT, ordeal)
    with pytest.raises(RuntimeError, match=reason):
        judge(KEPT | change, ordeal)


def test_a_process_is_not_charged_with_the_memory_of_who_measures_it():
    ours = bytearray(b"x") * 400_000_000
    _, small = measured(["-c", "pass"])
    _, large = measured(["-c", "held = bytearray(b'x') * 150_000_000"])

    assert len(ours) == 400_000_000
    assert small.peak_bytes < 60_000_000
    assert 150_000_000 < large.peak_bytes < 250_000_000


def test_cpu_of_a_process_and_its_threads_is_counted():
    _, taken = measured(["-c", "import time\nwhile time.process_time() < 0.3: pass"])
    assert 0.3 <= taken.cpu_seconds < 5


def test_a_command_that_fails_gives_no_figure():
    with pytest.raises(CommandFailed, match="no such luck"):
        measured(["-c", "raise SystemExit('no such luck')"])


def test_steps_are_those_of_the_event_log(tmp_path, monkeypatch):
    @dg.asset
    def first(): ...

    @dg.asset(deps=[first])
    def second(): ...

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        dg.materialize([first, second], instance=instance)
    told = steps_of_last_run()

    assert told["succeeded"]
    assert told["steps"] == 2
    assert 0 < told["step_seconds"] <= told["run_seconds"]


@pytest.mark.parametrize("floor", [floors.read_bytes, floors.read_and_parse])
def test_the_readme_shows_the_floors_as_they_are(floor):
    assert inspect.getsource(floor).rstrip() in README


def test_files_that_the_readme_names_exist():
    named = set(re.findall(r"`(benchmarks/[\w./]+\.py)`", README))
    assert len(named) >= 5
    assert all((PROJECT_ROOT / name).is_file() for name in named)


def test_the_readme_shows_the_floor_of_the_daily_job_and_keeps_the_places_of_the_tables(tmp_path):
    assert daily_floor.FLOOR.strip() in README
    page = tmp_path / "README.md"
    for name in ("big_hub", "daily", "growth", "backfill"):
        page.write_text(README, encoding="utf-8")
        results_file.show(name, "| one |", page=page)
        shown = page.read_text(encoding="utf-8")
        assert f"<!-- {name} -->\n\n| one |\n\n<!-- /{name} -->" in shown
        results_file.show(name, "| another |", page=page)
        assert page.read_text(encoding="utf-8") == shown.replace("| one |", "| another |")
    with pytest.raises(ValueError, match=r"found no <!-- gone --> … <!-- /gone --> in README\.md"):
        results_file.show("gone", "| one |", page=page)
