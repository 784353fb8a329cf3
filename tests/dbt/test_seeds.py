"""Promises of the reviewed seeds that a single-column dbt test can't hold: closed lists, codes, evidence, time, order.
What the warehouse makes of the seeds is tested beside its models, not here."""

import csv
import itertools
import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest
import yaml

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"

USER_CODES = {"XC", "XI", "XM", "XX"}
ORGANIZATION_TYPES = {
    "industry",
    "academia",
    "nonprofit",
    "government",
    "community",
    "repackager",
    "individual",
    "international",
}
OPENNESS = {"permissive", "copyleft", "restricted", "noncommercial", "custom", "unspecified"}
MODALITIES = {
    *("text", "image", "video", "audio", "3d", "multimodal", "tabular", "time-series", "control", "graph", "other"),
}
VARIANT_KINDS = {"size", "precision", "format", "role", "date"}

# Identifiers in the Hub's documentation of licences, which a publisher chooses from.
DOCUMENTED_LICENSES = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m
    afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5
    cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0
    lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl
    openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
    fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma grok2-community unknown
    other
""".split()  # noqa: SIM905  (one identifier a line would fill a page)

# Tasks that the Hub offers to a publisher, and those that it no longer offers but still carries.
DOCUMENTED_TASKS = """
    text-classification token-classification table-question-answering question-answering zero-shot-classification
    translation summarization feature-extraction text-generation fill-mask sentence-similarity text-to-speech
    text-to-audio automatic-speech-recognition audio-to-audio audio-classification audio-text-to-text
    voice-activity-detection depth-estimation image-classification object-detection image-segmentation text-to-image
    image-to-text image-to-image image-to-video unconditional-image-generation video-classification
    reinforcement-learning robotics tabular-classification tabular-regression tabular-to-text table-to-text
    multiple-choice text-ranking text-retrieval time-series-forecasting text-to-video image-text-to-text
    image-text-to-image image-text-to-video visual-question-answering document-question-answering
    zero-shot-image-classification graph-ml mask-generation zero-shot-object-detection text-to-3d image-to-3d
    image-feature-extraction video-text-to-text keypoint-detection visual-document-retrieval any-to-any video-to-video
    other text2text-generation conversational
""".split()  # noqa: SIM905  (as above)


def read_seed(name: str) -> list[dict[str, str]]:
    """Rows of one seed as text; an empty field is an empty string, and Namibia's `NA` stays `NA`."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


COUNTRIES = read_seed("countries")
ORGANIZATIONS = read_seed("organizations")
LICENSES = read_seed("licenses")
PIPELINE_TAGS = read_seed("pipeline_tags")
MODEL_PARAMETERS = read_seed("model_parameters")
OUTLIERS = read_seed("outliers")
NAME_VARIANTS = read_seed("name_variants")

COUNTRY_CODES = {row["country_code"] for row in COUNTRIES} - USER_CODES


def offenders(rows: list[dict[str, str]], key: str, is_bad) -> list[str]:
    """Keys of the rows that break a promise, so that a failure names them."""
    return [row[key] for row in rows if is_bad(row)]


def repeated(values) -> list:
    return [value for value, count in Counter(values).items() if count > 1]


def kinds_of(part: str) -> set[str]:
    """Kinds of the name variants that match a whole part of a name."""
    return {row["kind"] for row in NAME_VARIANTS if re.fullmatch(row["token"], part.lower())}


# --- the files -------------------------------------------------------------------------------------------------------

HEADERS = {
    "countries": "country_code,country_name,region,is_eu_member,is_user_assigned",
    "organizations": (
        "namespace,valid_from,valid_to,organization,parent_organization,organization_type,country_code,"
        "secondary_country_code,confidence,evidence,evidence_url,note"
    ),
    "organization_evidence": "namespace,source,stated,country_code,source_url,reason",
    "licenses": "license,openness,reason",
    "pipeline_tags": "pipeline_tag,input_modality,output_modality,modality,is_generative",
    "model_parameters": "model_id,parameters,evidence",
    "outliers": "repo_id,model_id,reason,reviewed_on",
    "name_variants": "token,kind,reason",
}

SORT_KEYS = {
    "countries": lambda row: row["country_code"],
    "organizations": lambda row: (row["namespace"].lower(), row["valid_from"]),
    "organization_evidence": lambda row: (row["namespace"].lower(), row["source"]),
    "licenses": lambda row: row["license"],
    "pipeline_tags": lambda row: row["pipeline_tag"],
    "model_parameters": lambda row: row["model_id"],
    "outliers": lambda row: (row["model_id"], row["repo_id"]),
    "name_variants": lambda row: (row["kind"], row["token"]),
}


@pytest.mark.parametrize("name", HEADERS)
def test_seed_has_its_columns(name):
    assert (SEEDS / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0] == HEADERS[name]


@pytest.mark.parametrize("name", SORT_KEYS)
def test_seed_is_sorted_by_its_key_without_repeats(name):
    keys = [SORT_KEYS[name](row) for row in read_seed(name)]
    assert keys == sorted(set(keys)), f"not sorted, or repeated: {repeated(keys)}"


@pytest.mark.parametrize("name", HEADERS)
def test_seed_is_clean_text(name):
    data = (SEEDS / f"{name}.csv").read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")
    rows = read_seed(name)
    padded = [row for row in rows for value in row.values() if value is None or value != value.strip()]
    assert padded == [], "a field is missing, or has blanks at an end"


@pytest.mark.parametrize("name", HEADERS)
def test_seed_columns_are_described_and_typed(name):
    properties = {seed["name"]: seed for seed in yaml.safe_load((SEEDS / "_seeds.yml").read_text("utf-8"))["seeds"]}
    seed = properties[name]
    columns = HEADERS[name].split(",")
    assert [column["name"] for column in seed["columns"]] == columns
    assert list(seed["config"]["column_types"]) == columns
    assert re.search(r"One row per [^.]+\.$", seed["description"].strip())
    assert all(column["description"].strip() for column in seed["columns"])


# --- countries -------------------------------------------------------------------------------------------------------


def test_countries_hold_all_of_iso_3166_1_and_four_user_codes():
    assert len(COUNTRY_CODES) == 249
    assert {row["country_code"] for row in COUNTRIES if row["is_user_assigned"] == "true"} == USER_CODES
    assert offenders(COUNTRIES, "country_code", lambda row: not re.fullmatch("[A-Z]{2}", row["country_code"])) == []
    assert repeated(row["country_name"] for row in COUNTRIES) == []
    # the ranges that ISO leaves to users hold nothing else
    assert [code for code in COUNTRY_CODES if re.fullmatch("AA|Q[M-Z]|X.|ZZ", code)] == []


def test_countries_keep_the_codes_that_are_easily_lost():
    assert {"NA", "HK", "MO", "TW", "GB", "GR"} <= COUNTRY_CODES
    assert not {"UK", "EL", "EU", "XK"} & COUNTRY_CODES


def test_the_european_union_has_27_members():
    members = {row["country_code"] for row in COUNTRIES if row["is_eu_member"] == "true"}
    assert len(members) == 27
    assert {"DE", "FR", "HR", "CY"} <= members
    assert not {"GB", "CH", "NO", "TR"} & members


def test_regions_are_those_of_m49():
    regions = defaultdict(int)
    for row in COUNTRIES:
        regions[row["region"]] += 1
        assert row["is_eu_member"] in {"true", "false"}
        assert row["is_user_assigned"] in {"true", "false"}
        assert (row["region"] == "(none)") == (row["country_code"] in USER_CODES)
    # M49 doesn't list TW, which stands with Asia here
    assert dict(regions) == {
        "Africa": 60,
        "Americas": 57,
        "Antarctica": 1,
        "Asia": 51,
        "Europe": 51,
        "Oceania": 29,
        "(none)": 4,
    }


# --- organizations ---------------------------------------------------------------------------------------------------


def test_enough_namespaces_are_placed():
    assert len({row["namespace"] for row in ORGANIZATIONS}) >= 200


def test_a_namespace_has_one_spelling():
    spellings = defaultdict(set)
    for row in ORGANIZATIONS:
        spellings[row["namespace"].lower()].add(row["namespace"])
    assert [names for names in spellings.values() if len(names) > 1] == []
    assert offenders(ORGANIZATIONS, "namespace", lambda row: not re.fullmatch(r"[\w.-]+", row["namespace"])) == []


def test_organizations_use_the_closed_lists():
    assert {row["organization_type"] for row in ORGANIZATIONS} <= ORGANIZATION_TYPES
    assert {row["confidence"] for row in ORGANIZATIONS} <= {"high", "medium", "low"}
    assert {row["country_code"] for row in ORGANIZATIONS} <= COUNTRY_CODES | {"XC", "XI"}
    assert {row["secondary_country_code"] for row in ORGANIZATIONS} <= COUNTRY_CODES | {""}


def test_every_organization_has_names_and_evidence():
    def lacks_something(row):
        return not (
            row["organization"]
            and row["parent_organization"]
            and len(row["evidence"]) >= 10
            and re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/\S*)?", row["evidence_url"])
        )

    assert offenders(ORGANIZATIONS, "namespace", lacks_something) == []


def test_a_second_country_is_another_one():
    assert offenders(ORGANIZATIONS, "namespace", lambda row: row["country_code"] == row["secondary_country_code"]) == []


def test_what_sources_leave_open_is_explained():
    assert offenders(ORGANIZATIONS, "namespace", lambda row: row["confidence"] == "low" and not row["note"]) == []


def test_repackagers_and_individuals_have_no_country():
    assert (
        offenders(
            ORGANIZATIONS,
            "namespace",
            lambda row: row["organization_type"] in {"repackager", "individual"} and row["country_code"] != "XC",
        )
        == []
    )


def test_only_repackagers_individuals_and_communities_are_xc():
    assert (
        offenders(
            ORGANIZATIONS,
            "namespace",
            lambda row: (
                row["country_code"] == "XC"
                and row["organization_type"] not in {"repackager", "individual", "community"}
            ),
        )
        == []
    )


def test_international_is_a_type_and_a_code_at_once():
    assert (
        offenders(
            ORGANIZATIONS,
            "namespace",
            lambda row: (row["organization_type"] == "international") != (row["country_code"] == "XI"),
        )
        == []
    )


def test_an_account_in_a_person_s_name_with_a_country_names_its_organization():
    persons = [row for row in ORGANIZATIONS if re.search(r"\b(account of|person's account)\b", row["evidence"], re.I)]
    located = [row for row in persons if row["country_code"] not in USER_CODES]
    assert {row["namespace"] for row in located} == {"intfloat", "liuhaotian", "vikhyatk"}
    for row in located:
        assert row["organization"] != row["namespace"]
        assert "publishes for an organisation" in row["note"]


def test_validity_is_half_open_and_leaves_no_gap_or_overlap():
    rows_of = defaultdict(list)
    for row in ORGANIZATIONS:
        rows_of[row["namespace"]].append(row)
    for namespace, rows in rows_of.items():
        starts = [date.fromisoformat(row["valid_from"]) for row in rows]
        ends = [date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max for row in rows]
        assert starts[0] == date(1900, 1, 1), f"{namespace}: the first row must hold since always"
        assert ends[-1] == date.max, f"{namespace}: the last row must be open"
        assert all(start < end for start, end in zip(starts, ends, strict=True)), namespace
        assert starts[1:] == ends[:-1], f"{namespace}: each row must start on the day on which the one before it ends"


def test_a_change_in_time_changes_something():
    for before, after in itertools.pairwise(ORGANIZATIONS):
        if before["namespace"] == after["namespace"]:
            kept = ("organization", "parent_organization", "country_code", "organization_type")
            assert [before[column] for column in kept] != [after[column] for column in kept], before["namespace"]


def test_an_organization_has_one_parent_and_one_country_at_a_time():
    seen = defaultdict(set)
    for row in ORGANIZATIONS:
        if not row["valid_to"] and row["country_code"] not in USER_CODES:
            seen[row["organization"]].add((row["parent_organization"], row["country_code"]))
    assert {name: values for name, values in seen.items() if len(values) > 1} == {}


def test_a_subsidiary_has_its_parent_s_country():
    open_rows = [row for row in ORGANIZATIONS if not row["valid_to"]]
    countries_of = defaultdict(set)
    for row in open_rows:
        if row["country_code"] not in USER_CODES:
            countries_of[row["parent_organization"]].add(row["country_code"])
    assert {parent: codes for parent, codes in countries_of.items() if len(codes) > 1} == {}


# The hard cases and what was decided about them, so that a change is a decision and not a slip.
DECIDED = {
    "deepseek-ai": ("DeepSeek", "DeepSeek", "CN"),
    "Qwen": ("Qwen", "Alibaba", "CN"),
    "meta-llama": ("Meta", "Meta", "US"),
    "FacebookAI": ("Meta", "Meta", "US"),
    "google-bert": ("Google", "Alphabet", "US"),
    "openai": ("OpenAI", "OpenAI", "US"),
    "HuggingFaceTB": ("Hugging Face", "Hugging Face", "US"),
    "stabilityai": ("Stability AI", "Stability AI", "GB"),
    "black-forest-labs": ("Black Forest Labs", "Black Forest Labs", "DE"),
    "mistralai": ("Mistral AI", "Mistral AI", "FR"),
    "ai21labs": ("AI21 Labs", "AI21 Labs", "IL"),
    "NousResearch": ("Nous Research", "Nous Research", "US"),
    "01-ai": ("01.AI", "01.AI", "CN"),
    "sensenova": ("SenseNova", "SenseTime", "HK"),
    "MediaTek-Research": ("MediaTek Research", "MediaTek", "TW"),
    "RedHatAI": ("Red Hat", "IBM", "US"),
    "bigscience": ("BigScience", "BigScience", "XI"),
    "EleutherAI": ("EleutherAI", "EleutherAI", "XI"),
    "laion": ("LAION", "LAION", "XI"),
    "unsloth": ("Unsloth", "Unsloth", "XC"),
    "lmstudio-community": ("LM Studio Community", "LM Studio Community", "XC"),
}


@pytest.mark.parametrize("namespace", DECIDED)
def test_hard_cases_stand_as_decided(namespace):
    (row,) = [row for row in ORGANIZATIONS if row["namespace"] == namespace and not row["valid_to"]]
    assert (row["organization"], row["parent_organization"], row["country_code"]) == DECIDED[namespace]


# --- licences, tasks, parameters, outliers ---------------------------------------------------------------------------


def test_every_documented_license_has_a_class():
    known = {row["license"] for row in LICENSES}
    assert sorted(set(DOCUMENTED_LICENSES) - known) == []


def test_licenses_use_the_closed_list_and_have_reasons():
    assert {row["openness"] for row in LICENSES} == OPENNESS
    assert offenders(LICENSES, "license", lambda row: len(row["reason"]) < 10) == []
    assert offenders(LICENSES, "license", lambda row: row["license"] != row["license"].lower()) == []


@pytest.mark.parametrize(
    ("license_id", "openness"),
    [
        ("apache-2.0", "permissive"),
        ("cc-by-4.0", "permissive"),
        ("agpl-3.0", "copyleft"),
        ("cc-by-sa-4.0", "copyleft"),
        ("llama3.1", "restricted"),
        ("gemma", "restricted"),
        ("openrail", "restricted"),
        ("cc-by-nd-4.0", "restricted"),
        ("cc-by-nc-4.0", "noncommercial"),
        ("other", "custom"),
        ("unknown", "unspecified"),
    ],
)
def test_well_known_licenses_are_classed_as_defined(license_id, openness):
    assert {row["license"]: row["openness"] for row in LICENSES}[license_id] == openness


def test_noncommercial_creative_commons_are_never_freer():
    for row in LICENSES:
        if row["license"].startswith("cc-by"):
            assert (row["openness"] == "noncommercial") == ("-nc" in row["license"]), row["license"]


def test_every_documented_task_has_a_modality():
    known = {row["pipeline_tag"] for row in PIPELINE_TAGS}
    assert sorted(set(DOCUMENTED_TASKS) - known) == []


def test_modalities_follow_the_definition():
    for row in PIPELINE_TAGS:
        assert row["modality"] in MODALITIES, row
        assert row["is_generative"] in {"true", "false"}, row
        if row["is_generative"] == "true":
            assert row["modality"] == row["output_modality"], row
        if row["output_modality"] == "text":
            assert row["modality"] == "text", row
        # video means that the model makes video
        assert (row["modality"] == "video") == (row["output_modality"] == "video"), row


def test_model_parameters_are_whole_numbers_with_a_source():
    assert len(MODEL_PARAMETERS) >= 30
    for row in MODEL_PARAMETERS:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", row["model_id"])
        assert 10**8 <= int(row["parameters"]) <= 5 * 10**12, row["model_id"]
        assert row["evidence"].startswith("tracked_models (Apache-2.0"), row["model_id"]


def test_outliers_were_reviewed_on_a_day_for_a_reason_with_numbers():
    for row in OUTLIERS:
        assert row["repo_id"] or row["model_id"]
        assert re.fullmatch("[0-9a-f]{24}|", row["repo_id"])
        assert re.search(r"\d", row["reason"])
        assert date.fromisoformat(row["reviewed_on"]) >= date(2026, 11, 24)


# --- name variants ---------------------------------------------------------------------------------------------------


def test_name_variants_compile_match_whole_parts_and_stay_portable():
    assert {row["kind"] for row in NAME_VARIANTS} == VARIANT_KINDS | {"purpose", "name"}
    for row in NAME_VARIANTS:
        re.compile(row["token"])
        assert re.fullmatch(row["token"], "") is None, f"{row['token']} matches nothing at all"
        assert row["token"] == row["token"].lower()
        # a part never holds `_`; look-around and back references aren't in RE2
        assert not re.search(r"\(\?[=!<]|\\[1-9]|_", row["token"]), row["token"]
        assert row["reason"]


VARIANT_PARTS = {
    "size": ["7b", "0.6b", "235b", "a22b", "8x7b", "8x22b", "e4b", "270m", "1t", "16e", "128k", "small", "xl", "mini"],
    "precision": ["fp8", "bf16", "int4", "w4a16", "4bit", "awq", "gptq", "nvfp4", "mxfp4", "q4", "bnb"],
    "format": ["gguf", "onnx", "hf", "mlx", "transformers", "diffusers"],
    "role": ["base", "instruct", "chat", "it", "pt", "thinking", "reasoning", "preview", "sft"],
    "date": ["0528", "2507", "2412", "0324", "20250514"],
    "purpose": ["vl", "omni", "coder", "math", "embedding", "reranker", "guard", "distill"],
}


@pytest.mark.parametrize(
    ("kind", "part"),
    [(kind, part) for kind, parts in VARIANT_PARTS.items() for part in parts],
)
def test_a_part_has_exactly_its_kind(kind, part):
    assert kinds_of(part) == {kind}


@pytest.mark.parametrize("part", ["qwen3", "2.5", "r1", "v3.1", "llama", "3", "4.5", "k2", "step", "next", "oss", "m2"])
def test_names_and_versions_are_no_variants(part):
    assert kinds_of(part) == set()


# --- against real rows -----------------------------------------------------------------------------------------------


@pytest.mark.real_data
def test_most_real_downloads_are_placed(shared_data):
    duckdb = pytest.importorskip("duckdb")
    placed = {row["namespace"].lower() for row in ORGANIZATIONS if row["country_code"] not in {"XC", "XM", "XX"}}
    rows = duckdb.sql(
        f"""
        select lower(split_part(name, '/', 1)) as namespace, cast(sum(hf_downloads) as bigint) as downloads
        from read_parquet('{shared_data}/llmfit/*.parquet')
        where coalesce(release_date, '') <> ''
        group by 1
        """
    ).fetchall()
    total = sum(downloads for _, downloads in rows)
    located = sum(downloads for namespace, downloads in rows if namespace in placed)
    # 84 % when the seed was made (2026-11-24); below 80 % rows were lost, not just outdated
    assert located / total >= 0.80


@pytest.mark.real_data
def test_every_real_license_and_task_seen_often_is_known(shared_data):
    duckdb = pytest.importorskip("duckdb")
    licenses = {row["license"] for row in LICENSES}
    seen = duckdb.sql(
        f"""
        select license from read_parquet('{shared_data}/llmfit/*.parquet')
        where license is not null and license not like '%,%'
        group by 1 having count(*) >= 3
        """
    ).fetchall()
    assert [name for (name,) in seen if name not in licenses] == []
    tags = {row["pipeline_tag"] for row in PIPELINE_TAGS}
    seen = duckdb.sql(
        f"select distinct pipeline_tag from read_parquet('{shared_data}/hub_trending/*.parquet') "
        "where pipeline_tag is not null"
    ).fetchall()
    assert [name for (name,) in seen if name not in tags] == []
