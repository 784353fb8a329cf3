"""Families of model names against cases that were decided by hand, each by definition 16 and before the rules.
The rules are the warehouse's own, over landed names; a second reading of them here would test nothing."""

import csv
import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from tests.dbt.built_warehouse import PROJECT, Warehouse
from tests.dbt.landing_days import land_day, model

CASES_FILE = Path(__file__).with_name("family_cases.csv")
DAY = date(2026, 10, 6)
# Labs that a reader looks for first; each must be among the cases.
WELL_KNOWN = {
    *("Qwen", "DeepSeek", "Meta", "Google", "Microsoft", "Mistral AI", "Z.ai", "Moonshot AI", "MiniMax", "Tencent"),
    *("Wan", "Ai2", "IBM Granite", "NVIDIA", "OpenAI", "Black Forest Labs", "Stability AI", "BAAI", "Cohere"),
    *("Technology Innovation Institute", "InternLM", "OpenGVLab", "01.AI", "StepFun", "Baidu", "Hugging Face"),
    *("AI21 Labs", "Snowflake", "LG AI Research", "Sarvam AI", "ByteDance Seed", "Baichuan", "Xiaomi MiMo"),
    *("Lightricks", "Swiss AI Initiative"),
}
# A number of parameters as a part of its own: 7B, 0.6B, 270m, 1T, 8x7B, A3B, E4B.
NUMBER_OF_PARAMETERS = re.compile(r"([0-9]+x)?[ae]?[0-9]+([.][0-9]+)?[bmt]", re.IGNORECASE)
SIZE_WORDS = {*("nano", "tiny", "mini", "small", "base", "medium", "large", "huge", "xl", "xxl", "lite", "pro", "max")}


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


CASES = read_csv(CASES_FILE)


def name_of(model_id: str) -> str:
    return model_id.split("/")[1]


def cut_at_the_first_size(model_id: str, is_size) -> str:
    """What a reader in a hurry would do: everything before the first part that is a size."""
    name = name_of(model_id)
    for part in re.finditer(r"[^-_]+", name):
        if is_size(part.group()):
            return name[: part.start()].rstrip("-_")
    return name


def is_number_of_parameters(part: str) -> bool:
    return NUMBER_OF_PARAMETERS.fullmatch(part) is not None


def is_any_size(part: str) -> bool:
    return is_number_of_parameters(part) or part.lower() in SIZE_WORDS


def families_by_dbt(home: Path, manifest, names: list[str]) -> dict[str, str]:
    """Family of each landed name, by the model that the daily run builds."""
    landing = home / "landing"
    land_day(landing, DAY, [model(name, number, "2026-01-01", 1, 1) for number, name in enumerate(names, start=1)])
    warehouse = Warehouse(home / "warehouse", landing, manifest)
    warehouse.run("seed", "--quiet")
    warehouse.run("run", "--quiet", "--select", "+int_families_named", days=[DAY])
    return dict(warehouse.rows("select model_id, family from intermediate.int_families_named"))


@pytest.fixture(scope="module")
def families(tmp_path_factory, manifest) -> dict[str, str]:
    return families_by_dbt(tmp_path_factory.mktemp("families"), manifest, [case["model_id"] for case in CASES])


def test_every_name_falls_into_its_family(families):
    misses = [
        f"{case['model_id']}: found {families.get(case['model_id'])}, expected {case['family']}"
        for case in CASES
        if families.get(case["model_id"]) != case["family"]
    ]
    assert misses == []


def test_cases_are_many_from_many_labs_and_hard():
    organizations = Counter(case["organization"] for case in CASES)
    hard = [
        case
        for case in CASES
        if case["family"] != cut_at_the_first_size(case["model_id"], is_number_of_parameters)
        and case["family"] != cut_at_the_first_size(case["model_id"], is_any_size)
    ]
    assert len({case["model_id"] for case in CASES}) == len(CASES) >= 220
    assert len(organizations) >= 24
    assert set(organizations) >= WELL_KNOWN
    assert len(hard) >= 90
    assert len({case["organization"] for case in hard}) >= 24


def test_cases_name_the_seeded_organisation_and_are_sorted():
    seeded = {
        row["namespace"]: row["organization"]
        for row in read_csv(PROJECT / "seeds" / "organizations.csv")
        if not row["valid_to"]
    }
    assert [case for case in CASES if seeded.get(case["model_id"].split("/")[0]) != case["organization"]] == []
    keys = [(case["organization"].lower(), case["model_id"].lower()) for case in CASES]
    assert keys == sorted(keys)


def test_several_names_of_a_lab_share_a_family(families):
    """Without it, rules that keep every name whole would pass where each case is one of a kind."""
    shared = defaultdict(list)
    for case in CASES:
        shared[case["organization"], families[case["model_id"]].lower()].append(case["model_id"])
    assert len([names for names in shared.values() if len(names) >= 2]) >= 30


def test_every_exception_has_its_case():
    exceptions = read_csv(PROJECT / "seeds" / "family_exceptions.csv")
    starts = [row["name_start"] for row in exceptions]
    assert starts == sorted(set(starts)) == [start.lower() for start in starts]
    assert all(row["family"] and row["reason"] for row in exceptions)
    names = [name_of(case["model_id"]).lower() for case in CASES]
    assert [start for start in starts if not any(name.startswith(start) for name in names)] == []


# --- real names ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_families(tmp_path_factory, manifest, shared_data) -> dict[str, str]:
    """Families of the first-party names in the real lists."""
    duckdb = pytest.importorskip("duckdb")
    names = {
        row["modelId"]
        for name in ("models", "extra_models")
        for row in read_csv(shared_data / "tracked_models" / f"{name}.csv")
    }
    for column, folder in (("name", "llmfit"), ("id", "hub_trending")):
        query = (
            f"select distinct {column} from read_parquet('{shared_data}/{folder}/*.parquet') where {column} like '%/%'"
        )
        names |= {name for (name,) in duckdb.sql(query).fetchall()}
    return families_by_dbt(tmp_path_factory.mktemp("real_families"), manifest, sorted(names))


@pytest.mark.real_data
def test_real_names_fall_into_families_of_several(real_families):
    members = defaultdict(set)
    for model_id, family in real_families.items():
        members[model_id.split("/")[0].lower(), family.lower()].add(model_id)
    assert len(real_families) >= 5_000
    assert all(family.strip("-_. ") for family in real_families.values())
    # 5,623 names made 2,198 families, 1,390 of one name, when the rules were written (2026-11-24). Rules that keep each
    # name whole make as many families as names; how few could be right isn't known, so that these bounds only find
    # rules that broke.
    assert len(members) <= 0.45 * len(real_families)
    alone = sum(len(names) == 1 for names in members.values())
    assert alone <= 0.32 * len(real_families)


@pytest.mark.real_data
def test_no_real_family_is_named_by_a_variant_alone(real_families):
    """A family without its name (`2.5`, `V`, `v1`, `decoder`) would mix whatever else is called so."""
    nameless = {
        model_id: family
        for model_id, family in real_families.items()
        if re.fullmatch(r"(v?[0-9][0-9.]*|[a-z])", family.lower())
    }
    assert nameless == {}


@pytest.mark.real_data
def test_no_real_family_keeps_a_number_of_parameters(real_families):
    kept = {
        model_id: family
        for model_id, family in real_families.items()
        if any(is_number_of_parameters(part) for part in re.split("[-_]", family)[1:])
    }
    assert kept == {}
