"""Names of files in the prose exist, names of tables too, and nothing stands there that is only true on one machine."""

import re

import pytest

from orchestration.hub.archive import ARCHIVES
from orchestration.quality.suites import MADE_AT_PUBLICATION
from orchestration.settings import PROJECT_ROOT, Settings

NAMES = ("README.md", "CONTRIBUTING.md", "RUNBOOK.md", "DEPLOYMENT.md")
PAGES = {name: (PROJECT_ROOT / name).read_text(encoding="utf-8") for name in NAMES}
TEXTS = PAGES | {".env.example": (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8")}

# What a run makes, and not the repository: folders of the home, and files of a published version or beside it.
HOME_FOLDERS = {"landing", "warehouse", "quality", "published", "dagster", "dbt", "sandbox", "replication", "bench"}
HOME_FOLDERS |= {"alerts", "tmp"}
MADE_BY_A_RUN = {"manifest.json", "status.json", "alerts.jsonl", "observatory.duckdb", "DICTIONARY.md"}
MADE_BY_A_RUN |= {"_manifest.json", "replication.md", "dagster.yaml"}
# Datasets on the Hub, whose names look like paths.
ON_THE_HUB = {archive.repo for archive in ARCHIVES.values()}
# What a user makes.
MADE_BY_HAND = {".env", ".venv"}
BARE_FILES = {"LICENSE", "NOTICE", "Makefile"}
FILE_NAME = re.compile(r"[\w.-]*\w\.(md|py|sql|yml|yaml|csv|toml|txt|in|lock|json|jsonl|duckdb|example|parquet)")


def repository_paths(text: str) -> set[str]:
    """What is in backticks, looks like a path of the repository, and isn't something that a run or a user makes."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    tokens = {token for token in re.findall(r"`([^`\n]+)`", prose) if re.fullmatch(r"[\w./-]+", token)}
    paths = {token for token in tokens if "/" in token or FILE_NAME.fullmatch(token) or token in BARE_FILES}
    made = HOME_FOLDERS | MADE_BY_A_RUN | MADE_BY_HAND | {""}  # nor of the machine that a team deploys it on
    return {path for path in paths - ON_THE_HUB if path.split("/")[0] not in made}


@pytest.mark.parametrize("page", PAGES)
def test_paths_that_are_named_exist(page):
    paths = repository_paths(PAGES[page])

    # what a team's machine has is named there, and little of the repository
    assert len(paths) >= (2 if page == "DEPLOYMENT.md" else 8)
    assert [path for path in sorted(paths) if not (PROJECT_ROOT / path).exists()] == []


def test_a_path_that_is_gone_would_be_noticed():
    assert repository_paths("see `orchestration/gone.py`, `gone.md` and `published/current/`, not `share_low`") == {
        "orchestration/gone.py",
        "gone.md",
    }


def test_no_folder_of_the_home_hides_one_of_the_repository():
    assert not [folder for folder in HOME_FOLDERS if (PROJECT_ROOT / folder).exists()]
    settings = Settings()
    places = (settings.landing_dir, settings.quality_dir, settings.published_dir, settings.dagster_home)
    assert {place.name for place in places} <= HOME_FOLDERS


@pytest.mark.parametrize("page", PAGES)
def test_tables_that_are_named_exist(page, marts):
    named = set(re.findall(r"`((?:marts\.)?(?:mart|dim|fct|bridge)_\w+[a-z])`", PAGES[page]))

    assert named
    assert {name.removeprefix("marts.") for name in named} <= set(marts) | set(MADE_AT_PUBLICATION)


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_only_true_on_one_machine(name):
    text = TEXTS[name]
    assert re.findall(r"(?<![\w.:/])/(?:work|root|tmp|home|Users|usr|opt|var|mnt)\b\S*", text) == []
    # the Hub and this machine itself; never the address of a package index
    addresses = {re.sub(r":\d+;?$", "", address) for address in re.findall(r"\w+://([^\s/`'\")]+)", text)}
    assert addresses <= {"huggingface.co", "127.0.0.1"}
    assert re.findall(r"(?i)pypi|index[-_]url|pythonhosted|hf_[a-zA-Z0-9]{20,}", text) == []


@pytest.mark.parametrize("page", PAGES)
def test_headings_and_fences_are_whole(page):
    assert PAGES[page].count("\n```") % 2 == 0
    assert len(re.findall(r"^# ", re.sub(r"^```.*?^```", "", PAGES[page], flags=re.M | re.S), re.MULTILINE)) == 1
