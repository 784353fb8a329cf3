"""dbt's own documentation, which the dictionary links: that it opens from a file, asks for nothing and logs nothing, and that
it is made once."""

import json

import dagster as dg
import pytest

from orchestration.defs.transform.dbt_docs import documentation, repaired, slimmed
from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.project import dbt_project
from orchestration.settings import PROJECT_ROOT, Settings

from .browser import NEEDS_CHROMIUM, opened


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("docs"))


@pytest.fixture(scope="module")
def page(home):
    return documentation(DbtInProcess(), home, dbt_project.manifest_path)


def test_it_is_made_once_and_opens_no_warehouse(page, home):
    before = page.stat()
    # a dbt that can't do anything: nothing is asked of it again
    assert documentation(None, home, dbt_project.manifest_path) == page
    assert page.stat().st_mtime_ns == before.st_mtime_ns
    assert [path.name for path in page.parent.iterdir()] == [page.name]
    assert not home.warehouse_path.exists()


def test_it_tells_nothing_of_the_machine_and_is_of_reasonable_size(page):
    text = page.read_text(encoding="utf-8")
    assert str(PROJECT_ROOT) not in text
    assert len(text) < 3_500_000


def test_equal_projects_have_equal_pages():
    manifest = json.loads(dbt_project.manifest_path.read_bytes())
    later = json.loads(dbt_project.manifest_path.read_bytes())
    later["metadata"] |= {"generated_at": "2030-01-01T00:00:00Z", "invocation_id": "other"}
    for node in later["nodes"].values():
        node["created_at"] = 0.0
    assert slimmed(manifest) == slimmed(later)


def test_a_page_that_the_repairs_were_not_written_for_is_refused():
    with pytest.raises(dg.Failure, match="correct REPAIRS"):
        repaired("<html></html>")


class TestInTheBrowser:
    pytestmark = NEEDS_CHROMIUM

    def test_a_model_and_its_graph_are_shown_and_nothing_is_asked_for(self, page, browser):
        with opened(browser, page) as seen:
            seen.page.evaluate("window.location.hash = '#!/model/model.open_model_observatory.mart_daily_lineage'")
            seen.page.get_by_role("heading", name="mart_daily_lineage").first.wait_for()
            seen.page.locator("[ng-click*='onLauncherClick']").first.click()
            seen.page.locator("text=Lineage Graph").first.wait_for()
            assert seen.logged == []
            assert {address.split("#")[0] for address in seen.asked_for} == {page.as_uri()}
