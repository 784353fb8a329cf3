"""The walk against real HTTP: every page once and in order, and each broken promise named."""

import base64
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import quote

import pyarrow as pa
import pytest

from orchestration.hub.client import HubClient
from orchestration.hub.errors import HubConfigurationError, HubIntegrityError
from orchestration.hub.listings import LISTINGS, MODELS, Page, Walk, accepted_expands, cursor_id, fetch_total
from orchestration.hub.records import Provenance
from tests.hub.snapshots import model_id

COUNT = 45  # in pages of 20: the third is partial


NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)


def rows_of(page: Page) -> list[dict[str, object]]:
    where_from = Provenance(page=page.number, fetched_at=NOW, source="hub_api", source_revision="r", captured_at=NOW)
    return page.to_table(MODELS.fields, where_from).table.to_pylist()


def ids_of(walk: Walk) -> list[str]:
    return [row["_id"] for page in walk for row in rows_of(page)]


@pytest.mark.parametrize(
    ("count", "pages"),
    [(45, 3), (40, 2), (41, 3), (20, 1), (1, 1)],
    ids=["partial last page", "exact multiple", "one row on the last page", "one full page", "one row"],
)
def test_the_walk_keeps_every_row_of_every_page(serve, client_of, count, pages):
    walk = Walk(client_of(serve(count)), MODELS, page_size=20)
    assert ids_of(walk) == [model_id(number) for number in range(count)]
    assert (walk.pages, walk.drift) == (pages, {})


def test_an_empty_last_page_is_an_end(serve, client_of):
    hub = serve(41, faults=[{"kind": "dropped_rows", "page": 3, "rows": 1}])
    assert len(ids_of(Walk(client_of(hub), MODELS, page_size=20))) == 40


def test_the_walk_asks_for_all_fields_in_order_of_creation(serve, client_of):
    client = client_of(serve())
    (first, *_) = Walk(client, MODELS, page_size=20)
    row = rows_of(first)[1]
    told = {name for name, value in row.items() if value is not None}
    assert told >= {"_id", "id", "author", "downloads", "downloadsAllTime", "safetensors_total", "baseModels"}
    assert (first.number, first.simulated) == (1, True)
    assert "sort=createdAt&direction=1&limit=20&" in first.next_url


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("duplicate_page", "strictly increasing"),
        ("overlapping_page", r"has 21 rows"),
        ("out_of_order", "strictly increasing"),
        ("link_loop", "names itself"),
        ("link_other_host", "same scheme, host and path"),
    ],
)
def test_a_broken_promise_stops_the_walk(serve, client_of, fault, words):
    hub = serve(faults=[{"kind": fault, "page": 2}])
    with pytest.raises(HubIntegrityError, match=words):
        ids_of(Walk(client_of(hub), MODELS, page_size=20))


def test_an_overlap_that_fits_the_page_is_seen_by_the_order(serve, client_of):
    hub = serve(faults=[{"kind": "overlapping_page", "page": 3}])  # 5 rows and 1 repeated
    with pytest.raises(HubIntegrityError, match="strictly increasing"):
        ids_of(Walk(client_of(hub), MODELS, page_size=20))


def test_an_empty_page_that_names_a_next_one_is_broken(serve, client_of):
    hub = serve(faults=[{"kind": "dropped_rows", "page": 2, "rows": 20}])
    with pytest.raises(HubIntegrityError, match="is empty and names a next page"):
        ids_of(Walk(client_of(hub), MODELS, page_size=20))


def test_a_relative_next_page_is_followed(serve, client_of):
    hub = serve(faults=[{"kind": "link_relative", "page": 1}])
    assert len(ids_of(Walk(client_of(hub), MODELS, page_size=20))) == COUNT


def test_a_short_page_is_noted_and_not_fatal(serve, client_of):
    hub = serve(faults=[{"kind": "dropped_rows", "page": 2, "rows": 3}])
    walk = Walk(client_of(hub), MODELS, page_size=20)
    assert len(ids_of(walk)) == COUNT - 3
    assert walk.drift == {"a page other than the last is shorter than asked for": 1}


def test_a_cursor_is_read_for_the_soft_check_only():
    cursor = base64.b64encode(b'{"_id":{"$gt":"abc"}}').decode()
    assert cursor_id(f"http://hub/api/models?limit=1&cursor={cursor}") == "abc"
    assert cursor_id("http://hub/api/models?cursor=opaque!") is None
    assert cursor_id("http://hub/api/models") is None


@pytest.mark.parametrize(
    ("cursor", "drift"),
    [
        (base64.b64encode(b'{"_id":{"$gt":"a1"}}').decode(), {}),
        (base64.b64encode(b'{"_id":{"$gt":"a2"}}').decode(), {"a cursor doesn't decode to the page's last _id": 1}),
        ("opaque", {"a cursor doesn't decode to the page's last _id": 1}),
    ],
    ids=["the last row", "a row behind it", "another form"],
)
def test_an_odd_cursor_is_noted_and_followed(cursor, drift):
    class TwoPages(BaseHTTPRequestHandler):
        def do_GET(self):
            is_first = "cursor=" not in self.path
            body = b'[{"_id":"a1","id":"x/y"}]' if is_first else b'[{"_id":"a3","id":"x/z"}]'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            if is_first:
                self.send_header("Link", f'</api/models?limit=1&cursor={quote(cursor)}>; rel="next"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), TwoPages) as server:
        threading.Thread(target=lambda: [server.handle_request() for _ in range(2)], daemon=True).start()
        with HubClient(f"http://127.0.0.1:{server.server_port}", sleep=lambda _: None) as client:
            walk = Walk(client, MODELS, page_size=1)
            assert ids_of(walk) == ["a1", "a3"]
    assert walk.drift == drift


@pytest.mark.parametrize("names", [["_id"], ["id"]])
def test_rows_without_ids_are_asked_for_again_and_then_refused(serve, client_of, names):
    once = serve(faults=[{"kind": "missing_field", "names": names, "page": 2}])
    assert len(ids_of(Walk(client_of(once), MODELS, page_size=20))) == COUNT
    always = serve(faults=[{"kind": "missing_field", "names": names, "page": 2, "times": None}])
    with pytest.raises(HubIntegrityError, match="has no _id or no id"):
        ids_of(Walk(client_of(always), MODELS, page_size=20))


def test_refused_optional_fields_are_left_out_once_and_noted(serve, client_of):
    hub = serve(faults=[{"kind": "refuse_expand", "names": ["baseModels", "sha"], "times": None}])
    before = len(hub.requests)
    walk = Walk(client_of(hub), MODELS, page_size=20)
    pages = list(walk)
    assert sum(page.count for page in pages) == COUNT
    assert {row["baseModels"] for page in pages for row in rows_of(page)} == {None}
    assert set(walk.expand) == set(MODELS.expand) - {"baseModels", "sha"}
    assert len(walk.drift) == 2
    assert [request[2] for request in hub.requests][before:] == [400, 200, 200, 200]


def test_a_field_we_cannot_do_without_is_a_configuration_error(serve, client_of):
    hub = serve(faults=[{"kind": "refuse_expand", "names": ["downloadsAllTime"], "times": None}])
    with pytest.raises(HubConfigurationError, match="no longer gives downloadsAllTime"):
        ids_of(Walk(client_of(hub), MODELS, page_size=20))


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ('"expand" must be one of [author, model-index, sha]', {"author", "model-index", "sha"}),
        (
            'Invalid option: expected one of "author"|"model-index"|"sha"\n  → at expand[3]',
            {"author", "model-index", "sha"},
        ),
        ("Bad Request", set()),
    ],
    ids=["the older wording", "the newer wording", "no list"],
)
def test_both_wordings_of_a_refusal_are_understood(said, names):
    assert accepted_expands(said) == names


def test_the_sites_total_is_read(serve, client_of):
    assert fetch_total(client_of(serve()), MODELS) == COUNT


def test_the_registry_has_the_landed_schema_of_models():
    assert set(LISTINGS) == {"models", "datasets", "spaces"}
    schema = LISTINGS["models"].schema
    assert schema.field("trendingScore").type == pa.float64()
    assert schema.field("safetensors_total").type == pa.int64()
    assert schema.names == [
        "_id", "id", "author", "createdAt", "lastModified", "downloads", "downloadsAllTime", "likes", "trendingScore",
        "gated", "disabled", "private", "pipeline_tag", "library_name", "sha", "tags", "safetensors_total",
        "baseModels", "extra", "cast_errors", "page", "fetched_at", "source", "source_revision", "captured_at",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["datasets", "spaces"])
def test_each_listing_is_one_entry_of_the_registry(name):
    listing = LISTINGS[name]
    assert (listing.path, listing.total_path) == (f"/api/{name}", f"/{name}-json?sort=created&withCount=true")
    assert {"_id", "id", "createdAt"} <= listing.required
    assert listing.row_floor >= 100_000
    assert "2026-11-24" in listing.floor_reason


def test_a_page_that_fails_whole_is_asked_for_in_halves(serve, client_of):
    """Pages of 20 fail for ever, pages of 10 once: the walk goes on in tens and comes back to twenties."""
    hub = serve(faults=[{"kind": "status", "status": 504, "page": 2, "times": 4}])
    walk = Walk(client_of(hub), MODELS, page_size=20)
    pages = list(walk)
    assert [page.count for page in pages] == [20, 10, 15]
    assert [row["_id"] for page in pages for row in rows_of(page)] == [model_id(number) for number in range(COUNT)]
    assert walk.drift == {"a page was asked for with half the rows after repeated failures": 1}
