"""Pages of organisations: who has one, under which file name, that their numbers are the marts', and that no name or address
that a stranger wrote does anything. That all links of the site lead somewhere is held here, too."""

import json
import re
from urllib.parse import unquote, urldefrag

import duckdb
import pytest

from orchestration.publishing.site.naming import page_of_organization
from orchestration.publishing.site.pages.organization import safe_link

from ..warehouse import ORGANIZATIONS
from .browser import NEEDS_CHROMIUM, PHONE, opened
from .conftest import STRANGE
from .pages import Page, figures, rows_of, statements

NAMED = {*STRANGE, *ORGANIZATIONS["CN"], *ORGANIZATIONS["US"]} - {"(other)"}


def test_every_named_organisation_has_a_page_of_its_own(strangers):
    pages = {path.relative_to(strangers.folder).as_posix() for path in (strangers.folder / "organizations").iterdir()}
    assert pages == {page_of_organization(name) for name in NAMED}
    assert len(pages) == len(NAMED)


@pytest.mark.parametrize("name", [*STRANGE, "", "a" * 300, "nul\x00", "\ud800"])
def test_a_name_can_only_name_a_file_in_its_folder(name):
    assert re.fullmatch(r"organizations/[a-z0-9][a-z0-9-]{0,60}-[0-9a-f]{8}\.html", page_of_organization(name))


def test_names_that_are_spelt_alike_have_a_file_each():
    pages = {page_of_organization(name) for name in ("same name", "Same-Name", "same/name", "SAME NAME")}
    assert len({page.lower() for page in pages}) == 4


def test_the_list_has_the_marts_downloads_and_shares_in_their_order(strangers):
    rows = strangers.rows(
        "select organization, downloads, share_of_total from marts.mart_daily_organization_share "
        "where snapshot_date = ? and metric = 'trailing_30d' and attribution = 'uploader' and organization <> '(other)'",
        strangers.contents.last_day,
    )
    text = strangers.text("organizations.html")
    listed = re.findall(r'href="(organizations/[^"]*)".*?<strong>([\d,]+)</strong></td><td class="n">(.*?)</td>', text)
    assert {(page_of_organization(name), f"{downloads:,}", f"{share:.2%}") for name, downloads, share in rows} == set(
        listed
    )
    counted = [int(downloads.replace(",", "")) for _, downloads, _ in listed]
    assert counted == sorted(counted, reverse=True)


def test_an_organisation_says_where_it_is_based_why_and_how_sure_that_is(strangers):
    text = Page(strangers.text(page_of_organization("DeepSeek"))).text
    assert "counted for China" in text
    assert "Headquartered there, says DeepSeek https://example.org/about" in text
    assert "industry" in text
    assert "high" in text


def test_the_sql_on_a_page_gives_that_organisation_alone(strangers):
    for name in ("DeepSeek", "../../x", "=1+1"):
        with duckdb.connect(str(strangers.database), read_only=True) as connection:
            for statement in statements(strangers.text(page_of_organization(name))):
                assert {row[0] for row in connection.execute(statement).fetchall()} == {name}


def test_lines_models_releases_and_lineage_are_the_marts(strangers):
    page = strangers.text(page_of_organization("DeepSeek"))
    lines, weeks = figures(page)
    series = rows_of(lines["views"]["trailing_30d-30/downloads"]["data"]["series"])
    stored = strangers.rows(
        "select snapshot_date, attribution, downloads from marts.mart_daily_organization_share "
        "where organization = 'DeepSeek' and metric = 'trailing_30d'"
    )
    assert {(day.isoformat(), by, downloads) for day, by, downloads in stored} == {
        (row["day"], row["by"], row["value"]) for row in series if row["value"] is not None
    }
    # the week of more than a year ago isn't drawn
    assert len(rows_of(weeks["views"][""]["data"]["weeks"])) == 2
    text = Page(page).text
    model, downloads = strangers.rows(
        "select model_id, downloads_30d from marts.dim_models where organization = 'DeepSeek' order by 2 desc limit 1"
    )[0]
    assert f"{model} 2026-09-01 text – apache-2.0 permissive {downloads:,}" in text
    assert "quantized 12 5 4,321" in text
    assert "Family of DeepSeek" in text
    assert "5 releases with 9 variants in the year to 2026-10-13 , the median gap 30 days" in text.replace(
        "13,", "13 ,"
    )


def test_a_page_without_releases_or_adoption_says_so(strangers):
    text = Page(strangers.text(page_of_organization("OpenAI"))).text
    assert "Not known yet" in text


def test_relative_adoption_is_told_once_it_is_known(strangers):
    name = strangers.rows("select organization from marts.dim_models where repo_id = ?", "0" * 24)[0][0]
    assert "7 900 1-7B 300 3.00" in Page(strangers.text(page_of_organization(name))).text


def test_no_name_is_markup_and_no_evidence_leads_anywhere_but_to_the_web(strangers):
    for path in strangers.folder.rglob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        assert not [tag for tag, attributes in page.tags if any(name.startswith("on") for name in attributes)]
        assert not [script for script in page.scripts if "hostile" in script and script.lstrip()[:1] != "{"]
        outside = [link for link in page.of("a") if re.match(r"[a-zA-Z][a-zA-Z+.-]*:|//", link.get("href", ""))]
        for link in outside:
            assert link["href"] == "https://example.org/about"
            assert "noopener" in link["rel"]


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://example.org/a?b=1#c", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://", False),
        ("https://user:secret@example.org/", False),
        ("http://[", False),
        (" https://example.org", False),
        ('https://example.org/"x', False),
        ("https://example.org/\u202egpj", False),
        ("https://example.org/\n", False),
        ("", False),
        (None, False),
    ],
)
def test_only_addresses_of_the_web_become_links(address, is_safe):
    assert (safe_link(address) == address and bool(address)) is is_safe


def test_direction_marks_are_made_visible(strangers):
    for path in strangers.folder.rglob("*"):
        if path.suffix in (".html", ".xml", ".js") and path.name != "charts.js":
            assert "\u202e" not in path.read_text(encoding="utf-8")


def test_a_spreadsheet_takes_no_name_for_a_formula(strangers):
    assert "\n'=1+1," in strangers.text("data/organizations.csv")


def test_every_link_of_the_site_leads_to_a_file_and_a_place_in_it(strangers):
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(strangers.folder.rglob("*.html"))}
    places = {
        path: {attributes["id"] for _, attributes in page.tags if "id" in attributes} for path, page in pages.items()
    }
    for path, page in pages.items():
        for tag, attributes in page.tags:
            target = attributes.get("href" if tag in ("a", "link") else "src")
            if tag not in ("a", "link", "script", "img") or target is None or target.startswith(("https:", "data:")):
                continue
            file, place = urldefrag(target)
            found = (path.parent / unquote(file)).resolve() if file else path
            assert found.is_file(), f"{path.name} leads to {target}"
            assert found.is_relative_to(strangers.folder.resolve())
            assert not place or found not in places or place in places[found], f"{path.name} leads to {target}"


def test_a_site_has_few_files_and_its_pages_are_light(strangers):
    shared = sum(path.stat().st_size for path in (strangers.folder / "assets").iterdir())
    for path in [*strangers.folder.glob("countries/*"), *strangers.folder.glob("organizations/*")]:
        assert path.stat().st_size + shared < 1_300_000


class TestInTheBrowser:
    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.parametrize(("theme", "name"), [("light", "DeepSeek"), ("dark", STRANGE[-1])])
    def test_an_organisation_is_drawn_runs_nothing_and_keeps_nobody_out(self, strangers, browser, theme, name):
        with opened(browser, strangers.folder / page_of_organization(name), theme=theme) as seen:
            seen.draw_all()
            assert seen.page.evaluate("window.hostile") is None
            assert seen.logged == []
            assert not [address for address in seen.asked_for if not address.startswith(("file:", "data:", "blob:"))]
            assert seen.barriers() == []
            seen.keep(f"organization-{theme}")

    def test_a_phone_needs_no_sideways_scroll(self, strangers, browser):
        for page in ("organizations.html", page_of_organization(STRANGE[-1])):
            with opened(browser, strangers.folder / page, width=PHONE) as seen:
                assert seen.sideways <= 0


def test_the_script_of_names_is_one_list_of_texts(strangers):
    script = strangers.text("assets/search-index.js")
    assert "<" not in script
    entries = json.loads(script.removeprefix("window.observatoryNames = ").rstrip(";\n"))
    assert {page for _, _, page, _ in entries if page.startswith("organizations/")} == {
        page_of_organization(name) for name in NAMED
    }
    assert all((strangers.folder / page).is_file() for _, _, page, _ in entries)
