"""What we promise between staging and the marts: every model has both countries, and nothing is lost on the way.
Sums over countries are promised in marts.py; the subjects' SQL is in ../subjects/."""

from __future__ import annotations

from orchestration.quality.promises import FOUNDED_HISTORY, Suite, equal, never, rarely, unique

INTERMEDIATE_MODELS_ATTRIBUTED = Suite(
    name="intermediate_models_attributed",
    step="intermediate",
    table="int_models_attributed",
    promises=(
        equal(
            "row_count_equals_staging",
            "count(*)",
            "(select count(*) from models)",
            label="rows in stg_hub__models",
            because="joins to accounts, seeds and lineage must neither drop nor multiply a model",
        ),
        unique("repo_id_is_unique", "repo_id", because="a model that matches two seed rows counts twice"),
        never(
            "uploader_country_exists",
            "not is_uploader_country_known",
            show="repo_id, model_id, uploader_country_code",
            because="unknown is XX, never null and never a code that no reader can look up",
        ),
        never(
            "origin_country_exists",
            "not is_origin_country_known",
            show="repo_id, model_id, origin_country_code",
            because="unknown is XX, never null and never a code that no reader can look up",
        ),
        equal(
            "downloads_equal_staging",
            "cast(coalesce(sum(downloads_30d), 0) as bigint)",
            "(select cast(coalesce(sum(downloads_30d), 0) as bigint) from models)",
            label="30-day downloads in stg_hub__models",
            because="every row has both countries, so each attribution adds up to everything that was downloaded",
        ),
        equal(
            "all_time_downloads_equal_staging",
            "cast(coalesce(sum(downloads_all_time), 0) as bigint)",
            "(select cast(coalesce(sum(downloads_all_time), 0) as bigint) from models)",
            label="all-time downloads in stg_hub__models",
            because="every row has both countries, so each attribution adds up to everything that was downloaded",
        ),
        never(
            "age_is_the_days_since_creation",
            "age_days is distinct from expected_age_days",
            show="repo_id, model_id, age_days, expected_age_days",
            because="by definition 4 it is the snapshot date minus the UTC date of creation, at least 0",
        ),
        never(
            "new_is_younger_than_a_year_and_not_at_the_floor",
            "is_new is distinct from coalesce(age_days < 365 and not is_created_at_floor, false)",
            show="repo_id, model_id, age_days, is_created_at_floor, is_new",
            because="the headline counts new models only, and the floor date isn't a birthday",
        ),
        rarely(
            "pipeline_tag_is_in_the_seed",
            "not is_pipeline_tag_known",
            of="pipeline_tag is not null",
            at_most=0.01,
            show="repo_id, model_id, pipeline_tag",
            since=FOUNDED_HISTORY,
            severity="investigate",
            owner="team:attribution",
            null_means="no model declares a task",
            because="a task that the seed doesn't know has an unknown modality: the Hub adds some each year, and one in a "
            "hundred models with such a task means that one of them has come into use",
        ),
        rarely(
            "license_is_in_the_seed",
            "not is_license_known",
            of="license is not null",
            at_most=0.05,
            show="repo_id, model_id, license",
            since=FOUNDED_HISTORY,
            severity="investigate",
            owner="team:attribution",
            null_means="no model declares a licence",
            because="a licence that the seed doesn't know counts as custom; people write what they like, but one in twenty "
            "means that a licence of consequence is missing from the seed",
        ),
    ),
)
