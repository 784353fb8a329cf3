"""The search in the bar as a reader has it: with the keyboard, on a page that was opened from a file."""

import pytest

from orchestration.publishing.site.naming import page_of_organization

from .browser import NEEDS_CHROMIUM, opened
from .conftest import HOSTILE

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def window(strangers, browser):
    with opened(browser, strangers.folder / "corrections.html") as seen:
        yield seen


@pytest.fixture
def page(window, strangers):
    """A page without charts, opened anew: what a test typed is gone."""
    window.logged.clear()
    window.page.goto((strangers.folder / "corrections.html").as_uri())
    window.page.wait_for_selector("#search:not([hidden])")
    return window


def options(page) -> list[str]:
    return page.page.locator("#search-list [role=option] bdi").all_inner_texts()


def test_the_keyboard_finds_an_organisation_and_opens_its_page(page, strangers):
    field = page.page.get_by_role("combobox", name="Find a country or an organisation")
    field.press_sequentially("deeps")
    assert options(page) == ["DeepSeek"]
    assert field.get_attribute("aria-expanded") == "true"
    field.press("ArrowDown")
    chosen = field.get_attribute("aria-activedescendant")
    assert page.page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"
    assert page.page.locator("#search-status").inner_text() == "1 found"
    assert page.barriers() == []
    field.press("Enter")
    page.page.wait_for_url("**/organizations/deepseek-*.html")
    assert page.page.locator("h1").inner_text() == "DeepSeek"
    assert page.page.url == (strangers.folder / page_of_organization("DeepSeek")).as_uri()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("zoe aegir", None),  # no letter of its own is taken apart
        ("zoe", "Zoë Ægir"),
        ("ZOË", "Zoë Ægir"),
        ("united st", "United States"),
        ("us", "United States"),  # by its code
        ("korea, rep", "South Korea"),  # by the name of the ISO list
        ("same", "same name"),
        ("../", "../../x"),
        ("🤗", "🤗🤗"),
        ("(.*", None),
    ],
)
def test_names_are_found_whatever_their_case_and_accents(page, typed, first):
    page.page.locator("#search-input").fill(typed)
    assert (options(page) or [None])[0] == first
    assert page.page.locator("#search-list .none").count() == (first is None)
    assert page.logged == []


def test_a_hostile_name_is_text_and_leads_to_its_page(page):
    page.page.locator("#search-input").fill("</script>")
    assert options(page)[0].startswith(HOSTILE[:40])
    assert page.page.locator("#search-list img, #search-list script").count() == 0
    page.page.locator("#search-list [role=option]").first.click()
    page.page.wait_for_url(f"**/{page_of_organization(HOSTILE)}")
    assert page.page.evaluate("window.hostile") is None
    assert page.logged == []


def test_escape_closes_the_list_and_then_empties_the_field(page):
    field = page.page.locator("#search-input")
    field.fill("china")
    field.press("Escape")
    assert page.page.locator("#search-list").is_hidden()
    assert field.input_value() == "china"
    field.press("Escape")
    assert field.input_value() == ""


def test_without_scripts_the_search_is_hidden_and_the_lists_are_linked(strangers, browser):
    with opened(browser, strangers.folder / "countries" / "CN.html", scripts=False) as seen:
        assert seen.page.locator("#search").is_hidden()
        for name in ("Countries", "Organisations"):
            assert (
                seen.page.get_by_role("navigation", name="Pages of the site")
                .get_by_role("link", name=name)
                .is_visible()
            )
