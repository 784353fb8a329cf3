"""The year that the benchmark of history lands is one that dbt can load: whole days, counters that never fall, captures that
agree. What a day costs is measured by the benchmark alone."""

import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.history import land_year

DAYS = 4


def test_a_year_is_landed_without_a_walk(tmp_path):
    landed = land_year(tmp_path / "hub", tmp_path / "landing", models=300, days=DAYS)

    assert len(landed) == DAYS
    read = {
        name: [
            pq.read_table(
                tmp_path / "landing" / name / f"snapshot_date={day}" / "part-00000.parquet", partitioning=None
            )
            for day in landed
        ]
        for name in ("models", "accounts", "captures")
    }
    for models, capture in zip(read["models"], read["captures"], strict=True):
        assert models.num_rows == 300
        assert capture["status"].to_pylist() == ["complete"]
        assert capture["downloads_all_time"].to_pylist() == [pc.sum(models["downloadsAllTime"]).as_py()]
        assert capture["is_simulated"].to_pylist() == [True]
    for before, after in zip(read["models"], read["models"][1:], strict=False):
        assert before["_id"] == after["_id"]
        moved = pc.subtract(after["downloadsAllTime"], before["downloadsAllTime"])
        assert pc.min(moved).as_py() >= 0
        assert pc.max(moved).as_py() > 0
