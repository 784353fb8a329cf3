"""Promises of the seeds that releases rest on: corrected dates and exceptions of names.
Families themselves are tested in test_families.py, what releases are made of beside their models."""

import re
from collections import Counter
from datetime import date

import pytest
import yaml

from tests.dbt.built_warehouse import PROJECT
from tests.dbt.test_families import read_csv

SEEDS = PROJECT / "seeds"
RELEASE_DATES = read_csv(SEEDS / "release_dates.csv")
HEADERS = {
    "release_dates": ["repo_id", "model_id", "released_on", "evidence"],
    "family_exceptions": ["name_start", "family", "reason"],
}


@pytest.mark.parametrize("name", HEADERS)
def test_seed_has_its_columns_described_typed_and_clean(name):
    text = (SEEDS / f"{name}.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0].split(",") == HEADERS[name]
    assert "\r" not in text
    assert text.endswith("\n")
    for row in read_csv(SEEDS / f"{name}.csv"):
        assert all(value is not None and value == value.strip() for value in row.values()), row
    (seed,) = [
        seed
        for seed in yaml.safe_load((SEEDS / "_seeds.yml").read_text(encoding="utf-8"))["seeds"]
        if seed["name"] == name
    ]
    assert [column["name"] for column in seed["columns"]] == HEADERS[name]
    assert list(seed["config"]["column_types"]) == HEADERS[name]
    assert all(column["description"].strip() for column in seed["columns"])


def test_corrected_dates_are_sorted_and_one_a_repository():
    names = [row["model_id"] for row in RELEASE_DATES]
    assert names == sorted(names)
    assert [name for name, count in Counter(name.lower() for name in names).items() if count > 1] == []
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", name) for name in names)
    assert all(re.fullmatch("[0-9a-f]{24}|", row["repo_id"]) for row in RELEASE_DATES)


def test_corrected_dates_are_those_of_seeded_first_party_accounts():
    """A date of anybody else's repository would correct nothing."""
    first_party = {
        row["namespace"].lower()
        for row in read_csv(SEEDS / "organizations.csv")
        if row["organization_type"] in {"industry", "academia", "nonprofit", "government", "international"}
    }
    assert [row["model_id"] for row in RELEASE_DATES if row["model_id"].split("/")[0].lower() not in first_party] == []


def test_every_correction_names_its_source_and_the_date_that_it_corrects():
    pattern = r"\S.* \(.+\).*: created (\d{4}-\d{2}-\d{2}), (\d+) days? (before|after)"
    for row in RELEASE_DATES:
        created, days, side = re.fullmatch(pattern, row["evidence"]).groups()
        difference = (date.fromisoformat(row["released_on"]) - date.fromisoformat(created)).days
        assert difference == (int(days) if side == "before" else -int(days)), row["model_id"]
        assert difference != 0, row["model_id"]


@pytest.mark.real_data
def test_all_known_corrections_are_carried(shared_data):
    lines = (shared_data / "tracked_models" / "release_date_corrections.csv").read_text(encoding="utf-8").splitlines()
    known = {
        tuple(line.split(",")[index] for index in (0, 2)) for line in lines if not line.startswith(("#", "model_id"))
    }
    assert len(known) == 40
    assert known <= {(row["model_id"], row["released_on"]) for row in RELEASE_DATES}
