"""Each rule about the table of organisations: a small good table keeps all, and the one bad row is found where it stands.
That the project's own table keeps them is tested with the seeds, in tests/dbt/test_seeds.py."""

import re
import shutil
from datetime import date

import pytest

from orchestration.quality.organizations import (
    COLUMNS,
    COUNTRIES,
    EVIDENCE,
    ORGANIZATIONS,
    RULES,
    SEEDS,
    check,
    is_persons_account,
    source_of,
)
from orchestration.settings import PROJECT_ROOT

TODAY = date(2026, 11, 24)
HEADERS = {file: ",".join(columns) for file, columns in COLUMNS.items()}
GOOD = {
    ORGANIZATIONS: [
        "acme,1900-01-01,,Acme,Acme,industry,US,,high,Based in Boston,https://www.acme.com,",
        "Acme-Labs,1900-01-01,,Acme Labs,Acme,industry,US,SG,medium,Acme's lab in Singapore,https://acme.com/labs,",
        "bits,1900-01-01,,Bits,Bits,repackager,XC,DE,high,Quantised copies,https://huggingface.co/bits,",
        "Crowd,1900-01-01,,Crowd,Crowd,international,XI,,low,Nobody's alone,,Has no seat.",
        "jane,1900-01-01,,Acme,Acme,industry,US,,medium,Account of Jane at Acme,https://a.io,She publishes for an organisation.",
        "joe,1900-01-01,,joe,joe,individual,XC,,medium,A person's account,https://huggingface.co/joe,",
        "mover,1900-01-01,2025-03-01,Mover,Mover,academia,FR,,medium,Founded in Lyon,https://mover.org,",
        "mover,2025-03-01,,Mover,Mover,academia,GB,FR,high,Now of London,https://en.wikipedia.org/wiki/Mover,",
    ],
    EVIDENCE: [
        "acme,defenseclaw,US,US,,",
        "acme,tracked_models,eu,,https://github.com/Interconnects-AI/tracked-models,",
        "bits,tracked_models,eu,DE,,Repackagers have no country.",
        "mover,epoch,United Kingdom,GB,,",
        "mover,tracked_models,france,FR,,It moved in March 2025.",
    ],
}


@pytest.fixture
def problems(tmp_path):
    """Problems of the good table after changes: (file, row that is replaced, what by); none appends."""
    shutil.copy(SEEDS / COUNTRIES, tmp_path / COUNTRIES)

    def judge(*changes: tuple[str, str | None, str]):
        for file, rows in GOOD.items():
            rows = list(rows)
            for changed, old, new in changes:
                if changed == file and old is None:
                    rows.append(new)
                elif changed == file:
                    assert sum(old in row for row in rows) >= 1, old
                    rows = [row.replace(old, new, 1) for row in rows]
            (tmp_path / file).write_text("\n".join([HEADERS[file], *rows]) + "\n", encoding="utf-8")
        return check(tmp_path, today=TODAY)

    return judge


def test_a_good_table_has_no_problem(problems):
    assert problems() == []


ROWS, TOLD = ORGANIZATIONS, EVIDENCE
ANOTHER = "Zeta,1900-01-01,,Zeta,Zeta,industry,US,,medium,Based in Reno,https://zeta.com,"
AJAX = "jane,1900-01-01,,Acme,Ajax"
TWICE = ANOTHER.replace("01,,", "01,2020-01-01,") + "\n" + ANOTHER.replace("1900", "2020")
# rule, file, row or part of it, replacement (None: a new last row), line, what the message has to tell
BROKEN = [
    ("rows_are_sorted", ROWS, None, ANOTHER.replace("Zeta", "beta"), 10, "move the row above bits in line 4"),
    ("rows_are_sorted", TOLD, None, "acme,website,Boston,US,,", 7, "move the row above bits in line 4"),
    ("a_row_is_there_once", ROWS, "joe,1900", "jane,1900", 7, "the same valid_from as in line 6"),
    ("a_row_is_there_once", TOLD, "acme,tracked_models", "acme,defenseclaw", 3, "the same source as in line 2"),
    ("a_namespace_is_a_name_on_the_hub", ROWS, None, ANOTHER.replace("Zeta,1900", "zeta/one,1900"), 10, "before the slash"),
    ("a_namespace_has_one_spelling", ROWS, "mover,2025", "Mover,2025", 9, "line 8 spells mover"),
    ("names_are_given", ROWS, "Crowd,Crowd,inter", "Crowd,,inter", 5, "no parent_organization of Crowd"),
    ("a_validity_has_a_beginning_before_its_end", ROWS, "1900-01-01,2025-03-01", "1900-01-01,1.3.2025", 8, "'1.3.2025'"),
    ("a_validity_has_a_beginning_before_its_end", ROWS, "joe,1900-01-01,", "joe,1900-01-01,1900-01-01", 7, "later day"),
    ("validities_follow_each_other", ROWS, "2025-03-01,,Mover", "2025-02-01,,Mover", 9, "an overlap"),
    ("validities_follow_each_other", ROWS, "2025-03-01,,Mover", "2025-04-01,,Mover", 9, "a gap"),
    ("validities_follow_each_other", ROWS, "joe,1900-01-01", "joe,2020-01-01", 7, "a first row from 1900-01-01 on"),
    ("validities_follow_each_other", ROWS, "2025-03-01,,Mover", "2025-03-01,2026-12-01,Mover", 9, "without valid_to"),
    ("a_move_changes_something", ROWS, None, TWICE, 11, "as in line 10"),
    ("types_and_confidences_are_of_the_closed_lists", ROWS, "academia,FR", "university,FR", 8, "one of industry, academia"),
    ("types_and_confidences_are_of_the_closed_lists", ROWS, "FR,,medium", "FR,,sure", 8, "one of high, medium, low"),
    ("codes_are_known", ROWS, "US,SG", "US,UK", 3, "write GB for the United Kingdom"),
    ("codes_are_known", ROWS, None, ANOTHER.replace("US", "XX"), 10, "counts as XX by itself"),
    ("codes_are_known", ROWS, "US,SG", "US,XC", 3, "look the country up"),
    ("codes_are_known", TOLD, "DE,,Rep", "EU,,Rep", 4, "leave it empty"),
    ("codes_are_known", TOLD, "DE,,Rep", "XX,,Rep", 4, "XC or XI or XM"),
    ("a_second_country_is_another_one", ROWS, "US,SG", "US,US", 3, "empty secondary_country_code"),
    ("repackagers_and_individuals_have_no_country", ROWS, "repackager,XC,DE", "repackager,CH,DE", 4, "XC, whatever its home"),
    ("community_is_a_decision", ROWS, None, ANOTHER.replace("US", "XC"), 10, "or leave the row out"),
    ("international_is_a_type_and_a_code_at_once", ROWS, "international", "nonprofit", 5, "together, or neither"),
    ("an_organization_has_one_parent_and_one_country", ROWS, "jane,1900-01-01,,Acme,Acme", AJAX, 6, "which has Acme in line 2"),
    ("a_subsidiary_has_its_parents_country", ROWS, "US,SG", "SG,US", 3, "country_code SG of parent_organization Acme"),
    ("a_person_has_a_country_only_for_an_organization", ROWS, "She publishes", "She works", 6, "make the row an individual"),
    ("evidence_is_a_sentence", ROWS, "Founded in Lyon", "Lyon", 8, "in your own words"),
    ("evidence_has_an_address", ROWS, "https://huggingface.co/joe", "", 7, "or low and a note"),
    ("evidence_has_an_address", ROWS, "https://mover.org", "mover.org", 8, "copy it from the browser"),
    ("evidence_has_an_address", TOLD, "https://github", "github", 3, "source_url"),
    ("low_confidence_is_explained", ROWS, "Has no seat.", "", 5, "say what is open"),
    ("high_confidence_is_supported", TOLD, "Kingdom,GB,,", "Kingdom,,,", 9, "of mover on wikipedia alone"),
    ("evidence_is_about_a_row", TOLD, None, "nobody,website,Rome,IT,,", 7, "add it there"),
    ("evidence_is_about_a_row", TOLD, "bits,", "Bits,", 4, "write bits"),
    ("evidence_names_its_source", TOLD, "defenseclaw,US,", "defenseclaw,,", 2, "states ''"),
    ("evidence_names_its_source", TOLD, "epoch", "Epoch AI", 5, "a short name"),
    ("a_disagreement_has_its_reason", TOLD, "It moved in March 2025.", "", 6, "why we decide otherwise"),
    ("a_disagreement_has_its_reason", TOLD, "Kingdom,GB,,", "Kingdom,GB,,Because we say so.", 5, "none where both agree"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "line", "says"), BROKEN, ids=[f"{b[0]}-{n}" for n, b in enumerate(BROKEN)]
)
def test_a_broken_rule_is_found_in_its_line_and_no_other(problems, name, file, old, new, line, says):
    found = problems((file, old, new))

    assert {problem.rule for problem in found} == {name}, [str(problem) for problem in found]
    # evidence that is gone is missed where the decision stands
    stands_in = ORGANIZATIONS if name == "high_confidence_is_supported" else file
    where = [problem for problem in found if (problem.file, problem.line) == (stands_in, line)]
    assert where, [str(problem) for problem in found]
    said = str(where[0])
    assert says in said
    assert said.startswith(f"{where[0].file}:{line}: Found ")
    assert "; expected " in said
    assert ". Do this: " in said


def test_every_rule_has_its_bad_row():
    assert {name for name, *_ in BROKEN} == set(RULES)


@pytest.mark.parametrize(
    ("broken", "line", "says"),
    [
        ((ROWS, "A person's account,", "A person's account, or so,"), 7, "13 fields; expected 12"),
        ((ROWS, "Now of London", "Now of  London"), 9, "blanks around or within evidence"),
        ((ROWS, "high,Quantised copies", "high, Quantised copies"), 4, "blanks around or within evidence"),
        ((ROWS, "Has no seat.", '"Has no seat.'), 5, "close the quotes"),
        ((TOLD, "It moved in March 2025.", "It moved.\r"), 6, "carriage return"),
    ],
)
def test_what_is_no_row_is_said_and_the_other_rows_are_judged(problems, broken, line, says):
    (file, _, _) = broken
    found = [problem for problem in problems(broken) if problem.rule == "file_is_clean_text"]

    assert any(problem.file == file and problem.line == line and says in str(problem) for problem in found), found


def test_a_missing_file_and_another_header_are_said(tmp_path):
    shutil.copy(SEEDS / COUNTRIES, tmp_path / COUNTRIES)
    (tmp_path / ORGANIZATIONS).write_text("namespace,country\nacme,US\n")

    said = [str(problem) for problem in check(tmp_path, today=TODAY)]

    assert [text.split(" Found ")[0] for text in said] == [f"{EVIDENCE}:1:", f"{ORGANIZATIONS}:1:"]
    assert "restore the first line" in said[1]


def test_evidence_is_held_against_the_row_of_the_day(problems, tmp_path):
    assert problems() == []

    said = [str(problem) for problem in check(tmp_path, today=date(2025, 1, 1))]

    # before its move the other source was right
    assert [text.partition(": Found ")[0] for text in said] == [f"{EVIDENCE}:5", f"{EVIDENCE}:6"]
    assert "epoch with GB for mover, decided as FR" in said[0]


@pytest.mark.parametrize(
    ("evidence", "is_a_person"),
    [
        ("A person's account, by Acme", True),
        ("Account of Acme's founder", True),
        ("Account of Jane Doe, who works in Boston", True),
        ("Research account of Acme in Boston", False),
        ("Listed as an account of Acme's lab", False),
        ("Acme's own lab, on account only", False),
    ],
)
def test_whose_account_it_is_stands_in_the_evidence(evidence, is_a_person):
    row = {"evidence": evidence, "organization": "Acme Labs", "parent_organization": "Acme"}
    assert is_persons_account(row) is is_a_person


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("https://de.wikipedia.org/wiki/Acme", "wikipedia"),
        ("https://www.acme.com/about", "website"),
        ("https://github.com/acme", "website"),
        ("https://github.com/Interconnects-AI/tracked-models", "tracked_models"),
        ("https://huggingface.co/ACME/", "hub_profile"),
        ("https://huggingface.co/acme/model", "huggingface.co"),
        ("https://huggingface.co/another", "huggingface.co"),
        ("https://epoch.ai/data", "epoch"),
    ],
)
def test_an_address_is_somebody_s_word(address, source):
    assert source_of(address, "acme") == source


def test_the_example_for_contributors_is_in_order_and_its_message_true(problems):
    text = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^acme-ai,.*$", text, re.MULTILINE)
    (beginning, end) = re.search(r"csv:12: (Found country_code 'UK'.*) …\. (Do this: .*)`", text).groups()

    assert problems((ROWS, "Acme-Labs,", f"{line}\nAcme-Labs,")) == []
    # a parent of its own: in another country than its parent it would break a second rule
    (problem,) = problems((ROWS, "Acme-Labs,", f"{line.replace('US', 'UK')}\nAcme-Labs,".replace("Acme,ind", "AI,ind")))
    assert f": {beginning} " in str(problem)
    assert str(problem).endswith(end)
