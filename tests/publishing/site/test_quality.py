"""The quality page: what it says of good and bad days, how it is escaped, and that it fits a phone in a real Chromium.
What a score is, is tested in `tests/quality`; the charts and the claims of the report in `test_report`."""

import json
import re
from itertools import pairwise

import duckdb
import pytest

from orchestration.publishing import build_candidate, publish_candidate, render_report_into
from orchestration.publishing.quality_facts import hours_in_words, offenders_of, read_quality
from orchestration.publishing.site.pages.quality import days_in_words
from orchestration.publishing.versions import verify_hashes
from orchestration.settings import Settings

from ..warehouse import PASSED, Contents, write_warehouse
from .browser import DESKTOP, PHONE, opened
from .pages import Page

HOSTILE = '</td></table><script>window.hostile=1</script><img src=x onerror="window.hostile=1">'
BROKEN = {"passed": False, "blocking": False}
VERDICTS = (
    BROKEN
    | {
        "check_name": "jumps_are_small",
        "table_name": "mart_daily_country_share",
        "severity": "watch",
        "observed": "0.31",
        "threshold": "at most 0.2",
        "basis": "median of 28 days before",
        "reason": "A jump shows a reseeded table; since 2026-11-29",
        "offenders": json.dumps([{"country_code": "CN", "name": HOSTILE}, {"country_code": "US", "name": "evil‮gnp"}]),
    },
    BROKEN | {"check_name": HOSTILE, "severity": "investigate", "crashed": True, "observed": HOSTILE * 3},
    {
        "check_name": "names_are_sane",
        "step": "raw",
        "accepted_event": True,
        "accepted_because": f"hub-rename: the Hub renamed 4,000 repositories at once {HOSTILE}",
    },
    {"check_name": "rows_are_there", "step": "listings", "table_name": "hub_datasets"},
)
ON_CANDIDATE = [PASSED | {"table_name": "database", "check_name": "keys_are_unique"}]


@pytest.fixture(scope="module")
def candidate(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("quality"))
    contents = write_warehouse(settings.warehouse_path, Contents(verdicts=VERDICTS, is_simulated=False))
    made = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[contents.last_day])
    render_report_into(made, ON_CANDIDATE)
    return made


@pytest.fixture(scope="module")
def of_many_days(tmp_path_factory):
    """A version whose run added eight days; one promise was broken on two of them, and kept again later."""
    settings = Settings(home=tmp_path_factory.mktemp("many-days"))
    often = {"check_name": "jumps_are_small", "severity": "watch"} | BROKEN
    contents = Contents(missing=())
    verdicts = [often | {"snapshot_date": day, "observed": f"0.{day.day}"} for day in contents.calendar[1:3]]
    verdicts += [often | {"snapshot_date": contents.calendar[4], "passed": True}]
    write_warehouse(settings.warehouse_path, Contents(missing=(), verdicts=verdicts))
    made = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=contents.calendar)
    render_report_into(made, [PASSED | {"snapshot_date": day} for day in contents.calendar])
    return made


@pytest.fixture(scope="module")
def page(candidate) -> str:
    return (candidate.path / "report" / "quality.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text(page) -> str:
    return Page(page).text


def test_the_headline_has_the_score_its_formula_and_what_was_published_though_broken(text):
    # 11 x 5 + 2 as every day, 1 + 2 + 5 more, and 5 of the file; listings are no part of it
    assert "92.8 of 100: 13 of 16 promises about 13 October 2026 were kept." in text
    assert "A promise that blocks weighs 5, one to be investigated 2, one that is watched 1" in text
    assert "Published with 3 promises broken:" in text
    assert "( investigate )" not in text


def test_scores_by_step_are_told_with_their_parts(text):
    assert "raw 88.2 4 3 1 0 1 0 0 staging 100 3 3" in text
    assert "published 100 1 1 0 0 0 0 0 listings 100 1 1" in text


def test_each_promise_is_told_with_what_was_found_and_expected_broken_ones_first(text):
    told = (
        "jumps are small mart_daily_country_share watch · team:data ✕ broken 0.31 at most 0.2 median of 28 days before "
        "A jump shows a reseeded table; since 2026-11-29"
    )
    assert told in text
    marts = text[text.index("marts 2026-10-13 · 3 of 5 kept") :]
    # what is to be investigated, what is watched, and then what is kept
    assert marts.index("✕ crashed") < marts.index("jumps are small") < marts.index("✓ 0.0")
    assert "names are sane models blocks · team:data ◇ accepted" in text


def test_rows_that_broke_a_promise_are_shown_without_what_could_mislead(text):
    assert "US evil\ufffdgnp" in text


def test_the_calendar_has_a_row_a_day_and_says_in_words_what_its_colours_say(page, text):
    assert "Tue 13 △ 88.2 ✓ 100 ✓ 100" in text
    assert "Mon 12 ✓ 100 ✓ 100 ✓ 100 ✓ 100 · ·" in text
    assert "Sat 10 no capture" in text
    assert "△ broken: something to be investigated" in text
    days = re.findall(r'<time datetime="(2026-10-\d\d)">', page)
    assert days == [f"2026-10-{day:02}" for day in range(13, 5, -1)]


def test_what_was_ever_broken_is_told_with_times_and_what_is_broken_now_comes_first(text):
    history = text[text.index("What was ever broken") :]
    assert "is complete staging models ✓ kept 2 1 7 2026-10-06 1.2 h 3.1 days watch –" in history
    assert "✕ broken since 2026-10-13 12:00 UTC 1 1 7 2026-10-13 – – investigate team:data" in history
    assert history.index("volume is plausible") < history.index("is complete")


def test_accepted_events_are_told_with_their_reasons(text):
    assert "names are sane raw models 2026-10-13 hub-rename: the Hub renamed 4,000 repositories at once" in text


def test_names_of_strangers_stay_text_and_nothing_of_theirs_is_run(page):
    tags = Page(page)
    for tag in ("img", "iframe"):
        assert not tags.of(tag)
    assert {attributes["src"] for attributes in tags.of("script")} == {
        f"assets/{name}.js" for name in ("theme", "site", "search", "search-index")
    }
    assert not [name for _, attributes in tags.tags for name in attributes if name.startswith("on")]
    policy = next(a["content"] for a in tags.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'self' ")


def test_links_lead_to_pages_and_to_places_that_exist(page, candidate):
    tags = Page(page)
    places = {attributes["id"] for _, attributes in tags.tags if "id" in attributes}
    targets = {attributes["href"] for attributes in tags.of("a")}
    assert "index.html" in targets
    assert {target[1:] for target in targets if target.startswith("#")} <= places
    report = candidate.path / "report"
    assert all((report / target).is_file() for target in targets if not target.startswith("#"))


def test_tables_have_headers_of_columns_and_rows(page):
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        assert re.search(r'<thead>.*<th scope="col"', table, re.DOTALL)
    levels = [int(tag[1]) for tag, _ in Page(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_dictionary_has_each_tables_own_score_or_its_steps(candidate):
    text = (candidate.path / "DICTIONARY.md").read_text(encoding="utf-8")
    sections = {part.split("\n")[0]: part for part in text.split("\n## ")[1:]}
    assert "Quality on 2026-10-13: 0.0 of 100, by 1 of its own promises." in sections["mart_daily_country_share"]
    assert "Quality on 2026-10-13: no promise of its own; step score 83.3 of 100." in sections["dim_models"]
    assert "Quality is 100 × weights of the promises kept" in text


def test_the_page_is_sealed_with_the_version(settings, warehouse):
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[warehouse.last_day])
    render_report_into(candidate, ON_CANDIDATE)
    version = publish_candidate(settings, candidate, quality=ON_CANDIDATE)
    assert {"report/index.html", "report/quality.html"} <= version.manifest["files"].keys()
    verify_hashes(version.path)


def test_a_version_without_any_verdict_says_so(settings, warehouse):
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for table in ("fct_quality_results", "mart_daily_quality_score", "mart_promise_history"):
            connection.execute(f"delete from marts.{table}")
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])
    page = render_report_into(candidate).with_name("quality.html")
    said = Page(page.read_text(encoding="utf-8")).text
    assert "No promise was judged yet." in said
    assert "Sat 10 no capture" in said
    assert "no promise of its own, and no day was judged yet" in (candidate.path / "DICTIONARY.md").read_text()


def test_a_version_of_many_days_has_a_line_a_promise_and_names_the_days_on_which_it_was_broken(of_many_days):
    report = of_many_days.path / "report" / "index.html"
    said = Page(report.with_name("quality.html").read_text(encoding="utf-8")).text
    promises = said[said.index("Promises, step by step") : said.index("Rows that broke")]
    assert "promises about 8 days from 2026-10-06 to 2026-10-13 were kept" in said
    assert "jumps are small models 2026-10-07, 2026-10-08 watch · team:data ✕ broken 0.8" in promises
    assert promises.count("is unique") == 4  # a line in each of the four steps
    assert "jumps are small (watch, 2026-10-08 and 1 more day)" in Page(report.read_text(encoding="utf-8")).text


def test_verdicts_on_an_earlier_file_say_nothing_about_this_one(settings, warehouse):
    earlier = {"step": "published", "table_name": "database", "check_name": "keys_are_unique", "passed": False}
    write_warehouse(settings.warehouse_path, Contents(verdicts=[earlier]))
    database = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[]).database
    with duckdb.connect(str(database), read_only=True) as connection:
        without = read_quality(connection, [], [])
        with_own = read_quality(connection, [], ON_CANDIDATE)
    assert not [verdict for verdict in without.verdicts if verdict["step"] == "published"]
    assert [verdict["passed"] for verdict in with_own.verdicts if verdict["step"] == "published"] == [True]


@pytest.mark.parametrize(("hours", "words"), [(None, "–"), (0.04, "0.0 h"), (47.9, "47.9 h"), (48, "2.0 days")])
def test_hours_are_told_in_words(hours, words):
    assert hours_in_words(hours) == words


def test_many_days_are_told_as_the_first_and_the_last():
    days = Contents(days=6).calendar
    assert days_in_words(days[:2]) == "2026-10-06, 2026-10-07"
    assert days_in_words(days) == "6 days from 2026-10-06 to 2026-10-11"


def test_offenders_of_a_verdict_that_is_not_stored_yet_are_shown_alike():
    assert offenders_of({"offenders": ({"rows": 3, "name": None},)}) == [{"rows": "3", "name": "None"}]
    assert offenders_of({"offenders": None}) == []


MEASURE = """() => {
  document.querySelectorAll("details").forEach(part => { part.open = true; });
  const calendar = document.querySelector(".calendar");
  return {
    hostile: window.hostile === undefined ? 0 : 1,
    calendar: calendar.scrollWidth - calendar.parentElement.clientWidth,
    promises: [...document.querySelectorAll(".promises")].every(table => table.scrollWidth <= table.parentElement.clientWidth),
    colours: new Set([...document.querySelectorAll(".calendar td")].map(cell => getComputedStyle(cell).backgroundColor)).size,
  };
}"""


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("of", ["candidate", "of_many_days"])
def test_in_a_browser_the_page_fits_a_phone_and_a_desktop_and_runs_nothing(of, theme, request, browser):
    page = request.getfixturevalue(of).path / "report" / "quality.html"
    for width in (PHONE, DESKTOP):
        with opened(browser, page, width=width, theme=theme) as seen:
            measured = seen.page.evaluate(MEASURE)
            assert seen.sideways <= 0
            assert measured["promises"]
            assert measured["colours"] >= (3 if of == "candidate" else 2)
            assert measured["hostile"] == 0
            assert measured["calendar"] <= 0
            assert seen.logged == []
    with opened(browser, page, theme=theme) as seen:
        assert seen.barriers() == []
        seen.keep(f"quality-{of}-{theme}")
