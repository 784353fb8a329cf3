"""Countries' shares of new models' downloads if some organisations were counted elsewhere, each decision in turn.
What counts in the headline is decided in `shares`; where an organisation is, and who says so, stands in the seeds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from tests.oracle.attribution import NOT_ATTRIBUTED
from tests.oracle.seeds import SeededAccount
from tests.oracle.shares import OTHER, Cumulated, Shares, ratio

YEAR = 365
LARGEST = 10
Sums = dict[tuple[str, str], int]  # (country, organisation) → downloads; whom no sum names is `OTHER`
Move = Callable[[str, str], str]  # country, organisation → country


@dataclass
class Known:
    """What the seed says of an organisation on a day, of all its accounts together."""

    rows: list[tuple[str, SeededAccount]]  # with the account's name

    @property
    def is_doubtful(self) -> bool:
        """The surest of its accounts says where it is."""
        return bool(self.rows) and all(row.confidence == "low" for _, row in self.rows)

    @property
    def is_repackager(self) -> bool:
        return any(row.organization_type == "repackager" for _, row in self.rows)

    def second_base(self, iso_codes: frozenset[str]) -> str | None:
        return min((row.secondary_country_code for _, row in self.rows if row.secondary_country_code in iso_codes),
                   default=None)  # fmt: skip

    def stated_elsewhere(self, evidence: dict[str, list[str]], iso_codes: frozenset[str]) -> str | None:
        """What most statements of others name, of the countries that none of its rows has."""
        homes = {row.country_code for _, row in self.rows}
        stated = Counter(code for name, _ in self.rows for code in evidence.get(name, ()) if code in iso_codes - homes)
        return min(stated, key=lambda code: (-stated[code], code), default=None)


class Sensitivity:
    """The table over the shares of a landing."""

    def __init__(self, shares: Shares):
        self.shares, self.seeds = shares, shares.seen.seeds

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        return self.shares.organization_names("uploader")

    def rows(self) -> dict[tuple, tuple]:
        """(day, variant, country) → metric, window_days, moved organisation and its target, downloads, total, share and
        its difference from the published one."""
        table = {}
        for day, metric, sums in self._headlines():
            total, published = sum(sums.values()), counted(sums, lambda country, _: country)
            if total == 0:
                continue
            for variant, organization, target, move in self._variants(day, sums):
                moved = counted(sums, move)
                for country in moved.keys() | published.keys():
                    downloads, before = moved.get(country, 0), published.get(country, 0)
                    if downloads != 0 or country in published:
                        table[day, variant, country] = (
                            metric, YEAR, organization, target, downloads, total, ratio(downloads, total),
                            ratio(downloads - before, total),
                        )  # fmt: skip
        return table

    # What is moved

    def _headlines(self) -> Iterator[tuple[date, str, Sums]]:
        """The year of daily downloads where history covers one, else the stand-in of one snapshot."""
        covered = self.shares.window_days(YEAR)
        yield from self._rolling(covered)
        for position, day in enumerate(self.shares.days.captured):
            sights = self.shares.counted_sights(position, "new_created")
            if day in covered or len(sights) == 0:
                continue
            sums: Sums = defaultdict(int)
            for sight, value in zip(sights, self.shares.values("new_created", sights), strict=True):
                sums[self.names[sight]] += int(value)
            yield day, "new_created", sums

    def _rolling(self, covered: list[date]) -> Iterator[tuple[date, str, Sums]]:
        if not covered:
            return
        flows, first = self.shares.flows, self.shares.days.first
        groups = sorted({self.names[sight] for sight in flows.sight})
        index = {group: place for place, group in enumerate(groups)}
        group_of = np.array([index[self.names[sight]] for sight in flows.sight], dtype=np.int64)
        cumulated = Cumulated(flows.length, len(groups))
        cumulated.add(flows.offset[flows.is_new], group_of[flows.is_new], flows.downloads[flows.is_new])
        for day in covered:
            downloads, rows = cumulated.over((day - first).days, YEAR)
            yield day, "new_rolling", {groups[place]: int(downloads[place]) for place in np.flatnonzero(rows)}

    # Where it is moved to

    def _variants(self, day: date, sums: Sums) -> Iterator[tuple[str, str | None, str | None, Move]]:
        known, iso = self._known(day), self.shares.iso
        nobody = Known([])

        def doubtful_nowhere(country: str, organization: str) -> str:
            return NOT_ATTRIBUTED if known.get(organization, nobody).is_doubtful else country

        def repackagers_at_home(country: str, organization: str) -> str:
            about = known.get(organization, nobody)
            return (about.second_base(iso) or country) if about.is_repackager else country

        def others_at_their_second_base(country: str, organization: str) -> str:
            about = known.get(organization, nobody)
            return country if about.is_repackager else (about.second_base(iso) or country)

        def one_china(country: str, _: str) -> str:
            return "CN" if country in ("HK", "MO") else country

        yield "published", None, None, lambda country, _: country
        yield "confidence_medium_or_higher", None, None, doubtful_nowhere
        yield "repackagers_at_home", None, None, repackagers_at_home
        yield "other_country", None, None, others_at_their_second_base
        yield "cn_hk_mo_together", None, None, one_china
        for largest in self._largest(sums):
            about = known.get(largest, nobody)
            target = about.second_base(iso) or about.stated_elsewhere(self.seeds.evidence, iso) or NOT_ATTRIBUTED
            yield f"moved:{largest}", largest, target, only(largest, target)

    def _largest(self, sums: Sums) -> list[str]:
        sizes: dict[str, int] = defaultdict(int)
        for (country, organization), downloads in sums.items():
            if country in self.shares.iso and organization != OTHER:
                sizes[organization] += downloads
        held = [name for name, downloads in sizes.items() if downloads > 0]
        return sorted(held, key=lambda name: (-sizes[name], name))[:LARGEST]

    def _known(self, day: date) -> dict[str, Known]:
        found: dict[str, Known] = {}
        for name in self.seeds.accounts:
            row = self.seeds.account(name, day)
            if row is not None:
                found.setdefault(row.organization, Known([])).rows.append((name, row))
        return found


def only(moved: str, target: str) -> Move:
    return lambda country, organization: target if organization == moved else country


def counted(sums: Sums, move: Move) -> dict[str, int]:
    """Downloads by country, each where `move` puts it."""
    countries: dict[str, int] = defaultdict(int)
    for (country, organization), downloads in sums.items():
        countries[move(country, organization)] += downloads
    return countries
