"""A bad day and its repair as people hear of them: the real daemon in a process of its own, a webhook, a mail server; and of
all that was planted as a secret, nothing is found anywhere afterwards."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from orchestration.__main__ import dagster_home
from orchestration.defs.alerts.channels import alerts_path, deliveries_path, read_lines
from orchestration.defs.alerts.heartbeat import read_heartbeat
from orchestration.publishing.files import files_below, read_json
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import PROJECT_ROOT, Settings
from tests.defs.receivers import Mailbox, Webhook, mail_server, webhook
from tests.pipeline.conftest import Observatory
from tests.pipeline.test_bad_days import spoil_listing, with_negative_downloads

DAY_2 = date(2026, 10, 7)
HF_TOKEN, PASSWORD, PATH_TOKEN, PING_TOKEN = "hf_PlantedHubToken", "Pl4nted-password", "Pl4nted-path", "Pl4nted-ping"
# Nothing listens there, so that its deliveries fail all along.
NOWHERE = f"json://somebody:{PASSWORD}@127.0.0.1:9/{PATH_TOKEN}"
KEY = "check:raw:hub_models:downloads_is_not_negative"
RAISED = "blocks · 2026-10-07 · hub_models breaks “downloads is not negative”"
RESOLVED = "resolved · 2026-10-07 · hub_models keeps “downloads is not negative” again"
PATIENCE_SECONDS = 120


@pytest.fixture
def webhook_and_mailbox() -> Iterator[tuple[Webhook, Mailbox]]:
    with webhook() as hook, mail_server() as box:
        yield hook, box


@pytest.fixture
def observatory(tmp_path, own_world, dbt, daily_snapshot, home_with_day_1, webhook_and_mailbox, monkeypatch):
    """A home in which the first day is published, with Dagster's storage in it, where a daemon finds it."""
    hook, box = webhook_and_mailbox
    home = Path(shutil.copytree(home_with_day_1, tmp_path / "home", symlinks=True))
    with SandboxHub(own_world, advance=True) as hub:
        settings = Settings(
            home=home,
            hub_endpoint=hub.url,
            hf_token=SecretStr(HF_TOKEN),
            account_lookups=60,
            notify_urls=SecretStr(f"{NOWHERE} {hook.url} {box.url}"),
            heartbeat_url=SecretStr(f"http://127.0.0.1:{hook.server_port}/{PING_TOKEN}"),
        )
        monkeypatch.setenv("DAGSTER_HOME", str(dagster_home(settings)))
        with dg.DagsterInstance.get() as instance:
            yield Observatory(settings, dbt, daily_snapshot, instance, hub)


@contextmanager
def daemon(settings: Settings, log: Path) -> Iterator[None]:
    """`dagster-daemon run`, as `make ui` starts it, told by its environment like any user's."""
    environment = os.environ | {
        "OBSERVATORY_HOME": str(settings.home),
        "OBSERVATORY_HF_TOKEN": HF_TOKEN,
        "OBSERVATORY_NOTIFY_URLS": settings.notify_urls.get_secret_value(),
        "OBSERVATORY_HEARTBEAT_URL": settings.heartbeat_url.get_secret_value(),
    }
    program = Path(sys.executable).with_name("dagster-daemon")
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, "run", "--workspace", PROJECT_ROOT / "workspace.yaml"],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def until(holds: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.2)


def texts_of(path: Path) -> str:
    """What a file says, also behind compression and page borders."""
    raw = path.read_bytes()
    text = raw.decode("utf-8", errors="replace")
    if path.suffix == ".parquet":
        text += str(pq.read_table(path, partitioning=None).to_pylist())
    if raw.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as connection:
            text += "\n".join(connection.iterdump())
    return text


def test_a_bad_day_and_its_repair_are_heard_at_the_webhook_and_by_mail(
    observatory, webhook_and_mailbox, own_world, world, tmp_path, capfd
):
    hook, box = webhook_and_mailbox
    log = tmp_path / "daemon.log"
    spoil_listing(own_world, DAY_2, with_negative_downloads)
    bad = observatory.run(DAY_2)
    assert observatory.failed_steps(bad) == ["raw_gate"]

    with daemon(observatory.settings, log):
        # the day that was published is weeks old by now, and nobody is flooded with news of a first look
        until(lambda: len(hook.messages) == len(box.mails) == 2, log)
        assert RAISED in hook.titles
        assert any("not published by its deadline" in told for told in hook.titles)
        assert sorted(box.subjects) == sorted(hook.titles)

        with SandboxHub(world, advance=True) as observatory.hub:
            observatory.settings = observatory.settings.model_copy(update={"hub_endpoint": observatory.hub.url})
            mended = observatory.run(DAY_2, force=True)
        assert mended.success, observatory.failures(mended)
        until(lambda: RESOLVED in hook.titles and RESOLVED in box.subjects, log)

    raised = next(m for m in hook.messages if m["title"] == RAISED)
    resolved = next(m for m in hook.messages if m["title"] == RESOLVED)
    assert (raised["type"], resolved["type"]) == ("failure", "success")
    assert "It lasted " in resolved["message"]
    assert f"/runs/{mended.run_id}" in resolved["message"]
    assert_ledger_and_records(observatory.settings)
    assert_no_secret_anywhere(tmp_path, hook, box, "".join(capfd.readouterr()), bad.run_id)


def assert_ledger_and_records(settings: Settings) -> None:
    events = [(line["event"], line["incident"]) for line in read_lines(alerts_path(settings))]
    assert [event for event, incident in events if incident == KEY] == ["raised", "resolved"]
    assert ("raised", "freshness:published") in events
    open_now = read_json(settings.alerts_dir / "incidents.json")["open"]
    assert KEY not in open_now
    assert "freshness:published" in open_now
    assert read_heartbeat(settings).keys() == {"run_alerts", "freshness", "domain_alerts"}
    assert {line["ok"] for line in read_lines(deliveries_path(settings))} == {True, False}


def assert_no_secret_anywhere(folder: Path, hook: Webhook, box: Mailbox, output: str, run_id: str) -> None:
    files = files_below(folder)
    assert {"daemon.log", "alerts.jsonl", "deliveries.jsonl", "index.db"} <= {file.name for file in files}
    everything = {str(file): texts_of(file) for file in files}
    # the same look finds what is there, in each kind of file
    for kind in (".parquet", ".db", ".jsonl"):
        assert any(run_id in text for name, text in everything.items() if name.endswith(kind)), kind
    everything |= {"output": output, "messages": str(hook.messages), "mails": "".join(map(str, box.mails))}
    for secret in (HF_TOKEN, PASSWORD, PATH_TOKEN, PING_TOKEN):
        assert [name for name, text in everything.items() if secret in text] == []
