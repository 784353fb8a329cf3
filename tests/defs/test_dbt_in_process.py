"""dbt in this process: parsed once, the warehouse let go after each call, and a failure that says what failed and where."""

import json
import os
import subprocess
import sys
from datetime import date

import dagster as dg
import duckdb
import pytest
import yaml

from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.defs.transform.layers import raise_if_failed, raise_if_locked
from orchestration.project import dbt_project
from orchestration.publishing import WarehouseBusy

DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def dbt() -> DbtInProcess:
    return DbtInProcess()


def parsed_from(events) -> list[str]:
    """Names of the events by which dbt tells that it read the project's files."""
    return [event.info.name for event in events if "Parse" in event.info.name]


def test_the_project_is_parsed_once_for_all_calls(dbt, settings):
    manifest = dbt.manifest
    first, _ = dbt.build("countries", settings, days=[DAY], run_id="run-1")
    second, _ = dbt.build("licenses", settings, days=[DAY], run_id="run-2")

    assert dbt.manifest is manifest
    assert parsed_from(first) == parsed_from(second) == []


def test_parsing_leaves_the_manifest_that_the_assets_are_made_of(dbt):
    on_disk = json.loads(dbt_project.manifest_path.read_text())

    assert set(on_disk["nodes"]) == set(dbt.manifest.nodes)


def opened_elsewhere(settings, query: str, *, read_only: bool) -> str:
    """What another process reads: within one process DuckDB shares the file, so only another one meets the lock."""
    program = (
        f"import duckdb; warehouse = duckdb.connect({str(settings.warehouse_path)!r}, read_only={read_only});"
        f"print(warehouse.execute({query!r}).fetchone()[0])"
    )
    opened = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert opened.returncode == 0, opened.stderr
    return opened.stdout.strip()


def test_a_reader_that_has_the_warehouse_open_is_named_and_passes(dbt, settings):
    settings.warehouse_path.parent.mkdir(parents=True)
    duckdb.connect(str(settings.warehouse_path)).close()
    program = f"import duckdb; held = duckdb.connect({str(settings.warehouse_path)!r}, read_only=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}; print('open', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout.readline() == "open\n"
        _, locked_out = dbt.build("countries", settings, days=[DAY], run_id="run-1")
        reader.communicate("\n")
    with pytest.raises(WarehouseBusy, match=rf"PID {reader.pid}"):
        raise_if_locked(settings, locked_out)

    _, result = dbt.build("countries", settings, days=[DAY], run_id="run-1")
    raise_if_locked(settings, result)
    assert result.success


@pytest.mark.parametrize("read_only", [False, True], ids=["writing", "reading"])
def test_after_a_call_another_process_may_open_the_warehouse(dbt, settings, read_only):
    _, result = dbt.build("countries", settings, days=[DAY], run_id="run-1")
    assert result.success

    assert int(opened_elsewhere(settings, "select count(*) from seeds.countries", read_only=read_only)) > 240


def test_also_after_a_failing_call_the_warehouse_is_free(dbt, settings):
    _, result = dbt.build("path:models/staging", settings, days=[DAY], run_id="run-1")
    assert not result.success

    assert opened_elsewhere(settings, "select 1", read_only=False) == "1"


def test_each_home_gets_its_own_warehouse_from_one_manifest(dbt, settings, tmp_path):
    other = settings.model_copy(update={"home": tmp_path / "other"})
    for home in (settings, other):
        _, result = dbt.build("licenses", home, days=[DAY], run_id="run-1")
        assert result.success

    assert settings.warehouse_path.exists()
    assert (tmp_path / "other" / "warehouse" / "observatory.duckdb").exists()


# distinct values of more than 60 MB
OUTGROWING = (
    "select max(text) from (select distinct md5(cast(range as varchar)) || repeat('x', 200) as text from range(400000))"
)


def test_a_query_that_outgrows_its_memory_spills_into_the_home(dbt, settings):
    # DuckDB asks for the folder when it spills first, and fails if the one above is missing
    command = ["run-operation", "run_query", "--args", f"{{sql: \"set memory_limit = '60MB'; {OUTGROWING}\"}}"]
    events, result = dbt.invoke(command, settings)

    assert result.success, [event.info.msg for event in events if event.info.level == "error"]
    assert (settings.home / "tmp").is_dir()


def test_what_every_connection_sets_anew_may_be_set_after_a_spill(tmp_path):
    # a large day failed in its second model: DuckDB doesn't change the folder that it has spilled to
    profile = yaml.safe_load((dbt_project.project_dir / "profiles.yml").read_text(encoding="utf-8"))
    target = profile["open_model_observatory"]["outputs"]["duckdb"]
    assert {"memory_limit", "temp_directory"} <= target["config_options"].keys()
    options = target["config_options"] | {"memory_limit": "60MB", "temp_directory": str(tmp_path / "spilled")}
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), config=options) as warehouse:
        warehouse.execute(OUTGROWING)
        assert (tmp_path / "spilled").is_dir()
        for name, value in target["settings"].items():
            warehouse.cursor().execute(f"set {name} = '{value}'")


def test_the_environment_is_as_before_and_nothing_is_written_into_the_project(dbt, settings):
    before = dict(os.environ)
    artefacts = dbt_project.project_dir / "target"
    written = {path: path.stat().st_mtime_ns for path in artefacts.glob("*.json")}

    dbt.build("licenses", settings, days=[DAY], run_id="run-1")

    assert dict(os.environ) == before
    assert {path: path.stat().st_mtime_ns for path in artefacts.glob("*.json")} == written
    assert list((settings.home / "dbt" / "run").rglob("licenses.csv"))


def test_dbt_writes_its_log_when_asked_and_no_line_otherwise(dbt, settings, monkeypatch, capfd):
    log = settings.home / "dbt" / "logs" / "dbt.log"
    _, result = dbt.build("path:models/staging", settings, days=[DAY], run_id="run-1")
    assert not result.success
    assert not log.exists()
    assert capfd.readouterr().out == ""

    monkeypatch.setenv("DBT_LOG_LEVEL_FILE", "debug")
    dbt.build("licenses", settings, days=[DAY], run_id="run-2")
    assert "licenses" in log.read_text(encoding="utf-8")


def test_days_and_run_reach_dbt(dbt, settings):
    _, result = dbt.build("licenses", settings, days=[DAY, date(2026, 11, 25)], run_id="run-1")

    assert result.success
    assert result.result.args["vars"] == {"snapshot_dates": ["2026-11-24", "2026-11-25"], "run_id": "run-1"}


def test_a_failing_model_stops_the_layer_and_names_itself_and_the_cause(dbt, settings):
    _, result = dbt.build("path:models/staging", settings, days=[DAY], run_id="run-1")

    with pytest.raises(dg.Failure) as failure:
        raise_if_failed("staging", result)

    said = failure.value.description
    assert "dbt nodes of layer staging failed; nothing of this run is published." in said
    assert "- model.open_model_observatory.stg_hub__models: error." in said
    assert "found no file" in said
    assert "snapshot_date=2026-11-24/*.parquet, expected a landed day; land it first" in said
    assert "re-run the day once the cause is mended" in said


def test_a_failing_data_test_stops_the_layer_too(dbt, settings):
    """Not only SQL that breaks: a warehouse whose rows break a promise."""
    _, built = dbt.build("countries", settings, days=[DAY], run_id="run-1")
    assert built.success
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("insert into seeds.countries select * from seeds.countries where country_code = 'FR'")

    _, result = dbt.invoke(["test", "--select", "countries"], settings, days=[DAY])
    with pytest.raises(dg.Failure, match=r"countries.*: fail\. Got 1 result"):
        raise_if_failed("seeds", result)


@pytest.mark.parametrize("memory", ["1MB", "500KB"])  # a model fails, or the connection before any model
def test_too_little_memory_says_what_to_do(dbt, settings, memory):
    _, result = dbt.build(
        "countries", settings.model_copy(update={"duckdb_memory": memory}), days=[DAY], run_id="run-1"
    )
    assert (result.exception is None) == (memory == "1MB")

    with pytest.raises(dg.Failure) as failure:
        raise_if_failed("seeds", result)

    assert "Out of Memory Error" in failure.value.description
    assert "run fewer days at once" in failure.value.description


def test_a_command_that_dbt_does_not_know_is_said_as_it_stands(dbt, settings):
    _, result = dbt.invoke(["build", "--selekt", "countries"], settings)

    with pytest.raises(dg.Failure, match=r"dbt stopped in layer staging: No such option.*--selekt"):
        raise_if_failed("staging", result)


def test_a_layer_that_went_well_raises_nothing(dbt, settings):
    _, result = dbt.build("countries", settings, days=[DAY], run_id="run-1")

    assert raise_if_failed("seeds", result) is None
