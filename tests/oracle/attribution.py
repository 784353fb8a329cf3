"""Who stands behind a repository on a captured day: the account that holds it, and the end of its declared lineage.
Counting downloads belongs elsewhere, and so does what a repository is."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from tests.oracle.days import NO_NAMESPACE, Days, Listed
from tests.oracle.seeds import Seeds

RELATIONS = ("finetune", "adapter", "merge", "quantized")
NOT_ATTRIBUTED, COMMUNITY, MIXED = "XX", "XC", "XM"
FIRST_PARTY_TYPES = ("industry", "academia", "nonprofit", "government", "international")
SPEAKS_FOR_ITSELF = ("repackager", "individual")


@dataclass(frozen=True)
class Place:
    """Where an account, or the end of a lineage, is counted. `organization` is null for persons, and where there are
    several. `entity` is whom concentration counts: the organisation, else the namespace."""

    country: str
    organization: str | None
    is_person: bool
    account_type: str
    entity: str | None = None
    parent_organization: str | None = None
    organization_type: str | None = None
    is_first_party: bool = False


@dataclass(frozen=True)
class Parent:
    """A declared parent. `listed` is the `_id` of the day's repository that it is, `repo_id` that or the declared."""

    model_id: str
    relation: str | None
    listed: str | None
    repo_id: str | None


@dataclass(frozen=True)
class Root:
    """The end of a lineage. `repo_id` is null if the day doesn't list it and only a name is declared."""

    key: str
    repo_id: str | None
    namespace: str
    is_listed: bool


@dataclass(frozen=True)
class Attributed:
    """A repository's two places on a day, and its lineage. `root_repo_id` is null if there are several roots."""

    uploader: Place
    origin: Place
    parents: tuple[Parent, ...]
    root_repo_id: str | None
    root_is_listed: bool

    @property
    def base_relation(self) -> str | None:
        return min((parent.relation for parent in self.parents if parent.relation), default=None)

    @property
    def base_repo_id(self) -> str | None:
        return self.parents[0].repo_id if len(self.parents) == 1 else None

    def place(self, attribution: str) -> Place:
        return self.uploader if attribution == "uploader" else self.origin


def namespace_of(model_id: str) -> str:
    return model_id.split("/")[0] if "/" in model_id else NO_NAMESPACE


def declared_parents(row: Listed) -> list[tuple[str, str | None, str | None]]:
    """Name, `_id` and relation of each declared parent: the `baseModels` field, else the tags."""
    if row.base_models:
        named: dict[str, str | None] = {}
        for model_id, repo_id in row.base_models:
            named[model_id] = named.get(model_id) or repo_id
        return [(model_id, repo_id, row.base_relation) for model_id, repo_id in named.items()]
    relations: dict[str, str | None] = {}
    for tag in row.tags:
        if not tag.startswith("base_model:"):
            continue
        name = tag.removeprefix("base_model:")
        first, _, rest = name.partition(":")
        relation, name = (first, rest) if first in RELATIONS and rest else (None, name)
        if name:
            relations[name] = relations.get(name) or relation
    return [(name, None, relation) for name, relation in relations.items()]


def is_first_party(place: Place) -> bool:
    return place.is_first_party


class NamesHeld:
    """Which repository held a name last before a day; filled day by day, in order."""

    def __init__(self):
        self._holders: dict[str, tuple[date, str]] = {}

    def before(self, name: str) -> str | None:
        return self._holders[name.lower()][1] if name.lower() in self._holders else None

    def add(self, day: date, listing: dict[str, Listed]) -> None:
        for row in listing.values():
            key = row.model_id.lower()
            self._holders[key] = max(self._holders.get(key, (date.min, "")), (day, row.repo_id))


class AttributedDay:
    """One captured day, attributed."""

    def __init__(self, day: date, listing: dict[str, Listed], accounts: dict[str, str], seeds: Seeds, held: NamesHeld):
        self.day, self.listing, self.accounts, self.seeds, self.held = day, listing, accounts, seeds, held
        self.by_name: dict[str, str] = {}
        for row in listing.values():
            key = row.model_id.lower()
            self.by_name[key] = max(self.by_name.get(key, ""), row.repo_id)
        self._places: dict[str, Place] = {}
        self._parents = {repo_id: self._resolved(row) for repo_id, row in listing.items()}
        self.attributed = {repo_id: self._attribute(row) for repo_id, row in listing.items()}

    def place(self, namespace: str) -> Place:
        """A seed row's code; else a person's account → XC; else XX."""
        key = namespace.lower()
        if key not in self._places:
            self._places[key] = self._place(key, namespace)
        return self._places[key]

    def _place(self, key: str, namespace: str) -> Place:
        seed = self.seeds.account(key, self.day)
        looked_up = self.accounts.get(key)
        holds_person = looked_up == "person"
        if seed is None:
            if holds_person:
                return Place(COMMUNITY, None, True, "person", namespace)
            known = "organization" if looked_up == "organization" else "unknown"
            return Place(NOT_ATTRIBUTED, namespace, False, known, namespace, namespace)
        speaks_for_itself = seed.organization_type in SPEAKS_FOR_ITSELF
        if seed.organization_type == "individual" or (holds_person and speaks_for_itself):
            return Place(seed.country_code, None, True, "person", namespace, organization_type=seed.organization_type)
        return Place(
            seed.country_code,
            seed.organization,
            False,
            "organization",
            seed.organization,
            seed.parent_organization or seed.organization,
            seed.organization_type,
            seed.organization_type in FIRST_PARTY_TYPES,
        )

    def _resolved(self, row: Listed) -> tuple[Parent, ...]:
        return tuple(
            self._parent(model_id, repo_id, relation)
            for model_id, repo_id, relation in sorted(declared_parents(row), key=lambda parent: parent[0])
        )

    def _parent(self, model_id: str, repo_id: str | None, relation: str | None) -> Parent:
        """Listed by `_id`, else by name, else whoever held the name last, if that one is listed."""
        if repo_id in self.listing:
            listed = repo_id
        else:
            listed = self.by_name.get(model_id.lower())
            if listed is None:
                earlier = self.held.before(model_id)
                listed = earlier if earlier in self.listing else None
        return Parent(model_id, relation, listed, listed or repo_id)

    def roots(self, repo_id: str, path: tuple[str, ...] = ()) -> dict[str, Root]:
        """Ends of all lineages, by identity; a walk that comes back to a repository on its path ends there."""
        row = self.listing[repo_id]
        parents = self._parents[repo_id]
        if not parents or repo_id in path:
            return {repo_id: Root(repo_id, repo_id, row.namespace, True)}
        found: dict[str, Root] = {}
        for parent in parents:
            if parent.listed is not None:
                found |= self.roots(parent.listed, (*path, repo_id))
            else:
                key = f"name:{parent.model_id.lower()}"
                # One child may declare the `_id` of a repository that isn't listed, another only its name.
                declared = max(
                    filter(None, (parent.repo_id, found[key].repo_id if key in found else None)), default=None
                )
                found[key] = Root(key, declared, namespace_of(parent.model_id), False)
        return found

    def _attribute(self, row: Listed) -> Attributed:
        uploader, parents = self.place(row.namespace), self._parents[row.repo_id]
        if not parents:
            return Attributed(uploader, uploader, parents, row.repo_id, True)
        roots = list(self.roots(row.repo_id).values())
        single = roots[0] if len(roots) == 1 else None
        return Attributed(
            uploader,
            self._origin(roots, uploader),
            parents,
            single.repo_id if single else None,
            bool(single and single.is_listed),
        )

    def _origin(self, roots: list[Root], uploader: Place) -> Place:
        places = [self.place(root.namespace) for root in roots]
        organizations = {place.organization for place in places}
        entities = {place.entity for place in places}
        return Place(
            _common_country({place.country for place in places}),
            organizations.pop() if len(organizations) == 1 else None,
            all(place.is_person for place in places),
            _common_account_type(places),
            entities.pop() if len(entities) == 1 else uploader.entity,
        )


def _common_country(countries: set[str]) -> str:
    if NOT_ATTRIBUTED in countries:
        return NOT_ATTRIBUTED
    return countries.pop() if len(countries) == 1 else MIXED


def _common_account_type(places: list[Place]) -> str:
    others = [place for place in places if not place.is_person]
    if not others:
        return "person"
    return "unknown" if any(place.account_type == "unknown" for place in others) else "organization"


def attribute_days(days: Days, seeds: Seeds) -> dict[date, AttributedDay]:
    """All captured days, each with the names that were held on the days before it."""
    held, attributed = NamesHeld(), {}
    for day in days.captured:
        attributed[day] = AttributedDay(day, days.listings[day], days.accounts[day], seeds, held)
        held.add(day, days.listings[day])
    return attributed


def count_by(values) -> dict:
    counted: dict = defaultdict(int)
    for value in values:
        counted[value] += 1
    return counted
