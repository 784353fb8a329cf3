"""Datasets and spaces as the sandbox Hub lists them: by the rules of the models' listing, each with its own properties.
Made-up days of both, and what a folder without them answers."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx2
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from orchestration.sandbox.listing_days import write_listing_days
from orchestration.sandbox.listing_kinds import DATASETS, SPACES
from orchestration.sandbox.population import write_population
from orchestration.sandbox.server import SandboxHub
from orchestration.sandbox.simulation import MODELS_PER_OTHER
from tests.sandbox.tiny_snapshots import DAYS, write_snapshots

MISSING = date(2026, 10, 8)
ROWS = 25
BOTH = ["datasets", "spaces"]
KINDS = {"datasets": DATASETS, "spaces": SPACES}


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> Path:
    folder = write_snapshots(tmp_path_factory.mktemp("snapshots"))
    for listing in BOTH:
        write_listing_days(folder, listing, ROWS, 4, 7, DAYS[0], [MISSING])
    return folder


@pytest.fixture(scope="module")
def hub(snapshots) -> Iterator[SandboxHub]:
    with SandboxHub(snapshots) as hub:
        yield hub


@pytest.fixture
def api(hub) -> HfApi:
    hub.day = DAYS[-1]
    return HfApi(endpoint=hub.url, token=False)


def written(folder: Path, listing: str, day: date) -> list[dict]:
    """The rows on disk, in the order of creation."""
    rows = pq.ParquetFile(folder / listing / f"snapshot_date={day}" / f"{listing}.parquet").read().to_pylist()
    return sorted(rows, key=lambda row: row["_id"])


def walk(hub: SandboxHub, listing: str, query: str) -> list[list[dict]]:
    pages, url = [], f"{hub.url}/api/{listing}?{query}"
    while url:
        response = httpx2.get(url).raise_for_status()
        pages.append(response.json())
        url = response.links.get("next", {}).get("url")
        assert len(pages) < 100, "the listing does not end"
    return pages


def test_the_real_client_lists_every_dataset_once(api, snapshots):
    expand = ["author", "createdAt", "downloads", "downloadsAllTime", "gated", "likes", "private", "sha", "tags"]
    found = list(api.list_datasets(sort="created_at", expand=expand))
    expected = written(snapshots, "datasets", DAYS[-1])[::-1]
    assert len(expected) == ROWS + 3
    assert [each.id for each in found] == [row["id"] for row in expected]
    assert [each.downloads for each in found] == [row["downloads"] for row in expected]
    assert [each.downloads_all_time for each in found] == [row["downloadsAllTime"] for row in expected]
    assert [each.gated or "false" for each in found] == [row["gated"] for row in expected]
    assert [each.created_at for each in found] == [row["createdAt"] for row in expected]


def test_the_real_client_lists_every_space_once(api, snapshots):
    found = list(api.list_spaces(sort="created_at", expand=["author", "createdAt", "likes", "sdk", "sha", "tags"]))
    expected = written(snapshots, "spaces", DAYS[-1])[::-1]
    assert [(each.id, each.sdk, each.likes) for each in found] == [
        (row["id"], row["sdk"], row["likes"]) for row in expected
    ]


def test_the_real_client_reads_rows_without_expand(api):
    assert len(list(api.list_datasets(full=True))) == len(list(api.list_spaces(full=True))) == ROWS + 3
    assert len(list(api.list_datasets(limit=7))) == len(list(api.list_spaces(limit=7))) == 7
    gradio = list(api.list_spaces(filter="gradio"))
    assert gradio
    assert {space.sdk for space in gradio} == {"gradio"}


@pytest.mark.parametrize("listing", BOTH)
def test_a_walk_by_creation_is_a_keyset_on_identity(hub, api, snapshots, listing):
    pages = walk(hub, listing, "sort=createdAt&direction=1&limit=9&expand=createdAt")
    rows = [row for page in pages for row in page]
    assert [row["_id"] for row in rows] == [row["_id"] for row in written(snapshots, listing, DAYS[-1])]
    assert [len(page) for page in pages] == [9, 9, 9, 1]
    assert all(set(row) == {"_id", "id", "createdAt"} for row in rows)


@pytest.mark.parametrize("listing", BOTH)
def test_the_page_is_a_thousand_rows_unless_less_is_asked(tmp_path, listing):
    folder = write_snapshots(tmp_path)
    write_listing_days(folder, listing, 1_005, 1, 7, DAYS[-1])
    with SandboxHub(folder) as hub:
        for query in ("sort=createdAt&direction=1", "sort=createdAt&direction=1&limit=5000"):
            assert [len(page) for page in walk(hub, listing, query)] == [1000, 5]


@pytest.mark.parametrize("listing", BOTH)
def test_each_listing_has_its_own_properties(hub, api, listing):
    allowed = "&".join(f"expand={name}" for name in KINDS[listing].expands)
    assert len(httpx2.get(f"{hub.url}/api/{listing}?{allowed}").json()) == ROWS + 3
    for other in {"pipeline_tag", "gated", "sdk", "downloads", "downloadsAllTime"} - set(KINDS[listing].expands):
        response = httpx2.get(f"{hub.url}/api/{listing}?expand={other}")
        assert response.status_code == 400
        assert response.json()["error"] == f'"expand" must be one of [{", ".join(KINDS[listing].expands)}]'


def test_what_a_listing_cannot_do_is_refused(hub, api):
    assert httpx2.get(f"{hub.url}/api/spaces?sort=downloads").status_code == 400
    assert httpx2.get(f"{hub.url}/api/spaces?models=a/b").status_code == 501
    assert httpx2.get(f"{hub.url}/api/datasets?sort=likes&direction=1").status_code == 400


@pytest.mark.parametrize("listing", BOTH)
def test_the_site_counts_the_listing(hub, api, listing):
    body = httpx2.get(f"{hub.url}/{listing}-json?sort=created&withCount=true").json()
    assert set(body) == {listing, "numItemsPerPage", "numTotalItems", "pageIndex"}
    assert (body["numTotalItems"], body["numItemsPerPage"], body["pageIndex"]) == (ROWS + 3, 30, 0)
    assert len(body[listing]) == ROWS + 3
    hub.day = DAYS[0]
    assert httpx2.get(f"{hub.url}/{listing}-json?sort=created&withCount=true").json()["numTotalItems"] == ROWS


def test_only_a_walk_of_models_moves_the_clock(snapshots):
    with SandboxHub(snapshots, advance=True) as hub:
        query = "sort=createdAt&direction=1&limit=10"
        for _ in range(2):
            for listing in BOTH:
                walk(hub, listing, query)
        assert hub.day == DAYS[0]
        walk(hub, "models", query)
        walk(hub, "datasets", query)
        assert hub.day == DAYS[0], "the other listings land on the day that the models left"
        walk(hub, "models", query)
        assert hub.day == DAYS[1]


def test_a_folder_without_a_listing_says_so(tmp_path):
    folder = write_snapshots(tmp_path)
    write_listing_days(folder, "spaces", 3, 1, 7, DAYS[0])
    with SandboxHub(folder) as hub:
        for listing in BOTH:
            for path in (f"/api/{listing}", f"/{listing}-json?withCount=true"):
                response = httpx2.get(f"{hub.url}{path}")
                assert response.status_code == 404
                assert response.json()["error"] == f"This sandbox Hub has no {listing} on 2026-10-09."
        with pytest.raises(HfHubHTTPError):
            list(HfApi(endpoint=hub.url, token=False).list_datasets())


@pytest.mark.parametrize("listing", BOTH)
def test_faults_strike_the_listing_that_they_name(snapshots, listing):
    other = next(name for name in BOTH if name != listing)
    rules = [
        {"kind": "missing_link", "route": listing, "page": 2},
        {"kind": "overlapping_page", "route": other, "page": 2, "rows": 2},
        {"kind": "status", "route": f"{listing}-json", "status": 503},
    ]
    with SandboxHub(snapshots, faults=rules) as hub:
        query = "sort=createdAt&direction=1&limit=9"
        expected = [row["_id"] for row in written(snapshots, listing, DAYS[-1])]
        assert [row["_id"] for page in walk(hub, listing, query) for row in page] == expected[:18]
        walk(hub, "models", query)
        pages = walk(hub, other, query)
        assert pages[1][:2] == pages[0][-2:]
        assert [httpx2.get(f"{hub.url}/{name}-json").status_code for name in (listing, other)] == [503, 200]
        assert [rule.fired for rule in hub.faults.rules] == [1, 1, 1]


# --- made-up days ----------------------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path):
    contents = []
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        days = write_listing_days(tmp_path / name, "datasets", 50, 3, seed, DAYS[0])
        files = sorted((tmp_path / name).rglob("*.parquet"))
        assert len(files) == len(days) == 3
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1] != contents[2]


def test_made_up_counters_only_grow_and_a_row_comes_each_day(tmp_path):
    days = write_listing_days(tmp_path, "datasets", 50, 4, 7, DAYS[0], [MISSING])
    assert days == DAYS
    before: dict[str, dict] = {}
    for number, day in zip((0, 1, 3), days, strict=True):
        rows = {row["_id"]: row for row in written(tmp_path, "datasets", day)}
        assert len(rows) == 50 + number
        assert set(before) <= set(rows)
        assert all(rows[row_id]["downloadsAllTime"] >= row["downloadsAllTime"] for row_id, row in before.items())
        assert all(row["downloads"] <= row["downloadsAllTime"] for row in rows.values())
        before = rows


@pytest.mark.parametrize(("listing", "rows", "days"), [("models", 5, 1), ("spaces", 0, 1), ("spaces", 5, 0)])
def test_days_that_cannot_be_made_up_are_told(tmp_path, listing, rows, days):
    with pytest.raises(ValueError, match=f"found {rows} rows of '{listing}' for {days} days"):
        write_listing_days(tmp_path, listing, rows, days, 7, DAYS[0])


def test_a_made_up_hub_has_a_few_of_both(tmp_path):
    world = write_population(tmp_path / "world", models=200, days=6, seed=7)
    assert world.missing_days
    with SandboxHub(world.path) as hub:
        for listing in BOTH:
            folders = sorted(folder.name for folder in (world.path / listing).iterdir())
            assert folders == [f"snapshot_date={day}" for day in world.days]
            assert len(httpx2.get(f"{hub.url}/api/{listing}").json()) == 200 // MODELS_PER_OTHER + 5
