"""The notebook runs to its end on a published version, and what it draws are the mart's numbers."""

import subprocess
import sys

import pytest

from orchestration.notebooks.serve import SHIPPED, command, own_copy, serve
from orchestration.publishing import NothingPublished, build_candidate, open_current, publish_candidate
from orchestration.settings import PROJECT_ROOT, Settings
from tests.publishing.warehouse import PASSED, write_warehouse


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("notebook") / "home")
    write_warehouse(settings.warehouse_path)
    candidate = build_candidate(settings, version_id="v1", run_id="run-1", snapshot_dates=[])
    publish_candidate(settings, candidate, quality=[PASSED])
    return settings


@pytest.fixture(scope="module")
def made(published) -> dict:
    """What the notebook's cells define, run without a server."""
    from orchestration.notebooks.headline import app

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OBSERVATORY_HOME", str(published.home))
        return app.run()[1]


def test_its_numbers_are_the_marts(made, published):
    with open_current(published) as connection:
        expected = connection.execute(
            "select snapshot_date, country_code, downloads, share, share_low, share_high from marts.mart_daily_country_share "
            "where metric = 'new_trailing_30d' and attribution = 'uploader' and denominator = 'all' "
            "and country_code in ('CN', 'US', 'FR', 'XC', 'XX') order by 1, 2"
        ).fetchall()
    columns = ["country_code", "downloads", "share", "share_low", "share_high"]
    shares = made["shares"].sort_values(["snapshot_date", "country_code"])
    found = [
        (day.date(), *rest)
        for day, *rest in zip(shares["snapshot_date"], *(shares[name].tolist() for name in columns), strict=True)
    ]

    assert found == expected
    drawn = [layer["encoding"] for layer in made["headline"].to_dict()["layer"]]
    assert [layer["y"]["field"] for layer in drawn] == ["share_low", "share"]


def test_it_says_that_the_data_is_simulated(made):
    assert made["is_simulated"] is True
    assert "SIMULATED" in " ".join(made["headline"].to_dict()["title"]["subtitle"])


def test_it_runs_as_a_script(published):
    environment = {"OBSERVATORY_HOME": str(published.home), "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.notebooks.headline"],
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_server_listens_here_only_asks_for_a_token_and_nobody_for_news(settings):
    words = command(SHIPPED)

    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert "--token" in words
    assert "--skip-update-check" in words


def test_what_somebody_changed_is_kept(settings):
    path = own_copy(settings)
    assert path.read_bytes() == SHIPPED.read_bytes()
    path.write_text("theirs", encoding="utf-8")
    assert own_copy(settings).read_text(encoding="utf-8") == "theirs"


def test_before_the_first_publication_the_way_out_is_said(settings):
    with pytest.raises(NothingPublished, match="make demo"):
        serve(settings)
