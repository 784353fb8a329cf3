"""The long tail: thousands of small repositories of made-up persons and groups, most of them derived from others'
models. Labs' own releases and the repackagers' copies of them belong to `releases.py`."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sandbox.catalogue import DAY, FLOOR, NO_PARENT, days_of_publication, numbers, rng_for, rows
from orchestration.sandbox.made_up import ADJECTIVES, ANIMALS, DATASETS, LICENSES, Task, joined, pick, words
from orchestration.sandbox.releases import counters_of_the_past

# Order of magnitude of what the Hub declares: about a third with a base model, adapters and fine-tunes most of them.
RELATIONS = {None: 62.0, "adapter": 16.0, "finetune": 14.0, "quantized": 7.0, "merge": 1.5}
SUFFIXES = {"adapter": "-lora", "finetune": "-ft", "quantized": "-GGUF", "merge": "-merge"}
LIBRARIES = {"adapter": "peft", "quantized": "gguf"}
FORMATS = {"adapter": "lora", "quantized": "gguf", "merge": "mergekit"}
MISSING_PARENT_SHARE = 0.02
TAGS_ONLY_SHARE = 0.1


@dataclass(frozen=True)
class TailPlan:
    """`existing` repositories on the first day and `arrivals` new ones on each of the `days` - 1 days after it; mean
    daily downloads are log-normal about `median_rate` with `spread`, none at all for `idle_share` of the
    repositories."""

    existing: int
    arrivals: int
    days: int
    tasks: tuple[Task, ...]
    noon: int
    seed: int
    median_rate: float
    spread: float
    idle_share: float


def owners(count: int, seed: int) -> tuple[pa.Array, np.ndarray]:
    """Names of made-up accounts, marked as such by their prefix, and whether each is an organisation (three in ten)."""
    rng = rng_for(seed, "owners")
    is_organization = rng.random(count) < 0.3
    kind = pa.array(np.where(is_organization, "labs", "")).cast(pa.string())
    number = pa.array(np.arange(count)).cast(pa.string())
    names = joined("-", "sim", words(rng, ADJECTIVES, count), words(rng, ANIMALS, count), number)
    return pc.if_else(pa.array(is_organization), joined("-", names, kind), names), is_organization


def plan_tail(plan: TailPlan, owner_names: pa.Array, pool: pa.Table, first_row: int) -> pa.Table:
    """Rows of the tail. `pool` is the catalogue so far, the candidates for parents; `first_row` its length."""
    count = plan.existing + plan.arrivals * (plan.days - 1)
    rng = rng_for(plan.seed, "tail")
    created_at, public_day = _dates(plan, count, rng)
    relation = pick(rng, RELATIONS, count)
    parents = _parents(relation, pool, first_row, public_day, rng)
    missing = pa.array(rng.random(count) < MISSING_PARENT_SHARE) if count else pa.array([], pa.bool_())
    missing = pc.and_(missing, pc.is_valid(relation))
    parents = np.where(missing.to_numpy(zero_copy_only=False), NO_PARENT, parents)

    task = rng.choice(len(plan.tasks), count, p=_shares(plan.tasks))
    task[: len(plan.tasks)] = np.arange(min(len(plan.tasks), count))  # every task occurs
    smallest, largest = (np.array([getattr(t, name) for t in plan.tasks])[task] for name in ("smallest", "largest"))
    parameters = np.exp(rng.uniform(np.log(smallest), np.log(largest))).astype(np.int64)
    parameters = np.where(rng.random(count) < 0.5, parameters, 0)
    library = pa.array([t.library_name for t in plan.tasks]).take(pa.array(task))
    tagged = rng.random(count) < 0.72  # 28.7 % of the Hub's repositories have no task
    tagged[: len(plan.tasks)] = True
    pipeline_tag = pc.if_else(
        pa.array(tagged), pa.array([t.pipeline_tag for t in plan.tasks]).take(pa.array(task)), None
    )

    rate = plan.median_rate * np.exp(rng.normal(0, plan.spread, count)) * (rng.random(count) >= plan.idle_share)
    downloads, all_time = counters_of_the_past(rate, public_day, rng)
    relation_format = _mapped(relation, FORMATS)
    has_safetensors = pc.and_(
        pa.array(rng.random(count) < 0.4), pc.fill_null(pc.not_equal(relation, "quantized"), True)
    )
    return rows(
        count,
        id=_names(owner_names, relation, first_row, rng),
        created_at=created_at,
        public_day=public_day,
        rate=rate,
        downloads=downloads,
        all_time=all_time,
        likes=rng.poisson(0.15 + all_time / 3000) * (public_day <= 0),
        pipeline_tag=pipeline_tag,
        library_name=pc.coalesce(
            _mapped(relation, LIBRARIES), pc.if_else(pa.array(rng.random(count) < 0.8), library, None)
        ),
        license=pick(rng, LICENSES, count),
        second_license=pc.if_else(pa.array(rng.random(count) < 0.003), pick(rng, LICENSES, count), None),
        gated=pick(rng, {"false": 98.0, "manual": 1.1, "auto": 0.6}, count),
        parameters=parameters,
        has_safetensors=has_safetensors,
        format_tag=relation_format,
        dataset=pc.if_else(pa.array(rng.random(count) < 0.15), words(rng, list(DATASETS), count), None),
        relation=relation,
        parent_1=parents[0],
        parent_2=parents[1],
        parent_3=parents[2],
        missing_parent=pc.if_else(missing, joined("/", "sim-gone", words(rng, ANIMALS, count)), None),
        lineage_in_tags_only=rng.random(count) < TAGS_ONLY_SHARE,
        movable=True,
    )


def _shares(tasks: tuple[Task, ...]) -> np.ndarray:
    weights = np.array([task.weight for task in tasks])
    return weights / weights.sum()


def _dates(plan: TailPlan, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of creation and first public days: the tail is public at once, and the Hub grew faster and faster."""
    age = rng.exponential(450 * DAY, count).astype(np.int64)
    created_at = np.maximum(plan.noon - age, FLOOR)
    public_day = days_of_publication(created_at, plan.noon)
    arriving = np.arange(count) >= plan.existing
    arrival_day = 1 + (np.arange(count) - plan.existing) // max(plan.arrivals, 1)
    public_day = np.where(arriving, arrival_day, public_day)
    created_at = np.where(arriving, plan.noon + arrival_day * DAY - rng.integers(0, DAY, count), created_at)
    return created_at, public_day


def _parents(relation: pa.Array, pool: pa.Table, first_row: int, public_day: np.ndarray, rng) -> np.ndarray:
    """Three rows of parents for each repository: one for most, two or three for merges, NO_PARENT for the rest.

    A parent comes from `pool` (the more downloaded, the likelier) or, one time in five, from earlier in the tail,
    which is how lineage gets deep; it is public on the first day.
    """
    count = len(relation)
    known = numbers(pool, "public_day") <= 0
    weights = np.sqrt(numbers(pool, "downloads") + 10.0) * known
    cumulated = np.cumsum(weights)
    parents = np.full((3, count), NO_PARENT, dtype=np.int64)
    in_tail = np.flatnonzero(public_day <= 0)
    for place in range(3):
        from_pool = np.searchsorted(cumulated, rng.random(count) * cumulated[-1], side="right")
        earlier = (rng.random(count) * np.minimum(np.arange(count), len(in_tail))).astype(np.int64)
        use_tail = (rng.random(count) < 0.2) & (np.arange(count) > 0)
        parents[place] = np.where(use_tail, first_row + earlier, from_pool)
    parents[:, pc.is_null(relation).to_numpy(zero_copy_only=False)] = NO_PARENT
    merged = pc.fill_null(pc.equal(relation, "merge"), False).to_numpy(zero_copy_only=False)
    parents[1] = np.where(merged & (parents[1] != parents[0]), parents[1], NO_PARENT)
    third = merged & (rng.random(count) < 0.4) & (parents[2] != parents[0]) & (parents[2] != parents[1])
    parents[2] = np.where(third, parents[2], NO_PARENT)
    return parents


def _mapped(values: pa.Array, mapping: dict[str, str]) -> pa.Array:
    keys = pa.array(list(mapping), pa.string())
    return pa.array(list(mapping.values()), pa.string()).take(pc.index_in(values, keys))


def _names(owner_names: pa.Array, relation: pa.Array, first_row: int, rng: np.random.Generator) -> pa.Array:
    count = len(relation)
    owner = (len(owner_names) * rng.random(count) ** 2).astype(np.int64)
    number = pa.array(np.arange(first_row, first_row + count)).cast(pa.string())
    name = joined("-", words(rng, ADJECTIVES, count), words(rng, ANIMALS, count), number)
    suffix = pc.fill_null(_mapped(relation, SUFFIXES), "")
    return joined("", owner_names.take(pa.array(owner)), "/", name, suffix)
