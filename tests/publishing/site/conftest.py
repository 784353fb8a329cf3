"""A small site with hostile names in it, and the browser that its pages are opened in."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.publishing import Around, build_candidate, publish_candidate, published_versions, render_report_into
from orchestration.publishing.examples import Example
from orchestration.settings import Settings

from ..warehouse import ORGANIZATIONS, PASSED, Contents, write_warehouse
from .browser import CHROMIUM, NO_CHROMIUM, chromium

HOSTILE = "</script><script>window.hostile=1</script><img src=x onerror=window.hostile=1>"
LONG = "An organisation whose name is far longer than any label on a phone could ever show"


# While it is open, its client keeps an event loop running, in which other tests couldn't start one of theirs.
@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of a site of a few simulated days, one of them missing and one recounted, with names of strangers."""
    settings = Settings(home=tmp_path_factory.mktemp("site"))
    organizations = {"CN": {HOSTILE: 0.5, LONG: 0.4} | ORGANIZATIONS["CN"], "US": ORGANIZATIONS["US"]}
    contents = write_warehouse(settings.warehouse_path, Contents(organizations=organizations))
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[contents.last_day])
    return render_report_into(candidate).parent


# Names that would leave the folder, name a device, run, turn the line round, or fall together once they are spelt plainly.
STRANGE = (
    "../../x",
    "CON",
    "🤗🤗",
    "abc\u202egpj.exe",
    "Zoë Ægir",
    "same name",
    "Same-Name",
    "=1+1",
    '"><svg onload=window.hostile=1>',
    "]]>&<!--",
    HOSTILE,
)
ADDRESSES = {
    "CON": "javascript:window.hostile=1",
    "🤗🤗": "https://example.org@evil.example/",
    "same name": "data:text/html,<script>window.hostile=1</script>",
    "Same-Name": 'https://example.org/"onclick="window.hostile=1',
}
MANIFEST = {
    "sources": {
        "source.p.hub.models": {"resource_type": "source", "source_name": "hub", "name": "models"},
    },
    "nodes": {
        "seed.p.countries": {"resource_type": "seed", "name": "countries", "depends_on": {"nodes": []}},
        "model.p.stg": {
            "resource_type": "model",
            "name": "stg_hub__models",
            "fqn": ["p", "staging", "hub", "stg_hub__models"],
            "depends_on": {"nodes": ["source.p.hub.models", "macro.p.x"]},
        },
        "model.p.share": {
            "resource_type": "model",
            "name": "mart_daily_country_share",
            "fqn": ["p", "marts", "geography", "mart_daily_country_share"],
            "depends_on": {"nodes": ["model.p.stg", "seed.p.countries"]},
        },
        "model.p.claims": {
            "resource_type": "model",
            "name": "mart_headline_claims",
            "fqn": ["p", "marts", "ecosystem", "mart_headline_claims"],
            "depends_on": {"nodes": ["model.p.share"]},
        },
    },
}


@dataclass(frozen=True)
class Strangers:
    """A site made after another version was published, whose organisations are all called what nobody should be."""

    folder: Path
    database: Path
    settings: Settings
    contents: Contents

    def rows(self, sql: str, *parameters) -> list[tuple]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def text(self, page: str) -> str:
        return (self.folder / page).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def strangers(tmp_path_factory) -> Strangers:
    settings = Settings(home=tmp_path_factory.mktemp("strangers"))
    organizations = {
        "CN": {name: 0.9 - 0.05 * place for place, name in enumerate(STRANGE)} | ORGANIZATIONS["CN"],
        "US": ORGANIZATIONS["US"],
    }
    contents = Contents(organizations=organizations, evidence_urls=ADDRESSES)
    write_warehouse(settings.warehouse_path, contents)
    days = [contents.last_day]
    earlier = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=days)
    publish_candidate(settings, earlier, quality=[PASSED])
    manifest = settings.home / "dbt-manifest.json"
    manifest.write_text(json.dumps(MANIFEST), encoding="utf-8")
    examples = [Example("is_one_less", "Is 1 < 2?", "mart_daily_country_share", "select 1 < 2 as is_less")]
    candidate = build_candidate(settings, version_id="v2", run_id="run-2", snapshot_dates=days, examples=examples)
    around = Around(published=published_versions(settings), manifest=manifest)
    page = render_report_into(candidate, around=around)
    return Strangers(page.parent, candidate.database, settings, contents)
