"""Nothing that came with the data steers a terminal; what a reader should see of it is written out."""

import re

import pytest

from orchestration.__main__ import show, sql, versions
from orchestration.publishing.files import read_json, write_json
from orchestration.publishing.terminal import PromptFilter, printable

from .conftest import HOSTILE

STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def test_what_steers_is_written_out_and_all_else_stays():
    assert printable("\x1b[31m \x9b \u202eabc\u2066 \x7f") == r"\x1b[31m \x9b \u202eabc\u2066 \x7f"
    assert printable("Ünïcode, 中文, emoji 🤗\ttab\nline") == "Ünïcode, 中文, emoji 🤗\ttab\nline"


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_the_prompts_own_colours_pass_and_no_other_sequence(size):
    said = "\x1b[1m\x1b[38;5;208mab\x1b[00m\x1b[K \x1b]0;title\x07 \x1b[?1049h \x1b[c \x9b31m \u202e é\x1b"
    clean = PromptFilter(allow_colours=True)
    data = said.encode()

    shown = b"".join(clean(data[start : start + size]) for start in range(0, len(data), size)) + clean(b"")

    assert shown.decode() == (
        "\x1b[1m\x1b[38;5;208mab\x1b[00m\x1b[K \\x1b]0;title\x07 \\x1b[?1049h \\x1b[c \\x9b31m \\u202e é\\x1b"
    )


@pytest.mark.parametrize("size", [1, 1000])
def test_through_a_pipe_not_even_colours_pass(size):
    clean = PromptFilter(allow_colours=False)
    data = "a\x1b[31mé\x1b[2Jü\r\nb\x1b[0m".encode()

    shown = b"".join(clean(data[start : start + size]) for start in range(0, len(data), size)) + clean(b"")

    assert shown.decode().replace("\\x0d", "") == "aé\\x1b[2Jü\nb"


def test_a_query_prints_hostile_names_harmlessly(analysts_home, capsys):
    assert sql(analysts_home, f"select model_id from marts.dim_models order by repo_id limit {len(HOSTILE)}") == 0
    answer = capsys.readouterr().out
    assert "another title" in answer
    assert "gnp.exe" in answer
    assert not STEERING.search(answer)


def test_an_error_that_quotes_the_data_prints_harmlessly(analysts_home, capsys):
    assert sql(analysts_home, "select error(model_id) from marts.dim_models where model_id like '%another title%'") == 1
    answer = capsys.readouterr().out
    assert r"\x1b]0;another title" in answer
    assert not STEERING.search(answer)


def test_the_headline_and_the_versions_print_hostile_text_harmlessly(settings, warehouse, publish, capsys):
    import duckdb

    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            "update marts.dim_countries set country_name = ? where country_code = 'CN'", ["\x1b[2JChina\u202e"]
        )
    publish("v1")
    manifest = read_json(settings.published_dir / "status.json")
    reason = "because \x1b]0;title\x07 of \u202ethis"
    write_json(
        settings.published_dir / "status.json",
        manifest | {"rolled_back": {"at": "2026-10-13T12:00:00", "from": "v0", "reason": reason}},
    )

    assert show(settings) == 0
    assert versions(settings) == 0
    shown = capsys.readouterr().out
    assert r"\x1b[2JChina\u202e" in shown
    assert r"\x1b]0;title" in shown
    assert not STEERING.search(shown)
