"""The weekly archive, through the real job and the real client: its day lands, and its licence goes wherever the data goes."""

import json
import re
from datetime import date, timedelta

import pytest

from orchestration.sandbox.population import write_population
from tests.pipeline.conftest import FIRST_DAY, opened

# Labels are Wednesdays; the rows of one are those that the daily archive held before the next: Tuesday's.
DAYS = [FIRST_DAY + timedelta(days=number) for number in range(16)]
DAILY_DAY, WEEKLY_DAY, HUB_DAY = date(2026, 10, 12), date(2026, 10, 13), DAYS[-1]
DATASET = "https://huggingface.co/datasets/hfmlsoc/hub_weekly_snapshots"
LICENCE = "https://opendatacommons.org/licenses/odbl/1-0/"


def published(observatory) -> dict[str, str]:
    """What a version says of itself, in words."""
    folder = observatory.settings.published_dir / "current"
    page = (folder / "report" / "index.html").read_text()
    return {
        "manifest.json": (folder / "manifest.json").read_text(),
        "report": re.sub(r"<[^>]+>", "", re.sub(r"(?s)<(script|style).*?</\1>", "", page)),
        "DICTIONARY.md": (folder / "DICTIONARY.md").read_text(),
        "LICENSE-DATA": (folder / "LICENSE-DATA").read_text(),
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory, dbt, daily_snapshot):
    """A day of the daily archive is published, then one of the weekly. The home, what both versions say, the requests."""
    folder = tmp_path_factory.mktemp("weekly")
    write_population(folder / "world", models=2_500, days=len(DAYS), seed=11, first_day=FIRST_DAY)
    with opened(folder / "home", folder / "world", dbt, daily_snapshot) as observatory:
        result = observatory.run(DAILY_DAY, hub_day=HUB_DAY)
        assert result.success, observatory.failures(result)
        without = published(observatory)
        observatory.settings = observatory.settings.model_copy(update={"archives": "weekly"})
        before = len(observatory.hub.requests)
        result = observatory.run(WEEKLY_DAY, hub_day=HUB_DAY)
        assert result.success, observatory.failures(result)
        asked = [path for _, path, _ in observatory.hub.requests[before:]]
        yield observatory, without, published(observatory), asked


def test_a_weekly_day_lands_from_its_own_archive_and_is_published(told):
    observatory, *_, asked = told
    days = observatory.sql(
        "select snapshot_date, source, source_license, length(source_revision), captured_at::date "
        "from marts.dim_snapshots where status = 'complete' order by snapshot_date"
    )
    assert days == [
        (DAILY_DAY, "hub_stats", "Apache-2.0", 40, DAILY_DAY),
        (WEEKLY_DAY, "weekly", "ODbL-1.0", 40, WEEKLY_DAY),
    ]
    shares = observatory.sql("select distinct snapshot_date from marts.mart_daily_country_share order by 1")
    assert shares == [(DAILY_DAY,), (WEEKLY_DAY,)]
    landed = json.loads(
        (observatory.settings.landing_dir / "models" / f"snapshot_date={WEEKLY_DAY}" / "_manifest.json").read_text()
    )
    assert (landed["dataset"], landed["file"]) == (
        "hfmlsoc/hub_weekly_snapshots",
        "models/2026-10-07/models.parquet",
    )
    assert landed["observed_at_is_estimated"] is False
    files = [path for path in asked if "/resolve/" in path]
    weekly_file = f"hfmlsoc/hub_weekly_snapshots/resolve/{landed['source_revision']}/models"
    assert files
    assert [path for path in files if weekly_file not in path] == []


def test_the_version_carries_the_weekly_archives_licence(told):
    *_, said, _ = told
    manifest = json.loads(said["manifest.json"])
    assert (manifest["data_licence"]["license"], manifest["data_licence"]["url"]) == ("ODbL-1.0", LICENCE)
    weekly = next(row for row in manifest["data_licences"] if row["source"] == "weekly")
    assert (weekly["license"], weekly["license_url"]) == ("ODbL-1.0", LICENCE)
    assert (weekly["dataset"], weekly["dataset_url"]) == ("hfmlsoc/hub_weekly_snapshots", DATASET)
    assert (weekly["first_day"], weekly["last_day"], weekly["days"]) == (str(WEEKLY_DAY), str(WEEKLY_DAY), 1)
    assert "LICENSE-DATA" in manifest["files"]
    for where, text in said.items():
        for words in ("ODbL", "hfmlsoc/hub_weekly_snapshots", DATASET, LICENCE, "cfahlgren1/hub-stats", "Apache"):
            assert words in text, (where, words)


def test_a_version_without_a_weekly_day_does_not_mention_it(told):
    _, said, *_ = told
    manifest = json.loads(said["manifest.json"])
    assert manifest["data_licence"]["license"] == "Apache-2.0"
    assert [row["source"] for row in manifest["data_licences"]] == ["hub_stats"]
    for where, text in said.items():
        assert "https://huggingface.co/datasets/cfahlgren1/hub-stats" in text, where
        for words in ("ODbL", "Open Database", "hub_weekly_snapshots"):
            assert words not in text, (where, words)
