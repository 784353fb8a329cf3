"""The sandbox Hub as its clients see it: the real `huggingface_hub` and bare HTTP, over three days of thirty models.
Its misbehaviour has a test module of its own."""

import base64
import gzip
import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import parse_ratelimit_headers

from orchestration.sandbox.server import SandboxHub
from orchestration.sandbox.snapshot_store import SnapshotError
from tests.sandbox.tiny_snapshots import DAYS, FIRST_CREATED, SCHEMA, model, public_rows, row_id, write_snapshots

DATASET = "cfahlgren1/hub-stats"


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> Path:
    return write_snapshots(tmp_path_factory.mktemp("snapshots"))


@pytest.fixture(scope="module")
def hub(snapshots: Path) -> Iterator[SandboxHub]:
    with SandboxHub(snapshots) as hub:
        yield hub


@pytest.fixture(autouse=True)
def last_day(request) -> None:
    if "hub" in request.fixturenames:
        request.getfixturevalue("hub").day = DAYS[-1]


@pytest.fixture
def api(hub: SandboxHub) -> HfApi:
    return HfApi(endpoint=hub.url, token=False)


def walk(hub: SandboxHub, query: str) -> list[list[dict]]:
    """All pages of a listing, following Link."""
    pages, url = [], f"{hub.url}/api/models?{query}"
    with httpx2.Client() as client:
        while url:
            response = client.get(url).raise_for_status()
            pages.append(response.json())
            url = response.links.get("next", {}).get("url")
            assert len(pages) < 100, "the listing does not end"
    return pages


# --- the listing, through the real client ----------------------------------------------------------------------------


def test_list_models_gives_every_public_model_once(api):
    models = list(api.list_models(sort="created_at", expand=["createdAt", "downloadsAllTime", "gated", "safetensors"]))
    expected = public_rows(DAYS[-1])[::-1]
    assert [each.id for each in models] == [row["id"] for row in expected]
    assert [each.created_at for each in models] == [row["createdAt"] for row in expected]
    assert [each.downloads_all_time for each in models] == [row["downloadsAllTime"] for row in expected]
    gates = {"false": False, "auto": "auto", "manual": "manual"}
    assert [each.gated for each in models] == [gates[row["gated"]] for row in expected]
    assert [each.safetensors and each.safetensors.total for each in models] == [
        row["safetensors"] and row["safetensors"]["total"] for row in expected
    ]


@pytest.mark.parametrize("sort", ["downloads", "likes", "last_modified", "trending_score", "created_at"])
def test_list_models_sorts_and_pages_by_any_key(api, hub, sort):
    whole = [each.id for each in api.list_models(sort=sort)]
    key = {"last_modified": "lastModified", "trending_score": "trendingScore", "created_at": "createdAt"}.get(
        sort, sort
    )
    pages = walk(hub, f"sort={key}&limit=4")
    assert [row["id"] for page in pages for row in page] == whole
    assert len(whole) == len(set(whole)) == len(public_rows(DAYS[-1]))
    values = [row.get(key) for page in walk(hub, f"sort={key}&limit=4&expand={key}") for row in page]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[len(known) :] == [None] * (len(values) - len(known)), "rows without a value come last"


def test_ties_are_ordered_by_identity(hub):
    rows = [row for page in walk(hub, "sort=likes&limit=7&expand=likes") for row in page]
    assert rows == sorted(rows, key=lambda row: (-row["likes"], row["_id"]))


@pytest.mark.parametrize(
    ("arguments", "is_wanted"),
    [
        ({"author": "Alpha"}, lambda row: row["author"] == "Alpha"),
        ({"filter": "odd:1"}, lambda row: "odd:1" in row["tags"]),
        ({"filter": ["odd:1", "text-generation"]}, lambda row: "odd:1" in row["tags"] and row["pipeline_tag"]),
        ({"search": "MODEL-1"}, lambda row: "model-1" in row["id"].lower()),
        ({"gated": True}, lambda row: row["gated"] != "false"),
        ({"gated": False}, lambda row: row["gated"] == "false"),
        ({"pipeline_tag": "text-generation"}, lambda row: row["pipeline_tag"] == "text-generation"),
        ({"author": "nobody"}, lambda row: False),
    ],
)
@pytest.mark.parametrize("sort", ["created_at", "downloads"])
def test_list_models_filters(api, arguments, is_wanted, sort):
    found = {each.id for each in api.list_models(sort=sort, **arguments)}
    assert found == {row["id"] for row in public_rows(DAYS[-1]) if is_wanted(row)}


def test_filters_hold_across_pages(hub):
    ids = [row["id"] for page in walk(hub, "sort=downloads&limit=2&author=Alpha&filter=odd%3A1") for row in page]
    assert len(ids) == len(set(ids))
    assert set(ids) == {
        row["id"] for row in public_rows(DAYS[-1]) if row["author"] == "Alpha" and "odd:1" in row["tags"]
    }


def test_list_models_stops_at_its_limit(api):
    assert len(list(api.list_models(limit=7))) == 7


# --- the listing, byte by byte ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 28, 29, 30, 1000])
def test_walk_by_creation_is_a_keyset_on_identity(hub, limit):
    pages = walk(hub, f"sort=createdAt&direction=1&limit={limit}&expand=sha")
    rows = [row for page in pages for row in page]
    assert [row["_id"] for row in rows] == [row["_id"] for row in public_rows(DAYS[-1])]
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1]


def test_next_link_is_absolute_and_repeats_the_query(hub):
    query = "limit=3&sort=createdAt&direction=1&expand%5B%5D=sha&expand=tags"
    response = httpx2.get(f"{hub.url}/api/models?{query}")
    url = response.links["next"]["url"]
    head, _, cursor = url.rpartition("&cursor=")
    assert head == f"{hub.url}/api/models?{query}"
    assert cursor.endswith(("%3D", "%3D%3D")) or "%" not in cursor
    decoded = json.loads(base64.b64decode(httpx2.URL(url).params["cursor"]))
    assert decoded == {"_id": {"$gt": response.json()[-1]["_id"]}}


def test_cursor_of_a_moving_key_is_a_keyset_on_value_then_identity(hub):
    response = httpx2.get(f"{hub.url}/api/models?limit=3&sort=downloads&expand=downloads")
    last = response.json()[-1]
    decoded = json.loads(base64.b64decode(httpx2.URL(response.links["next"]["url"]).params["cursor"]))
    assert decoded == {
        "$or": [
            {"downloads": last["downloads"], "_id": {"$gt": last["_id"]}},
            {"downloads": {"$lt": last["downloads"]}},
            {"downloads": None},
        ]
    }


def test_a_cursor_may_point_anywhere_in_time(hub):
    start = int((FIRST_CREATED + timedelta(hours=25)).timestamp())
    cursor = base64.b64encode(json.dumps({"_id": {"$gt": f"{start:08x}" + "0" * 16}}).encode()).decode()
    rows = httpx2.get(f"{hub.url}/api/models", params={"sort": "createdAt", "direction": 1, "cursor": cursor}).json()
    assert [row["id"][-2:] for row in rows] == ["25", "26", "27", "28", "29", "02"]


def test_expanded_rows_hold_what_was_asked_and_nothing_absent(hub):
    names = "author baseModels createdAt disabled downloads downloadsAllTime gated lastModified library_name likes"
    names += " pipeline_tag private safetensors sha tags trendingScore"
    query = "&".join(f"expand={name}" for name in names.split())
    rows = {row["id"]: row for page in walk(hub, f"sort=createdAt&direction=1&{query}") for row in page}
    assert rows["beta/model-00"] == {
        "_id": row_id(FIRST_CREATED, 0),
        "id": "beta/model-00",
        "author": "beta",
        "createdAt": "2026-09-01T00:00:00.000Z",
        "disabled": False,
        "downloads": 0,
        "downloadsAllTime": 0,
        "gated": False,
        "lastModified": "2026-09-01T00:00:00.001Z",
        "likes": 0,
        "private": False,
        "sha": "0" * 40,
        "tags": ["license:mit", "région:ü", "odd:0"],
    }
    assert rows["Alpha/model-11"]["safetensors"] == {"parameters": {"BF16": 11}, "total": 11}
    assert rows["Alpha/model-11"]["baseModels"] == {
        "relation": "finetune",
        "models": [{"_id": row_id(FIRST_CREATED, 0), "id": "beta/model-00"}],
    }
    assert rows["Alpha/model-05"]["disabled"] is True, "disabled models are listed"
    assert rows["Alpha/model-13"]["trendingScore"] == 0.5
    assert "beta/model-07" not in rows
    assert "Alpha/model-07" not in rows, "private models are not"


def test_rows_without_expand_hold_the_default_fields(hub):
    row = httpx2.get(f"{hub.url}/api/models?limit=1&sort=createdAt").json()[0]
    full = httpx2.get(f"{hub.url}/api/models?limit=1&sort=createdAt&full=true").json()[0]
    assert row["modelId"] == row["id"] == "Alpha/model-02"
    assert set(full) - set(row) == {"author", "sha", "lastModified", "gated", "disabled"}
    assert not {"downloadsAllTime", "safetensors", "baseModels"} & set(full)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sort=downloads&direction=1", '"direction" must be [-1] when sorting by "downloads"'),
        ("sort=likes&direction=1", '"direction" must be [-1] when sorting by "likes"'),
        ("sort=lastModified&direction=1", '"direction" must be [-1] when sorting by "lastModified"'),
        ("sort=trendingScore&direction=1", '"direction" must be [-1] when sorting by "trendingScore"'),
        ("direction=1", '"direction" must be [-1] when sorting by "trendingScore"'),
        ("direction=2", '"direction" must be one of [-1, 1]'),
        ("sort=stars", 'Invalid sort parameter: "stars"'),
        ("expand=_id", '"expand" must be one of [author, baseModels, cardData, '),
        ("expand=cardData.license", '"expand" must be one of ['),
        ("expand[]=usedStorage", '"expand" must be one of ['),
        ("limit=0", '"limit" must be a positive integer'),
        ("limit=many", '"limit" must be a positive integer'),
        ("cursor=%%%", "Invalid cursor"),
        ("sort=createdAt&cursor=" + base64.b64encode(b'{"_id":{"$gt":"6"}}').decode(), "Invalid cursor"),
        ("sort=likes&cursor=" + base64.b64encode(b'{"_id":{"$gt":"6"}}').decode(), "Invalid cursor"),
        ("cursor=" + base64.b64encode(b"[1]").decode(), "Invalid cursor"),
        ("expand=sha&full=true", '"full" cannot be combined with "expand"'),
    ],
)
def test_bad_queries_are_refused(hub, query, message):
    response = httpx2.get(f"{hub.url}/api/models?{query}")
    assert response.status_code == 400
    assert response.json()["error"].startswith(message)
    assert response.headers["X-Error-Message"].startswith(message)


def test_what_the_sandbox_cannot_filter_by_is_refused_and_not_ignored(hub):
    response = httpx2.get(f"{hub.url}/api/models?num_parameters=min:6B")
    assert response.status_code == 501
    assert "num_parameters" in response.json()["error"]


def test_pages_are_compressed_when_asked(hub):
    plain = httpx2.get(f"{hub.url}/api/models?expand=tags", headers={"Accept-Encoding": "identity"})
    with httpx2.stream("GET", f"{hub.url}/api/models?expand=tags", headers={"Accept-Encoding": "gzip"}) as response:
        raw = b"".join(response.iter_raw())
    assert "Content-Encoding" not in plain.headers
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(raw) == int(response.headers["Content-Length"]) < len(plain.content)
    assert gzip.decompress(raw) == plain.content


# --- one model, renames ----------------------------------------------------------------------------------------------


def test_model_info_tells_one_model(api):
    info = api.model_info("Alpha/model-11")
    assert (info.id, info.sha, info.downloads, info.safetensors.total) == ("Alpha/model-11", f"{11:040x}", 100, 11)
    expanded = api.model_info("Alpha/model-11", expand=["downloadsAllTime", "baseModels"])
    assert expanded.downloads_all_time == 11_000
    assert api.model_info("Alpha/model-11", revision=f"{11:040x}").id == "Alpha/model-11"
    with pytest.raises(RevisionNotFoundError):
        api.model_info("Alpha/model-11", revision="no-such-branch")


def test_a_renamed_model_redirects_from_the_day_of_its_rename(api, hub):
    hub.day = DAYS[0]
    assert api.model_info("Alpha/model-01").id == "Alpha/model-01"
    hub.day = DAYS[1]
    assert api.model_info("Alpha/model-01").id == "Alpha/renamed-01"
    response = httpx2.get(f"{hub.url}/api/models/Alpha/model-01?expand=sha")
    assert (response.status_code, response.headers["Location"]) == (307, "/api/models/Alpha/renamed-01?expand=sha")


def test_another_case_redirects(api, hub):
    response = httpx2.get(f"{hub.url}/api/models/ALPHA/Model-11/revision/main")
    assert (response.status_code, response.headers["Location"]) == (307, "/api/models/Alpha/model-11/revision/main")
    assert api.model_info("alpha/model-11").id == "Alpha/model-11"


def test_a_name_can_come_back_with_another_identity(hub, api):
    hub.day = DAYS[0]
    before = httpx2.get(f"{hub.url}/api/models/Alpha/model-02").json()["_id"]
    hub.day = DAYS[1]
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("Alpha/model-02")
    hub.day = DAYS[2]
    assert httpx2.get(f"{hub.url}/api/models/Alpha/model-02").json()["_id"] != before


def test_a_name_that_is_in_use_again_does_not_redirect(tmp_path):
    rename = {"old_id": "beta/model-03", "_id": model(4)["_id"], "new_id": "Alpha/model-04", "from_date": DAYS[0]}
    folder = write_snapshots(tmp_path / "again")
    pq.write_table(pa.Table.from_pylist([rename]), folder / "renames.parquet")
    with SandboxHub(folder) as hub:
        assert httpx2.get(f"{hub.url}/api/models/beta/model-03").json()["_id"] == model(3)["_id"]


def test_an_old_name_follows_its_model_through_every_rename(tmp_path):
    folder = write_snapshots(tmp_path / "twice")
    renames = [
        {"old_id": "old/one", "_id": model(4)["_id"], "new_id": "old/two", "from_date": DAYS[0]},
        {"old_id": "old/two", "_id": model(4)["_id"], "new_id": "Alpha/model-04", "from_date": DAYS[1]},
        {"old_id": "gone/one", "_id": "0" * 24, "new_id": "gone/two", "from_date": DAYS[0]},
        {"old_id": "later/one", "_id": model(4)["_id"], "new_id": "Alpha/model-04", "from_date": date(2026, 10, 10)},
    ]
    pq.write_table(pa.Table.from_pylist(renames), folder / "renames.parquet")
    with SandboxHub(folder) as hub:
        assert httpx2.get(f"{hub.url}/api/models/old/one").headers["Location"] == "/api/models/Alpha/model-04"
        assert httpx2.get(f"{hub.url}/api/models/gone/one").status_code == 401
        assert httpx2.get(f"{hub.url}/api/models/later/one").status_code == 401


def test_missing_and_private_look_alike(hub):
    missing, private = (httpx2.get(f"{hub.url}/api/models/{name}") for name in ("no/such", "Alpha/model-07"))
    for response in (missing, private):
        assert response.status_code == 401
        assert response.headers["X-Error-Code"] == "RepoNotFound"
        assert response.json() == {"error": "Invalid username or password."}
    signed_in = httpx2.get(f"{hub.url}/api/models/no/such", headers={"Authorization": "Bearer hf_x"})
    assert signed_in.status_code == 404


# --- accounts --------------------------------------------------------------------------------------------------------


def test_organizations_and_users_have_their_own_overviews(api, hub):
    organization = api.get_organization_overview("alpha")
    assert (organization.name, organization.fullname, organization.is_verified) == ("Alpha", "Alpha Lab", True)
    assert (organization.plan, organization.num_followers) == ("team", 5)
    user = api.get_user_overview("Beta")
    assert (user.username, user.fullname, user.user_type) == ("beta", "B. Eta", "user")
    assert httpx2.get(f"{hub.url}/api/users/Beta/overview").headers["Location"] == "/api/users/beta/overview"
    for path in ("users/Alpha", "organizations/beta", "users/nobody", "organizations/nobody"):
        response = httpx2.get(f"{hub.url}/api/{path}/overview")
        assert response.status_code == 404
        assert response.json()["error"].endswith("does not exist")
    with pytest.raises(HfHubHTTPError):
        api.get_user_overview("Alpha")


# --- the statistics dataset ------------------------------------------------------------------------------------------


def test_the_archive_has_a_commit_a_day_up_to_the_clock(api, hub):
    commits = api.list_repo_commits(DATASET, repo_type="dataset")
    assert [commit.created_at.date() for commit in commits] == DAYS[::-1]
    assert commits[0].created_at.hour == 12
    hub.day = DAYS[1]
    assert api.list_repo_commits(DATASET, repo_type="dataset") == commits[1:]
    with pytest.raises(RevisionNotFoundError):
        api.list_repo_commits(DATASET, repo_type="dataset", revision=commits[0].commit_id)


def test_commits_come_in_pages(hub):
    first = httpx2.get(f"{hub.url}/api/datasets/{DATASET}/commits/main?limit=2")
    assert first.headers["X-Total-Count"] == "3"
    assert first.links["next"]["url"] == f"{hub.url}/api/datasets/{DATASET}/commits/main?p=1&limit=2"
    second = httpx2.get(first.links["next"]["url"])
    assert "Link" not in second.headers
    dates = [commit["date"] for commit in first.json() + second.json()]
    assert dates == [f"{day}T12:00:00.000Z" for day in DAYS[::-1]]


def test_a_dated_revision_downloads_through_the_real_client(api, hub, tmp_path):
    commits = {each.created_at.date(): each.commit_id for each in api.list_repo_commits(DATASET, repo_type="dataset")}
    for day in DAYS[:2]:
        path = hf_hub_download(
            DATASET,
            "models.parquet",
            repo_type="dataset",
            revision=commits[day],
            endpoint=hub.url,
            cache_dir=tmp_path,
            token=False,
        )
        table = pq.ParquetFile(path).read().sort_by("_id")
        assert table["id"].to_pylist() == [row["id"] for row in public_rows(day)]
        assert table["downloadsAllTime"].to_pylist() == [row["downloadsAllTime"] for row in public_rows(day)]
        assert not {"gated", "private", "sha", "disabled"} & set(table.column_names)
        assert commits[day] in path


def test_the_archive_can_be_read_by_ranges(hub, api, tmp_path):
    url = f"{hub.url}/datasets/{DATASET}/resolve/main/models.parquet"
    head, whole = httpx2.head(url), httpx2.get(url)
    assert head.headers["Accept-Ranges"] == "bytes"
    assert int(head.headers["Content-Length"]) == len(whole.content)
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert head.headers["X-Repo-Commit"] == api.list_repo_commits(DATASET, repo_type="dataset")[0].commit_id
    assert "X-Xet-Hash" not in head.headers
    part = httpx2.get(url, headers={"Range": "bytes=4-99"})
    assert (part.status_code, part.content) == (206, whole.content[4:100])
    assert part.headers["Content-Range"] == f"bytes 4-99/{len(whole.content)}"
    with HfFileSystem(endpoint=hub.url, token=False).open(f"datasets/{DATASET}/models.parquet", "rb") as file:
        assert pq.ParquetFile(file).read(["id"]).num_rows == len(public_rows(DAYS[-1]))


def test_unknown_files_and_revisions_of_the_archive_are_told_apart(hub, tmp_path):
    arguments = {"repo_type": "dataset", "endpoint": hub.url, "cache_dir": tmp_path, "token": False}
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download(DATASET, "spaces.parquet", **arguments)
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download(DATASET, "models.parquet", revision="0" * 40, **arguments)


def test_dataset_info_names_the_newest_revision(api):
    info = api.dataset_info(DATASET)
    assert info.sha == api.list_repo_commits(DATASET, repo_type="dataset")[0].commit_id
    assert [each.rfilename for each in info.siblings] == ["README.md", "models.parquet"]


# --- headers, quota, clock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "bucket", "quota"),
    [
        ("/api/models?limit=1", "api", 100_000),
        ("/api/models/no/such", "api", 100_000),
        ("/api/models/alpha/model-11", "api", 100_000),
        ("/api/agent-harnesses", "pages", 20_000),
        ("/models-json?withCount=true", "pages", 20_000),
        (f"/datasets/{DATASET}/resolve/main/models.parquet", "resolvers", 600_000),
        ("/sandbox/day", "api", 100_000),
        ("/", "pages", 20_000),
    ],
)
def test_every_answer_carries_the_common_headers(hub, path, bucket, quota):
    response = httpx2.get(f"{hub.url}{path}")
    limits = parse_ratelimit_headers(response.headers)
    assert (limits.resource_type, limits.limit, limits.window_seconds) == (bucket, quota, 300)
    assert response.headers["RateLimit"] == f'"{bucket}";r={limits.remaining};t={limits.reset_in_seconds}'
    assert response.headers["RateLimit-Policy"] == f'"fixed window";"{bucket}";q={quota};w=300'
    assert response.headers["X-Sandbox-Data"] == "simulated"
    assert response.headers["X-Request-Id"]
    assert [name for name, _ in response.headers.multi_items()].count("date") == 1
    assert parsedate_to_datetime(response.headers["Date"]).date() == DAYS[-1]


def test_unknown_addresses_are_not_found(hub):
    for path in (
        "/api/agent-harnesses",
        "/api/spaces",
        "/datasets/other/data/resolve/main/models.parquet",
        "/whatever",
    ):
        response = httpx2.get(f"{hub.url}{path}")
        assert response.status_code == 404
        assert response.json()["error"] == response.headers["X-Error-Message"]


def test_a_spent_window_answers_429_until_the_next_opens(snapshots):
    with SandboxHub(snapshots, rate_limit=3, window_seconds=2) as hub, httpx2.Client() as client:
        time.sleep(0.01)
        answers = [client.get(f"{hub.url}/api/models?limit=1") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [parse_ratelimit_headers(answer.headers).remaining for answer in answers] == [2, 1, 0, 0]
        assert client.get(f"{hub.url}/api/users/beta/overview").status_code == 429, "one bucket for the whole API"
        assert client.get(f"{hub.url}/sandbox/day").status_code == 200, "the admin route costs nothing"
        assert client.head(f"{hub.url}/datasets/{DATASET}/resolve/main/models.parquet").status_code == 200
        time.sleep(parse_ratelimit_headers(answers[-1].headers).reset_in_seconds)
        assert client.get(f"{hub.url}/api/models?limit=1").status_code == 200
        assert hub.requests[3] == ("GET", "/api/models", 429)


def test_the_clock_tells_the_day_at_the_time_of_capture(snapshots):
    with SandboxHub(snapshots, day=DAYS[1], capture_time="10:30:00") as hub:
        told = parsedate_to_datetime(httpx2.get(f"{hub.url}/api/models?limit=1").headers["Date"])
        assert datetime(2026, 10, 7, 10, 30, tzinfo=UTC) <= told < datetime(2026, 10, 7, 10, 31, tzinfo=UTC)
        hub.day = DAYS[2]
        told = parsedate_to_datetime(httpx2.get(f"{hub.url}/").headers["Date"])
        assert told.date() == DAYS[2]


def test_the_day_is_read_and_set_over_http(hub):
    assert httpx2.get(f"{hub.url}/sandbox/day").json() == {"day": "2026-10-09", "days": [str(day) for day in DAYS]}
    assert httpx2.put(f"{hub.url}/sandbox/day", json={"day": "2026-10-06"}).json()["day"] == "2026-10-06"
    assert hub.day == DAYS[0]
    for body in ({"day": "2026-10-08"}, {"day": "soon"}, {}, []):
        response = httpx2.put(f"{hub.url}/sandbox/day", json=body)
        assert response.status_code == 400
        assert 'Send {"day": "YYYY-MM-DD"}' in response.json()["error"]
    assert hub.day == DAYS[0]
    with pytest.raises(ValueError, match="found the day 2026-10-08; expected one of the 3 days"):
        hub.day = date(2026, 10, 8)


def test_the_clock_advances_when_the_next_walk_begins(snapshots):
    with SandboxHub(snapshots, advance=True) as hub:
        query = "sort=createdAt&direction=1&limit=10&expand=sha"
        seen = []
        for _ in range(4):
            rows = [row for page in walk(hub, query) for row in page]
            seen.append(hub.day)
            assert [row["id"] for row in rows] == [row["id"] for row in public_rows(hub.day)]
            httpx2.get(f"{hub.url}/api/models?author=Alpha")  # neither a filtered listing nor a look-up is a walk
            httpx2.get(f"{hub.url}/api/users/beta/overview")
            assert hub.day == seen[-1]
        assert seen == [*DAYS, DAYS[-1]]


def test_the_clock_stays_when_a_walk_was_not_finished(snapshots):
    with SandboxHub(snapshots, advance=True) as hub:
        for _ in range(3):
            httpx2.get(f"{hub.url}/api/models?sort=createdAt&direction=1&limit=10")
        assert hub.day == DAYS[0]


def test_the_site_listing_counts_all_models(hub):
    body = httpx2.get(f"{hub.url}/models-json?sort=created&withCount=true").json()
    assert body["numTotalItems"] == len(public_rows(DAYS[-1]))
    assert (body["numItemsPerPage"], body["pageIndex"]) == (30, 0)
    assert body["models"][0]["id"] == "Alpha/model-02"
    assert "numTotalItems" not in httpx2.get(f"{hub.url}/models-json?sort=created").json()


def test_the_front_page_says_what_this_is(hub):
    assert "sandbox Hub: simulated data, not the Hugging Face Hub" in httpx2.get(hub.url).text


def test_recorded_data_is_called_recorded(tmp_path):
    with SandboxHub(write_snapshots(tmp_path / "recorded", simulated=False)) as hub:
        assert httpx2.get(hub.url).headers["X-Sandbox-Data"] == "recorded"


def test_without_a_description_the_data_counts_as_simulated(tmp_path):
    folder = write_snapshots(tmp_path / "bare", simulated=False)
    (folder / "sandbox.json").unlink()
    with SandboxHub(folder) as hub:
        assert httpx2.get(hub.url).headers["X-Sandbox-Data"] == "simulated"


# --- folders that can't be served ------------------------------------------------------------------------------------


def one_day(folder: Path, rows: list[dict], schema: pa.Schema = SCHEMA) -> Path:
    part = folder / "snapshot_date=2026-10-06"
    part.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema), part / "part.parquet")
    return folder


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(SnapshotError, match="found no day; expected folders snapshot_date=YYYY-MM-DD"):
        SandboxHub(tmp_path)


def test_a_folder_that_tells_no_day_is_refused(tmp_path):
    one_day(tmp_path, [model(1)]).joinpath("snapshot_date=2026-10-06").rename(tmp_path / "snapshot_date=tuesday")
    with pytest.raises(SnapshotError, match="expected snapshot_date=YYYY-MM-DD"):
        SandboxHub(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_description_that_is_no_object_is_refused(tmp_path, text):
    one_day(tmp_path, [model(1)]).joinpath("sandbox.json").write_text(text)
    with pytest.raises(SnapshotError, match=r"sandbox.json: found"):
        SandboxHub(tmp_path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([model(1), model(1)], "found an _id twice"),
        ([model(1), model(3, name=model(1)["id"])], "found an id twice"),
        ([model(1, _id="zz")], "expected an _id of 24 lower-case hex digits"),
        (
            [model(1, created=FIRST_CREATED, _id=row_id(FIRST_CREATED + timedelta(days=1), 1))],
            "Make the _id from createdAt",
        ),
        ([model(1, id=None, author=None)], "1 rows without id"),
    ],
    ids=["same _id", "same name", "no hex", "another second", "no name"],
)
def test_rows_that_break_the_listing_are_told(tmp_path, rows, message):
    with SandboxHub(one_day(tmp_path, rows)) as hub:
        response = httpx2.get(f"{hub.url}/api/models")
        assert response.status_code == 500
        assert message in response.json()["error"]


def test_columns_that_the_hub_does_not_know_are_told(tmp_path):
    schema = pa.schema([*SCHEMA, pa.field("stars", pa.int64())])
    with SandboxHub(one_day(tmp_path, [model(1, stars=5)], schema)) as hub:
        assert "unknown columns ['stars']" in httpx2.get(f"{hub.url}/api/models").json()["error"]


def test_absent_columns_are_absent_fields(tmp_path):
    names = ["_id", "id", "createdAt", "likes"]
    schema = pa.schema([SCHEMA.field(name) for name in names])
    with SandboxHub(one_day(tmp_path, [model(1)], schema)) as hub:
        row = httpx2.get(f"{hub.url}/api/models?expand=likes&expand=downloads&expand=gated").json()[0]
        assert set(row) == {"_id", "id", "likes"}
        assert len(httpx2.get(f"{hub.url}/api/models?sort=downloads").json()) == 1


def test_a_taken_port_is_told(hub):
    port = int(hub.url.rpartition(":")[2])
    with pytest.raises(OSError, match=f"found port {port} of 127.0.0.1 unusable"):
        SandboxHub(hub.snapshots.path, port=port).start()
