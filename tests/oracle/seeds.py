"""The project's seeds as data: reviewed facts about accounts, licences, tasks, names, parameters, outliers and dates.
Only reading and looking up belongs here; what a fact means for a repository is decided by the modules that use it."""

import csv
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"

OPEN_END = date.max


@dataclass(frozen=True)
class SeededAccount:
    """What a row of `organizations` says of a namespace on the days from `valid_from` until before `valid_to`."""

    valid_from: date
    valid_to: date
    organization: str
    parent_organization: str
    organization_type: str
    country_code: str
    secondary_country_code: str = ""
    confidence: str = ""


@dataclass
class Seeds:
    """Everything looked up without regard to case, as names on the Hub are unique so."""

    accounts: dict[str, list[SeededAccount]] = field(default_factory=dict)
    evidence: dict[str, list[str]] = field(default_factory=dict)  # countries that others state, one a statement
    iso_codes: frozenset[str] = frozenset()
    openness: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, tuple[str, bool]] = field(default_factory=dict)  # pipeline tag → modality, is_generative
    parameters: dict[str, int] = field(default_factory=dict)
    outlier_repo_ids: frozenset[str] = frozenset()
    outlier_model_ids: frozenset[str] = frozenset()
    name_parts: list[tuple[re.Pattern, str]] = field(default_factory=list)  # of one part, and its kind
    name_pairs: list[tuple[re.Pattern, str]] = field(default_factory=list)  # of two neighbouring parts
    family_starts: dict[str, str] = field(default_factory=dict)  # exceptions by the beginning of a name
    released_on: dict[str, date] = field(default_factory=dict)  # by model_id in lower case, or by repo_id

    def account(self, namespace_key: str, day: date) -> SeededAccount | None:
        for row in self.accounts.get(namespace_key, ()):
            if row.valid_from <= day < row.valid_to:
                return row
        return None


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    """Rows of a seed as text; none if the project has no such seed."""
    path = folder / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_seeds(folder: Path = SEEDS) -> Seeds:
    """Read what the oracle needs of the project's seeds."""
    seeds = Seeds()
    for row in _rows(folder, "organizations"):
        seeded = SeededAccount(
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else OPEN_END,
            row["organization"],
            row["parent_organization"],
            row["organization_type"],
            row["country_code"],
            row["secondary_country_code"],
            row["confidence"],
        )
        seeds.accounts.setdefault(row["namespace"].lower(), []).append(seeded)
    for row in _rows(folder, "organization_evidence"):
        if row["country_code"]:
            seeds.evidence.setdefault(row["namespace"].lower(), []).append(row["country_code"])
    seeds.iso_codes = frozenset(
        row["country_code"] for row in _rows(folder, "countries") if row["is_user_assigned"].lower() != "true"
    )
    seeds.openness = {row["license"].lower(): row["openness"] for row in _rows(folder, "licenses")}
    seeds.tasks = {
        row["pipeline_tag"]: (row["modality"], row["is_generative"].lower() == "true")
        for row in _rows(folder, "pipeline_tags")
    }
    seeds.parameters = {row["model_id"].lower(): int(row["parameters"]) for row in _rows(folder, "model_parameters")}
    outliers = _rows(folder, "outliers")
    seeds.outlier_repo_ids = frozenset(row["repo_id"] for row in outliers if row["repo_id"])
    seeds.outlier_model_ids = frozenset(row["model_id"].lower() for row in outliers if not row["repo_id"])
    for row in _rows(folder, "name_variants"):
        expression = row["token"].lower()
        # A dash outside of a set of characters.
        is_pair = "-" in re.sub(r"\[[^]]*\]", "", expression)
        kinds = seeds.name_pairs if is_pair else seeds.name_parts
        kinds.append((re.compile(expression), row["kind"]))
    seeds.family_starts = {row["name_start"]: row["family"] for row in _rows(folder, "family_exceptions")}
    for row in _rows(folder, "release_dates"):
        key = row["repo_id"] or row["model_id"].lower()
        seeds.released_on[key] = date.fromisoformat(row["released_on"])
    return seeds
