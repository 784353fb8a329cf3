"""The runbook has a heading for whatever an alert can link to, and says of each promise what the registry says.
Paths, tables and machine names in its prose are looked at in test_prose.py."""

import re
from dataclasses import fields

import pytest

from orchestration.quality.known_events import read_known_events
from orchestration.quality.promises import STEPS
from orchestration.quality.results import CheckResult
from orchestration.quality.suites import SUITES
from orchestration.settings import PROJECT_ROOT

RUNBOOK = (PROJECT_ROOT / "RUNBOOK.md").read_text(encoding="utf-8")
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
COMMAND_LINE = (PROJECT_ROOT / "orchestration" / "__main__.py").read_text(encoding="utf-8")
ALERTS = PROJECT_ROOT / "orchestration" / "defs" / "alerts"

SHORTEST_PARAGRAPH = 25
# Headings that alerts link to beside promises; about the last two it is a person who comes looking, or a service outside.
OTHERS = {
    "a_step_failed",
    "a_check_of_an_asset_failed",
    "a_day_was_set_aside",
    "a_day_is_published_by_its_deadline",
    "a_run_could_not_be_read",
    "alerts_not_delivered",
    "sensor_silent",
}
# By check name, in the order of a run: each table that the promise is made about.
PROMISES: dict[str, list] = {}
for step in STEPS:
    for suite in SUITES.values():
        for promise in suite.promises if suite.step == step else ():
            PROMISES.setdefault(promise.check_name, []).append((suite, promise))


def without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```\n", "", text, flags=re.MULTILINE | re.DOTALL)


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", RUNBOOK, re.MULTILINE | re.DOTALL)


def headings(text: str = RUNBOOK) -> list[str]:
    return re.findall(r"^#+ (.+)$", without_fences(text), re.MULTILINE)


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def sections() -> dict[str, str]:
    """What stands under each heading of the third level, by heading."""
    parts = re.split(r"^(#+) (.+)$", without_fences(RUNBOOK), flags=re.MULTILINE)
    found = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return {heading: text.strip() for level, heading, text in found if level == "###"}


SECTIONS = sections()
WAYS = {anchor(heading) for heading in SECTIONS if " " in heading}


def chapter_of(check_name: str) -> str:
    before = RUNBOOK[: RUNBOOK.index(f"\n### {check_name}\n")]
    return re.findall(r"^## (.+)$", before, re.MULTILINE)[-1]


def as_the_registry_says(check_name: str) -> str:
    made = PROMISES[check_name]
    values = (
        [suite.step for suite, _ in made],
        [suite.table for suite, _ in made],
        [promise.severity for _, promise in made],
        [suite.owner_of(promise) for suite, promise in made],
    )
    return f"<sub>{' · '.join(', '.join(dict.fromkeys(part)) for part in values)}</sub>"


def test_every_promise_has_its_heading_once():
    told = [heading for heading in headings() if heading in PROMISES]

    assert sorted(told) == sorted(PROMISES)


def test_no_heading_names_what_does_not_exist():
    names = {heading for heading in SECTIONS if re.fullmatch(r"\w+", heading)}

    assert names - OTHERS == set(PROMISES)
    assert set(PROMISES).isdisjoint(OTHERS)


def test_anchors_are_unique():
    anchors = [anchor(heading) for heading in headings()]

    assert len(anchors) == len(set(anchors))


@pytest.mark.parametrize("check_name", PROMISES)
def test_a_promise_stands_as_the_registry_has_it(check_name):
    line, _, paragraph = SECTIONS[check_name].partition("\n\n")

    assert line == as_the_registry_says(check_name)
    assert chapter_of(check_name) == f"Gate {PROMISES[check_name][0][0].step}"
    assert "\n\n" not in paragraph
    assert len(paragraph.split()) >= SHORTEST_PARAGRAPH
    assert set(re.findall(r"\]\(#([\w-]+)\)", paragraph)) & WAYS, "names no way to repair"
    tables = {suite.table for suite, _ in PROMISES[check_name]}
    assert len(tables) == 1 or sum(f"`{table}`" in paragraph for table in tables) >= len(tables) - 1


def test_gates_say_which_of_their_promises_are_told_elsewhere():
    openings = dict(re.findall(r"^## Gate (\w+)\n\n(.+?)(?=^#)", RUNBOOK, re.MULTILINE | re.DOTALL))

    assert list(openings) == list(STEPS)
    for name, made in PROMISES.items():
        first, *later = dict.fromkeys(suite.step for suite, _ in made)
        assert [step for step in later if f"`{name}`" not in openings[step]] == [], name
        assert f"`{name}`" not in openings[first], name


def test_what_else_alerts_link_to_is_told():
    for name in OTHERS:
        assert len(SECTIONS[name].split()) >= SHORTEST_PARAGRAPH, name


def test_every_anchor_of_the_alerts_exists():
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ALERTS.glob("*.py")))
    linked = set(re.findall(r'\banchor="([^"]+)"', code)) | set(re.findall(r"RUNBOOK\.md#([\w-]+)", code))

    assert linked <= {anchor(heading) for heading in headings()}


def test_links_lead_somewhere():
    linked = re.findall(r"\]\(#([^)]+)\)", RUNBOOK)

    assert len(WAYS) == 7
    assert set(linked) >= WAYS
    assert set(linked) <= {anchor(heading) for heading in headings()}


def test_commands_exist():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", RUNBOOK)) | set(re.findall(r"^make ([a-z-]+)", RUNBOOK, re.MULTILINE))
    assert named >= {"run", "backfill", "rebuild", "versions", "rollback", "sql", "ui"}
    assert named <= targets
    variables = {
        name
        for command in re.findall(r"\bmake [a-z-]+ [A-Z]+=[^`\n]*", RUNBOOK)
        for name in re.findall(r"\b([A-Z]+)=", command)
    }
    assert variables >= {"FORCE", "FIRST", "LAST", "QUERY", "VERSION", "REASON"}
    for variable in variables:
        assert f"$({variable})" in MAKEFILE or f"$(if $({variable})," in MAKEFILE

    commands = re.findall(r"python -m orchestration ([a-z]+)([^`]*)", RUNBOOK)
    assert {name for name, _ in commands} == {"run", "backfill"}
    for name, options in commands:
        assert f'add_parser("{name}"' in COMMAND_LINE
        for option in re.findall(r"--[a-z-]+", options):
            parser = re.search(rf'(\w+) = commands\.add_parser\("{name}"', COMMAND_LINE)[1]
            assert f'{parser}.add_argument("{option}"' in COMMAND_LINE


def test_the_launch_configuration_is_what_the_assets_take():
    extract = PROJECT_ROOT / "orchestration" / "defs" / "extract"
    models = (extract / "hub.py").read_text(encoding="utf-8")
    config = re.search(r"class LandingConfig\(dg\.Config\):\n(.+?)\n\n\n", models, re.DOTALL)[1]

    (shown,) = fences("yaml")
    assert shown.split() == ["ops:", "hub_models:", "config:", "force:", "true"]
    assert 'name="hub_models"' in models
    assert re.findall(r"^    (\w+): ", config, re.MULTILINE) == ["force", "source"]
    assert "config: LandingConfig" in (extract / "listings.py").read_text(encoding="utf-8")


def test_the_known_event_that_is_shown_would_be_taken(tmp_path):
    (shown,) = fences("text")
    (tmp_path / "known_events.csv").write_text(shown, encoding="utf-8")

    (event,) = read_known_events(tmp_path / "known_events.csv")

    assert event.table_name in {suite.table for suite, _ in PROMISES[event.check_name]}


def test_queries_ask_for_what_there_is(marts):
    ours, *on_published = re.findall(r"select (.+?)\s+from (\S+)", "\n".join(fences("sh")), re.DOTALL)

    assert set(re.split(r",\s+", ours[0])) <= {column.name for column in fields(CheckResult)}
    assert on_published
    for columns, table in on_published:
        assert columns == "*" or set(re.split(r",\s+", columns)) <= set(marts[table.removeprefix("marts.")]["columns"])


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_other_pages_link_to_it(page):
    assert "(RUNBOOK.md)" in (PROJECT_ROOT / page).read_text(encoding="utf-8")
