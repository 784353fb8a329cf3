"""When repositories came out, which of them are one release, how often organisations release, and how releases fare.
Only first-party repositories have a family, and so a release; what is downloaded of the others is no business of this."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from statistics import median

from tests.oracle.days import NEW_BELOW_DAYS, ONE_DAY
from tests.oracle.models import UNKNOWN
from tests.oracle.shares import Shares, ratio

RELEASE_DAYS = 14
QUALIFYING_TYPES = ("industry", "academia", "nonprofit")
QUALIFYING_DOWNLOADS = 100_000
CADENCES = ((10, "weekly"), (21, "biweekly"), (45, "monthly"), (135, "quarterly"), (270, "semiannual"))
MILESTONES = (7, 14, 30, 60, 90, 180, 365)
PEERS = 10
ALL = "(all)"


@dataclass(frozen=True)
class Dated:
    """A first-party repository with a date, as on its latest sight."""

    repo_id: str
    organization: str
    country: str
    family: str
    released_on: date
    source: str
    created_at: datetime | None
    modality: str
    parameters: int | None


@dataclass(frozen=True)
class Release:
    """Repositories of one family within 14 days of the first of them."""

    repositories: tuple[Dated, ...]

    @property
    def first(self) -> Dated:
        return self.repositories[0]

    @property
    def modality(self) -> str:
        counts = Counter(repository.modality for repository in self.repositories)
        return min(counts, key=lambda modality: (-counts[modality], modality))

    @property
    def largest_parameters(self) -> int | None:
        return max((one.parameters for one in self.repositories if one.parameters is not None), default=None)


def _by_date(one: Dated) -> tuple:
    """Date, then creation (unknown ones last), then `_id`."""
    created = (one.created_at is None, one.created_at.timestamp() if one.created_at else 0)
    return one.released_on, created, one.repo_id


def released(family: Iterable[Dated]) -> list[Release]:
    """One family's repositories, cut into releases."""
    releases: list[list[Dated]] = []
    ordered = sorted(family, key=_by_date)
    for repository in ordered:
        if releases and (repository.released_on - releases[-1][0].released_on).days <= RELEASE_DAYS:
            releases[-1].append(repository)
        else:
            releases.append([repository])
    return [Release(tuple(release)) for release in releases]


def gap_between(dates: Iterable[date]) -> Fraction | None:
    """Median of the days between consecutive distinct dates; none if there is one date."""
    ordered = sorted(set(dates))
    gaps = [Fraction((later - earlier).days) for earlier, later in itertools.pairwise(ordered)]
    return median(gaps) if gaps else None


def cadence_of(days: Fraction | None) -> str:
    if days is None:
        return "single"
    return next((name for bound, name in CADENCES if days <= bound), "yearly")


def whole_weeks(day: date) -> list[date]:
    """Mondays of the weeks that lie wholly in the 365 days up to a day."""
    start = day - timedelta(days=NEW_BELOW_DAYS - 1)
    monday = start + timedelta(days=-start.weekday() % 7)
    weeks = []
    while monday + timedelta(days=6) <= day:
        weeks.append(monday)
        monday += timedelta(days=7)
    return weeks


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


class Releases:
    """All releases of a landing, and the tables made of them."""

    def __init__(self, shares: Shares):
        self.shares, self.seen, self.days = shares, shares.seen, shares.days

    @cached_property
    def dated(self) -> list[Dated]:
        found = []
        for repo, repo_id in enumerate(self.seen.repo_ids):
            _, row, attributed, traits = self.seen.latest_row(repo)
            released_on, source = self.release_date(repo)
            if traits.family is not None and released_on is not None:
                uploader = attributed.uploader
                found.append(
                    Dated(
                        repo_id,
                        uploader.organization,
                        uploader.country,
                        traits.family,
                        released_on,
                        source,
                        row.created_at,
                        traits.modality,
                        traits.parameters,
                    )
                )
        return found

    def release_date(self, repo: int) -> tuple[date | None, str | None]:
        """First sight where history shows the day before, else a correction, else creation, but never the floor."""
        first_seen = self.seen.first_seen[repo]
        if first_seen != self.days.first and first_seen - ONE_DAY in self.seen.position:
            return first_seen, "first_sight"
        _, row, _, _ = self.seen.latest_row(repo)
        corrections = self.seen.seeds.released_on
        for key in (row.repo_id, row.model_id.lower()):
            if key in corrections:
                return corrections[key], "correction"
        if row.created_at is None or row.is_created_at_floor:
            return None, None
        return row.created_at.date(), "created_at"

    @cached_property
    def releases(self) -> list[Release]:
        families: dict[tuple[str, str], list[Dated]] = defaultdict(list)
        for repository in self.dated:
            families[repository.organization, repository.family.lower()].append(repository)
        return [release for family in families.values() for release in released(family)]

    @cached_property
    def release_of(self) -> dict[str, str]:
        """Repository → its release."""
        return {one.repo_id: release.first.repo_id for release in self.releases for one in release.repositories}

    def release_rows(self) -> dict[tuple, tuple]:
        return {
            (release.first.repo_id,): (
                release.first.organization,
                release.first.country,
                release.first.family,
                release.first.released_on,
                release.first.source,
                len(release.repositories),
                release.modality,
                release.largest_parameters,
            )
            for release in self.releases
        }

    def weekly(self) -> dict[tuple, tuple]:
        """(week_start, organization) → country, releases, variants, repositories."""
        repositories = Counter((monday_of(one.released_on), one.organization) for one in self.dated)
        latest: dict[str, Release] = {}
        releases: dict[tuple, list[Release]] = defaultdict(list)
        for release in sorted(self.releases, key=lambda one: (one.first.released_on, one.first.repo_id)):
            latest[release.first.organization] = release
            releases[monday_of(release.first.released_on), release.first.organization].append(release)
        return {
            key: (
                latest[key[1]].first.country,
                len(releases[key]),
                sum(len(release.repositories) for release in releases[key]),
                count,
            )
            for key, count in repositories.items()
        }

    # mart_release_cadence

    def cadence(self) -> dict[tuple, tuple]:
        """(day, level, organization, country) → releases, variants, variants per release, median, shares, cadence."""
        table = {}
        for position, day in enumerate(self.days.captured):
            by_country: dict[str, list[tuple]] = defaultdict(list)
            for organization, country in sorted(self._qualifying(position)):
                row = self._cadence_of_organization(organization, day)
                if row is not None:
                    table[day, "organization", organization, country] = row
                    by_country[country].append(row)
            for country, rows in by_country.items():
                table[day, "country", ALL, country] = _country_cadence(rows)
        return table

    def _qualifying(self, position: int) -> list[tuple[str, str]]:
        """Organisations and countries with enough downloads on a captured day."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        sights = self.shares.counted_sights(position, "trailing_30d")
        columns = ("uploader_organization", "uploader_country", "uploader_is_person", "organization_type")
        told = zip(*(self.shares.frame[name].to_numpy()[sights] for name in columns), strict=True)
        for (organization, country, is_person, kind), value in zip(
            told, self.shares.values("trailing_30d", sights).tolist(), strict=True
        ):
            if not is_person and country in self.shares.iso and kind in QUALIFYING_TYPES:
                sums[organization, country] += value
        return [key for key, downloads in sums.items() if downloads >= QUALIFYING_DOWNLOADS]

    @cached_property
    def _by_organization(self) -> dict[str, tuple[list[Release], list[date]]]:
        found: dict[str, tuple[list[Release], list[date]]] = defaultdict(lambda: ([], []))
        for release in self.releases:
            found[release.first.organization][0].append(release)
        for repository in self.dated:
            found[repository.organization][1].append(repository.released_on)
        return found

    def _cadence_of_organization(self, organization: str, day: date) -> tuple | None:
        since = day - timedelta(days=NEW_BELOW_DAYS)
        all_releases, repository_dates = self._by_organization[organization]
        releases = [release for release in all_releases if since < release.first.released_on <= day]
        if not releases:
            return None
        dates = [release.first.released_on for release in releases]
        variants = sum(len(release.repositories) for release in releases)
        weeks = whole_weeks(day)
        middle = gap_between(dates)
        return (
            len(releases),
            variants,
            ratio(variants, len(releases)),
            middle,
            _active_share(weeks, dates),
            _active_share(weeks, repository_dates),
            cadence_of(middle),
        )

    # mart_relative_adoption

    def adoption(self) -> dict[tuple, tuple]:
        """(repo, milestone) → downloads since release, size class, median of the peers, ratio to it."""
        flows: dict[int, list[tuple[date, int]]] = defaultdict(list)
        for row in self.shares.daily:
            if row.downloads is not None:
                flows[row.repo].append((row.day, row.downloads))
        reached: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
        for repo, repo_id in enumerate(self.seen.repo_ids):
            traits, start = self.seen.latest_row(repo)[3], self.seen.first_seen[repo]
            if traits.family is None or start <= self.days.first:
                continue
            for milestone in MILESTONES:
                end = start + timedelta(days=milestone)
                if end <= self.days.last:
                    downloads = sum(value for day, value in flows[repo] if start <= day <= end)
                    reached[milestone, traits.size_class][repo_id] = downloads
        return {
            (repo_id, milestone): (downloads, size_class, *_adoption(repo_id, by_repo, size_class))
            for (milestone, size_class), by_repo in reached.items()
            for repo_id, downloads in by_repo.items()
        }


def _active_share(weeks: list[date], dates: Iterable[date]) -> Fraction | None:
    return ratio(len({monday_of(day) for day in dates} & set(weeks)), len(weeks))


def _country_cadence(rows: list[tuple]) -> tuple:
    releases, variants = sum(row[0] for row in rows), sum(row[1] for row in rows)
    medians = [row[3] for row in rows if row[3] is not None]
    middle = median(medians) if medians else None
    return (
        releases,
        variants,
        ratio(variants, releases),
        middle,
        median([row[4] for row in rows]),
        median([row[5] for row in rows]),
        cadence_of(middle),
    )


def _adoption(repo_id: str, by_repo: dict[str, int], size_class: str) -> tuple[Fraction | None, Fraction | None]:
    """Median of the ten most downloaded others, and the ratio to it; none for a size nobody knows, or too few peers."""
    others = sorted((-downloads, other) for other, downloads in by_repo.items() if other != repo_id)
    if size_class == UNKNOWN or len(others) < PEERS:
        return None, None
    middle = median([Fraction(-downloads) for downloads, _ in others[:PEERS]])
    return middle, (Fraction(by_repo[repo_id]) / middle if middle else None)
