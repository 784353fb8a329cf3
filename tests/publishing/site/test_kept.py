"""What is the same for every site is made by the first process and read by the next, and made anew when the code changes."""

import json

from orchestration.publishing.site.build import script_bundle
from orchestration.publishing.site.kept import kept_or_made
from orchestration.publishing.site.kinds import kinds_and_themes


def made(calls: list[str], text: str):
    def make() -> str:
        calls.append(text)
        return text

    return make


def test_what_is_kept_is_made_once(tmp_path):
    calls: list[str] = []
    texts = [kept_or_made(tmp_path / "site", "kinds", ["altair 6", b"code"], made(calls, "é")) for _ in range(2)]
    assert texts == ["é", "é"]
    assert calls == ["é"]


def test_what_is_made_of_something_else_takes_the_place_of_the_old(tmp_path):
    calls: list[str] = []
    kept_or_made(tmp_path, "kinds", ["ab", "c"], made(calls, "old"))
    assert kept_or_made(tmp_path, "kinds", ["a", "bc"], made(calls, "new")) == "new"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calls: list[str] = []
    assert [kept_or_made(None, "kinds", [], made(calls, "text")) for _ in range(2)] == ["text", "text"]
    assert len(calls) == 2
    assert not list(tmp_path.iterdir())


def test_charts_and_their_script_are_the_same_from_the_folder_as_from_altair(tmp_path):
    assert kinds_and_themes(True, tmp_path) == kinds_and_themes(True)
    assert script_bundle(tmp_path) == script_bundle()
    kinds_and_themes.cache_clear()  # as the next process finds them
    script_bundle.cache_clear()
    kept = {path.name.rsplit("-", 1)[0]: path for path in tmp_path.iterdir()}
    assert sorted(kept) == ["charts.js", "kinds-simulated"]
    kept["kinds-simulated"].write_text(json.dumps({"specs": {}}))
    assert kinds_and_themes(True, tmp_path) == {"specs": {}}
    assert script_bundle(tmp_path) == kept["charts.js"].read_text(encoding="utf-8")
