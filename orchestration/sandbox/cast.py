"""The cast of a population: labs that always appear, each with lines of models that a headline claim asks about, and the
turn in the middle, after which others are ahead. Parts are given to names; no country is read here, and nothing of it is
true: versions begin at 91 so that no made-up model bears a real one's name."""

from dataclasses import dataclass

import numpy as np

from orchestration.sandbox.catalogue import rng_for
from orchestration.sandbox.releases import (
    LATEST_VARIANT_DAYS,
    ROLES,
    ReleasePlan,
    latest_releases,
    numbered,
    private_days,
)

FEWEST_MODELS = 300  # below, the cast would leave no room for anybody else
FIRST_VERSION = 91
YEAR = 365
# Downloads a day that a weight of 1 stands for, with ten labs in the world. Other labs' are drawn around 400 for each
# repository, with a long tail: more labs would drown the cast, so it grows with them.
UNIT = 600_000.0
LABS_OF_UNIT = 12
# Days before the end at which the turn comes. A year's sum needs a year of history, a week to find who is first, and
# the rest to change its mind; a short world turns after a third of its days.
TURN_BEFORE_END = 135
LONG_WORLD_DAYS = 400
TURN_WEIGHT = 4.8
# At most so many repositories a release, however small the world: one variant would be no answer.
FEWEST_VARIANTS = 4


@dataclass(frozen=True)
class Line:
    """A line of models: every `gap` days a new version of `word`, in `sizes` (billions of parameters), of which each
    comes in the first `roles` roles."""

    word: str
    pipeline_tag: str
    library_name: str
    license: str
    gap: int
    weight: float
    sizes: tuple[float, ...]
    roles: int = 1
    purpose: str = ""


def _text(word: str, license: str, gap: int, weight: float, *sizes: float, roles: int = 2, purpose: str = "") -> Line:
    return Line(word, "text-generation", "transformers", license, gap, weight, sizes, roles, purpose)


def _video(word: str, license: str, gap: int, weight: float, *sizes: float) -> Line:
    return Line(word, "text-to-video", "diffusers", license, gap, weight, sizes)


# Weights are downloads against each other before the turn; they and the gaps were chosen so that every claim has an
# answer other than 0 and 1, and measured nowhere. 2026-11-24.
CAST = {
    "Qwen": (_text("Qwen", "apache-2.0", 24, 0.16, 4, 30, roles=3),),
    "deepseek-ai": (
        _text("DeepSeek", "mit", 75, 0.06, 7, 671),
        _text("DeepSeek", "mit", 140, 0.03, 1.5, 8, purpose="Distill", roles=1),
    ),
    "Wan-AI": (_video("Wan", "apache-2.0", 60, 0.05, 1, 14),),
    "zai-org": (_text("GLM", "glm-4", 40, 0.05, 9, 32),),
    "meta-llama": (_text("Llama", "llama3.3", 110, 0.4, 8, 70),),
    "openai": (_text("gpt-oss", "apache-2.0", 150, 0.22, 20, 120, roles=1),),
    "allenai": (_text("Olmo", "apache-2.0", 70, 0.08, 7, 32),),
    "google": (_text("Gemma", "gemma", 60, 0.22, 4, 12),),
    "nvidia": (
        _video("Cosmos", "other", 120, 0.03, 2, 14),
        _text("Nemotron", "apache-2.0", 90, 0.05, 8, 30, purpose="Distill", roles=1),
    ),
    "mistralai": (_text("Mistral", "apache-2.0", 50, 0.12, 8, 24),),
}
# Who gains at the turn, and which part of the gain is whose.
RISING = {"Qwen": 0.7, "deepseek-ai": 0.2, "Wan-AI": 0.1}


def turn_of(days: int) -> int:
    """The day on which the rising labs release what puts them ahead; worlds of a few days end before it shows."""
    return days - TURN_BEFORE_END if days >= LONG_WORLD_DAYS else max(1, days // 3)


def cast_repositories(labs: list[str], plan: ReleasePlan, all_labs: int, first_row: int) -> list[dict]:
    """What those of the cast that are among `labs` release, in a world of `all_labs` labs."""
    planned: list[dict] = []
    unit = UNIT * max(1.0, all_labs / LABS_OF_UNIT)
    for lab in sorted(set(labs) & set(CAST)):
        rng = rng_for(plan.seed, "cast", lab)
        releases = [release for line in CAST[lab] for release in _releases(lab, line, unit, plan, rng)]
        if lab in RISING:
            releases.append(_rise(lab, unit * TURN_WEIGHT * RISING[lab], plan, rng))
        releases.sort(key=lambda release: release[0]["public_day"])
        kept = latest_releases(releases, plan.kept)
        _share_out_the_past(kept, unit * sum(line.weight for line in CAST[lab]))
        planned += numbered(kept, first_row + len(planned))
    return planned


def _releases(lab: str, line: Line, unit: float, plan: ReleasePlan, rng: np.random.Generator) -> list[list[dict]]:
    """A line's releases from a little more than a year before the first day on, each as large as a steady stream of
    them makes the line's weight."""
    # What a release of rate 1 brings in its first year: the rush of the first weeks, and about a third for the rest.
    rate = unit * line.weight * line.gap / (0.35 * YEAR + 13)
    releases = []
    day = -YEAR - 30 + rng.uniform(0, line.gap)
    version = FIRST_VERSION
    while day < plan.days[1]:
        releases.append(_variants(lab, line, version, int(day), rate, plan, rng))
        version += 1
        day += line.gap * rng.uniform(0.8, 1.2)
    return releases


def _rise(lab: str, rate: float, plan: ReleasePlan, rng: np.random.Generator) -> list[dict]:
    """The release that puts a lab ahead: a line of its own, so that it is nobody's update."""
    line = CAST[lab][0]
    rising = Line(f"{line.word}-Next", line.pipeline_tag, line.library_name, line.license, 1, 0, line.sizes, line.roles)
    return _variants(lab, rising, FIRST_VERSION, turn_of(plan.days[1]), rate, plan, rng, is_announced=True)


def _variants(
    lab: str, line: Line, version: int, day: int, rate: float, plan: ReleasePlan, rng, *, is_announced: bool = False
) -> list[dict]:
    family = "-".join(part for part in (line.word, str(version), line.purpose) if part)
    hidden = 0 if is_announced else private_days(rng)
    found: list[dict] = []
    for size in line.sizes:
        for role, relation in ROLES[: line.roles]:
            late = int(rng.integers(1, LATEST_VARIANT_DAYS + 1)) if found and rng.random() < 0.15 else 0
            found.append(
                {
                    "id": f"{lab}/{'-'.join(part for part in (family, f'{size:g}B', role) if part)}",
                    "family": family,
                    "public_day": min(day + late, plan.days[1] - 1),
                    "private_days": hidden,
                    "license": line.license,
                    "dataset": None,
                    "pipeline_tag": line.pipeline_tag,
                    "library_name": line.library_name,
                    "architecture": line.word.lower(),
                    "of_lab": True,
                    "role": role,
                    "rate": rate * float(rng.uniform(0.85, 1.15)),
                    "parent": len(found) - 1 if role else None,
                    "relation": relation,
                    "parameters": int(size * 1e9),
                    "format_tag": "fp8" if role.endswith("FP8") else None,
                    "movable": False,
                }
            )
    found = found[: max(plan.variants, FEWEST_VARIANTS)]
    for repository in found:
        repository["rate"] /= len(found)
    return found


def _share_out_the_past(releases: list[list[dict]], rate: float) -> None:
    """What is there on the first day has the lab's whole weight, however few repositories there is room for."""
    early = [repository for release in releases for repository in release if repository["public_day"] <= 0]
    total = sum(repository["rate"] for repository in early)
    for repository in early:
        repository["rate"] *= rate / total
