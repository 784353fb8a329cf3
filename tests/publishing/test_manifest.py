"""A manifest is as its schema says, tells what changed, and how the version is cited and how long it stays.
What single numbers in it mean is tested in `test_versions` and `test_restatements`."""

import copy
import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import jsonschema
import pytest
import yaml

from orchestration.publishing import build_candidate, publish_candidate
from orchestration.publishing.citation import SPDX, citation_file, citation_of
from orchestration.publishing.day_files import VIEW
from orchestration.publishing.licences import TERMS, licence_of_all
from orchestration.publishing.versions import MANIFEST_SCHEMA
from orchestration.settings import PROJECT_ROOT

from .warehouse import EXAMPLES, PASSED, Contents, write_warehouse

MONDAY = datetime(2026, 10, 12, 13, tzinfo=UTC)
SCHEMA = json.loads(MANIFEST_SCHEMA.read_text(encoding="utf-8"))
SMALL = Contents(days=2, missing=(), events={}, is_lean=True)


def mistakes(manifest: dict) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(manifest)]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> dict:
    """Of a second version, with something broken and values restated."""
    from orchestration.settings import Settings

    settings = Settings(home=tmp_path_factory.mktemp("manifest") / "home")
    warned = PASSED | {"check_name": "warned", "blocking": False, "passed": False, "offenders": ({"repo_id": "x"},)}
    for number in (1, 2):
        write_warehouse(settings.warehouse_path, Contents(extra_models=number))
        candidate = build_candidate(
            settings, version_id=f"v{number}", run_id="run", snapshot_dates=[date(2026, 10, 13)], examples=EXAMPLES
        )
        version = publish_candidate(settings, candidate, quality=[PASSED, warned], at=MONDAY + timedelta(days=number))
    assert (version.path / "manifest.schema.json").read_bytes() == MANIFEST_SCHEMA.read_bytes()
    return json.loads((version.path / "manifest.json").read_text())


def test_a_published_manifest_is_as_its_schema_says(manifest):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert mistakes(manifest) == []
    assert manifest["$schema"] == "manifest.schema.json"
    assert manifest["restatements"]["values_moved"] == 3  # so that what is checked is not empty
    assert manifest["quality"]["flagged"]


def test_the_schema_describes_every_field(manifest):
    def undescribed(schema: dict, name: str):
        schema = schema if "$ref" not in schema else schema | {"description": schema.get("description", "by reference")}
        if "description" not in schema and "anyOf" not in schema and name:
            yield name
        for field, inner in schema.get("properties", {}).items():
            yield from undescribed(inner, f"{name}/{field}")

    assert list(undescribed(SCHEMA, "")) == []
    assert set(SCHEMA["required"]) == manifest.keys()


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda m: m.pop("files"), "'files' is a required property"),
        (lambda m: m.update(version="../up"), "version"),
        (lambda m: m.update(is_simulated="no"), "is_simulated"),
        (lambda m: m.update(more=1), "more"),
        (lambda m: m["quality"].update(score=101), "quality/score"),
        (lambda m: m["files"]["observatory.duckdb"].update(sha256="0" * 63), "files/observatory.duckdb/sha256"),
        (lambda m: m["tables"]["dim_models"].update(rows=-1), "tables/dim_models/rows"),
        (lambda m: m["snapshot_dates"]["complete"].append("13 October"), "snapshot_dates/complete"),
        (lambda m: m["retention"].pop("stays_until"), "stays_until"),
        (lambda m: m["day_files"]["days"].update({"yesterday": m["day_files"]["days"]["2026-10-13"]}), "yesterday"),
        (lambda m: m["changes"]["rows"]["dim_models"].update(before="some"), "changes/rows/dim_models/before"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_schema_refuses_a_broken_manifest(manifest, harm, named):
    broken = copy.deepcopy(manifest)
    harm(broken)
    assert any(named in mistake for mistake in mistakes(broken)), mistakes(broken)


def test_changes_since_the_version_before_are_told(settings, publish):
    write_warehouse(settings.warehouse_path, SMALL)
    first = publish("v1", at=MONDAY).manifest
    assert (first["previous_version"], first["changes"]["compared_with"]) == (None, None)
    assert first["changes"]["days_added"] == ["2026-10-06", "2026-10-07"]
    assert first["changes"]["rows"]["dim_models"] == {"before": None, "after": 200}

    write_warehouse(settings.warehouse_path, replace(SMALL, days=3, extra_models=4))
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("alter table marts.dim_models drop column likes")
        warehouse.execute("alter table marts.dim_models alter parameters type double")
        warehouse.execute("create table marts.dim_more as select 1 as one")
        warehouse.execute("comment on table marts.dim_more is 'x'; comment on column marts.dim_more.one is 'x'")
    second = publish("v2", at=MONDAY + timedelta(days=1)).manifest
    assert second["previous_version"] == "v1"
    assert second["changes"] == {
        "compared_with": "v1",
        "days_added": ["2026-10-08"],
        "days_gone": [],
        "tables_added": ["dim_more"],
        "tables_gone": [],
        "columns": {
            "added": ["dim_more.one"],
            "gone": ["dim_models.likes"],
            "retyped": ["dim_models.parameters"],
        },
        "rows": {
            "dim_models": {"before": 200, "after": 204},
            "dim_more": {"before": None, "after": 1},
            "dim_snapshots": {"before": 2, "after": 3},
            "fct_daily_model_downloads": {"before": 400, "after": 600},
            "fct_quality_results": {"before": 24, "after": 36},
        },
        "day_files": ["2026-10-08"],
    }
    assert second["columns"][VIEW] == second["columns"]["fct_daily_model_downloads"]
    assert second["day_files"]["rows"] == 600
    assert mistakes(first) == mistakes(second) == []


def test_a_version_of_before_there_were_day_files_can_be_followed(settings, publish):
    """One that an earlier release has published: its manifest lacks what is new."""
    write_warehouse(settings.warehouse_path, SMALL)
    path = publish("v1", at=MONDAY).path / "manifest.json"
    old = json.loads(path.read_text())
    for name in ("columns", "day_files", "changes", "cite", "retention", "previous_version"):
        del old[name]
    path.write_text(json.dumps(old))
    changes = publish("v2", at=MONDAY + timedelta(days=1)).manifest["changes"]
    assert changes["columns"] is None
    assert changes["day_files"] == ["2026-10-06", "2026-10-07"]


def test_it_is_said_until_when_a_version_stays(manifest):
    """Published on the 14th; the usual seven are kept."""
    assert manifest["retention"]["stays_until"] == "2026-10-15T13:00:00+00:00"
    assert (manifest["retention"]["keep_versions"], manifest["retention"]["hours_after_replaced"]) == (7, 24)


# The keys of format 1.2.0 that we use, and those that it asks for.
CFF_REQUIRED = {"cff-version", "message", "title", "authors"}
CFF_KEYS = CFF_REQUIRED | {
    *(
        "type",
        "version",
        "date-released",
        "abstract",
        "identifiers",
        "license",
        "license-url",
        "references",
        "keywords",
    ),
}


def read_cff(text: str) -> dict:
    cited = yaml.safe_load(text)
    assert cited.keys() >= CFF_REQUIRED
    assert cited.keys() <= CFF_KEYS
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] in ("software", "dataset")
    assert isinstance(cited["date-released"], date)
    assert all(isinstance(cited[name], str) for name in ("message", "title", "version", "abstract"))
    for who in (cited, *cited.get("references", [])):
        assert all(author.keys() == {"name"} and author["name"] for author in who["authors"])
    for source in cited.get("references", []):
        assert source.keys() == {"type", "title", "authors", "url"}
        assert source["type"] == "data"
    for identifier in cited.get("identifiers", []):
        assert identifier.keys() == {"type", "value", "description"}
        assert identifier["type"] in ("doi", "url", "swh", "other")
    assert cited.get("license", "Apache-2.0") in SPDX
    assert re.match("https?://", cited.get("license-url", "https://"))
    assert len(set(cited["keywords"])) == len(cited["keywords"])
    return cited


def test_the_software_can_be_cited():
    cited = read_cff((PROJECT_ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (cited["type"], cited["version"], cited["license"]) == ("software", project["version"], project["license"])


def test_a_version_can_be_cited_by_its_id_and_says_that_it_is_simulated(settings, publish):
    write_warehouse(settings.warehouse_path, SMALL)
    version = publish("2026-10-07-1a2b3c4d", at=MONDAY)
    cited = read_cff((version.path / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cited["type"], cited["version"]) == ("dataset", "2026-10-07-1a2b3c4d")
    assert cited["date-released"] == MONDAY.date()
    assert cited["title"].startswith("SIMULATED: ")
    assert "SIMULATED" in cited["abstract"]
    assert cited["identifiers"][0]["value"] == cited["version"]
    assert version.manifest["cite"]["text"] == (
        f"Open Model Observatory contributors (2026). {cited['title']}. Version 2026-10-07-1a2b3c4d, days 2026-10-06 to "
        "2026-10-07. Data set, Hub terms of service; sample under MIT. Simulated by a sandbox Hub: no evidence of anything."
    )


@pytest.mark.parametrize("license_name", TERMS)
def test_a_real_version_is_cited_under_its_data_licence_with_its_sources(license_name):
    source = {
        "license": license_name,
        "license_url": TERMS[license_name].address,
        "dataset": "some/one: #1",
        "dataset_url": "https://huggingface.co/datasets/some/one",
    }
    dates = {"first": "2026-10-06", "last": "2026-10-07", "complete": ["2026-10-06", "2026-10-07"]}
    licence = licence_of_all([source])
    cited = read_cff(
        citation_file(
            {
                "version": "v1",
                "created_at": MONDAY.isoformat(),
                "cite": citation_of("v1", MONDAY.date(), dates, licence, False),
                "data_licence": licence,
                "data_licences": [source],
                "snapshot_dates": dates,
                "is_simulated": False,
                "simulation_note": None,
            }
        )
    )
    assert "SIMULATED" not in str(cited)
    assert cited.get("license", cited.get("license-url")) in (license_name, TERMS[license_name].address)
    assert cited["references"][0]["title"] == "some/one: #1"
