"""What a version says of its data's licence follows from where its days come from, and from nothing else."""

from datetime import date, timedelta

import duckdb
import pytest

from orchestration.hub.archive import ARCHIVES
from orchestration.landing.listings import LICENSES
from orchestration.publishing.licences import TERMS, data_licences, licence_of_all, licence_text

FIRST = date(2026, 10, 6)
LIVE = ("hub_api", LICENSES[False])
DAILY, WEEKLY = ("hub_stats", "Apache-2.0"), ("weekly", "ODbL-1.0")
WEEKLY_ADDRESS = "https://huggingface.co/datasets/hfmlsoc/hub_weekly_snapshots"
ODBL_ADDRESS = "https://opendatacommons.org/licenses/odbl/1-0/"


def licences_of(*days: tuple[str, str] | None, is_simulated: bool = False) -> list[dict]:
    """As a version would have them whose days, from the first on, came from these; None is a day that is missing."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_snapshots (snapshot_date date, status varchar, source varchar, "
            "source_license varchar, is_simulated boolean)"
        )
        for number, told in enumerate(days):
            status, source = ("complete", told) if told else ("incomplete", WEEKLY)
            row = [FIRST + timedelta(days=number), status, *source, is_simulated]
            connection.execute("insert into marts.dim_snapshots values (?, ?, ?, ?, ?)", row)
        return data_licences(connection)


def test_one_weekly_day_puts_the_whole_version_under_its_licence_and_credits_all():
    sources = licences_of(LIVE, DAILY, WEEKLY, DAILY)
    whole = licence_of_all(sources)
    assert (whole["license"], whole["url"], whole["file"]) == ("ODbL-1.0", ODBL_ADDRESS, "LICENSE-DATA")
    assert "hfmlsoc/hub_weekly_snapshots" in whole["statement"]
    text = licence_text(sources)
    assert whole["statement"] in text
    for word in (WEEKLY_ADDRESS, ODBL_ADDRESS, "Open Database License", "cfahlgren1/hub-stats", "Apache-2.0"):
        assert word in text
    assert "2 days (2026-10-07 to 2026-10-09), source hub_stats" in text
    assert "1 day (2026-10-08 to 2026-10-08), source weekly" in text
    assert "Hugging Face Terms of Service" in text
    assert "SIMULATED" not in text


@pytest.mark.parametrize(
    ("days", "whole", "address"),
    [
        ((LIVE, LIVE), LICENSES[False], "https://huggingface.co/terms-of-service"),
        ((DAILY,), "Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
        ((DAILY, None, DAILY), "Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
        ((LIVE, DAILY), f"{LICENSES[False]} and Apache-2.0", None),
        ((), None, None),
    ],
    ids=["live", "daily archive", "a weekly day that isn't complete", "both", "no day yet"],
)
def test_without_a_weekly_day_nothing_names_its_licence(days, whole, address):
    sources = licences_of(*days)
    said = licence_of_all(sources)
    assert (said["license"], said["url"]) == (whole, address)
    text = licence_text(sources)
    assert "ODbL" not in text
    assert "weekly" not in text
    assert ("https://huggingface.co/datasets/cfahlgren1/hub-stats" in text) == (DAILY in days)


def test_simulated_days_say_that_the_dataset_itself_gave_none():
    [source] = licences_of(WEEKLY, is_simulated=True)
    assert source["attribution"].endswith("SIMULATED: a sandbox Hub stood in for it.")
    assert source["license_url"] == ODBL_ADDRESS


def test_a_licence_that_nobody_stated_is_said_to_be_so():
    sources = licences_of(("hub_api", None))
    assert licence_of_all(sources)["license"] == "not stated"
    assert "terms that aren't stated" in licence_text(sources)


def test_every_source_of_real_days_has_known_terms():
    assert set(TERMS) == {LICENSES[False], *(archive.license for archive in ARCHIVES.values())}
