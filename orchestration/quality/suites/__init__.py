"""What we promise about the data, step by step, each promise with its reason: the registry that gates work through.
Which rows a suite looks at stands in ../subjects/, and how promises are judged in ../gate.py."""

from __future__ import annotations

from orchestration.quality.promises import Suite
from orchestration.quality.suites.authors import AUTHORS_ACCOUNTS
from orchestration.quality.suites.intermediate import INTERMEDIATE_MODELS_ATTRIBUTED
from orchestration.quality.suites.listings import LISTINGS_DATASETS, LISTINGS_SPACES
from orchestration.quality.suites.marts import (
    MARTS_ATTRIBUTION_COVERAGE,
    MARTS_ATTRIBUTION_QUEUE,
    MARTS_ATTRIBUTION_SENSITIVITY,
    MARTS_COUNTRIES,
    MARTS_DAILY_COUNTRY_SHARE,
    MARTS_DAILY_ORGANIZATION_SHARE,
    MARTS_HEADLINE_CLAIMS,
    MARTS_MODEL_PARENTS,
    MARTS_MODELS,
    MARTS_ORGANIZATIONS,
    MARTS_RELEASES,
    MARTS_SNAPSHOTS,
)
from orchestration.quality.suites.published import (
    MADE_AT_PUBLICATION,
    PUBLISHED_CHECKS,
    PUBLISHED_DATABASE,
    PUBLISHED_DAYS,
    PUBLISHED_TABLES,
)
from orchestration.quality.suites.raw import RAW_LANDING, RAW_MODELS
from orchestration.quality.suites.staging import (
    STAGING_ACCOUNTS,
    STAGING_CAPTURES,
    STAGING_MODEL_PARENTS,
    STAGING_MODELS,
)

__all__ = ["MADE_AT_PUBLICATION", "PUBLISHED_TABLES", "SUITES"]

SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        RAW_MODELS,
        RAW_LANDING,
        AUTHORS_ACCOUNTS,
        STAGING_MODELS,
        STAGING_MODEL_PARENTS,
        STAGING_ACCOUNTS,
        STAGING_CAPTURES,
        INTERMEDIATE_MODELS_ATTRIBUTED,
        MARTS_DAILY_COUNTRY_SHARE,
        MARTS_DAILY_ORGANIZATION_SHARE,
        MARTS_ATTRIBUTION_COVERAGE,
        MARTS_ATTRIBUTION_SENSITIVITY,
        MARTS_ATTRIBUTION_QUEUE,
        MARTS_HEADLINE_CLAIMS,
        MARTS_SNAPSHOTS,
        MARTS_MODELS,
        MARTS_MODEL_PARENTS,
        MARTS_COUNTRIES,
        MARTS_ORGANIZATIONS,
        MARTS_RELEASES,
        PUBLISHED_DATABASE,
        PUBLISHED_DAYS,
        PUBLISHED_CHECKS,
        LISTINGS_DATASETS,
        LISTINGS_SPACES,
    )
}
