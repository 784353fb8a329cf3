"""Datasets and Spaces land by the code of the models, from one entry of the registry each: rows, nulls, and what stops a day."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.hub.errors import HubConfigurationError
from orchestration.hub.listings import DATASETS, SPACES, Listing
from orchestration.landing import IncompleteDay, WrongDay, land_listing, land_models
from orchestration.sandbox.faults import Faults
from orchestration.sandbox.listing_days import write_listing_days
from orchestration.sandbox.server import SandboxHub
from tests.hub.snapshots import DAY, NEXT_DAY, models, write_snapshots
from tests.landing.landed import day_folder, read_day

ROWS = 110  # in pages of 20: five whole ones and a partial one
BOTH = pytest.mark.parametrize("listing", [DATASETS, SPACES], ids=["datasets", "spaces"])
# What a made-up day tells of a row; a field beside these is one that the Hub has and the made-up rows haven't.
TOLD = {
    "datasets": {"downloads", "downloadsAllTime", "gated"},
    "spaces": {"sdk"},
}
TOLD_BY_ALL = {
    "_id", "id", "author", "createdAt", "lastModified", "likes", "trendingScore", "disabled", "private", "sha", "tags",
}  # fmt: skip


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_snapshots(tmp_path_factory.mktemp("further") / "snapshots", {DAY: models(5), NEXT_DAY: models(5)})
    for listing in (DATASETS, SPACES):
        write_listing_days(folder, listing.name, ROWS, 2, 7, DAY)
        _spoil(folder, listing)
    return folder


def _spoil(folder: Path, listing: Listing) -> None:
    """Some rows without what may be missing, so that a null has to be told from a false, a zero and an empty list."""
    for file in folder.glob(f"{listing.name}/*/*.parquet"):
        rows = pq.read_table(file, partitioning=None)
        schema = rows.schema
        rows = rows.to_pylist()
        for name in ("likes", "trendingScore", "disabled", "sha", "tags", "author"):
            rows[3][name] = None
        rows[4]["tags"] = []
        rows[5]["private"] = True
        pq.write_table(pa.Table.from_pylist(rows, schema), file)


@pytest.fixture(scope="module")
def shared_hub(snapshots: Path) -> Iterator[SandboxHub]:
    with SandboxHub(snapshots, day=DAY) as hub:
        yield hub


@pytest.fixture
def hub(shared_hub: SandboxHub) -> SandboxHub:
    """A Hub with all three listings, behaving, on its first day."""
    shared_hub.day, shared_hub.faults.rules = DAY, []
    return shared_hub


@pytest.fixture
def misbehave(hub: SandboxHub) -> Callable[..., None]:
    def set_faults(*faults: dict) -> None:
        hub.faults.rules = Faults(list(faults)).rules

    return set_faults


def public_rows(snapshots: Path, listing: Listing, day: date) -> list[dict]:
    (file,) = (snapshots / listing.name / f"snapshot_date={day}").glob("*.parquet")
    rows = pq.read_table(file, partitioning=None).to_pylist()
    return sorted((row for row in rows if not row["private"]), key=lambda row: row["_id"])


@BOTH
def test_a_landed_day_equals_the_snapshot(listing, hub, snapshots, settings_for):
    settings = settings_for(hub)

    landed = land_listing(listing, DAY, settings)

    rows, expected = read_day(settings, listing.name, DAY), public_rows(snapshots, listing, DAY)
    assert rows.schema.remove_metadata() == listing.schema.remove_metadata()
    told = [field.column_name for field in listing.fields]
    assert set(told) == TOLD_BY_ALL | TOLD[listing.name]
    gates = {"false": "none"}
    expected = [
        {name: gates.get(row[name], row[name]) if name == "gated" else row[name] for name in told} for row in expected
    ]
    assert rows.select(told).to_pylist() == expected
    assert landed.rows == ROWS - 1
    assert rows["cast_errors"].null_count == rows["extra"].null_count == landed.rows
    assert rows["page"].to_pylist() == [1 + number // 20 for number in range(landed.rows)]
    assert set(rows["source"].to_pylist()) == {"hub_api"}
    assert not any(row["private"] for row in rows.to_pylist())


@BOTH
def test_the_manifest_says_what_was_asked_and_how_it_was_judged(listing, hub, settings_for):
    manifest = land_listing(listing, DAY, settings_for(hub)).manifest

    assert (manifest["listing"], manifest["rows"], manifest["pages"]) == (listing.name, ROWS - 1, 6)
    assert (manifest["expand"], manifest["unasked"]) == (list(listing.expand), [])
    assert {name: count for name, count in manifest["nulls"].items() if count and name in TOLD_BY_ALL} == {
        name: 1 for name in ("likes", "trendingScore", "disabled", "sha", "tags", "author")
    }
    assert (manifest["downloads_30d"] is None) == (listing is SPACES)
    verdicts = {verdict["promise"]: verdict for verdict in manifest["completeness"]}
    assert verdicts["the site counts as many"]["passed"] is True
    # a Hub that says itself how small it is isn't held to the floor of a whole one
    assert verdicts["more rows than any part of the Hub"]["passed"] is None
    assert verdicts["more rows than any part of the Hub"]["threshold"] == f"at least {listing.row_floor:,} rows"
    assert not [verdict for verdict in verdicts.values() if verdict["passed"] is False]


@BOTH
def test_the_next_day_is_compared_with_the_last(listing, hub, settings_for):
    settings = settings_for(hub)
    land_listing(listing, DAY, settings)
    hub.day = NEXT_DAY

    manifest = land_listing(listing, NEXT_DAY, settings).manifest

    observed = {verdict["promise"]: verdict["observed"] for verdict in manifest["completeness"]}
    assert observed["as many rows as expected"] == "110 rows; 2026-10-06 had 109 and 1 were created since"
    assert observed["hardly any id has vanished"].startswith("0 of 109 ids")
    assert manifest["identity"]["created"] == 1


@BOTH
def test_a_listing_leaves_no_capture_row_and_no_other_listing_behind(listing, hub, settings_for):
    settings = settings_for(hub)
    land_listing(listing, DAY, settings)

    assert [path.name for path in settings.landing_dir.iterdir() if path.is_dir() and any(path.rglob("*.parquet"))] == [
        listing.name
    ]


@BOTH
@pytest.mark.parametrize(
    "fault",
    [{"kind": "missing_link", "page": 3}, {"kind": "dropped_rows", "page": 2, "rows": 15}],
    ids=["ends early", "loses rows"],
)
def test_an_incomplete_walk_is_stopped_by_the_sites_total(listing, fault, hub, misbehave, settings_for):
    settings = settings_for(hub)
    misbehave(fault | {"route": listing.name})

    with pytest.raises(IncompleteDay, match="the site counts 109") as caught:
        land_listing(listing, DAY, settings)

    assert "is incomplete" in str(caught.value)
    assert not day_folder(settings, listing.name, DAY).exists()
    misbehave()
    assert land_listing(listing, DAY, settings).rows == ROWS - 1


@BOTH
def test_a_field_that_the_hub_refuses_is_unasked_and_null(listing, hub, misbehave, settings_for):
    settings = settings_for(hub)
    misbehave({"kind": "refuse_expand", "route": listing.name, "names": ["sha"], "times": None})

    landed = land_listing(listing, DAY, settings)

    assert landed.manifest["unasked"] == ["sha"]
    assert "sha" not in landed.manifest["expand"]
    assert read_day(settings, listing.name, DAY)["sha"].null_count == landed.rows
    assert any("expand=sha" in kind for kind in landed.manifest["drift"])


def test_a_field_that_a_listing_cannot_do_without_stops_it(hub, misbehave, settings_for):
    settings = settings_for(hub)
    misbehave({"kind": "refuse_expand", "route": "datasets", "names": ["downloads"], "times": None})

    with pytest.raises(HubConfigurationError, match="/api/datasets no longer gives downloads"):
        land_listing(DATASETS, DAY, settings)
    assert not (settings.landing_dir / "datasets").exists()


@BOTH
def test_a_walk_that_stopped_goes_on_to_the_same_rows(listing, hub, settings_for):
    undisturbed, interrupted = settings_for(hub, home="undisturbed"), settings_for(hub, home="interrupted")
    land_listing(listing, DAY, undisturbed)

    class Stop(BaseException):
        pass

    def stop_after_the_first_shard(line: str) -> None:
        raise Stop

    with pytest.raises(Stop):
        land_listing(listing, DAY, interrupted, progress=stop_after_the_first_shard)
    landed = land_listing(listing, DAY, interrupted)

    assert landed.manifest["resumed"] == 1
    kept = [field.column_name for field in listing.fields]
    tables = [read_day(settings, listing.name, DAY).select(kept) for settings in (undisturbed, interrupted)]
    assert tables[0].equals(tables[1])


@BOTH
def test_another_day_than_the_hubs_is_refused(listing, hub, settings_for):
    settings = settings_for(hub)
    with pytest.raises(WrongDay, match="can't tell what 2026-10-07 was like"):
        land_listing(listing, NEXT_DAY, settings)
    assert not settings.landing_dir.exists()


def test_a_hub_without_the_listing_is_a_clear_error_and_no_empty_day(tmp_path, settings_for):
    folder = write_snapshots(tmp_path / "models-only", {DAY: models(5)})
    with SandboxHub(folder, day=DAY) as hub:
        settings = settings_for(hub)
        with pytest.raises(HubConfigurationError, match="no datasets on 2026-10-06"):
            land_listing(DATASETS, DAY, settings)
        assert land_models(DAY, settings).rows == 5
    assert not (settings.landing_dir / "datasets").exists()
