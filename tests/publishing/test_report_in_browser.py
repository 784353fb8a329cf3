"""The page as a reader has it: opened from a file in a real Chromium, on a desktop and on a phone."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

from orchestration.publishing import build_candidate, render_report_into
from orchestration.settings import Settings

from .warehouse import ORGANIZATIONS, Contents, write_warehouse

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="No Chromium on this machine, so the page can't be opened in a browser."
    ),
]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--virtual-time-budget=6000",
]

# A page of its own measures the report in a frame: a window can't be made as narrow as a phone.
MEASURE = """<!doctype html><title>-</title><iframe id="f" src="SRC" style="border:0;width:WIDTHpx;height:900px"></iframe>
<script>
document.getElementById("f").addEventListener("load", function () {
  setTimeout(function () {
    var page = document.getElementById("f").contentDocument, window_ = document.getElementById("f").contentWindow;
    var root = page.documentElement;
    var charts = Array.from(page.querySelectorAll(".chart")).map(function (chart) {
      var svg = chart.querySelector("svg");
      return { id: chart.id, text: svg ? svg.textContent : "", width: svg ? svg.getBoundingClientRect().width : 0,
               marks: svg ? svg.querySelectorAll("path").length : 0, room: chart.clientWidth };
    });
    document.title = JSON.stringify({
      width: root.clientWidth, needed: root.scrollWidth, charts: charts,
      age: page.getElementById("age").textContent, old: page.getElementById("age").classList.contains("old"),
      images: page.querySelectorAll("img").length, alerts: window_.hostile === undefined ? 0 : 1,
      loaded: window_.performance.getEntriesByType("resource").map(function (entry) { return entry.name; })
    });
  }, 2500);
});
</script>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("browser"))
    hostile = '</script><script>window.hostile=1</script><img src=x onerror="window.hostile=1">'
    long = "An organisation whose name is far longer than any label on a phone could ever show"
    organizations = {"CN": {hostile: 0.5, long: 0.4} | ORGANIZATIONS["CN"], "US": ORGANIZATIONS["US"]}
    write_warehouse(settings.warehouse_path, Contents(organizations=organizations))
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])
    return render_report_into(candidate)


def measured(report, tmp_path, width: int) -> dict:
    page = tmp_path / "measure.html"
    page.write_text(MEASURE.replace("SRC", report.as_uri()).replace("WIDTH", str(width)))
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000", "--dump-dom"]
    ended = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(unescape(re.search(r"<title>(.*?)</title>", ended.stdout, re.DOTALL).group(1)))


@pytest.fixture(scope="module")
def phone(report, tmp_path_factory):
    return measured(report, tmp_path_factory.mktemp("phone"), 390)


@pytest.fixture(scope="module")
def desktop(report, tmp_path_factory):
    return measured(report, tmp_path_factory.mktemp("desktop"), 1280)


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_every_chart_is_drawn_within_its_room(screen, request):
    seen = request.getfixturevalue(screen)
    assert [chart["id"] for chart in seen["charts"]] == [
        "chart-headline",
        "chart-china",
        "chart-states",
        "chart-attributions",
        "chart-coverage",
    ]
    for chart in seen["charts"]:
        assert chart["marks"] > 10
        assert 0 < chart["width"] <= chart["room"] + 1


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_the_page_does_not_scroll_sideways(screen, request):
    seen = request.getfixturevalue(screen)
    assert seen["needed"] <= seen["width"]


def test_phone_is_as_narrow_as_a_phone(phone):
    assert phone["width"] <= 390


def test_simulated_stands_in_every_chart_that_was_drawn(phone):
    for chart in phone["charts"]:
        assert "SIMULATED data: nothing here is evidence" in chart["text"]
        # once in the subtitle and once across the plot
        assert chart["text"].count("SIMULATED") >= 2


def test_age_is_counted_by_the_browser_and_warns_when_old(desktop):
    days = re.fullmatch(r"Data of 2026-10-13, (\d+) days old", desktop["age"])
    ahead = re.fullmatch(r"Data of 2026-10-13, (\d+) days? ahead of this device's clock", desktop["age"])
    assert days or ahead
    assert desktop["old"] is bool(days and int(days.group(1)) > 2)


def test_nothing_is_fetched_and_no_hostile_name_runs(desktop):
    assert desktop["loaded"] == []
    assert desktop["alerts"] == 0
    assert desktop["images"] == 0
