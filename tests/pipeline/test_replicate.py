"""Two reported figures and ours beside them, from the archive of a made-up Hub: the command as its user runs it."""

import json
import os
import subprocess
import sys
from datetime import date

import duckdb
import pytest

from orchestration.publishing.replication import DAYS_WANTED, REPORTS, WINDOW
from orchestration.sandbox.population import write_population
from orchestration.sandbox.server import SandboxHub
from orchestration.settings import PROJECT_ROOT


@pytest.fixture(scope="module")
def replicated(tmp_path_factory):
    """A year of a made-up Hub with no commit on one of the days wanted, the home, and what the command printed."""
    folder = tmp_path_factory.mktemp("replicate")
    world = folder / "world"
    write_population(world, models=1_200, days=366, seed=11, first_day=DAYS_WANTED[0])
    (world / "archive.json").write_text(
        json.dumps({"cfahlgren1/hub-stats": {"commit_time": "23:30:00", "days_without_commit": ["2025-08-30"]}})
    )
    with SandboxHub(world, day=date(2026, 2, 28)) as hub:
        environment = os.environ | {"OBSERVATORY_HOME": str(folder / "home"), "OBSERVATORY_HUB_ENDPOINT": hub.url}
        environment |= {"OBSERVATORY_ACCOUNT_LOOKUPS": "50"}
        ran = subprocess.run(
            [sys.executable, "-m", "orchestration", "replicate"],
            cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=400,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return folder / "home" / "replication", ran.stdout


def test_the_nearest_days_land_and_are_named(replicated):
    home, said = replicated
    landed = sorted(path.name for path in (home / "landing" / "models").iterdir())
    assert landed == [f"snapshot_date={day}" for day in ("2025-02-28", "2025-09-01", "2026-02-28")]
    assert "2025-08-31: revision" in said
    assert "of 2025-09-01" in said
    manifests = [json.loads((home / "landing" / "models" / name / "_manifest.json").read_text()) for name in landed]
    assert {manifest["source"] for manifest in manifests} == {"hub_stats"}


def test_each_report_stands_beside_ours_with_the_reason_why_they_differ(replicated):
    home, said = replicated
    table = (home.parent / "replication" / "replication.md").read_text()
    assert table in said
    assert "**SIMULATED" in table
    for report in REPORTS:
        section = table.split(f"## {report.name}")[1].split("\n## ")[0]
        assert f"Reported: China {report.china:.1f} %, United States {report.united_states:.1f} %" in section
        for metric in ("new_created", "new_trailing_30d", "trailing_30d", "all_time"):
            for attribution in ("uploader", "origin"):
                for denominator in ("all", "located", "organizations"):
                    assert f"| `{metric}` | " in section
                    assert f"| {attribution} | {denominator} | " in section
            assert f"- `{metric}`: " in section
        assert "Not to be had: `new_rolling`" in section
    first, second = (table.split(f"## {report.name}")[1] for report in REPORTS)
    assert "| `window` |" not in first.split("\n## ")[0]  # its year began before the counters were public
    assert second.count("| `window` | 365 |") == 4


def test_the_shares_are_those_of_the_published_mart(replicated):
    home, said = replicated
    with duckdb.connect(str(home / "published" / "current" / "observatory.duckdb"), read_only=True) as connection:
        china, us = connection.execute(
            "select max(share) filter (country_code = 'CN'), max(share) filter (country_code = 'US') "
            "from marts.mart_daily_country_share where snapshot_date = '2026-02-28' and metric = 'new_created' "
            "and attribution = 'uploader' and denominator = 'all'"
        ).fetchone()
    row = f"| `new_created` | 365 | uploader | all | {china:.1%} | {us:.1%} | {china / us:.2f} |"
    assert row in said.split(f"## {REPORTS[1].name}")[1]


def test_the_years_window_equals_a_count_by_hand(replicated):
    home, said = replicated

    def counters(day: str) -> dict[str, tuple[int, date]]:
        files = f"{home}/landing/models/snapshot_date={day}/*.parquet"
        rows = duckdb.sql(f"select _id, downloadsAllTime, createdAt::date from read_parquet('{files}')").fetchall()
        return {row_id: (downloads, created) for row_id, downloads, created in rows}

    earlier, later = counters("2025-02-28"), counters("2026-02-28")
    with duckdb.connect(str(home / "published" / "current" / "observatory.duckdb"), read_only=True) as connection:
        country = dict(connection.execute("select repo_id, uploader_country from marts.dim_models").fetchall())
    totals: dict[str, int] = {}
    for row_id, (downloads, created) in later.items():
        if row_id in earlier:
            downloads -= earlier[row_id][0]
        elif created <= date(2025, 2, 28):
            continue
        totals[country[row_id]] = totals.get(country[row_id], 0) + downloads
    total = sum(totals.values())
    row = f"| `window` | 365 | uploader | all | {totals['CN'] / total:.1%} | {totals['US'] / total:.1%} |"
    assert row in said
    assert "{column}" in WINDOW
