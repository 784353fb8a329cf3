"""All pages of countries and organisations, their lists, what they share as CSV, and the names that the search finds.
What stands on each is in the module of its kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from orchestration.publishing.site.answers import Answer
from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.ground import Ground
from orchestration.publishing.site.pages import countries as list_of_countries
from orchestration.publishing.site.pages import country, organization
from orchestration.publishing.site.pages import organizations as list_of_organizations
from orchestration.publishing.site.search import search_index

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True)
class WithPage:
    """Whom a page is about: whoever is named elsewhere on the site and is among them is linked."""

    countries: frozenset[str]
    organizations: frozenset[str]


@dataclass(frozen=True)
class Everyone:
    """All countries and organisations that have a page."""

    countries: country.Countries
    organizations: organization.Organizations

    @property
    def with_page(self) -> WithPage:
        return WithPage(frozenset(self.countries.codes), frozenset(self.organizations.names))

    @property
    def search_index(self) -> str:
        return search_index(self.countries, self.organizations)

    def pages(self, environment: "jinja2.Environment", frame: Frame) -> Iterator[tuple[str, str]]:
        """Each page's path below the site's root, and its text."""
        countries, organizations = self.countries, self.organizations
        yield list_of_countries.COUNTRIES_PAGE, list_of_countries.render_list(environment, frame, countries)
        yield (
            list_of_organizations.ORGANIZATIONS_PAGE,
            list_of_organizations.render_list(environment, frame, organizations),
        )
        yield from country.render_countries(environment, frame, countries)
        yield from organization.render_organizations(environment, frame, organizations)

    def csv_files(self) -> dict[str, Answer]:
        return country.csv_files(self.countries) | organization.csv_files(self.organizations)


def read_everyone(connection: duckdb.DuckDBPyConnection, ground: Ground) -> Everyone:
    countries = country.read_countries(connection, ground)
    return Everyone(countries, organization.read_organizations(connection, ground, countries.calendar))
