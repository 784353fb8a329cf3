"""Landing whole days from a real HTTP server: good ones, interrupted ones, wrong ones and spoilt ones."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from orchestration.hub.errors import HubConfigurationError, HubIntegrityError, HubUnreachable
from orchestration.landing import CompletenessBounds, DayLocked, IncompleteDay, WrongDay, land_models
from orchestration.landing.folders import DayFolder
from orchestration.settings import PROJECT_ROOT
from tests.hub.snapshots import DAY, NEXT_DAY, model_id, models
from tests.landing.conftest import COUNT
from tests.landing.landed import capture, content, day_folder, listing_requests, read_day, visible


class Crash(BaseException):
    """The process dies here."""


def crash_after(lines: int):
    """A `progress` that dies when the given number of lines were reported."""
    seen: list[str] = []

    def progress(line: str) -> None:
        seen.append(line)
        if len(seen) == lines:
            raise Crash

    return progress


# --- a good day ------------------------------------------------------------------------------------------


def test_a_landed_day_equals_the_snapshot(hub, settings_for):
    settings = settings_for(hub)
    landed = land_models(DAY, settings)
    rows = read_day(settings, "models", DAY).to_pylist()
    expected = models(COUNT)
    assert [row["_id"] for row in rows] == [row["_id"] for row in expected]
    same = ("id", "author", "createdAt", "lastModified", "downloads", "downloadsAllTime", "likes", "trendingScore")
    for row, source in zip(rows, expected, strict=True):
        assert {name: row[name] for name in same} == {name: source[name] for name in same}
        assert row["tags"] == source["tags"]
        assert row["pipeline_tag"] == source["pipeline_tag"]
        assert row["gated"] == ("none" if source["gated"] == "false" else source["gated"])
        assert row["safetensors_total"] == (source["safetensors"] or {}).get("total")
        assert row["baseModels"] == source["baseModels"]
        assert row["cast_errors"] is None
    assert [row["page"] for row in rows] == [1 + number // 20 for number in range(COUNT)]
    assert {row["captured_at"] for row in rows} == {datetime.fromisoformat(landed.manifest["captured_at"])}
    assert (landed.rows, landed.already_landed, landed.is_simulated, landed.snapshot_date) == (COUNT, False, True, DAY)
    assert landed.bytes == sum(file.stat().st_size for file in landed.path.glob("*.parquet"))
    assert sorted(file.name for file in landed.path.iterdir()) == [
        "_manifest.json", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet",
    ]  # fmt: skip


def test_a_landed_day_has_its_manifest_and_capture_row(hub, settings_for):
    settings = settings_for(hub)
    manifest = land_models(DAY, settings).manifest
    assert (manifest["revision"], manifest["pages"], manifest["rows"]) == (1, 6, COUNT)
    assert (manifest["first_id"], manifest["last_id"]) == (model_id(0), model_id(COUNT - 1))
    assert {verdict["promise"]: verdict["passed"] for verdict in manifest["completeness"]} == {
        "the listing's last page was reached": True,
        "files, walk and ids agree": True,
        "the site counts as many": True,
        "more rows than any part of the Hub": None,
        "well-known repositories are listed": None,
        "as many rows as expected": None,
        "hardly any id has vanished": None,
        "no page is missing": None,
        "each column as full as before": None,
        "30-day downloads near the last day's": None,
    }
    row = capture(settings, DAY)
    assert row | {"captured_at": None, "source_revision": None} == {
        "status": "complete",
        "source": "hub_api",
        "source_revision": None,
        "source_license": "simulated by the sandbox Hub",
        "captured_at": None,
        "counters_date": DAY,
        "models": COUNT,
        "downloads_all_time": 100 * COUNT * (COUNT - 1) // 2,
        "is_simulated": True,
        "reason": None,
    }
    assert row["captured_at"].date() == DAY


def test_the_next_day_is_compared_with_the_last(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    hub.day = NEXT_DAY
    landed = land_models(NEXT_DAY, settings)
    assert landed.rows == COUNT + 3 - 1
    observed = {verdict["promise"]: verdict for verdict in landed.manifest["completeness"]}
    unjudged = {promise for promise, verdict in observed.items() if verdict["passed"] is None}
    assert unjudged == {"more rows than any part of the Hub", "well-known repositories are listed"}
    assert not any(verdict["passed"] is False for verdict in observed.values())
    assert observed["as many rows as expected"]["observed"] == "112 rows; 2026-10-06 had 110 and 3 were created since"
    assert observed["hardly any id has vanished"]["observed"].startswith("1 of 110 ids of 2026-10-06 have vanished")


def test_progress_tells_pages_rows_speed_and_what_is_expected(hub, settings_for):
    lines: list[str] = []
    land_models(DAY, settings_for(hub), progress=lines.append)
    assert len(lines) == 4  # three shards, and the end
    assert lines[0].startswith("models 2026-10-06: walked 2 pages, 40 rows of about 110 (36%), ")
    assert lines[2].startswith("models 2026-10-06: walked 6 pages, 110 rows of about 110 (100%), ")
    assert all(line.endswith(" rows/s") for line in lines[:3])
    assert lines[3] == "models 2026-10-06: landed 110 rows, 0.0 MB"


@pytest.mark.parametrize("count", [40, 41], ids=["exact multiple", "one row on the last page"])
def test_a_last_page_of_any_size_lands(serve, settings_for, count):
    settings = settings_for(serve({DAY: models(count)}))
    assert land_models(DAY, settings).rows == count


# --- the same day again ----------------------------------------------------------------------------------


def test_a_landed_day_is_not_fetched_again(hub, settings_for):
    settings = settings_for(hub)
    first = land_models(DAY, settings)
    before = {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in settings.landing_dir.rglob("*.*")}
    requests = len(hub.requests)
    hub.day = NEXT_DAY  # and the Hub has moved on
    again = land_models(DAY, settings)
    assert (again.already_landed, again.manifest, again.path) == (True, first.manifest, first.path)
    assert len(hub.requests) == requests
    assert {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in settings.landing_dir.rglob("*.*")} == before


def test_a_missing_capture_row_is_made_up_for_from_the_manifest(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    row = capture(settings, DAY)
    (day_folder(settings, "captures", DAY) / "part-00000.parquet").unlink()
    land_models(DAY, settings)
    assert capture(settings, DAY) == row


def test_force_lands_a_new_revision_and_keeps_the_old(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    old = content(settings, DAY)
    forced = land_models(DAY, settings, force=True)
    assert (forced.manifest["revision"], forced.already_landed) == (2, False)
    assert content(settings, DAY) == old
    kept = DayFolder(settings.landing_dir, "models", DAY).superseded(1)
    assert json.loads((kept / "_manifest.json").read_text())["revision"] == 1
    assert len(list(kept.glob("part-*.parquet"))) == 3
    assert land_models(DAY, settings, force=True).manifest["revision"] == 3


def test_a_forced_day_is_compared_with_the_day_before_it_like_the_first_time(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    hub.day = NEXT_DAY
    first = land_models(NEXT_DAY, settings).manifest
    forced = land_models(NEXT_DAY, settings, force=True).manifest
    assert forced["counters"]["compared_with"] == DAY.isoformat()
    for said in ("identity", "counters", "completeness"):
        assert forced[said] == first[said], said


def test_a_failed_force_leaves_the_landed_day_and_its_row(hub, settings_for, misbehave):
    settings = settings_for(hub)
    land_models(DAY, settings)
    old, row = content(settings, DAY), capture(settings, DAY)
    misbehave({"kind": "missing_link", "page": 2})
    with pytest.raises(IncompleteDay):
        land_models(DAY, settings, force=True)
    assert content(settings, DAY) == old
    assert capture(settings, DAY) == row


# --- interrupted days ------------------------------------------------------------------------------------


def test_an_interrupted_walk_goes_on_where_it_was_told_to_stop(hub, settings_for, clean_rows):
    settings = settings_for(hub)
    with pytest.raises(Crash):
        land_models(DAY, settings, progress=crash_after(1))  # two more pages have come by then, and are kept
    assert visible(settings) == []
    before = listing_requests(hub)
    lines: list[str] = []
    land_models(DAY, settings, progress=lines.append)
    assert "resumed after 4 pages, 80 rows" in lines[0]
    assert listing_requests(hub) - before == 2
    assert content(settings, DAY) == clean_rows


def test_a_killed_process_is_resumed_to_the_same_rows(hub, settings_for, clean_rows):
    settings = settings_for(hub)
    script = (
        "import os, sys, datetime, pathlib\n"
        "from orchestration.landing import land_models\n"
        "from orchestration.settings import Settings\n"
        f"s = Settings(home=pathlib.Path({str(settings.home)!r}), hub_endpoint={hub.url!r}, page_size=20, "
        "pages_per_shard=2, hf_token=None)\n"
        f"land_models(datetime.date.fromisoformat({str(DAY)!r}), s, progress=lambda line: os._exit(9))\n"
        "sys.exit('landed')\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, timeout=60)
    assert killed.returncode == 9, killed.stderr.decode()
    assert visible(settings) == []
    before = listing_requests(hub)
    assert land_models(DAY, settings).rows == COUNT
    assert listing_requests(hub) - before == 4
    assert content(settings, DAY) == clean_rows


def test_a_walk_that_had_ended_lands_without_asking_again(hub, settings_for):
    settings = settings_for(hub)
    with pytest.raises(Crash):
        land_models(DAY, settings, progress=crash_after(3))
    requests = len(hub.requests)
    hub.day = NEXT_DAY  # what was captured on the day may land after it
    assert land_models(DAY, settings).rows == COUNT
    assert len(hub.requests) == requests


def test_an_interrupted_walk_is_not_resumed_on_another_day(hub, settings_for):
    settings = settings_for(hub)
    with pytest.raises(Crash):
        land_models(DAY, settings, progress=crash_after(1))
    hub.day = NEXT_DAY
    with pytest.raises(WrongDay):
        land_models(DAY, settings)
    assert visible(settings) == []
    hub.day = DAY
    assert land_models(DAY, settings).rows == COUNT


def test_an_interrupted_walk_starts_over_if_the_counters_may_have_moved(serve, settings_for):
    early = serve({DAY: models(COUNT)}, capture_time="03:30:00")
    settings = settings_for(early)
    with pytest.raises(Crash):
        land_models(DAY, settings, progress=crash_after(1))
    early.stop()
    late = serve({DAY: models(COUNT)}, capture_time="12:00:00", port=int(early.url.rpartition(":")[2]))
    lines: list[str] = []
    landed = land_models(DAY, settings, progress=lines.append)
    assert any("starting over" in line for line in lines)
    assert listing_requests(late) == 7  # the one that showed the time, and all six pages
    assert (landed.rows, landed.manifest["counters_date"]) == (COUNT, str(DAY))


def test_another_page_size_starts_over(hub, settings_for):
    settings = settings_for(hub)
    with pytest.raises(Crash):
        land_models(DAY, settings, progress=crash_after(1))
    assert land_models(DAY, settings_for(hub, page_size=50)).manifest["pages"] == 3


def test_nothing_is_visible_whenever_it_dies_and_a_rerun_repairs_it(hub, settings_for, clean_rows, monkeypatch):
    rename, moments = os.replace, 0
    while True:
        moments += 1
        settings, count = settings_for(hub, home=f"home-{moments}"), 0

        def dying(source, target, moments=moments):
            nonlocal count
            count += 1
            if count == moments:
                raise Crash
            rename(source, target)

        monkeypatch.setattr(os, "replace", dying)
        try:
            land_models(DAY, settings)
        except Crash:
            monkeypatch.setattr(os, "replace", rename)
            is_landed = day_folder(settings, "models", DAY).exists()
            assert not is_landed or content(settings, DAY) == clean_rows
            assert is_landed or visible(settings) == []
            assert is_landed or capture(settings, DAY) is None
            land_models(DAY, settings)
            assert content(settings, DAY) == clean_rows
            assert capture(settings, DAY)["status"] == "complete"
        else:
            break
    assert moments == 10  # three shards and three states, manifest, folder, capture row: nine renames were tried


def test_a_forced_day_survives_whenever_the_process_dies(hub, settings_for, clean_home, monkeypatch):
    rename, moments = os.replace, 0
    while True:
        moments += 1
        settings, count = settings_for(hub, home=f"home-{moments}"), 0
        shutil.copytree(clean_home.home, settings.home)

        def dying(source, target, moments=moments):
            nonlocal count
            count += 1
            if count == moments:
                raise Crash
            rename(source, target)

        monkeypatch.setattr(os, "replace", dying)
        try:
            land_models(DAY, settings, force=True)
        except Crash:
            monkeypatch.setattr(os, "replace", rename)
            again = land_models(DAY, settings)
            assert again.already_landed
            assert read_day(settings, "models", DAY).num_rows == COUNT
            revision = 2 if moments > 8 else 1  # from the moment between its two renames on, the new one
            assert again.manifest["revision"] == revision
            assert capture(settings, DAY)["source_revision"] == again.manifest["source_revision"]
        else:
            break
    assert moments > 9


def test_one_run_at_a_time_lands_a_day(hub, settings_for):
    settings = settings_for(hub)
    with (
        DayFolder(settings.landing_dir, "models", DAY).locked(),
        pytest.raises(
            DayLocked, match=r"models of 2026-10-06 is held by process \d+ \(.+\) on \S+ since 20\d\d-.+ UTC"
        ),
    ):
        land_models(DAY, settings)
    assert land_models(DAY, settings).rows == COUNT
    assert list(settings.landing_dir.glob(".*")) == []


# --- days that can't be had ------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [date(2026, 10, 5), NEXT_DAY, date(2027, 1, 1)])
def test_any_day_but_the_hubs_own_is_refused_and_nothing_written(hub, settings_for, day):
    settings = settings_for(hub)
    with pytest.raises(
        WrongDay, match=r"clock says 2026-10-06.*run the partition 2026-10-06.*only knows now"
    ) as caught:
        land_models(day, settings)
    assert (caught.value.asked, caught.value.hub_day) == (day, DAY)
    assert not settings.landing_dir.exists()


def test_nothing_lands_when_nobody_answers(settings):
    with pytest.raises(HubUnreachable, match=r"http://127\.0\.0\.1:9 can't be reached.*`make demo`"):
        land_models(DAY, settings)
    assert not settings.landing_dir.exists()


def test_simulated_and_real_days_do_not_mix(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    manifest = day_folder(settings, "models", DAY) / "_manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"is_simulated": False}))
    hub.day = NEXT_DAY
    with pytest.raises(HubConfigurationError, match=r"gives simulated data.*holds real days.*OBSERVATORY_HOME"):
        land_models(NEXT_DAY, settings)


# --- the completeness gate -------------------------------------------------------------------------------

NO_SITE_TOTAL = {"kind": "status", "status": 404, "route": "models-json", "times": None}


def test_a_site_without_a_total_is_said_and_not_fatal(hub, settings_for, misbehave):
    misbehave(NO_SITE_TOTAL)
    manifest = land_models(DAY, settings_for(hub)).manifest
    (verdict,) = [verdict for verdict in manifest["completeness"] if verdict["promise"] == "the site counts as many"]
    assert verdict["passed"] is None
    assert "refused with status 404" in verdict["observed"]


def test_a_walk_that_ends_early_is_seen_without_the_sites_total(hub, settings_for, misbehave):
    settings = settings_for(hub)
    land_models(DAY, settings)
    hub.day = NEXT_DAY
    misbehave(NO_SITE_TOTAL, {"kind": "missing_link", "page": 5})
    with pytest.raises(IncompleteDay, match="10 of 110 ids of 2026-10-06 have vanished"):
        land_models(NEXT_DAY, settings)
    assert capture(settings, NEXT_DAY)["status"] == "incomplete"
    assert capture(settings, DAY)["status"] == "complete"


@pytest.mark.parametrize(("gone", "is_stopped"), [(110, True), (11, True), (10, False)])
def test_vanished_ids_stop_a_day_of_a_thousand_models(serve, settings_for, gone, is_stopped):
    leaving = range(0, 7 * gone, 7)  # spread over all
    days = {DAY: models(1000), NEXT_DAY: models(1000 + gone, without=leaving)}  # as many rows as the day before
    hub = serve(days)
    settings = settings_for(hub, page_size=1000)
    land_models(DAY, settings)
    hub.day = NEXT_DAY
    if not is_stopped:
        assert land_models(NEXT_DAY, settings).rows == 1000
        return
    with pytest.raises(IncompleteDay, match=rf"{gone} of 1,000 ids of 2026-10-06 have vanished"):
        land_models(NEXT_DAY, settings)
    wide = CompletenessBounds(vanished_share=0.2, fewer_rows_share=0.2)
    assert land_models(NEXT_DAY, settings, bounds=wide).rows == 1000


def test_one_missing_page_is_seen_where_shares_are_blind(serve, settings_for):
    hub = serve({DAY: models(400), NEXT_DAY: models(400, without=range(200, 220))})
    settings = settings_for(hub)
    land_models(DAY, settings)
    hub.day = NEXT_DAY
    blind = CompletenessBounds(fewer_rows_share=0.05, vanished_share=0.05)  # 20 rows, as 0.5 % is of 4,000
    with pytest.raises(IncompleteDay, match="incomplete: 20 neighbouring ids of 2026-10-06 have vanished together"):
        land_models(NEXT_DAY, settings, bounds=blind)


def test_more_pages_than_expected_stop_the_walk(hub, settings_for):
    with pytest.raises(HubIntegrityError, match="pages and no end, 6 were expected"):
        land_models(DAY, settings_for(hub), bounds=CompletenessBounds(pages_over_expected=0.4))


def test_a_hub_without_models_is_no_complete_day(serve, settings_for):
    settings = settings_for(serve({DAY: []}))
    with pytest.raises(IncompleteDay, match="0 rows in files"):
        land_models(DAY, settings)


def test_the_capture_moment_is_utc(hub, settings_for):
    settings = settings_for(hub)
    land_models(DAY, settings)
    moment = capture(settings, DAY)["captured_at"]
    assert moment.astimezone(UTC).hour == 12
