"""Each thing that the sandbox Hub can do wrong is really done, to the reply that its rule names, and to no other.
How an extractor copes is tested where the extractor is."""

import json
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import parse_ratelimit_headers

from orchestration.sandbox.faults import KINDS, FaultError
from orchestration.sandbox.row_faults import HOSTILE
from orchestration.sandbox.server import SandboxHub
from tests.sandbox.tiny_snapshots import DAYS, public_rows, write_snapshots

QUERY = "sort=createdAt&direction=1&limit=10&expand=downloads&expand=downloadsAllTime&expand=tags&expand=trendingScore"


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> Path:
    return write_snapshots(tmp_path_factory.mktemp("snapshots"))


@pytest.fixture
def hub_with(snapshots):
    """`with hub_with({...fault}) as hub`, with a check at its end that every fault has struck."""

    @contextmanager
    def start(*faults: dict, **options) -> Iterator[SandboxHub]:
        with SandboxHub(snapshots, faults=list(faults), **options) as hub:
            yield hub
            assert all(rule.fired for rule in hub.faults.rules), "a fault never struck"

    return start


def pages_of(hub: SandboxHub, pages: int = 3, *, query: str = QUERY) -> list[httpx2.Response]:
    """The first pages as they come, following Link, without judging them."""
    responses, url = [], f"{hub.url}/api/models?{query}"
    with httpx2.Client(timeout=10) as client:
        for _ in range(pages):
            responses.append(client.get(url))
            url = responses[-1].links.get("next", {}).get("url")
            if url is None:
                break
    return responses


def expected_page(number: int) -> list[str]:
    """The identities on a page of ten, from 1."""
    return [row["_id"] for row in public_rows(DAYS[-1])][(number - 1) * 10 : number * 10]


def identities(response: httpx2.Response) -> list[str]:
    return [row["_id"] for row in response.json()]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 429])
def test_an_error_status_strikes_one_page_once(hub_with, status):
    with hub_with({"kind": "status", "page": 2, "status": status}) as hub:
        first, failed = pages_of(hub, 2)
        assert first.status_code == 200
        assert failed.status_code == status
        assert failed.json()["error"]
        assert "RateLimit" in failed.headers
        again = httpx2.get(first.links["next"]["url"])
        assert identities(again) == expected_page(2)


def test_too_many_requests_tells_when_to_come_back(hub_with):
    spent = {"kind": "status", "status": 429, "reset": 7, "nth": 1}
    busy = {"kind": "status", "status": 429, "remaining": 12, "retry_after": "Fri, 09 Oct 2026 12:00:05 GMT", "nth": 2}
    with hub_with(spent, busy) as hub:
        limits = [httpx2.get(f"{hub.url}/api/models") for _ in range(3)]
        assert limits[0].headers["RateLimit"] == '"api";r=0;t=7'
        assert parse_ratelimit_headers(limits[1].headers).remaining == 12
        assert limits[1].headers["Retry-After"] == "Fri, 09 Oct 2026 12:00:05 GMT"
        assert [response.status_code for response in limits] == [429, 429, 200]


def test_too_many_requests_may_come_with_budget_left_and_no_word_on_when(hub_with):
    with hub_with({"kind": "status", "status": 429, "remaining": 40}) as hub:
        response = httpx2.get(f"{hub.url}/api/models")
        assert response.status_code == 429
        assert parse_ratelimit_headers(response.headers).remaining == 40
        assert "Retry-After" not in response.headers


def test_a_redirect_leads_to_another_path_or_wherever_it_is_told(hub_with):
    elsewhere = {"kind": "redirect", "nth": 2, "location": "http://other-hub.invalid/api/models"}
    with hub_with({"kind": "redirect", "nth": 1}, elsewhere) as hub:
        moved, abroad = (httpx2.get(f"{hub.url}/api/models?limit=3") for _ in range(2))
        assert (moved.status_code, abroad.status_code, moved.content) == (307, 307, b"")
        assert moved.headers["Location"] == "/moved/api/models?limit=3"
        assert abroad.headers["Location"] == "http://other-hub.invalid/api/models"
        assert httpx2.get(hub.url + moved.headers["Location"]).status_code == 404


def test_the_real_client_recovers_from_what_it_retries(hub_with):
    with hub_with({"kind": "status", "status": 503, "retry_after": 0, "page": 1}) as hub:
        assert len(list(HfApi(endpoint=hub.url, token=False).list_models())) == len(public_rows(DAYS[-1]))
        assert [status for _, _, status in hub.requests] == [503, 200]


def test_a_short_body_breaks_off(hub_with):
    with hub_with({"kind": "short_body", "page": 1}) as hub:
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.get(f"{hub.url}/api/models?{QUERY}")
        assert identities(httpx2.get(f"{hub.url}/api/models?{QUERY}")) == expected_page(1)


def test_a_reset_connection_gives_no_byte(hub_with):
    with hub_with({"kind": "reset", "page": 1}) as hub:
        with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
            httpx2.get(f"{hub.url}/api/models?{QUERY}")
        assert hub.requests == [("GET", "/api/models", 0)]
        assert identities(httpx2.get(f"{hub.url}/api/models?{QUERY}")) == expected_page(1)


def test_a_reset_midway_comes_after_the_headers(hub_with):
    with hub_with({"kind": "reset_midway", "page": 1}) as hub:
        url = f"{hub.url}/api/models?{QUERY}"
        with httpx2.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            assert response.status_code == 200
            parts = response.iter_raw()
            got = next(parts)
            with pytest.raises(httpx2.ReadError):
                list(parts)
        assert 0 < len(got) < int(response.headers["Content-Length"])
        assert identities(httpx2.get(url)) == expected_page(1)


def test_a_flipped_byte_leaves_the_length(hub_with):
    with hub_with({"kind": "flipped_byte", "page": 1}) as hub:
        spoiled, right = (httpx2.get(f"{hub.url}/api/models?{QUERY}").content for _ in range(2))
        assert len(spoiled) == len(right)
        assert sum(one != other for one, other in zip(spoiled, right, strict=True)) == 1


def test_truncated_json_has_a_length_that_agrees(hub_with):
    with hub_with({"kind": "truncated_json", "page": 1}) as hub:
        response = httpx2.get(f"{hub.url}/api/models?{QUERY}", headers={"Accept-Encoding": "identity"})
        assert int(response.headers["Content-Length"]) == len(response.content)
        with pytest.raises(json.JSONDecodeError):
            response.json()


def test_a_cut_gzip_stream_cannot_be_read_to_its_end(hub_with):
    with hub_with({"kind": "gzip_cut", "page": 1}) as hub:
        headers = {"Accept-Encoding": "gzip"}
        with httpx2.stream("GET", f"{hub.url}/api/models?{QUERY}", headers=headers) as response:
            raw = b"".join(response.iter_raw())
        reader = zlib.decompressobj(wbits=31)
        reader.decompress(raw)
        assert not reader.eof


def test_a_reply_that_is_not_compressed_is_not_cut_as_gzip(snapshots):
    with SandboxHub(snapshots, faults=[{"kind": "gzip_cut", "page": 1}]) as hub:
        url = f"{hub.url}/api/models?{QUERY}"
        assert identities(httpx2.get(url, headers={"Accept-Encoding": "identity"})) == expected_page(1)
        assert hub.faults.rules[0].fired == 0


@pytest.mark.parametrize(
    ("kind", "media_type", "content"),
    [
        ("html", "text/html", "<!doctype html><title>Hugging Face</title>"),
        ("empty", "application/json", ""),
        ("error_object", "application/json", '{"error":"Internal error - we are working on it"}'),
        ("empty_object", "application/json", "{}"),
    ],
)
def test_a_well_looking_answer_is_no_list(hub_with, kind, media_type, content):
    with hub_with({"kind": kind, "page": 1}) as hub:
        response = httpx2.get(f"{hub.url}/api/models?{QUERY}")
        assert (response.status_code, response.headers["Content-Type"].split(";")[0]) == (200, media_type)
        assert response.text.startswith(content)
        assert bool(response.text) is bool(content)
        assert "Link" not in response.headers or kind == "empty"


def test_invalid_utf8_is_in_the_body(hub_with):
    with hub_with({"kind": "invalid_utf8", "page": 1}) as hub:
        response = httpx2.get(f"{hub.url}/api/models?{QUERY}")
        with pytest.raises(UnicodeDecodeError):
            response.content.decode("utf-8")


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_a_slow_answer_is_right_in_the_end(hub_with, kind):
    with hub_with({"kind": kind, "page": 1, "seconds": 0.4}) as hub:
        started = time.monotonic()
        response = httpx2.get(f"{hub.url}/api/models?{QUERY}")
        assert time.monotonic() - started >= 0.4
        assert identities(response) == expected_page(1)


def test_a_hang_outlasts_the_client_and_not_the_server(hub_with):
    started = time.monotonic()
    with hub_with({"kind": "hang", "page": 1, "seconds": 300}) as hub:
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.get(f"{hub.url}/api/models?{QUERY}", timeout=0.3)
        assert identities(httpx2.get(f"{hub.url}/api/models?{QUERY}")) == expected_page(1)
    assert time.monotonic() - started < 10


def test_a_duplicate_page_repeats_the_one_before_and_leads_on(hub_with):
    with hub_with({"kind": "duplicate_page", "page": 2}) as hub:
        pages = pages_of(hub)
        assert [identities(page) for page in pages] == [expected_page(1), expected_page(1), expected_page(3)]


def test_an_overlapping_page_repeats_its_predecessors_tail(hub_with):
    with hub_with({"kind": "overlapping_page", "page": 2, "rows": 3}) as hub:
        assert identities(pages_of(hub)[1]) == expected_page(1)[-3:] + expected_page(2)


def test_out_of_order_rows_change_places(hub_with):
    with hub_with({"kind": "out_of_order", "page": 2}) as hub:
        found, right = identities(pages_of(hub)[1]), expected_page(2)
        assert found == [right[-1], *right[1:-1], right[0]]


def test_dropped_rows_are_silently_absent(hub_with):
    with hub_with({"kind": "dropped_rows", "page": 2, "rows": 4}) as hub:
        assert identities(pages_of(hub)[1]) == expected_page(2)[4:]


def test_an_ignored_order_gives_the_newest_first(hub_with):
    with hub_with({"kind": "ignored_order", "page": 1}) as hub:
        assert identities(pages_of(hub)[0]) == expected_page(1)[::-1]


def total(hub: SandboxHub) -> int:
    return httpx2.get(f"{hub.url}/models-json?sort=created&withCount=true").json()["numTotalItems"]


def test_late_rows_come_after_all_others_and_are_not_counted(hub_with):
    before = len(public_rows(DAYS[-1]))
    with hub_with({"kind": "late_rows", "page": 3, "rows": 1}) as hub:
        last = pages_of(hub, query=f"{QUERY}&expand=createdAt&expand=author")[-1]
        *usual, late = last.json()
        assert [row["_id"] for row in usual] == expected_page(3)
        assert "Link" not in last.headers
        created = datetime.fromisoformat(late["createdAt"])
        assert created.timestamp() == int(late["_id"][:8], 16)
        assert created >= parsedate_to_datetime(last.headers["Date"])
        assert late["_id"] > usual[-1]["_id"]
        assert (late["downloads"], late["downloadsAllTime"]) == (0, 0)
        assert late["id"].split("/")[0] == late["author"]
        assert total(hub) == before


def test_late_rows_are_as_many_as_the_page_has_room_for(snapshots):
    rules = [{"kind": "late_rows", "rows": 50, "times": None}]
    with SandboxHub(snapshots, faults=rules) as hub:
        last = pages_of(hub)[-1].json()
        assert len(last) == 10
        assert len({row["_id"] for row in last}) == len({row["id"] for row in last}) == 10
        assert hub.faults.rules[0].fired == 1
        exact = len(public_rows(DAYS[-1]))
        assert len(httpx2.get(f"{hub.url}/api/models?{QUERY}&limit={exact}").json()) == exact, "a full page has no room"
        assert hub.faults.rules[0].fired == 1


def test_vanishing_rows_leave_a_short_page_that_leads_on_and_a_smaller_total(snapshots):
    before = len(public_rows(DAYS[-1]))
    with SandboxHub(snapshots, faults=[{"kind": "vanishing_rows", "page": 2, "rows": 3}]) as hub:
        assert total(hub) == before
        for _ in range(2):  # what is deleted stays away
            pages = pages_of(hub)
            assert [identities(page) for page in pages] == [
                expected_page(1),
                expected_page(2)[3:],
                expected_page(3),
            ]
            assert total(hub) == before - 3
        assert hub.faults.rules[0].fired == 1
        hub.day = DAYS[0]
        assert total(hub) == len(public_rows(DAYS[0])), "on that day only"
        assert identities(pages_of(hub)[1]) == [row["_id"] for row in public_rows(DAYS[0])[10:20]]
        hub.faults.load([])
        hub.day = DAYS[-1]
        assert total(hub) == before


def test_vanishing_rows_spare_the_last_page(snapshots):
    with SandboxHub(snapshots, faults=[{"kind": "vanishing_rows", "page": 3}]) as hub:
        assert identities(pages_of(hub)[2]) == expected_page(3)
        assert hub.faults.rules[0].fired == 0


NAMES = f"{QUERY}&expand=author"


@pytest.mark.parametrize(
    ("kind", "renamed"), [("case_colliding_ids", str.swapcase), ("duplicate_ids", lambda name: name)]
)
def test_two_repositories_can_share_a_name(hub_with, kind, renamed):
    right = public_rows(DAYS[-1])[:10]
    with hub_with({"kind": kind, "page": 1, "rows": 2}) as hub:
        rows = pages_of(hub, query=NAMES)[0].json()
        assert [row["_id"] for row in rows] == expected_page(1)
        assert [row["id"] for row in rows[:4]] == [
            right[0]["id"],
            renamed(right[0]["id"]),
            right[2]["id"],
            renamed(right[2]["id"]),
        ]
        assert [row["id"] for row in rows[4:]] == [row["id"] for row in right[4:]]
        assert all(row["author"] == row["id"].split("/")[0] for row in rows)


def test_old_names_have_no_slash_and_no_author(hub_with):
    right = public_rows(DAYS[-1])[:10]
    with hub_with({"kind": "id_without_slash", "page": 1, "rows": 2}) as hub:
        rows = pages_of(hub, query=NAMES)[0].json()
        assert [row["id"] for row in rows] == [
            *(row["id"].split("/")[1] for row in right[:2]),
            *(row["id"] for row in right[2:]),
        ]
        assert ["author" in row for row in rows] == [False] * 2 + [True] * 8


def test_hostile_strings_stand_in_names_and_tags(hub_with):
    query = NAMES.replace("limit=10", "limit=20")
    with hub_with({"kind": "hostile_strings", "page": 1}) as hub:
        rows = pages_of(hub, query=query)[0].json()
        poisoned = rows[: len(HOSTILE)]
        assert all(hostile in row["id"] for hostile, row in zip(HOSTILE, poisoned, strict=True))
        assert all(row["tags"] == list(HOSTILE) for row in poisoned)
        assert rows[len(HOSTILE)]["id"] == public_rows(DAYS[-1])[len(HOSTILE)]["id"]
        everything = "".join(HOSTILE)
        for expected in ("\x00", "\u202e", "\x1b", "\r\n", "'; drop table", "{{7*7}}", "=cmd", "x" * 10_000):
            assert expected in everything
        assert len({row["id"] for row in rows}) == len(rows)


def test_a_missing_link_ends_the_walk_early(hub_with):
    with hub_with({"kind": "missing_link", "page": 2}, advance=True, day=DAYS[-1]) as hub:
        pages = pages_of(hub)
        assert len(pages) == 2
        assert identities(pages[1]) == expected_page(2)


def test_a_walk_that_seemed_to_end_does_not_move_the_clock(hub_with):
    with hub_with({"kind": "missing_link", "page": 2}, advance=True) as hub:
        assert len(pages_of(hub)) == 2
        pages_of(hub)
        assert hub.day == DAYS[0]
        pages_of(hub)
        assert hub.day == DAYS[1]


def test_a_failed_last_page_does_not_move_the_clock(hub_with):
    with hub_with({"kind": "status", "page": 3}, advance=True) as hub:
        assert pages_of(hub)[-1].status_code == 500
        pages_of(hub)
        assert hub.day == DAYS[0]


@pytest.mark.parametrize(
    ("kind", "leads_to"),
    [
        ("link_loop", "{url}"),
        ("link_back", "{url}"),
        ("link_other_host", "http://other-hub.invalid/api/models?"),
        ("link_relative", "/api/models?"),
    ],
)
def test_links_can_lead_astray(hub_with, kind, leads_to):
    with hub_with({"kind": kind, "page": 1}) as hub:
        url = f"{hub.url}/api/models?{QUERY}"
        response = httpx2.get(url)
        assert response.links["next"]["url"].startswith(leads_to.format(url=url))
        assert ("cursor=" in response.links["next"]["url"]) is (kind not in ("link_loop", "link_back"))


def test_a_link_can_lead_back_to_the_beginning(hub_with):
    with hub_with({"kind": "link_back", "page": 2}) as hub:
        assert [identities(page) for page in pages_of(hub, 3)] == [expected_page(number) for number in (1, 2, 1)]


def test_a_trailing_link_leads_to_an_empty_page(hub_with):
    with hub_with({"kind": "trailing_link", "page": 3}) as hub:
        pages = pages_of(hub, 5)
        assert [identities(page) for page in pages] == [*(expected_page(number) for number in (1, 2, 3)), []]


def test_wrong_types_are_in_the_first_rows_only(hub_with):
    chosen = {"kind": "wrong_types", "page": 2, "values": {"tags": 5}, "rows": 2}
    with hub_with({"kind": "wrong_types", "page": 1}, chosen) as hub:
        first, second, _ = (page.json() for page in pages_of(hub))
        assert first[0]["downloads"] == "12k"
        assert first[0]["downloadsAllTime"] == {"value": 1}
        assert isinstance(first[1]["downloads"], int)
        assert [row["tags"] == 5 for row in second] == [True, True] + [False] * 8


def test_a_retyped_field_is_text_in_every_row(hub_with):
    right = [str(row["downloads"]) for row in public_rows(DAYS[-1])]
    chosen = {"kind": "retyped_field", "page": 2, "names": ["downloadsAllTime", "trendingScore"]}
    with hub_with({"kind": "retyped_field", "page": 1}, chosen) as hub:
        first, second, third = (page.json() for page in pages_of(hub))
        assert [row["downloads"] for row in first] == right[:10]
        assert {type(row["downloadsAllTime"]) for row in second} == {str}
        assert {type(row["downloads"]) for row in second + third} == {int}


@pytest.mark.parametrize(("kind", "more"), [("whole_floats", 0.0), ("fractional_floats", 0.5)])
def test_counters_can_come_as_floats(hub_with, kind, more):
    right = public_rows(DAYS[-1])
    with hub_with({"kind": kind, "page": 1, "rows": 2}) as hub:
        response = pages_of(hub)[0]
        rows = response.json()
        assert [row["downloadsAllTime"] for row in rows[:2]] == [row["downloadsAllTime"] + more for row in right[:2]]
        assert [type(row["downloads"]) for row in rows[:3]] == [float, float, int]
        assert f'"downloads":{rows[1]["downloads"]:.1f}' in response.text


def test_gates_are_of_every_kind(hub_with):
    with hub_with({"kind": "gated_values", "page": 1}) as hub:
        rows = pages_of(hub, query=f"{QUERY}&expand=gated")[0].json()
        assert [row["gated"] for row in rows] == [True, "true", None, "auto", False] * 2


def test_a_value_can_be_too_deep_to_parse(hub_with):
    with hub_with({"kind": "deep_nesting", "page": 1}) as hub:
        first, second, _ = pages_of(hub)
        assert first.text.count("[") > 100_000
        assert first.text.count("[") == first.text.count("]")
        assert first.text.count('"tags"') == 10, "in place of the row's own tags"
        with pytest.raises(RecursionError):
            json.loads(first.text)
        assert identities(second) == expected_page(2)


def test_a_key_can_stand_twice(hub_with):
    right = public_rows(DAYS[-1])[:10]
    with hub_with({"kind": "duplicate_keys", "page": 1, "rows": 3}) as hub:
        response = pages_of(hub)[0]
        pairs = json.loads(response.text, object_pairs_hook=list)
        downloads = [[value for name, value in row if name == "downloads"] for row in pairs]
        assert downloads == [[1, row["downloads"]] for row in right[:3]] + [[row["downloads"]] for row in right[3:]]


def test_unknown_fields_come_unasked(hub_with):
    with hub_with({"kind": "unknown_field", "page": 1, "rows": 2}) as hub:
        rows = pages_of(hub)[0].json()
        assert [("sandboxNovelty" in row) for row in rows] == [True, True] + [False] * 8


def test_missing_fields_are_missing(hub_with):
    with hub_with({"kind": "missing_field", "page": 1, "names": ["_id"]}) as hub:
        rows = pages_of(hub)[0].json()
        assert ["_id" in row for row in rows] == [False] + [True] * 9


@pytest.mark.parametrize(
    ("kind", "is_hostile"),
    [
        ("huge_integer", lambda row: row["downloadsAllTime"] == 2**70),
        ("nan", lambda row: row["trendingScore"] != row["trendingScore"]),
        ("lone_surrogate", lambda row: "\ud800" in row["tags"][0]),
        ("huge_tag", lambda row: len(row["tags"][0]) == 100_000),
        ("many_tags", lambda row: len(row["tags"]) == 5_000),
    ],
)
def test_hostile_values_reach_the_client(hub_with, kind, is_hostile):
    with hub_with({"kind": kind, "page": 1}) as hub:
        assert is_hostile(json.loads(httpx2.get(f"{hub.url}/api/models?{QUERY}").content)[0])


def test_refused_expands_are_told_with_the_allowed_ones(hub_with):
    with hub_with({"kind": "refuse_expand", "names": ["baseModels"], "times": None}) as hub:
        assert pages_of(hub)[0].status_code == 200, "a page that does not ask for it is left alone"
        for _ in range(2):
            response = httpx2.get(f"{hub.url}/api/models?expand=sha&expand=baseModels")
            assert response.status_code == 400
            allowed = response.json()["error"].removeprefix('"expand" must be one of [').removesuffix("]").split(", ")
            assert "baseModels" not in allowed
            assert {"sha", "downloadsAllTime"} <= set(allowed)


def test_refused_expands_are_told_in_the_other_wording_too(hub_with):
    with hub_with({"kind": "refuse_expand_as_option", "names": ["baseModels"]}) as hub:
        error = httpx2.get(f"{hub.url}/api/models?expand=sha&expand=baseModels").json()["error"]
        assert error.startswith('Invalid option: expected one of "author"|"cardData"|')
        assert '"baseModels"' not in error


def test_headers_can_be_absent(hub_with):
    with hub_with({"kind": "missing_header", "names": ["RateLimit", "Date"], "page": 1}) as hub:
        first, second, _ = pages_of(hub)
        assert "RateLimit" not in first.headers
        assert "Date" not in first.headers
        assert "RateLimit-Policy" in first.headers
        assert {"ratelimit", "date"} <= set(second.headers)


def test_other_routes_fail_as_well(hub_with):
    user = {"kind": "status", "route": "user", "nth": 2, "status": 502}
    file = {"kind": "short_body", "route": "resolve", "nth": 2}
    with hub_with(user, file) as hub:
        overview = f"{hub.url}/api/users/beta/overview"
        assert [httpx2.get(overview).status_code for _ in range(3)] == [200, 502, 200]
        archive = f"{hub.url}/datasets/cfahlgren1/hub-stats/resolve/main/models.parquet"
        whole = httpx2.get(archive)
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.get(archive)
        assert httpx2.get(archive).content == whole.content


def test_a_rule_can_hold_on_one_day_only(hub_with):
    with hub_with({"kind": "status", "day": str(DAYS[1]), "times": None}) as hub:
        statuses = []
        for day in DAYS:
            hub.day = day
            statuses.append(httpx2.get(f"{hub.url}/api/models").status_code)
        assert statuses == [200, 500, 200]


def test_a_rule_can_strike_now_and_then_the_same_way_every_time(hub_with):
    rule = {"kind": "status", "rate": 0.3, "times": None, "seed": 5}
    runs = []
    for _ in range(2):
        with hub_with(rule) as hub:
            runs.append([httpx2.get(f"{hub.url}/api/models?limit=1").status_code for _ in range(40)])
    assert runs[0] == runs[1]
    assert 4 <= runs[0].count(500) <= 20


def test_the_real_client_hears_of_a_fault_that_does_not_pass(hub_with):
    with hub_with({"kind": "status", "status": 520, "times": None}) as hub, pytest.raises(HfHubHTTPError):
        list(HfApi(endpoint=hub.url, token=False).list_models())


def test_faults_can_come_from_a_file(snapshots, tmp_path):
    file = tmp_path / "faults.json"
    file.write_text(json.dumps([{"kind": "status", "status": 504}]))
    with SandboxHub(snapshots, faults=file) as hub:
        assert httpx2.get(f"{hub.url}/api/models").status_code == 504
        assert [rule.fired for rule in hub.faults.rules] == [1]


def test_a_file_of_faults_may_be_an_object(snapshots, tmp_path):
    file = tmp_path / "faults.json"
    file.write_text(json.dumps({"why": "a test", "faults": [{"kind": "status", "status": 504}]}))
    with SandboxHub(snapshots, faults=file) as hub:
        assert httpx2.get(f"{hub.url}/api/models").status_code == 504
    file.write_text(json.dumps({"fault": []}))
    with pytest.raises(FaultError, match="expected a list of objects"):
        SandboxHub(snapshots, faults=file)


def test_faults_can_be_changed_while_the_hub_runs(snapshots):
    with SandboxHub(snapshots) as hub:
        statuses = []
        for faults in ([], [{"kind": "status", "nth": 1}], []):
            hub.faults.load(faults)
            statuses.append(httpx2.get(f"{hub.url}/api/models").status_code)
        assert statuses == [200, 500, 200]


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ([{"kind": "explode"}], "found the fault kind 'explode'; expected one of"),
        ([{"kind": "html", "route": "planets"}], "found the route 'planets'; expected one of"),
        ([{"kind": "html", "pages": 2}], "unknown: \\['pages'\\]"),
        ([{"kind": "html", "day": "monday"}], "found the day 'monday'; expected YYYY-MM-DD"),
        (Path("no-such-faults.json"), "expected no-such-faults.json to hold a JSON list of faults"),
        ([{"route": "models"}], "expected a kind and any of"),
        ({"kind": "html"}, "expected a list of objects"),
        (["html"], "expected a list of objects"),
    ],
)
def test_faults_that_cannot_be_understood_are_told(snapshots, faults, message):
    with pytest.raises(FaultError, match=message):
        SandboxHub(snapshots, faults=faults)


def test_every_kind_of_fault_says_what_it_does_and_is_tested_here():
    here = Path(__file__).read_text()
    assert all(function.__doc__ for function in KINDS.values())
    assert [kind for kind in KINDS if f'"{kind}"' not in here] == []
