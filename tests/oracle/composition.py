"""What is downloaded, on each captured day: tasks, terms, sizes, techniques, families, lineage, and how concentrated it is.
Metrics of one snapshot only; who counts in a metric is decided in `shares`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from tests.oracle.attribution import NOT_ATTRIBUTED
from tests.oracle.observations import ATTRIBUTIONS
from tests.oracle.shares import ORGANIZATION_FLOOR, OTHER, SNAPSHOT_METRICS, Shares, ratio

TECHNIQUES = ("distilled", "quantized", "mixture_of_experts", "adapter", "merge")
NO_PLAYERS = ("repackager", "individual")
THRESHOLDS = (100_000, 1_000_000, 10_000_000)
TOPS = (1, 10, 200)


class Composition:
    """The side marts of a landing."""

    def __init__(self, shares: Shares):
        self.shares, self.frame = shares, shares.frame
        self.columns = {name: shares.frame[name].to_numpy() for name in shares.frame.columns}
        self.iso = shares.iso

    def _counted(self) -> Iterator[tuple[date, str, np.ndarray, list[int]]]:
        """Day, metric, the sights that it counts, and their downloads in it."""
        for position, day in enumerate(self.shares.days.captured):
            for metric in SNAPSHOT_METRICS:
                sights = self.shares.counted_sights(position, metric)
                if len(sights):
                    yield day, metric, sights, self.shares.values(metric, sights).tolist()

    def _grouped(self, sights: np.ndarray, values: list[int], names: Iterable[str]) -> dict[tuple, list[int]]:
        """Downloads, models and new models by the values of some columns."""
        sums: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0])
        keys = zip(*(self.columns[name][sights] for name in names), strict=True)
        for key, value, is_new in zip(keys, values, self.columns["is_new"][sights], strict=True):
            group = sums[key]
            group[0] += value
            group[1] += 1
            group[2] += bool(is_new)
        return sums

    def by_country_and(self, *names: str, with_new: bool = False) -> dict[tuple, tuple]:
        """(day, metric, attribution, country, *names) → downloads, share of country, models, and new models."""
        table = {}
        for day, metric, sights, values in self._counted():
            for attribution in ATTRIBUTIONS:
                groups = self._grouped(sights, values, (f"{attribution}_country", *names))
                countries = _totals(groups, 0)
                for key, (downloads, models, new_models) in groups.items():
                    row = (downloads, ratio(downloads, countries[key[0]]), models)
                    table[day, metric, attribution, *key] = (*row, new_models) if with_new else row
        return table

    def techniques(self) -> dict[tuple, tuple]:
        table = {}
        for day, metric, sights, values in self._counted():
            for attribution in ATTRIBUTIONS:
                country = f"{attribution}_country"
                countries = _totals(self._grouped(sights, values, (country,)), 0)
                for technique in TECHNIQUES:
                    for (code, is_used), sums in self._grouped(sights, values, (country, technique)).items():
                        if is_used:
                            share = ratio(sums[0], countries[code])
                            table[day, metric, attribution, code, technique] = (sums[0], share, sums[1])
        return table

    def families(self) -> dict[tuple, tuple]:
        """(day, metric, attribution, organization, family) → country, downloads, share of country, share of total."""
        table = {}
        for day, metric, sights, values in self._counted():
            for attribution in ATTRIBUTIONS:
                names = [f"{attribution}_{name}" for name in ("country", "organization", "family")]
                groups = self._grouped(sights, values, names)
                countries, total = _totals(groups, 0), sum(values)
                for key, (country, downloads) in _families(groups, total).items():
                    row = (country, downloads, ratio(downloads, countries[country]), ratio(downloads, total))
                    table[day, metric, attribution, *key] = row
        return table

    # mart_daily_concentration

    def concentration(self) -> dict[tuple, tuple]:
        table = {}
        for day, metric, sights, values in self._counted():
            for attribution in ATTRIBUTIONS:
                country = self.columns[f"{attribution}_country"][sights]
                entity = self.columns[f"{attribution}_entity"][sights]
                by_scope: dict[tuple[str, str], list[int]] = defaultdict(list)
                organizations: dict[tuple[str, str], int] = defaultdict(int)
                countries: dict[str, int] = defaultdict(int)
                for code, name, value in zip(country, entity, values, strict=True):
                    for scope in ("world", code) if code in self.iso else ("world",):
                        by_scope[scope, "model"].append(value)
                        organizations[scope, name] += value
                    if code in self.iso:
                        countries[code] += value
                for (scope, _), value in organizations.items():
                    by_scope[scope, "organization"].append(value)
                by_scope["world", "country"] = list(countries.values())
                for (scope, kind), sizes in by_scope.items():
                    if any(sizes):
                        table[day, metric, attribution, scope, kind] = concentration(sizes)
        return table

    # mart_daily_lineage

    def lineage(self) -> dict[tuple, tuple]:
        """(day, metric, root organization, origin country, relation) → derivatives, new ones, downloads, share."""
        roots = [
            OTHER if is_person or organization is None or country == NOT_ATTRIBUTED else organization
            for organization, is_person, country in zip(
                *(self.columns[f"origin_{name}"] for name in ("organization", "is_person", "country")), strict=True
            )
        ]
        table = {}
        for day, metric, sights, values in self._counted():
            sums: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0])
            for sight, value in zip(sights, values, strict=True):
                if self.columns["has_parent"][sight]:
                    country, relation = self.columns["origin_country"][sight], self.columns["relation"][sight]
                    group = sums[roots[sight], country, relation]
                    group[0] += 1
                    group[1] += bool(self.columns["is_new"][sight])
                    group[2] += value
            total = sum(group[2] for group in sums.values())
            for key, (derivatives, new, downloads) in sums.items():
                table[day, metric, *key] = (derivatives, new, downloads, ratio(downloads, total))
        return table

    # mart_monthly_independent_players

    def players(self) -> dict[tuple, tuple]:
        """(month, country, threshold) → parent organisations above it, share of the two largest, is partial."""
        last_of_month = {day.replace(day=1): day for day in self.shares.days.captured}
        table = {}
        for day, metric, sights, values in self._counted():
            month = day.replace(day=1)
            if metric != "trailing_30d" or last_of_month[month] != day:
                continue
            is_partial = (day + timedelta(days=1)).day != 1
            countries = _totals(self._grouped(sights, values, ("uploader_country",)), 0)
            for country, sizes in self._players(sights, values).items():
                top = sum(sorted(sizes, reverse=True)[:2])
                for threshold in THRESHOLDS:
                    above = sum(size > threshold for size in sizes)
                    table[month, country, threshold] = (above, ratio(top, countries[country]), is_partial)
        return table

    def _players(self, sights: np.ndarray, values: list[int]) -> dict[str, list[int]]:
        """Downloads of each country's parent organisations that have any."""
        names = ("uploader_country", "parent_organization", "organization_type", "uploader_is_person")
        by_parent: dict[tuple[str, str], int] = defaultdict(int)
        for (country, parent, kind, is_person), (downloads, *_) in self._grouped(sights, values, names).items():
            if country in self.iso and kind not in NO_PLAYERS and not is_person:
                by_parent[country, parent] += downloads
        sizes: dict[str, list[int]] = defaultdict(list)
        for (country, _), downloads in by_parent.items():
            if downloads > 0:
                sizes[country].append(downloads)
        return sizes

    # mart_attribution_coverage, mart_attribution_queue

    def coverage(self) -> dict[tuple, tuple]:
        """(day, attribution, basis) → classed share, located share."""
        table = {}
        for day, metric, sights, values in self._counted():
            bases = {"trailing_30d": {"models": [1] * len(values), "downloads": values}}
            bases["new_trailing_30d"] = {"new_downloads": values}
            for basis, weights in bases.get(metric, {}).items():
                for attribution in ATTRIBUTIONS:
                    codes = self.columns[f"{attribution}_country"][sights]
                    classed = sum(w for w, code in zip(weights, codes, strict=True) if code != NOT_ATTRIBUTED)
                    located = sum(w for w, code in zip(weights, codes, strict=True) if code in self.iso or code == "XI")
                    table[day, attribution, basis] = (ratio(classed, sum(weights)), ratio(located, sum(weights)))
        return table

    def queue(self, length: int = 1_000) -> dict[tuple, tuple]:
        """namespace → downloads, share, models, of the latest captured day; the largest of those without a code."""
        day = self.shares.days.last
        listing, attributed = self.shares.days.listings[day], self.shares.seen.attributed[day].attributed
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        total = sum(row.downloads_30d or 0 for row in listing.values())
        for repo_id, row in listing.items():
            if attributed[repo_id].uploader.country == NOT_ATTRIBUTED:
                sums[row.namespace][0] += row.downloads_30d or 0
                sums[row.namespace][1] += 1
        largest = sorted(sums, key=lambda name: (-sums[name][0], name))[:length]
        return {(name,): (sums[name][0], ratio(sums[name][0], total), sums[name][1], day) for name in largest}


def _totals(groups: dict[tuple, list[int]], place: int) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for key, (downloads, *_) in groups.items():
        totals[key[place]] += downloads
    return totals


def _families(groups: dict[tuple, list[int]], total: int) -> dict[tuple[str, str], tuple[str, int]]:
    """(organization, family) → country with most of its downloads, downloads; small families are `(other)`."""
    floor = ORGANIZATION_FLOOR * total
    by_family: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (country, organization, family), (downloads, *_) in groups.items():
        if family is not None and organization is not None:
            by_family[organization, family][country] += downloads
    folded: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (organization, family), countries in by_family.items():
        is_small = sum(countries.values()) < floor
        for country, downloads in countries.items():
            folded[organization, OTHER if is_small else family][country] += downloads
    return {
        key: (min(countries, key=lambda code: (-countries[code], code)), sum(countries.values()))
        for key, countries in folded.items()
    }


def concentration(sizes: list[int]) -> tuple[Fraction, ...]:
    """HHI, Gini, shares of the largest 1, 10, 200, and the effective number, over entities with downloads."""
    ascending = sorted(size for size in sizes if size > 0)
    total, count = sum(ascending), len(ascending)
    squares = sum(size * size for size in ascending)
    weighted = sum(place * size for place, size in enumerate(ascending, start=1))
    gini = Fraction(2 * weighted, count * total) - Fraction(count + 1, count)
    tops = [Fraction(sum(ascending[-top:]), total) for top in TOPS]
    return (Fraction(squares, total * total), gini, *tops, Fraction(total * total, squares))
