"""Pages of a small made-up Hub, read independently of what wrote them."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.listing import DAYS, day_folder, description_of, index_of
from benchmarks.pages import Pages, written_pages

MODELS = 20_000


@dataclass(frozen=True)
class WrittenPages:
    """A folder of pages, and what the standard library makes of its bodies."""

    folder: Path
    description: dict
    bodies: list[list[bytes]]
    """Of each day, its pages' bodies, inflated."""
    days: list[list[dict]]
    """Of each day, all its rows."""


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> WrittenPages:
    folder = written_pages(tmp_path_factory.mktemp("pages"), Pages(models=MODELS), workers=2)
    bodies = [read_bodies(folder, day) for day in DAYS]
    rows = [[row for body in day for row in json.loads(body)] for day in bodies]
    return WrittenPages(folder, description_of(folder), bodies, rows)


def read_bodies(folder: Path, day) -> list[bytes]:
    bodies = []
    for name, offset, length, _, _ in index_of(folder, day):
        packed = (day_folder(folder, day) / name).read_bytes()[offset : offset + length]
        bodies.append(gzip.decompress(packed))
    return bodies
