"""dbt inside this process: one manifest parsed once, one invocation a layer, the warehouse file let go after each.
Which models exist and what they mean belongs in `dbt_project/`; how their results become Dagster events, in `layers.py`."""

import json
import os
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import dagster as dg

from orchestration.project import dbt_project
from orchestration.publishing.versions import git_revision
from orchestration.settings import PROJECT_ROOT, Settings


@dataclass(frozen=True)
class Layer:
    """What one invocation builds, as dbt selections."""

    select: str
    exclude: str = ""


# In the order in which they are built. A seed changes with a commit, not with a day: its tests run in the test suite, and
# so do those that the marts' gate makes again and blocks at. The quality marts read what the marts' gate writes, so they
# are a step of their own behind it.
LAYERS = {
    "staging": Layer("resource_type:seed path:models/staging", exclude="path:seeds,resource_type:test"),
    "intermediate": Layer("path:models/intermediate"),
    "marts": Layer("path:models/marts", exclude="path:models/marts/quality tag:judged_by_the_gate"),
    "quality_marts": Layer("path:models/marts/quality", exclude="tag:judged_by_the_gate"),
}


class DbtInProcess:
    """Runs dbt commands on the warehouse that the settings name, reusing one parsed manifest for the life of the process.

    A manifest bakes `var()` and `env_var()` of YAML files in at parse time. Nothing that changes per day or per home stands
    there: days come as `--vars` that only SQL reads, paths as environment variables that only macros read.
    """

    @cached_property
    def manifest(self):
        return self._parse("--no-write-json")

    def write_manifest(self) -> None:
        """Parse the project, which leaves the manifest that definitions load from. Raises dg.Failure if it can't."""
        self._parse()

    def _parse(self, *flags: str):
        """What is unchanged since the last parse is taken from there: a second in place of five. dbt holds that against
        the profile as rendered, so that paths, which a manifest knows nothing of, are the same ones each time."""
        from dbt.cli.main import dbtRunner

        home = PROJECT_ROOT / "data"
        with _environment(Settings(home=home), spill=home / "tmp" / "dbt"):
            command = ["--quiet", *flags, "parse", *_folders(dbt_project.project_dir / "target")]
            parsed = dbtRunner().invoke(command)
        if not parsed.success:
            raise dg.Failure(f"dbt could not parse its project: {parsed.exception}. Run: make setup")
        return parsed.result

    def invoke(
        self, command: Sequence[str], settings: Settings, *, days: Sequence[date] = (), run_id: str = ""
    ) -> tuple[list, "object"]:
        """Run one dbt command; give the node events it emitted and its result. Raises nothing for failing nodes.

        `days` empty means every landed day.
        """
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        events: list = []
        variables = {"snapshot_dates": [day.isoformat() for day in days], "run_id": run_id}
        settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
        # DuckDB makes the folder that it spills to, but not the one that this lies in.
        _spill(settings).parent.mkdir(parents=True, exist_ok=True)
        with _environment(settings):
            try:
                # Without JSON: nobody reads the artefacts of a layer, and four copies of the manifest a day take a second.
                result = dbtRunner(manifest=self.manifest, callbacks=[events.append]).invoke(
                    [
                        "--quiet",
                        "--no-write-json",
                        *command,
                        "--vars",
                        json.dumps(variables),
                        *_folders(settings.home / "dbt"),
                    ]
                )
            finally:
                # dbt-duckdb keeps the file open, which would lock out every reader until this process ends.
                DuckDBConnectionManager.close_all_connections()
        return events, result

    def document(self, settings: Settings, folder: Path) -> Path:
        """Write dbt's own documentation of the `manifest.json` in the folder as one page, give its path. No warehouse is
        opened: column types are the dictionary's. Raises dg.Failure if dbt can't."""
        from dbt.cli.main import dbtRunner

        with _environment(settings):
            command = ["--quiet", "docs", "generate", "--static", "--empty-catalog", "--no-compile", *_folders(folder)]
            made = dbtRunner(manifest=self.manifest).invoke(command)
        if not made.success:
            raise dg.Failure(f"dbt could not write its documentation: {made.exception}. Run: make setup")
        return folder / "static_index.html"

    def build(self, select: str, settings: Settings, *, exclude: str = "", days: Sequence[date], run_id: str):
        """Build a selection: seeds, models and data tests. Unit tests belong in the test suite, not in a daily run."""
        # "buildable": a test that compares marts with staging runs with the marts, not when only staging is new.
        command = ["build", "--select", select, "--indirect-selection", "buildable"]
        command += ["--exclude-resource-type", "unit_test"]
        if exclude:
            command += ["--exclude", exclude]
        return self.invoke(command, settings, days=days, run_id=run_id)


def _spill(settings: Settings) -> Path:
    """Each process spills to a folder of its own: two sharing one delete each other's files."""
    return settings.home / "tmp" / f"dbt-{os.getpid()}"


@contextmanager
def _environment(settings: Settings, spill: Path | None = None):
    """The paths that dbt's macros and profile read, and the code's revision, for the time of one call."""
    wanted = {
        "OBSERVATORY_WAREHOUSE": str(settings.warehouse_path),
        "OBSERVATORY_LANDING": str(settings.landing_dir),
        "OBSERVATORY_QUALITY": str(settings.quality_dir),
        "OBSERVATORY_ALERTS": str(settings.alerts_file),
        "OBSERVATORY_PUBLISHED": str(settings.published_dir),
        "OBSERVATORY_REVISION": git_revision(),
        "OBSERVATORY_TEMP": str(spill or _spill(settings)),
        "OBSERVATORY_DUCKDB_MEMORY": settings.duckdb_memory,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # dbt words each of its five thousand events for a log, whatever the log's level; what failed stands in the result,
        # and in Dagster's. Whoever wants its log asks for it.
        "DBT_LOG_LEVEL": os.environ.get("DBT_LOG_LEVEL", "none"),
        "DBT_LOG_LEVEL_FILE": os.environ.get("DBT_LOG_LEVEL_FILE", "none"),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _folders(target: Path) -> list[str]:
    project = str(dbt_project.project_dir)
    return [
        "--project-dir",
        project,
        "--profiles-dir",
        project,
        "--target-path",
        str(target),
        "--log-path",
        str(target / "logs"),
    ]
