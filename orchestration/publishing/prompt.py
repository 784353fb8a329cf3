"""DuckDB's own prompt on the current version: read-only, shut off from files and programs, and clean for a terminal.
What locks the database is in `query.py`, the kernel's wall in `confine.py`; here they are put around the program."""

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import tty
from importlib.util import find_spec
from pathlib import Path

from orchestration.publishing.confine import can_confine, confine
from orchestration.publishing.current import Version
from orchestration.publishing.query import lock_down, open_version, public_tables, resolve, version_to_open, work_folder
from orchestration.publishing.terminal import PromptFilter
from orchestration.settings import Settings

HISTORY = "history"
CHUNK_BYTES = 65_536
END_OF_INPUT = b"\x04"
SOMETHING_FAILED = 1  # the program's status if any statement of the session did
# `mixed` keeps the program from asking the terminal for its colour; a pager couldn't be started.
BEFORE = (".startup_text none", ".highlight_mode mixed", ".pager off")
AFTER = (".safe_mode",)
FIRST_QUERY = "from marts.mart_headline_claims;"


def open_prompt(settings: Settings) -> int:
    """Hand the terminal to DuckDB's prompt until it is left; give its exit status. With a pipe in place of a terminal it
    answers what comes through it. **This process may write no files and start no programs afterwards.**

    Raises `NothingPublished` before the first publication.
    """
    version = version_to_open(settings)
    work = work_folder(settings)
    folder = Path(tempfile.mkdtemp(dir=work))
    try:
        (folder / "init.sql").write_text(opening(version, spill=folder / "spill"), encoding="utf-8")
        command = [str(program()), "-readonly", "-init", str(folder / "init.sql"), str(version.database)]
        os.environ["DUCKDB_HISTORY"] = str(work / HISTORY)
        # `.pager` and `.edit` start programs in safe mode, too (1.5.5); only the kernel keeps them from it.
        confine(writable=[work], programs=[program()])
        sys.stdout.write(welcome(settings, version) + "\n")
        sys.stdout.flush()
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return in_pipe(command)
        status = in_terminal(command)
        return 0 if status == SOMETHING_FAILED else status  # a person has seen it; make need not say so again
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def program() -> Path:
    """DuckDB's command line, from the wheel: its Python wrapper would look for extensions, which are off."""
    return Path(find_spec("duckdb_cli").origin).with_name("duckdb").resolve()


def opening(version: Version, *, spill: Path) -> str:
    """What the prompt reads before it obeys anyone; it ends if one of these fails."""
    # Safe mode sets the last lock itself, and says so loudly where it is set already.
    locks = [f"{statement};" for statement in [resolve(version.path), *lock_down(version.path, spill=spill)]]
    left_to_safe_mode = ("set enable_external_access", "set lock_configuration")
    kept = [statement for statement in locks if not statement.startswith(left_to_safe_mode)]
    return "\n".join([*BEFORE, *kept, *AFTER, ""])


def welcome(settings: Settings, version: Version) -> str:
    """Three lines: what is open, how to look round, what to ask first and how to leave."""
    mark = "SIMULATED, no evidence of anything · " if version.manifest["is_simulated"] else ""
    wall = "" if can_confine() else " (this system has no Landlock: `.pager` and `.edit` can start programs)"
    with open_version(settings, version) as connection:
        has_examples = "examples" in public_tables(connection)
    ask = "questions with their SQL: from marts.examples;" if has_examples else f"try: {FIRST_QUERY}"
    return (
        f"{mark}version {version.version_id}, days up to {version.snapshot_date}, read-only{wall}\n"
        "tables: show all tables; · columns: describe marts.mart_daily_country_share; · meanings: DICTIONARY.md beside it\n"
        f"{ask} · leave: .quit"
    )


def in_terminal(command: list[str]) -> int:
    """The program in a pseudo-terminal of its own, so that what it writes passes our filter before it is shown."""
    process, inner = pty.fork()
    if process == 0:
        try:
            # Before the program asks: without a size it would ask the terminal itself, past our filter.
            _resize(0, to=0)
            os.execv(command[0], command)
        finally:
            os._exit(127)
    outer = sys.stdin.fileno()
    keys, follower = termios.tcgetattr(outer), signal.getsignal(signal.SIGWINCH)
    try:
        signal.signal(signal.SIGWINCH, lambda *_: _resize(outer, to=inner))
        _resize(outer, to=inner)
        tty.setraw(outer)
        _relay(inner, outer, PromptFilter(allow_colours=True))
    finally:
        termios.tcsetattr(outer, termios.TCSAFLUSH, keys)
        signal.signal(signal.SIGWINCH, follower)
        os.close(inner)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _relay(inner: int, outer: int, clean: PromptFilter) -> None:
    """Keys to the program and its words to the screen, until it ends."""
    sources = [inner, outer]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if inner in ready:
            shown = _read(inner)
            sys.stdout.buffer.write(clean(shown))
            sys.stdout.buffer.flush()
            if not shown:
                return
        if outer in ready:
            typed = _read(outer)
            os.write(inner, typed or END_OF_INPUT)
            if not typed:
                sources.remove(outer)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except OSError:  # how Linux says that the program at the other end of a pseudo-terminal has gone
        return b""


def _resize(window: int, *, to: int) -> None:
    """Give the pseudo-terminal the window's size, or that of a classic terminal where it has none."""
    size = struct.unpack("HHHH", fcntl.ioctl(window, termios.TIOCGWINSZ, b"\0" * 8))
    fcntl.ioctl(to, termios.TIOCSWINSZ, struct.pack("HHHH", size[0] or 24, size[1] or 80, 0, 0))


def in_pipe(command: list[str]) -> int:
    """The program on our standard input, its answers and errors on our standard output, each as plain text."""
    clean = PromptFilter(allow_colours=False)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        while chunk := running.stdout.read1(CHUNK_BYTES):
            sys.stdout.buffer.write(clean(chunk))
            sys.stdout.buffer.flush()
        sys.stdout.buffer.write(clean(b""))
        sys.stdout.buffer.flush()
    return running.returncode
