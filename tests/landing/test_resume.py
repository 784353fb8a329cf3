"""A walk that is cut off at any moment, by anything, and taken up again: what lands is what an undisturbed walk lands."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from orchestration.landing import DayLocked, WrongDay, land_models
from orchestration.landing.content import content_hash
from orchestration.landing.folders import DayFolder
from orchestration.settings import PROJECT_ROOT
from tests.hub.snapshots import DAY, NEXT_DAY
from tests.landing.conftest import COUNT
from tests.landing.landed import capture, day_folder, listing_requests, visible

SCRIPT = """
import datetime, pathlib, resource, sys, time
from orchestration.hub.errors import ObservatoryError
from orchestration.landing import land_models
from orchestration.settings import Settings
home, endpoint, day, pause, limit = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
settings = Settings(home=pathlib.Path(home), hub_endpoint=endpoint, page_size=20, pages_per_shard=2, hf_token=None)

said = []

def say(line):
    said.append(line)
    print(line, flush=True)
    time.sleep(float(pause) if len(said) == 1 else 0)

try:
    land_models(datetime.date.fromisoformat(day), settings, progress=say)
except ObservatoryError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def start(settings, *, pause: float = 0, limit: int = 0) -> subprocess.Popen:
    """A process that lands the first day; it sleeps `pause` seconds after the first line that it says."""
    arguments = [str(settings.home), settings.hub_endpoint, str(DAY), str(pause), str(limit)]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_sigterm,
    )  # fmt: skip


def _hear_sigterm() -> None:
    """Dagster's runs leave SIGTERM as SIGINT is: where that is ignored (a job in the background), children would be deaf."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def stop(process: subprocess.Popen) -> str:
    """SIGTERM in the pause after the first line, which is given; a moment later, so that the pause has begun."""
    line = process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    return line


def hash_of(settings) -> str:
    return content_hash(day_folder(settings, "models", DAY))


@pytest.fixture(scope="module")
def clean_hash(clean_home) -> str:
    return hash_of(clean_home)


def work_state(settings) -> dict:
    return json.loads(DayFolder(settings.landing_dir, "models", DAY).state.read_text())


def test_killed_again_and_again_it_lands_the_same(hub, settings_for, clean_hash):
    settings, chance, kills = settings_for(hub), random.Random(7), 0
    while True:
        process = start(settings, pause=0.05)
        first = process.stdout.readline()
        if kills == 4 or not first:
            process.communicate(timeout=30)
            break
        time.sleep(chance.random() * 0.08)  # somewhere inside a page, a shard, a state or the end
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close(), process.stderr.close()
        kills += 1
        assert visible(settings) == [] or hash_of(settings) == clean_hash
    assert kills >= 2
    assert land_models(DAY, settings).rows == COUNT
    assert hash_of(settings) == clean_hash


def test_sigterm_keeps_every_whole_page_and_ends(hub, settings_for, clean_hash):
    settings = settings_for(hub)
    process = start(settings, pause=30)
    assert "walked 2 pages" in stop(process)  # it has two more pages in hand
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (128 + signal.SIGTERM, "")
    assert (work_state(settings)["pages"], work_state(settings)["rows"]) == (4, 80)
    before = listing_requests(hub)
    landed = land_models(DAY, settings)
    assert listing_requests(hub) - before == 2
    assert (hash_of(settings), landed.manifest["resumed"]) == (clean_hash, 1)


def test_a_full_disk_is_said_and_loses_no_shard(hub, settings_for, clean_hash):
    settings = settings_for(hub)
    process = start(settings, limit=4000)  # bytes a file may have: less than a shard
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "StorageFull: No room to write" in said
    assert "Do this: free some space, then run the same day again" in said
    assert visible(settings) == []
    assert list(settings.landing_dir.rglob("*.tmp")) == []
    assert land_models(DAY, settings).rows == COUNT
    assert hash_of(settings) == clean_hash


def test_a_disk_that_fills_up_later_keeps_the_shards_before(hub, settings_for, clean_hash):
    settings = settings_for(hub)
    process = start(settings, pause=30)
    stop(process)
    process.communicate(timeout=20)
    process = start(settings, limit=2000)  # enough for nothing
    assert "StorageFull" in process.communicate(timeout=30)[1]
    assert work_state(settings)["rows"] == 80
    before = listing_requests(hub)
    land_models(DAY, settings)
    assert listing_requests(hub) - before == 2
    assert hash_of(settings) == clean_hash


def interrupted(settings):
    process = start(settings, pause=30)
    stop(process)
    process.communicate(timeout=20)
    return DayFolder(settings.landing_dir, "models", DAY)


@pytest.mark.parametrize("damage", ["cut", "no JSON", "no object", "other keys", "another version", "bytes", "empty"])
def test_a_damaged_state_starts_over_and_says_so(hub, settings_for, clean_hash, damage):
    settings = settings_for(hub)
    folder = interrupted(settings)
    saved = folder.state.read_bytes()
    document = json.loads(saved)
    folder.state.write_bytes(
        {
            "cut": saved[: len(saved) // 2],
            "no JSON": b"state",
            "no object": b"[1]",
            "other keys": json.dumps(document | {"novelty": 1}).encode(),
            "another version": json.dumps(document | {"version": 1}).encode(),
            "bytes": b"\xff\xfe" + saved,
            "empty": b"",
        }[damage]
    )
    lines: list[str] = []
    assert land_models(DAY, settings, progress=lines.append).manifest["resumed"] == 0
    assert "starting over" in lines[0]
    assert hash_of(settings) == clean_hash


@pytest.mark.parametrize("damage", ["a flipped byte", "cut", "gone"])
def test_a_damaged_shard_starts_over_and_says_so(hub, settings_for, clean_hash, damage):
    settings = settings_for(hub)
    folder = interrupted(settings)
    shard = folder.work / "part-00001.parquet"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "gone":
        shard.unlink()
    else:
        shard.write_bytes(content if damage == "a flipped byte" else content[:-9])
    lines: list[str] = []
    land_models(DAY, settings, progress=lines.append)
    assert "part-00001.parquet of the interrupted walk is missing or damaged; starting over" in lines[0]
    assert hash_of(settings) == clean_hash


def test_a_walk_that_was_left_for_a_day_is_not_taken_up_and_the_day_says_why(hub, settings_for):
    settings = settings_for(hub)
    interrupted(settings)
    hub.day = NEXT_DAY
    with pytest.raises(WrongDay):
        land_models(DAY, settings)
    row = capture(settings, DAY)
    assert row["status"] == "incomplete"
    assert row["reason"] == "the walk stopped after 4 pages and was not taken up again on its day"
    assert visible(settings) == []


def test_the_second_of_two_runs_is_told_who_holds_the_day(hub, settings_for, clean_hash):
    settings = settings_for(hub)
    process = start(settings, pause=1)
    process.stdout.readline()
    with pytest.raises(DayLocked, match=rf"is held by process {process.pid} \(-c\) on \S+ since .* Do this: wait"):
        land_models(DAY, settings)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert land_models(DAY, settings).already_landed
    assert hash_of(settings) == clean_hash


def test_a_lock_that_a_killed_process_left_behind_holds_nobody(hub, settings_for):
    settings = settings_for(hub)
    process = start(settings, pause=30)
    process.stdout.readline()
    process.kill()
    process.communicate(timeout=10)
    assert list(settings.landing_dir.glob(".*.lock"))
    assert land_models(DAY, settings).rows == COUNT


def test_the_hash_tells_rows_and_not_how_they_were_cut(hub, settings_for, clean_hash):
    assert hash_of_day_in(hub, settings_for, home="one", page_size=50, pages_per_shard=1) == clean_hash
    hub.day = NEXT_DAY
    settings = settings_for(hub, home="two")
    land_models(NEXT_DAY, settings)
    assert content_hash(day_folder(settings, "models", NEXT_DAY)) != clean_hash


def hash_of_day_in(hub, settings_for, **options) -> str:
    settings = settings_for(hub, **options)
    land_models(DAY, settings)
    return hash_of(settings)
