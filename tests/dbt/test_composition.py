"""The ecosystem's side marts on landed days: parents that were renamed, a day landed again, each against sums in Python.
Rules of a single model are dbt unit tests; what holds for all marts is in `test_warehouse`."""

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

import pytest

from tests.dbt.built_warehouse import Warehouse
from tests.dbt.landing_days import DAYS, day_models, first_day_models, land_day, model

THIRD = DAYS[-1]
MARTS = [
    "mart_daily_modality_share",
    "mart_daily_openness",
    "mart_daily_size_share",
    "mart_daily_technique_share",
    "mart_daily_family_share",
    "mart_daily_concentration",
    "mart_daily_lineage",
]
PLAYERS = "mart_monthly_independent_players"
SELECT = ("--select", *[f"+{mart}" for mart in [*MARTS, PLAYERS]])


def landed_sums(key) -> dict:
    """Downloads and repositories of the third day by `key` of a landed row."""
    sums: dict = defaultdict(lambda: [0, 0])
    for row in day_models(THIRD):
        sums[key(row)][0] += row["downloads"]
        sums[key(row)][1] += 1
    return {name: tuple(values) for name, values in sums.items()}


def published_sums(loaded: Warehouse, mart: str, *names: str) -> dict:
    columns = ", ".join(names)
    rows = loaded.rows(
        f"select {columns}, cast(sum(downloads) as bigint), cast(sum(models) as bigint) from marts.{mart} "
        f"where snapshot_date = ? and metric = 'trailing_30d' and attribution = 'uploader' group by {columns}",
        THIRD,
    )
    return {row[: len(names)]: row[len(names) :] for row in rows}


def test_modalities_are_those_of_the_landed_tags(loaded):
    modality = {"text-generation": "text", None: "unknown"}
    expected = landed_sums(lambda row: (modality[row.get("pipeline_tag")],))
    assert len(expected) == 2
    assert published_sums(loaded, "mart_daily_modality_share", "modality") == expected


def test_openness_follows_the_declared_licence_and_gating_stands_beside_it(loaded):
    openness = {
        "license:apache-2.0": "permissive",
        "license:mit": "permissive",
        "license:gemma": "restricted",
        "license:llama2": "restricted",
        "license:bigscience-bloom-rail-1.0": "restricted",
        "license:other": "custom",
    }

    def terms(row: dict) -> tuple:
        licences = [openness[tag] for tag in row["tags"] if tag.startswith("license:")]
        return (licences[0] if licences else "unspecified", row["gated"])

    expected = landed_sums(terms)
    assert len(expected) == 5
    assert published_sums(loaded, "mart_daily_openness", "openness", "gated") == expected


def test_every_share_is_that_part_of_its_country(loaded):
    for mart in MARTS[:3]:
        totals = loaded.rows(
            f"select sum(share_of_country) from marts.{mart} where share_of_country is not null "
            "group by snapshot_date, metric, attribution, country_code"
        )
        assert len(totals) > 100
        assert all(total == pytest.approx(1, abs=1e-9) for (total,) in totals)


def test_concentration_of_models_equals_the_landed_counters(loaded):
    counters = sorted(row["downloadsAllTime"] for row in day_models(THIRD) if row["downloadsAllTime"] > 0)
    total, entities = sum(counters), len(counters)
    squares = sum(counter**2 for counter in counters)
    places = sum(place * counter for place, counter in enumerate(counters, start=1))
    expected = (
        Fraction(squares, total**2),
        Fraction(2 * places, entities * total) - Fraction(entities + 1, entities),
        Fraction(counters[-1], total),
        Fraction(sum(counters[-10:]), total),
        Fraction(total**2, squares),
    )
    published = loaded.rows(
        "select hhi, gini, top_1_share, top_10_share, effective_entities from marts.mart_daily_concentration "
        "where snapshot_date = ? and metric = 'all_time' and attribution = 'origin' and scope = 'world' "
        "and entity = 'model'",
        THIRD,
    )
    assert published == [tuple(round(float(value), 12) for value in expected)]


def test_persons_are_entities_that_no_published_table_names(loaded):
    for attribution in ("uploader", "origin"):
        counted = loaded.rows(
            "select cast(sum(entities) as integer) from intermediate.int_entity_downloads_counted "
            "where metric = 'trailing_30d' and scope = 'world' and entity = 'organization' and attribution = ?",
            attribution,
        )
        assert counted[0][0] >= 10
    for mart, column in (("mart_daily_lineage", "root_organization"), ("mart_daily_family_share", "organization")):
        names = {name for (name,) in loaded.rows(f"select distinct {column} from marts.{mart}")}
        assert names.isdisjoint({"someone", "another", "TheBloke", "mystery"})
        assert "Qwen" in names


def test_derivatives_are_summed_by_what_they_are_built_on(loaded):
    rows = loaded.rows(
        "select root_organization, origin_country, relation, derivatives, downloads, repackaged_downloads "
        "from marts.mart_daily_lineage where snapshot_date = ? and metric = 'trailing_30d'",
        THIRD,
    )
    by_root = {row[:3]: row[3:] for row in rows}
    landed = {row["id"]: row["downloads"] for row in day_models(THIRD)}
    copy = landed["unsloth/Qwen3-8B-Instruct-GGUF"]
    assert by_root["Qwen", "CN", "quantized"] == (1, copy, copy)
    assert by_root["Qwen", "CN", "finetune"] == (1, landed["someone/qwen3-tuned-gguf"], 0)
    assert by_root["(other)", "XM", "merge"] == (1, landed["someone/east-west-merge"], 0)
    assert by_root["(other)", "CN", "merge"] == (1, landed["another/chinese-merge"], 0)
    assert by_root["OpenAI", "US", "finetune"] == (1, landed["someone/gpt-oss-finetune"], 0)


# Days of their own

CHILD = "someone/on-an-old-name"


def days_of_a_renamed_parent() -> dict[date, list[dict]]:
    """A lab's model moves to another lab of another country; a child goes on to name it as it was called."""
    base = model("mistralai/base", 1, "2026-03-01", 500, 9_000)
    child = model(CHILD, 2, "2026-04-01", 70, 300, tags=["base_model:finetune:mistralai/Base"])
    moved = base | {"id": "Qwen/base", "author": "Qwen"}
    first = date(2026, 10, 6)
    return {first: [base, child], first + timedelta(days=1): [moved, child], first + timedelta(days=2): [child]}


def loaded_with(home, manifest, days: dict[date, list[dict]], order: list[date]) -> Warehouse:
    landing = home / "landing"
    for day, rows in days.items():
        land_day(landing, day, rows)
    warehouse = Warehouse(home / "warehouse", landing, manifest)
    warehouse.run("seed", "--quiet")
    for day in order:
        warehouse.load([day], *SELECT)
    return warehouse


def lineage_by_day(warehouse: Warehouse) -> list[tuple]:
    return warehouse.rows(
        "select root_organization, origin_country, derivatives from marts.mart_daily_lineage "
        "where metric = 'all_time' order by snapshot_date"
    )


def test_a_parent_that_was_renamed_is_followed_while_it_is_listed(tmp_path, manifest):
    days = days_of_a_renamed_parent()
    warehouse = loaded_with(tmp_path, manifest, days, sorted(days))
    # on the last day nobody is listed who had that name: the namespace of the name is all that is left
    expected = [("Mistral AI", "FR", 1), ("Qwen", "CN", 1), ("Mistral AI", "FR", 1)]
    assert lineage_by_day(warehouse) == expected
    warehouse.load([sorted(days)[1]], *SELECT)
    assert lineage_by_day(warehouse) == expected
    fingerprints = warehouse.fingerprints()
    warehouse.load([], "--full-refresh", *SELECT)
    assert warehouse.fingerprints() == fingerprints


def test_a_late_day_tells_an_old_name_to_later_days_with_the_next_full_refresh(tmp_path, manifest):
    days = days_of_a_renamed_parent()
    first, second, _ = sorted(days)
    warehouse = loaded_with(tmp_path, manifest, days, [second, first])
    assert lineage_by_day(warehouse)[1] == ("Mistral AI", "FR", 1)
    warehouse.load([first, second], *SELECT)
    assert lineage_by_day(warehouse)[1] == ("Qwen", "CN", 1)


def test_a_day_landed_again_leaves_nothing_of_what_it_was(tmp_path, manifest):
    day = date(2026, 10, 6)
    warehouse = loaded_with(tmp_path, manifest, {day: first_day_models()}, [day])
    # the next revision lists a single model that has neither a parent, nor a family, nor any downloads
    land_day(warehouse.landing, day, [model("someone/alone", 1, "2020-01-01", 0, 0)])
    warehouse.load([day], *SELECT)
    counted = {mart: warehouse.rows(f"select count(*) from marts.{mart}")[0][0] for mart in MARTS}
    assert counted == dict.fromkeys(MARTS, 0) | {
        "mart_daily_modality_share": 4,
        "mart_daily_openness": 4,
        "mart_daily_size_share": 4,
    }
    assert warehouse.rows(f"select count(*) from marts.{PLAYERS}") == [(0,)]
