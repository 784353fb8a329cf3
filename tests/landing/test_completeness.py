"""The bounds themselves: each has a reason and a date, and none can hide a page."""

from dataclasses import fields
from datetime import date

import pytest

from orchestration.landing.completeness import CompletenessBounds


def test_every_bound_has_a_reason_and_a_date():
    for bound in fields(CompletenessBounds):
        assert len(bound.metadata["reason"]) > 30, bound.name
        assert bound.metadata["set_on"] >= date(2026, 11, 24), bound.name


@pytest.mark.parametrize(
    ("share", "expected", "page_size", "allowed"),
    [
        (0.005, 3_200_000, 1000, 16_000),
        (0.005, 1000, 1000, 10),
        (0.005, 700, 1000, 10),
        (0.005, 100, 20, 9),
        (0.005, 100, 10, 4),
        (0.005, 100, 1, 0),
        (0.0, 0, 1000, 10),
    ],
)
def test_an_allowance_is_a_share_or_a_handful_smaller_than_half_a_page(share, expected, page_size, allowed):
    assert CompletenessBounds().allowance(share, expected, page_size) == allowed
