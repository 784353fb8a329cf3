"""What the README lists is what there is: commands, tables, pins, layout. Its queries are run in test_queries.py."""

import ast
import importlib
import re
import shlex
import subprocess
import sys

import pytest

from orchestration.quality.suites import MADE_AT_PUBLICATION, PUBLISHED_TABLES
from orchestration.sandbox.__main__ import _parser as sandbox_parser
from orchestration.settings import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading, down to the next heading of its level or above."""
    level = re.search(rf"^(#+) {re.escape(title)}$", README, re.MULTILINE)
    assert level, f"README has no heading {title!r}"
    rest = README[level.end() :]
    following = re.search(rf"^#{{1,{len(level[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def first_cells(text: str) -> list[str]:
    """What stands in backticks at the beginning of each table row."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_table_of_commands_is_the_makefile():
    documented = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
    listed = [command.removeprefix("make ") for command in first_cells(section("Two commands"))]

    assert len(listed) == len(set(listed))
    assert set(listed) == documented


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_make_command_in_the_text_has_a_target(text):
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE))

    assert named
    assert named <= targets


def test_make_understands_the_variables_that_are_shown():
    for name in re.findall(r"\bmake \w+ ([A-Z]+)=", README + CONTRIBUTING):
        assert f"$({name})" in MAKEFILE, name


def test_the_sandbox_takes_the_arguments_that_are_shown():
    commands = re.findall(r"^python -m orchestration\.sandbox (.*)$", README, re.MULTILINE)
    assert commands
    for command in commands:
        sandbox_parser().parse_args(shlex.split(command, comments=True))

    help_text = sandbox_parser().format_help()
    for option in set(re.findall(r"`(--[a-z-]+)", README)):
        assert option == "--help" or option in help_text, option


def test_a_day_can_be_run_as_shown():
    commands = set(re.findall(r"python -m orchestration ([a-z]+)(?: (--[a-z]+))?", README + CONTRIBUTING))
    assert ("run", "--day") in commands
    for command, option in commands:
        shown = subprocess.run(
            [sys.executable, "-m", "orchestration", command, "--help"],
            capture_output=True,
            text=True,
            cwd=PROJECT_ROOT,
            timeout=60,
        )
        assert shown.returncode == 0, shown.stderr
        assert option in shown.stdout


def test_the_table_of_tables_is_what_is_published(marts):
    listed = first_cells(section("The tables").split("###")[0])

    assert len(listed) == len(set(listed))
    assert set(marts) == set(PUBLISHED_TABLES)
    assert set(listed) == set(PUBLISHED_TABLES | MADE_AT_PUBLICATION)


def test_metrics_that_are_named_exist_in_the_data_contract(marts):
    described = marts["mart_daily_country_share"]["columns"]
    named = re.search(r"^Six metrics.*?\n\n", README, re.MULTILINE | re.DOTALL)[0]
    for metric in ("new_trailing_30d", "trailing_30d", "new_created", "all_time", "window", "new_rolling"):
        assert f"`{metric}`" in named
        assert metric in described["metric"]["description"]
    for denominator in ("all", "organizations", "located"):
        assert f"`{denominator}`" in named
        assert denominator in described["denominator"]["description"]


def test_the_output_of_the_demo_says_that_it_is_simulated():
    output = next(block for block in blocks("text") if "country_name" in block)
    rows = [line for line in output.splitlines() if line.startswith("│")][2:]

    assert output.startswith("SIMULATED")
    assert rows
    assert all("SIMULATED" in row for row in rows)


def test_the_readme_says_that_the_demo_is_no_evidence():
    said = " ".join(section("Nothing in the demo is evidence").split())

    assert "No parameter of the simulation depends on a country or aims at a reported share" in said
    assert "no image or video generators" in said
    assert "live Hub has never been reached" in section("Known limits")


def test_pins_that_are_explained_are_the_locked_ones():
    # Spark's own first, so that what both hold is the main lock's
    locks = [
        (PROJECT_ROOT / name).read_text(encoding="utf-8") for name in ("requirements-spark.lock", "requirements.lock")
    ]
    locked = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ \\]+)", "\n".join(locks), re.MULTILINE))
    pins = re.findall(r"([A-Za-z][A-Za-z_-]+) (\d+\.\d+(?:\.\d+)?)\b", section("The stack"))

    assert len(pins) >= 7
    for name, version in pins:
        found = locked[name.lower().replace("_", "-")]
        assert f"{found}.".startswith(f"{version}."), (name, version, found)


def test_the_layout_shows_folders_that_exist():
    folders = first_cells(section("Layout"))

    assert set(folders) >= {"orchestration/hub/", "orchestration/defs/", "dbt_project/", "tests/"}
    assert all((PROJECT_ROOT / folder).is_dir() for folder in folders)


def test_python_that_is_shown_can_be_imported():
    shown = blocks("python")
    assert shown
    for block in shown:
        for statement in ast.parse(block).body:
            if isinstance(statement, ast.ImportFrom):
                module = importlib.import_module(statement.module)
                assert all(hasattr(module, alias.name) for alias in statement.names), ast.unparse(statement)
