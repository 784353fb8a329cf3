"""Which of the sample's models are, by their own name, a quantised copy of another one ('-GGUF', '-AWQ', '-4bit', …).
Only the demo world uses this, to declare a lineage that its source lacks; the warehouse never reads lineage from
names."""

import re

import numpy as np

from orchestration.sandbox.catalogue import NO_PARENT

COPY_TOKEN = re.compile(
    r"""(gguf|ggml|awq|gptq|bnb|mlx|exl[23]|autoround|quantized|dynamic|static|block|nvfp4|mxfp[48]|fp8|bf16|fp16|
    w\d+a\d+|int[348]|[2-8][-_]?bits?|\d+(\.\d+)?bpw|oq\d+e?|q[2-8](_k(_[msl])?|_0)?|g?(32|64|128)g?|gs\d+|hi)""",
    re.IGNORECASE | re.VERBOSE,
)
# These are no sign of a copy by themselves: they count only beside another token.
WEAK_TOKEN = re.compile(r"dynamic|static|block|bf16|fp16|g?(32|64|128)g?|hi", re.IGNORECASE)


def base_name(name: str) -> str | None:
    """What is left of a repository's name (without owner) when the tokens of a copy are cut from its end; None if there
    are none."""
    parts = re.split(r"([-_])", name)
    cut = []
    while len(parts) > 2 and COPY_TOKEN.fullmatch(parts[-1]):
        cut.append(parts[-1])
        parts = parts[:-2]
    is_copy = any(not WEAK_TOKEN.fullmatch(token) for token in cut)
    return "".join(parts) if is_copy else None


def parents_by_name(names: list[str], downloads: np.ndarray) -> np.ndarray:
    """For each full name the row of the model that it copies, NO_PARENT if the name gives none away.

    Among several models of the base's name the copy's own owner's wins, else the most downloaded.
    """
    bases = [base_name(name.split("/")[1]) for name in names]
    originals: dict[str, list[int]] = {}
    for row in np.lexsort((np.arange(len(names)), -np.asarray(downloads))):
        if bases[row] is None:
            originals.setdefault(names[row].split("/")[1].lower(), []).append(int(row))
    parents = np.full(len(names), NO_PARENT, dtype=np.int64)
    for row, base in enumerate(bases):
        if base is not None:
            parents[row] = _original(names[row].split("/")[0], base.lower(), originals, names)
    return parents


def _original(owner: str, base: str, originals: dict[str, list[int]], names: list[str]) -> int:
    # Some repackagers write the owner into the name: "Qwen_Qwen3-8B-GGUF".
    candidates = originals.get(base) or originals.get(base.partition("_")[2]) or []
    own = [row for row in candidates if names[row].split("/")[0] == owner]
    return (own or candidates or [NO_PARENT])[0]
