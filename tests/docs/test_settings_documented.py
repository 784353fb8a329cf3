"""README and .env.example list every setting with its default, and none that isn't there."""

import re

from orchestration.settings import PROJECT_ROOT, Settings

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8")
VARIABLES = {f"OBSERVATORY_{name.upper()}" for name in Settings.model_fields}


def readme_defaults() -> dict[str, str]:
    """Default by variable, as the README's table says: nothing for `none` and `empty`."""
    rows = re.findall(r"^\| `(OBSERVATORY_\w+)`[^|]*\| ([^|]+) \|", README, re.MULTILINE)
    found = {name: re.match(r"`([^`]+)`|none$|empty$", default) for name, default in rows}
    assert all(found.values()), "a default is in backticks, or none, or empty"
    return {name: match[1] or "" for name, match in found.items()}


def example_defaults() -> dict[str, str]:
    return dict(re.findall(r"^(OBSERVATORY_\w+)=(.*)$", EXAMPLE, re.MULTILINE))


def test_readme_and_example_list_every_setting_and_no_other():
    assert set(readme_defaults()) == VARIABLES
    assert set(example_defaults()) == VARIABLES


def test_the_defaults_in_the_table_are_those_of_the_example():
    assert readme_defaults() == example_defaults()


def test_the_defaults_in_the_example_are_the_real_ones(monkeypatch):
    # as a user who loads the file as it is, from the checkout
    monkeypatch.chdir(PROJECT_ROOT)
    defaults = Settings()
    for name, value in example_defaults().items():
        monkeypatch.setenv(name, value)

    assert Settings() == defaults


def test_other_names_that_are_understood_are_told(monkeypatch):
    rows = re.findall(r"^\| `OBSERVATORY_\w+`, or `(\w+)`", README, re.MULTILINE)
    assert set(rows) == {"HF_ENDPOINT", "HF_TOKEN"}

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "made-up")
    settings = Settings()
    assert settings.hub_endpoint == "http://127.0.0.1:9"
    assert settings.hf_token.get_secret_value() == "made-up"


def test_the_example_is_only_settings_and_comments():
    assert all(re.match(r"#|OBSERVATORY_\w+=|$", line) for line in EXAMPLE.splitlines())
