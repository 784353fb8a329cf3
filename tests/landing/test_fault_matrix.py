"""Each fault of `fault_matrix.json` against a Hub of six pages, with a landed day before: the day lands as the fault-free
one, or with every odd row kept and counted, or is stopped for the reason that the file names. Never a short day."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.hub.client import HubClient
from orchestration.landing import land_models
from orchestration.landing.content import content_hash
from orchestration.landing.folders import DayFolder
from orchestration.sandbox.fault_rules import KINDS
from orchestration.sandbox.faults import Faults
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import Settings
from tests.hub.snapshots import DAY, model_id, models, write_snapshots
from tests.landing.conftest import COUNT
from tests.landing.landed import capture, day_folder, read_day, visible

CASES = json.loads((Path(__file__).parent / "fault_matrix.json").read_text(encoding="utf-8"))
BEFORE = DAY - timedelta(days=1)
# What concerns other routes, whole files, or how rules are matched is tested in tests/sandbox and tests/hub.
ELSEWHERE = {"flipped_byte"}


@pytest.fixture(scope="module")
def matrix_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHub]:
    days = {BEFORE: models(COUNT), DAY: models(COUNT)}
    with SandboxHub(write_snapshots(tmp_path_factory.mktemp("matrix") / "snapshots", days), day=DAY) as hub:
        yield hub


@pytest.fixture
def home(matrix_hub, tmp_path) -> Settings:
    """A home in which the day before is landed, and a Hub that behaves and shows the day."""
    settings = Settings(
        home=tmp_path / "home", hub_endpoint=matrix_hub.url, page_size=20, pages_per_shard=2, hf_token=None
    )
    matrix_hub.faults.rules, matrix_hub.day = [], BEFORE
    land_models(BEFORE, settings)
    matrix_hub.day = DAY
    return settings


@pytest.fixture(scope="module")
def clean(matrix_hub, tmp_path_factory) -> str:
    """The hash of the day's rows without any fault."""
    settings = Settings(
        home=tmp_path_factory.mktemp("clean"),
        hub_endpoint=matrix_hub.url,
        page_size=20,
        pages_per_shard=2,
        hf_token=None,
    )
    matrix_hub.faults.rules, matrix_hub.day = [], DAY
    land_models(DAY, settings)
    return content_hash(day_folder(settings, "models", DAY))


def land(settings: Settings) -> dict:
    with HubClient(settings.hub_endpoint, sleep=lambda _: None) as client:
        return land_models(DAY, settings, client=client).manifest


def told(manifest: dict, path: str) -> object:
    """An entry of the manifest; what follows the first dot is one key, dots and all."""
    name, _, key = path.partition(".")
    return manifest[name].get(key, 0) if key else manifest[name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["fault"])
def test_no_fault_makes_a_silent_short_day(case, home, matrix_hub, clean):
    matrix_hub.faults.rules = Faults(case["rules"]).rules
    if case["outcome"] == "stopped":
        with pytest.raises(Exception, match=case["says"]) as caught:
            land(home)
        assert type(caught.value).__name__ == case["error"]
        assert all(rule.fired for rule in matrix_hub.faults.rules if rule.route == "models" and rule.page in (None, 4))
        assert [path for path in visible(home) if str(DAY) in path] == []
        assert_told_aside(home, case)
        matrix_hub.faults.rules = []
        assert land(home)["rows"] == COUNT  # and a re-run repairs it
        assert content_hash(day_folder(home, "models", DAY)) == clean
        return
    manifest = land(home)
    assert all(rule.fired for rule in matrix_hub.faults.rules)
    for path, expected in case.get("manifest", {}).items():
        found = told(manifest, path)
        assert found == expected or (expected == "some" and found), (path, found)
    if case["outcome"] == "equal":
        assert content_hash(day_folder(home, "models", DAY)) == clean
        return
    ids = read_day(home, "models", DAY)["_id"].to_pylist()
    assert len(ids) == len(set(ids)) == manifest["rows"]
    if "rows" not in case["manifest"]:  # rows that came or went during the walk are the Hub's own
        assert ids == [model_id(number) for number in range(COUNT)]


def assert_told_aside(home: Settings, case: dict) -> None:
    """The day says that it is incomplete and why; what was fetched lies aside, if a first page was accepted at all."""
    row = capture(home, DAY)
    if row is None:
        assert not DayFolder(home.landing_dir, "models", DAY).state.exists()
        return
    assert row["status"] == "incomplete"
    assert row["reason"]


def test_every_kind_of_fault_is_in_the_matrix():
    assert {rule["kind"] for case in CASES for rule in case["rules"]} == set(KINDS) - ELSEWHERE


def test_each_fault_of_the_matrix_is_named_once():
    names = [case["fault"] for case in CASES]
    assert len(names) == len(set(names))
    assert {case["outcome"] for case in CASES} == {"equal", "kept", "stopped"}
