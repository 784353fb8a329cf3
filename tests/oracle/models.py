"""What a repository is, by its own row: licence, task, size, techniques, family. Who stands behind it belongs elsewhere.
The words by which a technique is recognised are the project's stated rule (definition 26) and are listed here again."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from tests.oracle.attribution import Attributed
from tests.oracle.days import Listed
from tests.oracle.seeds import Seeds

# From the most restrictive on (definition 24).
OPENNESS = ("noncommercial", "restricted", "custom", "copyleft", "permissive", "unspecified")
BILLION = 10**9
UNITS = {"m": 10**6, "b": BILLION, "t": 10**12}
SIZE_CLASSES = ((1, "<1B"), (7, "1-7B"), (20, "7-20B"), (70, "20-70B"), (200, "70-200B"))
LARGEST_SIZE_CLASS, UNKNOWN = ">=200B", "unknown"

DISTILLED_TAGS = {"distillation", "distilled", "knowledge-distillation"}
QUANTIZED_TAGS = {
    "2-bit", "3-bit", "4-bit", "5-bit", "6-bit", "8-bit", "awq", "bitsandbytes", "compressed-tensors", "exl2", "exl3",
    "fp8", "gguf", "gptq", "int4", "int8", "quantized",
}  # fmt: skip
EXPERTS_TAGS = {
    "dbrx", "deepseek_v2", "deepseek_v3", "deepseek_v32", "ernie4_5_moe", "glm4_moe", "glm_moe_dsa", "gpt_oss",
    "granitemoe", "grok-1", "hunyuan_v1_moe", "kimi_k2", "kimi_k25", "lfm2_moe", "llama4", "minimax_m2", "mixtral",
    "mixture-of-experts", "moe", "olmoe", "phimoe", "qwen2_moe", "qwen3_5_moe", "qwen3_moe", "qwen3_next",
    "qwen3_omni_moe", "qwen3_vl_moe",
}  # fmt: skip
ADAPTER_TAGS = {"lora", "peft", "qlora"}
MERGE_TAGS = {"evolutionary-merge", "frankenmerge", "lazymergekit", "merge", "mergekit"}

QUANTIZED_PART = re.compile(r"gguf|gptq|awq|exl[23]|int[48]|fp8|nf4|bnb|[2-8]bit|w4a16|w8a8")
EXPERTS_PART = re.compile(r"moe|\d+x[\d.]+b|a[\d.]+b")
ADAPTER_PART = re.compile(r"q?lora|adapters?")
MERGE_PART = re.compile(r"merge|mergekit|slerp")
VARIANT_KINDS = {"size", "precision", "format", "role", "date"}
# An underscore between two single digits that end a part stands for the point of a version or size.
POINT = re.compile(r"(?<![0-9])([0-9])_([0-9])([bB]?)(?=[-_]|$)")
PARAMETERS = re.compile(r"(?:^|[-_])(?:(\d+)x)?(\d+(?:\.\d+)?)([bmt])(?=$|[-_.])")


@dataclass(frozen=True)
class Traits:
    """What is said of a repository on one day."""

    license: str | None
    openness: str
    modality: str
    is_generative: bool | None
    declares_training_data: bool
    parameters: int | None
    parameters_source: str | None
    size_class: str
    is_distilled: bool
    is_quantized: bool
    is_moe: bool
    is_adapter: bool
    is_merge: bool
    is_seeded_outlier: bool
    family: str | None


def name_of(model_id: str) -> str:
    return model_id.split("/", 1)[-1]


class Describer:
    """Traits by the seeds. What many days say alike is worked out once."""

    def __init__(self, seeds: Seeds):
        self.seeds = seeds
        self._license = lru_cache(None)(self._most_restrictive)
        self._named = lru_cache(None)(self.family)

    def traits(self, row: Listed, attributed: Attributed) -> Traits:
        license, openness = self._license(row.tags)
        modality, is_generative = self.seeds.tasks.get(row.pipeline_tag, (UNKNOWN, None))
        parameters, source = self.parameters(row)
        relation, name, tags = attributed.base_relation, name_of(row.model_id).lower(), set(row.tags)
        return Traits(
            license=license,
            openness=openness,
            modality=modality,
            is_generative=is_generative,
            declares_training_data=any(tag.startswith("dataset:") for tag in row.tags),
            parameters=parameters,
            parameters_source=source,
            size_class=size_class(parameters),
            is_distilled=is_distilled(tags, name),
            is_quantized=is_quantized(tags, name, relation, row.library_name),
            is_moe=is_moe(tags, name),
            is_adapter=is_adapter(tags, name, relation, row.library_name),
            is_merge=is_merge(tags, name, relation),
            is_seeded_outlier=self.is_seeded_outlier(row),
            family=self._named(row.model_id) if attributed.uploader.is_first_party else None,
        )

    def _most_restrictive(self, tags: tuple[str, ...]) -> tuple[str | None, str]:
        licenses = {tag.removeprefix("license:").lower() for tag in tags if tag.startswith("license:")} - {""}
        ranked = sorted(
            (OPENNESS.index(openness), license, openness)
            for license in licenses
            for openness in [self.seeds.openness.get(license, "custom")]
        )
        return ranked[0][1:] if ranked else (None, "unspecified")

    def parameters(self, row: Listed) -> tuple[int | None, str | None]:
        """Total parameters by safetensors, else the seed, else the name."""
        if row.safetensors_total is not None:
            return row.safetensors_total, "safetensors"
        if row.model_id.lower() in self.seeds.parameters:
            return self.seeds.parameters[row.model_id.lower()], "seed"
        found = PARAMETERS.search(name_of(row.model_id).lower())
        if not found:
            return None, None
        experts, number, unit = found.groups()
        return int(int(experts or 1) * Fraction(number) * UNITS[unit]), "name"

    def is_seeded_outlier(self, row: Listed) -> bool:
        return row.repo_id in self.seeds.outlier_repo_ids or row.model_id.lower() in self.seeds.outlier_model_ids

    def family(self, model_id: str) -> str:
        """What an exception says, else the name without its variant parts, joined by dashes; the whole name if none is
        left (definition 16, as the seed name_variants says it)."""
        name = name_of(model_id)
        starts = [start for start in self.seeds.family_starts if name.lower().startswith(start)]
        if starts:
            return self.seeds.family_starts[max(starts, key=len)]
        parts = [part for part in re.split("[-_]", POINT.sub(r"\1.\2\3", name)) if part]
        kept = [part for place, part in enumerate(parts) if self._stays(parts, place)]
        return "-".join(kept) or name

    def _stays(self, parts: list[str], place: int) -> bool:
        if place == 0 and parts[0][0].isalpha():
            return True
        here = parts[place].lower()
        pairs = [f"{here}-{part.lower()}" for part in parts[place + 1 : place + 2]]
        pairs += [f"{part.lower()}-{here}" for part in parts[max(place - 1, 0) : place]]
        for text, expressions in [(pair, self.seeds.name_pairs) for pair in pairs] + [(here, self.seeds.name_parts)]:
            kinds = {kind for expression, kind in expressions if expression.fullmatch(text)}
            if kinds:
                return not kinds & VARIANT_KINDS
        return True


def size_class(parameters: int | None) -> str:
    if parameters is None:
        return UNKNOWN
    return next((name for bound, name in SIZE_CLASSES if parameters < bound * BILLION), LARGEST_SIZE_CLASS)


def _has_part(name: str, part: re.Pattern) -> bool:
    """A piece between `-`, `_` and `.` (a version's dot may stand within it) matches wholly."""
    return bool(re.search(rf"(^|[-_.])({part.pattern})($|[-_.])", name))


def is_distilled(tags: set[str], name: str) -> bool:
    return bool(tags & DISTILLED_TAGS) or any(part.startswith("distil") for part in re.split("[-_.]", name))


def is_quantized(tags: set[str], name: str, relation: str | None, library: str | None) -> bool:
    says_so = relation == "quantized" or library == "gguf"
    return says_so or bool(tags & QUANTIZED_TAGS) or _has_part(name, QUANTIZED_PART)


def is_moe(tags: set[str], name: str) -> bool:
    return bool(tags & EXPERTS_TAGS) or _has_part(name, EXPERTS_PART)


def is_adapter(tags: set[str], name: str, relation: str | None, library: str | None) -> bool:
    if relation == "adapter" or library in ("peft", "adapter-transformers"):
        return True
    return relation is None and (bool(tags & ADAPTER_TAGS) or _has_part(name, ADAPTER_PART))


def is_merge(tags: set[str], name: str, relation: str | None) -> bool:
    return relation == "merge" or bool(tags & MERGE_TAGS) or _has_part(name, MERGE_PART)
