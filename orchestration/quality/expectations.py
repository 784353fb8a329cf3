"""great_expectations, and whatever concerns it: promises become expectations on a frame that has a row a day, and what it says
of each becomes an outcome. Imported when a gate runs; what a verdict is made of beside that is for gate.py."""

from __future__ import annotations

import logging
import math
import sys
import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from orchestration.quality.evidence import Profile
from orchestration.quality.promises import Between, EqualTo, OneOf, Promise, Suite
from orchestration.quality.put_off import put_off

LONGEST_ERROR = 1000


@dataclass(frozen=True)
class Outcome:
    """What an expectation said; `error` is the text of an exception inside it."""

    passed: bool
    error: str | None = None


def validate(suite: Suite, profiles: Sequence[Profile]) -> list[dict[str, Outcome]]:
    """The suite's promises as expectations on a frame of a row a day. A promise that expects the same of all days is one column
    (beside it what it is to equal); otherwise there is a column for each thing expected, null on the other days, which
    expectations about values skip."""
    gx = _great_expectations()
    import pandas as pd

    columns: dict[str, list[Any]] = {}
    expectations, days_of = [], {}
    for promise in suite.promises:
        name = promise.check_name
        for number, (expected, days) in enumerate(_by_expectation(promise, profiles).items()):
            column = f"{name}__{number}"
            columns[column] = _only(days, [profile.observed[name] for profile in profiles])
            columns[_other(column)] = _only(days, [profile.expected[name] for profile in profiles])
            expectations.append(_expectation(promise, column, expected))
            days_of[column] = days
    # as objects, since a column of numbers with a gap would round the large ones
    batch = _batch_definition().get_batch(batch_parameters={"dataframe": pd.DataFrame(columns, dtype=object)})
    validation = batch.validate(
        gx.ExpectationSuite(name=suite.name, expectations=expectations),
        # what was observed is in the profiles, and the offenders are in the database
        result_format="BOOLEAN_ONLY" if len(profiles) == 1 else "COMPLETE",
    )
    outcomes: list[dict[str, Outcome]] = [{} for _ in profiles]
    for result in validation.results:
        meta = result.expectation_config.meta
        error, days = _error(result.exception_info), days_of[meta["column"]]
        broken = set() if result.success else set(result.result.get("unexpected_index_list") or days)
        for day in days:
            outcomes[day][meta["check_name"]] = Outcome(day not in broken and error is None, error)
    return outcomes


# What is expected of a measure without a value that had to have one.
MUST_HAVE_A_VALUE = "a value"


def _by_expectation(promise: Promise, profiles: Sequence[Profile]) -> dict[Hashable, list[int]]:
    """What is expected, and of which of the days: bounds that are learned differ from day to day."""
    groups: dict[Hashable, list[int]] = {}
    for day, profile in enumerate(profiles):
        name = promise.check_name
        expected: Hashable = profile.bounds.get(name) or promise.expectation
        # expectations about values skip nulls, so that a measure without a value would pass them
        if is_missing(profile.observed[name]) and promise.null_means is None:
            expected = MUST_HAVE_A_VALUE
        groups.setdefault(expected, []).append(day)
    return groups


def _only(days: Sequence[int], values: Sequence[Any]) -> list[Any]:
    return [value if day in days else None for day, value in enumerate(values)]


_IMPORTING = threading.Lock()


def _great_expectations():
    """The library, imported when the first gate runs, without what none of our promises needs: statistics of distributions
    and charts took 1.1 s of 2.4 (2026-11-29)."""
    with _IMPORTING, put_off("scipy.stats", "altair"):
        import great_expectations
        import great_expectations.expectations
    return great_expectations


def import_meanwhile() -> None:
    """Begin the import in a thread of its own, while DuckDB counts; whoever needs the library waits for it."""
    if "great_expectations" not in sys.modules:
        threading.Thread(target=_great_expectations, name="great_expectations").start()


@cache
def _batch_definition():
    """One ephemeral context a process, with progress bars off."""
    gx = _great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    # it tells of a temporary folder for a site that we don't build
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("gate").add_dataframe_asset("profile")
    return asset.add_batch_definition_whole_dataframe("day")


def _expectation(promise: Promise, column: str, expected: Hashable):
    gxe = _great_expectations().expectations
    common = {
        "meta": {"check_name": promise.check_name, "column": column},
        "severity": "critical" if promise.blocking else "warning",
    }
    match expected:
        case str():
            return gxe.ExpectColumnValuesToNotBeNull(column=column, **common)
        case Between(None, None):
            # no history to take bounds from: any number does, and the verdict says so
            return gxe.ExpectColumnToExist(column=column, **common)
        case Between(minimum, maximum):
            return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=minimum, max_value=maximum, **common)
        case OneOf(values):
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(values), **common)
        case EqualTo():
            return gxe.ExpectColumnPairValuesToBeEqual(column_A=column, column_B=_other(column), **common)


def _error(exception_info: Mapping[str, Any]) -> str | None:
    """The message of an exception inside an expectation: one dict, or one per metric that raised."""
    parts = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    messages = [str(part.get("exception_message")) for part in parts if part.get("raised_exception")]
    return "; ".join(messages)[:LONGEST_ERROR] or None


def _other(column: str) -> str:
    return f"{column}__expected"


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
