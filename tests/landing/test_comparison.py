"""Two days side by side, against sets and dictionaries of all rows: what streams must equal what is held in memory."""

import random
import statistics
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.landing.comparison import BUSY_DOWNLOADS, WATCHED_ALL_TIME, compare, inspect
from orchestration.landing.folders import write_parquet

Row = dict[str, object]


def row(number: int, **changes: object) -> Row:
    return {
        "_id": f"{number:024x}", "id": f"org/model-{number}", "downloads": number, "downloadsAllTime": 10 * number,
    } | changes  # fmt: skip


def written(folder: Path, rows: list[Row], *, rows_per_part: int) -> list[Path]:
    schema = pa.schema(
        [("_id", pa.string()), ("id", pa.string()), ("downloads", pa.int64()), ("downloadsAllTime", pa.int64())]
    )
    paths = []
    for number, start in enumerate(range(0, max(len(rows), 1), rows_per_part)):
        paths.append(folder / f"part-{number:05d}.parquet")
        write_parquet(paths[-1], pa.Table.from_pylist(rows[start : start + rows_per_part], schema=schema))
    return paths


def longest_run(earlier: list[Row], today: set[str]) -> int:
    longest = length = 0
    for item in earlier:
        length = 0 if item["_id"] in today else length + 1
        longest = max(longest, length)
    return longest


@pytest.mark.parametrize("seed", range(12))
def test_streams_equal_what_is_held_in_memory(tmp_path, seed):
    chance = random.Random(seed)
    earlier = [row(number) for number in sorted(chance.sample(range(3000), 700))]
    gone_from = chance.randrange(650)
    today = [
        row(int(item["_id"], 16), downloadsAllTime=item["downloadsAllTime"] + chance.choice([0, 0, 5, -3]))
        for position, item in enumerate(earlier)
        if chance.random() > 0.05 and not gone_from <= position < gone_from + seed * 4
    ]
    today += [row(number) for number in chance.sample(range(3000, 3100), 20)]
    today += [
        row(number) for number in chance.sample(range(3000), 15) if f"{number:024x}" not in {r["_id"] for r in earlier}
    ]
    for item in chance.sample(today, 9):
        item["id"] = f"moved/{item['_id']}"
    gone_names = sorted({r["id"] for r in earlier} - {r["id"] for r in today})
    today[-1]["id"] = gone_names[0] if today[-1]["_id"] not in {r["_id"] for r in earlier} else today[-1]["id"]
    today.sort(key=lambda item: item["_id"])

    parts = written(tmp_path / "today", today, rows_per_part=chance.choice([3, 50, 1000]))
    earlier_parts = written(tmp_path / "earlier", earlier, rows_per_part=chance.choice([4, 61, 1000]))
    found = compare(parts, earlier_parts, earlier[-1]["_id"])

    then, now = {r["_id"]: r for r in earlier}, {r["_id"]: r for r in today}
    new = now.keys() - then.keys()
    gone = then.keys() - now.keys()
    both = [(then[key], now[key]) for key in then.keys() & now.keys()]
    assert found.created == sum(key > earlier[-1]["_id"] for key in new)
    assert found.appeared == len(new) - found.created
    assert found.gone == len(gone)
    assert found.gone_in_a_row == longest_run(earlier, set(now))
    assert found.renamed == sum(before["id"] != after["id"] for before, after in both)
    assert found.recreated == len({then[key]["id"] for key in gone} & {now[key]["id"] for key in new})
    assert found.fallen == sum(after["downloadsAllTime"] < before["downloadsAllTime"] for before, after in both)
    busy = [pair for pair in both if pair[0]["downloads"] >= BUSY_DOWNLOADS]
    moved = [b for b, a in busy if (b["downloads"], b["downloadsAllTime"]) != (a["downloads"], a["downloadsAllTime"])]
    assert (found.busy, found.busy_changed_share) == (len(busy), round(len(moved) / len(busy), 6))
    changes = [
        (after["downloadsAllTime"] - before["downloadsAllTime"]) / before["downloadsAllTime"]
        for before, after in both
        if before["downloadsAllTime"] >= WATCHED_ALL_TIME
    ]
    assert found.watched == len(changes)
    assert found.unchanged_share == round(sum(change == 0 for change in changes) / len(changes), 6)
    assert found.median_change == pytest.approx(statistics.median(changes), abs=1e-12)


def test_inspecting_counts_rows_order_and_sums(tmp_path):
    rows = [row(number) for number in range(1, 100)]
    found = inspect(written(tmp_path, rows, rows_per_part=7))
    assert (found.rows, found.out_of_order, found.first_id, found.last_id) == (99, 0, rows[0]["_id"], rows[-1]["_id"])
    assert (found.downloads, found.downloads_all_time) == (sum(range(100)), 10 * sum(range(100)))


@pytest.mark.parametrize("rows_per_part", [2, 100])
def test_repeated_and_misplaced_rows_are_seen_inside_and_between_files(tmp_path, rows_per_part):
    numbers = [1, 2, 2, 4, 3, 5, 6, 6]
    found = inspect(written(tmp_path, [row(number) for number in numbers], rows_per_part=rows_per_part))
    assert (found.rows, found.out_of_order) == (8, 3)


def test_names_that_collide_are_counted_in_full_and_in_case(tmp_path):
    names = ["a/x", "a/X", "a/y", "b/z", "b/z", "c/w", "A/x", "d/v"]
    rows = [row(number, id=name) for number, name in enumerate(names, start=1)]
    found = inspect(written(tmp_path, rows, rows_per_part=3))
    assert (found.names_held_twice, found.names_differing_in_case) == (1, 3)
    assert sorted(found.name_examples) == ["A/x / a/X / a/x", "b/z / b/z"]


def test_names_that_are_looked_for_and_not_there_are_told(tmp_path):
    parts = written(tmp_path, [row(number) for number in range(1, 100)], rows_per_part=7)
    looked_for = frozenset({"org/model-1", "org/model-50", "org/model-99", "org/model-100", "ORG/model-1"})
    assert inspect(parts, looked_for).missing == ["ORG/model-1", "org/model-100"]
    assert inspect(parts).missing == []


def test_unknown_counters_are_neither_changed_nor_summed(tmp_path):
    earlier = [row(1, downloads=5000, downloadsAllTime=None), row(2, downloads=5000, downloadsAllTime=9000)]
    today = [row(1, downloads=5000, downloadsAllTime=None), row(2, downloads=5000, downloadsAllTime=None)]
    parts = written(tmp_path / "today", today, rows_per_part=10)
    found = compare(parts, written(tmp_path / "earlier", earlier, rows_per_part=10), earlier[-1]["_id"])
    assert (found.busy, found.busy_changed_share, found.watched, found.unchanged_share) == (2, 0.5, 0, None)
    assert inspect(parts).downloads_all_time is None


def test_counters_beyond_64_bits_in_sum_are_added_exactly(tmp_path):
    rows = [row(1, downloadsAllTime=2**63 - 1), row(2, downloadsAllTime=2**63 - 1)]
    assert inspect(written(tmp_path, rows, rows_per_part=10)).downloads_all_time == 2 * (2**63 - 1)


def test_a_day_against_nothing_and_nothing_against_a_day(tmp_path):
    rows = [row(number) for number in range(1, 10)]
    some, none = written(tmp_path / "some", rows, rows_per_part=4), written(tmp_path / "none", [], rows_per_part=4)
    assert compare(some, none, None).created == 9
    assert inspect(none).rows == 0
