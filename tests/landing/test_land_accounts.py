"""Accounts of a landed day over real HTTP: who is asked for, what is kept, what is carried forward, what a crash costs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from orchestration.hub.accounts import TRIES
from orchestration.hub.errors import HubUnavailable, ObservatoryError
from orchestration.hub.governor import Priority
from orchestration.landing import accounts, land_accounts, land_models
from orchestration.landing.accounts import BIG_RANKS, to_look_up
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import PROJECT_ROOT, Settings
from tests.hub.snapshots import DAY, NEXT_DAY, model, write_snapshots
from tests.landing.landed import day_folder, read_day

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)
MANY = 40  # accounts of the busy Hub: one model each, the last has most downloads


class Crash(BaseException):
    """The process dies here."""


def accounts_of(settings, day) -> dict[str, dict]:
    return {row["namespace"]: row for row in read_day(settings, "accounts", day).to_pylist()}


def asked(hub) -> list[str]:
    return [path.split("/")[3] for _, path, _ in hub.requests if "/overview" in path]


def journal_of(settings, day=DAY):
    return settings.landing_dir / "_incomplete" / "accounts" / f"snapshot_date={day}.lookups.jsonl"


def told(manifest: dict) -> tuple:
    return tuple(manifest[name] for name in ("looked_up", "first_seen", "refreshed", "renamed", "remaining"))


@pytest.fixture(scope="session")
def served_busy(tmp_path_factory) -> Iterator[SandboxHub]:
    rows = [model(number, author=f"acc{number:02d}", id=f"acc{number:02d}/model") for number in range(MANY)]
    known = [
        {"name": f"acc{number:02d}", "type": ("org", "user")[number % 2], "fullname": f"Full {number}"}
        for number in range(MANY)
        if number % 5
    ]
    folder = write_snapshots(tmp_path_factory.mktemp("busy") / "snapshots", {DAY: rows, NEXT_DAY: rows}, known)
    with SandboxHub(folder, day=DAY, rate_limit=100_000_000) as hub:  # no pause between look-ups
        yield hub


@pytest.fixture
def busy(served_busy) -> SandboxHub:
    """A Hub with an account for each model: three types in turn."""
    served_busy.day = DAY
    served_busy.faults.rules = []
    return served_busy


@pytest.fixture(scope="session")
def undisturbed(served_busy, tmp_path_factory) -> tuple[dict, dict]:
    """What the day must look like, however it came about: rows by namespace without their times, and the manifest."""
    served_busy.day = DAY
    served_busy.faults.rules = []
    settings = Settings(home=tmp_path_factory.mktemp("undisturbed"), hub_endpoint=served_busy.url, hf_token=None)
    land_models(DAY, settings)
    manifest = land_accounts(DAY, settings).manifest
    return content(settings), manifest


def content(settings) -> dict[str, dict]:
    return {name: row | {"observed_at": None} for name, row in accounts_of(settings, DAY).items()}


# --- what is kept ----------------------------------------------------------------------------------------


def test_accounts_are_told_apart_and_persons_hold_nothing_else(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    landed = land_accounts(DAY, settings)
    assert (landed.rows, landed.is_simulated) == (5, True)
    known = accounts_of(settings, DAY)
    assert {name: row["account_type"] for name, row in known.items()} == {
        "org0": "organization",
        "org1": "organization",
        "org2": "person",
        "org3": "unknown",
        "org4": "unknown",
    }
    assert (known["org0"]["full_name"], known["org0"]["is_verified"], known["org0"]["followers"]) == (
        "Org Zero",
        True,
        12,
    )
    person = {name: value for name, value in known["org2"].items() if value is not None}
    assert set(person) == {"namespace", "account_type", "observed_at"}
    assert {row["observed_at"].date() for row in known.values()} == {DAY}


def test_the_manifest_tells_what_was_asked_and_how_much_is_covered(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    manifest = land_accounts(DAY, settings, budget=4).manifest
    assert told(manifest) == (4, 4, 0, 0, 1)
    # org0 (models 0, 5, … 105) wasn't asked for; org3 and org4 are neither organisation nor person
    downloads = Counter()
    for number in range(110):
        downloads[f"org{number % 5}"] += 10 * number
    typed = downloads["org1"] + downloads["org2"]
    assert manifest["known_downloads_share"] == round(typed / downloads.total(), 6)
    assert manifest["retries"] == {}


def test_retries_are_those_of_the_look_ups(hub, settings_for, client_of, misbehave):
    settings, client = settings_for(hub), client_of(hub)
    misbehave({"kind": "status", "status": 503, "page": 2})
    land_models(DAY, settings, client=client)
    misbehave({"kind": "status", "status": 502, "route": "user", "times": 2})
    assert land_accounts(DAY, settings, client=client).manifest["retries"] == {"502": 2}


def everything(folder) -> bytes:
    """All bytes of all files below, and what the Parquet ones hold when unpacked."""
    found = b""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found += path.name.encode() + path.read_bytes()
        if path.suffix == ".parquet":
            found += repr(pq.read_table(path, partitioning=None).to_pylist()).encode()
    return found


def test_nothing_else_of_a_persons_overview_is_written_anywhere(tmp_path, settings_for, client_of):
    person = {"name": "ada", "type": "user", "fullname": "Zebediah Quux", "numFollowers": 918273645, "plan": "pro"}
    lab = {"name": "lab", "type": "org", "fullname": "Visible Laboratory", "numFollowers": 564738291}
    rows = [model(0, author="lab", id="lab/m"), model(1, author="ada", id="ada/m"), model(2, author="no", id="no/m")]
    folder = write_snapshots(tmp_path / "snapshots", {DAY: rows}, [person, lab])
    with SandboxHub(folder, day=DAY) as hub:
        settings = settings_for(hub)
        overview = client_of(hub).get("/api/users/ada/overview").document
        secrets = [overview[name] for name in ("_id", "avatarUrl", "fullname", "numFollowers")]
        assert set(overview) - {"_id", "avatarUrl", "fullname", "numFollowers"} == {"isPro", "orgs", "user", "type"}
        land_models(DAY, settings)
        with pytest.raises(Crash):
            land_accounts(DAY, settings, progress=_crash_on("looked up 3 of 3"), client=client_of(hub))
        unfinished = everything(settings.landing_dir)
        assert b'"ada"' in unfinished  # the journal is there
        land_accounts(DAY, settings)
    finished = everything(settings.landing_dir)
    assert b"Visible Laboratory" in finished
    assert b"564738291" in finished  # so that a number would be found
    for secret in secrets:
        assert str(secret).encode() not in unfinished + finished


def _crash_on(words: str) -> Callable[[str], None]:
    def progress(line: str) -> None:
        if words in line:
            raise Crash

    return progress


def test_renames_are_counted(hub, settings_for, monkeypatch):
    look_up = accounts.look_up
    # the sandbox renames no account; what a renamed one answers is tested with `hub.accounts`
    monkeypatch.setattr(accounts, "look_up", lambda *asked: replace(look_up(*asked), is_renamed=asked[1] != "org1"))
    settings = settings_for(hub)
    land_models(DAY, settings)
    assert land_accounts(DAY, settings).manifest["renamed"] == 4
    assert "is_renamed" not in accounts_of(settings, DAY)["org0"]


# --- who is asked for ------------------------------------------------------------------------------------


def test_the_budget_goes_to_the_most_downloaded_unknown_and_the_state_is_carried_forward(hub, settings_for):
    settings = settings_for(hub, account_lookups=2)
    land_models(DAY, settings)
    before = len(asked(hub))
    assert told(land_accounts(DAY, settings).manifest) == (2, 2, 0, 0, 3)
    # org4 holds models 4, 9, … 109, so it has most downloads; an account that is no organisation is asked for twice
    assert asked(hub)[before:] == ["org4", "org4", "org3", "org3"]
    hub.day = NEXT_DAY
    land_models(NEXT_DAY, settings)
    before = len(asked(hub))
    assert told(land_accounts(NEXT_DAY, settings).manifest) == (2, 2, 0, 0, 1)
    assert len(set(asked(hub)[before:])) == 2
    assert "org4" not in asked(hub)[before:]
    known = accounts_of(settings, NEXT_DAY)
    assert len(known) == 4
    assert known["org4"] == accounts_of(settings, DAY)["org4"]


def test_a_budget_that_is_passed_goes_before_the_setting(hub, settings_for):
    settings = settings_for(hub, account_lookups=2)
    land_models(DAY, settings)
    assert land_accounts(DAY, settings, budget=1).manifest["looked_up"] == 1
    with pytest.raises(ObservatoryError, match=r"budget of -1 look-ups.*0 or more"):
        land_accounts(DAY, settings, budget=-1)


def test_no_budget_lands_the_state_as_it_was(hub, settings_for):
    settings = settings_for(hub, account_lookups=0)
    land_models(DAY, settings)
    landed = land_accounts(DAY, settings)
    assert (landed.rows, told(landed.manifest)) == (0, (0, 0, 0, 0, 5))
    assert landed.manifest["known_downloads_share"] == 0


def test_look_ups_let_a_walk_go_first(hub, settings_for, client_of, monkeypatch):
    settings, client = settings_for(hub), client_of(hub)
    land_models(DAY, settings, client=client)
    wanted, get = [], client.get
    monkeypatch.setattr(
        client, "get", lambda *args, **options: wanted.append(options["priority"]) or get(*args, **options)
    )
    land_accounts(DAY, settings, client=client)
    assert wanted == [Priority.LOOK_UP] * 8  # five accounts; three are no organisation


def test_an_empty_author_is_no_account(tmp_path, settings_for):
    rows = [model(1, author="", id="lab/one"), model(2, author="", id="gpt2"), model(3, author=None, id="/odd")]
    with SandboxHub(write_snapshots(tmp_path / "snapshots", {DAY: rows}), day=DAY) as hub:
        settings = settings_for(hub)
        land_models(DAY, settings)
        land_accounts(DAY, settings)
        assert set(asked(hub)) == {"lab"}


def test_a_past_day_that_is_made_up_for_asks_nobody_twice(hub, settings_for):
    settings = settings_for(hub)
    hub.day = NEXT_DAY
    land_models(NEXT_DAY, settings)
    land_accounts(NEXT_DAY, settings)
    hub.day = DAY
    land_models(DAY, settings)
    before = len(asked(hub))
    landed = land_accounts(DAY, settings)
    assert len(asked(hub)) == before
    assert told(landed.manifest) == (0, 0, 0, 0, 0)
    assert accounts_of(settings, DAY) == accounts_of(settings, NEXT_DAY)


# --- the rotation ----------------------------------------------------------------------------------------


def known_as(**ages: tuple[str, int]) -> dict[str, dict]:
    """Rows of known accounts: name=(type, days since it was observed)."""
    return {
        name: {"account_type": kind, "observed_at": NOW - timedelta(days=days)} for name, (kind, days) in ages.items()
    }


def test_unknown_accounts_come_first_as_ranked_then_those_longest_overdue():
    known = known_as(
        fresh=("organization", 6), week=("organization", 7), old=("organization", 30), older=("organization", 60)
    )
    ranked = ["fresh", "week", "new-big", "old", "older", "new-small"]
    assert to_look_up(ranked, known, NOW, 10) == ["new-big", "new-small", "older", "old", "week"]
    assert to_look_up(ranked, known, NOW, 4) == ["new-big", "new-small", "older", "old"]
    assert to_look_up(ranked, known, NOW, 2) == ["new-big", "older"]
    assert to_look_up(ranked, known, NOW, 0) == []


@pytest.mark.parametrize(
    ("kind", "rank", "days", "is_due"),
    [
        ("organization", 0, 6, False),
        ("organization", 0, 7, True),
        ("organization", BIG_RANKS - 1, 7, True),
        ("organization", BIG_RANKS, 29, False),
        ("organization", BIG_RANKS, 30, True),
        ("person", 0, 29, False),
        ("person", 0, 30, True),
        ("unknown", 0, 89, False),
        ("unknown", 0, 90, True),
    ],
)
def test_big_organisations_come_round_sooner_and_unknown_names_later(kind, rank, days, is_due):
    others = [f"other{number}" for number in range(rank)]
    known = known_as(it=(kind, days), **{name: ("person", 0) for name in others})
    assert to_look_up([*others, "it"], known, NOW, 10) == (["it"] if is_due else [])


def test_what_was_observed_after_the_day_is_not_due():
    assert to_look_up(["it"], known_as(it=("organization", -40)), NOW, 10) == []


@pytest.mark.parametrize(
    ("unknown", "big", "rest", "expected"),
    [
        ((50, 50, 50), (50, 50, 50), (50, 50, 50), (8, 6, 2)),
        ((50, 50, 50), (1, 1, 1), (50, 50, 50), (8, 1, 7)),
        ((50, 50, 50), (50, 50, 50), (0, 0, 0), (8, 8, 0)),
        ((2, 2, 2), (50, 50, 50), (50, 50, 50), (2, 10, 4)),
        ((0, 0, 0), (3, 3, 3), (50, 50, 50), (0, 3, 13)),
        ((50, 50, 50), (1, 1, 1), (1, 1, 1), (14, 1, 1)),
    ],
    ids=["all wait", "few big ones", "only big ones", "few unknown", "no unknown", "few due"],
)
def test_the_budget_is_shared_and_what_one_kind_leaves_goes_to_the_next(unknown, big, rest, expected):
    known = known_as(
        **{f"big{number}": ("organization", 99) for number in range(big[0])},
        **{f"rest{number}": ("person", 99) for number in range(rest[0])},
    )
    ranked = [f"unknown{number}" for number in range(unknown[0])]
    ranked += [f"big{number}" for number in range(big[0])] + [f"rest{number}" for number in range(rest[0])]
    chosen = Counter(name.rstrip("0123456789") for name in to_look_up(ranked, known, NOW, 16))
    assert (chosen["unknown"], chosen["big"], chosen["rest"]) == expected


def test_nobody_starves_in_a_year_of_a_scarce_budget():
    budget, now, visits = 8, NOW, Counter()
    ranked = [f"org{number}" for number in range(30)] + [f"person{number}" for number in range(170)]
    known: dict[str, dict] = {}
    for day in range(365):
        now = NOW + timedelta(days=day)
        if day >= 20:
            ranked.append(f"new{day}-a")  # the unknown never end
            ranked.append(f"new{day}-b")
        for name in to_look_up(ranked, known, now, budget):
            kind = "organization" if name.startswith("org") else "person"
            known[name] = {"account_type": kind, "observed_at": now}
            visits[name] += 1
    assert not [name for name in ranked[:-10] if name not in known]
    assert min(visits[f"org{number}"] for number in range(30)) > 2 * max(
        visits[f"person{number}"] for number in range(170)
    )
    assert min(visits[f"person{number}"] for number in range(170)) >= 2
    oldest = min(row["observed_at"] for row in known.values())
    assert (now - oldest).days < 250


# --- again, and after a failure --------------------------------------------------------------------------


def test_a_landed_day_is_not_asked_for_again(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    land_accounts(DAY, settings)
    requests = len(hub.requests)
    journal_of(settings).write_bytes(b"left by a crash after the rename")
    assert land_accounts(DAY, settings).already_landed
    assert len(hub.requests) == requests
    assert not journal_of(settings).exists()


def test_accounts_need_the_days_models(hub, settings_for):
    with pytest.raises(ObservatoryError, match=r"models of 2026-10-06 are not landed.*land the models"):
        land_accounts(DAY, settings_for(hub))


@pytest.fixture
def each_told(monkeypatch) -> None:
    """A progress line for each look-up, so that a test can do something between two of them."""
    monkeypatch.setattr(accounts, "PROGRESS_EVERY", 1)


def journaled(settings) -> set[str]:
    return {json.loads(line)["namespace"] for line in journal_of(settings).read_bytes().splitlines()[1:]}


def goes_on(busy, settings, undisturbed, **options) -> list[str]:
    """Run the day again: nobody is asked for twice, and the day is as it would have been. Returns the progress."""
    learnt, before, lines = journaled(settings), len(asked(busy)), []
    landed = land_accounts(DAY, settings, progress=lines.append, **options)
    assert learnt
    assert f"resumed after {len(learnt)} look-ups" in lines[0]
    assert set(asked(busy)[before:]) == {f"acc{number:02d}" for number in range(MANY)} - learnt
    assert content(settings) == undisturbed[0]
    assert landed.manifest | {"parts": None, "bytes": None} == undisturbed[1] | {"parts": None, "bytes": None}
    assert not journal_of(settings).exists()
    return lines


def test_when_the_hub_gives_up_what_was_learnt_stays(busy, settings_for, client_of, undisturbed, each_told):
    settings = settings_for(busy)
    land_models(DAY, settings)

    def fail_after_twenty(line: str) -> None:
        if "looked up 20 of 40" in line:
            busy.faults.load([{"kind": "status", "status": 500, "route": "organization", "times": None}])

    with pytest.raises(HubUnavailable):
        land_accounts(DAY, settings, progress=fail_after_twenty, client=client_of(busy))
    assert not day_folder(settings, "accounts", DAY).exists()
    assert len(journaled(settings)) == 20
    busy.faults.rules = []
    goes_on(busy, settings, undisturbed)


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 502}, {"kind": "html"}], ids=["a status", "no overview"]
)
def test_a_few_accounts_that_cannot_be_had_are_left_for_another_day(busy, settings_for, client_of, fault, monkeypatch):
    """The first two are asked for four times each, and in vain."""
    settings, lines = settings_for(busy), []
    land_models(DAY, settings)
    busy.faults.load([fault | {"route": "organization", "times": 2 * TRIES}])
    manifest = land_accounts(DAY, settings, progress=lines.append, client=client_of(busy)).manifest
    assert len(manifest["failed"]) == 2
    assert manifest["looked_up"] == MANY - 2
    assert sum("left for another" in line for line in lines) == 2
    known = {row["namespace"] for row in read_day(settings, "accounts", DAY).to_pylist()}
    assert not known & set(manifest["failed"])
    assert manifest["remaining"] == 2


def test_whatever_the_moment_of_a_crash_the_day_comes_out_the_same(
    busy, settings_for, undisturbed, each_told, monkeypatch
):
    rename, moments = os.replace, 0
    while True:
        moments += 1
        settings, count = settings_for(busy, home=f"home-{moments}"), 0
        land_models(DAY, settings)

        def dying(source, target, moments=moments):
            nonlocal count
            count += 1
            if count == moments:
                raise Crash
            rename(source, target)

        monkeypatch.setattr(os, "replace", dying)
        try:
            land_accounts(DAY, settings)
        except Crash:
            monkeypatch.setattr(os, "replace", rename)
            before = len(asked(busy))
            assert not day_folder(settings, "accounts", DAY).exists()
            land_accounts(DAY, settings)
            assert len(asked(busy)) == before
            assert content(settings) == undisturbed[0]
        else:
            monkeypatch.setattr(os, "replace", rename)
            break
    assert moments == 4  # part, manifest and folder


@pytest.mark.parametrize("look_ups", [1, 25])
def test_a_killed_process_is_resumed(busy, settings_for, undisturbed, look_ups):
    settings = settings_for(busy)
    land_models(DAY, settings)
    busy.faults.load([{"kind": "hang", "seconds": 0.02, "route": "organization", "times": None}])
    script = (
        "import datetime, pathlib\n"
        "from orchestration.landing import land_accounts\n"
        "from orchestration.settings import Settings\n"
        f"s = Settings(home=pathlib.Path({str(settings.home)!r}), hub_endpoint={busy.url!r}, hf_token=None)\n"
        f"land_accounts(datetime.date.fromisoformat({str(DAY)!r}), s)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT_ROOT, stderr=subprocess.PIPE)
    try:
        journal, deadline = journal_of(settings), time.monotonic() + 60
        while not (journal.exists() and journal.read_bytes().count(b"\n") > look_ups):
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not day_folder(settings, "accounts", DAY).exists()
    busy.faults.rules = []
    goes_on(busy, settings, undisturbed)


@pytest.fixture
def interrupted(busy, settings_for, each_told):
    """Settings of a home in which a run died after ten look-ups."""
    settings = settings_for(busy)
    land_models(DAY, settings)
    with pytest.raises(Crash):
        land_accounts(DAY, settings, progress=_crash_on("looked up 10 of 40"))
    assert len(journaled(settings)) == 10
    return settings


@pytest.mark.parametrize(
    ("spoil", "stands"),
    [
        (lambda whole: whole[:-1], 9),
        (lambda whole: whole[:-20], 9),
        (lambda whole: whole + b"\0" * 100, 10),
        (lambda whole: whole + b'{"namespace": "acc00"}\n', 10),
        (lambda whole: whole.replace(b'"person"', b'"martian"', 1), None),
        (lambda whole: whole.replace(b"T12:", b"T99:").replace(b"T99:", b"T12:", 5), 5),
    ],
    ids=["no line end", "half a line", "zeros", "no look-up", "no such type", "no such time"],
)
def test_a_damaged_tail_is_asked_for_again(busy, interrupted, undisturbed, spoil, stands):
    journal = journal_of(interrupted)
    lines = journal.read_bytes().splitlines()
    if stands is None:
        stands = next(number for number, line in enumerate(lines) if b'"person"' in line) - 1
    spoilt = spoil(journal.read_bytes())
    assert spoilt != journal.read_bytes()
    journal.write_bytes(spoilt)
    before, told_lines = len(asked(busy)), []
    land_accounts(DAY, interrupted, progress=told_lines.append)
    assert "are damaged or from another Hub" in told_lines[0]
    assert f"; {stands} look-ups before them stand" in told_lines[0]
    assert len(set(asked(busy)[before:])) == MANY - stands
    assert content(interrupted) == undisturbed[0]


def test_a_whole_journal_says_nothing_of_damage(busy, interrupted, undisturbed):
    assert not [line for line in goes_on(busy, interrupted, undisturbed) if "damaged" in line]


def test_another_hubs_journal_is_not_used(busy, interrupted):
    journal = journal_of(interrupted)
    journal.write_bytes(journal.read_bytes().replace(busy.url.encode(), b"http://127.0.0.1:9"))
    before, lines = len(asked(busy)), []
    land_accounts(DAY, interrupted, progress=lines.append)
    assert "; 0 look-ups before them stand" in lines[0]
    assert len(set(asked(busy)[before:])) == MANY


def test_a_smaller_budget_on_resuming_keeps_what_was_learnt(busy, interrupted):
    before = len(asked(busy))
    assert told(land_accounts(DAY, interrupted, budget=5).manifest)[:2] == (10, 10)
    assert len(asked(busy)) == before
