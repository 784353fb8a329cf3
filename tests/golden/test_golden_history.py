"""Ten models over five captured days worked out by hand: the real dbt project, in any order of days, and the oracle of
histories must arrive at the hand-made tables. A single day's shares belong in `test_golden.py`."""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import pytest

from tests.golden import warehouse as built
from tests.golden.compare import differences, fraction
from tests.golden.landed import HERE, history_listing, land_history, read_csv
from tests.oracle.tables import Oracle

KEYS = {
    "dim_snapshots": ("snapshot_date",),
    "fct_daily_model_downloads": ("snapshot_date", "repo_id"),
    "fct_daily_country_downloads": ("snapshot_date", "attribution", "country_code", "account_type", "is_new"),
}
FILES = {
    "dim_snapshots": "expected_events.csv",
    "fct_daily_model_downloads": "expected_daily_downloads.csv",
    "fct_daily_country_downloads": "expected_country_downloads.csv",
}
READ_AS = {
    "snapshot_date": date.fromisoformat,
    "is_new": lambda cell: cell == "true",
    "unchanged_share": fraction,
    "median_relative_change": fraction,
    **dict.fromkeys(("downloads", "days_spanned", "age_days", "correction_downloads", "models"), int),
}
LATER_DAYS = ("2023-02-25", "2023-02-26", "2023-02-27", "2023-02-28", "2023-03-01")


def _by_hand(table: str) -> dict[tuple, dict]:
    expected = {}
    for cells in read_csv(FILES[table]):
        row = {name: cell if cell is None else READ_AS.get(name, str)(cell) for name, cell in cells.items()}
        key = tuple(row.pop(name) for name in KEYS[table])
        assert key not in expected, key
        expected[key] = row
    return expected


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history") / "landing"
    land_history(folder)
    return folder


def _built(home: Path, runs: list[list[str]]) -> Path:
    land_history(home / "landing")
    return built.build_marts(home, runs=runs, models=built.HISTORY)


@pytest.fixture(scope="module")
def day_by_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    days = [row["snapshot_date"] for row in read_csv("history_days.csv")]
    return _built(tmp_path_factory.mktemp("day_by_day"), [[day] for day in days])


@pytest.fixture(scope="module")
def out_of_order(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last days first, the first day late, the stalled one and the second one last, and one of them again."""
    first, second, stalled, after_gap, last = (row["snapshot_date"] for row in read_csv("history_days.csv"))
    runs = [[after_gap], [last, first], [stalled], [second], [after_gap]]
    return _built(tmp_path_factory.mktemp("out_of_order"), runs)


@pytest.mark.parametrize("order", ["day_by_day", "out_of_order"])
@pytest.mark.parametrize("table", KEYS)
def test_dbt_agrees_with_the_hand_made_history(table, order, request):
    published = built.published_history(request.getfixturevalue(order), table, KEYS[table])
    assert differences(_by_hand(table), published) == []


@pytest.mark.parametrize("table", KEYS)
def test_oracle_agrees_with_the_hand_made_history(table, landing):
    found = Oracle(landing).table(table)
    assert found.key == KEYS[table]
    rows = {key: dict(zip(found.columns, values, strict=True)) for key, values in found.rows.items()}
    assert differences(_by_hand(table), rows) == []


def test_repository_ids_begin_with_the_second_of_creation():
    listed = {row["_id"]: row for day in read_csv("history_days.csv") for row in history_listing(day["snapshot_date"])}
    assert len(listed) == 10
    for row in listed.values():
        assert int(row["_id"][:8], 16) == int(row["createdAt"].timestamp()), row["id"]


def test_both_attributions_add_up_to_the_models_downloads():
    """Downloads, corrections left aside, change places between countries and never their sum."""
    sums: dict[tuple, int] = {}
    for (day, _), row in _by_hand("fct_daily_model_downloads").items():
        sums[day] = sums.get(day, 0) + (row["downloads"] or 0)
    by_attribution: dict[tuple, int] = {}
    for (day, attribution, *_), row in _by_hand("fct_daily_country_downloads").items():
        by_attribution[day, attribution] = by_attribution.get((day, attribution), 0) + row["downloads"]
    assert by_attribution == {(day, name): total for day, total in sums.items() for name in ("uploader", "origin")}


def test_spread_downloads_add_up_to_the_difference_of_the_counters():
    counters = {
        (row["snapshot_date"], row["repo_id"]): int(row["downloads_all_time"])
        for row in read_csv("history_counters.csv")
        if row["downloads_all_time"]
    }
    spread: dict[str, int] = {}
    for (_, repo_id), row in _by_hand("fct_daily_model_downloads").items():
        if row["delta_status"] == "gap_spread":
            spread[repo_id] = spread.get(repo_id, 0) + row["downloads"]
    assert len(spread) == 8
    for repo_id, total in spread.items():
        before = counters.get(("2023-02-25", repo_id), counters["2023-02-26", repo_id])
        assert total == counters["2023-02-28", repo_id] - before, repo_id


def test_the_five_days_hold_every_kind_of_row():
    daily = _by_hand("fct_daily_model_downloads").values()
    countries = _by_hand("fct_daily_country_downloads")
    assert {row["delta_status"] for row in daily} == {
        "ok", "negative", "gap_spread", "first_seen", "reappeared", "vanished",
    }  # fmt: skip
    assert {row["downloads"] is None for row in daily if row["delta_status"] == "first_seen"} == {True, False}
    assert {row["platform_event"] for row in _by_hand("dim_snapshots").values()} == {"none", "stalled", "recounted"}
    assert {key[2] for key in countries} == {"CN", "FR", "US", "XC", "XI", "XM", "XX"}
    assert {key[3] for key in countries} == {"organization", "person", "unknown"}


# The page


def _printed(title: str) -> list[list[str]]:
    """Cells of the body of the table under a heading of the page."""
    page = (HERE / "README.md").read_text(encoding="utf-8")
    _, found, rest = page.partition(f"\n### {title}\n")
    assert found, title
    lines = [line for line in rest.split("\n#")[0].splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[2:]]


def _number(cell: str | None) -> str:
    return "" if cell is None else f"{int(cell):,}"


def _labels() -> dict[str, str]:
    return {row["repo_id"]: row["label"] for row in read_csv("history_models.csv")}


def _pivot(rows: Iterable[dict], by: tuple[str, ...], cell) -> dict[tuple, list[str]]:
    """One line a value of `by`, in order, with a cell for each later day."""
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in by))
    lines = {}
    for key, group in groupby(ordered, key=lambda row: tuple(row[name] for name in by)):
        cells = {row["snapshot_date"]: cell(row) for row in group}
        lines[key] = [cells.get(day, "") for day in LATER_DAYS]
    return lines


def test_readme_prints_the_counters():
    lines: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for row in read_csv("history_counters.csv"):
        label = _labels()[row["repo_id"]]
        is_listed = row["model_id"] is not None
        seen = names.setdefault(label, [])
        if is_listed and row["model_id"] not in seen:
            seen.append(row["model_id"])
        cell = _number(row["downloads_all_time"]) or "no counter" if is_listed else "not listed"
        lines.setdefault(label, []).append(cell)
    created = {row["label"]: row["created_at"].replace("T", " ").rstrip("Z") for row in read_csv("history_models.csv")}
    expected = [[label, "`, then `".join(names[label]), created[label], *lines[label]] for label in sorted(lines)]
    assert _printed("The counters") == expected


def test_readme_prints_the_events():
    expected = [
        [
            f"{date.fromisoformat(row['snapshot_date']):%a} {row['snapshot_date']}",
            row["status"],
            row["platform_event"],
            row["unchanged_share"] or "",
            row["median_relative_change"] or "",
        ]
        for row in read_csv("expected_events.csv")
    ]
    assert _printed("What kind of day it was") == expected


def test_readme_prints_the_downloads_of_each_model():
    def cell(row: dict) -> str:
        days = f", {row['days_spanned']}" if row["days_spanned"] else ""
        return f"{_number(row['downloads'])} {row['delta_status']}{days}".strip()

    labelled = [{**row, "label": _labels()[row["repo_id"]]} for row in read_csv("expected_daily_downloads.csv")]
    expected = [[*key, *cells] for key, cells in _pivot(labelled, ("label",), cell).items()]
    assert _printed("Downloads of each model") == expected


def test_readme_prints_the_downloads_of_each_country():
    def cell(row: dict) -> str:
        return " / ".join(_number(row[name]) for name in ("downloads", "correction_downloads", "models"))

    by = ("attribution", "country_code", "account_type", "is_new")
    pivot = _pivot(read_csv("expected_country_downloads.csv"), by, cell)
    expected = [
        [attribution, code, account_type, "yes" if is_new == "true" else "no", *cells]
        for (attribution, code, account_type, is_new), cells in pivot.items()
    ]
    assert _printed("Downloads of each country") == expected


def test_a_wrong_remainder_would_be_told():
    """The comparison of a history can fail."""
    right = _by_hand("fct_daily_model_downloads")
    key = next(key for key, row in right.items() if row["downloads"] == 51)
    wrong = {**right, key: {**right[key], "downloads": 50}}
    assert differences(right, wrong) == [f"{key} downloads: expected 51, published 50"]
    events = _by_hand("dim_snapshots")
    assert events[(date(2023, 3, 1),)]["median_relative_change"] == Fraction(-510, 10403)
