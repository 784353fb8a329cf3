"""What labs release: families with versions, sizes and roles, each lab at a pace of its own, and the copies that
follow. A lab is a namespace and nothing else here: neither its country nor its fame decides anything, only its name
and the seed. What a population's cast releases is planned in `cast.py`."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from orchestration.sandbox.catalogue import DAY, NO_PARENT, rng_for, rows
from orchestration.sandbox.made_up import DATASETS, FAMILY_WORDS, LICENSES, PUBLISHED_SIZES, PURPOSES, Task, pick

COPY_FORMATS = (
    ("GGUF", "gguf", "gguf"),
    ("MLX-4bit", "mlx", "mlx"),
    ("AWQ", "transformers", "awq"),
    ("bnb-4bit", "transformers", "4-bit"),
)
# Repositories are prepared privately before launch, for up to 33 days in 40 curated cases (half of them 2–3 days).
PRIVATE_SHARE = 0.3
LONGEST_PRIVATE_DAYS = 33
# A release's variants come within ten days (the definition allows fourteen); an update not before a month has passed.
LATEST_VARIANT_DAYS = 10
UPDATE_AFTER_DAYS = 30
UPDATE_SHARE = 0.15
ROLES = (("", None), ("Instruct", "finetune"), ("Instruct-FP8", "quantized"))  # each made from the one before


@dataclass(frozen=True)
class ReleasePlan:
    """How a world's labs release: `days` is [first, last) counted from the world's first day; at most `variants` at
    once, and per lab at most `kept` repositories that are there on the first day (the latest ones)."""

    tasks: tuple[Task, ...]
    days: tuple[int, int]
    noon: int
    seed: int
    prefix: str = ""
    variants: int = 10
    kept: int | None = None
    movable: bool = False
    small: bool = False


def plan_releases(
    labs: list[str], repackagers: list[str], plan: ReleasePlan, first_row: int, cast: list[dict] | None = None
) -> pa.Table:
    """Rows for the releases of `labs` and for the copies that `repackagers` make of them; `first_row` is the row number
    that the first of them will have. `cast` are rows that are planned already, numbered from `first_row` on."""
    planned: list[dict] = list(cast or [])
    for lab in sorted(labs):
        planned += _lab_repositories(lab, plan, first_row + len(planned))
    planned += _copies(planned, sorted(repackagers), plan, first_row)
    return _with_counters(planned, plan)


def _lab_repositories(lab: str, plan: ReleasePlan, first_row: int) -> list[dict]:
    rng = rng_for(plan.seed, "lab", lab)
    median_gap = float(np.clip(np.exp(rng.normal(np.log(35), 0.9)), 6, 300))
    popularity = float(np.exp(rng.normal(np.log(30 if plan.small else 400), 1.0 if plan.small else 1.8)))
    lines = _lines(plan.tasks, rng)
    releases: list[list[dict]] = []
    day = plan.days[0] + rng.exponential(median_gap / np.log(2))
    while day < plan.days[1]:
        line = lines[int(rng.integers(len(lines)))]
        stamp = line.next_release(int(day), plan, rng)
        shared = _shared_by_variants(line, int(day), plan, rng)
        releases.append(_variants(lab, line, stamp, shared, popularity, plan, rng))
        day += 1 + rng.exponential(median_gap / np.log(2))
    return numbered(latest_releases(releases, plan.kept), first_row)


@dataclass
class _Line:
    """A line of a lab's models: its word, its task, its latest version and that one's family and day."""

    word: str
    task: Task
    version: float = 1.0
    family: str = ""
    day: int = 0

    def next_release(self, day: int, plan: ReleasePlan, rng: np.random.Generator) -> str:
        """Move on to a new version, or now and then to an update of the last one; returns the update's date stamp."""
        if self.family and day - self.day >= UPDATE_AFTER_DAYS and rng.random() < UPDATE_SHARE:
            self.day = day
            return datetime.fromtimestamp(plan.noon + day * DAY, UTC).strftime("%y%m")
        if self.family:
            self.version = round(self.version + float(rng.choice([0.1, 0.1, 0.5, 1.0])), 1)
        purposes = PURPOSES.get(self.task.pipeline_tag, [])
        purpose = [str(rng.choice(purposes))] if purposes and rng.random() < 0.4 else []
        self.family = "-".join([f"{plan.prefix}{self.word}-{self.version:g}", *purpose])
        self.day = day
        return ""


def _lines(tasks: tuple[Task, ...], rng: np.random.Generator) -> list[_Line]:
    chosen = rng.choice(FAMILY_WORDS, size=rng.integers(1, 4), replace=False)
    weights = np.array([task.weight for task in tasks])
    numbers = rng.choice(len(tasks), size=len(chosen), p=weights / weights.sum())
    return [_Line(str(word), tasks[number]) for word, number in zip(chosen, numbers, strict=True)]


def _shared_by_variants(line: _Line, day: int, plan: ReleasePlan, rng: np.random.Generator) -> dict:
    return {
        "family": line.family,
        "public_day": day,
        "private_days": private_days(rng),
        "license": pick(rng, LICENSES, 1)[0].as_py(),
        "dataset": str(rng.choice(DATASETS)) if rng.random() < 0.3 else None,
        "pipeline_tag": line.task.pipeline_tag,
        "library_name": line.task.library_name,
        "architecture": line.word.lower(),
        "of_lab": True,
        "movable": plan.movable,
    }


def private_days(rng: np.random.Generator) -> int:
    """Days for which a release is prepared before anybody can see it; mostly none."""
    return int(min(1 + rng.exponential(4), LONGEST_PRIVATE_DAYS)) if rng.random() < PRIVATE_SHARE else 0


def _variants(lab: str, line: _Line, stamp: str, shared: dict, popularity: float, plan: ReleasePlan, rng) -> list[dict]:
    """One release's repositories: sizes, and for text models roles; some come days after the first."""
    smallest, largest = line.task.smallest, line.task.largest
    fitting = [size for size in PUBLISHED_SIZES if smallest <= size * 1e9 <= largest] or [largest / 1e9]
    sizes = sorted(rng.choice(fitting, size=min(len(fitting), int(rng.integers(1, 4))), replace=False))
    roles = ROLES if line.task.pipeline_tag == "text-generation" else ROLES[:1]
    last_day = plan.days[1] - 1
    repositories: list[dict] = []
    for size in sizes:
        for role, relation in roles[: int(rng.integers(1, len(ROLES) + 1))]:
            late = int(rng.integers(1, LATEST_VARIANT_DAYS + 1)) if rng.random() < 0.15 and repositories else 0
            name = "-".join(part for part in (line.family, f"{size:g}B", role, stamp) if part)
            repositories.append(
                shared
                | {
                    "id": f"{lab}/{name}",
                    "role": role,
                    "public_day": min(shared["public_day"] + late, last_day),
                    "rate": popularity * float(np.exp(rng.normal(0, 1))),
                    "parent": len(repositories) - 1 if role else None,
                    "relation": relation,
                    "parameters": int(size * 1e9),
                    "format_tag": "fp8" if role.endswith("FP8") else None,
                }
            )
    return repositories[: plan.variants]


def latest_releases(releases: list[list[dict]], kept: int | None) -> list[list[dict]]:
    """All releases after the first day, and of those before it the latest with not more than `kept` repositories."""
    chosen: list[list[dict]] = []
    room = kept
    for release in reversed(releases):
        early = sum(repository["public_day"] <= 0 for repository in release)
        if room is not None and early > room:
            break
        room = None if room is None else room - early
        chosen.insert(0, release)
    return chosen


def numbered(releases: list[list[dict]], first_row: int) -> list[dict]:
    flat: list[dict] = []
    for release in releases:
        start = first_row + len(flat)
        for repository in release:
            parent = repository.pop("parent")
            flat.append(repository | {"parent_1": NO_PARENT if parent is None else start + parent})
    return flat


def _copies(originals: list[dict], repackagers: list[str], plan: ReleasePlan, first_row: int) -> list[dict]:
    rng = rng_for(plan.seed, "copies")
    copies: list[dict] = []
    taken: set[str] = set()
    for row, original in enumerate(originals):
        if original["role"] != "Instruct" or not repackagers:
            continue
        for _ in range(int(rng.integers(1, 4))):
            suffix, library, format_tag = COPY_FORMATS[int(rng.integers(len(COPY_FORMATS)))]
            copier = str(rng.choice(repackagers))
            name = f"{copier}/{original['id'].split('/')[1]}-{suffix}"
            day = original["public_day"] + int(rng.integers(0, 4))
            if name in taken or day >= plan.days[1]:
                continue
            taken.add(name)
            copies.append(
                original
                | {
                    "id": name,
                    "family": None,
                    "public_day": day,
                    "private_days": 0,
                    "parent_1": first_row + row,
                    "relation": "quantized",
                    "library_name": library,
                    "format_tag": format_tag,
                    "of_lab": False,
                    "rate": original["rate"] * float(np.exp(rng.normal(-1.5, 1))),
                    "dataset": None,
                    "movable": plan.movable,
                }
            )
    return copies


def _with_counters(planned: list[dict], plan: ReleasePlan) -> pa.Table:
    rng = rng_for(plan.seed, "releases")
    count = len(planned)
    column = {name: [repository[name] for repository in planned] for name in (planned[0] if planned else ())}
    if not planned:
        return rows(0)
    public_day = np.array(column["public_day"], dtype=np.int64)
    hidden_days = np.array(column["private_days"], dtype=np.int64)
    created_at = plan.noon + (public_day - hidden_days) * DAY - rng.integers(0, DAY, count)
    rate = np.array(column["rate"])
    downloads, all_time = counters_of_the_past(rate, public_day, rng)
    names = (
        "id",
        "license",
        "pipeline_tag",
        "library_name",
        "parameters",
        "architecture",
        "format_tag",
        "dataset",
        "relation",
        "parent_1",
        "family",
        "movable",
    )
    licensed = np.array([bool(license) and license.startswith("llama") for license in column["license"]])
    gate_draw = rng.random(count)
    gated = np.where(licensed & np.array(column["of_lab"]), "manual", np.where(gate_draw < 0.05, "auto", "false"))
    return rows(
        count,
        created_at=created_at,
        public_day=public_day,
        rate=rate,
        downloads=downloads,
        all_time=all_time,
        likes=rng.poisson(3 + np.minimum(all_time, 2_000_000) / 4000) * (public_day <= 0),
        gated=gated.tolist(),
        has_safetensors=np.array([tag not in ("gguf", "mlx") for tag in column["format_tag"]]),
        **{name: column[name] for name in names},
    )


def counters_of_the_past(
    rate: np.ndarray, public_day: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """30-day and all-time counters on day 0 of repositories with a mean of `rate` daily downloads; 0 for later ones."""
    age = np.where(public_day <= 0, 1 - public_day, 0)
    downloads = rng.poisson(rate * np.minimum(age, 30))
    older = rng.poisson(rate * np.maximum(age - 30, 0) * rng.uniform(0.4, 1.6, len(rate)))
    return downloads, downloads + older
