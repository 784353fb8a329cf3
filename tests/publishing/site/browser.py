"""Pages of the site as a reader has them: opened from a file, in a real Chromium, with the network switched off.
What a page should say is each test's; here it is opened, and what went wrong while it was open is written down."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from orchestration.settings import PROJECT_ROOT

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
# Chromium's own sandbox needs rights that a container doesn't give.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
NO_CHROMIUM = "No Chromium on this machine, so the page can't be opened in a browser."
NEEDS_CHROMIUM = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)]
PHONE, DESKTOP = 390, 1280
# Screenshots of a run, to be looked at; not part of the repository.
ARTEFACTS = PROJECT_ROOT / "artefacts" / "pages"
GRAVE = ("serious", "critical")


@dataclass
class Opened:
    """A page that is open, and what it logged, threw and asked for since."""

    page: Page
    logged: list[str] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)

    @property
    def sideways(self) -> int:
        """How many pixels of the page lie beside the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def draw_all(self) -> None:
        """Bring each figure into view, and wait until it is drawn."""
        for figure in self.page.locator(".figure").all():
            figure.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "[...document.querySelectorAll('.figure .chart')].every(chart => 'drawn' in chart.dataset)"
        )

    def keep(self, name: str) -> Path:
        """A picture of the whole page, among the artefacts of the run."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        path = ARTEFACTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path

    def barriers(self) -> list[str]:
        """What axe finds that keeps people out: each rule with where it is broken.

        The marks of a drawn chart are left out: they are hidden from readers of screens, who have the chart's words instead,
        and there are thousands.
        """
        found = Axe().run(self.page, context={"exclude": [[".chart svg"]]}).response["violations"]
        return [
            f"{rule['id']} ({rule['impact']}): {node['target']}"
            for rule in found
            if rule["impact"] in GRAVE
            for node in rule["nodes"]
        ]


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, path: Path, *, width: int = DESKTOP, theme: str = "light", scripts: bool = True
) -> Iterator[Opened]:
    """The file in a window of this width, with no network at all."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        offline=True,
        java_script_enabled=scripts,
        accept_downloads=True,
    )
    page = context.new_page()
    seen = Opened(page)
    page.on("console", lambda message: seen.logged.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.logged.append(f"error: {error}"))
    page.on("request", lambda request: seen.asked_for.append(request.url))
    page.goto(path.as_uri())
    yield seen
    context.close()
