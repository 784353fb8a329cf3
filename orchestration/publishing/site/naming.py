"""What countries and organisations are called on the site, and under which file name each has its page.
Names come from strangers: they are made visible here, and escaped where they are written."""

import hashlib
import re
from dataclasses import dataclass

from orchestration.foreign_text import display_name

# Codes that ISO leaves to users, in the words of the page.
SPECIAL_NAMES = {
    "XC": "Community & individuals",
    "XI": "International",
    "XM": "Mixed origin",
    "XX": "Not attributed",
}
# Names that are spoken, where the ISO list's form is longer than a chart has room for.
SHORT_NAMES = {
    "CN": "China",
    "US": "United States",
    "GB": "United Kingdom",
    "KR": "South Korea",
    "AE": "UA Emirates",
    "TW": "Taiwan",
    "RU": "Russia",
    "IR": "Iran",
    "VN": "Vietnam",
}


def country_name(code: str, name: str | None) -> str:
    return SPECIAL_NAMES.get(code) or SHORT_NAMES.get(code) or display_name(name or code)


def page_of_country(code: str) -> str:
    """Where a country's page lies, below the site's root. Codes are of our own seed: two capital letters."""
    return f"countries/{code}.html"


def page_of_organization(organization: str) -> str:
    """Where an organisation's page lies: its name in small ASCII letters, and eight digits of a hash of the whole name,
    since other names may be spelt alike and a name may hold anything."""
    spelt = re.sub(r"[^a-z0-9]+", "-", organization.lower()).strip("-")[:40]
    digest = hashlib.sha256(organization.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"organizations/{spelt or 'organization'}-{digest}.html"


@dataclass(frozen=True)
class Measure:
    """A metric over its window, as the site names it: in a switch, under a title, and in full."""

    metric: str
    window_days: int
    label: str
    subtitle: tuple[str, str]
    sentence: str
    meaning: str

    @property
    def key(self) -> str:
        return f"{self.metric}-{self.window_days}"


# Readings of "downloads of new models", the one that says most first: the study's own series needs a year of history, the
# others stand in for it until then. The words are those of the definitions.
NEW_MEASURES = (
    Measure(
        "new_rolling",
        365,
        "a year of daily downloads",
        ("Share of a year's downloads of models", "that were under a year old on the day"),
        "of the downloads of new open models in the year to",
        "Daily downloads of the last 365 days, of models that were less than a year old on the day of the download.",
    ),
    Measure(
        "new_trailing_30d",
        30,
        "the Hub's last 30 days",
        ("Share of the 30-day downloads of models", "under a year old"),
        "of the 30-day downloads of new open models on",
        "The Hub's own count of the last 30 days, summed over models that are less than a year old on the day.",
    ),
    Measure(
        "new_rolling",
        30,
        "30 days of daily downloads",
        ("Share of 30 days' downloads of models", "that were under a year old on the day"),
        "of the downloads of new open models in the 30 days to",
        "Daily downloads of the last 30 days, of models that were less than a year old on the day of the download.",
    ),
    Measure(
        "new_created",
        365,
        "all downloads so far",
        ("Share of all downloads so far of models", "under a year old"),
        "of all downloads so far of open models under a year old on",
        "All downloads so far of models that are less than a year old on the day.",
    ),
)
ATTRIBUTIONS = (("uploader", "who holds the repository"), ("origin", "who made the root of its lineage"))
DENOMINATORS = (
    ("all", "all downloads"),
    ("organizations", "without persons' accounts"),
    ("located", "countries only"),
)
# What a share is a share of, after "by uploader" in a subtitle.
OF_DENOMINATOR = {"all": "of all", "organizations": "of organisations'", "located": "of located"}
EU = "EU"
EU_NAME = "EU-27"
