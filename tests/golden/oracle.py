"""A second reading of the definitions, by brute force over dicts: lineage, attribution and the three tables they give.
It shares nothing with the dbt project but its seeds, and trades all speed for being easy to check against the text."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fractions import Fraction
from pathlib import Path

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"

NEW_BELOW_DAYS = 365
FLOOR_DATE = date(2022, 3, 2)
FLOOR_TIMES = (time(23, 29, 4), time(23, 29, 5))
OUTLIER_DOWNLOADS = 1_000_000
OUTLIER_LIKES_PER_MILLION = 3
ORGANIZATION_SHARE_FLOOR = Fraction(5, 10_000)
RELATIONS = ("finetune", "adapter", "merge", "quantized")
OTHER = "(other)"

# metric: (window_days, counter summed, only models that are new)
METRICS = {
    "new_created": (365, "downloadsAllTime", True),
    "trailing_30d": (30, "downloads", False),
    "new_trailing_30d": (30, "downloads", True),
    "all_time": (0, "downloadsAllTime", False),
}
ATTRIBUTIONS = ("uploader", "origin")
DENOMINATORS = ("all", "organizations", "located")


@dataclass(frozen=True)
class Place:
    """Where an account, or the end of a lineage, is counted. `organization` is None where there are several."""

    country: str
    organization: str | None
    is_person: bool


@dataclass(frozen=True)
class Root:
    """The end of a lineage. `repo_id` is None if the day doesn't list it and its child gives only a name."""

    repo_id: str | None
    model_id: str
    namespace: str | None


@dataclass
class Seeds:
    """The project's seeds as read from CSV: rows per namespace, reviewed outliers, the ISO codes."""

    organizations: dict[str, list[dict]] = field(default_factory=dict)
    outlier_repo_ids: set[str] = field(default_factory=set)
    outlier_model_ids: set[str] = field(default_factory=set)
    iso_codes: set[str] = field(default_factory=set)


def _rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def read_seeds(folder: Path = SEEDS) -> Seeds:
    """Read organizations.csv, outliers.csv and countries.csv of the dbt project."""
    seeds = Seeds()
    for row in _rows(folder, "organizations.csv"):
        seeds.organizations.setdefault(row["namespace"], []).append(row)
    for row in _rows(folder, "outliers.csv"):
        if row["repo_id"]:
            seeds.outlier_repo_ids.add(row["repo_id"])
        else:
            seeds.outlier_model_ids.add(row["model_id"])
    seeds.iso_codes = {
        row["country_code"] for row in _rows(folder, "countries.csv") if row["is_user_assigned"].lower() != "true"
    }
    return seeds


def namespace_of(model_id: str) -> str | None:
    return model_id.split("/")[0] if "/" in model_id else None


def declared_parents(row: dict) -> list[tuple[str, str | None]]:
    """(model id, `_id` or None) of each declared parent: the `baseModels` field, else the tags."""
    declared = (row.get("baseModels") or {}).get("models") or []
    if declared:
        return [(parent["id"], parent["_id"]) for parent in declared]
    names = []
    for tag in row["tags"]:
        if not tag.startswith("base_model:"):
            continue
        rest = tag.removeprefix("base_model:")
        first, _, last = rest.partition(":")
        name = last if first in RELATIONS and last else rest
        if name not in names:
            names.append(name)
    return [(name, None) for name in names]


class Day:
    """One landed day, attributed. `models` are landed rows, `account_types` maps namespace to account type."""

    def __init__(self, day: date, models: list[dict], account_types: dict[str, str], seeds: Seeds):
        self.day = day
        self.models = models
        self.account_types = account_types
        self.seeds = seeds
        self.by_repo_id = {row["_id"]: row for row in models}
        self.by_model_id = {row["id"]: row for row in models}

    # Age

    def is_new(self, row: dict) -> bool:
        created: datetime = row["createdAt"]
        if created.date() == FLOOR_DATE and created.time().replace(microsecond=0) in FLOOR_TIMES:
            return False
        return max((self.day - created.date()).days, 0) < NEW_BELOW_DAYS

    # Accounts

    def seed_of(self, namespace: str | None) -> dict | None:
        for row in self.seeds.organizations.get(namespace, []):
            starts = date.fromisoformat(row["valid_from"])
            ends = date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max
            if starts <= self.day < ends:
                return row
        return None

    def place(self, namespace: str | None) -> Place:
        """A seed row's code; else a person's account → XC; else XX."""
        seed = self.seed_of(namespace)
        holds_person = self.account_types.get(namespace) == "person"
        if seed is None:
            return Place("XC" if holds_person else "XX", namespace, holds_person)
        # A person whose seed row names the organisation that it publishes for counts as that organisation. A person's
        # seed row that says repackager or individual names no such organisation.
        speaks_for_itself = seed["organization_type"] in ("repackager", "individual")
        is_person = seed["organization_type"] == "individual" or (holds_person and speaks_for_itself)
        return Place(seed["country_code"], seed["organization"], is_person)

    # Lineage

    def _listed(self, model_id: str, repo_id: str | None) -> dict | None:
        """The day's row for a declared parent: identity is the `_id`; the name stands in where that isn't listed."""
        return self.by_repo_id.get(repo_id) or self.by_model_id.get(model_id)

    def roots(self, row: dict, path: tuple[str, ...] = ()) -> set[Root]:
        """Ends of all lineages of a repository; a walk that comes back to a repository on its path ends there."""
        here = Root(row["_id"], row["id"], row["author"])
        if row["_id"] in path:
            return {here}
        parents = declared_parents(row)
        if not parents:
            return {here}
        found = set()
        for model_id, repo_id in parents:
            listed = self._listed(model_id, repo_id)
            if listed is None:
                found.add(Root(repo_id, model_id, namespace_of(model_id)))
            else:
                found |= self.roots(listed, (*path, row["_id"]))
        return found

    def root_repo_id(self, row: dict) -> str | None:
        """The `_id` of the only root; None if there are several, or if nothing gives the only one's `_id`."""
        roots = self.roots(row)
        if len({root.model_id for root in roots}) > 1:
            return None
        # One repository that isn't listed may be declared with its `_id` by one child and without by another.
        return max((root.repo_id for root in roots if root.repo_id), default=None)

    def origin(self, row: dict) -> Place:
        places = [self.place(root.namespace) for root in self.roots(row)]
        countries = {place.country for place in places}
        if "XX" in countries:
            country = "XX"
        elif len(countries) > 1:
            country = "XM"
        else:
            (country,) = countries
        organizations = {place.organization for place in places}
        organization = organizations.pop() if len(organizations) == 1 else None
        return Place(country, organization, all(place.is_person for place in places))

    def uploader(self, row: dict) -> Place:
        return self.place(row["author"])

    def attributed(self, attribution: str) -> list[tuple[dict, Place]]:
        find = {"uploader": self.uploader, "origin": self.origin}[attribution]
        return [(row, find(row)) for row in self.models]

    # Outliers

    def is_outlier(self, row: dict, downloads: int) -> bool:
        if row["_id"] in self.seeds.outlier_repo_ids or row["id"] in self.seeds.outlier_model_ids:
            return True
        likes_per_million = Fraction(row["likes"] * 1_000_000, downloads) if downloads else None
        return downloads >= OUTLIER_DOWNLOADS and likes_per_million < OUTLIER_LIKES_PER_MILLION

    # Tables

    def country_share(self) -> dict[tuple, dict]:
        """mart_daily_country_share: (metric, window_days, attribution, denominator, country_code) → values."""
        table = {}
        for attribution in ATTRIBUTIONS:
            attributed = self.attributed(attribution)
            for metric, (window_days, counter, only_new) in METRICS.items():
                counted = [
                    Counted(row["_id"], place, row[counter], self.is_outlier(row, row[counter]))
                    for row, place in attributed
                    if not only_new or self.is_new(row)
                ]
                for denominator in DENOMINATORS:
                    for country, values in _shares(counted, denominator, self.seeds.iso_codes).items():
                        table[metric, window_days, attribution, denominator, country] = values
        return table

    def organization_share(self) -> dict[tuple, dict]:
        """mart_daily_organization_share: (metric, window_days, attribution, country_code, organization) → values."""
        table = {}
        for attribution in ATTRIBUTIONS:
            attributed = self.attributed(attribution)
            for metric, (window_days, counter, only_new) in METRICS.items():
                sums: dict[tuple[str, str], int] = defaultdict(int)
                for row, place in attributed:
                    if not only_new or self.is_new(row):
                        folds = place.country == "XX" or place.is_person or place.organization is None
                        sums[place.country, OTHER if folds else place.organization] += row[counter]
                for (country, organization), values in _organization_shares(sums).items():
                    table[metric, window_days, attribution, country, organization] = values
        return table

    def coverage(self) -> dict[tuple[str, str], dict]:
        """mart_attribution_coverage: (attribution, basis) → classed_share, located_share."""
        table = {}
        for attribution in ATTRIBUTIONS:
            attributed = self.attributed(attribution)
            for basis in ("models", "downloads", "new_downloads"):
                weights = [
                    (1 if basis == "models" else row["downloads"], place.country)
                    for row, place in attributed
                    if basis != "new_downloads" or self.is_new(row)
                ]
                if not weights:
                    continue
                total = sum(weight for weight, _ in weights)
                classed = sum(weight for weight, code in weights if code != "XX")
                located = sum(weight for weight, code in weights if code in self.seeds.iso_codes or code == "XI")
                table[attribution, basis] = {
                    "classed_share": ratio(classed, total),
                    "located_share": ratio(located, total),
                }
        return table


@dataclass(frozen=True)
class Counted:
    """A repository as one metric counts it."""

    repo_id: str
    place: Place
    downloads: int
    is_outlier: bool


def ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _in_denominator(repository: Counted, denominator: str, iso_codes: set[str]) -> bool:
    if denominator == "organizations":
        return not repository.place.is_person
    if denominator == "located":
        return repository.place.country in iso_codes
    return True


def _sums(repositories: list[Counted]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for repository in repositories:
        sums[repository.place.country] += repository.downloads
    return sums


def _shares(counted: list[Counted], denominator: str, iso_codes: set[str]) -> dict[str, dict]:
    """Rows of one metric, attribution and denominator, by country code."""
    inside = [repository for repository in counted if _in_denominator(repository, denominator, iso_codes)]
    if not inside:
        return {}
    downloads = _sums(inside)
    total = sum(downloads.values())

    unattributed = sum(repository.downloads for repository in counted if repository.place.country == "XX")
    outside = unattributed - downloads.get("XX", 0)

    # The largest repository; of several equally large ones, the one with the smallest `_id`.
    top = min(inside, key=lambda repository: (-repository.downloads, repository.repo_id))
    without_top = _sums([repository for repository in inside if repository is not top])
    without_outliers = _sums([repository for repository in inside if not repository.is_outlier])

    rows = {}
    for country in sorted(downloads):
        bounded = country != "XX"
        ahead = [code for code in downloads if code in iso_codes and downloads[code] > downloads[country]]
        rows[country] = {
            "downloads": downloads[country],
            "total_downloads": total,
            "share": ratio(downloads[country], total),
            "rank": 1 + len(ahead) if country in iso_codes else None,
            "share_low": ratio(downloads[country], total + outside) if bounded else None,
            "share_high": ratio(downloads[country] + unattributed, total + outside) if bounded else None,
            "share_without_top_repository": ratio(without_top.get(country, 0), sum(without_top.values())),
            "share_without_outliers": ratio(without_outliers.get(country, 0), sum(without_outliers.values())),
            "models": sum(1 for repository in inside if repository.place.country == country),
            "correction_downloads": None,
            "days_estimated": 0,
        }
    return rows


def _organization_shares(sums: dict[tuple[str, str], int]) -> dict[tuple[str, str], dict]:
    total = sum(sums.values())
    folded: dict[tuple[str, str], int] = defaultdict(int)
    countries: dict[str, int] = defaultdict(int)
    for (country, organization), downloads in sums.items():
        is_small = downloads < ORGANIZATION_SHARE_FLOOR * total
        folded[country, OTHER if is_small else organization] += downloads
        countries[country] += downloads
    return {
        (country, organization): {
            "downloads": downloads,
            "share_of_country": ratio(downloads, countries[country]),
            "share_of_total": ratio(downloads, total),
        }
        for (country, organization), downloads in folded.items()
    }
