"""What README and CONTRIBUTING say of the extraction: bounds, faults, sources, licences, and where a name is to be found."""

import json
import re
from collections import Counter
from dataclasses import fields

import pytest

from orchestration.hub.archive import ARCHIVES
from orchestration.hub.listings import MODELS
from orchestration.hub.records import Counts
from orchestration.landing.completeness import CompletenessBounds
from orchestration.landing.retention import DROPPED_COLUMNS, LEFTOVERS_KEPT
from orchestration.publishing.replication import DAYS_WANTED, REPORTS
from orchestration.settings import ARCHIVES as ARCHIVE_NAMES
from orchestration.settings import FURTHER_LISTINGS, PROJECT_ROOT
from tests.docs.test_readme import CONTRIBUTING, section

LANDING = PROJECT_ROOT / "orchestration" / "landing"


def test_the_faults_are_as_many_as_the_matrix_has():
    cases = json.loads((PROJECT_ROOT / "tests" / "landing" / "fault_matrix.json").read_text(encoding="utf-8"))
    outcomes = Counter(case["outcome"] for case in cases)
    row = next(line for line in section("What guards what").splitlines() if "fault_matrix.json" in line)

    assert f"{len(cases)} faults" in row
    assert f"{outcomes['equal']} land the very rows" in row
    assert f"{outcomes['kept']} land with everything odd kept" in row
    assert f"{outcomes['stopped']} are stopped" in row


def test_the_bounds_of_completeness_are_the_gates():
    bounds, said = CompletenessBounds(), section("When a day counts as complete")

    def percent(share: float) -> str:
        return f"{share * 100:g} %"

    assert f"at most {percent(bounds.site_total_share)} apart" in said
    assert f"{MODELS.row_floor / 1e6:g} M" in said
    assert f"at most {bounds.missing_sentinels:g} of {len(MODELS.sentinels)} missing" in said
    assert f"{percent(bounds.fewer_rows_share)} fewer to {percent(bounds.more_rows_share)} more" in said
    assert f"{percent(bounds.gone_share_a_day)} for each further day" in said
    assert f"{percent(bounds.vanished_share)} of the last day's" in said
    assert bounds.vanished_in_a_row == 0.5
    assert "at most half a page" in said
    assert f"within {bounds.null_share * 100:g} points" in said
    assert f"within {percent(bounds.downloads_share)}" in said
    assert said.count(f"more than {bounds.compared_days:g} days ago") == 2
    assert bounds.small_hub_rows == 10
    assert "up to ten rows" in said


def test_every_promise_of_completeness_is_listed():
    code = (LANDING / "completeness.py").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([^|]+?)(?::[^|]*)? \|", section("When a day counts as complete"), re.MULTILINE)[2:]

    assert len(listed) == 10
    assert [promise for promise in listed if f'"{promise}' not in code] == []


def test_archives_are_named_with_their_licences():
    notice = (PROJECT_ROOT / "NOTICE").read_text(encoding="utf-8")
    for archive in ARCHIVES.values():
        licence = archive.license.removesuffix("-1.0")
        assert re.search(rf"`{archive.repo}`[^|]*\({re.escape(licence)}\)", section("Where days come from"))
        assert archive.repo in notice
        assert licence in notice


def test_the_choices_of_a_source_are_told():
    said = section("Where days come from")
    for choice in ("auto", "live", *ARCHIVE_NAMES):
        assert f"`{choice}`" in said
    assert f'`OBSERVATORY_LISTINGS="{" ".join(FURTHER_LISTINGS)}"`' in said
    for listing in FURTHER_LISTINGS:
        assert f"`landing/{listing}`" in said


def test_the_replication_is_told_as_it_is():
    said = " ".join(section("Two reported figures and ours").split())

    for day in DAYS_WANTED:
        assert str(day) in said
    for report in REPORTS:
        assert f"**{report.china:g} : {report.united_states:g}**" in said
    assert "run on the sandbox only, never live and never on the real archive" in said


def test_what_thinning_takes_away_is_told():
    said = section("The landing at rest")

    assert ", ".join(f"`{name}`" for name in DROPPED_COLUMNS).replace(", `page`", " and `page`") in said
    assert f"after {LEFTOVERS_KEPT.days} days" in said


def test_names_stand_where_the_checklists_send_to():
    named = re.findall(r"`@?(\w+)`[^`(]*\(`([\w./-]+\.py)`\)", " ".join(CONTRIBUTING.split()))

    assert len(named) >= 12
    for name, path in named:
        assert re.search(rf"\b{name}\b", (PROJECT_ROOT / path).read_text(encoding="utf-8")), (name, path)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "completeness",
            "identity",
            "counters",
            "warnings",
            "unasked",
            "drift",
            "retries",
            "resumed",
            "source_revision",
        ),
        *("dataset", "file_sha256", "absent_fields", "retyped_columns"),
        *(item.name for item in fields(Counts)),
    ],
)
def test_entries_of_a_manifest_are_told_and_written(name):
    written = "".join((LANDING / f"{module}.py").read_text() for module in ("finish", "listings", "archive"))

    assert f"`{name}`" in CONTRIBUTING[CONTRIBUTING.index("## When a day is blocked") :]
    assert f'"{name}":' in written or name in {item.name for item in fields(Counts)}


def test_the_archives_and_listings_of_the_settings_are_told_in_the_table_of_settings():
    rows = {row.split("`")[1]: row for row in section("Settings and places").splitlines() if row.startswith("| `")}

    assert re.findall(r"`(\w+)`", rows["OBSERVATORY_LISTINGS"])[1:] == list(FURTHER_LISTINGS)
    assert set(ARCHIVE_NAMES) <= set(re.findall(r"`(\w+)`", rows["OBSERVATORY_ARCHIVES"]))


def test_the_place_of_the_benchmarks_table_is_kept_or_filled():
    said = section("Speed")

    assert "<!-- bench -->" in said or re.search(r"^\| .*rows/s", said, re.MULTILINE)
