"""The daily job's figures are made of records as told, a peer whose numbers are not the marts' gives none, and DuckDB's time is
told from everything else's. No time is judged."""

import sys
from datetime import date

import duckdb
import pytest

from benchmarks.daily import agreed
from benchmarks.inside_duckdb import Notes, seconds_within
from benchmarks.report import of_backfill, of_daily, of_growth
from benchmarks.tracker import place

DAY = date(2025, 11, 30)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    file = tmp_path_factory.mktemp("marts") / "observatory.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            """
            create schema marts;
            create table marts.mart_daily_country_share as
            select date '2025-11-30' as snapshot_date, 'trailing_30d' as metric, 'uploader' as attribution, 'all' as denominator,
                country_code, downloads, share
            from (values ('CN', 30, 0.3::double), ('US', 70, 0.7::double)) as t(country_code, downloads, share);
            create table marts.mart_daily_organization_share as
            select date '2025-11-30' as snapshot_date, 'trailing_30d' as metric, 'uploader' as attribution,
                'CN' as country_code, organization, downloads
            from (values ('Qwen', 20), ('(other)', 10)) as t(organization, downloads);
            create table marts.fct_daily_country_downloads as
            select date '2025-11-30' as snapshot_date, 'uploader' as attribution, country_code, downloads
            from (values ('CN', 3), ('CN', 4), ('US', 9)) as t(country_code, downloads);
            """
        )
    return file


def told(*, china: int = 30) -> dict[str, list[dict]]:
    metric = {"metric": "trailing_30d"}
    return {
        "countries": [
            metric | {"country": "CN", "downloads": china, "share": 0.3},
            metric | {"country": "US", "downloads": 70, "share": 0.7},
            metric | {"country": "FR", "downloads": 0, "share": 0.0},
        ],
        "organizations": [
            metric | {"country": "CN", "organization": "Qwen", "downloads": 20},
            metric | {"country": "CN", "organization": "small", "downloads": 10},
        ],
        "daily": [{"country": "CN", "downloads": 7}, {"country": "US", "downloads": 9}],
    }


def test_a_peer_with_the_marts_numbers_is_compared_row_by_row(database):
    assert {name: len(rows) for name, rows in agreed(database, told(), DAY).items()} == {
        "countries": 2,
        "organizations": 1,
        "daily": 2,
    }


def test_a_peer_with_other_numbers_stops_the_run(database):
    with pytest.raises(RuntimeError, match=r"found 1 rows of countries in which marts and pandas differ.*'CN'"):
        agreed(database, told(china=31), DAY)
    with pytest.raises(RuntimeError, match="found no rows of countries on 2025-12-01"):
        agreed(database, told(), date(2025, 12, 1))


@pytest.mark.parametrize(
    ("seed", "is_person", "expected"),
    [
        (None, False, ("XX", "acme")),
        (None, True, ("XC", "(person)")),
        ({"organization_type": "industry", "country_code": "FR", "organization": "Acme"}, True, ("FR", "Acme")),
        ({"organization_type": "repackager", "country_code": "XC", "organization": "Acme"}, True, ("XC", "(person)")),
        ({"organization_type": "repackager", "country_code": "XC", "organization": "Acme"}, False, ("XC", "Acme")),
        ({"organization_type": "individual", "country_code": "XC", "organization": "Acme"}, False, ("XC", "(person)")),
    ],
)
def test_the_script_places_an_account_by_the_definitions(seed, is_person, expected):
    assert place("acme", seed, {"acme"} if is_person else set()) == expected


def test_only_the_time_inside_duckdb_is_noted():
    ticks = iter(range(100))
    notes = Notes(clock=lambda: float(next(ticks)))
    with duckdb.connect() as connection:
        sys.setprofile(notes.note)
        connection.execute("select 1").fetchall()
        sorted([3, 1, 2])
        sys.setprofile(None)

    assert notes.stretches == [(0.0, 1.0), (2.0, 3.0)]
    assert notes.cpu_seconds > 0
    assert seconds_within(notes.stretches, 0.5, 2.25) == 0.75
    assert seconds_within(notes.stretches, 5, 6) == 0


def process(what: str, seconds: float, **more: object) -> dict:
    taken = {"wall_seconds": seconds, "cpu_seconds": 2 * seconds, "peak_bytes": 10**9, "read_bytes": 10**6}
    return {"what": what, "repeat": 0, "rows": 3_000_000} | taken | more


RUN = {
    "to_swap_seconds": 50.0,
    "startup_seconds": 5.0,
    "run_seconds": 52.0,
    "step_seconds": 51.0,
    "of_steps": {"raw_gate": [0.0, 9.0], "staging_layer": [9.0, 50.0]},
}


def test_the_daily_jobs_figures_are_of_its_records():
    inside = RUN | {
        "to_swap_seconds": 80.0,
        "duckdb_seconds": 60.8,
        "duckdb_cpu_seconds": 70.0,
        "duckdb_of_steps": {"raw_gate": 7.0, "staging_layer": 31.0},
    }
    records = [
        process("first_day", 40.0, **RUN),
        process("daily_job", 60.0, **RUN),
        process("inside_duckdb", 80.0, **inside),
        process("floor", 10.0),
        process("pandas", 20.0, compared=700),
        process("layers_of_a_day", 8.0),
        process("full_refresh", 16.0, days=3),
    ]
    shown = {(figure.name, figure.unit): figure for figure in of_daily(records)}

    assert len(shown) == len(of_daily(records))
    assert shown["daily job, run's start to swap", "s"].is_met is True
    assert shown["daily job, to swap, outside DuckDB", "s"].median == pytest.approx(12.0)  # 24 % of 50
    assert shown["daily job, peak memory", "MB"].aim == 3_000
    assert shown["daily job, all gates", "s"].median == 9.0
    assert "31.0 s of it in DuckDB" in shown["step staging_layer", "s"].note
    assert shown["daily job : floor", "× CPU"].median == 6.0
    assert "700 rows" in shown["peer: a pandas script", "s"].note
    assert shown["peer: full refresh : layers of a day", "× CPU"].median == 2.0
    assert len(of_daily(records[:4])) == len(shown) - 6  # without peers


def test_growth_and_backfill_are_ratios_to_one_day():
    grown = [
        process("daily_job", seconds, number=number, tables={"marts.a": size})
        for number, seconds, size in ((2, 10.0, 0), (30, 10.5, 10**8), (365, 11.0, 10**8 + 335 * 10**7))
    ]
    alone = process("without_history", 10.0, number=365)
    growth = {(figure.name, figure.unit): figure for figure in of_growth([*grown, alone])}
    assert growth["daily job, day 365 : itself as the 2nd day", "× CPU"].median == pytest.approx(1.1)
    assert growth["daily job, day 365 : day 2", "× CPU"].is_met is True
    assert growth["warehouse, gained a day, for 3 M models", "MB"].median == pytest.approx(10)

    backfill = {
        (f.name, f.unit): f for f in of_backfill([process("backfill", 210.0, days=365), process("daily_job", 10.0)])
    }
    assert backfill["backfill of 365 landed days : the daily job", "× CPU"].is_met is False
