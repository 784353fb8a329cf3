"""DuckDB's own prompt on the current version: read-only, shut off from files and programs, and clean for a terminal.
What locks the database is in `query.py`, the kernel's wall in `confine.py`; here they are put around the program."""

import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from orchestration.publishing.confine import can_confine, confine
from orchestration.publishing.current import Version
from orchestration.publishing.query import lock_down, open_version, public_tables, resolve, version_to_open, work_folder
from orchestration.publishing.terminal import PromptFilter
from orchestration.settings import Settings

HISTORY = "history"
CHUNK_BYTES = 65_536
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
        return in_terminal(command) if sys.stdin.isatty() and sys.stdout.isatty() else in_pipe(command)
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
    clean = PromptFilter(allow_colours=True)

    def read(descriptor: int) -> bytes:
        while True:
            chunk = os.read(descriptor, CHUNK_BYTES)
            shown = clean(chunk)
            if shown or not chunk:  # nothing at all would mean the end to the loop that calls this
                return shown

    before = signal.getsignal(signal.SIGWINCH)
    try:
        return os.waitstatus_to_exitcode(pty.spawn(command, _of_our_size(read)))
    finally:
        signal.signal(signal.SIGWINCH, before)


def _of_our_size(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """The reader, which on its first call gives the pseudo-terminal the window's size, and follows it from then on."""
    followed: set[int] = set()

    def read_and_follow(descriptor: int) -> bytes:
        if descriptor not in followed:
            followed.add(descriptor)
            signal.signal(signal.SIGWINCH, lambda *_: _resize(descriptor))
            _resize(descriptor)
        return read(descriptor)

    return read_and_follow


def _resize(descriptor: int) -> None:
    size = fcntl.ioctl(sys.stdin.fileno(), termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)


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
