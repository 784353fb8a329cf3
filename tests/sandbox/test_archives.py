"""The datasets of dated statistics as the real client sees them: histories, odd days, weekly folders, broken downloads.
What an archive's reader makes of them is tested where the reader is."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RevisionNotFoundError

from orchestration.sandbox.server import SandboxHub
from orchestration.sandbox.snapshot_store import SnapshotError
from tests.sandbox.tiny_snapshots import SCHEMA, model

DAILY, WEEKLY = "cfahlgren1/hub-stats", "hfmlsoc/hub_weekly_snapshots"
DAYS = [date(2026, 10, 6) + timedelta(days=number) for number in range(4)]  # Tuesday to Friday
TWO_WEEKS = [date(2026, 9, 30) + timedelta(days=number) for number in range(15)]  # two labels, and the day after


def write_days(folder: Path, days: list[date]) -> Path:
    """Ten models on each day; their downloads are the day of the month, so that each day's file is told from others."""
    for day in days:
        rows = [model(number, downloads=day.day) for number in range(20, 30)]
        part = folder / f"snapshot_date={day}"
        part.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), part / "part.parquet")
    return folder


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., SandboxHub]]:
    """`serve(plan, weekly, days=…, **options)`: a Hub whose archives are so."""
    with ExitStack() as stack:

        def start(plan: dict | None = None, weekly: dict | None = None, *, days=DAYS, **options) -> SandboxHub:
            folder = write_days(tmp_path / "snapshots", days)
            told = {repo: part for repo, part in {DAILY: plan, WEEKLY: weekly}.items() if part is not None}
            (folder / "archive.json").write_text(json.dumps(told))
            return stack.enter_context(SandboxHub(folder, **options))

        yield start


@pytest.fixture
def download(tmp_path) -> Callable[..., Path]:
    """`download(hub, revision)`: the file as the real client brings it."""

    def fetch(hub: SandboxHub, revision: str = "main", file: str = "models.parquet", repo: str = DAILY) -> Path:
        return Path(
            hf_hub_download(
                repo,
                file,
                repo_type="dataset",
                revision=revision,
                endpoint=hub.url,
                cache_dir=tmp_path / "cache",
                token=False,
            )
        )

    return fetch


def api_of(hub: SandboxHub) -> HfApi:
    return HfApi(endpoint=hub.url, token=False)


def commits_of(hub: SandboxHub, repo: str = DAILY) -> list:
    """The oldest first."""
    return api_of(hub).list_repo_commits(repo, repo_type="dataset")[::-1]


def entry_of(hub: SandboxHub, revision: str, path: str = "models.parquet", repo: str = DAILY):
    (entry,) = api_of(hub).get_paths_info(repo, [path], revision=revision, repo_type="dataset", expand=True)
    return entry


def rows_of(path: Path) -> pa.Table:
    return pq.ParquetFile(path).read()


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- the daily archive -----------------------------------------------------------------------------------------------


def test_a_days_commit_is_made_when_the_listing_showed_its_rows(serve):
    hub = serve(capture_time="10:30:00")
    assert [commit.created_at for commit in commits_of(hub)] == [
        datetime(day.year, day.month, day.day, 10, 30, tzinfo=UTC) for day in DAYS
    ]


def test_rows_are_in_no_order_and_the_same_in_every_sandbox(serve, download, tmp_path):
    hub = serve()
    path = download(hub)
    row_ids = rows_of(path)["_id"].to_pylist()
    assert row_ids != sorted(row_ids)
    assert sorted(row_ids) == [model(number)["_id"] for number in range(20, 30)]
    with SandboxHub(tmp_path / "snapshots") as again:
        assert [commit.commit_id for commit in commits_of(again)] == [commit.commit_id for commit in commits_of(hub)]
        content = httpx2.get(f"{again.url}/datasets/{DAILY}/resolve/main/models.parquet").content
    assert content == path.read_bytes()


def test_parameters_are_a_struct_with_a_member_per_dtype(serve, download):
    rows = rows_of(download(serve()))
    assert {member.name for member in rows.schema.field("safetensors").type.field("parameters").type} == {"BF16", "F32"}
    told = {row["id"]: row["safetensors"] for row in rows.to_pylist()}
    assert told["Alpha/model-23"] == {"parameters": {"BF16": 23, "F32": None}, "total": 23}
    assert told["Alpha/model-22"] is None


def test_a_day_may_have_no_commit_and_another_several(serve, download):
    hub = serve(
        {
            "commit_time": "23:30:00",
            "days_without_commit": ["2026-10-07"],
            "commit_times": {"2026-10-08": ["00:10:00", "06:00:00", "18:00:00"]},
        }
    )
    commits = commits_of(hub)
    assert [f"{commit.created_at:%d %H:%M}" for commit in commits] == [
        "06 23:30",
        "08 00:10",
        "08 06:00",
        "08 18:00",
        "09 23:30",
    ]
    counts = [rows_of(download(hub, commit.commit_id)).num_rows for commit in commits]
    assert counts == [10, 5, 5, 10, 10], "an upload that is done again had half the rows"


def test_a_readme_commit_leaves_the_file_as_it_was(serve):
    hub = serve({"readme_commits": ["2026-10-06", "2026-10-08T03:00:00"], "days_without_commit": ["2026-10-07"]})
    commits = commits_of(hub)
    assert [(f"{commit.created_at:%d %H:%M}", commit.title.split()[1]) for commit in commits] == [
        ("06 12:00", "models.parquet"),
        ("06 23:45", "README.md"),
        ("08 03:00", "README.md"),
        ("08 12:00", "models.parquet"),
        ("09 12:00", "models.parquet"),
    ]
    files = [entry_of(hub, commit.commit_id) for commit in commits]
    assert files[0].lfs.sha256 == files[1].lfs.sha256 == files[2].lfs.sha256 != files[3].lfs.sha256
    assert [file.last_commit.oid for file in files[:3]] == [commits[0].commit_id] * 3
    readmes = [entry_of(hub, commit.commit_id, "README.md") for commit in commits]
    assert [readme.last_commit.oid for readme in readmes] == [
        commits[0].commit_id,
        commits[1].commit_id,
        *[commits[2].commit_id] * 3,
    ]
    assert all(readme.lfs is None for readme in readmes)
    assert len({readme.blob_id for readme in readmes}) == 3


def test_a_repeated_file_has_the_same_bytes(serve, download):
    hub = serve({"repeats": {"2026-10-08": "2026-10-07", "2026-10-09": "2026-10-06"}})
    paths = [download(hub, commit.commit_id) for commit in commits_of(hub)]
    digests = [sha256_of(path) for path in paths]
    assert digests[2] == digests[1] != digests[0] == digests[3]
    assert rows_of(paths[3])["downloads"].unique().to_pylist() == [6]


def test_columns_are_absent_of_another_type_or_new(serve, download):
    hub = serve(
        {
            "absent_columns": {"2026-10-06": ["baseModels", "downloadsAllTime"]},
            "retyped_columns": {
                "2026-10-07": {"downloads": "double", "createdAt": "string", "safetensors": "string", "likes": "int32"}
            },
            "extra_columns": {"2026-10-08": {"novelty": "yes", "score": 1.5}},
        }
    )
    first, second, third, usual = (rows_of(download(hub, commit.commit_id)) for commit in commits_of(hub))
    assert set(usual.column_names) - set(first.column_names) == {"baseModels", "downloadsAllTime"}
    types = [second.schema.field(name).type for name in ("downloads", "createdAt", "safetensors", "likes")]
    assert types == [pa.float64(), pa.string(), pa.string(), pa.int32()]
    by_name = {row["id"]: row for row in second.to_pylist()}
    assert by_name["Alpha/model-23"]["createdAt"] == "2026-09-01T23:00:00.000Z"
    assert json.loads(by_name["Alpha/model-23"]["safetensors"]) == {"parameters": {"BF16": 23}, "total": 23}
    assert by_name["Alpha/model-23"]["downloads"] == 7.0
    assert [third[name].unique().to_pylist() for name in ("novelty", "score")] == [["yes"], [1.5]]
    assert usual.schema.field("downloads").type == pa.int64()


def test_a_type_that_a_column_cannot_have_is_told(serve):
    hub = serve({"retyped_columns": {"2026-10-09": {"tags": "double"}}})
    response = httpx2.get(f"{hub.url}/datasets/{DAILY}/resolve/main/models.parquet")
    assert response.status_code == 500
    assert "found tags to become double on 2026-10-09" in response.json()["error"]


def test_a_file_is_described_as_it_is(serve, download):
    hub = serve()
    entry, path = entry_of(hub, "main"), download(hub)
    assert (entry.size, entry.lfs.size, entry.lfs.sha256) == (path.stat().st_size, entry.size, sha256_of(path))
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{entry.lfs.sha256}\nsize {entry.size}\n".encode()
    assert entry.lfs.pointer_size == len(pointer)
    assert entry.blob_id == hashlib.sha1(b"blob %d\0" % len(pointer) + pointer).hexdigest()
    info = api_of(hub).dataset_info(DAILY)
    assert "license:apache-2.0" in info.tags
    assert api_of(hub).get_paths_info(DAILY, ["no.parquet"], repo_type="dataset") == []


def test_a_long_history_comes_in_pages(serve):
    hub = serve(
        {"readme_commits": [f"2026-10-06T{hour:02}:{minute:02}:00" for hour in range(3) for minute in range(40)]}
    )
    assert len(commits_of(hub)) == len(DAYS) + 120
    asked = [path for _, path, _ in hub.requests if "/commits/" in path]
    assert len(asked) == 3, "fifty on a page"


def test_what_the_clock_has_not_reached_is_not_there(serve):
    hub = serve({"readme_commits": ["2026-10-08T23:59:00"]})
    last, readme = (commit.commit_id for commit in commits_of(hub)[:-3:-1])
    hub.day = DAYS[2]
    assert commits_of(hub)[-1].commit_id == readme, "by day, whatever the time"
    for ask in (
        lambda: api_of(hub).get_paths_info(DAILY, ["models.parquet"], revision=last, repo_type="dataset"),
        lambda: list(api_of(hub).list_repo_tree(DAILY, revision=last, repo_type="dataset")),
        lambda: api_of(hub).dataset_info(DAILY, revision=last),
    ):
        with pytest.raises(RevisionNotFoundError):
            ask()
    hub.day = DAYS[1]
    assert [commit.created_at.date() for commit in commits_of(hub)] == DAYS[:2]


# --- the weekly archive ----------------------------------------------------------------------------------------------


def test_a_week_holds_the_last_upstream_file_before_the_next(serve, download):
    hub = serve({"commit_time": "23:30:00"}, days=TWO_WEEKS)
    commits = commits_of(hub, WEEKLY)
    assert [(f"{commit.created_at:%m-%d %H:%M}", commit.title) for commit in commits] == [
        ("09-30 00:00", "Add README.md"),
        ("10-07 03:00", "Add models/2026-09-30"),
        ("10-14 03:00", "Add models/2026-10-07"),
    ]
    upstream = {commit.created_at.day: commit.commit_id for commit in commits_of(hub)}
    for label, last_day in (("2026-09-30", 6), ("2026-10-07", 13)):
        path = download(hub, file=f"models/{label}/models.parquet", repo=WEEKLY)
        assert rows_of(path)["downloads"].unique().to_pylist() == [last_day]
        assert sha256_of(path) == entry_of(hub, upstream[last_day]).lfs.sha256
    assert "license:odbl" in api_of(hub).dataset_info(WEEKLY).tags


def test_a_week_is_there_once_it_is_over(serve):
    hub = serve(days=TWO_WEEKS)
    seen = []
    for day in (date(2026, 10, 6), date(2026, 10, 7), date(2026, 10, 13), date(2026, 10, 14)):
        hub.day = day
        seen.append([path.path for path in api_of(hub).list_repo_tree(WEEKLY, repo_type="dataset", recursive=True)])
    first, second = "models/2026-09-30", "models/2026-10-07"
    one_week = ["README.md", "models", first, f"{first}/models.parquet"]
    assert seen == [["README.md"], one_week, one_week, [*one_week, second, f"{second}/models.parquet"]]


def test_a_week_in_which_upstream_slept_has_the_same_file_again(serve):
    asleep = [str(day) for day in TWO_WEEKS[6:14]]
    hub = serve({"days_without_commit": asleep}, days=TWO_WEEKS)
    first, second = (
        entry_of(hub, "main", f"models/{label}/models.parquet", WEEKLY) for label in ("2026-09-30", "2026-10-07")
    )
    assert first.lfs.sha256 == second.lfs.sha256
    assert (first.last_commit.date.day, second.last_commit.date.day) == (7, 14)


def test_weeks_may_begin_on_another_day(serve):
    hub = serve(weekly={"week_begins": "monday", "commit_time": "12:00:00"}, days=TWO_WEEKS)
    assert [f"{commit.created_at:%m-%d %H} {commit.title}" for commit in commits_of(hub, WEEKLY)] == [
        "09-28 00 Add README.md",
        "10-05 12 Add models/2026-09-28",
        "10-12 12 Add models/2026-10-05",
    ]


def test_trees_are_listed_a_folder_at_a_time_or_whole(serve):
    hub = serve(days=TWO_WEEKS)
    api = api_of(hub)
    top = list(api.list_repo_tree(WEEKLY, repo_type="dataset", expand=True))
    assert [(entry.path, entry.last_commit.date.day) for entry in top] == [("README.md", 30), ("models", 14)]
    inside = list(api.list_repo_tree(WEEKLY, "models/2026-10-07", repo_type="dataset"))
    assert [entry.path for entry in inside] == ["models/2026-10-07/models.parquet"]
    assert inside[0].size == entry_of(hub, "main", inside[0].path, WEEKLY).size
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(WEEKLY, "models/2026-10-14", repo_type="dataset"))
    folders = api.get_paths_info(WEEKLY, ["models", "models/2026-10-07"], repo_type="dataset")
    assert [(type(entry).__name__, entry.path) for entry in folders] == [
        ("RepoFolder", "models"),
        ("RepoFolder", "models/2026-10-07"),
    ]


def test_a_large_tree_comes_in_pages(serve):
    days = [date(2026, 1, 7) + timedelta(days=7 * number) for number in range(41)]
    hub = serve(days=days)
    entries = list(api_of(hub).list_repo_tree(WEEKLY, repo_type="dataset", recursive=True, expand=True))
    assert len(entries) == 2 + 2 * 40
    assert len({entry.path for entry in entries}) == len(entries)
    assert len([path for _, path, _ in hub.requests if "/tree/" in path]) == 2, "fifty on a page"


def test_the_file_system_of_the_real_client_finds_and_reads_files(serve):
    hub = serve(days=TWO_WEEKS)
    files = HfFileSystem(endpoint=hub.url, token=False, skip_instance_cache=True)
    found = files.glob(f"datasets/{WEEKLY}/models/*/models.parquet")
    assert found == [f"datasets/{WEEKLY}/models/{label}/models.parquet" for label in ("2026-09-30", "2026-10-07")]
    with files.open(found[1], "rb") as file:
        assert pq.ParquetFile(file).read(["downloads"])["downloads"].unique().to_pylist() == [13]
    ranges = [status for _, path, status in hub.requests if "/resolve/" in path]
    assert 206 in ranges


# --- archives that misbehave -----------------------------------------------------------------------------------------


def test_the_real_client_goes_on_where_a_download_broke_off(serve, download, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)  # it forgets a chunk that isn't whole
    hub = serve(faults=[{"kind": "short_body", "route": "resolve"}])
    path = download(hub)
    answers = [(method, status) for method, place, status in hub.requests if "/resolve/" in place]
    assert answers == [("HEAD", 200), ("GET", 200), ("GET", 206)], "a HEAD has no body to cut"
    assert sha256_of(path) == entry_of(hub, "main").lfs.sha256


def test_a_flipped_byte_shows_in_the_sha256_alone(serve, download):
    hub = serve(faults=[{"kind": "flipped_byte", "route": "resolve"}])
    path, entry = download(hub), entry_of(hub, "main")
    assert path.stat().st_size == entry.size
    assert sha256_of(path) != entry.lfs.sha256
    right = httpx2.get(f"{hub.url}/datasets/{DAILY}/resolve/main/models.parquet").content
    differences = [place for place, pair in enumerate(zip(path.read_bytes(), right, strict=True)) if pair[0] != pair[1]]
    assert differences == [entry.size // 2]


ADDRESSES = {
    "commits": f"/api/datasets/{DAILY}/commits/main",
    "dataset": f"/api/datasets/{DAILY}/tree/main",
    "resolve": f"/datasets/{DAILY}/resolve/main/models.parquet",
}


@pytest.mark.parametrize("route", ADDRESSES)
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "status", "status": 503}, 503),
        ({"kind": "reset"}, httpx2.TransportError),
        ({"kind": "short_body"}, httpx2.RemoteProtocolError),
        ({"kind": "reset_midway"}, httpx2.TransportError),
        ({"kind": "hang", "seconds": 30}, httpx2.ReadTimeout),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else "",
)
def test_every_route_of_an_archive_can_fail(serve, route, fault, expected):
    hub = serve(faults=[{**fault, "route": route}])
    url = hub.url + ADDRESSES[route]
    if isinstance(expected, int):
        assert httpx2.get(url).status_code == expected
    else:
        with pytest.raises(expected):
            httpx2.get(url, timeout=0.3)
    assert httpx2.get(url).status_code == 200
    assert [rule.fired for rule in hub.faults.rules] == [1]


def test_the_real_client_hears_that_an_archive_is_gone(serve):
    hub = serve(faults=[{"kind": "status", "status": 404, "route": "commits", "times": None}])
    with pytest.raises(HfHubHTTPError):
        commits_of(hub)


# --- plans that can't be followed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON"),
        ("[]", "found no JSON object; expected one"),
        ('{"models": {}}', r"found the keys \['models'\]; expected any of cfahlgren1/hub-stats"),
        (f'{{"{DAILY}": []}}', "expected an object with any of commit_time, commit_times"),
        (f'{{"{DAILY}": {{"time": "12:00"}}}}', "found {'time': '12:00'}; expected an object with any of"),
        (f'{{"{WEEKLY}": {{"repeats": {{}}}}}}', "expected an object with any of commit_time, week_begins"),
        (f'{{"{WEEKLY}": {{"week_begins": "wed"}}}}', "expected one of monday, tuesday"),
    ],
)
def test_a_plan_that_is_no_plan_is_refused(tmp_path, text, message):
    folder = write_days(tmp_path, DAYS)
    (folder / "archive.json").write_text(text)
    with pytest.raises(SnapshotError, match=message):
        SandboxHub(folder)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("commit_time", "25:00:00", "HH:MM:SS"),
        ("commit_time", "12:00:00+02:00", "HH:MM:SS"),
        ("commit_time", 12, "HH:MM:SS"),
        ("commit_times", {"2026-10-06": []}, "a list of HH:MM:SS in order"),
        ("commit_times", {"2026-10-06": ["06:00:00", "05:00:00"]}, "a list of HH:MM:SS in order"),
        ("days_without_commit", ["2026-11-06"], "a list of days of the snapshots"),
        ("days_without_commit", "2026-10-06", "a list of days of the snapshots"),
        ("days_without_commit", [str(day) for day in DAYS], "not all of them"),
        ("readme_commits", ["yesterday"], "a list of YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS"),
        ("repeats", {"2026-10-06": "2026-10-07"}, "each with an earlier one"),
        ("repeats", ["2026-10-06"], "each with an earlier one"),
        ("absent_columns", {"2026-10-06": ["_id"]}, "a list of columns other than _id and id"),
        ("absent_columns", {"2026-10-06": ["stars"]}, "a list of columns other than _id and id"),
        ("absent_columns", {"2026-10-06": "likes"}, "a list of columns other than _id and id"),
        ("retyped_columns", {"2026-10-06": {"likes": "roman"}}, "their types"),
        ("retyped_columns", {"2026-10-06": {"stars": "double"}}, "their types"),
        ("extra_columns", {"2026-10-06": {"likes": 1}}, "new columns and their one value"),
        ("extra_columns", {"2026-10-06": {"novelty": [1]}}, "new columns and their one value"),
    ],
)
def test_a_wrong_value_in_a_plan_is_told(tmp_path, name, value, expected):
    folder = write_days(tmp_path, DAYS)
    (folder / "archive.json").write_text(json.dumps({DAILY: {name: value}}))
    with pytest.raises(SnapshotError, match=f"archive.json: found {name} = ") as raised:
        SandboxHub(folder)
    assert expected in str(raised.value)
    assert str(raised.value).endswith("Correct the file.")


def test_more_said_of_a_day_without_a_commit_is_a_contradiction(tmp_path):
    folder = write_days(tmp_path, DAYS)
    plan = {"days_without_commit": ["2026-10-07"], "repeats": {"2026-10-08": "2026-10-07"}}
    (folder / "archive.json").write_text(json.dumps({DAILY: plan}))
    with pytest.raises(SnapshotError, match="found 2026-10-07 without a commit, and more said of it"):
        SandboxHub(folder)
