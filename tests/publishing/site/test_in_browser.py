"""The front page as a reader has it: opened from a file in a real Chromium, on a desktop and on a phone, light and dark,
with the network switched off."""

import re
from html import unescape

import duckdb
import pytest

from .browser import DESKTOP, NEEDS_CHROMIUM, PHONE, opened

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module", params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def front(request, browser, site):
    with opened(browser, site / "index.html", width=request.param) as seen:
        seen.draw_all()
        seen.width = request.param
        yield seen


CHARTS = """() => [...document.querySelectorAll(".figure")].map(figure => {
  const place = figure.querySelector(".chart"), svg = place.querySelector("svg");
  return { id: figure.id, text: svg.textContent, marks: svg.querySelectorAll("path").length,
           width: svg.getBoundingClientRect().width, room: place.clientWidth, pictures: place.querySelectorAll("img").length };
})"""


def test_every_chart_is_drawn_within_its_room_and_takes_its_pictures_place(front):
    charts = front.page.evaluate(CHARTS)
    assert {"figure-headline", "figure-china", "figure-states", "figure-attributions", "figure-coverage"} <= {
        chart["id"] for chart in charts
    }
    for chart in charts:
        assert chart["marks"] > 10
        assert 0 < chart["width"] <= chart["room"] + 1
        assert chart["pictures"] == 0


def test_the_page_does_not_scroll_sideways(front):
    assert front.sideways <= 0


def test_simulated_stands_in_every_chart_that_was_drawn(front):
    for chart in front.page.evaluate(CHARTS):
        assert "SIMULATED data: nothing here is evidence" in chart["text"]
        # once in the subtitle and once across the plot
        assert chart["text"].count("SIMULATED") >= 2


def test_nothing_is_logged_nothing_leaves_the_folder_and_no_hostile_name_runs(front, site):
    assert front.logged == []
    assert not [address for address in front.asked_for if not address.startswith((site.as_uri(), "data:", "blob:"))]
    assert front.page.evaluate("window.hostile") is None
    assert front.page.locator("img:not(.chart img)").count() == 0
    front.keep(f"front-{front.width}")


def test_a_picture_and_the_chart_that_takes_its_place_say_the_same(browser, site):
    with opened(browser, site / "index.html") as seen:
        seen.draw_all()
        for path in (site / "charts").iterdir():
            figure = seen.page.locator(f"#figure-{path.stem}")
            picture = words_of(path.read_text(encoding="utf-8"))
            assert words_of(figure.locator(".chart").inner_html()) == picture
            assert len(picture) > 3


def words_of(drawing: str) -> set[str]:
    """What is written in a drawing, but for numbers: how many of an axis are told hangs on its length."""
    written = re.findall(r"<text[^>]*>(?:<tspan[^>]*>)?([^<]+)<", drawing)
    # long names are cut at a width, and letters are of other widths in other hands
    return {words[:16] for words in map(unescape, written) if re.search(r"[A-Za-z]{2}", words)}


def test_age_is_counted_by_the_browser_and_warns_when_old(front):
    age = front.page.locator("#age")
    days = re.fullmatch(r"Data of 2026-10-13, (\d+) days old", age.text_content())
    ahead = re.fullmatch(r"Data of 2026-10-13, (\d+) days? ahead of this device's clock", age.text_content())
    assert days or ahead
    assert ("old" in (age.get_attribute("class") or "").split()) is bool(days and int(days.group(1)) > 2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_people_out(browser, site, theme):
    with opened(browser, site / "index.html", theme=theme) as seen:
        seen.draw_all()
        assert seen.barriers() == []
        seen.keep(f"front-{theme}")


def test_switches_draw_the_reading_that_they_name_by_mouse_and_by_keyboard(browser, site):
    with opened(browser, site / "index.html") as seen:
        page, chart = seen.page, seen.page.locator("#figure-headline .chart")
        page.wait_for_selector("#figure-headline .chart[data-drawn='new_trailing_30d-30/uploader/all']")
        first = chart.get_attribute("aria-label")
        page.locator("#figure-headline label", has_text="countries only").click()
        page.wait_for_selector("#figure-headline .chart[data-drawn='new_trailing_30d-30/uploader/located']")
        assert "by uploader, of located downloads" in chart.text_content()
        assert "China has 42.0%" in first  # 4100 + 6 x 90 of 10500 + 6 x 90
        assert "China has 49.4%" in chart.get_attribute("aria-label")  # the same of what lies in countries
        assert "Not attributed" not in chart.text_content()
        page.locator("#figure-headline input[value='uploader']").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("#figure-headline .chart[data-drawn='new_trailing_30d-30/origin/located']")
        assert "by origin, of located downloads" in chart.text_content()
        assert seen.logged == []


def test_what_the_chart_shows_is_what_the_mart_holds(browser, site):
    with duckdb.connect(str(site.parent / "observatory.duckdb"), read_only=True) as connection:
        shares = dict(
            connection.execute(
                "select country_code, share from marts.mart_daily_country_share where snapshot_date = date '2026-10-13' "
                "and metric = 'new_trailing_30d' and attribution = 'uploader' and denominator = 'all'"
            ).fetchall()
        )
    with opened(browser, site / "index.html") as seen:
        seen.page.wait_for_selector("#figure-headline .chart[data-drawn]")
        text = seen.page.locator("#figure-headline .chart").text_content()
        assert f"China {shares['CN']:.1%}" in text
        assert f"United States {shares['US']:.1%}" in text
        assert f"France {shares['FR']:.1%}" in text
        headline = seen.page.locator("h1").text_content()
        assert f"{shares['CN']:.1%}" in headline
        assert f"{shares['US']:.1%}" in headline


def test_a_chart_is_saved_as_a_picture_in_either_form(browser, site, tmp_path):
    with opened(browser, site / "index.html") as seen:
        figure = seen.page.locator("#figure-headline")
        figure.locator(".chart[data-drawn]").wait_for()
        for form, begins in (("png", b"\x89PNG"), ("svg", b"<svg")):
            with seen.page.expect_download() as download:
                figure.locator(f"[data-save={form}]").click()
            assert download.value.suggested_filename == f"headline.{form}"
            download.value.save_as(tmp_path / form)
            assert (tmp_path / form).read_bytes().startswith(begins)
        assert b"SIMULATED" in (tmp_path / "svg").read_bytes()


def test_the_theme_is_chosen_by_a_button_and_kept(browser, site):
    with opened(browser, site / "index.html") as seen:
        page = seen.page
        page.wait_for_selector("#figure-headline .chart[data-drawn]")
        page.locator("#theme").click()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 28)"
        assert seen.logged == []


def test_without_scripts_the_pictures_stand_in_their_places(browser, site):
    with opened(browser, site / "index.html", scripts=False) as seen:
        pictures = seen.page.locator(".chart img").all()
        assert len(pictures) == len(list((site / "charts").iterdir())) == 5
        for picture in pictures:
            picture.scroll_into_view_if_needed()
        assert not seen.page.locator(".switches").first.is_visible()
        assert not seen.page.locator("#theme").is_visible()


def test_paper_is_white_whatever_the_theme_and_has_every_chart(browser, site, tmp_path):
    with opened(browser, site / "index.html", theme="dark") as seen:
        page = seen.page
        page.wait_for_selector("#figure-headline .chart[data-drawn]")
        page.emulate_media(media="print")
        ink = "getComputedStyle(document.querySelector('#figure-headline svg text')).fill"
        assert page.evaluate(ink) == "rgb(29, 29, 29)"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        # what was never scrolled to is drawn by itself
        page.wait_for_function(
            "[...document.querySelectorAll('.figure .chart')].every(chart => 'drawn' in chart.dataset)"
        )
        assert page.pdf(path=tmp_path / "front.pdf").startswith(b"%PDF")
