"""Ten models worked out by hand: the oracle and the real dbt project must both arrive at the hand-made tables.
Whatever is random, large or compared only between the two belongs in `test_oracle.py`."""

from fractions import Fraction
from pathlib import Path

import pytest

from tests.golden import warehouse as built
from tests.golden.compare import differences, fraction, is_same
from tests.golden.landed import HERE, golden_accounts, golden_capture, golden_models, land, read_csv
from tests.golden.oracle import Day, read_seeds

COUNTRY_SHARE_FRACTIONS = (
    "share",
    "share_low",
    "share_high",
    "share_without_top_repository",
    "share_without_outliers",
)
COUNTRY_SHARE_INTEGERS = (
    "downloads",
    "total_downloads",
    "rank",
    "models",
    "correction_downloads",
    "days_estimated",
)


def _integer(cell: str | None) -> int | None:
    return None if cell is None else int(cell)


def _expected(name: str, key: tuple[str, ...], integers: tuple[str, ...], fractions: tuple[str, ...]) -> dict:
    return {
        tuple(int(row[column]) if column == "window_days" else row[column] for column in key): {
            **{column: _integer(row[column]) for column in integers},
            **{column: fraction(row[column]) for column in fractions},
        }
        for row in read_csv(name)
    }


@pytest.fixture(scope="module")
def by_hand() -> dict[str, dict]:
    return {
        "mart_daily_country_share": _expected(
            "expected_country_share.csv", built.COUNTRY_SHARE_KEY, COUNTRY_SHARE_INTEGERS, COUNTRY_SHARE_FRACTIONS
        ),
        "mart_daily_organization_share": _expected(
            "expected_organization_share.csv",
            built.ORGANIZATION_SHARE_KEY,
            ("downloads",),
            ("share_of_country", "share_of_total"),
        ),
        "mart_attribution_coverage": _expected(
            "expected_attribution_coverage.csv", built.COVERAGE_KEY, (), ("classed_share", "located_share")
        ),
    }


@pytest.fixture(scope="module")
def golden_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("golden")
    day, capture = golden_capture()
    land(home / "landing", day, models=golden_models(), accounts=golden_accounts(), capture=capture)
    return built.build_marts(home, runs=[[str(day)]])


@pytest.fixture(scope="module")
def golden_day() -> Day:
    day, _ = golden_capture()
    account_types = {row["namespace"]: row["account_type"] for row in golden_accounts()}
    return Day(day, golden_models(), account_types, read_seeds())


def test_repository_ids_begin_with_the_second_of_creation():
    for row in golden_models():
        assert int(row["_id"][:8], 16) == int(row["createdAt"].timestamp()), row["id"]
        assert len(row["_id"]) == 24


def test_readme_tells_the_same_ten_models(golden_day):
    """Name, both counters in thousands, likes, new, uploader and origin of the page's table, against the CSV."""

    def code(place):
        return f"{place.country}, person" if place.is_person else place.country

    table = [
        [cell.strip(" `") for cell in line.strip("|").split("|")][1:8]
        for line in (HERE / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and line[2].isdigit()
    ]
    assert table == [
        [
            row["id"],
            f"{row['downloads'] // 1000:,}",
            f"{row['downloadsAllTime'] // 1000:,}",
            f"{row['likes']:,}",
            "yes" if golden_day.is_new(row) else "no",
            code(golden_day.uploader(row)),
            code(golden_day.origin(row)),
        ]
        for row in golden_models()
    ]


def test_hand_made_shares_of_each_denominator_sum_to_one(by_hand):
    sums: dict[tuple, list[Fraction]] = {}
    for key, values in by_hand["mart_daily_country_share"].items():
        sums.setdefault(key[:4], []).append(values["share"])
    assert len(sums) == 4 * 2 * 3
    assert {key: sum(shares) for key, shares in sums.items() if sum(shares) != 1} == {}


def test_hand_made_downloads_and_shares_of_a_row_agree(by_hand):
    for key, values in by_hand["mart_daily_country_share"].items():
        assert values["share"] == Fraction(values["downloads"], values["total_downloads"]), key


def test_hand_made_organizations_add_up_to_their_country(by_hand):
    countries = {
        (*key[:3], key[4]): values["downloads"]
        for key, values in by_hand["mart_daily_country_share"].items()
        if key[3] == "all"
    }
    sums = dict.fromkeys(countries, 0)
    for key, values in by_hand["mart_daily_organization_share"].items():
        sums[key[:4]] += values["downloads"]
    assert sums == countries


def test_china_against_the_us_is_equal_across_denominators(by_hand):
    ratios: dict[tuple, set[Fraction]] = {}
    shares = by_hand["mart_daily_country_share"]
    for *key, country in shares:
        if country == "CN":
            ratio = shares[*key, "CN"]["share"] / shares[*key, "US"]["share"]
            ratios.setdefault(tuple(key[:3]), set()).add(ratio)
    assert len(ratios) == 4 * 2
    assert all(len(found) == 1 for found in ratios.values()), ratios


def test_oracle_agrees_with_the_hand_made_country_shares(by_hand, golden_day):
    assert differences(by_hand["mart_daily_country_share"], golden_day.country_share()) == []


def test_oracle_agrees_with_the_hand_made_organization_shares(by_hand, golden_day):
    assert differences(by_hand["mart_daily_organization_share"], golden_day.organization_share()) == []


def test_oracle_agrees_with_the_hand_made_coverage(by_hand, golden_day):
    assert differences(by_hand["mart_attribution_coverage"], golden_day.coverage()) == []


def test_oracle_agrees_with_the_hand_made_lineage(golden_day):
    found = {
        row["id"]: (golden_day.uploader(row).country, golden_day.origin(row).country, golden_day.root_repo_id(row))
        for row in golden_day.models
    }
    assert found == _lineage_by_hand()


def _lineage_by_hand() -> dict[str, tuple]:
    return {
        row["model_id"]: (row["uploader_country"], row["origin_country"], row["root_repo_id"])
        for row in read_csv("expected_lineage.csv")
    }


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("mart_daily_country_share", built.COUNTRY_SHARE_KEY),
        ("mart_daily_organization_share", built.ORGANIZATION_SHARE_KEY),
        ("mart_attribution_coverage", built.COVERAGE_KEY),
    ],
    ids=["country shares", "organization shares", "coverage"],
)
def test_dbt_agrees_with_the_hand_made_tables(table, key, by_hand, golden_warehouse):
    day, _ = golden_capture()
    published = built.published_table(golden_warehouse, table, key, day)
    assert differences(by_hand[table], published) == []


def test_dbt_agrees_with_the_hand_made_lineage(golden_warehouse):
    found = {
        row["model_id"]: (row["uploader_country"], row["origin_country"], row["root_repo_id"])
        for row in built.published_models(golden_warehouse).values()
    }
    assert found == _lineage_by_hand()


@pytest.mark.parametrize(
    ("expected", "published", "same"),
    [
        (Fraction(1, 3), 0.333333333333, True),
        (Fraction(1, 3), 0.333333333334, False),
        (Fraction(1, 3), 1 / 3, False),
        (Fraction(2, 3), 0.666666666667, True),
        (Fraction(1, 2), 0.5, True),
        (Fraction(0), None, False),
        (None, 0.0, False),
        (None, None, True),
        (7, 7, True),
        (7, 8, False),
    ],
)
def test_comparison_can_fail(expected, published, same):
    assert is_same(expected, published) is same


def test_comparison_names_missing_extra_and_different_rows():
    expected = {("CN",): {"downloads": 1}, ("US",): {"downloads": 2}}
    published = {("CN",): {"downloads": 3}, ("FR",): {"downloads": 2}}
    assert differences(expected, published) == [
        "('US',): expected, but not published",
        "('FR',): published, but not expected",
        "('CN',) downloads: expected 1, published 3",
    ]
