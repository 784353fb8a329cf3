"""What the README's ways in show is run on a real published version: each command answers, and with the same columns.
The version is a small one of made-up rows; the values that are shown are those of the demo."""

import os
import re
import subprocess
import sys
from datetime import date

import pytest

from orchestration.publishing import build_candidate, publish_candidate
from orchestration.settings import PROJECT_ROOT, Settings
from tests.publishing.warehouse import PASSED, write_warehouse

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("\n## Ways in\n") : README.index("\n## Where days come from\n")]
SHOWN = re.findall(r"^```(sh|python)\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", SECTION, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("ways-in") / "home")
    write_warehouse(settings.warehouse_path)
    import duckdb

    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            "create or replace table marts.fct_releases as select '0001' as release_id, 'CN' as country_code"
        )
        connection.execute("comment on table marts.fct_releases is 'One row per release.'")
        for column in ("release_id", "country_code"):
            connection.execute(f"comment on column marts.fct_releases.{column} is 'Its {column}.'")
        connection.execute(
            "update marts.dim_models set created_at = timestamp '2026-10-01 12:00:00', uploader_country = 'CN'"
        )
    candidate = build_candidate(
        settings, version_id="2026-10-13-626728c7", run_id="run-1", snapshot_dates=[date(2026, 10, 13)]
    )
    publish_candidate(settings, candidate, quality=[PASSED])
    return settings


def run(language: str, text: str, settings: Settings) -> str:
    """What a reader sees who types it, in a checkout that is set up; the home is elsewhere."""
    text = text.replace("data/published", f"{settings.home}/published")
    if language == "sh":
        text = text.replace("make ", "make --silent --old-file=setup ").replace(
            ".venv/bin/", f"{os.path.dirname(sys.executable)}/"
        )
    command = ["sh", "-ec", text] if language == "sh" else [sys.executable, "-c", text]
    environment = {**os.environ, "OBSERVATORY_HOME": str(settings.home)}
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=PROJECT_ROOT,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def shape(output: str) -> list[str]:
    """Column names of a table, and the lines that say what it is, without numbers."""
    header = next((line for line in output.splitlines() if line.startswith(("│", "  country_code"))), "")
    said = [line for line in output.splitlines() if line.startswith(("SIMULATED", "tables:", "try:"))]
    return [*re.findall(r"[a-z_0-9]+", header), *[re.sub(r"\d+|to .*", "", line).strip(", ") for line in said]]


def test_there_are_all_the_ways():
    everything = "\n".join(text for _, text, _ in SHOWN)
    for way in (
        "make sql QUERY=",
        "| make sql",
        "duckdb -readonly",
        "duckdb.connect",
        "open_current",
        "read_parquet",
        "make export",
    ):
        assert way in everything


@pytest.mark.parametrize(("language", "text", "output"), SHOWN, ids=[text.split("\n")[0][:40] for _, text, _ in SHOWN])
def test_the_command_answers_as_shown(published, language, text, output):
    found = run(language, text, published)

    assert found.strip()
    if output:
        assert shape(found) == shape(output)
