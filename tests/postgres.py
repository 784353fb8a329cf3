"""A real PostgreSQL for tests, from the system's packages: a cluster of its own in a new folder, on a port of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Where Debian's packages put the programs that its own wrappers hide.
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
# Set by .ci/run: there a missing server is a failure and no reason to skip.
NEEDED = "TESTS_NEED_POSTGRES"


@contextmanager
def postgres() -> Iterator[str]:
    """Address of an empty database, as DEPLOYMENT.md has it written. Gone afterwards."""
    initdb, server = _program("initdb"), _program("postgres")
    if not (initdb and server):
        message = "PostgreSQL's server is not installed here (Debian: apt-get install postgresql)"
        pytest.fail(message) if os.environ.get(NEEDED) else pytest.skip(message)
    # Not pytest's folder: that one is closed to the other user, whom the server insists on where we are root.
    folder = Path(tempfile.mkdtemp(prefix="observatory-postgres-"))
    user = "nobody" if os.getuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    try:
        quietly = {"user": user, "cwd": folder, "check": True, "capture_output": True}
        subprocess.run([initdb, "-D", folder / "data", "-U", "observatory", "--auth=trust", "--no-sync"], **quietly)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(
                [server, "-D", folder / "data", *options], user=user, cwd=folder, stdout=log, stderr=log
            )
        try:
            _wait_until_open(port, running, folder / "log")
            yield f"postgresql+psycopg2://observatory:made-up@127.0.0.1:{port}/postgres"
        finally:
            running.terminate()
            running.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> Path | None:
    return next((folder / name for folder in DEBIAN if (folder / name).exists()), None) or shutil.which(name)


def _wait_until_open(port: int, running: subprocess.Popen, log: Path) -> None:
    import psycopg2

    for _ in range(300):
        try:
            psycopg2.connect(host="127.0.0.1", port=port, user="observatory", dbname="postgres").close()
        except psycopg2.OperationalError:
            assert running.poll() is None, log.read_text()
            try:
                running.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
    raise AssertionError(log.read_text())
