"""The topics of the front page: their numbers equal the marts', they say nothing where there is nothing, and strangers' names
stay names. Pages are read as text here; how they look and behave is tested in a browser."""

import re
from datetime import date, timedelta
from itertools import pairwise

import duckdb
import pytest

from orchestration.foreign_text import display_name
from orchestration.publishing import build_candidate, render_report_into
from orchestration.publishing.site.facts import read_front
from orchestration.publishing.site.figures import as_columns
from orchestration.publishing.site.ground import Ground, read_ground, thinned
from orchestration.publishing.site.pages.front import (
    CANT_BE_TOLD,
    NO_VERDICT,
    NOT_YET,
    claims_by_question,
    first_sentence,
    tally_in_words,
)
from orchestration.publishing.site.topics import (
    adoption,
    concentration,
    lineage,
    makeup,
    modalities,
    openness,
    players,
    releases,
    sizes,
)
from orchestration.publishing.site.topics.parts import ink_on
from orchestration.publishing.site.topics.timeline import covered_ground, event_marks, marks_of, numbered_marks
from orchestration.publishing.site.topics.topic import WORLD, Story, read_story
from orchestration.settings import Settings

from ..warehouse import ORGANIZATIONS, Contents, write_warehouse
from .pages import Page

LAST = date(2026, 10, 13)
HOSTILE = "</script><script>window.hostile=1</script>\u202e=cmd()"
READ_BY_TOPICS = frozenset({
    "mart_daily_modality_share", "mart_daily_openness", "mart_daily_size_share", "mart_daily_technique_share",
    "mart_daily_family_share", "mart_daily_concentration", "mart_daily_lineage", "mart_release_cadence",
    "mart_weekly_release_frequency", "fct_releases", "mart_monthly_independent_players", "mart_relative_adoption",
    "mart_daily_organization_share",
})  # fmt: skip
FURTHER = {
    # Germany names no size but one, and a country that nobody compares adds to the world's
    "mart_daily_modality_share": [(LAST, "new_trailing_30d", "uploader", "CA", "audio", 77, 1.0, 2, 1)],
    "mart_daily_lineage": [
        (LAST, "new_trailing_30d", "Alibaba Qwen", "CN", "quantized", 9, 6, 600, 0.6, 300, 0.5),
        (LAST, "new_trailing_30d", "Meta", "US", "finetune", 5, 3, 300, 0.3, 0, 0.0),
        (LAST, "new_trailing_30d", "Mistral", "FR", "adapter", 2, 1, 100, 0.1, 0, 0.0),
        (LAST, "new_trailing_30d", "(other)", "XM", "merge", 1, 1, 0, 0.0, 0, None),
    ],
    "mart_release_cadence": [
        (LAST, "organization", "Too Few", "CN", 1, 3, 3.0, None, 0.02, 0.02, "single"),
    ],
    "mart_daily_organization_share": [
        (LAST, "trailing_30d", 30, "uploader", "CN", "Too Few", 90_000, 0.01, 0.01),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """What topics are told on, in a warehouse with a hostile name in it."""
    path = tmp_path_factory.mktemp("topics") / "observatory.duckdb"
    organizations = {"CN": {HOSTILE: 0.6} | ORGANIZATIONS["CN"], "US": ORGANIZATIONS["US"]}
    write_warehouse(path, Contents(organizations=organizations, further=FURTHER))
    with duckdb.connect(str(path), read_only=True) as connection:
        ground = read_ground(connection)
        yield read_story(connection, ground, read_front(connection, ground).countries.rows)


def one(story: Story, sql: str):
    return story.connection.execute(sql).fetchone()[0]


@pytest.mark.parametrize(
    ("topic", "table", "part"),
    [
        (modalities.modalities, "mart_daily_modality_share", "modality"),
        (openness.openness, "mart_daily_openness", "openness"),
        (sizes.sizes, "mart_daily_size_share", "size_class"),
    ],
)
def test_what_countries_downloads_are_made_of_equals_the_mart(story, topic, table, part):
    answer = topic(story).figures[0].answer
    of = {(r["metric"], r["attribution"], r["country_code"], r[part]): r for r in answer.rows}
    mart = f"from marts.{table} where snapshot_date = '{LAST}' and metric = 'trailing_30d' and attribution = 'origin'"
    (first,) = story.connection.execute(f"select min({part}) {mart}").fetchone()
    china = of["trailing_30d", "origin", "CN", first]
    assert china["downloads"] == one(
        story, f"select sum(downloads) {mart} and country_code = 'CN' and {part} = '{first}'"
    )
    assert china["share_of_country"] == pytest.approx(
        one(story, f"select sum(share_of_country) {mart} and country_code = 'CN' and {part} = '{first}'")
    )
    members, whole = (
        one(story, f"select sum(downloads) {mart} and country_code in ('FR', 'DE') {more}")
        for more in (f"and {part} = '{first}'", "")
    )
    assert of["trailing_30d", "origin", "EU", first]["share_of_country"] == pytest.approx(members / whole)
    world = [r for key, r in of.items() if key[:3] == ("trailing_30d", "origin", WORLD)]
    assert sum(r["downloads"] for r in world) == one(story, f"select sum(downloads) {mart}")
    assert sum(r["share_of_country"] for r in world) == pytest.approx(1)


def test_parts_are_drawn_from_nought_to_one_and_the_legend_has_only_what_is_drawn(story):
    for view in modalities.modalities(story).figures[0].views.values():
        bars = view.data["bars"]
        for name in {bar["name"] for bar in bars}:
            parts = [bar for bar in bars if bar["name"] == name]
            assert parts[0]["from"] == 0
            assert all(a["to"] == b["from"] for a, b in pairwise(parts))
            assert parts[-1]["to"] == pytest.approx(1)
        assert set(view.params["parts"]) == {bar["part"] for bar in bars}
        assert len(view.params["parts"]) == len(view.params["colours"])


def test_videos_part_is_told_for_each_country_and_the_finding_has_it(story):
    topic = modalities.modalities(story)
    video = next(figure for figure in topic.figures if figure.name == "video")
    said = {r["country_code"]: r["share"] for r in video.answer.rows if r["metric"] == "new_trailing_30d"
            and r["attribution"] == "uploader"}  # fmt: skip
    assert said["CN"] == said["US"] == 0.25
    # 100 of 400 in six countries, and Canada's 77 downloads that are none
    assert said[WORLD] == pytest.approx(600 / 2477)
    assert "video have 25.0% of China’s" in topic.finding
    assert "24.2%" in topic.finding


def test_techniques_are_parts_of_all_of_a_country_and_a_missing_one_is_zero(story):
    figure = next(figure for figure in sizes.sizes(story).figures if figure.name == "techniques")
    china = next(r for r in figure.answer.rows if (r["metric"], r["attribution"], r["country_code"], r["technique"])
                 == ("new_trailing_30d", "uploader", "CN", "distilled"))  # fmt: skip
    assert china["share_of_country"] == pytest.approx(100 / 400)
    merged = [bar for bar in figure.first.data["bars"] if bar["name"] == "merged"]
    assert {bar["share"] for bar in merged} == {0}


def test_derivatives_shares_sum_to_one_and_equal_the_mart(story):
    topic = lineage.lineage(story)
    by_day, roots = topic.figures
    today = {r["country_code"]: r for r in by_day.answer.rows if r["snapshot_date"] == LAST}
    assert sum(r["downloads_share"] for r in today.values()) == pytest.approx(1)
    assert sum(r["downloads"] for r in today.values()) == one(
        story,
        f"select sum(downloads) from marts.mart_daily_lineage where snapshot_date = '{LAST}' and metric = 'new_trailing_30d'",
    )
    assert (today["CN"]["new_derivatives_share"], today["EU"]["downloads"]) == (pytest.approx(6 / 11), 100)
    assert [r["root_organization"] for r in roots.answer.rows] == ["Alibaba Qwen", "Meta", "Mistral"]
    assert "54.5% go back to a Chinese root and 27.3% to one from the United States" in topic.finding
    assert "Repackagers hold 30.0%" in topic.finding


def test_concentration_is_the_marts_and_is_put_into_words(story):
    topic = concentration.concentration(story)
    rows = topic.figures[0].answer.rows
    assert len(rows) == one(
        story, "select count(*) from marts.mart_daily_concentration where metric = 'new_trailing_30d'"
    )
    assert {(r["hhi"], r["effective_entities"]) for r in rows} == {(0.2, 5.0)}
    assert "China’s as if 5.0 equal organisations shared them" in topic.finding


def test_a_laboratory_with_too_few_releases_is_told_as_that_and_never_as_zero(story):
    topic = releases.releases(story)
    calendar, cadence = topic.figures
    assert "Too Few · CN" in [row["name"] for row in cadence.first.data["rows"]]
    assert "Too Few · CN" not in [dot["name"] for dot in cadence.first.data["dots"]]
    row = next(row for row in topic.tables[0].rows if row[0] == "Too Few · CN")
    assert row[1:3] == ("not enough", "not enough")
    assert (
        topic.finding
        == "China’s laboratories with enough releases: a median of 30 days between them; the United States’ laboratories with "
        "enough releases: a median of 30 days between them."
    )
    # sixty weeks ago lies before the calendar
    weeks = {cell["week"] for cell in calendar.first.data["cells"]}
    assert weeks == {"2026-10-12", "2026-09-21"}
    assert sum(cell["releases"] for cell in calendar.first.data["cells"] if cell["name"] == "Meta · US") == one(
        story,
        "select sum(releases) from marts.mart_weekly_release_frequency where organization = 'Meta' and "
        "week_start >= '2025-10-20'",
    )


def test_laboratories_are_grouped_by_country_the_largest_first(story):
    names = [row["name"] for row in releases.releases(story).figures[1].first.data["rows"]]
    codes = [name.rsplit(" ", 1)[1] for name in names]
    assert codes == sorted(codes)  # CN before US, each in one piece
    assert names[0] == "Too Few · CN"


def test_hostile_names_are_shown_as_names_on_axes_and_in_tooltips(story):
    shown = display_name(HOSTILE)
    assert "\u202e" not in shown
    figures = [*releases.releases(story).figures, makeup.families(story), makeup.over_time(story)]
    for figure in figures:
        for view in figure.views.values():
            assert "\u202e" not in str(view)
            assert "\u202e" not in view.alt
    labels = [row["name"] for row in releases.releases(story).figures[0].first.data["rows"]]
    assert any(label.startswith("</script><scrip") for label in labels)


def test_families_and_makeup_equal_the_marts(story):
    families = makeup.families(story)
    bars = families.views["US/uploader"].data["bars"]
    assert bars[0]["value"] == one(
        story,
        f"select max(share_of_country) from marts.mart_daily_family_share where snapshot_date = '{LAST}' "
        "and metric = 'new_trailing_30d' and attribution = 'uploader' and country_code = 'US'",
    )
    rows = [
        r for r in makeup.over_time(story).answer.rows if (r["country_code"], r["attribution"]) == ("US", "uploader")
    ]
    for day in {r["snapshot_date"] for r in rows}:
        assert sum(r["share_of_country"] for r in rows if r["snapshot_date"] == day) == pytest.approx(1)


def test_players_are_told_by_threshold_with_the_month_that_is_not_over(story):
    topic = players.players(story)
    assert set(topic.figures[0].views) == {"100000", "1000000", "10000000"}
    assert "In October 2026 (so far), China has 4 developers" in topic.finding


def test_adoption_leaves_out_what_has_no_peers(story):
    topic = adoption.adoption(story)
    assert [(r["milestone_days"], r["relative_adoption"]) for r in topic.figures[0].answer.rows] == [(7, 3.0)]
    assert "3.0 times" in topic.finding


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> str:
    """The front page of one day, of whose downloads nothing is told but countries' shares."""
    settings = Settings(home=tmp_path_factory.mktemp("empty"))
    write_warehouse(settings.warehouse_path, Contents(days=1, missing=(), events={}, emptied=READ_BY_TOPICS))
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])
    return render_report_into(candidate).read_text(encoding="utf-8")


def test_a_topic_without_rows_says_why_and_draws_nothing(empty):
    page = Page(empty)
    for anchor in ("releases", "modalities", "openness", "concentration", "lineage", "sizes", "players", "adoption"):
        section = re.search(f'<section aria-labelledby="{anchor}">(.*?)</section>', empty, re.DOTALL).group(1)
        assert "<figure" not in section
        assert '<p class="finding">' in section
    assert "There is no number yet: it takes a release" in page.text
    assert "No row of mart_daily_openness is of this day." in page.text


def test_the_contents_lead_to_every_section_in_order(empty):
    page = Page(empty)
    listed = re.findall(r'<li><a href="#(\w+)">', empty)
    headings = [a["id"] for tag, a in page.tags if tag == "h2" and a.get("id") != "contents"]
    assert listed == headings


# --- marks and lines --------------------------------------------------------------------------------------------------


def ground_of(days: int, events: dict[int, str], dated: tuple[tuple[int, str], ...] = ()) -> Ground:
    first = date(2026, 1, 1)
    return Ground(
        snapshot_date=first + timedelta(days=days - 1),
        is_simulated=False,
        measures=(),
        days=[
            {
                "snapshot_date": first + timedelta(days=number),
                "status": "complete",
                "platform_event": events.get(number, "none"),
                "is_simulated": False,
            }
            for number in range(days)
        ],
        coverage=[],
        names={},
        eu_members=frozenset(),
        dated_events=[
            {"event_date": first + timedelta(days=number), "title": title, "reason": "Why", "source": "S", "kind": "release"}
            for number, title in dated
        ],
    )  # fmt: skip


def test_few_marks_stand_in_words_and_dated_events_outside_history_do_not():
    ground = ground_of(100, {10: "stalled"}, ((50, "Acme 3"), (-5, "Before"), (200, "After")))
    assert numbered_marks(ground) == event_marks(ground)
    assert event_marks(ground) == [
        {"day": "2026-01-11", "text": "Hub: stalled"},
        {"day": "2026-02-20", "text": "Acme 3"},
    ]


def test_days_in_a_row_are_one_mark():
    (mark,) = marks_of(ground_of(30, {4: "recounted", 5: "recounted", 6: "recounted"}))
    assert (mark.first, mark.last) == (date(2026, 1, 5), date(2026, 1, 7))


def test_marks_that_would_touch_share_one_text_of_their_numbers_and_keep_their_lines():
    marks = numbered_marks(ground_of(450, {number: "stalled" for number in (0, 90, 92, 94, 300)}))
    assert [mark["text"] for mark in marks] == ["1", "2–4", "", "", "5"]
    assert len({mark["day"] for mark in marks}) == 5


def test_marks_keep_their_numbers_where_a_chart_begins_later():
    ground = ground_of(450, {number: "stalled" for number in range(0, 450, 20)})
    texts = [mark["text"] for mark in numbered_marks(ground, date(2026, 11, 1)) if mark["text"]]
    assert texts == ["17", "18", "19", "20", "21", "22", "23"]


def test_lines_are_thinned_to_days_that_have_something_to_draw():
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(450)]
    drawn = thinned(days, set(days) - {days[-1] - timedelta(days=5)}, 110)
    assert len(drawn) <= 110
    assert drawn[-1] == days[-1]
    assert days[-6] not in drawn
    whole_gap = thinned(days, set(days[:200]) | set(days[260:]), 110)
    assert any(days[200] <= day < days[260] for day in whole_gap)
    assert thinned(days[:9], {days[0]}, 110) == days[:9]


def test_a_window_that_history_does_not_cover_for_long_is_cut_off_and_a_short_gap_is_not():
    ground = ground_of(100, {})
    late = [{"snapshot_date": ground.days[40]["snapshot_date"]}]
    soon = [{"snapshot_date": ground.days[5]["snapshot_date"]}]
    assert covered_ground(ground, late).days[0] == ground.days[40]
    assert covered_ground(ground, soon) is ground
    assert covered_ground(ground, []) is ground


def unpacked(columns: dict) -> list[dict]:
    """What the page's script makes of columns, told once more."""
    whole: dict[str, list] = {}
    for name, column in columns.items():
        if isinstance(column, list):
            whole[name] = column
        elif "as" in column:
            whole[name] = whole[column["as"]]
        elif "by" in column:
            of = dict(zip(columns[column["by"]]["of"], column["of"], strict=True))
            whole[name] = [of[text] for text in whole[column["by"]]]
        elif "each" in column:
            whole[name] = [text for text in column["of"] for _ in range(column["each"])]
        elif "again" in column:
            whole[name] = column["of"] * column["again"]
        else:
            whole[name] = [None if place is None else column["of"][place] for place in column["at"]]
    return [dict(zip(whole, values, strict=True)) for values in zip(*whole.values(), strict=True)]


@pytest.mark.parametrize("first", ["share", None, "0"])
def test_packed_columns_say_what_the_rows_say(first):
    rows = [
        {
            "day": f"2026-01-{day:02}",
            "code": code,
            "name": f"Name of {code}",
            "width": 3.5 if code == "CN" else 1,
            "share": day / 100 + len(code),
            "low": day / 100 + len(code),
            "odd": first if (day, code) == (1, "CN") else "other",
            "gap": None if day == 7 else day * len(code),
        }
        for code in ("CN", "US", "EU-27")
        for day in range(1, 15)
    ]
    packed = as_columns(rows)
    assert unpacked(packed) == rows
    assert packed["name"]["by"] == "code"
    assert packed["low"] == {"as": "share"}
    assert packed["code"] == {"of": ["CN", "US", "EU-27"], "each": 14}
    assert packed["day"]["again"] == 3


def test_text_on_a_part_is_black_or_white_whichever_is_read_better():
    assert ink_on("#0072B2") == "#FFFFFF"
    assert ink_on("#56B4E9") == "#000000"


# --- the claims at a glance -------------------------------------------------------------------------------------------


def part(name: str, value: float | None, holds: bool | None = None, predicate: str | None = None, **more) -> dict:
    return {
        "claim_id": 1, "part": name, "value": value, "holds": holds, "predicate": predicate, "unit": "share",
        "caveat": "Null: It isn't there. More is said.",
    } | more  # fmt: skip


class Facts:
    def __init__(self, *parts):
        self.claims = list(parts)


@pytest.mark.parametrize(
    ("parts", "told", "verdict"),
    [
        ([part("a", 0.3, True, "value > 0"), part("b", 0.2, True, "value > 0")], "a", "yes"),
        ([part("a", 0.3), part("b", 0.2, False, "value > 0")], "b", "no"),
        ([part("a", 0.3, True, "value > 0"), part("b", 0.2, False, "value > 0")], "a", "yes, but not in every reading"),
        ([part("CA/uploader", 0.3), part("CN/uploader", 0.2)], "CN/uploader", NO_VERDICT),
        ([part("a", None, None, "value > 0")], None, NOT_YET),
        ([part("a", None, unit="none")], None, CANT_BE_TOLD),
    ],
)
def test_a_claim_is_told_by_the_part_that_decides_it(parts, told, verdict):
    (claim,) = claims_by_question(Facts(*parts))
    assert (claim["told"] and claim["told"]["part"]) == told
    assert claim["verdict"] == verdict
    assert claim["short_caveat"] == "It isn't there."


def test_claims_are_counted_by_how_they_fare():
    claims = [{"verdict": verdict} for verdict in ("yes", "yes, but not in every reading", "no", NOT_YET, NO_VERDICT)]
    assert tally_in_words(claims).startswith("Of 5 claims, 2 hold by what is found here, 1 don't hold")
    assert tally_in_words([]) == "No claim is in this version."


def test_a_caveat_without_an_end_is_told_as_it_is():
    assert first_sentence("Only this") == "Only this"
    assert first_sentence(None) == ""
