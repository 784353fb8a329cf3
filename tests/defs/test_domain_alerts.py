"""News of the data: told once after the version that has them, to those who subscribe to them, marked where simulated."""

import json
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from pydantic import SecretStr

from orchestration.defs.alerts import domain_alerts
from orchestration.defs.alerts.channels import alerts_path, read_lines
from orchestration.settings import Settings

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
DAY = date(2026, 11, 24)
TABLES = """
    create schema marts;
    create table marts.dim_snapshots as select date '{day}' as snapshot_date, 'complete' as status, {simulated} as is_simulated;
    create table marts.mart_country_crossovers (
        crossover_date date, metric varchar, window_days integer, attribution varchar, leader_country_code varchar,
        passed_country_code varchar, confirmed_date date, margin double
    );
    create table marts.mart_daily_organization_share (
        snapshot_date date, metric varchar, attribution varchar, country_code varchar, organization varchar,
        share_of_total double
    );
    create table marts.mart_release_cadence (
        snapshot_date date, level varchar, organization varchar, median_days_between_releases double, cadence varchar
    );
    create table marts.fct_releases (organization varchar, released_at timestamp);
"""
CROSSOVER = ("2026-11-17", "window", 30, "uploader", "CN", "US", "2026-11-23", 0.012)
TEN = {f"lab {number:02}": 0.2 - number / 100 for number in range(10)}


@pytest.fixture
def observatory(settings, target):
    return settings.model_copy(
        update={"notify_urls": SecretStr("json://127.0.0.1:9/"), "notify_urls_domain": SecretStr(target.url)}
    )


def publish(
    settings: Settings,
    day: date = DAY,
    *,
    crossovers=(),
    shares: dict[str, float] = TEN,
    cadences: dict[str, tuple[float, str, str]] | None = None,
    simulated: bool = False,
) -> None:
    """A real database as a version that is published; `cadences`: median gap, its class, and the last release, by lab."""
    folder = settings.published_dir / "versions" / f"{day}-one"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "observatory.duckdb")) as connection:
        connection.execute(TABLES.format(day=day, simulated=simulated))
        for row in crossovers:
            connection.execute("insert into marts.mart_country_crossovers values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        for organization, share in {"(other)": 0.4, **shares}.items():
            # of two countries, whose sum counts; and of another series, which does not
            for metric, country, part in (
                ("new_trailing_30d", "US", share / 2), ("new_trailing_30d", "FR", share / 2), ("all_time", "US", 1 - share),
            ):  # fmt: skip
                row = [day, metric, "uploader", country, organization, part]
                connection.execute("insert into marts.mart_daily_organization_share values (?, ?, ?, ?, ?, ?)", row)
        for organization, (median, cadence, last) in (cadences or {}).items():
            row = [day, "organization", organization, median, cadence]
            connection.execute("insert into marts.mart_release_cadence values (?, ?, ?, ?, ?)", row)
            connection.execute("insert into marts.fct_releases values (?, ?), (?, ?)", [organization, last] * 2)
    manifest = {"created_at": NOW.isoformat(), "run_id": "run-1", "snapshot_dates": {"last": day.isoformat()}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    link = settings.published_dir / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(folder, target_is_directory=True)


def titles(settings) -> list[str]:
    return [alert["title"] for alert in read_lines(alerts_path(settings))]


def test_the_first_look_only_remembers(observatory, target):
    assert domain_alerts.tick(observatory, NOW) == "No new version."
    publish(observatory, crossovers=[CROSSOVER], cadences={"Qwen": (8, "weekly", "2026-01-01")})

    said = domain_alerts.tick(observatory, NOW)

    assert said == "The first version that was looked at is remembered."
    assert domain_alerts.tick(observatory, NOW) == "No new version."
    assert target.messages == titles(observatory) == []


def test_news_of_the_next_version_are_told_once_each(observatory, target):
    publish(observatory, cadences={"Qwen": (8, "weekly", "2026-11-20"), "Meta": (30, "monthly", "2026-09-25")})
    domain_alerts.tick(observatory, NOW)
    news = {
        "crossovers": [CROSSOVER],
        "shares": TEN | {"newcomer": 0.5},
        "cadences": {"Qwen": (18, "biweekly", "2026-11-20"), "Meta": (30, "monthly", "2026-09-25")},
    }

    publish(observatory, DAY + timedelta(days=1), **news)
    domain_alerts.tick(observatory, NOW)
    publish(observatory, DAY + timedelta(days=2), **news)
    domain_alerts.tick(observatory, NOW)

    assert titles(observatory) == [
        "news · 2026-11-25 · CN overtook US on 2026-11-17 (window over 30 days by uploader)",
        "news · 2026-11-25 · newcomer entered the top 10 organisations",
        "news · 2026-11-25 · Meta has released nothing for 61 days",
        "news · 2026-11-25 · Qwen releases biweekly, no longer weekly",
    ]
    # to those who subscribe to news, and to nobody else
    assert sorted(target.titles) == sorted(titles(observatory))
    assert target.messages[0]["type"] == "info"
    bodies = [alert["body"] for alert in read_lines(alerts_path(observatory))]
    assert "number 1 of all organisations by new_trailing_30d (by uploader), with 50.00%" in bodies[1]
    assert "61 days before 2026-11-25; its median gap is 30 days (monthly)." in bodies[2]
    assert not any("SIMULATED" in body for body in bodies)


def test_whoever_comes_back_into_the_top_ten_is_no_news(observatory):
    for number, shares in enumerate([TEN, TEN | {"newcomer": 0.5}, TEN, TEN | {"newcomer": 0.5}]):
        publish(observatory, DAY + timedelta(days=number), shares=shares)
        domain_alerts.tick(observatory, NOW)

    assert titles(observatory) == ["news · 2026-11-25 · newcomer entered the top 10 organisations"]


@pytest.mark.parametrize(
    ("median", "cadence", "last", "is_news"),
    [
        (30, "monthly", "2026-09-27", False),
        (30, "monthly", "2026-09-25", True),
        (200, "semiannual", "2025-01-01", False),
    ],
    ids=["two medians are not more than two", "a day more is", "of rare rhythms a year says too little"],
)
def test_a_lab_is_silent_after_twice_its_median(observatory, median, cadence, last, is_news):
    publish(observatory)
    domain_alerts.tick(observatory, NOW)
    publish(observatory, date(2026, 11, 26), cadences={"Lab": (median, cadence, last)})
    domain_alerts.tick(observatory, NOW)

    assert len(titles(observatory)) == is_news


def test_simulated_data_is_said_to_be_so(observatory, target):
    publish(observatory, simulated=True)
    domain_alerts.tick(observatory, NOW)
    publish(observatory, DAY + timedelta(days=1), crossovers=[CROSSOVER], simulated=True)
    domain_alerts.tick(observatory, NOW)

    (message,) = target.messages
    assert message["title"].startswith("news (SIMULATED) · 2026-11-25 · ")
    assert message["message"].startswith("SIMULATED data: this is no evidence of anything.\n")
