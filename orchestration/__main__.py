"""The command line behind the Makefile: `prepare`, `run`, `backfill`, `rebuild`, `replicate`, `thin`, `prune`, `demo`, `show`,
`versions`, `rollback`, `publish`, `sql`, `export`, `notebook`, `ui`.
It starts jobs and prints what came out; what a job does belongs in `defs/` and the packages below it."""

import argparse
import logging
import os
import re
import shutil
import signal
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

from orchestration.settings import PROJECT_ROOT, Settings

DEMO_DAYS = 8
# Twice what a walk of the whole Hub takes without a token; whoever waits longer has come upon something that hangs. 2026-11-29.
WAIT_SECONDS = 12 * 3600


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="make the Dagster home and dbt's manifest")
    run = commands.add_parser("run", help="run the daily job against the Hub that the settings name")
    run.add_argument("--day", type=date.fromisoformat, help="snapshot day (default: today, UTC)")
    run.add_argument("--force", action="store_true", help="fetch a landed day again; the earlier revision is kept")
    past = commands.add_parser("backfill", help="run the daily job for past days, from the archives")
    past.add_argument("--first", type=date.fromisoformat, required=True, help="first snapshot day")
    past.add_argument("--last", type=date.fromisoformat, required=True, help="last snapshot day")
    past.add_argument("--source", default="auto", help="auto (the default), hub_stats or weekly")
    past.add_argument("--force", action="store_true", help="fetch landed days again; earlier revisions are kept")
    commands.add_parser("rebuild", help="build all landed days anew, after a change of a seed or a rule")
    commands.add_parser("replicate", help="land the days of two reported figures and print ours beside them")
    commands.add_parser("thin", help="thin old landed days to what history needs, and remove leftovers")
    commands.add_parser("prune", help="remove old runs from Dagster's storage and give the room back")
    commands.add_parser("demo", help="run several days against the sandbox Hub on the bundled sample")
    commands.add_parser("show", help="print the headline table of the published version")
    commands.add_parser("versions", help="list the published versions, and which one analysts see")
    back = commands.add_parser("rollback", help="take analysts back to an older version; the warehouse stays as it is")
    back.add_argument("version", help="its id, as `versions` lists it")
    back.add_argument("--reason", default="", help="why, for whoever reads status.json")
    elsewhere = commands.add_parser("publish", help="publish tables that Spark has handed over, through the same gates")
    elsewhere.add_argument("tables", type=Path, help="folder that orchestration.spark.build has written them into")
    query = commands.add_parser("sql", help="a prompt on the published version, or one query, read-only")
    query.add_argument("query", nargs="?", help="one query; without it DuckDB's prompt opens")
    export = commands.add_parser("export", help="write a public table of the published version as CSV")
    export.add_argument("table", help="its name, as `show all tables` lists it")
    export.add_argument(
        "--to", default="", help="file, folder or - for standard output (default: exports/ in the home)"
    )
    export.add_argument("--where", default="", help="only rows that meet this condition, in SQL")
    export.add_argument("--raw", action="store_true", help="without the guard against formulas in spreadsheets")
    commands.add_parser("notebook", help="a notebook on the published version, on 127.0.0.1")
    look = commands.add_parser("ui", help="Dagster's UI and daemon on 127.0.0.1:3000")
    look.add_argument(
        "--read-only", action="store_true", help="for who may only look, on the next port, without a daemon"
    )
    asked = parser.parse_args(arguments)
    # Progress of hours-long walks comes through this logger; everything else prints results.
    console = logging.StreamHandler(sys.stdout)
    console.setFormatter(_WithoutRunId("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[console])
    logging.getLogger("observatory").setLevel(logging.INFO)
    # Who started a command sees at once why it failed, and may start it again.
    settings = Settings().model_copy(update={"step_retries": 0})
    if asked.command == "prepare":
        return prepare(settings)
    if asked.command == "run":
        return run_day(settings, asked.day or datetime.now(UTC).date(), force=asked.force)
    if asked.command == "backfill":
        return backfill(settings, asked.first, asked.last, source=asked.source, force=asked.force)
    if asked.command == "rebuild":
        return rebuild(settings)
    if asked.command == "replicate":
        return replicate(settings)
    if asked.command == "thin":
        return thin(settings)
    if asked.command == "prune":
        return prune(settings)
    if asked.command == "demo":
        return demo(settings)
    if asked.command == "versions":
        return versions(settings)
    if asked.command == "rollback":
        return rollback(settings, asked.version, asked.reason)
    if asked.command == "publish":
        return publish(settings, asked.tables)
    if asked.command == "sql":
        return sql_alone(settings, asked.query) if asked.query else prompt(settings)
    if asked.command == "export":
        return export_csv(settings, asked.table, to=asked.to, where=asked.where, raw=asked.raw)
    if asked.command == "notebook":
        return notebook(settings)
    if asked.command == "ui":
        return ui(settings, read_only=asked.read_only)
    return show(settings)


class _WithoutRunId(logging.Formatter):
    """Dagster puts job, run and step before each line; one run on one terminal doesn't need them."""

    def format(self, record: logging.LogRecord) -> str:
        return "  " + re.sub(r"^daily_snapshot - [0-9a-f-]{36} - (\w+ - )?", "", super().format(record))


def prepare(settings: Settings) -> int:
    """Make what definitions need to load: dbt's manifest and Dagster's own home. Idempotent."""
    from orchestration.defs.transform.dbt_in_process import DbtInProcess

    dagster_home(settings)
    DbtInProcess().write_manifest()
    return 0


def dagster_home(settings: Settings) -> Path:
    """Dagster's storage under the observatory's home, with our settings for it."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(settings.dagster_yaml, settings.dagster_home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    return settings.dagster_home


def run_day(settings: Settings, day: date, *, force: bool = False) -> int:
    """The daily job for one day."""
    return show(settings) if run_days(settings, [day], force=force) else 1


def backfill(settings: Settings, first: date, last: date, *, source: str = "auto", force: bool = False) -> int:
    """The daily job for all days from the first to the last: one run, or as many as DuckDB's memory asks for, each of which
    publishes. One that fails stops its own days only."""
    from orchestration.defs.parts import ROWS_AT_ONCE, parts_of, rows_expected

    days = [date.fromordinal(ordinal) for ordinal in range(first.toordinal(), last.toordinal() + 1)]
    if not days:
        say(f"Found the days {first} to {last}; expected the first not to be after the last. Correct them.")
        return 2
    published = []
    while days:
        # anew each time: how many rows a day has is known once the first has landed
        part = parts_of(days, rows_expected(settings, days), ROWS_AT_ONCE)[0]
        if len(part) < len(days) or published:
            say(f"\n{part[0]} to {part[-1]}: {len(part)} day(s) in this run, {len(days) - len(part)} after it")
        published.append(run_days(settings, part, source=source, force=force))
        days = days[len(part) :]
    return (show(settings) if any(published) else 1) or int(not all(published))


def run_days(settings: Settings, days: list[date], *, source: str = "auto", force: bool = False) -> bool:
    """The daily job for the days, as one run. Says why, and gives False, if it did not publish."""
    succeeded, reasons = launch(settings, days, source=source, force=force)
    if not succeeded:
        say(f"\nSnapshot {_listed(sorted({days[0], days[-1]}))} was not published.")
        for reason in reasons:
            say(f"  {reason}")
        say("What to do: RUNBOOK.md has a paragraph for each promise. Readers keep the last published version.")
    return succeeded


def rebuild(settings: Settings) -> int:
    """All landed days anew: what a change of a seed or a rule makes of history."""
    import dagster as dg

    dagster_home(settings)
    from orchestration.definitions import defs
    from orchestration.defs.rebuild import rebuild as rebuild_history
    from orchestration.defs.transform.dbt_in_process import DbtInProcess
    from orchestration.publishing import PublishingError

    try:
        with dg.DagsterInstance.get() as instance:
            job = defs().resolve_job_def("daily_snapshot")
            reasons = rebuild_history(settings, dbt=DbtInProcess(), job=job, instance=instance)
    except PublishingError as error:
        reasons = [str(error)]
    if reasons:
        say(
            "\nHistory was not rebuilt; what is published, and the warehouse that the next run starts from, are the old ones."
        )
        for reason in reasons:
            say(f"  {reason}")
        return 1
    return show(settings)


def replicate(settings: Settings) -> int:
    """Land the archive's revisions nearest to two reported figures, in a home of their own, and print ours beside them."""
    from orchestration.hub.archive import ARCHIVES, nearest_revision
    from orchestration.hub.archive_client import ArchiveClient
    from orchestration.hub.errors import ObservatoryError
    from orchestration.publishing.replication import DAYS_WANTED, FARTHEST_DAYS, replication_table

    settings = settings.model_copy(update={"home": settings.home / "replication", "archives": "hub_stats"})
    try:
        with ArchiveClient(settings) as archive:
            nearest = [nearest_revision(archive, ARCHIVES["hub_stats"], day) for day in DAYS_WANTED]
    except ObservatoryError as error:
        say(str(error))
        return 1
    days = set()
    for wanted, revision in zip(DAYS_WANTED, nearest, strict=True):
        if revision is None or abs((revision.snapshot_date - wanted).days) > FARTHEST_DAYS:
            near = f"; the nearest is of {revision.snapshot_date}" if revision else ""
            say(f"{wanted}: the archive has no revision within {FARTHEST_DAYS} days{near}")
        else:
            say(f"{wanted}: revision {revision.sha[:12]} of {revision.snapshot_date}")
            days.add(revision.snapshot_date)
    if not days:
        say("Nothing to compare with what was reported. Expected a revision near one of these days.")
        return 1
    for day in sorted(days):
        succeeded, reasons = launch(settings, [day], source="hub_stats")
        if not succeeded:
            say(f"\nSnapshot {day} was not published.")
            for reason in reasons:
                say(f"  {reason}")
            return 1
    table = replication_table(settings)
    written = settings.home / "replication.md"
    written.write_text(table, encoding="utf-8")
    say("\n" + table)
    say(f"Written to {_relative(written)}; to ask on: OBSERVATORY_HOME={_relative(settings.home)} make sql QUERY=…")
    return 0


def thin(settings: Settings) -> int:
    """Old landed days thinned to what history needs."""
    from orchestration.hub.errors import ObservatoryError
    from orchestration.landing.retention import plan
    from orchestration.landing.retention import thin as thin_days
    from orchestration.publishing import checkpoint

    try:
        checkpoint.hold(settings)  # no run may read a day while its files change places
        retained = thin_days(settings, progress=say)
    except ObservatoryError as error:
        say(str(error))
        return 1
    for item in plan(settings):
        say(f"  {item.snapshot_date}: {item.reason}")
    say(
        f"{len(retained.thinned)} day(s) thinned from {retained.bytes_before / 1e6:,.1f} to "
        f"{retained.bytes_after / 1e6:,.1f} MB, {retained.kept_full} in full, {retained.thinned_earlier} thinned before; "
        f"{len(retained.removed)} leftover(s) of {retained.bytes_removed / 1e6:,.1f} MB removed"
    )
    return 0


def prune(settings: Settings) -> int:
    """Old runs out of Dagster's storage, as the daemon does hour by hour, and the room given back to the disk."""
    import dagster as dg

    from orchestration.defs.run_retention import prune_runs, vacuum

    dagster_home(settings)
    with dg.DagsterInstance.get() as instance:
        while (pruned := prune_runs(instance, settings.keep_runs)).runs:
            say(f"{pruned}")
        vacuum(instance)
    say(f"The newest {settings.keep_runs} ended runs are kept, and of older ones which days they materialised.")
    return 0


def demo(settings: Settings) -> int:
    """Several days of the sandbox Hub, from the bundled sample, through the daily job in one ranged run."""
    from orchestration.sandbox.demo import write_demo_world
    from orchestration.sandbox.server import SandboxHub

    started = time.monotonic()
    say(
        "Making a sandbox Hub from the bundled sample. Counters, later days and the long tail are SIMULATED: no evidence."
    )
    world = write_demo_world(settings.home / "sandbox", days=DEMO_DAYS)
    say(
        f"  {len(world.days)} days from {world.days[0]} to {world.days[-1]}; no capture on {_listed(world.missing_days)}"
    )
    first, last = world.days[0], world.days[-1]
    with SandboxHub(settings.home / "sandbox", day=first, advance=True) as hub:
        settings = settings.model_copy(update={"hub_endpoint": hub.url})
        days = [date.fromordinal(ordinal) for ordinal in range(first.toordinal(), last.toordinal() + 1)]
        succeeded, reasons = launch(settings, days)
    if not succeeded:
        say("\nThe demo's run failed:")
        for reason in reasons:
            say(f"  {reason}")
        return 1
    show(settings)
    say(f"Took {time.monotonic() - started:.0f} s. Look at the runs: make ui")
    return 0


def launch(
    settings: Settings, days: list[date], *, source: str = "auto", force: bool = False
) -> tuple[bool, list[str]]:
    """Run `daily_snapshot` here for the days, as one run. Give whether it succeeded, and the reasons if not."""
    import dagster as dg

    dagster_home(settings)
    from orchestration.definitions import defs
    from orchestration.defs.alerts.findings import failed_checks_of, failures_of
    from orchestration.defs.lost_runs import end, runs_without_a_process
    from orchestration.defs.run_days import tags_of_range
    from orchestration.defs.run_retention import prune_runs
    from orchestration.publishing import WarehouseBusy, checkpoint

    try:
        checkpoint.hold(settings, wait_seconds=WAIT_SECONDS, tell=say)
    except WarehouseBusy as error:
        return False, [str(error)]
    job = defs().resolve_job_def("daily_snapshot")
    with dg.DagsterInstance.get() as instance:
        for lost in runs_without_a_process(instance):
            end(instance, lost.run_id)
        prune_runs(instance, settings.keep_runs)  # where no daemon runs, this is all that bounds its storage
        result = job.execute_in_process(
            instance=instance,
            tags=tags_of_range(days[0], days[-1]),
            resources={"settings": settings},
            raise_on_error=False,
            run_config={
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                "ops": {"hub_models": {"config": {"source": source, "force": force}}},
            },
        )
        reasons = [*failed_checks_of(instance, result.run_id), *failures_of(instance, result.run_id)]
        return result.success, [] if result.success else reasons


def show(settings: Settings) -> int:
    """The headline table of the published version, and where everything is."""
    from orchestration.publishing import NothingPublished
    from orchestration.publishing.headline import headline_table
    from orchestration.publishing.terminal import printable

    try:
        say(printable(headline_table(settings)))
    except NothingPublished as error:
        say(printable(str(error)))
        return 1
    current = settings.published_dir / "current"
    say(f"Report:   {_relative(current / 'report' / 'index.html')}")
    say(f"Database: {_relative(current / 'observatory.duckdb')}")
    return 0


def versions(settings: Settings) -> int:
    """The published versions on the disk, newest first."""
    from orchestration.publishing import PublishingError, versions_table
    from orchestration.publishing.terminal import printable

    try:
        say(printable(versions_table(settings)))
    except PublishingError as error:
        say(printable(str(error)))
        return 1
    return 0


def rollback(settings: Settings, version_id: str, why: str) -> int:
    """An older version made current again, and what is left to be done."""
    from orchestration.publishing import PublishingError, roll_back, what_is_next

    try:
        replaced, version = roll_back(settings, version_id, why=why)
    except PublishingError as error:
        say(str(error))
        return 1
    say(
        f"Analysts see version {version.version_id} again, with data up to {version.snapshot_date}; status.json says so.\n"
    )
    say(what_is_next(replaced))
    return 0


def publish(settings: Settings, tables: Path) -> int:
    """What another engine has built, through the gates of the daily job to a version."""
    from orchestration.publishing import PublishingError
    from orchestration.publishing.terminal import printable
    from orchestration.spark.publish import publish_from_spark

    try:
        version = publish_from_spark(settings, tables)
    except PublishingError as error:
        say(printable(str(error)))
        return 1
    say(f"Published version {version.version_id}, with data up to {version.snapshot_date}: make show")
    return 0


def sql_alone(settings: Settings, query: str) -> int:
    """The same in a process that does nothing else, and may then write no file and start no program."""
    from orchestration.publishing.confine import confine
    from orchestration.publishing.query import work_folder

    confine(writable=[work_folder(settings)])
    return sql(settings, query)


def sql(settings: Settings, query: str) -> int:
    """One query on the published version, as an analyst's tool would run it."""
    import duckdb

    from orchestration.publishing import PublishingError, open_current
    from orchestration.publishing.query import is_simulated, refuse_writing
    from orchestration.publishing.terminal import printable

    try:
        with open_current(settings) as connection:
            refuse_writing(query)
            if is_simulated(connection):
                say("SIMULATED: made-up days, no evidence of anything")
            say(printable(str(connection.sql(query))))
    except PublishingError as error:
        say(printable(str(error)))
        return 1
    except duckdb.Error as error:
        say(printable(f"DuckDB could not answer the query. Found: {error}"))
        say(
            "Expected one statement that reads. The tables and columns: `show all tables`, or DICTIONARY.md beside the database."
        )
        return 1
    return 0


def prompt(settings: Settings) -> int:
    """DuckDB's own prompt on the published version."""
    from orchestration.publishing import NothingPublished
    from orchestration.publishing.prompt import open_prompt

    try:
        return open_prompt(settings)
    except NothingPublished as error:
        say(str(error))
        return 1


def export_csv(settings: Settings, table: str, *, to: str, where: str, raw: bool) -> int:
    """A public table as CSV; where it is goes to standard error, since the rows may go to standard output."""
    import duckdb

    from orchestration.publishing import PublishingError
    from orchestration.publishing.export import export_table
    from orchestration.publishing.terminal import printable

    try:
        exported = export_table(settings, table, to=to, where=where, guard=not raw)
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (PublishingError, duckdb.Error, OSError) as error:
        print(printable(str(error)), file=sys.stderr)  # noqa: T201 - a command line's output
        return 1
    mark = "SIMULATED · " if exported.is_simulated else ""
    where_to = f" to {_relative(exported.path)}" if exported.path else ""
    said = f"{mark}{exported.rows:,} rows of {table}, version {exported.version_id},{where_to}".rstrip(",")
    print(printable(said), file=sys.stderr)  # noqa: T201 - a command line's output
    return 0


def notebook(settings: Settings) -> int:
    """Hand this process over to the notebook's server, on this machine's own address only."""
    from orchestration.notebooks.serve import serve
    from orchestration.publishing import NothingPublished

    try:
        return serve(settings)
    except NothingPublished as error:
        say(str(error))
        return 1


def ui(settings: Settings, *, read_only: bool = False) -> int:
    """Hand this process over to Dagster's web server and daemon, on this machine's own address only: it has no login.

    `read_only` is a second web server, on the next port, that launches and changes nothing, beside the first one's daemon.
    """
    dagster_home(settings)
    # the daemon may be there before the code is: a backfill then waits in place of failing
    os.environ.setdefault("DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR", "1")
    name, command = ("dagster-webserver", ["--read-only"]) if read_only else ("dagster", ["dev"])
    program = str(Path(sys.executable).with_name(name))
    address = ["--host", "127.0.0.1", "--port", str(settings.ui_port + read_only)]
    os.execv(program, [program, *command, *address, "--workspace", str(PROJECT_ROOT / "workspace.yaml")])


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line's output


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _listed(days) -> str:
    return ", ".join(str(day) for day in days) or "no day"


def main_of_a_pipe() -> int:
    """The command; quiet if whoever reads its output has seen enough (`… | head`), with the exit code of that signal."""
    try:
        code = main()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main_of_a_pipe())
