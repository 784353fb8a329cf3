"""Dagster's UI in a real browser, on a bad day whose names are hostile: the red check is read with its offenders, and of the
names nothing runs, nothing is a link, and nothing is turned round."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from orchestration.defs.alerts.channels import alerts_path
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import PROJECT_ROOT, Settings
from tests.defs.hostile import CONTROLS, HOSTILE
from tests.pipeline.conftest import Observatory
from tests.pipeline.test_bad_days import spoil_listing, ticked_alerts

DAY_2 = date(2026, 10, 7)
CHROMIUM = shutil.which("chromium")
RUNBOOK_AT = "http://127.0.0.1:9/RUNBOOK.md"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed on this machine"),
]
# Five of a promise's offenders are kept, in the order of `_id`; the preview shows the five with most downloads.
OF_OFFENDERS, OF_PREVIEW = HOSTILE[:5], HOSTILE[5:10]


def with_hostile_names(table: pa.Table) -> pa.Table:
    """Names of the first rows, whose downloads become negative, and of those with most downloads."""
    names, downloads = table.column("id").to_pylist(), table.column("downloads").to_pylist()
    largest = sorted(range(10, len(names)), key=lambda row: -(downloads[row] or 0))
    for rows, hostile in ((range(5), OF_OFFENDERS), (largest, OF_PREVIEW)):
        for row, name in zip(rows, hostile, strict=False):
            names[row] = f"{names[row].split('/')[0]}/{name}"
    downloads[:5] = [-1] * 5
    table = table.set_column(table.schema.get_field_index("id"), "id", pa.array(names, pa.string()))
    return table.set_column(table.schema.get_field_index("downloads"), "downloads", pa.array(downloads, pa.int64()))


@pytest.fixture(scope="module")
def bad_day(
    tmp_path_factory, world, dbt, daily_snapshot, home_with_day_1
) -> Iterator[tuple[Observatory, Path, object]]:
    """A home whose second day was stopped at the raw gate, and the Dagster home that knows of it."""
    folder = tmp_path_factory.mktemp("hostile")
    home = Path(shutil.copytree(home_with_day_1, folder / "home", symlinks=True))
    snapshots = Path(shutil.copytree(world, folder / "world"))
    spoil_listing(snapshots, DAY_2, with_hostile_names)
    dagster_home = folder / "dagster"
    dagster_home.mkdir()
    shutil.copyfile(PROJECT_ROOT / "orchestration" / "dagster.yaml", dagster_home / "dagster.yaml")
    with (
        SandboxHub(snapshots, advance=True) as hub,
        dg.DagsterInstance.from_config(str(dagster_home)) as instance,
    ):
        settings = Settings(home=home, hub_endpoint=hub.url, hf_token=None, account_lookups=60, runbook_url=RUNBOOK_AT)
        observatory = Observatory(settings, dbt, daily_snapshot, instance, hub)
        yield observatory, dagster_home, observatory.run(DAY_2)


@contextmanager
def web_server(dagster_home: Path, home: Path) -> Iterator[str]:
    """The UI as `make ui` starts it, without the daemon."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        [*command, "-w", str(PROJECT_ROOT / "workspace.yaml")],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DAGSTER_HOME": str(dagster_home), "OBSERVATORY_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, "the web server ended"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_messages_and_files_of_the_day_hold_nothing_that_acts(bad_day):
    observatory, _, result = bad_day
    assert observatory.failed_steps(result) == ["raw_gate"]

    alerts = ticked_alerts(observatory)

    told = "\n".join(line["body"] for line in alerts)
    assert f"What to do: {RUNBOOK_AT}#downloads_is_not_negative" in told
    assert "evil" not in told or "https://evil" not in told
    said = [
        alerts_path(observatory.settings).read_text(encoding="utf-8"),
        (observatory.settings.published_dir / "status.json").read_text(encoding="utf-8"),
        observatory.failures(result),
        *(event.message or "" for event in result.all_events),
    ]
    assert not set("".join(said).replace("\n", "").replace("\t", "")) & CONTROLS


def test_the_red_check_and_the_preview_are_read_and_nothing_of_a_name_acts(bad_day):
    from playwright.sync_api import expect, sync_playwright

    observatory, dagster_home, _ = bad_day
    ran, left = [], []
    with web_server(dagster_home, observatory.settings.home) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1500, "height": 2000})
        page.set_default_timeout(60_000)
        page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: left.append(asked.url) if address not in asked.url else None)

        page.goto(f"{address}/assets/hub/models?view=checks")
        page.get_by_text("hub_models_suite").first.click()
        expect(page.get_by_text("first_offenders")).to_be_visible(timeout=60_000)
        check = page.inner_text("body")
        page.get_by_text("[Show Markdown]").first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Why it matters").first).to_be_visible()
        broken, links = dialog.inner_text(), hrefs(dialog)
        pictures = dialog.locator("img, script, iframe").count()

        page.goto(f"{address}/assets/hub/models")
        expect(page.get_by_text("downloadsAllTime").nth(1)).to_be_visible(timeout=60_000)
        overview, links_of_preview = page.inner_text("body"), hrefs(page)
        pictures += page.locator("[class*=Markdown] img, td img, td script").count()
        browser.close()

    for said in (
        "team:data",
        "blocks",
        "it is a count",
        "fixed on 2026-11-24",
        f"{RUNBOOK_AT}#downloads_is_not_negative",
    ):
        assert said in check
    assert "onerror=alert(1)" in broken  # as text
    assert "[click](https://evil.example/a)" in broken
    assert set(links) == {f"{RUNBOOK_AT}#downloads_is_not_negative", f"{RUNBOOK_AT}#model_name_is_well_formed"}
    assert "evil.example/bare" in overview
    assert [link for link in links_of_preview if not link.startswith(("http://127.0.0.1", "blob:"))] == []
    assert not set((check + broken + overview).replace("\n", "").replace("\t", "")) & (CONTROLS - {"\u200b"})
    assert (pictures, ran) == (0, [])
    assert [url for url in left if not url.startswith(("data:", "blob:", "ws://127.0.0.1"))] == []


def hrefs(part) -> list[str]:
    return part.locator("a").evaluate_all("links => links.map(link => link.href).filter(Boolean)")
