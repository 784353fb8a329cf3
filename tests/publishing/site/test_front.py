"""What the page says and how it is escaped, read from its text; how it looks and behaves is tested in a browser."""

import csv
import json
import re
import subprocess
import sys
from html import unescape
from itertools import pairwise

import duckdb
import pytest

from orchestration.foreign_text import display_name
from orchestration.publishing import (
    PublishRefused,
    build_candidate,
    headline_image_markdown,
    render_report_into,
)
from orchestration.publishing.site.build import headline_figure
from orchestration.publishing.site.topics.shares import LABEL_SHARE, drawn_countries, end_labels
from orchestration.publishing.site.words import claim_value, points
from orchestration.settings import PROJECT_ROOT, Settings

from ..warehouse import ORGANIZATIONS, Contents, write_warehouse
from .pages import Page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
NOTE = "The 30-day counts of the first day are real counts of mixed dates; everything else is simulated."
MIB = 1 << 20


def render(home, contents: Contents, note: str | None = None) -> str:
    settings = Settings(home=home)
    write_warehouse(settings.warehouse_path, contents)
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[], simulation_note=note)
    path = render_report_into(candidate)
    assert path == candidate.path / "report" / "index.html"
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> str:
    organizations = {"CN": {HOSTILE: 0.6} | ORGANIZATIONS["CN"], "US": ORGANIZATIONS["US"]}
    return render(tmp_path_factory.mktemp("simulated"), Contents(organizations=organizations), NOTE)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> str:
    return render(tmp_path_factory.mktemp("recorded"), Contents(is_simulated=False, missing=(), events={}), NOTE)


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> str:
    """One day, on which nothing is to be placed and nothing can be counted otherwise."""
    contents = Contents(days=1, missing=(), events={}, unplaced=0, has_sensitivity=False)
    return render(tmp_path_factory.mktemp("bare"), contents)


def test_headline_is_one_sentence_with_the_numbers_and_their_bounds(recorded):
    text = Page(recorded).text
    # 4100 + 7 x 90 of 10500 + 7 x 90; the bounds add the 640 that nobody could attribute
    assert (
        "42.5% of the 30-day downloads of new open models on 13 October 2026 went to models from China , "
        "and 32.3% to models from the United States ." in text
    )
    assert "between 42.5% and 48.2% (China) and between 32.3% and 38.1% (United States)" in text
    assert "4,730 downloads of 12 models (China)" in text


def test_page_asks_for_nothing_but_the_sites_own_files(simulated, site):
    page = Page(simulated)
    addresses = [attributes[name] for _, attributes in page.tags for name in ("src", "href") if name in attributes]
    files = {address.split("#")[0] for address in addresses} - {""}
    assert not [address for address in files if re.match(r"[a-z]+:|/", address)]
    assert {"assets/charts.js", "assets/site.js", "assets/style.css"} <= files
    assert not page.of("iframe")
    assert not re.search(r"url\(|@import", (site / "assets" / "style.css").read_text(encoding="utf-8"))
    policy = next(a["content"] for a in page.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src 'self' 'unsafe-eval';" in policy  # the charts' library compiles expressions
    assert "connect-src" not in policy


def test_front_page_with_all_that_it_loads_is_of_reasonable_size(site):
    loaded = [site / "index.html", *(site / "assets").iterdir(), *(site / "charts").iterdir()]
    assert sum(path.stat().st_size for path in loaded) < 3 * MIB


def test_page_says_which_counts_are_real_where_data_is_simulated(simulated):
    page = Page(simulated)
    assert f"SIMULATED. {NOTE} Nothing here is evidence." in page.text
    assert "In simulated data, " in page.text
    assert simulated.count("<title>SIMULATED") == 1


def test_recorded_data_is_nowhere_called_simulated(recorded):
    assert "simulated" not in recorded.lower()


def test_hostile_names_stay_text(simulated):
    page = Page(simulated)
    assert all(re.fullmatch(r"charts/[a-z_]+\.svg", image["src"]) for image in page.of("img"))
    assert not [attributes for _, attributes in page.tags if "onerror" in attributes]
    assert "<script>alert" not in simulated
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in simulated
    # as many ends of scripts as there are scripts: none comes out of the data
    assert simulated.lower().count("</script") == len(page.of("script"))


def figures_in(text: str) -> dict[str, dict]:
    """What the page brings for each of its figures, by the figure's name."""
    found = re.findall(
        r'<figure class="figure" id="figure-(\w+)">.*?class="figure-data">(.*?)</script>', text, re.DOTALL
    )
    assert not [name for name, brought in found if set("<>&\u2028") & set(brought)]
    return {name: json.loads(brought) for name, brought in found}


def test_figures_bring_whole_json_that_cannot_leave_its_element(simulated):
    figures = figures_in(simulated)
    assert {"headline", "china", "states", "attributions", "coverage"} <= figures.keys()
    bars = next(iter(figures["china"]["views"].values()))["data"]["bars"]
    assert HOSTILE[:20] in str(bars["name"])


def test_every_chart_has_a_description_and_a_drawing_without_scripts(simulated, site):
    page = Page(simulated)
    described = [attributes for attributes in page.of("div") if attributes.get("role") == "img"]
    assert len(described) == len(figures_in(simulated)) >= 5
    assert all(attributes["aria-label"].startswith("SIMULATED data. ") for attributes in described)
    for image in page.of("img"):
        picture = (site / image["src"]).read_text(encoding="utf-8")
        # in the subtitle, and across the plot
        assert picture.count("SIMULATED") >= 2
        assert "<script" not in picture


def test_every_figure_has_its_definition_its_sql_and_its_rows(site, recorded):
    page = Page(recorded)
    links = [link["href"] for link in page.of("a") if link.get("href", "").startswith("data/")]
    assert links == [f"data/{name}.csv" for name in figures_in(recorded)]
    for link in links:
        assert len((site / link).read_text(encoding="utf-8").splitlines()) > 1
    statements = [unescape(sql) for sql in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", recorded, re.DOTALL)]
    assert len(statements) == len(links) + 1  # and the one to begin with


def test_the_sql_under_a_figure_gives_the_figures_rows(tmp_path):
    settings = Settings(home=tmp_path)
    write_warehouse(settings.warehouse_path, Contents(is_simulated=False))
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])
    page = render_report_into(candidate)
    statements = [
        unescape(sql)
        for sql in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page.read_text(encoding="utf-8"), re.DOTALL)
    ]
    names = list(figures_in(page.read_text(encoding="utf-8")))
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        for name, sql in zip(names, statements, strict=False):
            cursor = connection.execute(sql)
            columns, found = [column[0] for column in cursor.description], cursor.fetchall()
            with (page.parent / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                header, *told = csv.reader(file)
            assert header == columns
            assert len(told) == len(found)
            assert all(
                as_cell(value) == cell
                for a, b in zip(found, told, strict=True)
                for value, cell in zip(a, b, strict=True)
            )


def as_cell(value) -> str:
    """A value as the CSV has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_headings_form_an_outline(simulated):
    levels = [int(tag[1]) for tag, _ in Page(simulated).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_claims_are_told_with_their_reported_value_and_the_unanswered_say_why(recorded):
    text = Page(recorded).text
    assert "Reported: 17.1% against 15.8%, as of 2025-08-31" in text
    assert "Never compare its level with the reported one." in text
    assert "Null: it needs a history of daily downloads" in text
    # the lead metric, whose counts are the best, comes before the others
    assert text.index("China's share, by uploader 41.0%") < text.index("new_created, 365 days")


def test_the_least_and_the_most_are_told_with_whether_the_order_rests_on_them(recorded, bare):
    text = Page(recorded).text
    assert (
        "China 42.5% 42.5% 48.2% United States 32.3% 32.3% 38.1% EU-27 5.8% 5.8% 11.6% France largest of the EU 3.8% 3.8% 9.5%"
        in text
    )
    assert "Even if all that isn't attributed were the United States', China would have more" in text
    # 4100 against 3600, and 640 that nobody could attribute
    assert "more than what parts China and the United States" in Page(bare).text


def test_each_decision_is_told_in_words_with_what_it_moves_and_whether_it_turns_the_order_round(recorded):
    text = Page(recorded).text
    assert "6 decisions that could have been others" in text
    assert "2 of them would turn the order of the two round." in text
    assert "As published 40.0% 35.0% China" in text
    assert "not as community turns the order round 40.0% 0 41.0% +6.0 United States" in text
    assert "Hong Kong and Macao count as China 42.0% +2.0 35.0% 0 China" in text
    # those that move one organisation come last, the largest move first
    assert "Alibaba Qwen is not attributed turns the order round 25.0% −15.0 35.0% 0 United States" in text
    assert text.index("Alibaba Qwen is not") < text.index("Google counts as United Kingdom 40.0% 0 27.0% −8.0 China")
    assert "new_created , until a year of daily downloads exists" in text


def test_the_accounts_to_locate_next_are_told_with_what_they_would_settle(recorded):
    text = Page(recorded).text
    # 0.020 + 0.019 + … + 0.011, of 1 - 0.94
    assert "The 10 largest accounts that nobody has placed" in text
    assert "would settle 15.50% of all 30-day downloads, of the 6.00% that aren't attributed" in text
    assert "nobody-00 2.00% 640 3 nobody-00/model" in text
    assert "nobody-10" not in text


def test_a_day_without_a_year_to_count_otherwise_and_nobody_left_to_place_says_so(bare):
    text = Page(bare).text
    assert "tells no all-time downloads, so that no year of new models' downloads can be counted another way" in text
    assert "every account has been placed" in text


def test_the_largest_of_the_eu_is_drawn_however_small():
    ranked = ["CN", "US", "KR", "GB", "CA", "JP", "FR"]
    countries = [
        {"country_code": code, "rank": rank, "share": 0.1, "downloads": 9 - rank, "is_eu_member": code == "FR"}
        for rank, code in enumerate(ranked, start=1)
    ]
    assert drawn_countries(countries) == ["CN", "US", "EU", "KR", "GB", "CA", "FR"]
    assert drawn_countries([row | {"is_eu_member": False} for row in countries]) == [
        "CN",
        "US",
        "EU",
        "KR",
        "GB",
        "CA",
        "JP",
    ]


def test_the_headline_has_the_score_and_what_was_published_though_broken(recorded):
    text = Page(recorded).text
    # 11 x 5 of 11 x 5 + 2
    assert "Quality score 96.4 of 100 : 11 of 12 promises kept" in text
    assert (
        "Published with 1 promise broken: models : volume is plausible (investigate, 2026-10-13 ): found 0.0, expected 0.02"
    ) in text
    assert text.index("Published with 1 promise") < text.index("Countries' share, day by day")


def test_checks_are_counted_by_step(recorded):
    text = Page(recorded).text
    assert "raw 8 24 1 0 0" in text
    assert "marts 8 24 0 0 0" in text


def test_what_is_always_said_beside_a_number_is_said(recorded):
    text = Page(recorded).text
    for said in ("developer , not of whoever downloads it", "request, not a user", "open market only"):
        assert said in text
    for code in ("XC", "XI", "XM", "XX"):
        assert code in text


def headline_data(contents: Contents, home) -> dict[str, list[dict]]:
    """The rows of the headline's first view, by source."""
    settings = Settings(home=home)
    write_warehouse(settings.warehouse_path, contents)
    figure, _ = headline_figure(settings.warehouse_path)
    return figure.first.data


def test_a_missing_day_breaks_the_lines(tmp_path):
    data = headline_data(Contents(), tmp_path)
    codes = {row["code"] for row in data["series"]}
    assert len(codes) == 10  # the two, the EU-27, four neighbours, and three that have no country
    for source in ("series", "bounds"):
        for code in {row["code"] for row in data[source]}:
            shares = {str(row["day"]): row["share"] for row in data[source] if row["code"] == code}
            assert len(shares) == 8
            assert shares["2026-10-10"] is None
            assert shares["2026-10-11"] is not None
    assert [(band["day"][:10], band["to"][:10], band["text"]) for band in data["gaps"]] == [
        ("2026-10-09", "2026-10-10", "no snapshot")
    ]


def test_a_platform_event_is_marked(tmp_path):
    data = headline_data(Contents(), tmp_path)
    assert {"day": "2026-10-12", "text": "Hub: recounted"} in data["events"]


def test_a_single_day_is_drawn_with_its_bounds(tmp_path):
    data = headline_data(Contents(days=1, missing=(), events={}), tmp_path)
    assert {row["code"] for row in data["lone"]} == {"CN", "US", "EU"}


def test_names_at_the_ends_of_lines_do_not_overlap(tmp_path):
    data = headline_data(Contents(), tmp_path)
    labels = end_labels([row for row in data["series"] if str(row["day"]) == "2026-10-13"], top=0.5)
    places = sorted(label["at"] for label in labels)
    assert len(places) == 10
    assert all(after - before >= 0.5 * LABEL_SHARE - 1e-9 for before, after in pairwise(places))


def test_the_union_of_27_is_the_sum_of_its_members_with_what_is_not_attributed_once(tmp_path):
    data = headline_data(Contents(missing=(), events={}), tmp_path)
    of = {row["code"]: row for row in data["series"] if str(row["day"]) == "2026-10-13"}
    # France 420 and Germany 230, of 10500 + 7 x 90; the bound adds the 640 that nobody could attribute
    assert of["EU"]["downloads"] == 650
    assert of["EU"]["share"] == pytest.approx(650 / 11130)
    assert of["EU"]["high"] == pytest.approx(1290 / 11130)


def test_sums_of_shares_are_rounded_as_all_published_numbers(site):
    """In whichever order they are added, the same bytes come out."""
    with (site / "data" / "headline.csv").open(encoding="utf-8", newline="") as file:
        of_the_union = [row for row in csv.DictReader(file) if row["country_code"] == "EU"]
    assert len(of_the_union) > 50
    for row in of_the_union:
        assert all(len(row[name].partition(".")[2]) <= 12 for name in ("share", "share_low", "share_high"))


def test_each_reading_of_the_headline_has_its_own_shares_and_says_which_it_is(tmp_path):
    settings = Settings(home=tmp_path)
    write_warehouse(settings.warehouse_path, Contents(missing=(), events={}))
    figure, _ = headline_figure(settings.warehouse_path)
    assert len(figure.views) == 2 * 2 * 3
    china = {
        key: next(
            row["share"] for row in view.data["series"] if row["code"] == "CN" and str(row["day"]) == "2026-10-13"
        )
        for key, view in figure.views.items()
    }
    assert china["new_trailing_30d-30/uploader/all"] == pytest.approx(4730 / 11130)
    assert china["new_trailing_30d-30/origin/all"] == pytest.approx(5230 / 11130)
    assert china["new_trailing_30d-30/uploader/organizations"] == pytest.approx(4730 / 10230)
    assert china["new_trailing_30d-30/uploader/located"] == pytest.approx(4730 / 9480)
    for key, view in figure.views.items():
        _, attribution, _ = key.split("/")
        assert f"by {attribution}, " in view.subtitle[-1]
        assert f"by {attribution}, " in view.alt
    # a country outside a denominator has no row in it
    assert "XX" not in {row["code"] for row in figure.views["new_trailing_30d-30/uploader/located"].data["series"]}


def test_a_country_without_downloads_is_zero_and_not_missing(tmp_path):
    settings = Settings(home=tmp_path)
    write_warehouse(settings.warehouse_path)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("delete from marts.mart_daily_country_share where country_code = 'US'")
    figure, _ = headline_figure(settings.warehouse_path)
    shares = {str(row["day"]): row["share"] for row in figure.first.data["series"] if row["code"] == "US"}
    assert shares["2026-10-13"] == 0
    assert shares["2026-10-10"] is None


def test_a_database_without_new_models_downloads_is_refused(tmp_path):
    settings = Settings(home=tmp_path)
    write_warehouse(settings.warehouse_path)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("delete from marts.mart_daily_country_share where metric like 'new_%'")
    with pytest.raises(PublishRefused, match="no row of new models' downloads"):
        headline_figure(settings.warehouse_path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Qwen", "Qwen"), ("evil\u202egnp", "evil\ufffdgnp"), ("a\x00b", "a\ufffdb"), ("n" * 99, "n" * 59 + "…")],
    ids=["plain", "turned around", "null byte", "long"],
)
def test_names_are_shown_without_what_could_mislead(name, shown):
    assert display_name(name) == shown


@pytest.mark.parametrize(
    ("difference", "shown"), [(0.0123, "+1.2"), (-0.2, "−20.0"), (0.0, "0"), (-0.0001, "−0.0"), (0.0006, "+0.1")]
)
def test_a_difference_of_shares_is_shown_in_points(difference, shown):
    assert points(difference) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.4123, "share", "41.2%"),
        (20261014.0, "date", "2026-10-14"),
        (41.5, "days", "41.50 days"),
        (1200.0, "organizations", "1,200 organizations"),
        (None, "date", "–"),
    ],
)
def test_a_claims_number_is_shown_in_its_unit(value, unit, shown):
    assert claim_value(value, unit) == shown


def test_headline_image_is_a_picture_inside_markdown(tmp_path):
    settings = Settings(home=tmp_path)
    write_warehouse(settings.warehouse_path)
    markdown = headline_image_markdown(settings.warehouse_path)
    assert re.fullmatch(r"!\[[^\]]+\]\(data:image/svg\+xml;base64,[A-Za-z0-9+/=]+\)", markdown)
    assert len(markdown) < 150_000


def test_importing_the_package_loads_neither_charts_nor_frames():
    heavy = ["altair", "pandas", "vl_convert", "jinja2", "dagster", "dbt", "great_expectations"]
    code = f"import sys, orchestration.publishing; print([name for name in {heavy} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
