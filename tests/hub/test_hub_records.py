"""Items to rows: values of any kind become a row, and what didn't fit is null, named, and kept."""

import json
from datetime import UTC, datetime

import orjson
import pytest

from orchestration.hub.listings import MODELS
from orchestration.hub.records import Provenance, to_table

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)
PROVENANCE = Provenance(page=3, fetched_at=NOW, source="hub_api", source_revision="r", captured_at=NOW)
PLAIN = {"_id": "a" * 24, "id": "org/model", "downloads": 5, "downloadsAllTime": 50}


def row_of(**fields: object) -> dict[str, object]:
    (row,) = to_table([PLAIN | fields], MODELS.fields, PROVENANCE).table.to_pylist()
    return row


def test_a_whole_item_is_kept():
    row = row_of(
        author="org",
        createdAt="2025-03-01T10:20:30.456Z",
        gated=False,
        private=False,
        trendingScore=0.7000000000000001,
        tags=["a", "é"],
        safetensors={"parameters": {"BF16": 7, "F32": 1}, "total": 8},
        baseModels={"relation": "merge", "models": [{"_id": "b" * 24, "id": "x/y"}, {"id": "z"}]},
    )
    assert row["createdAt"] == datetime(2025, 3, 1, 10, 20, 30, 456000, tzinfo=UTC)
    assert (row["gated"], row["private"], row["trendingScore"]) == ("none", False, 0.7000000000000001)
    assert row["safetensors_total"] == 8
    assert json.loads(row["extra"]) == {"safetensors": {"parameters": {"BF16": 7, "F32": 1}}}
    assert row["baseModels"]["models"] == [{"_id": "b" * 24, "id": "x/y"}, {"_id": None, "id": "z"}]
    assert row["cast_errors"] is None
    assert (row["page"], row["fetched_at"], row["source"], row["source_revision"]) == (3, NOW, "hub_api", "r")


def test_absent_and_null_are_null_and_no_error():
    row = row_of(author=None)
    assert {row[name] for name in ("author", "gated", "pipeline_tag", "likes", "extra", "cast_errors")} == {None}


@pytest.mark.parametrize(
    ("field", "value", "landed"),
    [
        ("downloads", 2**63 - 1, 2**63 - 1),
        ("downloads", 5.0, 5),
        ("trendingScore", 3, 3.0),
        ("gated", "manual", "manual"),
        ("tags", [], []),
        ("id", "no-slash", "no-slash"),
        ("tags", ["x" * 100_000], ["x" * 100_000]),
        ("tags", ["half \ud800 pair"], ["half \ufffd pair"]),
        ("author", "nul\x00byte", "nul\x00byte"),
        ("createdAt", "2022-03-02T23:29:04+02:00", datetime(2022, 3, 2, 21, 29, 4, tzinfo=UTC)),
    ],
)
def test_values_that_fit(field, value, landed):
    row = row_of(**{field: value})
    assert (row[field], row["cast_errors"]) == (landed, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("downloads", 2**63),
        ("downloads", 2**70),
        ("downloads", 1e300),
        ("downloads", 1.5),
        ("downloads", float("nan")),
        ("downloads", True),
        ("downloads", "12"),
        ("downloads", [1]),
        ("likes", {}),
        ("trendingScore", float("nan")),
        ("trendingScore", float("inf")),
        ("trendingScore", 10**400),
        ("trendingScore", "high"),
        ("tags", "text-generation"),
        ("tags", ["a", 3]),
        ("tags", {"a": 1}),
        ("gated", True),
        ("gated", "sometimes"),
        ("gated", 0),
        ("gated", []),
        ("disabled", "no"),
        ("author", 7),
        ("createdAt", 1700000000),
        ("createdAt", "yesterday"),
        ("createdAt", "2025-03-01T10:20:30"),
        ("createdAt", "9999-99-99T00:00:00Z"),
        ("createdAt", "0001-01-01T00:00:00+23:59"),
        ("baseModels", "org/base"),
        ("baseModels", {"relation": 1, "models": []}),
        ("baseModels", {"relation": "merge", "models": ["org/base"]}),
        ("baseModels", {"relation": "merge", "models": None}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_values_that_do_not_fit_are_null_named_and_kept(field, value):
    conversion = to_table([PLAIN | {field: value}, PLAIN], MODELS.fields, PROVENANCE)
    bad, good = conversion.table.to_pylist()
    assert bad[field] is None
    assert bad["cast_errors"] == [field]
    assert field in orjson.loads(bad["extra"])["_unfit"]
    assert good["cast_errors"] is None
    assert conversion.counts.cast_errors == {field: 1}


@pytest.mark.parametrize("value", [[1], "x", {"total": "many"}, {"total": 1.5}])
def test_a_parameter_count_that_does_not_fit(value):
    row = row_of(safetensors=value)
    assert (row["safetensors_total"], row["cast_errors"]) == (None, ["safetensors"])


def test_a_parameter_count_without_a_total_is_no_error():
    row = row_of(safetensors={"parameters": {"U8": 3}})
    assert (row["safetensors_total"], row["cast_errors"]) == (None, None)
    assert json.loads(row["extra"]) == {"safetensors": {"parameters": {"U8": 3}}}


def test_unknown_fields_are_kept_and_counted():
    fields = {"novelty": {"b": [1, 2**70], "a": "\ud800", "n": float("nan")}, "xetEnabled": True}
    conversion = to_table([PLAIN | fields, PLAIN], MODELS.fields, PROVENANCE)
    first, second = conversion.table.to_pylist()
    assert json.loads(first["extra"]) == {
        "novelty": {"a": "\ufffd", "b": [1, str(2**70)], "n": None},
        "xetEnabled": True,
    }
    assert second["extra"] is None
    assert conversion.counts.unknown_fields == {"novelty": 1, "xetEnabled": 1}


def test_unknown_keys_inside_lineage_are_kept():
    lineage = {"relation": "adapter", "models": [{"_id": "b", "id": "x/y", "weight": 0.5}]}
    row = row_of(baseModels=lineage)
    assert row["baseModels"]["models"] == [{"_id": "b", "id": "x/y"}]
    assert json.loads(row["extra"]) == {"baseModels": lineage}


def test_nesting_too_deep_to_write_costs_the_extra_and_not_the_row():
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    row = row_of(novelty=deep)
    assert (row["_id"], row["extra"], row["cast_errors"]) == ("a" * 24, None, ["extra"])


def test_an_empty_page_is_an_empty_table_of_the_same_schema():
    table = to_table([], MODELS.fields, PROVENANCE).table
    assert (table.num_rows, table.schema) == (0, MODELS.schema)
