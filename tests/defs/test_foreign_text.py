"""Text of strangers: nothing in it hides, turns, runs, links or calls anybody, wherever it is shown."""

import dagster as dg
import duckdb
import pytest
from pydantic import SecretStr

from orchestration.defs.alerts.channels import announce, read_lines, send_pending
from orchestration.defs.alerts.domain_alerts import News, _alert
from orchestration.defs.alerts.findings import Finding, _fit_to_send
from orchestration.defs.alerts.incidents import Ledger
from orchestration.defs.alerts.messages import alert_of
from orchestration.defs.alerts.redaction import Redaction
from orchestration.defs.preview import as_markdown
from orchestration.foreign_text import display_name, harmless, markdown_cell, one_line, visible, visible_lines
from tests.defs.hostile import ACTS, CONTROLS, HOSTILE, NOW
from tests.defs.receivers import mail_server


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_invisible_is_left(name):
    for shown in (visible(name), display_name(name), one_line(name, 99), markdown_cell(name), harmless(name)):
        assert not set(shown.replace("\n", "")) & CONTROLS
        assert shown.isprintable() or "\n" in shown


def test_plain_names_stay_as_they_are():
    for name in ("Qwen/Qwen3-0.6B", "sentence-transformers/all-MiniLM-L6-v2", "01-ai", "日本語モデル", "Mistral (FR)"):
        assert display_name(name) == markdown_cell(name) == harmless(name) == name


def test_lines_stay_lines_where_they_are_wanted():
    assert visible_lines("one\ntwo\x1b[31m") == "one\ntwo�[31m"
    assert harmless("one\ntwo") == "one\ntwo"
    assert one_line("one\r\ntwo", 99) == "one two"
    assert one_line("x" * 99, 10) == "x" * 9 + "…"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_cell_is_text_or_code_and_stays_one_cell(name):
    cell = markdown_cell(name, 200)
    assert "\n" not in cell
    assert "|" not in cell
    if cell.startswith("`"):
        assert cell.endswith("`")
        assert "`" not in cell[1:-1]  # so that it ends where it ends
    else:
        assert not ACTS.search(cell)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_sentence_has_no_link_tag_mention_or_code_in_it(name):
    assert not ACTS.search(harmless(f"found {name} there"))


def test_a_sentence_of_our_own_stays_readable():
    said = "found 12 < 15, expected >= 15 (the median of 28 days; 100 % of rows, team:data)"
    assert harmless(said) == said


def test_a_preview_of_hostile_rows_is_a_table_of_as_many_lines():
    with duckdb.connect() as connection:
        rows = [(number, name) for number, name in enumerate(HOSTILE)]
        connection.execute("create table named (number integer, name varchar)")
        connection.executemany("insert into named values (?, ?)", rows)
        preview = as_markdown(connection.execute("select * from named order by number"))
    lines = preview.value.split("\n")
    assert isinstance(preview, dg.MarkdownMetadataValue)
    assert len(lines) == 2 + len(HOSTILE)
    assert {line.count("|") for line in lines} == {3}


# ---------- alerts, as targets and files get them


def finding(name: str) -> Finding:
    return Finding(
        incident="check:raw:hub_models:model_name_is_well_formed",
        kind="promise",
        severity="blocks",
        promise="model name is well formed",
        step="raw",
        anchor="model_name_is_well_formed",
        effect="The day goes no further.",
        snapshot_dates=("2026-11-24",),
        table_name="hub_models",
        check_name="model_name_is_well_formed",
        observed=f"the largest is {name}",
        threshold="0",
        offenders=(f"id={name}",),
    )


def alerts_about(name: str, settings):
    """What broke, and news, both about an account or repository of this name."""
    group = [_fit_to_send(finding(name), Redaction(settings))]
    event = Ledger(NOW).see(group, run_id="run-1", at=NOW.isoformat())
    news = News(
        incident=f"domain:top_ten:{name}", title=f"{display_name(name)} entered", body=f"{name} did", table_name="t"
    )
    return alert_of(event, settings), _alert(news, NOW.date(), True, None, NOW)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_message_has_anything_of_it_that_acts(name, settings):
    broken, news = alerts_about(name, settings)

    for said in (broken.title, news.title, news.body, broken.body.partition("\n\nRun: ")[0]):
        assert not ACTS.search(said), said
        assert not set(said.replace("\n", "")) & CONTROLS
    assert "Run: http://127.0.0.1:3000/runs/run-1" in broken.body  # our own link stays one


def test_mail_and_webhook_and_file_get_the_same_harmless_words(settings, target):
    with mail_server() as box:
        mail = box.url
        settings = settings.model_copy(
            update={"notify_urls": SecretStr(f"{target.url} {mail}&format=html"), "notify_urls_domain": SecretStr("")}
        )
        for alert in alerts_about("".join(HOSTILE[:6]), settings):
            announce(settings, alert)
        assert send_pending(settings, NOW) == 0
        (html,) = [
            part.get_payload(decode=True).decode()
            for part in box.mails[0].walk()
            if part.get_content_subtype() == "html"
        ]

    assert len(target.messages) == 2
    lines = read_lines(settings.alerts_file)
    assert [line["body"] for line in lines] == [message["message"] for message in target.messages]
    for text in (html, settings.alerts_file.read_text(encoding="utf-8")):
        assert not set(text.replace("\n", "").replace("\r", "")) & CONTROLS
    for acts in ("<script", "<img", 'evil.example/a"', 'href="https://evil', "href='https://evil"):
        assert acts not in html
