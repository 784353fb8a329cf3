"""README and CONTRIBUTING tell the truth: commands, tables, paths and settings in them exist, and their SQL runs."""

import re
from pathlib import Path

import duckdb
import pytest

from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.publishing.candidate import TABLE_KEYS
from orchestration.settings import PROJECT_ROOT, Settings

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
# State, not part of the repository; or a name that only looks like a path.
NOT_FILES = {"landing/_incomplete", "published/current", "published/status.json", "alerts.jsonl", "manifest.json"}


@pytest.fixture(scope="module")
def marts() -> dict:
    """The public tables as the dbt project declares them."""
    nodes = DbtInProcess().manifest.nodes.values()
    return {node.name: node for node in nodes if node.resource_type == "model" and node.fqn[1] == "marts"}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*##", MAKEFILE, flags=re.MULTILINE))


def test_readme_and_makefile_name_the_same_commands():
    table = README[README.index("## Two commands") : README.index("## The tables")]
    assert set(re.findall(r"^\| `make ([a-z]+)", table, flags=re.MULTILINE)) == make_targets()


@pytest.mark.parametrize("page", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_command_that_is_named_exists(page):
    assert set(re.findall(r"`make ([a-z]+)", page)) <= make_targets()


@pytest.mark.parametrize("page", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_path_that_is_named_exists(page):
    named = {path for path in re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.\w{2,5})`", page)}
    linked = set(re.findall(r"\]\(([\w./-]+)\)", page))
    for path in (named | linked) - NOT_FILES:
        if path.split("/")[0] in {"orchestration", "dbt_project", "tests", ".ci"} or path in linked:
            assert (PROJECT_ROOT / path).exists(), path


def test_the_flow_s_packages_are_where_the_layout_says():
    layout = README[README.index("## Layout") : README.index("## Licence")]
    for folder in re.findall(r"`(\w+)/`", layout):
        assert (PROJECT_ROOT / folder).is_dir() or (PROJECT_ROOT / "orchestration" / folder).is_dir(), folder


def test_every_table_is_listed_and_every_listed_table_exists(marts):
    table = README[README.index("## The tables") : README.index("The four metrics")]
    listed = set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE))
    assert listed == set(marts) == set(TABLE_KEYS)


def sql_blocks() -> list[str]:
    return re.findall(r"```sql\n(.*?)```", README, flags=re.DOTALL)


def test_there_is_sql_to_read():
    assert len(sql_blocks()) >= 2


@pytest.mark.parametrize("query", sql_blocks(), ids=lambda query: re.search(r"from (\S+)", query).group(1))
def test_sql_in_the_readme_runs_on_the_tables_of_the_contracts(query, marts):
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        for name, node in marts.items():
            columns = ", ".join(f'"{column.name}" {column.data_type}' for column in node.columns.values())
            connection.execute(f"create table marts.{name} ({columns})")
        assert connection.execute(query).fetchall() == []


def test_every_setting_is_in_the_readme_and_in_the_example_with_its_default():
    example = dict(
        line.split("=", 1)
        for line in (PROJECT_ROOT / ".env.example").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert set(example) == {f"OBSERVATORY_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        variable = f"OBSERVATORY_{name.upper()}"
        assert f"`{variable}`" in README, variable
        default = "" if field.default is None else str(field.default)
        default = "data" if name == "home" else default
        assert example[variable] == default, variable
        assert f"`{default}`" in README if default else True


def test_the_demo_s_output_is_marked_as_simulated():
    output = README[README.index("```text") :]
    assert output.splitlines()[1].startswith("SIMULATED")
    assert "Nothing in the demo is evidence" in README


def test_the_first_screen_has_a_result_before_anything_to_install():
    assert README.index("```sql") < README.index("make demo")
    assert len(README[: README.index("```sql")].splitlines()) < 10


def tracked_texts() -> list[Path]:
    skipped = {".venv", "data", "target", "__pycache__", ".git", "logs"}
    endings = {".py", ".md", ".sql", ".yml", ".yaml", ".toml", ".csv", ".in", ".lock", ".j2"}
    paths = (path for path in PROJECT_ROOT.rglob("*") if path.suffix in endings and path.is_file())
    return [path for path in paths if not skipped & set(path.relative_to(PROJECT_ROOT).parts)]


def test_no_index_address_is_written_anywhere():
    pattern = re.compile(r"--(extra-)?index-url|registry\s*=|files\.python" + "hosted")
    for path in tracked_texts():
        assert not pattern.search(path.read_text(encoding="utf-8", errors="replace")) or path == Path(__file__), path


def test_the_lock_has_a_hash_for_every_wheel_and_no_address():
    lock = (PROJECT_ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pinned = re.findall(r"^([\w.\[\]-]+)==", lock, flags=re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[\w.\[\]-]+==.*\\\n    --hash=sha256:", lock, flags=re.MULTILINE))
    wanted = re.findall(r"^([\w-]+)", (PROJECT_ROOT / "requirements.in").read_text(), flags=re.MULTILINE)
    assert {name.lower() for name in wanted} <= {name.split("[")[0].lower() for name in pinned}
