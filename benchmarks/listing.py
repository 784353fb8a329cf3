"""What pages, server and walkers must agree on: the question, the days, and where a day's pages lie.
It imports nothing heavy, because whoever reads pages is measured from the start of its process."""

import json
from datetime import date
from pathlib import Path

DAYS = (date(2026, 11, 22), date(2026, 11, 23))
PAGE_SIZE = 1000
EXPANDS = (
    *("author", "baseModels", "createdAt", "disabled", "downloads", "downloadsAllTime", "gated", "lastModified"),
    *("library_name", "likes", "pipeline_tag", "private", "safetensors", "sha", "tags", "trendingScore"),
)
FIRST_PAGE = f"/api/models?sort=createdAt&direction=1&limit={PAGE_SIZE}&" + "&".join(
    f"expand={name}" for name in EXPANDS
)
DESCRIPTION = "pages.json"


def description_of(folder: Path) -> dict:
    """What a folder of pages says of itself."""
    return json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))


def day_folder(folder: Path, day: date) -> Path:
    return folder / f"day={day}"


def index_of(folder: Path, day: date) -> list[tuple[str, int, int, int, str]]:
    """The pages of a day in order: file, offset and length of the gzip body in it, rows, the last row's `_id`."""
    return json.loads((day_folder(folder, day) / "index.json").read_text(encoding="utf-8"))
