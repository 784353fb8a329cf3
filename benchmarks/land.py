"""Lands one made-up day, through the entry that the daily job uses: the command that `extraction` and `misbehaving` measure
and kill. It changes no setting but the place, the Hub and what it is told."""

import argparse
import json
import sys
from datetime import date
from pathlib import Path

from orchestration.landing import land_models
from orchestration.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.land", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("url")
    parser.add_argument("day", type=date.fromisoformat)
    parser.add_argument("--page-size", type=int, default=1000)
    asked = parser.parse_args(arguments)
    settings = Settings(home=asked.home, hub_endpoint=asked.url, page_size=asked.page_size, hf_token=None)
    landed = land_models(asked.day, settings, progress=_say)
    facts = ("rows", "pages", "bytes", "downloads_all_time", "retries", "resumed", "drift")
    told = {name: landed.manifest[name] for name in facts if name in landed.manifest}
    _say(json.dumps(told | {"path": str(landed.path)}))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
