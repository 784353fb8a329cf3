"""The dictionary as a page: every table and column in the database's own words, and what each is made from."""

import json

import pytest

from orchestration.publishing.site.lineage import Lineage, drawing_of, read_lineage
from orchestration.quality.suites import MADE_AT_PUBLICATION

from .browser import NEEDS_CHROMIUM, PHONE, opened
from .pages import Page


def test_every_table_and_column_is_told_in_the_comments_words(strangers):
    text = Page(strangers.text("dictionary.html")).text
    tables = strangers.rows("select table_name from duckdb_tables() where schema_name = 'marts'")
    columns = strangers.rows("select table_name, column_name from duckdb_columns() where schema_name = 'marts'")
    assert len(tables) > 20
    for table in {table for (table,) in tables} - MADE_AT_PUBLICATION.keys():
        assert f"What {table} holds, it's all here. One row per key." in text
    for table, column in [row for row in columns if row[0] not in MADE_AT_PUBLICATION]:
        assert f"The {column} | of {table}." in text


def test_a_table_has_its_grain_key_rows_and_quality(strangers):
    html = strangers.text("dictionary.html")
    assert "<strong>One row per key.</strong>" in html
    text = Page(html).text
    (rows,) = (strangers.rows("select count(*) from marts.mart_daily_country_share")[0],)
    assert f"Rows in this version: {rows[0]:,}." in text
    assert "Key: snapshot_date , metric , window_days , attribution , denominator , country_code" in text
    assert "Quality on 2026-10-13" in text


def test_lineage_is_told_drawn_and_linked(strangers):
    html = strangers.text("dictionary.html")
    text = Page(html).text
    assert "Made from stg_hub__models staging , countries seed" in text
    assert "In the end from countries seed , hub.models source" in text
    assert "Goes into mart_headline_claims" in text
    assert html.count('<svg class="lineage"') == 2


def test_example_queries_stand_with_their_table(strangers):
    html = strangers.text("dictionary.html")
    assert "select 1 &lt; 2 as is_less" in html
    assert "1 query to begin with" in Page(html).text


def test_without_dbts_manifest_there_is_no_lineage(site):
    assert "<svg" not in (site / "dictionary.html").read_text(encoding="utf-8")


def test_a_table_stands_behind_all_that_it_is_made_from(tmp_path):
    chain = {
        f"model.p.m{number}": {
            "resource_type": "model",
            "name": f"m{number}",
            "fqn": ["p", "marts" if number == 3 else "staging", f"m{number}"],
            "depends_on": {"nodes": [f"model.p.m{before}" for before in range(number)]},
        }
        for number in range(4)
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"sources": {}, "nodes": chain}))
    lineage = read_lineage(path)
    drawing = drawing_of(lineage, lineage.id_of("m3"))
    assert [box.name for box in sorted(drawing.boxes, key=lambda box: box.x)] == ["m0", "m1", "m2", "m3"]
    assert len({box.x for box in drawing.boxes}) == 4
    assert len(drawing.curves) == 6
    assert [box.name for box in drawing.boxes if box.is_own] == ["m3"]


def test_no_manifest_is_an_empty_lineage():
    assert read_lineage(None) == Lineage()


class TestInTheBrowser:
    pytestmark = NEEDS_CHROMIUM

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_keeps_nobody_out(self, strangers, browser, theme):
        with opened(browser, strangers.folder / "dictionary.html", theme=theme, width=PHONE) as seen:
            # in both themes the same parts: opened once
            is_open = "true" if theme == "light" else "false"
            seen.page.evaluate(f"document.querySelectorAll('details').forEach(part => {{ part.open = {is_open}; }})")
            assert seen.sideways <= 0
            assert seen.logged == []
            assert seen.barriers() == []
            seen.keep(f"dictionary-{theme}")
