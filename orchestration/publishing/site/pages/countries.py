"""The list of all countries with downloads on the day, with their shares, bounds and ranks, each a link to its page.
What stands on those pages is in `country`."""

from typing import TYPE_CHECKING

from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.naming import EU, SPECIAL_NAMES
from orchestration.publishing.site.pages.country import Countries
from orchestration.publishing.site.topics.entities import OF_ANY_AGE

if TYPE_CHECKING:
    import jinja2

COUNTRIES_PAGE = "countries.html"
# Of a country that has no new models with downloads: bounds aren't told where there is nothing to bound.
NO_DOWNLOADS = {"rank": None, "share": 0, "share_low": None, "share_high": None, "downloads": 0, "models": 0}


def render_list(environment: "jinja2.Environment", frame: Frame, countries: Countries) -> str:
    """The page as text: countries by share of the lead measure, what is no country among them, since it isn't hidden."""
    ground = countries.ground
    listed = [
        {
            "code": code,
            "name": ground.name(code),
            "note": "no country" if code in SPECIAL_NAMES else "its members together" if code == EU else None,
            "uploader": countries.lead(code) or NO_DOWNLOADS,
            "origin": countries.told(code, ground.lead, "origin"),
            "any_age": countries.told(code, OF_ANY_AGE, "uploader"),
        }
        for code in countries.codes
    ]
    return environment.get_template("countries.html.j2").render(root="", ground=ground, listed=listed)
