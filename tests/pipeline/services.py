"""The services of a team as DEPLOYMENT.md's units start them, on ports of their own, beside a real PostgreSQL.
What they are asked to do, and what must come of it, stands in test_team.py."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from orchestration.settings import PROJECT_ROOT

PATIENCE_SECONDS = 1200
UNITS = dict(
    re.findall(
        r"^```ini observatory-(\w+)\.service\n(.*?)^```",
        (PROJECT_ROOT / "DEPLOYMENT.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)


class Services:
    """Starts units by name, ends them with or without mercy, and asks the web servers."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self.folder, self.environment = folder, os.environ | environment
        self.ports = {name: _free_port() for name in ("code", "web", "viewer")}
        self.running: dict[str, subprocess.Popen] = {}
        self.workspace = folder / "workspace.yaml"
        location = {"host": "127.0.0.1", "port": self.ports["code"], "location_name": "open_model_observatory"}
        self.workspace.write_text(json.dumps({"load_from": [{"grpc_server": location}]}))

    def start(self, *names: str) -> None:
        """All of them at once, then wait until those that listen do."""
        for name in names:
            self._launch(name)
        for name in self.ports.keys() & set(names):
            self.until(lambda port=self.ports[name]: _listens(port), f"{name} listens")

    def _launch(self, name: str) -> None:
        command = re.search(r"^ExecStart=(.*)$", UNITS[name], re.MULTILINE)[1]
        command = command.replace("/srv/observatory/app/.venv/bin", str(Path(sys.executable).parent))
        command = command.replace("/srv/observatory/workspace.yaml", str(self.workspace))
        command = re.sub(r"-p \d+", f"-p {self.ports.get(name)}", command)
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                shlex.split(command),
                cwd=PROJECT_ROOT,
                env=self.environment | dict(re.findall(r"^Environment=(\w+)=(.*)$", UNITS[name], re.MULTILINE)),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """The process and all that it has started, without a word: as a machine does that loses its power."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def ask(self, name: str, query: str, variables: dict | None = None) -> dict:
        """The answer of a web server's GraphQL."""
        path = "/viewer/graphql" if name == "viewer" else "/graphql"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[name]}{path}",
            data=json.dumps({"query": query, "variables": variables or {}}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < end, f"not within {PATIENCE_SECONDS} s: {what}\n{self.logs()}"
            time.sleep(0.2)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def logs(self) -> str:
        return "\n".join(f"{file.name}:\n{file.read_text()[-2000:]}" for file in sorted(self.folder.glob("*.log")))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
