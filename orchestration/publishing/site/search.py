"""The names that the search in the bar finds, as a script: a page that was opened from a file can fetch nothing.
How they are searched is in `static/search.js`."""

import json

from orchestration.foreign_text import display_name
from orchestration.publishing.site.naming import EU, SPECIAL_NAMES, page_of_country, page_of_organization
from orchestration.publishing.site.pages.country import Countries
from orchestration.publishing.site.pages.organization import Organizations


def search_index(countries: Countries, organizations: Organizations) -> str:
    """`[name, what it is, page, other words that find it]` of each, countries first, as a script of ASCII only."""
    names = organizations.ground.names
    entries = [
        [
            countries.ground.name(code),
            "no country" if code in SPECIAL_NAMES else "its members together" if code == EU else "country",
            page_of_country(code),
            " ".join(dict.fromkeys((code, countries.full_names.get(code, "")))).strip(),
        ]
        for code in countries.codes
    ]
    for name in organizations.names:
        country = organizations.country_of(name)
        accounts = " ".join(dict.fromkeys(row["namespace"] for row in organizations.accounts.rows(name)))
        entries.append(
            [
                display_name(name),
                f"organisation, {names.get(country or '', 'no country')}",
                page_of_organization(name),
                accounts[:200],
            ]
        )
    text = json.dumps(entries, ensure_ascii=True, separators=(",", ":"))
    return f"window.observatoryNames = {text.replace('<', chr(92) + 'u003c')};\n"
