"""The list of all organisations that have a page, by downloads, each a link to it, with its country.
What stands on those pages is in `organization`."""

from typing import TYPE_CHECKING

from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.pages.organization import Organizations
from orchestration.publishing.site.topics.entities import OF_ANY_AGE

if TYPE_CHECKING:
    import jinja2

ORGANIZATIONS_PAGE = "organizations.html"


def render_list(environment: "jinja2.Environment", frame: Frame, organizations: Organizations) -> str:
    """The page as text."""
    ground = organizations.ground
    listed = [
        {
            "organization": name,
            "country": organizations.country_of(name),
            "uploader": organizations.told(name, ground.lead, "uploader"),
            "origin": organizations.told(name, ground.lead, "origin"),
            "any_age": organizations.told(name, OF_ANY_AGE, "uploader"),
        }
        for name in organizations.names
    ]
    return environment.get_template("organizations.html.j2").render(
        root="",
        ground=ground,
        listed=listed,
        named=organizations.named,
    )
