"""Pages of countries: who has one, that their numbers are the marts', and that the SQL on a page gives what it shows."""

import re

import duckdb
import pytest

from orchestration.publishing.site.naming import SPECIAL_NAMES

from ..warehouse import COUNTRIES
from .browser import NEEDS_CHROMIUM, PHONE, opened
from .pages import Page, figures, rows_of, statements

LEAD = "metric = 'new_trailing_30d' and attribution = 'uploader' and denominator = 'all'"


def test_every_country_the_four_codes_and_the_union_have_a_page(strangers):
    pages = {path.stem for path in (strangers.folder / "countries").iterdir()}
    assert pages == set(COUNTRIES) | set(SPECIAL_NAMES) | {"EU"}


def test_the_list_says_the_marts_shares_bounds_and_ranks_in_their_order(strangers):
    rows = strangers.rows(
        "select country_code, share, share_low, share_high, rank, downloads from marts.mart_daily_country_share "
        f"where {LEAD} and snapshot_date = ? order by downloads desc",
        strangers.contents.last_day,
    )
    text = strangers.text("countries.html")
    listed = re.findall(
        r'<tr><td class="n">(.*?)</td>.*?href="countries/(\w\w)\.html".*?<strong>(.*?)</strong>(.*?)</tr>', text
    )
    in_order = [code for _, code, *_ in listed if code != "EU" and code in {row[0] for row in rows}]
    assert in_order == [row[0] for row in rows]
    for code, share, low, high, rank, downloads in rows:
        told_rank, _, told_share, rest = next(row for row in listed if row[1] == code)
        assert told_rank == (str(rank) if rank else "–")
        assert told_share == f"{share:.2%}"
        assert f"{low:.2%}" in rest
        assert f"{high:.2%}" in rest
        assert f"{downloads:,}" in rest


def test_a_country_says_its_share_bounds_rank_downloads_and_models(strangers):
    share, low, high, rank, downloads, models = strangers.rows(
        "select share, share_low, share_high, rank, downloads, models from marts.mart_daily_country_share "
        f"where {LEAD} and snapshot_date = ? and country_code = 'CN'",
        strangers.contents.last_day,
    )[0]
    text = Page(strangers.text("countries/CN.html")).text
    assert f"{share:.2%} of the 30-day downloads of new open models" in text
    assert f"At least {low:.2%} , if" in text.replace("%,", "% ,")
    assert f"at most {high:.2%}" in text
    assert f"rank {rank}" in text
    assert f"{downloads:,} downloads of {models} models" in text


def test_the_union_adds_its_members_and_counts_what_is_not_attributed_once(strangers):
    members = strangers.rows(
        "select downloads, share, share_low, share_high from marts.mart_daily_country_share "
        f"where {LEAD} and snapshot_date = ? and country_code in ('FR', 'DE')",
        strangers.contents.last_day,
    )
    text = Page(strangers.text("countries/EU.html")).text
    low = sum(row[2] for row in members)
    assert f"{sum(row[1] for row in members):.2%}" in text
    assert f"at most {low + members[0][3] - members[0][2]:.2%}" in text
    assert f"{sum(row[0] for row in members):,} downloads" in text


@pytest.mark.parametrize("code", ["CN", "EU", "XX", "KR"])
def test_the_sql_on_a_page_gives_that_entity_alone(strangers, code):
    with duckdb.connect(str(strangers.database), read_only=True) as connection:
        for statement in statements(strangers.text(f"countries/{code}.html")):
            cursor = connection.execute(statement)
            assert cursor.description[0][0] == "entity"
            assert {row[0] for row in cursor.fetchall()} <= {code}


def test_lines_are_the_marts_by_day_and_broken_where_there_is_no_snapshot(strangers):
    lines = figures(strangers.text("countries/CN.html"))[0]
    series = rows_of(lines["views"]["new_trailing_30d-30"]["data"]["series"])
    drawn = {(row["day"], row["by"]): row["value"] for row in series}
    stored = strangers.rows(
        "select snapshot_date, attribution, share from marts.mart_daily_country_share "
        "where metric = 'new_trailing_30d' and denominator = 'all' and country_code = 'CN'"
    )
    assert {(day.isoformat(), by): round(share, 5) for day, by, share in stored} == {
        key: value for key, value in drawn.items() if value is not None
    }
    assert {day for (day, _), value in drawn.items() if value is None} == {
        day.isoformat() for day in strangers.contents.missing
    }


def test_parts_of_a_country_are_the_marts_and_say_so_where_there_are_none(strangers):
    makeup = next(figure for figure in figures(strangers.text("countries/CN.html")) if "modality" in figure["views"])
    bars = rows_of(makeup["views"]["openness"]["data"]["bars"])
    assert [(row["name"], row["by"], row["share"]) for row in bars] == [
        ("permissive", "uploader", 0.75),
        ("permissive", "origin", 0.75),
        ("restricted", "uploader", 0.25),
        ("restricted", "origin", 0.25),
    ]
    assert "there is nothing to split" in Page(strangers.text("countries/KR.html")).text


def test_crossovers_cadence_and_players_stand_on_the_page(strangers):
    china, states = (Page(strangers.text(f"countries/{code}.html")).text for code in ("CN", "US"))
    assert f"{strangers.contents.first_day} passed United States for the first time" in china
    assert f"{strangers.contents.first_day} was passed by China" in states
    assert "every 30 days (monthly)" in china
    assert "Above 100,000" in china


def test_what_is_no_country_says_what_it_is(strangers):
    for code in (*SPECIAL_NAMES, "EU"):
        text = Page(strangers.text(f"countries/{code}.html")).text
        assert ("Not a country:" in text) is (code != "EU")


class TestInTheBrowser:
    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_a_country_is_drawn_and_keeps_nobody_out(self, strangers, browser, theme):
        with opened(browser, strangers.folder / "countries" / "CN.html", theme=theme) as seen:
            seen.draw_all()
            assert seen.page.locator(".figure svg").count() == 3
            seen.page.locator("input[value='trailing_30d-30']").check()
            seen.page.wait_for_selector("[data-drawn='trailing_30d-30']")
            assert seen.logged == []
            assert seen.barriers() == []
            seen.keep(f"country-{theme}")

    def test_a_phone_needs_no_sideways_scroll(self, strangers, browser):
        for page in ("countries.html", "countries/EU.html", "countries/CN.html"):
            with opened(browser, strangers.folder / page, width=PHONE) as seen:
                seen.draw_all()
                assert seen.sideways <= 0
                assert seen.logged == []
