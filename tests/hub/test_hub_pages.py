"""The quick way to read a page gives what reading it value by value gives, or declines: it never decides anything."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from orchestration.hub.listings import DATASETS, MODELS
from orchestration.hub.pages import columns_of, prepared, read_into
from orchestration.hub.records import Provenance, Rows, to_table
from orchestration.settings import PROJECT_ROOT

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)
PROVENANCE = Provenance(page=3, fetched_at=NOW, source="hub_api", source_revision="r", captured_at=NOW)
WHOLE = {
    "_id": "a" * 24,
    "id": "org/model",
    "author": "org",
    "createdAt": "2025-03-01T10:20:30.456Z",
    "lastModified": "2026-03-01T10:20:30.000Z",
    "downloads": 5,
    "downloadsAllTime": 2**63 - 1,
    "likes": 0,
    "trendingScore": 0.7000000000000001,
    "gated": False,
    "disabled": False,
    "private": False,
    "pipeline_tag": "text-generation",
    "library_name": "transformers",
    "sha": "0" * 40,
    "tags": ["a", "é", "a", '"gated":false', "license:mit"],
    "safetensors": {"parameters": {"BF16": 7, "F32": 1}, "total": 8},
    "baseModels": {"relation": "merge", "models": [{"_id": "b" * 24, "id": "x/y"}, {"_id": "c" * 24, "id": "z/w"}]},
}
BARE = {"_id": "b" * 24, "id": "bare"}


def body_of(*items: object) -> bytes:
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def quick(body: bytes, fields=MODELS.fields):
    ready = prepared(body)
    page = columns_of(ready, fields) if ready is not None else None
    if page is None:
        return None
    rows = Rows(page.count)
    read_into(rows, page, fields)
    return rows.conversion(fields, PROVENANCE)


def assert_same(body: bytes, fields=MODELS.fields) -> None:
    found, reference = quick(body, fields), to_table(json.loads(body), fields, PROVENANCE)
    assert found is not None
    assert found.table == reference.table
    assert found.table.schema == reference.table.schema
    assert found.counts.as_json() == reference.counts.as_json()


TAKEN = [
    {"gated": "auto"},
    {"gated": "manual"},
    {"trendingScore": 3},
    {"trendingScore": -1.5e-7},
    {"tags": []},
    {"tags": ["x" * 100_000]},
    {"tags": ["t"] * 5000},
    {"tags": ["nul\x00 and \u202e turned", "{{7*7}}", "=cmd()", "'; drop table models; --"]},
    {"id": "no-slash"},
    {"id": "org/\x07bell"},
    {"author": "\U0001f917"},
    {"safetensors": {"parameters": {"F64": 3}, "total": 3}},
    {"safetensors": {"parameters": {"BF16": 1}}},
    {"safetensors": {"parameters": {}, "total": 0}},
    {"safetensors": {"total": 5}},
    {"safetensors": {"parameters": {"U8": 0, "BF16": -1, "F64": 2**62}, "total": 2**62}},
    {"baseModels": {"relation": "merge", "models": []}},
    {"createdAt": "2022-03-02T23:29:04+02:00"},
]


@pytest.mark.parametrize("change", TAKEN, ids=lambda change: repr(change)[:50])
def test_usual_pages_are_read_alike(change):
    assert_same(body_of(WHOLE, BARE, WHOLE | {"_id": "c" * 24} | change))


def test_an_empty_page_and_a_page_of_bare_rows():
    assert_same(b"[]")
    assert_same(body_of(BARE))


def test_another_listing():
    row = {name: value for name, value in WHOLE.items() if name in {field.name for field in DATASETS.fields}}
    assert_same(body_of(row, BARE), DATASETS.fields)


DECLINED = [
    {"downloads": 12.0},
    {"downloads": 12.5},
    {"downloads": "12"},
    {"downloads": True},
    {"downloads": 2**63},
    {"downloads": 2**70},
    {"downloads": None},
    {"likes": {}},
    {"trendingScore": float("nan")},
    {"trendingScore": float("inf")},
    {"trendingScore": "high"},
    {"gated": True},
    {"gated": "#false"},
    {"gated": "false"},
    {"gated": "none"},
    {"gated": 0},
    {"disabled": "no"},
    {"disabled": 0},
    {"author": 7},
    {"author": "half \ud800 pair"},
    {"tags": "text-generation"},
    {"tags": ["a", 3]},
    {"tags": ["a", None]},
    {"createdAt": 1700000000},
    {"createdAt": "yesterday"},
    {"createdAt": "2025-03-01T10:20:30"},
    {"createdAt": "0001-01-01T00:00:00+23:59"},
    {"novelty": 1},
    {"safetensors": [1]},
    {"safetensors": {"parameters": {"BF16": 1.5}, "total": 2}},
    {"safetensors": {"parameters": {"NEW4": 1}, "total": 1}},
    {"safetensors": {"parameters": {"BF16": None}, "total": 1}},
    {"safetensors": {"parameters": {}, "total": 0, "sharded": True}},
    {"baseModels": "org/base"},
    {"baseModels": {"relation": "merge"}},
    {"baseModels": {"relation": "merge", "models": None}},
    {"baseModels": {"relation": "adapter", "models": [{"_id": "b", "id": "x/y", "weight": 0.5}]}},
    {"baseModels": {"relation": "adapter", "models": ["x/y"]}},
    {"_id": None},
]


@pytest.mark.parametrize("change", DECLINED, ids=lambda change: repr(change)[:50])
def test_whatever_is_odd_is_declined(change):
    assert quick(body_of(WHOLE, WHOLE | {"_id": "c" * 24} | change)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"error":"x"}',
        b"<!doctype html>",
        body_of(WHOLE)[:-5],
        body_of(WHOLE) + b',"x":1',
        body_of(WHOLE) + b'}{"rows":[]',
        body_of(WHOLE, None),
        body_of(WHOLE, 7),
        body_of(WHOLE, []),
        body_of({"id": "without an _id"}),
        body_of(WHOLE).replace(b'"org"', b'"\xff"'),
        body_of(WHOLE).replace(b'"org"', rb'"\ud800"'),
        body_of(WHOLE).replace(b'"org"', rb'"\udc00"'),
        body_of(WHOLE).replace(b'"likes":0', b'"likes":0,"likes":1'),
        body_of(WHOLE).replace(b'"likes":0', b'"likes":0,"novelty":' + b"[" * 100_000 + b"]" * 100_000),
        body_of(WHOLE).replace(b'"tags":[', b'"tags":' + b"[" * 100_000),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_bodies_that_are_no_page_are_declined(body):
    assert quick(body) is None


def test_nesting_of_any_depth_ends_no_process():
    """A parser that recurses would take the whole process with it, and no exception would tell."""
    script = (
        "from orchestration.hub.listings import MODELS\n"
        "from orchestration.hub.pages import columns_of, prepared\n"
        "for deep in (b'[' * 3_000_000, b'{\"a\":' * 3_000_000):\n"
        "    for name in (b'novelty', b'tags', b'safetensors', b'baseModels'):\n"
        '        body = b\'[{"_id":"a","id":"b","\' + name + b\'":\' + deep\n'
        "        assert columns_of(prepared(body), MODELS.fields) is None\n"
        "print('alive')\n"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, timeout=60)
    assert told.stdout.decode().strip() == "alive", told.stderr.decode()[-500:]
