"""Every sight of every repository as one table: a row for each captured day and repository, with all that is said of it.
The arrays by day and repository are cut from it. Nothing is summed here."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tests.oracle.attribution import Attributed, AttributedDay, attribute_days
from tests.oracle.days import Days, Listed
from tests.oracle.models import Describer, Traits
from tests.oracle.seeds import Seeds

ATTRIBUTIONS = ("uploader", "origin")
NULL = -1  # of a counter: no counter is negative


class Observations:
    """All captured days of a landing, attributed and described. `repo_ids` is sorted; a repository's index is its
    place in it."""

    def __init__(self, landing: Path, seeds: Seeds):
        self.days, self.seeds = Days(landing), seeds
        self.describer = Describer(seeds)
        self.attributed: dict[date, AttributedDay] = attribute_days(self.days, seeds)
        self.repo_ids = sorted({repo_id for listing in self.days.listings.values() for repo_id in listing})
        self.index = {repo_id: position for position, repo_id in enumerate(self.repo_ids)}
        self.traits: dict[tuple[date, str], Traits] = {
            (day, row.repo_id): self.describer.traits(row, attributed) for day, row, attributed in self.sights()
        }

    def sights(self) -> Iterator[tuple[date, Listed, Attributed]]:
        """Every row of every captured day, in order of day and `_id`."""
        for day in self.days.captured:
            attributed = self.attributed[day].attributed
            for repo_id in sorted(self.days.listings[day]):
                yield day, self.days.listings[day][repo_id], attributed[repo_id]

    @cached_property
    def position(self) -> dict[date, int]:
        return {day: position for position, day in enumerate(self.days.captured)}

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a sight, in the order of `sights`."""
        columns: dict[str, list] = defaultdict(list)
        for day, row, attributed in self.sights():
            traits = self.traits[day, row.repo_id]
            root = attributed.root_repo_id
            origin_family = None
            if attributed.root_is_listed and root is not None:
                origin_family = self.traits[day, root].family
            record = {
                "day": self.position[day],
                "repo": self.index[row.repo_id],
                "downloads_30d": NULL if row.downloads_30d is None else row.downloads_30d,
                "downloads_all_time": NULL if row.downloads_all_time is None else row.downloads_all_time,
                "likes": row.likes,
                "is_new": row.is_new(day),
                "gated": row.gated or "(unknown)",
                "openness": traits.openness,
                "modality": traits.modality,
                "size_class": traits.size_class,
                "distilled": traits.is_distilled,
                "quantized": traits.is_quantized,
                "mixture_of_experts": traits.is_moe,
                "adapter": traits.is_adapter,
                "merge": traits.is_merge,
                "is_seeded_outlier": traits.is_seeded_outlier,
                "has_parent": bool(attributed.parents),
                "relation": attributed.base_relation or "(unknown)",
                "parent_organization": attributed.uploader.parent_organization,
                "organization_type": attributed.uploader.organization_type,
                "uploader_family": traits.family,
                "origin_family": origin_family,
            }
            for attribution in ATTRIBUTIONS:
                place = attributed.place(attribution)
                record |= {
                    f"{attribution}_country": place.country,
                    f"{attribution}_organization": place.organization,
                    f"{attribution}_is_person": place.is_person,
                    f"{attribution}_account_type": place.account_type,
                    f"{attribution}_entity": place.entity,
                }
            for name, value in record.items():
                columns[name].append(value)
        return pd.DataFrame({name: _column(values) for name, values in columns.items()})

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.days.captured), len(self.repo_ids)

    def _matrix(self, values: np.ndarray, missing: object, dtype: type) -> np.ndarray:
        matrix = np.full(self.shape, missing, dtype=dtype)
        matrix[self.frame["day"].to_numpy(), self.frame["repo"].to_numpy()] = values
        return matrix

    @cached_property
    def sight(self) -> np.ndarray:
        """Row of `frame` by captured day and repository; -1 where it isn't listed."""
        return self._matrix(np.arange(len(self.frame)), -1, np.int64)

    @cached_property
    def is_listed(self) -> np.ndarray:
        return self.sight >= 0

    @cached_property
    def counters(self) -> np.ndarray:
        """All-time counters by captured day and repository; `NULL` where there is none."""
        return self._matrix(self.frame["downloads_all_time"].to_numpy(), NULL, np.int64)

    def latest_row(self, repo: int) -> tuple[date, Listed, Attributed, Traits]:
        """A repository as on its latest sight."""
        day = self.days.captured[int(np.flatnonzero(self.is_listed[:, repo])[-1])]
        repo_id = self.repo_ids[repo]
        return (
            day,
            self.days.listings[day][repo_id],
            self.attributed[day].attributed[repo_id],
            self.traits[day, repo_id],
        )

    @cached_property
    def first_seen(self) -> list[date]:
        return [self.days.captured[int(position)] for position in self.is_listed.argmax(axis=0)]

    @cached_property
    def last_seen(self) -> list[date]:
        from_the_end = self.is_listed[::-1].argmax(axis=0)
        return [self.days.captured[len(self.days.captured) - 1 - int(position)] for position in from_the_end]


def _column(values: list) -> pd.Series:
    """Texts stay Python's, and null stays None."""
    is_text = any(isinstance(value, str) for value in values)
    return pd.Series(values, dtype=object if is_text or None in values else None)
