"""The page server as a walker sees it: all pages in order, the Hub's headers, and no answer to what it can't answer."""

import json
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2
import pytest
from huggingface_hub.utils import parse_ratelimit_headers

from benchmarks.floors import FLOORS
from benchmarks.listing import DAYS, FIRST_PAGE
from benchmarks.page_server import PageServer
from orchestration.hub.listings import cursor_id
from orchestration.sandbox.listing_query import encode_cursor


@pytest.fixture(scope="module")
def server(pages):
    with PageServer(pages.folder, DAYS[1]) as server:
        yield server


@pytest.fixture
def client(server):
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        yield client


def test_a_walk_along_the_cursors_is_complete(pages, client, server):
    bodies, address, opened = [], FIRST_PAGE, set()
    while address:
        response = client.get(address)
        assert response.status_code == 200
        bodies.append(response.content)
        opened.add(id(response.extensions["network_stream"]))
        address = response.links.get("next", {}).get("url")
        if address:
            last_id = json.loads(response.content)[-1]["_id"]
            assert cursor_id(address) == last_id
            assert httpx2.URL(address).params["cursor"] == encode_cursor({"_id": {"$gt": last_id}})
            assert address.startswith(server.url + FIRST_PAGE + "&cursor=")

    assert bodies == pages.bodies[1]
    assert len(opened) == 1  # kept alive


def test_headers_are_those_of_the_hub_on_the_made_up_day(client):
    headers = client.get(FIRST_PAGE).headers

    told = parsedate_to_datetime(headers["Date"])
    noon = datetime.fromisoformat(f"{DAYS[1]}T12:00:00+00:00")
    assert 0 <= (told - noon).total_seconds() < 600
    limit = parse_ratelimit_headers(headers)
    assert (limit.limit, limit.window_seconds) == (1_000_000_000, 300)
    assert 0 < limit.remaining < limit.limit
    assert headers["X-Sandbox-Data"] == "simulated"
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "application/json; charset=utf-8"


def test_the_site_counts_the_rows(pages, client):
    told = client.get("/models-json?sort=created&withCount=true").json()
    assert told["numTotalItems"] == len(pages.days[1])


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (FIRST_PAGE.replace("createdAt&", "downloads&", 1), 400),
        (FIRST_PAGE.replace("limit=1000", "limit=500"), 400),
        (FIRST_PAGE.replace("&expand=sha", ""), 400),
        (FIRST_PAGE + "&expand=config", 400),
        (FIRST_PAGE + "&cursor=bm9uc2Vuc2U%3D", 400),
        ("/api/models/some/model", 404),
    ],
    ids=["another order", "another limit", "a field less", "a field more", "a cursor that it never gave", "a model"],
)
def test_what_the_pages_cannot_answer_is_refused(client, address, status):
    response = client.get(address)
    assert response.status_code == status
    assert response.json()["error"]


def test_who_takes_no_gzip_is_refused(client):
    assert client.get(FIRST_PAGE, headers={"Accept-Encoding": "identity"}).status_code == 406


def test_usage_grows_with_requests(client, server):
    before = server.usage()
    for _ in range(20):
        client.get(FIRST_PAGE)
    after = server.usage()

    assert after["requests"] - before["requests"] == 21
    assert after["cpu_seconds"] > before["cpu_seconds"]


def test_floors_read_every_page(pages, server):
    told = pages.description["days"][1]
    whole = {"pages": told["pages"], "bytes": told["raw_bytes"]}

    assert FLOORS["bytes"](server.url) == whole
    assert FLOORS["parse"](server.url) == whole | {"rows": told["rows"]}


def test_a_server_without_pages_does_not_start(tmp_path):
    with pytest.raises(RuntimeError, match="found no page server"), PageServer(tmp_path, DAYS[0]):
        pass
