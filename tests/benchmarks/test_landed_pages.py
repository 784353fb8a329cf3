"""What the extraction makes of the made-up pages: every row of both days, unchanged, by the entry that is measured."""

from pathlib import Path

import duckdb
import pytest

from benchmarks.extraction import measure_extraction
from benchmarks.listing import DAYS
from benchmarks.page_server import PageServer
from orchestration.landing import land_models
from orchestration.settings import Settings


@pytest.fixture(scope="module")
def landed(pages, tmp_path_factory) -> list[Path]:
    """The folders of both landed days."""
    home, folders = tmp_path_factory.mktemp("home"), []
    for day in DAYS:
        with PageServer(pages.folder, day) as server:
            result = land_models(day, Settings(home=home, hub_endpoint=server.url, hf_token=None))
        assert result.is_simulated
        folders.append(result.path)
    return folders


def query(folder: Path, select: str) -> list[tuple]:
    with duckdb.connect() as connection:
        return connection.execute(f"select {select} from read_parquet(?)", [str(folder / "part-*.parquet")]).fetchall()


@pytest.mark.parametrize("day", [0, 1], ids=["first day", "second day"])
def test_every_row_is_landed_unchanged(pages, landed, day):
    rows = pages.days[day]

    columns = "_id, id, downloads, downloadsAllTime, likes, trendingScore, sha, tags, safetensors_total, gated"
    assert sorted(query(landed[day], columns)) == [
        (
            *(
                row[name]
                for name in ("_id", "id", "downloads", "downloadsAllTime", "likes", "trendingScore", "sha", "tags")
            ),
            row["safetensors"]["total"] if "safetensors" in row else None,
            row["gated"] or "none",
        )
        for row in rows
    ]
    (sums,) = query(
        landed[day], "count(*), sum(len(tags)), sum(downloadsAllTime), count(baseModels), count(cast_errors)"
    )
    told = pages.description["days"][day]
    assert sums == (
        told["rows"],
        told["sums"]["tags"],
        told["sums"]["downloads_all_time"],
        told["sums"]["base_models"],
        0,
    )


def test_the_landed_days_differ_as_the_pages_do(pages, landed):
    with duckdb.connect() as connection:
        paths = [str(folder / "part-*.parquet") for folder in landed]
        differences = connection.execute(
            """
            select
                count(*) filter (earlier._id is null) as new,
                count(*) filter (later._id is null) as gone,
                count(*) filter (earlier.id <> later.id) as renamed,
                count(*) filter (
                    earlier._id is not null and later._id is not null
                    and (earlier.downloads, earlier.downloadsAllTime, earlier.likes)
                    <> (later.downloads, later.downloadsAllTime, later.likes)
                ) as other_counters
            from read_parquet($earlier) as earlier full join read_parquet($later) as later using (_id)
            """,
            {"earlier": paths[0], "later": paths[1]},
        ).fetchone()
    assert (
        dict(zip(("new", "gone", "renamed", "other_counters"), differences, strict=True))
        == pages.description["between_the_days"]
    )


def test_no_figure_comes_of_rows_that_are_not_those_of_the_pages(pages, tmp_path):
    copy = tmp_path / "pages"
    copy.mkdir()
    for day in DAYS:
        (copy / f"day={day}").symlink_to(pages.folder / f"day={day}")
    told = (pages.folder / "pages.json").read_text()
    raw = pages.description["days"][0]["raw_bytes"]
    (copy / "pages.json").write_text(told.replace(str(raw), str(raw + 1)))

    with pytest.raises(RuntimeError, match=rf"found bytes to have read .*'bytes': \({raw}, {raw + 1}\)"):
        measure_extraction(copy, tmp_path / "scratch", 1, lambda line: None)
