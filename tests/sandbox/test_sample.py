"""The bundled sample is what it says: cut from the real source, all of it dated, with its notice.
What the demo makes of it is tested in `test_simulation.py`."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from orchestration.sandbox.sample import SAMPLE_PATH, SCHEMA, build_sample, read_sample
from orchestration.settings import PROJECT_ROOT

SOURCE = PROJECT_ROOT.parent / "shared" / "data" / "llmfit" / "llmfit_1.1.17_models.parquet"


def source_rows(**changes) -> pa.Table:
    row = {
        "name": ["b/two", "a/one", "c/three", "d/four"],
        "provider": ["b", "a", "c", "d"],
        "pipeline_tag": ["text-generation", None, "unknown", "translation"],
        "architecture": ["llama", None, "x", "y"],
        "hf_downloads": [5, 0, 7, 8],
        "hf_likes": [1, 0, 2, 3],
        "release_date": ["2025-01-02", "2026-10-05", None, ""],
        "license": ["mit", None, "gemma", "mit"],
        "parameters_raw": [7, 8, 9, 10],
        "is_moe": [True, None, None, False],
        "num_experts": [8.0, None, None, None],
        "active_parameters": [2.0, None, None, None],
    }
    return pa.table(row | changes)


def test_sample_holds_every_dated_row():
    sample = read_sample()
    assert sample.num_rows == 10_935
    assert sample.schema.equals(SCHEMA)
    assert sample["release_date"].null_count == 0
    assert pc.max(sample["release_date"]).as_py() == date(2026, 10, 5)
    assert len(pc.unique(sample["name"])) == sample.num_rows
    assert sample["name"].to_pylist() == sorted(sample["name"].to_pylist())


def test_sample_has_no_image_or_video_generators():
    tags = set(pc.unique(read_sample()["pipeline_tag"]).to_pylist())
    assert not {tag for tag in tags if tag and tag.endswith(("-to-image", "-to-video"))}


def test_sample_is_small_and_lies_beside_its_notice():
    assert SAMPLE_PATH.stat().st_size < 1_000_000
    notice = (SAMPLE_PATH.parent / "LICENSE-llmfit").read_text()
    assert notice.startswith("MIT License\n\nCopyright (c) 2026 Alex Jones")
    assert "1.1.17" in (SAMPLE_PATH.parent / "README.md").read_text()


def test_build_keeps_dated_rows_in_the_order_of_their_names(tmp_path):
    pq.write_table(source_rows(), tmp_path / "source.parquet")
    assert build_sample(tmp_path / "source.parquet", tmp_path / "cut" / "sample.parquet") == 2
    rows = read_sample(tmp_path / "cut" / "sample.parquet").to_pylist()
    assert [row["name"] for row in rows] == ["a/one", "b/two"]
    assert rows[1] == {
        "name": "b/two",
        "pipeline_tag": "text-generation",
        "architecture": "llama",
        "hf_downloads": 5,
        "hf_likes": 1,
        "release_date": date(2025, 1, 2),
        "license": "mit",
        "parameters_raw": 7,
        "is_moe": True,
        "num_experts": 8,
        "active_parameters": 2,
    }


def test_build_refuses_a_source_without_the_columns(tmp_path):
    pq.write_table(source_rows().drop_columns(["hf_likes", "license"]), tmp_path / "source.parquet")
    with pytest.raises(
        ValueError, match=r"lacks the columns \['hf_likes', 'license'\]; expected those of llmfit 1.1.17"
    ):
        build_sample(tmp_path / "source.parquet", tmp_path / "sample.parquet")
    assert not (tmp_path / "sample.parquet").exists()


def test_build_refuses_a_row_without_counts(tmp_path):
    pq.write_table(source_rows(hf_downloads=[5, None, 7, 8]), tmp_path / "source.parquet")
    with pytest.raises(ValueError, match="hf_downloads"):
        build_sample(tmp_path / "source.parquet", tmp_path / "sample.parquet")


def test_missing_sample_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="restore it from the repository"):
        read_sample(tmp_path / "nowhere.parquet")


@pytest.mark.real_data
def test_bundled_file_is_the_cut_of_the_real_source(tmp_path):
    if not SOURCE.is_file():
        pytest.skip("the source of the sample (llmfit 1.1.17) is not beside this checkout")
    build_sample(SOURCE, tmp_path / "sample.parquet")
    assert read_sample(tmp_path / "sample.parquet").equals(read_sample())
