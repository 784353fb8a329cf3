"""Writes the listing pages of the made-up Hub's two days to disk, as the gzip bodies that a server sends, once for each
set of arguments. What is on the pages is drawn in `made_up_models`; serving them is for `page_server`."""

import argparse
import hashlib
import json
import os
import shutil
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks import draws, listing, made_up_models, made_up_tags
from benchmarks.listing import DAYS, DESCRIPTION, EXPANDS, PAGE_SIZE, day_folder
from benchmarks.made_up_models import MadeUpHub

ROWS_A_BLOCK = 25 * PAGE_SIZE  # made at once and written to one file: some 40 MB of memory, and few files
GZIP_LEVEL = 1  # level 6 takes three times as long for a fifth less; what reads the pages inflates both alike
SIMULATED = (
    "Every row is made up from a seed: names, ids, tags, counters, lineage. Proportions follow what was observed of the"
    " Hub in 2025 and 2026; no row is a real repository's."
)


@dataclass(frozen=True)
class Pages:
    """Which pages: the arguments that their bytes follow from."""

    models: int = 3_000_000
    seed: int = 7

    @property
    def folder_name(self) -> str:
        """Names arguments and generator, so that pages of another generator are never taken for these."""
        sources = [Path(module.__file__).read_bytes() for module in (draws, listing, made_up_models, made_up_tags)]
        code = hashlib.sha256(b"".join([*sources, Path(__file__).read_bytes()])).hexdigest()[:8]
        return f"models={self.models}-seed={self.seed}-{code}"


def written_pages(root: Path, pages: Pages, *, workers: int | None = None) -> Path:
    """The folder under `root` with a folder for each day, `day=YYYY-MM-DD`, and `pages.json` that tells what is there.

    Pages that are there already are not written again. Raises ValueError for sizes that can't be made.
    """
    folder = root / pages.folder_name
    if (folder / DESCRIPTION).exists():
        return folder
    hub = MadeUpHub(pages.models, pages.seed)
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    try:
        _write(unfinished, hub, pages, workers or os.cpu_count() or 1)
        _put_in_place(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _write(folder: Path, hub: MadeUpHub, pages: Pages, workers: int) -> None:
    days = [day_folder(folder, day) for day in DAYS]
    for day in days:
        day.mkdir(parents=True)
    started = time.monotonic()
    # A fresh interpreter for each worker: Arrow's threads don't survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        blocks = list(pool.map(_write_block, *zip(*_blocks(hub, pages, days), strict=True)))
    description = {
        "simulated": SIMULATED,
        "arguments": asdict(pages),
        "expands": EXPANDS,
        "gzip_level": GZIP_LEVEL,
        "days": [_finish_day(days[day], day, [block for block in blocks if block["day"] == day]) for day in (0, 1)],
        "between_the_days": {
            "new": hub.new,
            "gone": len(hub.gone),
            "renamed": len(hub.renamed),
            "other_counters": sum(block["other_counters"] for block in blocks),
        },
        "seconds_to_write": round(time.monotonic() - started, 1),
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def _put_in_place(unfinished: Path, folder: Path) -> None:
    try:
        unfinished.rename(folder)
    except OSError:  # another process was faster, with the same bytes
        if not (folder / DESCRIPTION).exists():
            raise


def _blocks(hub: MadeUpHub, pages: Pages, days: list[Path]) -> Iterator[tuple[Pages, int, int, Path]]:
    for day in (0, 1):
        for first in range(0, hub.count(day), ROWS_A_BLOCK):
            yield pages, day, first, days[day]


@cache
def _hub(models: int, seed: int) -> MadeUpHub:
    """One for each process: its vocabulary takes half a second to make."""
    pa.set_cpu_count(1)
    return MadeUpHub(models, seed)


def _write_block(pages: Pages, day: int, first: int, folder: Path) -> dict:
    """Write one block's pages, one gzip body after the other, and tell where each of them is and what is in them."""
    hub = _hub(pages.models, pages.seed)
    rows = hub.rows(day, first, first + ROWS_A_BLOCK)
    records, sums = hub.records(rows, day)
    last_ids = hub.row_ids(rows[_page_ends(len(rows)) - 1]).to_pylist()
    name = f"pages-{first // ROWS_A_BLOCK:05d}.gz"
    index, offset, raw = [], 0, 0
    with (folder / name).open("wb") as file:
        for body, count, last_id in zip(*_bodies(records), last_ids, strict=True):
            compressor = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)
            packed = compressor.compress(body) + compressor.flush()
            file.write(packed)
            index.append([name, offset, len(packed), count, last_id])
            offset += len(packed)
            raw += len(body)
    moved = int(hub.has_moved(rows).sum()) if day else 0
    return {"day": day, "index": index, "raw": raw, "gzip": offset, "sums": sums, "other_counters": moved}


def _page_ends(count: int) -> np.ndarray:
    return np.minimum(np.arange(PAGE_SIZE, count + PAGE_SIZE, PAGE_SIZE), count)


def _bodies(records: pa.Array) -> tuple[list[bytes], list[int]]:
    """The records of each page as a JSON list, and how many there are. Each record ends with a comma, the last too many."""
    offsets = np.frombuffer(records.buffers()[1], dtype=np.int32)
    text = memoryview(records.buffers()[2])
    ends = _page_ends(len(records))
    starts = np.concatenate([[0], ends[:-1]])
    bodies = [b"[%b]" % text[offsets[start] : offsets[end] - 1] for start, end in zip(starts, ends, strict=True)]
    return bodies, (ends - starts).tolist()


def _finish_day(folder: Path, day: int, blocks: list[dict]) -> dict:
    """Write the index of a day's pages; give what is in them, in all and for each model."""
    index = [entry for block in blocks for entry in block["index"]]
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    rows = sum(entry[3] for entry in index)
    sums = Counter()
    for block in blocks:
        sums.update(block["sums"])
    raw, packed = sum(block["raw"] for block in blocks), sum(block["gzip"] for block in blocks)
    shares = ("safetensors", "base_models", "no_pipeline_tag", "no_library_name", "gated", "disabled")
    return {
        "day": DAYS[day].isoformat(),
        "rows": rows,
        "pages": len(index),
        "raw_bytes": raw,
        "gzip_bytes": packed,
        "raw_bytes_a_model": round(raw / rows, 1),
        "gzip_bytes_a_model": round(packed / rows, 1),
        "tags_a_model": round(sums["tags"] / rows, 2),
        "shares": {name: round(sums[name] / rows, 4) for name in shares},
        "sums": dict(sums),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("root", type=Path, help="folder that the pages' folder is made in")
    parser.add_argument("--models", type=int, default=Pages.models)
    parser.add_argument("--seed", type=int, default=Pages.seed)
    asked = parser.parse_args(arguments)
    sys.stdout.write(f"{written_pages(asked.root, Pages(asked.models, asked.seed))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
