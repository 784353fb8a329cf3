"""The page of corrections: what each version restated, by how much and why, newest first; and that nothing was."""

import re
import shutil

import duckdb
import pytest

from orchestration.publishing.quality_facts import read_quality
from orchestration.publishing.site.frame import Frame, environment
from orchestration.publishing.site.ground import read_ground
from orchestration.publishing.site.pages.corrections import correction, read_corrections, render_corrections

from .browser import NEEDS_CHROMIUM, PHONE, opened
from .pages import Page

NO_LICENCE = {"statement": "", "file": "LICENSE-DATA"}


def test_every_version_that_restated_something_is_told_newest_first(strangers):
    headings = re.findall(r"<h2[^>]*>Version ([^\s<]+)", strangers.text("corrections.html"))
    assert headings == ["v2", "v0"]


def test_a_moved_share_is_told_with_what_it_was_what_it_is_and_why(strangers):
    text = Page(strangers.text("corrections.html")).text
    day = strangers.contents.first_day
    assert (
        f"country_code US snapshot_date {day} mart_daily_country_share 40.00% 30.00% −10.0 points attribution: Org"
        in text
    )
    assert f"country_code FR snapshot_date {day} mart_daily_country_share – 10.00% appeared" in text
    assert f"claim_id 4 part cadence snapshot_date {day} mart_headline_claims 14 21 +7 late day" in text


def test_days_are_summed_up_and_what_history_lacks_is_said(strangers):
    text = Page(strangers.text("corrections.html")).text
    assert f"{strangers.contents.first_day} 1,200 3 7 attribution: Org (US → FR); late day" in text
    assert "Not in history yet: attribution: Other (CN → SG) ." in text.replace(").", ") .")


def test_the_sql_gives_the_rows_of_the_csv(strangers):
    statement = re.search(r"SQL of the corrections\"><code>(.*?)</code>", strangers.text("corrections.html"), re.DOTALL)
    with duckdb.connect(str(strangers.database), read_only=True) as connection:
        rows = connection.execute(statement.group(1)).fetchall()
    assert len(rows) == strangers.text("data/corrections.csv").count("\n") - 1 == 6


def test_the_largest_moves_of_shares_come_first_and_claims_after_them():
    def moved(table, key, old, new):
        return {"table_name": table, "row_key": key, "old_value": old, "new_value": new, "cause": "c"}

    shares = [moved("mart_daily_country_share", str(number), 0, number / 100) for number in range(50)]
    told = correction("v", [moved("mart_headline_claims", "a", 1, 900), *shares])
    assert [row["row_key"] for row in told.moves[:2]] == ["49", "48"]
    assert told.more == 11


def test_none_is_said_in_words(strangers, tmp_path):
    database = tmp_path / "none.duckdb"
    shutil.copyfile(strangers.database, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from marts.mart_restatements")
        quality = read_quality(connection, [strangers.contents.last_day], [])
        frame = Frame("v9", read_ground(connection), quality, simulation_note="n", sources=[], licence=NO_LICENCE)
        text = Page(render_corrections(environment(frame), frame, read_corrections(connection))).text
    assert "None so far No version up to this one, v9, has said anything else" in text


class TestInTheBrowser:
    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_keeps_nobody_out(self, strangers, browser, theme):
        with opened(browser, strangers.folder / "corrections.html", theme=theme, width=PHONE) as seen:
            assert seen.sideways <= 0
            assert seen.logged == []
            assert seen.barriers() == []
            seen.keep(f"corrections-{theme}")
