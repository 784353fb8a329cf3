"""A made-up Hub of any size with every task, licence, kind of access and lineage, in which no repository is real.
Labs stand under real namespaces, all others under made-up ones; a cast of them is always there (`cast.py`), and what
the days do to it is in `simulation.py`."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sandbox.cast import CAST, cast_repositories
from orchestration.sandbox.cast import FEWEST_MODELS as FEWEST_MODELS_WITH_CAST
from orchestration.sandbox.catalogue import Catalogue, noon, numbers, rng_for, set_rows
from orchestration.sandbox.made_up import ALL_TASKS
from orchestration.sandbox.organization_names import SeededOrganizations, read_organizations
from orchestration.sandbox.releases import ReleasePlan, plan_releases
from orchestration.sandbox.simulation import World, simulate_days
from orchestration.sandbox.tail import TailPlan, owners, plan_tail

FIRST_DAY = date(2026, 10, 6)
FEWEST_MODELS = 200  # below, the tasks and events that a population promises don't find room
LABS_SHARE = 0.3  # of the first day's repositories, at most, without the copies that others make of them
YEARS_OF_HISTORY = 4
CYCLES = (1, 2, 3)  # repositories that name each other as base: one itself, two, three in a ring


def write_population(
    out: Path, *, models: int, days: int, seed: int, first_day: date = FIRST_DAY, organizations: Path | None = None
) -> World:
    """Write a made-up Hub with exactly `models` repositories on the first of `days` calendar days to the folder
    `out`.

    `organizations` is a CSV as the project's seed for labs' names and the truth's countries (default: the sandbox's list
    of names, and the seed's countries). The same arguments give the same bytes. Raises ValueError for fewer than 200
    models or less than one day, or if `out` holds anything but a world.
    """
    catalogue = population_catalogue(models, days, seed, first_day, organizations)
    return simulate_days(catalogue, out, days=days, seed=seed, organizations=organizations)


def population_catalogue(
    models: int, days: int, seed: int, first_day: date = FIRST_DAY, organizations: Path | None = None
) -> Catalogue:
    """The repositories of a made-up Hub, those of its later days among them."""
    if models < FEWEST_MODELS:
        raise ValueError(f"A population has at least {FEWEST_MODELS} models; found {models}; ask for more.")
    seeded = read_organizations(organizations)
    labs = _chosen_labs(seeded, models, seed)
    plan = ReleasePlan(
        ALL_TASKS,
        (-365 * YEARS_OF_HISTORY, days),
        noon(first_day),
        seed,
        variants=int(np.clip(models // 200, 2, 10)),
        kept=max(2, int(models * LABS_SHARE) // len(labs)),
        movable=True,
    )
    cast = sorted(set(labs) & set(CAST)) if models >= FEWEST_MODELS_WITH_CAST else []
    planned = cast_repositories(cast, plan, len(labs), 0)
    releases = plan_releases([lab for lab in labs if lab not in cast], seeded.repackagers, plan, 0, planned)
    owner_names, is_organization = owners(max(20, models // 4), seed)
    existing = models - int(np.sum(numbers(releases, "public_day") <= 0))
    tail_plan = TailPlan(
        existing, max(1, round(models * 0.002)), days, ALL_TASKS, noon(first_day), seed,
        median_rate=0.3, spread=2.0, idle_share=0.4,
    )  # fmt: skip
    tail = plan_tail(tail_plan, owner_names, releases, releases.num_rows)
    tail = _with_cycles(tail, releases.num_rows, existing, seed)
    own = set(pc.filter(owner_names, pa.array(is_organization)).to_pylist())
    return Catalogue(
        repositories=pa.concat_tables([releases, tail]).combine_chunks(),
        organizations=frozenset(own | _organizations(seeded, seed)),
        first_day=first_day,
        description=f"A made-up Hub of {models} models (seed {seed}): labs' names are real, all else is simulated.",
    )


def _chosen_labs(seeded: SeededOrganizations, models: int, seed: int) -> list[str]:
    """One lab for every sixty models, drawn from the seeded namespaces; besides the cast, where there is room for it, at
    least two."""
    cast = set(seeded.labs) & set(CAST) if models >= FEWEST_MODELS_WITH_CAST else set()
    others = [name for name in seeded.labs if name not in cast]
    count = int(np.clip(models // 60 - len(cast), 2 if cast else 4, len(others)))
    return sorted(cast | set(rng_for(seed, "labs").choice(others, size=count, replace=False).tolist()))


def _organizations(seeded: SeededOrganizations, seed: int) -> set[str]:
    """All labs are organisations; a repackager is one or a person, by lot."""
    by_lot = {name for name in seeded.repackagers if rng_for(seed, "account", name).random() < 0.5}
    return set(seeded.labs) | by_lot


def _with_cycles(tail: pa.Table, first_row: int, existing: int, seed: int) -> pa.Table:
    """Let some repositories of the tail name each other as their base, as happens on the Hub."""
    rows = rng_for(seed, "cycles").choice(existing, size=sum(CYCLES), replace=False)
    start = 0
    for length in CYCLES:
        ring = rows[start : start + length]
        start += length
        tail = set_rows(tail, "parent_1", ring, (np.roll(ring, -1) + first_row).tolist())
        for column, value in {"relation": "finetune", "missing_parent": None, "lineage_in_tags_only": False}.items():
            tail = set_rows(tail, column, ring, [value] * length)
    return tail
