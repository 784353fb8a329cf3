"""What the twelve claims must say about a made-up world, worked out from its truth and the seeds' CSV alone, without SQL.
It follows the definitions' words day by day; the warehouse, landing and the claims' own seed are nothing to it."""

import csv
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow.parquet as pq

from orchestration.sandbox.simulation import World

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
YEAR = 365
MONTH = 30
DAY = timedelta(days=1)
NOON = time(12, tzinfo=UTC)
USER_ASSIGNED = {"XC", "XI", "XM", "XX"}
FIRST_PARTY = {"industry", "academia", "nonprofit", "government", "international"}
QUALIFYING = {"industry", "academia", "nonprofit"}
QUALIFYING_DOWNLOADS = 100_000
RELEASE_DAYS = 14
CONFIRMING_DAYS = 7
TOP_COUNTRIES = 10
COUNTRIES = ("CN", "US", "FR", "GB", "DE", "KR", "JP", "CA")
THRESHOLDS = (100_000, 1_000_000, 10_000_000)
LABS = {
    "CN": ("Qwen", "DeepSeek", "Z.ai", "Moonshot AI", "MiniMax", "Tencent"),
    "US": ("OpenAI", "Meta", "Google", "Microsoft", "NVIDIA", "Ai2"),
}
# From little to much that a licence forbids; what nobody has read stands between copyleft and restricted.
STRICTNESS = ("permissive", "copyleft", "unspecified", "custom", "restricted", "noncommercial")
ATTRIBUTIONS = ("uploader", "origin")

Answer = tuple[Fraction | float | int | None, Fraction | float | int | None]


def read_seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Place:
    """Who is behind an account, or behind a lineage: `organization` is None for persons and where there are several."""

    country: str
    organization: str | None
    parent: str | None
    kind: str | None
    is_person: bool

    @property
    def is_first_party(self) -> bool:
        return not self.is_person and self.kind in FIRST_PARTY


@dataclass(frozen=True)
class Release:
    """Repositories of one family within two weeks of its first."""

    organization: str
    released_at: date
    variants: int


Overtaking = tuple[date, date, Fraction]


def latest_overtaking(series: Iterable[tuple[date, Counter]]) -> Overtaking | None:
    """The latest confirmed overtaking of the USA by China in downloads by country, day after day: its first day, its
    seventh, and the lead on that one. Whoever leads for seven days first has overtaken nobody."""
    leader, run, order, found = None, [], None, None
    for day, countries in series:
        ahead = _ahead(countries)
        run = [*run, day] if ahead is not None and ahead == leader else [day]
        leader = ahead
        if leader is not None and len(run) == CONFIRMING_DAYS:
            if order not in (None, leader) and leader == "CN":
                found = run[0], day, Fraction(countries["CN"] - countries["US"], sum(countries.values()))
            order = leader
    return found


def _ahead(countries: Counter) -> str | None:
    """Who of the two is strictly ahead, if both are among the ten largest countries."""
    numbers = [n for code, n in countries.items() if code not in USER_ASSIGNED]
    for code in ("CN", "US"):
        if code not in countries or 1 + sum(n > countries[code] for n in numbers) > TOP_COUNTRIES:
            return None
    if countries["CN"] == countries["US"]:
        return None
    return "CN" if countries["CN"] > countries["US"] else "US"


class ClaimsTruth:
    """The answers for the last day of a world: `answers()` by claim and part."""

    def __init__(self, world: World):
        self.world = world
        self.days = world.days
        self.first, self.last = world.days[0], world.days[-1]
        self.calendar = [self.first + i * DAY for i in range((self.last - self.first).days + 1)]
        self.models = sorted(self._table("models"), key=lambda row: row["_id"])
        self.index = {row["_id"]: i for i, row in enumerate(self.models)}
        self.stalled = set(world.stalled_days)
        self.events = self.stalled | set(world.recounted_days)
        self._read_downloads()
        self._read_presence()
        self._read_names()
        self._read_attributes()

    def _table(self, name: str) -> list[dict]:
        return pq.read_table(self.world.path / "truth" / f"{name}.parquet").to_pylist()

    # What happened to each repository

    def _read_downloads(self) -> None:
        """`counted[d]`: downloads up to the d-th day, corrections among them, from 29 days before the first day on."""
        self.origin_day = self.first - (MONTH - 1) * DAY
        shape = (len(self.calendar) + MONTH - 1, len(self.models))
        daily, corrected = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for name, target in (
            ("daily_downloads", daily),
            ("daily_downloads_before", daily),
            ("corrections", corrected),
        ):
            for row in self._table(name):
                if self.origin_day <= row["snapshot_date"] <= self.last:
                    target[(row["snapshot_date"] - self.origin_day).days, self.index[row["_id"]]] += row["downloads"]
        # The first day may stand in both tables of daily downloads.
        before = {(row["snapshot_date"], row["_id"]) for row in self._table("daily_downloads_before")}
        for row in self._table("daily_downloads"):
            if (row["snapshot_date"], row["_id"]) in before:
                daily[(row["snapshot_date"] - self.origin_day).days, self.index[row["_id"]]] -= row["downloads"]
        self.daily = np.cumsum(daily, axis=0)
        self.moved = np.cumsum(daily + corrected, axis=0)
        first_shown = pq.read_table(
            self.world.path / f"snapshot_date={self.first}" / "models.parquet", partitioning=None
        )
        self.at_first = np.zeros(len(self.models), dtype=np.int64)
        shown = zip(first_shown["_id"].to_pylist(), first_shown["downloadsAllTime"].to_pylist(), strict=True)
        for repo_id, counter in shown:
            self.at_first[self.index[repo_id]] = counter

    def _read_presence(self) -> None:
        """`listed[d]`: which repositories are public on the d-th day."""
        self.listed = np.zeros((len(self.calendar), len(self.models)), dtype=bool)
        for i, row in enumerate(self.models):
            begin = max((row["public_date"] - self.first).days, 0)
            end = (row["gone_date"] - self.first).days if row["gone_date"] else len(self.calendar)
            self.listed[begin : max(end, 0), i] = True
        for row in self._table("absences"):
            away = slice((row["snapshot_date"] - self.first).days, (row["returns_on"] - self.first).days)
            self.listed[away, self.index[row["_id"]]] = False
        self.created = [row["created_at"] for row in self.models]
        floor = datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)
        ages = np.array([(self.first - created.date()).days for created in self.created])
        self.is_floor = np.array([floor <= created < floor + timedelta(seconds=2) for created in self.created])
        self.new = (ages[None, :] + np.arange(len(self.calendar))[:, None] < YEAR) & ~self.is_floor[None, :]

    def _read_names(self) -> None:
        self.moves: dict[str, list[tuple[date, str]]] = defaultdict(list)
        for row in sorted(self._table("renames"), key=lambda row: row["snapshot_date"]):
            self.moves[row["_id"]].append((row["snapshot_date"], row["new_id"]))
        self.accounts = {row["namespace"]: row for row in self._table("countries")}
        self.seeded = {row["namespace"].lower(): row for row in read_seed("organizations") if not row["valid_to"]}
        self.families = {row["_id"]: row for row in self._table("release_families")}
        self.parents: dict[str, list[dict]] = defaultdict(list)
        for row in self._table("lineage"):
            self.parents[row["_id"]].append(row)

    def _read_attributes(self) -> None:
        classes = {row["license"]: row["openness"] for row in read_seed("licenses")}
        generators = {
            row["pipeline_tag"]
            for row in read_seed("pipeline_tags")
            if row["modality"] == "video" and row["is_generative"] == "true"
        }
        self.is_video = np.array([row["pipeline_tag"] in generators for row in self.models])
        self.is_derivative = np.array([row["_id"] in self.parents for row in self.models])
        self.openness = np.array(
            [
                max((classes.get(name, "custom") for name in row["licenses"]), key=STRICTNESS.index)
                if row["licenses"]
                else "unspecified"
                for row in self.models
            ]
        )

    def number(self, day: date) -> int:
        return (day - self.first).days

    def name_on(self, repo_id: str, day: date) -> str:
        """The repository's name on a day; before its first move, the one that it was created with."""
        moves = self.moves.get(repo_id, [])
        place = bisect_right([moved_on for moved_on, _ in moves], day)
        return moves[place - 1][1] if place else self.models[self.index[repo_id]]["id"]

    # Counters, as the Hub shows them

    def counters_day(self, day: date) -> date:
        """The day whose counters are shown: on a stalled one, those of the last day that moved."""
        while day in self.stalled:
            day -= DAY
        return day

    def downloads_30d(self, day: date) -> np.ndarray:
        end = (self.counters_day(day) - self.origin_day).days
        return self.daily[end] - (self.daily[end - MONTH] if end >= MONTH else 0)

    def all_time(self, day: date) -> np.ndarray:
        shown = self.counters_day(day)
        return self.at_first + self.moved[(shown - self.origin_day).days] - self.moved[MONTH - 1]

    # Attribution

    def place(self, namespace: str) -> Place:
        seed, account = self.seeded.get(namespace.lower()), self.accounts.get(namespace)
        holds_person = account is not None and account["account_type"] == "person"
        if seed is None:
            if holds_person:
                return Place("XC", None, None, None, True)
            return Place("XX", namespace, namespace, None, False)
        is_person = seed["organization_type"] == "individual" or (
            holds_person and seed["organization_type"] == "repackager"
        )
        if is_person:
            return Place("XC", None, None, None, True)
        parent = seed["parent_organization"] or seed["organization"]
        return Place(seed["country_code"], seed["organization"], parent, seed["organization_type"], False)

    def holder(self, repo_id: str, day: date) -> Place:
        return self.place(self.name_on(repo_id, day).split("/")[0])

    def _declared(self, repo_id: str, day: date) -> list[tuple[str | None, str]]:
        """Parents as a day shows them, as (`_id` if the day lists it, name): the struct holds those that are public
        under their present names, and the tags stand in where it is empty, under the names of their time."""
        edges = self.parents.get(repo_id, [])
        present = self.listed[self.number(day)]
        in_struct = [
            edge["parent__id"]
            for edge in edges
            if edge["declared_in"] == "baseModels" and edge["parent__id"] and present[self.index[edge["parent__id"]]]
        ]
        if in_struct:
            return [(parent, self.name_on(parent, day)) for parent in in_struct]
        return [(self._named(edge["parent_id"], day), edge["parent_id"]) for edge in edges]

    def _named(self, name: str, day: date) -> str | None:
        """Whom a name means on a day: who bears it, else who bore it last on a captured day before, if still listed."""
        present = self.listed[self.number(day)]
        bearers = self.bearers.get(name.lower(), [])
        for repo_id in bearers:
            if present[self.index[repo_id]] and self.name_on(repo_id, day).lower() == name.lower():
                return repo_id
        latest: tuple[date, str] | None = None
        for repo_id in bearers:
            seen = [
                other
                for other in self.days
                if other < day
                and self.listed[self.number(other), self.index[repo_id]]
                and self.name_on(repo_id, other).lower() == name.lower()
            ]
            if seen and (latest is None or (seen[-1], repo_id) > latest):
                latest = (seen[-1], repo_id)
        return latest[1] if latest and present[self.index[latest[1]]] else None

    @cached_property
    def bearers(self) -> dict[str, list[str]]:
        """Every repository that ever bore a name."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.models:
            for name in [row["id"], *(new_id for _, new_id in self.moves.get(row["_id"], []))]:
                found[name.lower()].append(row["_id"])
        return found

    def roots(self, repo_id: str, day: date, path: tuple[str, ...] = ()) -> set[tuple[str | None, str]]:
        """Where the lineages of a repository end; one that comes back to its own path ends there."""
        here = (repo_id, self.name_on(repo_id, day))
        declared = self._declared(repo_id, day)
        if repo_id in path or not declared:
            return {here}
        found: set[tuple[str | None, str]] = set()
        for parent, name in declared:
            found |= {(None, name)} if parent is None else self.roots(parent, day, (*path, repo_id))
        return found

    def origin(self, repo_id: str, day: date) -> tuple[Place, str | None]:
        """The developer of the roots, and the family of the only one."""
        roots = self.roots(repo_id, day)
        places = [self.place(name.split("/")[0]) for _, name in roots]
        countries = {place.country for place in places}
        country = "XX" if "XX" in countries else countries.pop() if len(countries) == 1 else "XM"
        organizations = {place.organization for place in places}
        organization = organizations.pop() if len(organizations) == 1 else None
        is_person = all(place.is_person for place in places)
        only_root = next(iter(roots))[0] if len(roots) == 1 else None
        return Place(country, organization, None, None, is_person), self.family(only_root, day) if only_root else None

    def family(self, repo_id: str, day: date) -> str | None:
        """The family, while a seeded developer holds the repository."""
        row = self.families.get(repo_id)
        return row["family"] if row and self.holder(repo_id, day).is_first_party else None

    def attributed(self, attribution: str, day: date) -> list[tuple[Place, str | None] | None]:
        """Place and family of every listed repository; None for the others."""
        find: Callable[[str], tuple[Place, str | None]] = (
            (lambda repo_id: (self.holder(repo_id, day), self.family(repo_id, day)))
            if attribution == "uploader"
            else (lambda repo_id: self.origin(repo_id, day))
        )
        present = self.listed[self.number(day)]
        return [find(row["_id"]) if present[i] else None for i, row in enumerate(self.models)]

    # Sums of one day

    def metric(self, metric: str, day: date) -> tuple[np.ndarray, np.ndarray]:
        """Each repository's number in a metric of one snapshot, and whether it counts."""
        counter = self.downloads_30d(day) if metric.endswith("trailing_30d") else self.all_time(day)
        counts = self.listed[self.number(day)]
        return counter, counts & self.new[self.number(day)] if metric.startswith("new_") else counts

    def sums(self, metric: str, attribution: str, day: date) -> "Sums":
        downloads, counts = self.metric(metric, day)
        attributed = self.attributed(attribution, day)
        rows = [
            (int(downloads[i]), *attributed[i], i, row["_id"])
            for i, row in enumerate(self.models)
            if counts[i] and attributed[i] is not None
        ]
        return Sums(self, rows)

    # Daily downloads, as consecutive captures show them

    @cached_property
    def observed(self) -> list[tuple[date, int, int]]:
        """(day, repository, downloads): differences of counters, spread over the days that were not seen to move."""
        rows: list[tuple[date, int, int]] = []
        shown = {day: self.all_time(day) for day in self.days}
        for i in range(len(self.models)):
            rows += [(day, i, downloads) for day, downloads in self._observed_of(i, shown)]
        return rows

    def _observed_of(self, i: int, shown: dict[date, np.ndarray]) -> Iterable[tuple[date, int]]:
        last_counter: int | None = None  # on the latest day that listed it
        since: tuple[date, int] | None = None  # from where the next move is counted
        for before, day in zip([None, *self.days], self.days, strict=False):
            if not self.listed[self.number(day), i]:
                since = None
                continue
            counter = int(shown[day][i])
            if before is None:
                since = (day, counter)
            elif not self.listed[self.number(before), i]:
                if last_counter is not None:
                    yield day, counter - last_counter
                elif self.created[i] >= datetime.combine(before, NOON):
                    yield day, counter
                since = (day, counter)
            elif day not in self.stalled:
                yield from spread(counter - since[1], since[0], day)
                since = (day, counter)
            last_counter = counter

    @cached_property
    def places_by_day(self) -> dict[str, dict[date, list]]:
        return {a: {day: self.attributed(a, day) for day in self.days} for a in ATTRIBUTIONS}

    def rolling(self, attribution: str) -> dict[tuple[str, str | None], np.ndarray]:
        """By country and organisation: what each calendar day adds to the downloads of new models."""
        added: dict[tuple[str, str | None], np.ndarray] = defaultdict(lambda: np.zeros(len(self.calendar), np.int64))
        for day, i, downloads in self.observed:
            if self.new[self.number(day), i]:
                seen_on = self.days[bisect_right(self.days, day) - 1]
                place, _ = self.places_by_day[attribution][seen_on][i]
                added[place.country, place.organization][self.number(day)] += downloads
        return added

    # Crossovers

    def overtaking(self, metric: str, attribution: str) -> Overtaking | None:
        return latest_overtaking(self._series(metric, attribution))

    def _series(self, metric: str, attribution: str) -> Iterable[tuple[date, Counter]]:
        """Downloads by country on every captured day without a platform event."""
        added: dict[str, np.ndarray] = {}
        if metric == "new_rolling":
            for (country, _), numbers in self.rolling(attribution).items():
                added[country] = added.get(country, 0) + numbers
        for day in self.days:
            if day in self.events:
                continue
            if metric != "new_rolling":
                yield day, self._countries(metric, attribution, day)
            elif self.number(day) >= YEAR:
                window = slice(self.number(day) - YEAR + 1, self.number(day) + 1)
                yield day, Counter({country: int(numbers[window].sum()) for country, numbers in added.items()})

    def _countries(self, metric: str, attribution: str, day: date) -> Counter:
        downloads, counts = self.metric(metric, day)
        found: Counter = Counter()
        for i, attributed in enumerate(self.places_by_day[attribution][day]):
            if counts[i] and attributed is not None:
                found[attributed[0].country] += int(downloads[i])
        return found

    # Releases

    def releases(self) -> list[Release]:
        dated: dict[tuple[str, str], list[date]] = defaultdict(list)
        for i, row in enumerate(self.models):
            seen = [day for day in self.days if self.listed[self.number(day), i]]
            if not seen or not (family := self.family(row["_id"], seen[-1])):
                continue
            holder = self.holder(row["_id"], seen[-1])
            is_first_sight = seen[0] != self.first and seen[0] - DAY in self.days
            if is_first_sight or not self.is_floor[i]:
                came_out = seen[0] if is_first_sight else self.created[i].date()
                dated[holder.organization, family.lower()].append(came_out)
        return [release for (organization, _), dates in dated.items() for release in released(organization, dates)]

    def cadence(self) -> dict[str, tuple[float | None, Fraction]]:
        """Median days between releases and variants a release, of each organisation that counts and each country."""
        used: Counter = Counter()
        places: dict[str, Place] = {}
        for attributed, downloads in zip(
            self.attributed("uploader", self.last), self.downloads_30d(self.last), strict=True
        ):
            if attributed is not None and attributed[0].kind in QUALIFYING and not attributed[0].is_person:
                used[attributed[0].organization] += int(downloads)
                places[attributed[0].organization] = attributed[0]
        recent: dict[str, list[Release]] = defaultdict(list)
        for release in self.releases():
            if self.last - YEAR * DAY < release.released_at <= self.last:
                recent[release.organization].append(release)
        found, by_country = {}, defaultdict(list)
        for organization, place in places.items():
            if place.country in USER_ASSIGNED or used[organization] < QUALIFYING_DOWNLOADS or not recent[organization]:
                continue
            dates = sorted({release.released_at for release in recent[organization]})
            gaps = [(after - before).days for before, after in pairwise(dates)]
            variants = sum(release.variants for release in recent[organization])
            found[organization] = (median(gaps) if gaps else None, Fraction(variants, len(recent[organization])))
            by_country[place.country].append((median(gaps) if gaps else None, variants, len(recent[organization])))
        for country, rows in by_country.items():
            middles = [middle for middle, _, _ in rows if middle is not None]
            variants = Fraction(sum(row[1] for row in rows), sum(row[2] for row in rows))
            found[country] = (median(middles) if middles else None, variants)
        return found

    def players(self, threshold: int) -> Counter:
        used: Counter = Counter()
        for attributed, downloads in zip(
            self.attributed("uploader", self.last), self.downloads_30d(self.last), strict=True
        ):
            if attributed is None:
                continue
            place = attributed[0]
            if not place.is_person and place.kind not in ("repackager", "individual"):
                used[place.country, place.parent] += int(downloads)
        return Counter(country for (country, _), n in used.items() if n > threshold and country not in USER_ASSIGNED)

    # The claims

    def answers(self) -> dict[tuple[int, str], Answer]:
        found: dict[tuple[int, str], Answer] = {}
        for attribution in ATTRIBUTIONS:
            for metric in ("new_trailing_30d", "new_created"):
                self._labs(found, f"{metric}/{attribution}", self.sums(metric, attribution, self.last))
            self._rolling_labs(found, attribution)
            for metric in ("new_trailing_30d", "new_created", "new_rolling"):
                overtaken = self.overtaking(metric, attribution)
                began, confirmed, lead = overtaken or (None, None, None)
                found[2, f"date/{metric}/{attribution}"] = (_written(began), _written(confirmed))
                found[2, f"margin/{metric}/{attribution}"] = (lead, None)
            self._composition(found, attribution)
        self._derivatives(found)
        cadence = self.cadence()
        for position, kind in enumerate(("days", "variants")):
            numbers = {name: values[position] for name, values in cadence.items()}
            found[4, f"{kind}/countries"] = _against(numbers.get("CN"), numbers.get("US"))
            for country, labs in LABS.items():
                for lab in labs:
                    found[4, f"{kind}/{lab}"] = _against(numbers.get(lab), numbers.get(country))
        for threshold in THRESHOLDS:
            players = self.players(threshold)
            for country in COUNTRIES if threshold == THRESHOLDS[0] else ("CN",):
                if country != "US":
                    found[7, f"{threshold}/{country}"] = (players[country], players["US"])
        return found

    def _labs(self, found: dict, part: str, sums: "Sums") -> None:
        world = sums.total()
        china, usa = sums.total(country="CN"), sums.total(country="US")
        found[1, part] = (_ratio(china, world), _ratio(usa, world))
        for name, labs in (
            ("qwen", {"Qwen"}),
            ("deepseek", {"DeepSeek"}),
            ("qwen_and_deepseek", {"Qwen", "DeepSeek"}),
        ):
            share = sums.total(lambda row, labs=labs: row[1].organization in labs, country="CN")
            found[3, f"{name}/{part}"] = (_ratio(share, china), _ratio(share, world))

    def _rolling_labs(self, found: dict, attribution: str) -> None:
        window = slice(self.number(self.last) - YEAR + 1, self.number(self.last) + 1)
        is_covered = self.number(self.last) >= YEAR
        sums = {key: int(numbers[window].sum()) for key, numbers in self.rolling(attribution).items()}
        world = sum(sums.values())
        country = {code: sum(n for (c, _), n in sums.items() if c == code) for code in ("CN", "US")}
        shares = (_ratio(country["CN"], world), _ratio(country["US"], world))
        found[1, f"new_rolling/{attribution}"] = shares if is_covered else (None, None)
        for name, labs in (
            ("qwen", ["Qwen"]),
            ("deepseek", ["DeepSeek"]),
            ("qwen_and_deepseek", ["Qwen", "DeepSeek"]),
        ):
            share = sum(sums.get(("CN", lab), 0) for lab in labs)
            parts = (_ratio(share, country["CN"]), _ratio(share, world))
            found[3, f"{name}/new_rolling/{attribution}"] = parts if is_covered else (None, None)

    def _composition(self, found: dict, attribution: str) -> None:
        """Claims 5, 6, 8, 9, 10 and 12: what part of downloads is of one kind."""
        sums = self.sums("trailing_30d", attribution, self.last)
        world = sums.total()
        subjects: dict[str, Callable[[tuple], bool]] = {
            "distilled": lambda row: "distil" in self.name_on(row[4], self.last).split("/")[1].lower(),
            "restricted": lambda row: self.openness[row[3]] == "restricted",
            "permissive": lambda row: self.openness[row[3]] == "permissive",
            "llama": lambda row: row[1].organization == "Meta" and "llama" in (row[2] or "").lower(),
            "olmo": lambda row: row[1].organization == "Ai2" and (row[2] or "").lower().startswith("olmo"),
            "gpt-oss": lambda row: row[1].organization == "OpenAI" and (row[2] or "").lower().startswith("gpt-oss"),
        }
        distilled = subjects["distilled"]
        for country in COUNTRIES if attribution == "uploader" else ("CN", "US"):
            total = sums.total(country=country)
            found[5, f"{country}/{attribution}"] = _against(
                _ratio(sums.total(distilled, country=country), total), _ratio(sums.total(distilled), world)
            )
            found[8, f"{country}/{attribution}"] = _against(
                _ratio(sums.total(subjects["restricted"], country=country), total),
                _ratio(sums.total(subjects["permissive"], country=country), total),
            )
        for metric in ("trailing_30d", "new_trailing_30d"):
            of_metric = sums if metric == "trailing_30d" else self.sums(metric, attribution, self.last)
            china, usa = (
                _ratio(
                    of_metric.total(lambda row: self.is_video[row[3]], country=country),
                    of_metric.total(country=country),
                )
                for country in ("CN", "US")
            )
            found[6, f"{metric}/{attribution}"] = (china, usa)
        for lag in (30, 365):
            earlier = [day for day in self.days if lag <= (self.last - day).days < lag + 7]
            then = self.sums("trailing_30d", attribution, earlier[-1]) if earlier else None
            found[9, f"{lag}_days/{attribution}"] = (
                _ratio(sums.total(subjects["llama"]), world),
                _ratio(then.total(subjects["llama"]), then.total()) if then else None,
            )
        usa = sums.total(country="US")
        for claim, line in ((10, "olmo"), (12, "gpt-oss")):
            share = sums.total(subjects[line], country="US")
            found[claim, f"trailing_30d/{attribution}"] = (_ratio(share, usa), _ratio(share, world))

    def _derivatives(self, found: dict) -> None:
        sums = self.sums("new_trailing_30d", "origin", self.last)
        derivatives = [row for row in sums.rows if self.is_derivative[row[3]]]
        by_number = Counter(row[1].country for row in derivatives)
        by_downloads: Counter = Counter()
        for row in derivatives:
            by_downloads[row[1].country] += row[0]
        for part, counted in (("repositories", by_number), ("downloads", by_downloads)):
            total = sum(counted.values())
            found[11, part] = (_ratio(counted["CN"], total), _ratio(counted["US"], total))


class Sums:
    """The repositories that a metric counts, as (downloads, place, family, position, `_id`)."""

    def __init__(self, truth: ClaimsTruth, rows: list[tuple]):
        self.truth, self.rows = truth, rows

    def total(self, counts: Callable[[tuple], bool] | None = None, country: str | None = None) -> int:
        return sum(
            row[0]
            for row in self.rows
            if (country is None or row[1].country == country) and (counts is None or counts(row))
        )


def spread(downloads: int, after: date, until: date) -> Iterable[tuple[date, int]]:
    """Whole downloads over the days after one up to another, what is left over on the latest; none are no row."""
    days = (until - after).days
    each = abs(downloads) // days * (1 if downloads >= 0 else -1)
    for number in range(1, days + 1):
        share = each + (downloads - each * days if number == days else 0)
        if share:
            yield after + number * DAY, share


def released(organization: str, dates: list[date]) -> list[Release]:
    found: list[Release] = []
    opened, members = None, 0
    for day in sorted(dates):
        if opened is None or (day - opened).days > RELEASE_DAYS:
            if opened is not None:
                found.append(Release(organization, opened, members))
            opened, members = day, 0
        members += 1
    return [*found, Release(organization, opened, members)]


def _ratio(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _against(value: Fraction | float | None, other: Fraction | float | None) -> Answer:
    """Nothing is held against an answer that is not there."""
    return (value, other if value is not None else None)


def _written(day: date | None) -> int | None:
    return None if day is None else day.year * 10_000 + day.month * 100 + day.day
