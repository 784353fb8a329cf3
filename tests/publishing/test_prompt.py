"""DuckDB's prompt, driven through a pipe and in a real pseudo-terminal: it answers, and can do nothing else."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.publishing import current_version
from orchestration.publishing.confine import can_confine
from orchestration.publishing.files import files_below, sha256_of
from orchestration.settings import PROJECT_ROOT

from .test_terminal import STEERING

COMMAND = [sys.executable, "-m", "orchestration", "sql"]
needs_landlock = pytest.mark.skipif(not can_confine(), reason="this system's kernel has no Landlock")
# What the prompt's own line editor and colours need.
COLOURS = re.compile(r"\x1b\[[0-9;]*[ABCDGHJKm]|\r|\x07|\x08")


def environment(settings, **more: str) -> dict[str, str]:
    return {**os.environ, "OBSERVATORY_HOME": str(settings.home), "TERM": "xterm-256color", **more}


def piped(settings, *lines: str, **more: str) -> str:
    """What the prompt says, on both outputs, to the lines."""
    done = subprocess.run(
        COMMAND,
        input="\n".join(lines) + "\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=PROJECT_ROOT,
        timeout=60,
        env=environment(settings, **more),
    )
    return done.stdout


def state_of(settings) -> dict[str, str]:
    folder = current_version(settings).path
    return {str(path.relative_to(folder)): sha256_of(path) for path in files_below(folder)}


class Terminal:
    """The prompt in a pseudo-terminal, as a person has it."""

    def __init__(self, settings, **more: str) -> None:
        self.process, self.screen = pty.fork()
        if self.process == 0:
            os.chdir(PROJECT_ROOT)
            os.execve(COMMAND[0], COMMAND, environment(settings, **more))
        self.shown, self.status = b"", None

    def ask(self, line: str, until: str) -> str:
        """Type the line, give what is shown until the pattern comes."""
        begins = len(self.shown)
        os.write(self.screen, f"{line}\r".encode())
        return self.wait_for(until, begins)

    def wait_for(self, until: str, begins: int = 0) -> str:
        deadline = time.monotonic() + 40
        while not re.search(until, text := self.shown[begins:].decode(errors="replace")):
            assert time.monotonic() < deadline, f"waited for {until!r}, found {text!r}"
            if select.select([self.screen], [], [], 1)[0]:
                self.shown += os.read(self.screen, 65_536)
        return text

    def close(self) -> int:
        """Leave the prompt; give its exit status, or -9 if it had to be killed."""
        if self.status is None:
            os.write(self.screen, b".quit\r")
            deadline = time.monotonic() + 10
            while (ended := os.waitpid(self.process, os.WNOHANG))[0] == 0:
                if time.monotonic() > deadline:
                    os.kill(self.process, signal.SIGKILL)
                if select.select([self.screen], [], [], 0.1)[0]:
                    with contextlib.suppress(OSError):  # the other end is closed
                        self.shown += os.read(self.screen, 65_536)
            os.close(self.screen)
            self.status = os.waitstatus_to_exitcode(ended[1])
        return self.status


@pytest.fixture
def terminal(analysts_home, tmp_path):
    opened = Terminal(analysts_home, PAGER=f"tee {tmp_path}/paged", EDITOR=f"touch {tmp_path}/edited; true")
    yield opened
    opened.close()


def test_a_question_through_a_pipe_is_answered(analysts_home):
    said = piped(analysts_home, "select count(*) as models from marts.dim_models;")

    welcome, *_ = said.splitlines()
    assert welcome.startswith("SIMULATED")
    assert "version 2026-10-13-1a2b3c4d, days up to 2026-10-13" in welcome
    assert "show all tables" in said
    assert re.search(r"│ +200 │", said)


def test_before_the_first_publication_the_way_out_is_said(settings):
    assert "make demo" in piped(settings, "select 1;")


def test_through_a_pipe_nothing_is_written_read_or_run(analysts_home, tmp_path):
    folder = current_version(analysts_home).path
    before = state_of(analysts_home)
    (tmp_path / ".duckdbrc").write_text(f".shell touch {tmp_path}/from_rc\n", encoding="utf-8")
    (tmp_path / "secret.csv").write_text("secret\n", encoding="utf-8")
    tries = [
        "create table marts.mine as select 1;",
        "delete from marts.dim_models;",
        f"copy (select 1) to '{tmp_path}/copied.csv';",
        f"copy (select 1) to '{folder}/manifest.json' (format csv, use_tmp_file false);",
        f"copy (select 1) to '{folder}/observatory.duckdb' (format csv, use_tmp_file false);",
        f"export database '{tmp_path}/exported';",
        f"attach '{tmp_path}/attached.duckdb' as other;",
        f"select * from read_csv('{tmp_path}/secret.csv');",
        "select * from read_text('/etc/passwd');",
        "select getenv('HOME');",
        "install httpfs;",
        "load httpfs;",
        "set enable_external_access = true;",
        "set lock_configuration = false;",
        f".shell touch {tmp_path}/shell",
        f".system touch {tmp_path}/system",
        f".read {tmp_path}/secret.csv",
        f".import {tmp_path}/secret.csv t",
        f".output {tmp_path}/output",
        f".once {tmp_path}/once",
        f".log {tmp_path}/log",
        f".open {tmp_path}/opened.duckdb",
        f".cd {tmp_path}",
        ".print still here",
    ]
    said = piped(analysts_home, *tries, HOME=str(tmp_path))

    # Each is refused: by the read-only database, by its locks, or by the program's safe mode.
    refused = re.findall(r"Cannot|cannot be used|disabled|read-only", said)
    assert len(refused) >= len(tries) - 2, said
    assert "still here" in said
    assert "root:" not in said
    assert state_of(analysts_home) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".duckdbrc", "secret.csv"]


@needs_landlock
def test_where_duckdb_itself_would_write_the_kernel_says_no(analysts_home):
    folder = current_version(analysts_home).path
    before = state_of(analysts_home)
    said = piped(
        analysts_home,
        f"copy (select 1) to '{folder}/parquet/dim_models.parquet' (use_tmp_file false);",
        f"copy (select 1) to '{folder}/parquet/new.csv';",
        "select count(*) as models from read_parquet(getvariable('observatory') || '/parquet/dim_models.parquet');",
    )

    assert said.count("Permission denied") == 2
    assert re.search(r"│ +200 │", said)
    assert state_of(analysts_home) == before


def test_in_every_mode_hostile_names_come_through_a_pipe_as_plain_text(analysts_home):
    names = "select model_id from marts.dim_models order by repo_id limit 20;"
    modes = [f".mode {mode}\n{names}" for mode in ("duckbox", "csv", "line", "json", "markdown", "list")]
    said = piped(analysts_home, *modes, "select error(model_id) from marts.dim_models where model_id like '%title%';")

    assert said.count("another title") >= 7
    assert not STEERING.search(said)


def test_in_a_terminal_it_answers_and_runs_no_program(terminal, analysts_home, tmp_path):
    before = state_of(analysts_home)
    welcome = terminal.wait_for(r"D ")
    assert "SIMULATED" in welcome
    assert re.search(r"200", terminal.ask("select count(*) as models from marts.dim_models;", r"└"))
    assert "safe mode" in terminal.ask(f".shell touch {tmp_path}/shell", r"-safe mode").replace("-safe", "safe")
    # These two start programs in safe mode, too: only the kernel keeps them from it.
    if can_confine():
        terminal.ask(".edit", r"D ")
        terminal.ask(".pager on", r"D ")
        terminal.ask(f".pager 'touch {tmp_path}/pager'", r"D ")
        terminal.ask("from marts.dim_models;", r"D ")
        terminal.ask(".pager off", r"D ")
    terminal.ask(".mode line", r"D ")
    hostile = terminal.ask(
        "select model_id, 'd' || 'one' as done from marts.dim_models order by repo_id limit 20;", r"done = done"
    )
    hostile += terminal.ask("select error(model_id) from marts.dim_models where model_id like '%title%';", r"Error")
    hostile += terminal.ask("select 'still' || ' here' as alive;", r"still here")

    assert terminal.close() == 0
    assert "another title" in hostile
    assert not STEERING.search(COLOURS.sub("", terminal.shown.decode()))
    assert list(tmp_path.iterdir()) == []
    assert state_of(analysts_home) == before
    assert [path.name for path in (analysts_home.home / "tmp" / "sql").iterdir()] in ([], ["history"])


CONFINED = """
import os, socket, subprocess, sys
from pathlib import Path
from orchestration.publishing.confine import confine
ours, theirs = Path(sys.argv[1]), Path(sys.argv[2])
program = Path(os.path.realpath("/usr/bin/true"))
assert confine(writable=[ours], programs=[program])
(ours / "file").write_text("mine")
(ours / "file").rename(ours / "renamed")
Path("/dev/null").write_text("")
assert subprocess.run([program]).returncode == 0
server = ("127.0.0.1", 9)
for attempt in (
    lambda: (theirs / "new").write_text("x"),
    lambda: (theirs / "old").write_text("x"),
    lambda: (theirs / "old").unlink(),
    lambda: (theirs / "old").rename(ours / "taken"),
    lambda: (theirs / "folder").mkdir(),
    lambda: subprocess.run(["/bin/sh", "-c", "true"]),
):
    try:
        attempt()
    except OSError as error:
        assert error.errno in (1, 13, 18), error
    else:
        raise AssertionError("it was let through")
assert (theirs / "old").read_text() == "theirs"
print("confined")
"""


@needs_landlock
def test_a_confined_process_writes_and_runs_what_it_may_and_nothing_else(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    (theirs / "old").write_text("theirs", encoding="utf-8")
    command = [sys.executable, "-c", CONFINED, str(ours), str(theirs)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT_ROOT, timeout=60)

    assert done.stdout == "confined\n", done.stderr
    assert [path.name for path in theirs.iterdir()] == ["old"]


def test_the_program_is_of_the_engines_version():
    import duckdb

    from orchestration.publishing.prompt import program

    assert Path(program()).is_file()
    shown = subprocess.run([program(), "-version"], capture_output=True, text=True, check=True, timeout=30).stdout
    assert shown.startswith(f"v{duckdb.__version__} ")


def test_whoever_reads_the_answer_may_stop_early(analysts_home):
    """`… | head`: the command ends as the shell's own do, and says nothing of it."""
    with subprocess.Popen(
        [sys.executable, "-m", "orchestration", "sql", "select repeat('x', 3000000) as much"],
        cwd=PROJECT_ROOT, env=environment(analysts_home),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as asked:  # fmt: skip
        asked.stdout.read(10)
        asked.stdout.close()
        assert asked.stderr.read() == b""
    assert asked.returncode == 128 + signal.SIGPIPE
