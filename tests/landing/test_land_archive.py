"""Past days from dated revisions: whole days through the real client and a sandbox, and odd files by themselves."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.hub.archive import ARCHIVES, revision_for
from orchestration.hub.archive_client import ArchiveClient
from orchestration.hub.errors import HubConfigurationError, HubIntegrityError, HubUnavailable, ObservatoryError
from orchestration.hub.governor import Governor
from orchestration.hub.listings import MODELS
from orchestration.hub.records import Provenance, to_table
from orchestration.landing import DayLocked, IncompleteDay, archive_shards, land_models
from orchestration.landing.archive import NoRevision, StaleRevision, as_of, land_from_archive
from orchestration.landing.archive_columns import convert, json_values
from orchestration.landing.archive_shards import write_shards
from orchestration.landing.content import content_hash
from orchestration.landing.folders import DayFolder, write_json
from orchestration.sandbox.faults import Faults
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import PROJECT_ROOT, Settings
from tests.hub.snapshots import DAY, model, model_id, models, write_snapshots
from tests.landing.landed import capture, content, day_folder, read_day, visible

COUNT = 60
DAYS = [DAY + timedelta(days=n) for n in range(6)]
LACKING = ["disabled", "gated", "private", "sha", "library_name"]  # the archive has none of these in this sandbox


def days_of(count: int = 6) -> dict[date, list[dict]]:
    return {day: models(COUNT + number, likes=number) for number, day in enumerate(DAYS[:count])}


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> Path:
    """Six days, of which the archive tells four: one has no commit, one a README only. It ends with an early day again."""
    folder = write_snapshots(tmp_path_factory.mktemp("archive") / "snapshots", days_of())
    plan = {
        "days_without_commit": [str(DAYS[2]), str(DAYS[3])],
        "readme_commits": [str(DAYS[3])],
        "repeats": {str(DAYS[5]): str(DAYS[1])},
        "commit_times": {str(DAYS[1]): ["11:00:00", "18:30:00"]},
    }
    (folder / "archive.json").write_text(json.dumps({"cfahlgren1/hub-stats": plan}))
    return folder


@pytest.fixture(scope="module")
def shared_hub(snapshots) -> Iterator[SandboxHub]:
    with SandboxHub(snapshots) as hub:
        yield hub


@pytest.fixture
def hub(shared_hub) -> SandboxHub:
    """The sandbox of `snapshots`, behaving, on its last day."""
    shared_hub.day, shared_hub.faults.rules = DAYS[-1], []
    return shared_hub


@pytest.fixture
def planned(tmp_path) -> Iterator[Callable[..., SandboxHub]]:
    """`planned(days, plan)`: a sandbox of its own whose daily archive is so."""
    with ExitStack() as stack:

        def start(days: dict[date, list[dict]], plan: dict, **weekly: object) -> SandboxHub:
            folder = write_snapshots(tmp_path / "snapshots", days)
            told = {"cfahlgren1/hub-stats": plan, "hfmlsoc/hub_weekly_snapshots": weekly}
            (folder / "archive.json").write_text(json.dumps(told))
            return stack.enter_context(SandboxHub(folder))

        yield start


@contextmanager
def archive_of(settings: Settings) -> Iterator[ArchiveClient]:
    with ArchiveClient(settings, sleep=lambda _: None, governor=Governor(1.0, sleep=lambda _: None)) as hf:
        yield hf


def land(day: date, settings: Settings, **options: object):
    with archive_of(settings) as hf:
        return land_from_archive(day, settings, client=hf, **options)


def left_over(settings: Settings) -> list[str]:
    """What lies in the home beside landed days."""
    root = settings.landing_dir / "_incomplete"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) if root.exists() else []


# --- whole days ------------------------------------------------------------------------------------------------------


def test_a_backfill_of_three_days_equals_what_the_live_walk_landed(hub, settings_for, tmp_path):
    plain = write_snapshots(tmp_path / "plain", days_of(3))
    live, past = settings_for(hub, home="live"), settings_for(hub, home="past")
    with SandboxHub(plain) as hub:
        live, past = (settings.model_copy(update={"hub_endpoint": hub.url}) for settings in (live, past))
        for day in DAYS[:3]:
            hub.day = day
            land_models(day, live)
        with archive_of(past) as hf:
            landed = [land_from_archive(day, past, client=hf) for day in DAYS[:3]]
        asked = [path for _, path, _ in hub.requests]
    assert [day.rows for day in landed] == [COUNT, COUNT + 1, COUNT + 2]
    assert sum("/commits/" in path for path in asked) == 1
    for day in DAYS[:3]:
        told, seen = content(past, day), content(live, day)
        shared = [name for name in seen.column_names if name not in [*LACKING, "source"]]
        assert {"downloads", "downloadsAllTime", "tags", "baseModels", "safetensors_total", "extra"} <= set(shared)
        assert told.select(shared).equals(seen.select(shared))
        assert all(told[name].null_count == told.num_rows for name in LACKING)
    assert left_over(past) == []


def test_a_day_says_where_it_comes_from(hub, settings_for):
    settings = settings_for(hub)
    landed = land(DAYS[1], settings)
    at = datetime.combine(DAYS[1], datetime.min.time(), UTC) + timedelta(hours=18, minutes=30)
    manifest = landed.manifest
    sha = manifest["source_revision"]
    rows = read_day(settings, "models", DAYS[1])
    assert rows["page"].null_count == rows.num_rows == COUNT + 1  # the day's last upload, not the half before it
    for name, value in {"source": "hub_stats", "source_revision": sha, "captured_at": at, "fetched_at": at}.items():
        assert set(rows[name].to_pylist()) == {value}
    assert (manifest["dataset"], manifest["file"]) == ("cfahlgren1/hub-stats", "models.parquet")
    assert (len(sha), len(manifest["file_sha256"]), manifest["file_bytes"] > 1000) == (40, 64, True)
    assert manifest["absent_fields"] == manifest["unasked"] == sorted(LACKING)
    assert (manifest["retyped_columns"], manifest["unknown_columns"]) == ({}, [])
    assert manifest["observed_at_is_estimated"] is False
    assert capture(settings, DAYS[1]) == {
        "status": "complete",
        "source": "hub_stats",
        "source_revision": sha,
        "source_license": "Apache-2.0",
        "captured_at": at,
        "counters_date": DAYS[1],
        "models": COUNT + 1,
        "downloads_all_time": 100 * (COUNT + 1) * COUNT // 2,
        "is_simulated": True,
        "reason": None,
    }
    assert landed.is_simulated


def test_shards_are_as_large_as_the_walks(hub, settings_for):
    settings = settings_for(hub)  # pages of 20, two in a shard
    lines: list[str] = []
    parts = land(DAYS[1], settings, progress=lines.append).manifest["parts"]
    assert [part["rows"] for part in parts] == [40, 21]
    assert [part["first_id"] for part in parts] == [model_id(0), model_id(40)]
    assert lines[0].startswith("models 2026-10-07: cfahlgren1/hub-stats at ")
    assert lines[-1] == "models 2026-10-07: landed 61 rows, 0.0 MB"


def test_gaps_and_repeats_in_a_range_stop_their_own_day_only(hub, settings_for):
    settings, outcomes = settings_for(hub), {}
    with archive_of(settings) as hf:
        for day in DAYS:
            try:
                outcomes[day] = land_from_archive(day, settings, client=hf).rows
            except (NoRevision, StaleRevision) as error:
                outcomes[day] = type(error)
    assert list(outcomes.values()) == [COUNT, COUNT + 1, NoRevision, NoRevision, COUNT + 4, StaleRevision]
    assert [day for day in DAYS if capture(settings, day)] == [DAYS[0], DAYS[1], DAYS[4]]
    assert left_over(settings) == []


@pytest.mark.parametrize("day", [DAYS[2], DAYS[3]], ids=["no commit", "a README only"])
def test_a_gap_names_the_nearest_days_and_writes_nothing(hub, settings_for, day):
    settings = settings_for(hub)
    with pytest.raises(NoRevision, match=rf"tells {day}: the day is a gap.*{DAYS[1]} \(before\), {DAYS[4]} \(after\)"):
        land(day, settings)
    assert not settings.landing_dir.exists()


def test_a_repeated_file_names_the_day_that_it_tells(hub, settings_for):
    settings = settings_for(hub)
    with pytest.raises(StaleRevision, match=f"repeats for {DAYS[5]} the file of {DAYS[1]}") as caught:
        land(DAYS[5], settings)
    assert (caught.value.repeats, visible(settings)) == (DAYS[1], [])


def test_a_file_that_another_day_was_landed_from_is_not_landed_twice(planned, settings_for):
    late = DAY + timedelta(days=12)  # beyond the week that is looked back on
    days = {DAY: models(COUNT), DAY + timedelta(days=11): models(COUNT + 5), late: models(COUNT + 6)}
    settings = settings_for(planned(days, {"repeats": {str(late): str(DAY)}}))
    with archive_of(settings) as hf:
        assert not revision_for(hf, ARCHIVES["hub_stats"], late).is_stale
    land(DAY, settings)
    with pytest.raises(StaleRevision, match=f"the file of {DAY}"):
        land(late, settings)


def test_a_landed_day_is_not_fetched_again(hub, settings_for):
    settings = settings_for(hub)
    first = land(DAYS[0], settings)
    requests = len(hub.requests)
    again = land_from_archive(DAYS[0], settings)
    assert (again.already_landed, again.manifest) == (True, first.manifest)
    assert len(hub.requests) == requests


def test_a_day_that_was_walked_is_not_landed_again(hub, settings_for):
    settings = settings_for(hub)
    hub.day = DAYS[0]
    land_models(DAYS[0], settings)
    assert land(DAYS[0], settings).manifest["source"] == "hub_api"


def test_force_lands_a_new_revision(hub, settings_for):
    settings = settings_for(hub)
    land(DAYS[0], settings)
    assert land(DAYS[0], settings, force=True).manifest["revision"] == 2
    assert DayFolder(settings.landing_dir, "models", DAYS[0]).superseded(1).exists()


def test_a_revision_of_another_day_is_refused(hub, settings_for):
    settings = settings_for(hub)
    with archive_of(settings) as hf:
        revision = revision_for(hf, ARCHIVES["hub_stats"], DAYS[0])
        with pytest.raises(ObservatoryError, match=f"tells {DAYS[0]}.*Expected: one that tells {DAYS[1]}"):
            land_from_archive(DAYS[1], settings, client=hf, revision=revision)
        estimated = replace(revision, observed_at_is_estimated=True)
        landed = land_from_archive(DAYS[0], settings, client=hf, revision=estimated)
    assert landed.manifest["observed_at_is_estimated"] is True


def test_an_unknown_archive_is_refused(hub, settings_for):
    with pytest.raises(ObservatoryError, match="no archive named 'monthly'"):
        land(DAY, settings_for(hub), archive="monthly")


def test_one_process_at_a_time_lands_a_day(hub, settings_for):
    settings = settings_for(hub)
    with DayFolder(settings.landing_dir, "models", DAY).locked(), pytest.raises(DayLocked):
        land(DAY, settings)


def test_simulated_days_dont_go_beside_real_ones(hub, settings_for):
    settings = settings_for(hub)
    land(DAYS[0], settings)
    manifest = day_folder(settings, "models", DAYS[0]) / "_manifest.json"
    write_json(manifest, json.loads(manifest.read_text()) | {"is_simulated": False})
    with pytest.raises(HubConfigurationError, match=f"gives simulated data.*holds real days from {DAYS[0]} on"):
        land(DAYS[1], settings)


def test_a_short_day_stays_aside(planned, settings_for):
    days = {DAYS[0]: models(COUNT * 2), DAYS[1]: models(COUNT)}
    settings = settings_for(planned(days, {}))
    land(DAYS[0], settings)
    with pytest.raises(IncompleteDay, match="60 rows; 2026-10-06 had 120"):
        land(DAYS[1], settings)
    assert capture(settings, DAYS[1])["status"] == "incomplete"
    assert [name for name in left_over(settings) if "archive-download" in name] == []
    assert all(name.startswith("snapshot_date=2026-10-06") for name in visible(settings))


# --- the weekly archive ----------------------------------------------------------------------------------------------


def test_a_weekly_file_lands_on_the_day_that_it_tells_under_its_own_licence(planned, settings_for):
    days = {DAY + timedelta(days=n): models(COUNT + n) for n in range(14)}
    hub = planned(days, {"commit_time": "09:15:00", "days_without_commit": [str(date(2026, 10, 13))]})
    settings, daily = settings_for(hub), settings_for(hub, home="daily")
    # a week from Wednesday, 7 October: upstream's last commit in it is that of Monday, the 12th
    told = date(2026, 10, 12)
    landed = land(told, settings, archive="weekly")
    assert landed.manifest["file"] == "models/2026-10-07/models.parquet"
    assert landed.manifest["source_license"] == capture(settings, told)["source_license"] == "ODbL-1.0"
    assert landed.manifest["captured_at"] == "2026-10-12T09:15:00+00:00"
    assert set(read_day(settings, "models", told)["source"].to_pylist()) == {"weekly"}
    land(told, daily)
    same = content(daily, told).drop_columns(["source"])
    assert content(settings, told).drop_columns(["source"]).equals(same)
    with pytest.raises(NoRevision, match=r"the label is the week's first day.*2026-10-12 \(after\)"):
        land(date(2026, 10, 7), settings, archive="weekly")


# --- other columns ---------------------------------------------------------------------------------------------------


RETYPED = {
    "downloads": "double", "likes": "int32", "trendingScore": "string", "downloadsAllTime": "string",
    "createdAt": "string", "tags": "string", "safetensors": "string", "baseModels": "string",
}  # fmt: skip


def test_retyped_columns_land_as_usual_and_are_told(planned, settings_for):
    day = str(DAYS[0])
    days = {DAYS[0]: models(COUNT), DAYS[1]: models(COUNT, likes=1)}
    hub = planned(days, {"retyped_columns": {day: RETYPED}})
    settings, live = settings_for(hub), settings_for(hub, home="live")
    manifest = land(DAYS[0], settings).manifest
    hub.day = DAYS[0]
    land_models(DAYS[0], live)
    shared = [name for name in content(live, DAYS[0]).column_names if name not in [*LACKING, "source"]]
    assert content(settings, DAYS[0]).select(shared).equals(content(live, DAYS[0]).select(shared))
    assert manifest["cast_errors"] == {}
    assert manifest["retyped_columns"]["downloads"] == {"found": "double", "usual": "integer"}
    assert manifest["retyped_columns"]["safetensors"] == {"found": "string", "usual": "struct"}
    assert sorted(manifest["retyped_columns"]) == sorted(set(RETYPED) - {"likes"})
    assert manifest["drift"]["tags: a column of string"] == COUNT


def test_absent_and_unknown_columns_are_told(planned, settings_for):
    absent = ["baseModels", "downloadsAllTime", "likes"]
    extra = {"newField": "x", "spaces": "known, and left out"}
    days = {DAYS[0]: models(COUNT), DAYS[1]: models(COUNT, likes=1)}
    hub = planned(days, {"absent_columns": {str(DAYS[1]): absent}, "extra_columns": {str(DAYS[1]): extra}})
    settings = settings_for(hub)
    land(DAYS[0], settings)
    manifest = land(DAYS[1], settings).manifest  # columns that are not told are not compared with the day before
    rows = read_day(settings, "models", DAYS[1])
    assert all(rows[name].null_count == COUNT for name in absent)
    assert manifest["absent_fields"] == sorted([*LACKING, *absent])
    assert manifest["downloads_all_time"] is None
    assert manifest["unknown_columns"] == ["newField"]
    assert manifest["unknown_fields"] == {"newField": COUNT}


# --- trouble ---------------------------------------------------------------------------------------------------------


def misbehave(hub: SandboxHub, *faults: dict) -> None:
    hub.faults.rules = Faults(list(faults)).rules


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "flipped_byte", "route": "resolve"},
        {"kind": "short_body", "route": "resolve"},
        {"kind": "reset_midway", "route": "resolve"},
        {"kind": "reset", "route": "resolve"},
        {"kind": "status", "status": 503, "route": "resolve", "times": 2},
        {"kind": "status", "status": 429, "retry_after": 1, "remaining": 5, "route": "resolve"},
        {"kind": "status", "status": 500, "route": "commits", "times": 3},
        {"kind": "html", "route": "commits"},
        {"kind": "truncated_json", "route": "dataset"},
        {"kind": "reset", "route": "dataset"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault['route']} {fault.get('status', '')}",
)
def test_trouble_that_passes_lands_the_same_day(hub, settings_for, fault):
    clean, settings = settings_for(hub, home="clean"), settings_for(hub)
    land(DAYS[0], clean)
    misbehave(hub, fault)
    landed = land(DAYS[0], settings)
    assert hub.faults.rules[0].fired == fault.get("times", 1)
    assert content_hash(landed.path) == content_hash(day_folder(clean, "models", DAYS[0]))


def test_a_file_that_stays_wrong_is_not_landed(hub, settings_for):
    settings = settings_for(hub)
    misbehave(hub, {"kind": "flipped_byte", "route": "resolve", "times": None})
    with pytest.raises(HubIntegrityError, match="twice with sha256"):
        land(DAYS[0], settings)
    row = capture(settings, DAYS[0])
    assert (row["status"], row["source"], row["models"]) == ("incomplete", "hub_stats", 0)
    assert "twice with sha256" in row["reason"]
    assert (visible(settings), left_over(settings)) == ([], [])


@pytest.mark.parametrize("route", ["commits", "dataset", "resolve"])
def test_an_archive_that_is_gone_writes_nothing(hub, settings_for, route):
    settings = settings_for(hub)
    misbehave(hub, {"kind": "status", "status": 404, "route": route, "times": None})
    with pytest.raises(HubConfigurationError, match="may have been taken down"):
        land(DAYS[0], settings)
    assert (visible(settings), capture(settings, DAYS[0])) == ([], None)


def test_an_archive_in_trouble_writes_nothing(hub, settings_for):
    settings = settings_for(hub)
    misbehave(hub, {"kind": "status", "status": 503, "route": "commits", "times": None})
    with pytest.raises(HubUnavailable):
        land(DAYS[0], settings)
    assert (visible(settings), capture(settings, DAYS[0])) == ([], None)


KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from orchestration.landing.archive import land_from_archive
from orchestration.settings import Settings

def progress(line):
    if sys.argv[4] in line:
        os.kill(os.getpid(), signal.SIGKILL)

settings = Settings(home=Path(sys.argv[2]), hub_endpoint=sys.argv[3], page_size=20, pages_per_shard=1, hf_token=None)
land_from_archive(date.fromisoformat(sys.argv[1]), settings, progress=progress)
"""


@pytest.mark.parametrize(
    ("line", "fetched"),  # what came whole isn't fetched again
    [("downloaded", 2), ("2 shards", 0)],
    ids=["within the download", "between two shards"],
)
def test_a_day_that_was_killed_lands_the_same_afterwards(hub, settings_for, line, fetched):
    clean, settings = settings_for(hub, home="clean"), settings_for(hub, pages_per_shard=1)
    land(DAYS[0], clean)
    arguments = [sys.executable, "-c", KILLED, str(DAYS[0]), str(settings.home), hub.url, line]
    environment = os.environ | {"PYTHONPATH": str(PROJECT_ROOT)}
    died = subprocess.run(arguments, env=environment, capture_output=True, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert visible(settings) == []
    assert left_over(settings)
    before = sum("/resolve/" in path for _, path, _ in hub.requests)
    landed = land(DAYS[0], settings)
    assert content_hash(landed.path) == content_hash(day_folder(clean, "models", DAYS[0]))
    assert sum("/resolve/" in path for _, path, _ in hub.requests) - before == fetched
    assert left_over(settings) == []


def test_a_run_without_room_says_so(hub, settings_for):
    """As a process with a limit on the size of its files: the system's own error, without filling a disk."""
    settings = settings_for(hub)
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n" + KILLED
    arguments = [sys.executable, "-c", limited, str(DAYS[0]), str(settings.home), hub.url, "never"]
    environment = os.environ | {"PYTHONPATH": str(PROJECT_ROOT)}
    died = subprocess.run(arguments, env=environment, capture_output=True, check=False, timeout=60)
    assert b"StorageFull: No room to write" in died.stderr
    assert visible(settings) == []
    assert land(DAYS[0], settings).rows == COUNT


# --- files by themselves ---------------------------------------------------------------------------------------------

AT = datetime(2026, 10, 6, 12, tzinfo=UTC)
PROVENANCE = Provenance(None, AT, "hub_stats", "a" * 40, AT)


def file_of(folder: Path, rows: list[dict] | pa.Table, **columns: pa.Array) -> Path:
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
    for name, array in columns.items():
        table = table.append_column(name, array) if name not in table.column_names else table.set_column(
            table.column_names.index(name), name, array
        )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "models.parquet")
    return folder / "models.parquet"


def written(file: Path, folder: Path, rows_per_shard: int = 25) -> pa.Table:
    folder.mkdir()
    shards = write_shards(file, folder, MODELS.fields, PROVENANCE, rows_per_shard, lambda _: None)
    assert [path.name for path in sorted(folder.iterdir())] == [part["file"] for part in shards.parts]
    return pa.concat_tables(pq.read_table(folder / part["file"], partitioning=None) for part in shards.parts)


def test_rows_come_in_the_order_of_ids_whatever_the_files(tmp_path, monkeypatch):
    rows = models(COUNT)
    tmp_path = tmp_path / "home [1] *?"  # a name that is a pattern
    at_once = written(file_of(tmp_path, rows[::2] + rows[1::2]), tmp_path / "at-once")
    assert at_once["_id"].to_pylist() == [model_id(number) for number in range(COUNT)]
    monkeypatch.setattr(archive_shards, "ROWS_IN_MEMORY", 7)  # nine passes
    in_ranges = written(file_of(tmp_path, rows[::-1]), tmp_path / "in-ranges")
    assert in_ranges.equals(at_once)
    assert sorted(path.name for path in (tmp_path / "in-ranges").iterdir()) == [
        f"part-0000{n}.parquet" for n in range(3)
    ]


def test_rows_are_what_the_listings_items_would_have_become(tmp_path):
    """The archive's way and the walk's way to a landed row, on the same values."""
    items = [
        {
            "_id": model_id(number), "id": f"org/{number}", "createdAt": f"2026-01-{number + 1:02}T00:00:00.000Z",
            "downloads": number, "downloadsAllTime": 2**40 + number, "trendingScore": number / 3,
            "tags": ["é", "a:b:c"] if number % 2 else [], "library_name": None if number % 3 else "\u202ereversed",
            "safetensors": {"parameters": {"BF16" if number % 2 else "F32": number}, "total": number},
            "baseModels": {"relation": "merge", "models": [{"_id": model_id(0), "id": "a/b"}]} if number else None,
        }
        for number in range(20)
    ]  # fmt: skip
    table = pa.Table.from_pylist(items)
    assert table.schema.field("safetensors").type.field("parameters").type.num_fields == 2  # each with null members
    told = convert(table, MODELS.fields, PROVENANCE)
    expected = to_table([{k: v for k, v in item.items() if v is not None} for item in items], MODELS.fields, PROVENANCE)
    assert told.table.equals(expected.table)
    assert told.counts.as_json() == expected.counts.as_json()


@pytest.mark.parametrize(
    ("column", "values", "landed", "kept"),
    [
        ("downloads", pa.array(["7", "many"]), [7, None], "many"),
        ("downloads", pa.array([7.0, 1.5]), [7, None], 1.5),
        ("downloads", pa.array([7, 2**63], pa.uint64()), [7, None], 2**63),
        ("downloads", pa.array([Decimal(7), Decimal(2**65)], pa.decimal128(38, 0)), [7, None], str(2**65)),
        ("downloads", pa.array([True, False]), [None, None], False),
        ("trendingScore", pa.array([0.5, float("nan")]), [0.5, None], None),
        ("createdAt", pa.array(["2026-01-01T00:00:00Z", "yesterday"]), [datetime(2026, 1, 1, tzinfo=UTC), None], "yesterday"),
        ("createdAt", pa.array([1, 2]), [None, None], 2),
        ("tags", pa.array([["a"], ["b", None]]), [["a"], None], ["b", None]),
        ("tags", pa.array(['["a"]', "a, b"]), [["a"], None], "a, b"),
        ("author", pa.array([b"x", b"\xff"]), ["x", None], {"hex": "ff"}),
        ("author", pa.array(["x", "y"]).dictionary_encode(), ["x", "y"], ...),
        ("safetensors", pa.array(['{"total":7}', "{total:7}"]), [7, None], "{total:7}"),
        ("safetensors", pa.array([{"total": "7"}, {"total": None}]), [None, None], ...),
        ("gated", pa.array(["auto", "sometimes"]), ["auto", None], "sometimes"),
    ],
)  # fmt: skip
def test_a_value_that_doesnt_fit_is_null_and_kept(tmp_path, column, values, landed, kept):
    rows = written(file_of(tmp_path, models(2), **{column: values}), tmp_path / "out")
    name = "safetensors_total" if column == "safetensors" else column
    assert rows[name].to_pylist() == landed
    if kept is not ...:
        assert rows["cast_errors"].to_pylist()[1] == [column]
        assert json.loads(rows["extra"].to_pylist()[1])["_unfit"] == {column: kept}


@pytest.mark.parametrize("kind", [pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("us", "Asia/Tokyo")], ids=str)
def test_times_are_utc_whatever_their_unit(tmp_path, kind):
    expected = [datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 2, 12, tzinfo=UTC)]
    moments = expected if kind.tz else [moment.replace(tzinfo=None) for moment in expected]
    rows = written(file_of(tmp_path, models(2), createdAt=pa.array(moments, kind)), tmp_path / "out")
    assert rows["createdAt"].to_pylist() == expected


def test_members_that_are_null_dont_reach_extra():
    kind = pa.struct([("parameters", pa.struct([("BF16", pa.int64()), ("F32", pa.int64())])), ("total", pa.int64())])
    values = [
        {"parameters": {"BF16": 1, "F32": None}, "total": 1},
        {"parameters": {"BF16": None, "F32": None}, "total": None},
        None,
        {"parameters": None, "total": 3},
    ]
    assert json_values(pa.array(values, kind)) == [{"parameters": {"BF16": 1}, "total": 1}, None, None, {"total": 3}]
    nested = pa.array(
        [[{"a": 1, "b": None}, None], None, []], pa.list_(pa.struct([("a", pa.int8()), ("b", pa.int8())]))
    )
    assert json_values(nested) == [[{"a": 1}, None], None, []]
    assert json_values(pa.array([[("F32", 2)], None], pa.map_(pa.string(), pa.int64()))) == [{"F32": 2}, None]


def test_a_struct_without_a_relation_or_models_is_no_base_model(tmp_path):
    rows = written(
        file_of(tmp_path, [model(0, baseModels={"relation": None, "models": None}), model(1)]), tmp_path / "out"
    )
    assert rows["baseModels"].to_pylist() == [None, model(1)["baseModels"]]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([model(0), model(1), model(1, id="other/name")], f"the _id {model_id(1)} more than once"),
        ([model(0), model(1, _id=None)], "no _id for org1/model-1"),
        ([{k: v for k, v in model(n).items() if k != "_id"} for n in range(2)], "lacks _id; it has id, author"),
        ([{k: v for k, v in model(n).items() if k != "downloads"} for n in range(2)], "lacks downloads;"),
        ([model(n) | {"ID": "x"} for n in range(2)], "has id more than once"),
    ],
    ids=["repeated", "missing", "no column _id", "no downloads", "names that differ in case"],
)
def test_a_file_whose_rows_cant_be_told_apart_is_refused(tmp_path, rows, said):
    with pytest.raises(HubIntegrityError, match=said):
        written(file_of(tmp_path, rows), tmp_path / "out")


def test_an_id_that_is_repeated_in_the_next_shard_is_found(tmp_path):
    file = file_of(tmp_path, [*models(25), model(24, id="other/name"), model(30)])
    with pytest.raises(HubIntegrityError, match=f"the _id {model_id(24)} more than once"):
        written(file, tmp_path / "out", rows_per_shard=25)


@pytest.mark.parametrize("damage", ["no Parquet", "broken inside"])
def test_a_file_that_cant_be_read_is_refused(tmp_path, damage):
    file = file_of(tmp_path, models(2000))
    body = file.read_bytes()
    file.write_bytes(b"_id,id\n" if damage == "no Parquet" else body[:100] + bytes(4000) + body[4100:])
    with pytest.raises(HubIntegrityError, match=r"models\.parquet can't be read"):
        written(file, tmp_path / "out")


def test_strings_of_a_file_are_only_strings(tmp_path):
    hostile = ["{{ 7 * 7 }}", "'; drop table x; --", "reference://a", "%s{0}", "hf://datasets/x@y/z", "\x00"]
    rows = [model(number, id=text, author=text, tags=[text], pipeline_tag=text) for number, text in enumerate(hostile)]
    landed = written(file_of(tmp_path, rows), tmp_path / "out")
    assert landed["id"].to_pylist() == landed["author"].to_pylist() == landed["pipeline_tag"].to_pylist() == hostile
    assert landed["tags"].to_pylist() == [[text] for text in hostile]


def test_a_past_day_is_held_to_what_the_hub_had_then():
    assert as_of(MODELS, date(2026, 10, 6)) == MODELS
    assert as_of(MODELS, date(2026, 2, 28)).row_floor == 2_000_000
    then = as_of(MODELS, date(2025, 3, 1))
    assert (then.row_floor, "openai/gpt-oss-20b" in then.sentinels) == (1_000_000, False)
    assert "openai-community/gpt2" in then.sentinels
    assert as_of(MODELS, date(2023, 1, 1)).row_floor == 1
