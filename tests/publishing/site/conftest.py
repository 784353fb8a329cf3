"""A small site with hostile names in it, and the browser that its pages are opened in."""

import pytest

from orchestration.publishing import build_candidate, render_report_into
from orchestration.settings import Settings

from ..warehouse import ORGANIZATIONS, Contents, write_warehouse
from .browser import chromium

HOSTILE = "</script><script>window.hostile=1</script><img src=x onerror=window.hostile=1>"
LONG = "An organisation whose name is far longer than any label on a phone could ever show"


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of a site of a few simulated days, one of them missing and one recounted, with names of strangers."""
    settings = Settings(home=tmp_path_factory.mktemp("site"))
    organizations = {"CN": {HOSTILE: 0.5, LONG: 0.4} | ORGANIZATIONS["CN"], "US": ORGANIZATIONS["US"]}
    contents = write_warehouse(settings.warehouse_path, Contents(organizations=organizations))
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[contents.last_day])
    return render_report_into(candidate).parent
