"""The made-up Hub: rows of the Hub's shape and proportions, the same each time, and a second day that differs as told."""

from collections import Counter
from datetime import datetime
from itertools import pairwise

import pytest

from benchmarks.listing import DAYS, EXPANDS, PAGE_SIZE
from benchmarks.made_up_models import MadeUpHub
from benchmarks.pages import Pages, written_pages
from orchestration.hub.listings import MODELS as LISTING
from tests.benchmarks.conftest import MODELS, read_bodies

COUNTERS = ("downloads", "downloadsAllTime", "likes")
ALWAYS_THERE = {"_id", "id", *EXPANDS} - {"baseModels", "library_name", "pipeline_tag", "safetensors"}


@pytest.mark.parametrize("day", [0, 1], ids=["first day", "second day"])
def test_rows_have_the_shape_of_the_listing(pages, day):
    rows = pages.days[day]

    assert all(set(row) >= ALWAYS_THERE and set(row) <= {"_id", "id", *EXPANDS} for row in rows)
    ids = [row["_id"] for row in rows]
    assert all(before < after for before, after in pairwise(ids))
    created = {row["_id"]: datetime.fromisoformat(row["createdAt"]).timestamp() for row in rows}
    assert all(int(row_id[:8], 16) == seconds for row_id, seconds in created.items())
    assert all(row["createdAt"] <= row["lastModified"] < f"{DAYS[day]}T12" for row in rows)
    assert len({row["id"].lower() for row in rows}) == len(rows)
    assert all(row["id"].startswith(row["author"] + "/") and len(row["id"]) <= 96 for row in rows)
    assert len({row["sha"] for row in rows}) == len(rows)
    assert all(len(set(row["tags"])) == len(row["tags"]) for row in rows)


def test_the_fields_are_those_that_the_extraction_asks_for():
    assert set(EXPANDS) == set(LISTING.expand)


def test_pages_are_full_but_for_the_last(pages):
    for day, rows in enumerate(pages.days):
        told = pages.description["days"][day]
        assert len(pages.bodies[day]) == told["pages"] == -(-len(rows) // PAGE_SIZE)
        assert told["rows"] == len(rows)
    assert [len(rows) % PAGE_SIZE for rows in pages.days] == [0, 13]  # 17 new, 4 gone


@pytest.mark.parametrize("day", [0, 1], ids=["first day", "second day"])
def test_what_is_told_of_the_pages_is_so(pages, day):
    rows, told = pages.days[day], pages.description["days"][day]

    assert told["raw_bytes"] == sum(map(len, pages.bodies[day]))
    assert told["sums"] == {
        "tags": sum(len(row["tags"]) for row in rows),
        "safetensors": sum("safetensors" in row for row in rows),
        "base_models": sum("baseModels" in row for row in rows),
        "no_pipeline_tag": sum("pipeline_tag" not in row for row in rows),
        "no_library_name": sum("library_name" not in row for row in rows),
        "gated": sum(row["gated"] is not False for row in rows),
        "disabled": sum(row["disabled"] for row in rows),
        "downloads": sum(row["downloads"] for row in rows),
        "downloads_all_time": sum(row["downloadsAllTime"] for row in rows),
        "likes": sum(row["likes"] for row in rows),
    }
    assert told["raw_bytes_a_model"] == round(told["raw_bytes"] / len(rows), 1)


def test_proportions_are_those_of_the_hub(pages):
    rows, told = pages.days[0], pages.description["days"][0]

    assert 12.5 < told["tags_a_model"] < 14.5
    assert 600 < told["raw_bytes_a_model"] < 700
    assert told["shares"]["safetensors"] == pytest.approx(0.38, abs=0.015)
    assert told["shares"]["base_models"] == pytest.approx(0.33, abs=0.015)
    assert told["shares"]["gated"] == pytest.approx(0.017, abs=0.004)
    assert {row["gated"] for row in rows} == {False, "auto", "manual"}
    assert {type(row["trendingScore"]) for row in rows} == {int, float}
    relations = Counter(row["baseModels"]["relation"] for row in rows if "baseModels" in row)
    assert relations["adapter"] > relations["finetune"] > relations["quantized"] > relations["merge"] > 0
    owners = [count for _, count in Counter(row["author"] for row in rows).most_common()]
    assert sum(owners[:20]) > 10 * sum(owners[-20:])


def test_lineage_names_rows_that_are_there_in_both_forms(pages):
    ids = {row["_id"]: row["id"] for row in pages.days[0]}
    merges = 0
    for row in pages.days[0]:
        base = row.get("baseModels")
        tagged = [tag.removeprefix("base_model:") for tag in row["tags"] if tag.startswith("base_model:")]
        if base is None:
            assert tagged == []
            continue
        merges += len(base["models"]) == 2
        names = [parent["id"] for parent in base["models"]]
        assert [ids[parent["_id"]] for parent in base["models"]] == names
        assert all(parent["_id"] < row["_id"] for parent in base["models"])
        assert set(tagged) == {*names, *(f"{base['relation']}:{name}" for name in names)}
    assert merges > 0


def test_the_second_day_differs_as_it_is_told(pages):
    first, second = ({row["_id"]: row for row in rows} for rows in pages.days)
    both = first.keys() & second.keys()
    new = second.keys() - first.keys()

    assert {
        "new": len(new),
        "gone": len(first.keys() - second.keys()),
        "renamed": sum(first[row_id]["id"] != second[row_id]["id"] for row_id in both),
        "other_counters": sum(any(first[i][name] != second[i][name] for name in COUNTERS) for i in both),
    } == pages.description["between_the_days"]
    assert pages.description["between_the_days"]["other_counters"] == pytest.approx(MODELS / 3, rel=0.05)
    assert min(new) > max(first)
    assert all(second[row_id]["downloadsAllTime"] == second[row_id]["downloads"] == 0 for row_id in new)
    assert all(second[row_id]["downloadsAllTime"] >= first[row_id]["downloadsAllTime"] for row_id in both)
    committed = [row_id for row_id in both if first[row_id]["sha"] != second[row_id]["sha"]]
    assert 0 < len(committed) < 0.01 * MODELS
    assert all(first[i]["lastModified"] < second[i]["lastModified"] for i in committed)
    others = both - set(committed)
    assert all(first[i]["tags"] == second[i]["tags"] for i in both)
    assert all(first[i]["lastModified"] == second[i]["lastModified"] for i in others)


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    small = Pages(models=1_500, seed=3)
    once = written_pages(tmp_path / "once", small, workers=1)
    again = written_pages(tmp_path / "again", small, workers=2)
    other = written_pages(tmp_path / "other", Pages(models=1_500, seed=4), workers=1)

    assert read_bodies(once, DAYS[1]) == read_bodies(again, DAYS[1]) != read_bodies(other, DAYS[1])


def test_pages_are_written_once(pages):
    before = (pages.folder / "pages.json").stat().st_mtime_ns

    assert written_pages(pages.folder.parent, Pages(models=MODELS)) == pages.folder
    assert (pages.folder / "pages.json").stat().st_mtime_ns == before
    assert [path.name for path in pages.folder.parent.iterdir()] == [pages.folder.name]


def test_no_word_is_of_two_kinds():
    words = MadeUpHub(1_000).vocabulary.words.to_pylist()
    assert len(set(words)) == len(words) > 90_000


@pytest.mark.parametrize("models", [999, 20_000_001])
def test_sizes_that_cannot_be_made_are_refused(models):
    with pytest.raises(ValueError, match="expected 1,000 to 20,000,000"):
        MadeUpHub(models)
