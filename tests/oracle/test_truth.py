"""The oracle against what the sandbox knows of its own population: true downloads, families and releases, crossovers.
The truth is a third opinion; it is compared where the counters can tell it, and the exceptions are named."""

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

import pyarrow.parquet as pq
import pytest

from tests.oracle.attribution import FIRST_PARTY_TYPES, NOT_ATTRIBUTED
from tests.oracle.populations import Population
from tests.oracle.shares import crossovers
from tests.oracle.tables import Oracle

WINDOW = 7
OPENINGS = ("first_seen", "reappeared")


@pytest.fixture(scope="module")
def oracle(plain: Population) -> Oracle:
    return Oracle(plain.landing)


def truth(population: Population, name: str) -> list[dict]:
    return pq.read_table(population.truth / f"{name}.parquet").to_pylist()


@pytest.fixture(scope="module")
def moved(plain: Population) -> dict[tuple[date, str], int]:
    """What each day added to each all-time counter: true downloads, and what recounts and falls took away."""
    sums: dict[tuple[date, str], int] = defaultdict(int)
    for name in ("daily_downloads", "corrections"):
        for row in truth(plain, name):
            sums[row["snapshot_date"], row["_id"]] += row["downloads"]
    return {key: value for key, value in sums.items() if value}


def daily(oracle: Oracle) -> dict[tuple[date, str], tuple]:
    return oracle.table("fct_daily_model_downloads").rows


def ordinary_days(population: Population) -> set[date]:
    """Captured days that moved, a day after another such day."""
    moving = set(population.world.days) - set(population.world.stalled_days)
    return {day for day in moving if day - timedelta(days=1) in moving}


def test_on_ordinary_days_daily_downloads_are_the_true_ones(oracle: Oracle, plain: Population, moved):
    """But for openings (`first_seen`, `reappeared`), which bring what they have, and who vanishes, whose last day is
    lost."""
    ordinary, rows = ordinary_days(plain), daily(oracle)
    opened = {key for key, row in rows.items() if row[1] in (*OPENINGS, "vanished")}
    told = {key: row[0] for key, row in rows.items() if key[0] in ordinary and key not in opened}
    listed = oracle.seen.days.listings
    true = {key: value for key, value in moved.items() if key[0] in ordinary and key not in opened}
    unseen = {key for key in true if key[1] not in listed[key[0]]}  # public nowhere on that day
    assert unseen == set()
    assert told == true
    assert len(told) > 10_000


def test_what_stalls_and_gaps_spread_adds_up_to_the_true_downloads(oracle: Oracle, plain: Population, moved):
    opened: dict[str, list[date]] = defaultdict(list)
    for (day, repo_id), row in daily(oracle).items():
        if row[1] in OPENINGS:
            opened[repo_id].append(day)
    spread: dict[tuple[date, str], int] = defaultdict(int)
    days = oracle.seen.days
    for row in oracle.shares.daily:
        if row.status == "gap_spread":
            spread[row.moved_on, oracle.seen.repo_ids[row.repo]] += row.downloads
    assert {day for day, _ in spread} == {
        day for day in days.moving if day != days.first and (day - days.base(day)).days > 1
    }
    for (day, repo_id), downloads in spread.items():
        since = max([days.base(day), *(on for on in opened[repo_id] if on < day)])
        between = days.calendar(since + timedelta(days=1), day)
        assert downloads == sum(moved.get((on, repo_id), 0) for on in between), (day, repo_id)
    assert len(spread) > 500


def test_openings_bring_all_downloads_since_the_repository_was_public_or_was_last_seen(
    oracle: Oracle, plain: Population, moved
):
    days, counts = oracle.seen.days, defaultdict(int)
    by_repo: dict[str, dict[date, int]] = defaultdict(dict)
    for (day, repo_id), value in moved.items():
        by_repo[repo_id][day] = value
    for (day, repo_id), (downloads, status, spanned, _) in daily(oracle).items():
        if status not in OPENINGS or downloads is None or day in plain.world.stalled_days:
            continue
        counts[status] += 1
        since = day - timedelta(days=spanned) if status == "reappeared" else days.first
        if since in plain.world.stalled_days:
            continue
        assert downloads == sum(value for on, value in by_repo[repo_id].items() if since < on <= day), (day, repo_id)
    assert min(counts[status] for status in OPENINGS) > 0


def test_families_are_the_sandboxs_own(oracle: Oracle, plain: Population):
    """Of first-party accounts, and of repositories that kept their name and account."""
    moved_on = {row["_id"] for row in truth(plain, "renames")}
    models = oracle.table("dim_models")
    family = models.columns.index("family")
    told = {key[0]: row[family] for key, row in models.rows.items()}
    expected = {
        row["_id"]: row["family"]
        for row in truth(plain, "release_families")
        if row["_id"] not in moved_on and row["_id"] in told and _is_first_party(oracle, row["namespace"])
    }
    assert {repo_id: told[repo_id] for repo_id in expected} == expected
    assert len(expected) > 100


def _is_first_party(oracle: Oracle, namespace: str) -> bool:
    seed = oracle.seen.seeds.account(namespace.lower(), oracle.seen.days.last)
    return bool(seed and seed.organization_type in FIRST_PARTY_TYPES)


def test_releases_that_were_seen_coming_out_are_the_sandboxs_own(oracle: Oracle, plain: Population):
    """Families all of whose repositories appeared after the first day, none on a day after a missing one, each lab
    being the only account of its organisation."""
    days = oracle.seen.days
    moved_on = {row["_id"] for row in truth(plain, "renames")}
    families: dict[tuple[str, str], list[dict]] = defaultdict(list)
    for row in truth(plain, "release_families"):
        families[row["namespace"], row["family"]].append(row)
    seen = {
        key: rows
        for key, rows in families.items()
        if _is_first_party(oracle, key[0])
        and all(
            row["public_date"] > days.first
            and row["public_date"] in oracle.seen.position
            and row["public_date"] - timedelta(days=1) in oracle.seen.position
            and row["_id"] not in moved_on
            and row["_id"] in oracle.seen.index
            for row in rows
        )
    }
    released_on = {key[0]: row[3] for key, row in oracle.table("fct_releases").rows.items()}
    for rows in seen.values():
        groups = _grouped(rows, lambda row: row["release_id"])
        told = _grouped(rows, lambda row: oracle.releases.release_of[row["_id"]])
        assert sorted(groups.values()) == sorted(told.values())
        assert {released_on[release] for release in told} == {row["released_at"] for row in rows}
    assert len(seen) >= 3


def _grouped(rows: list[dict], key) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["_id"]):
        groups[key(row)].append(row["_id"])
    return groups


def test_crossovers_are_those_of_the_true_downloads(oracle: Oracle, plain: Population, moved):
    """By the account that held a repository on the day, over windows of a week that no stall or gap reaches into.

    True downloads of a repository's first day count only where the counter tells them, as everywhere.
    """
    days = oracle.seen.days
    last_odd = max([*plain.world.missing_days, *plain.world.stalled_days])
    unseen = {
        (on, repo) for (on, repo), row in daily(oracle).items() if row[1] in ("first_seen", "vanished") and not row[0]
    }
    by_day: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (day, repo_id), value in moved.items():
        if day > last_odd and (day, repo_id) not in unseen and day in oracle.seen.position:
            row = days.listings[day].get(repo_id)
            if row is not None:
                by_day[day][_country(oracle, row.namespace, day)] += value
    start = last_odd + timedelta(days=WINDOW + 2)
    series = {
        day: _share_rows(by_day, day, oracle) for day in days.captured if day >= start and days.events[day] == "none"
    }
    true = crossovers(series, oracle.seen.seeds.iso_codes)
    table = oracle.shares.country_share
    told_series: dict[date, dict[str, tuple]] = defaultdict(dict)
    for (day, metric, window, attribution, denominator, code), row in table.items():
        if (metric, window, attribution, denominator) == ("window", WINDOW, "uploader", "all") and day in series:
            told_series[day][code] = row
    told = crossovers(told_series, oracle.seen.seeds.iso_codes)
    assert {key: row[0] for key, row in told.items()} == {key: row[0] for key, row in true.items()}
    # the made-up Hub has one turn after which others lead
    assert len(true) >= 1


def _country(oracle: Oracle, namespace: str, day: date) -> str:
    seed = oracle.seen.seeds.account(namespace.lower(), day)
    return seed.country_code if seed else NOT_ATTRIBUTED


def _share_rows(by_day: dict[date, dict[str, int]], day: date, oracle: Oracle) -> dict[str, tuple]:
    """Downloads, total, share and rank of each country over the window that ends on a day."""
    sums: dict[str, int] = defaultdict(int)
    for offset in range(WINDOW):
        for code, value in by_day[day - timedelta(days=offset)].items():
            sums[code] += value
    total, iso = sum(sums.values()), oracle.seen.seeds.iso_codes
    ranked = sorted((value for code, value in sums.items() if code in iso), reverse=True)
    return {
        code: (value, total, Fraction(value, total), ranked.index(value) + 1)
        for code, value in sums.items()
        if code in iso
    }
