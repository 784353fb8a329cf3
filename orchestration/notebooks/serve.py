"""Starts the notebook's server on this machine's own address, with a token to log in and without asking anyone for anything.
What the notebook says and draws is in `headline.py`."""

import os
import shutil
import sys
from pathlib import Path

from orchestration.publishing.query import version_to_open
from orchestration.settings import PROJECT_ROOT, Settings

SHIPPED = Path(__file__).with_name("headline.py")


def serve(settings: Settings) -> int:
    """Hand this process over to the server, which opens a copy of the notebook in the home: what is changed there stays.

    Raises `NothingPublished` before the first publication.
    """
    version_to_open(settings)
    notebook = own_copy(settings)
    environment = {
        **os.environ,
        "OBSERVATORY_HOME": str(settings.home.resolve()),
        "PYTHONPATH": os.pathsep.join([str(PROJECT_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "MARIMO_SKIP_UPDATE_CHECK": "1",
    }
    os.execve(sys.executable, command(notebook), environment)


def command(notebook: Path) -> list[str]:
    """The server's command line. Its page may run any code, so that it listens here only and asks for a token."""
    return [
        *(sys.executable, "-m", "marimo", "edit", str(notebook), "--host", "127.0.0.1", "--token"),
        *("--skip-update-check", "--no-sandbox"),
    ]


def own_copy(settings: Settings) -> Path:
    """The notebook in the home, made from the shipped one if there is none yet: what somebody changed is theirs."""
    path = settings.home / "notebooks" / SHIPPED.name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SHIPPED, path)
    return path
