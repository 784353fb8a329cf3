"""The demo's world: the bundled sample's real models with their real first-day counts, and the simulated rest around
them. What is made up here: seconds of creation, all-time counters, lineage beyond the names, accounts' types, the
tail, the future."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sandbox.catalogue import DAY, FLOOR, Catalogue, days_of_publication, noon, numbers, rng_for, rows
from orchestration.sandbox.lineage_names import base_name, parents_by_name
from orchestration.sandbox.made_up import TEXT_TASKS
from orchestration.sandbox.organization_names import read_organizations
from orchestration.sandbox.releases import ReleasePlan, plan_releases
from orchestration.sandbox.sample import SOURCE_VERSION, read_sample
from orchestration.sandbox.simulation import World, simulate_days
from orchestration.sandbox.tail import TailPlan, owners, plan_tail

FIRST_DAY = date(2026, 10, 6)  # the day after the sample's newest model
TAIL_REPOSITORIES = 8_000
TAIL_OWNERS = 2_500
TAIL_ARRIVALS = 40  # a day; with the labs' releases well below one percent of the models
MADE_UP_PREFIX = "Sandbox-"  # in the name of every made-up model that stands under a real lab's namespace
DESCRIPTION = (
    f"Simulated days around a sample of real models ({SOURCE_VERSION}): names, release dates, licences, parameters "
    "and the first day's 30-day downloads and likes are real, of mixed dates and without image or video generators; "
    "all else (all-time counters, later days, most lineage, the long tail, types of accounts) is simulated. "
    "No evidence of anything."
)


def write_demo_world(
    out: Path, *, first_day: date = FIRST_DAY, days: int = 8, seed: int = 7, organizations: Path | None = None
) -> World:
    """Write `days` calendar days from `first_day` to the folder `out`; a world that is already there is replaced.

    `organizations` is the seed CSV for accounts' types and the truth's countries (default: the project's). Raises
    ValueError if `first_day` lies before the newest model of the sample, or `out` holds anything else.
    """
    return simulate_days(
        demo_catalogue(first_day, days, seed, organizations), out, days=days, seed=seed, organizations=organizations
    )


def demo_catalogue(first_day: date, days: int, seed: int, organizations: Path | None = None) -> Catalogue:
    """The sample, its tail, and what labs and others publish in the `days`."""
    if first_day < FIRST_DAY:
        raise ValueError(
            f"first_day is {first_day}; the sample has models of the day before {FIRST_DAY}; start there or later."
        )
    noon_of_first_day = noon(first_day)
    sample = _sample_rows(noon_of_first_day, seed)
    owner_names, is_organization = owners(TAIL_OWNERS, seed)
    tail_plan = TailPlan(
        TAIL_REPOSITORIES,
        TAIL_ARRIVALS,
        days,
        TEXT_TASKS,
        noon_of_first_day,
        seed,
        median_rate=0.15,
        spread=1.5,
        idle_share=0.5,
    )
    tail = plan_tail(tail_plan, owner_names, sample, sample.num_rows)
    labs, repackagers = _labs(sample, organizations)
    releases = plan_releases(
        labs,
        repackagers,
        ReleasePlan(TEXT_TASKS, (1, days), noon_of_first_day, seed, prefix=MADE_UP_PREFIX, small=True),
        sample.num_rows + tail.num_rows,
    )
    known = set(pc.filter(owner_names, pa.array(is_organization)).to_pylist())
    return Catalogue(
        repositories=pa.concat_tables([sample, tail, releases]).combine_chunks(),
        organizations=frozenset(known | _organizations(sample, seed, organizations)),
        first_day=first_day,
        description=DESCRIPTION,
    )


def _sample_rows(noon_of_first_day: int, seed: int) -> pa.Table:
    sample = _without_colliding_names(read_sample())
    count = sample.num_rows
    rng = rng_for(seed, "sample")
    midnight = sample["release_date"].cast(pa.int32()).to_numpy().astype(np.int64) * DAY
    created_at = np.maximum(midnight + rng.integers(0, DAY, count), FLOOR)
    floor_date = FLOOR - FLOOR % DAY
    created_at = np.where(midnight <= floor_date, FLOOR, created_at)
    public_day = days_of_publication(created_at, noon_of_first_day)
    downloads = numbers(sample, "hf_downloads")
    age = np.minimum(-public_day, 4_000)
    rate = downloads / np.minimum(age + 1, 30)
    older = rate * np.maximum(age - 29, 0) * np.exp(rng.normal(-0.3, 0.6, count))
    names = sample["name"].to_pylist()
    format_tag = [_format_tag(name) for name in names]
    has_weights = np.array([tag not in ("gguf", "mlx") for tag in format_tag])
    parents = parents_by_name(names, downloads)
    licensed = pc.fill_null(pc.match_substring_regex(sample["license"], "^(llama|gemma$)"), False).to_numpy()
    tag = sample["pipeline_tag"]
    return rows(
        count,
        id=sample["name"],
        created_at=created_at,
        public_day=public_day,
        rate=rate,
        downloads=downloads,
        all_time=downloads + older.astype(np.int64),
        likes=sample["hf_likes"],
        pipeline_tag=pc.if_else(pc.equal(tag, "unknown"), None, tag),
        library_name=[tag if tag in ("gguf", "mlx") else "transformers" for tag in format_tag],
        license=sample["license"],
        gated=np.where(licensed & (parents < 0) & (rng.random(count) < 0.3), "manual", "false").tolist(),
        parameters=sample["parameters_raw"],
        has_safetensors=has_weights,
        architecture=sample["architecture"],
        format_tag=format_tag,
        relation=np.where(parents >= 0, "quantized", None).tolist(),
        parent_1=parents,
        lineage_in_tags_only=rng.random(count) < 0.1,
        is_real=True,
    )


def _without_colliding_names(sample: pa.Table) -> pa.Table:
    """The sample less three rows: the Hub's names are unique whatever their case, so of two that differ in case alone
    one is an old reading of the other; the more downloaded is kept."""
    folded = pc.utf8_lower(sample["name"])
    order = pc.sort_indices(
        pa.table({"folded": folded, "downloads": sample["hf_downloads"], "name": sample["name"]}),
        sort_keys=[("folded", "ascending"), ("downloads", "descending"), ("name", "ascending")],
    )
    in_order = np.array(folded.to_pylist(), dtype=object)[order.to_numpy()]
    kept = order.to_numpy()[np.append(True, in_order[1:] != in_order[:-1])]
    return sample.take(pa.array(np.sort(kept)))


def _format_tag(name: str) -> str | None:
    lowered = name.lower()
    if base_name(name.split("/")[1]) is None and "mlx" not in lowered:
        return None
    return next((tag for tag in ("gguf", "mlx", "awq", "gptq", "fp8", "4bit", "8bit") if tag in lowered), "8-bit")


def _labs(sample: pa.Table, organizations: Path | None) -> tuple[list[str], list[str]]:
    """Namespaces of the sample that release in the simulated days: many models, much downloaded, most of them their
    own; and those that copy: most of their many models are copies. Of either only those that the seed of
    organisations has, where there are any: nothing made up should stand under a private person's name."""
    owner = pc.replace_substring_regex(sample["id"], "/.*", "")
    is_copy = pc.is_valid(sample["format_tag"]).cast(pa.int64())
    grouped = pa.table({"owner": owner, "is_copy": is_copy, "downloads": sample["downloads"]}).group_by("owner")
    table = grouped.aggregate([("is_copy", "mean"), ("is_copy", "count"), ("downloads", "sum")])
    share, models, downloads = (table[name].to_numpy() for name in ("is_copy_mean", "is_copy_count", "downloads_sum"))
    names = np.array(table["owner"].to_pylist(), dtype=object)
    labs = set(names[(share < 0.5) & (models >= 5) & (downloads >= 50_000)])
    repackagers = set(names[(share >= 0.5) & (models >= 20)])
    types = read_organizations(organizations).types
    seeded = {name for name, kind in types.items() if kind != "individual"}
    return sorted(labs & seeded or labs), sorted(repackagers & seeded or repackagers)


def _organizations(sample: pa.Table, seed: int, organizations: Path | None) -> set[str]:
    """Which of the sample's namespaces are organisations: those of the seed that are no individuals, those with at
    least four models and 10,000 downloads, and by lot four in ten of the others. Simulated: the source doesn't say."""
    types = read_organizations(organizations).types
    owner = pc.replace_substring_regex(sample["id"], "/.*", "")
    grouped = pa.table({"owner": owner, "downloads": sample["downloads"]}).group_by("owner", use_threads=False)
    table = grouped.aggregate([("downloads", "count"), ("downloads", "sum")]).sort_by("owner")
    by_lot = rng_for(seed, "accounts").random(table.num_rows) < 0.4
    large = (table["downloads_count"].to_numpy() >= 4) & (table["downloads_sum"].to_numpy() >= 10_000)
    drawn = {name for name, chosen in zip(table["owner"].to_pylist(), large | by_lot, strict=True) if chosen}
    individuals = {name for name, kind in types.items() if kind == "individual"}
    return (drawn | set(types)) - individuals
