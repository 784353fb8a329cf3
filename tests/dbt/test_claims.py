"""The claims on a made-up Hub with a year and a quarter of history: every one is answered, and equals the world's truth.
The truth of the claims is worked out, and itself tested, in `tests/sandbox`."""

from datetime import timedelta
from fractions import Fraction

import pytest

from tests.dbt.built_warehouse import Warehouse
from tests.oracle.populations import Population, land_population
from tests.sandbox.claims_truth import ClaimsTruth

MODELS, DAYS, SEED = 300, 450, 1
BATCH = 225  # days a run: history comes in two, as a backfill would bring it
UNKNOWABLE = {13, 14, 15}
# Labs that are in no small made-up Hub, and countries without a lab in this one.
ABSENT_LABS = ("Microsoft", "MiniMax", "Moonshot AI", "Tencent")


@pytest.fixture(scope="module")
def population(tmp_path_factory) -> Population:
    return land_population(tmp_path_factory.mktemp("claims"), models=MODELS, days=DAYS, seed=SEED)


@pytest.fixture(scope="module")
def truth(population) -> ClaimsTruth:
    return ClaimsTruth(population.world)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, population, manifest) -> Warehouse:
    built = Warehouse(tmp_path_factory.mktemp("claims_warehouse"), population.landing, manifest)
    built.run("seed", "--quiet")
    for start in range(0, len(population.days), BATCH):
        built.load(population.days[start : start + BATCH], "--select", "+mart_headline_claims")
    return built


@pytest.fixture(scope="module")
def claims(warehouse, population) -> dict[tuple[int, str], tuple]:
    rows = warehouse.rows(
        "select claim_id, part, value, comparison_value, holds, caveat from marts.mart_headline_claims "
        "where snapshot_date = ?",
        population.days[-1],
    )
    return {(claim, part): values for claim, part, *values in rows}


def test_the_seed_asks_for_figures_that_there_are(warehouse):
    """A figure that is misspelt would be null for ever, with a reason that is not true."""
    kinds = warehouse.rows("select distinct kind from seeds.headline_claims order by 1")
    assert [kind for (kind,) in kinds] == ["cadence", "count", "crossover", "part", "unknowable"]
    summed = {name for (name,) in warehouse.rows("select distinct subject from intermediate.int_claims_summed")}
    asked = warehouse.rows(
        "select distinct split_part(figure, '@', 1) from (unpivot seeds.headline_claims on "
        "value_figure, value_of, comparison_figure, comparison_of into name kind_of_figure value figure)"
    )
    counted = {"number_of_derivatives", "players_100000", "players_1000000", "players_10000000"}
    found = {"overtaking", "confirmation", "margin", "days_between_releases", "variants_per_release"}
    assert {name for (name,) in asked} == summed | counted | found


def published(value: Fraction | float | None) -> float | None:
    return None if value is None else round(float(value), 12)


def test_all_twelve_claims_are_answered(claims):
    answered = {claim for (claim, _), (value, *_) in claims.items() if value is not None}
    assert answered == set(range(1, 13))


def test_every_part_equals_the_truth(claims, truth):
    expected = {key: tuple(map(published, answer)) for key, answer in truth.answers().items()}
    found = {key: (value, other) for key, (value, other, *_) in claims.items() if key[0] not in UNKNOWABLE}
    assert set(found) == set(expected)
    assert {key: answer for key, answer in found.items() if answer != expected[key]} == {}
    assert sum(value is not None for value, _ in found.values()) >= 80


def test_only_what_the_population_lacks_is_null_and_says_so(claims):
    missing = {key: caveat for key, (value, *_, caveat) in claims.items() if value is None}
    for (claim, part), caveat in missing.items():
        assert caveat.startswith("Null: "), (claim, part)
        if claim == 4:
            assert part.endswith(ABSENT_LABS)
        elif claim not in UNKNOWABLE:
            assert claim in (5, 8), (claim, part)
            assert caveat.startswith("Null: Nothing was downloaded that it could be a part of.")


def test_the_story_turns_within_history(claims, population):
    """What makes the population worth asking: who was behind leads in the end, and both years' sums show it."""
    for metric in ("new_trailing_30d", "new_created", "new_rolling"):
        for attribution in ("uploader", "origin"):
            overtaken, confirmed, *_ = claims[2, f"date/{metric}/{attribution}"]
            first, last = (int(f"{day:%Y%m%d}") for day in (population.days[0], population.days[-1]))
            assert first < overtaken < confirmed <= last
            assert claims[1, f"{metric}/{attribution}"][2] is True


def test_a_year_of_downloads_is_answered_from_its_366th_day_on(warehouse, population):
    rows = warehouse.rows(
        "select min(snapshot_date) filter (value is not null), "
        "any_value(caveat) filter (snapshot_date = ?) from marts.mart_headline_claims "
        "where claim_id = 1 and part = 'new_rolling/uploader'",
        population.days[100],
    )
    [(answered_from, caveat)] = rows
    first = population.days[0]
    assert answered_from == next(day for day in population.days if day >= first + timedelta(days=365))
    history = (population.days[100] - first).days + 1
    assert caveat.startswith(
        f"Null: A window of 365 days needs a history of 366; history began on {first} and has {history} days. "
    )
