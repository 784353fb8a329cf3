"""The oracle against the real dbt project on three made-up days: every row and value of three marts, and each lineage.
What is worked out by hand belongs in `test_golden.py`."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.golden import warehouse as built
from tests.golden.compare import differences
from tests.golden.landed import complete_capture, land
from tests.golden.oracle import OTHER, Day, Root, Seeds, declared_parents, read_seeds
from tests.golden.random_landing import MODELS, random_days

SEED = 20261124


@dataclass
class BothReadings:
    """Days as the oracle reads them, and the warehouse that dbt built from the same landing."""

    days: list[Day]
    warehouse: Path


@pytest.fixture(scope="module")
def days() -> list[Day]:
    seeds = read_seeds()
    return [Day(landed.day, landed.models, landed.account_types, seeds) for landed in random_days(seeds, SEED)]


@pytest.fixture(scope="module")
def both(days, tmp_path_factory: pytest.TempPathFactory) -> BothReadings:
    home = tmp_path_factory.mktemp("oracle")
    for landed in random_days(read_seeds(), SEED):
        capture = complete_capture(landed.day, landed.models)
        land(home / "landing", landed.day, models=landed.models, accounts=landed.accounts, capture=capture)
    # Days arrive out of order, and more than one at a time.
    first, second, quiet = (str(day.day) for day in days)
    return BothReadings(days, built.build_marts(home, runs=[[second], [first, quiet]]))


def test_made_up_days_hold_the_cases_that_the_rules_distinguish(days):
    first, second, quiet = days
    iso_codes = first.seeds.iso_codes
    places = [place for day in days for _, place in day.attributed("origin")]
    ids = [{row["_id"] for row in day.models} for day in days]
    roots = [{root.namespace for root in day.roots(row)} for day in days for row in day.models]
    folded = [key for key in first.organization_share() if key[4] == OTHER]
    quiet_shares = [values["share"] for values in quiet.country_share().values()]
    cases = {
        "totals of zero and not": {share is None for share in quiet_shares} == {True, False},
        "every kind of country": {place.country for place in places} >= {"CN", "US", "XC", "XI", "XM", "XX"},
        "roots of several organisations in one country": any(
            place.organization is None and place.country in iso_codes for place in places
        ),
        "a located root beside one that isn't": any(
            {first.place(name).country for name in names} >= {"CN", "XX"} for names in roots
        ),
        "no parent to several": {len(declared_parents(row)) for row in first.models} >= {0, 1, 2, 3},
        "a small organisation of a located country": any(key[3] in iso_codes for key in folded),
        "vanished and appeared": bool(ids[0] - ids[1]) and bool(ids[1] - ids[0]),
        "a seed row that ends": any(first.place(name) != second.place(name) for name in first.seeds.organizations),
        "an outlier by review": any(row["id"] in first.seeds.outlier_model_ids for row in first.models),
        "an outlier by the rule": any(row["likes"] == 0 and row["downloads"] >= 1_000_000 for row in first.models),
        "a person seeded for an organisation": any(
            first.account_types.get(name) == "person" and first.place(name).country in iso_codes
            for name in first.seeds.organizations
        ),
    }
    assert len(first.models) == MODELS
    assert [case for case, is_there in cases.items() if not is_there] == []


@pytest.mark.parametrize("index", [0, 1, 2], ids=["first day", "second day", "quiet day"])
def test_dbt_agrees_on_every_country_share(index, both):
    day = both.days[index]
    published = built.published_table(both.warehouse, "mart_daily_country_share", built.COUNTRY_SHARE_KEY, day.day)
    assert differences(day.country_share(), published) == []


@pytest.mark.parametrize("index", [0, 1, 2], ids=["first day", "second day", "quiet day"])
def test_dbt_agrees_on_every_organization_share(index, both):
    day = both.days[index]
    published = built.published_table(
        both.warehouse, "mart_daily_organization_share", built.ORGANIZATION_SHARE_KEY, day.day
    )
    assert differences(day.organization_share(), published) == []


@pytest.mark.parametrize("index", [0, 1, 2], ids=["first day", "second day", "quiet day"])
def test_dbt_agrees_on_coverage(index, both):
    day = both.days[index]
    published = built.published_table(both.warehouse, "mart_attribution_coverage", built.COVERAGE_KEY, day.day)
    assert differences(day.coverage(), published) == []


def test_dbt_agrees_on_every_lineage(both):
    """dim_models holds each repository as of the last day that lists it."""
    last_seen = {row["_id"]: (day, row) for day in both.days for row in day.models}
    expected = {
        (repo_id,): {
            "model_id": row["id"],
            "uploader_country": day.uploader(row).country,
            "origin_country": day.origin(row).country,
            "root_repo_id": day.root_repo_id(row),
        }
        for repo_id, (day, row) in last_seen.items()
    }
    assert differences(expected, built.published_models(both.warehouse)) == []


def _listing(**parents: str) -> dict[str, dict]:
    """A day of repositories named by letters, each with the parents named by the letters of its value."""
    return {
        name: {"_id": name, "id": f"{name}/{name}", "author": name, "tags": [f"base_model:{p}/{p}" for p in of]}
        for name, of in parents.items()
    }


@pytest.mark.parametrize(
    ("parents", "of", "roots"),
    [
        ({"a": ""}, "a", "a"),
        ({"a": "b", "b": "c", "c": ""}, "a", "c"),
        ({"a": "bc", "b": "", "c": ""}, "a", "bc"),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, "a", "d"),
        ({"a": "a"}, "a", "a"),
        ({"a": "b", "b": "a"}, "a", "a"),
        ({"a": "b", "b": "c", "c": "a"}, "b", "b"),
        ({"a": "b", "b": "c", "c": "b"}, "a", "b"),
        ({"a": "b", "b": "ac", "c": ""}, "a", "ac"),
        ({"a": "z"}, "a", "z"),
    ],
    ids=[
        "no parent",
        "any depth",
        "several parents",
        "two ways to one root",
        "its own parent",
        "a cycle of two",
        "a cycle of three",
        "a child of a cycle",
        "a cycle with a parent outside",
        "a parent that isn't listed",
    ],
)
def test_oracle_walks_to_the_roots(parents, of, roots):
    listing = _listing(**parents)
    day = Day(date(2026, 1, 1), list(listing.values()), {}, Seeds())
    expected = {Root(name if name in listing else None, f"{name}/{name}", name) for name in roots}
    assert day.roots(listing[of]) == expected
