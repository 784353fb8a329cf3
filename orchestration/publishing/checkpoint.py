"""The warehouse as it was when the last version was published, so that what a gate stops can be taken back whole.
Copies of what analysts read are versions (`versions.py`); this one is only ever read by `restore`."""

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from orchestration.publishing.current import Version, current_version
from orchestration.publishing.errors import WarehouseBusy
from orchestration.publishing.files import read_json, write_json
from orchestration.settings import Settings

# Undoing a day inside the file would need every model to know how; a copy of the file is right by construction.
# Measured on 2026-11-24, copying 1 GiB three times on two noisy cores: 0.8 to 2.9 s.

LOOK_EVERY_SECONDS, TOLD_EVERY_SECONDS = 0.5, 600

_held: dict[Path, IO] = {}


def begin(settings: Settings, *, owner: str, run_id: str) -> bool:
    """Make sure that the warehouse can be taken back to its last published state; give whether it just was.

    `owner` is the first attempt of the run `run_id` that is about to write: itself, unless it is a retry. A checkpoint that
    another owner left behind means that what it wrote was never published: the warehouse is restored first. Safe to call
    again. From here on this process alone may write, until it ends: raises WarehouseBusy where another one does.
    """
    hold(settings)
    state = _read_state(settings)
    if state is not None and state["owner"] == owner:
        _write_state(settings, state | {"runs": sorted({*state["runs"], run_id})})
        return False
    restored = False
    if state is None:
        state_of = _noted_version(settings)
    elif _was_published(settings, state):
        state_of = current_version(settings).version_id
    else:
        restore(settings)
        restored, state_of = True, state.get("state_of")
    _write(settings, owner, run_id, state_of)
    return restored


def hold(settings: Settings, *, wait_seconds: float = 0, tell: Callable[[str], None] = lambda line: None) -> None:
    """Take the warehouse's lock for the rest of this process's life; the system lets it go however the process ends.

    Two runs that take turns step by step would undo each other's work: a run's checkpoint is not the other's. While another
    process has it, `tell` gets a line, at first and then every ten minutes. Raises WarehouseBusy after `wait_seconds`.
    """
    path = settings.warehouse_path.with_suffix(".lock")
    if path in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")  # not "w": who waits must not wipe out who holds it
    started = told = time.monotonic()
    while not _locked(file):
        if time.monotonic() - started >= wait_seconds:
            holder = _holder(file)
            file.close()
            raise WarehouseBusy(
                found=f"another process that is writing {settings.warehouse_path}: {holder}",
                expected="one run at a time",
                do_this="wait for the other run to end, or end it, and run the day again",
            )
        if told == started or time.monotonic() - told >= TOLD_EVERY_SECONDS:
            told = time.monotonic()
            tell(f"Waiting for {_holder(file)} to end: one run at a time writes the warehouse. Ctrl-C gives up.")
        time.sleep(LOOK_EVERY_SECONDS)
    file.truncate(0)
    file.write(f"process {os.getpid()} ({_program()}) since {datetime.now(UTC):%H:%M:%S} UTC")
    file.flush()
    _held[path] = file


def _locked(file: IO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _program() -> str:
    program = Path(sys.argv[0] or "python")
    return program.parent.name if program.name == "__main__.py" else program.name


def _holder(file: IO) -> str:
    file.seek(0)
    return file.read(200) or "another process"


def overtaken(settings: Settings, *, owner: str, version_id: str | None) -> bool:
    """Whether what the run `owner` wrote has been taken back since, because another run began. What it has published, as
    `version_id`, can't be taken back."""
    state = _read_state(settings)
    current = current_version(settings)
    is_published = current is not None and current.version_id == version_id
    return not is_published and (state is None or state["owner"] != owner)


def _was_published(settings: Settings, state: dict) -> bool:
    """Whether a crash came after the swap, before `commit`: then the warehouse is what analysts read, and stays."""
    current = current_version(settings)
    return current is not None and current.manifest["run_id"] in state["runs"]


def restore(settings: Settings) -> None:
    """Put the warehouse back. The checkpoint stays, so that a crash in here is repaired by calling it again."""
    state = _read_state(settings)
    if state is None:
        return
    warehouse = settings.warehouse_path
    _wal(warehouse).unlink(missing_ok=True)
    if not state["existed"]:
        warehouse.unlink(missing_ok=True)
        return
    temporary = warehouse.with_suffix(".restoring")
    shutil.copyfile(_copy_path(settings), temporary)
    os.replace(temporary, warehouse)


def commit(settings: Settings, version: Version | None = None) -> None:
    """What the warehouse holds now was published, as `version`: forget the earlier state."""
    # Before the state goes: a crash in between leaves the state, and that one is asked first.
    _note_version(settings, version)
    # The state goes first: a copy without a state is garbage, a state without its copy would be a lie.
    _state_path(settings).unlink(missing_ok=True)
    _copy_path(settings).unlink(missing_ok=True)


def version_before(settings: Settings) -> str | None:
    """The version whose state the warehouse was in before the run under way wrote to it; None where that isn't certain.

    It need not be the current one: after a rollback the warehouse is still what the replaced version was made of. After a
    retry it isn't certain which of the changes the last attempt has listed, and which the ones before it have made.
    """
    state = _read_state(settings)
    if state is None:
        return _noted_version(settings)
    return state.get("state_of") if len(state["runs"]) == 1 else None


def _note_version(settings: Settings, version: Version | None) -> None:
    path = _note_path(settings)
    if version is None or not settings.warehouse_path.exists():
        path.unlink(missing_ok=True)
        return
    write_json(path, {"version": version.version_id} | _stamp(settings.warehouse_path))


def _noted_version(settings: Settings) -> str | None:
    """The version that the warehouse was published as, if its file is still the very same: it may have been put back from a
    copy by hand."""
    note = read_json(_note_path(settings))
    if note is None or not settings.warehouse_path.exists() or _wal(settings.warehouse_path).exists():
        return None
    return note["version"] if note == {"version": note["version"]} | _stamp(settings.warehouse_path) else None


def _stamp(warehouse: Path) -> dict[str, int]:
    status = warehouse.stat()
    return {"bytes": status.st_size, "changed_ns": status.st_mtime_ns}


def _write(settings: Settings, owner: str, run_id: str, state_of: str | None) -> None:
    warehouse, copy = settings.warehouse_path, _copy_path(settings)
    copy.parent.mkdir(parents=True, exist_ok=True)
    _state_path(settings).unlink(missing_ok=True)
    existed = warehouse.exists()
    if existed:
        if _wal(warehouse).exists():
            _fold_in_wal(warehouse)
        temporary = copy.with_suffix(".tmp")
        shutil.copyfile(warehouse, temporary)
        os.replace(temporary, copy)
    _write_state(settings, {"owner": owner, "runs": [run_id], "existed": existed, "state_of": state_of})


def _fold_in_wal(warehouse: Path) -> None:
    """A process that was killed left committed changes beside the file; opening and closing it takes them in."""
    import duckdb

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("checkpoint")


def _read_state(settings: Settings) -> dict | None:
    path = _state_path(settings)
    return json.loads(path.read_text()) if path.exists() else None


def _write_state(settings: Settings, state: dict) -> None:
    temporary = _state_path(settings).with_suffix(".tmp")
    temporary.write_text(json.dumps(state))
    os.replace(temporary, _state_path(settings))


def _state_path(settings: Settings) -> Path:
    return settings.warehouse_path.with_suffix(".checkpoint.json")


def _note_path(settings: Settings) -> Path:
    return settings.warehouse_path.with_suffix(".published.json")


def _copy_path(settings: Settings) -> Path:
    return settings.warehouse_path.with_suffix(".checkpoint")


def _wal(warehouse: Path) -> Path:
    return warehouse.with_name(warehouse.name + ".wal")
