"""Releases in a warehouse of landed days: what dates them, how a late day moves that, and who has a rhythm.
Each rule by itself is a dbt unit test; names are in test_families.py."""

from datetime import date

from tests.dbt.built_warehouse import Warehouse
from tests.dbt.landing_days import DAYS

FIRST, SECOND, THIRD = DAYS
DATES_OF = """
    select releases.released_at, releases.release_date_source, releases.variants
    from marts.fct_releases as releases
    where releases.organization = ? and releases.family = ?
    order by 1
"""


def test_a_family_of_three_has_a_release_and_an_update(loaded):
    releases = loaded.rows(DATES_OF, "Qwen", "Qwen3")
    assert releases == [(date(2026, 3, 1), "created_at", 2), (date(2026, 3, 20), "created_at", 1)]
    of_models = loaded.rows(
        "select models.model_id, releases.released_at from marts.dim_models as models "
        "join marts.fct_releases as releases using (release_id) where models.organization = 'Qwen' order by 1"
    )
    assert of_models == [
        ("Qwen/Qwen3-0.6B", date(2026, 3, 1)),
        ("Qwen/Qwen3-8B-FP8", date(2026, 3, 20)),
        ("Qwen/Qwen3-8B-Instruct", date(2026, 3, 1)),
    ]


def test_a_reviewed_date_comes_before_the_hub_s_and_the_floor_date_is_none(loaded):
    assert loaded.rows(DATES_OF, "OpenAI", "gpt-oss") == [(date(2025, 8, 5), "correction", 1)]
    assert loaded.rows("select family, release_id from marts.dim_models where model_id = 'google/bert-base'") == [
        ("bert", None)
    ]
    assert loaded.rows(DATES_OF, "Google", "bert") == []


def test_only_organisations_that_develop_models_release(loaded):
    released = {name for (name,) in loaded.rows("select distinct organization from marts.fct_releases")}
    assert released == {"BigScience", "DeepSeek", "Google", "Mistral AI", "OpenAI", "Qwen"}


def test_weeks_hold_every_release_and_every_dated_repository(loaded):
    (totals,) = loaded.rows(
        "select sum(releases), sum(variants), sum(repositories) from marts.mart_weekly_release_frequency"
    )
    (released,) = loaded.rows("select count(*), sum(variants), sum(variants) from marts.fct_releases")
    assert totals == released
    assert loaded.rows(
        "select week_start, releases, variants, repositories from marts.mart_weekly_release_frequency "
        "where organization = 'Qwen' order by 1"
    ) == [(date(2026, 2, 23), 1, 2, 1), (date(2026, 3, 2), 0, 0, 1), (date(2026, 3, 16), 1, 1, 1)]


def test_a_rhythm_needs_two_dates_of_an_organisation_that_is_used(loaded):
    cadence = loaded.rows(
        "select snapshot_date, organization, country_code, releases, median_days_between_releases, cadence "
        "from marts.mart_release_cadence where level = 'organization' and country_code = 'CN' order by 1, 2"
    )
    assert cadence == [
        (FIRST, "DeepSeek", "CN", 1, None, "single"),
        (FIRST, "Qwen", "CN", 2, 19.0, "biweekly"),
        (SECOND, "DeepSeek", "CN", 2, 265.0, "semiannual"),
        (SECOND, "Qwen", "CN", 2, 19.0, "biweekly"),
        (THIRD, "DeepSeek", "CN", 2, 265.0, "semiannual"),
        (THIRD, "Qwen", "CN", 2, 19.0, "biweekly"),
    ]
    countries = loaded.rows(
        "select snapshot_date, organization, releases, median_days_between_releases, cadence "
        "from marts.mart_release_cadence where level = 'country' and country_code = 'CN' order by 1"
    )
    assert countries == [
        (FIRST, "(all)", 3, 19.0, "biweekly"),
        (SECOND, "(all)", 4, 142.0, "semiannual"),
        (THIRD, "(all)", 4, 142.0, "semiannual"),
    ]
    # BigScience is international, and has no country
    assert loaded.rows("select count(*) from marts.mart_release_cadence where organization = 'BigScience'") == [(0,)]


def test_a_day_that_is_loaded_late_dates_what_it_was_the_first_to_see(tmp_path, landing, manifest):
    warehouse = Warehouse(tmp_path, landing, manifest)
    warehouse.run("seed", "--quiet")
    warehouse.load([FIRST, THIRD])
    assert warehouse.rows(DATES_OF, "DeepSeek", "DeepSeek-R2-VL") == [(date(2026, 10, 6), "created_at", 1)]
    warehouse.load([SECOND])
    assert warehouse.rows(DATES_OF, "DeepSeek", "DeepSeek-R2-VL") == [(SECOND, "first_sight", 1)]
