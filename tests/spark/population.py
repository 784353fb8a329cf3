"""Some days of the sandbox's population with what the rules distinguish: a gap, a day that stalls, a recount, an outlier,
accounts that become known by and by, a merge, a private repository. What the numbers mean is the oracle's business."""

from datetime import date, timedelta
from pathlib import Path
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sandbox.population import write_population
from tests.oracle.populations import Draft

STALLED, RECOUNTED, MISSING = 3, 9, 5  # days after the first


def land_eventful_days(home: Path, *, models: int, days: int, seed: int) -> Path:
    """Write the landing under `home`, give its folder. Needs at least twelve days."""
    draft = Draft(write_population(home / "world", models=models, days=days, seed=seed))
    first = draft.world.days[0]
    listed = draft.models[first]
    order = pc.sort_indices(listed, [("downloads", "descending"), ("_id", "ascending")])
    large = listed["_id"].take(order).to_pylist()
    names = dict(zip(listed["_id"].to_pylist(), listed["id"].to_pylist(), strict=True))
    _accounts_become_known(draft)
    _stall(draft, first + timedelta(days=STALLED))
    _recount(draft, first + timedelta(days=RECOUNTED))
    for number, day in enumerate(draft.days):
        # a merge of three, by their names of the first day, and an outlier that nobody likes
        tags = ["license:mit", "license:gemma", *(f"base_model:merge:{names[parent]}" for parent in large[:3])]
        draft.set(day, "tags", {large[18]: tags})
        draft.set(day, "baseModels", {large[18]: None})
        draft.set(day, "downloadsAllTime", {large[40]: 5_000_000 + 150_000 * number})
        draft.set(day, "downloads", {large[40]: 2_000_000 + 150_000 * number})
        draft.set(day, "likes", {large[40]: 2})
        if number >= 6:
            draft.set(day, "private", {large[60]: True})
        if number in (4, 5):
            draft.without(day, large[1200])  # none of those whose absence a gate stops
    draft.set(draft.days[2], "downloadsAllTime", {large[3]: None})
    draft.remove(first + timedelta(days=MISSING))
    return draft.land(home / "landing").landing


def _accounts_become_known(draft: Draft) -> None:
    for number, day in enumerate(draft.days[:8]):
        accounts = draft.accounts[day]
        known = [crc32(name.encode()) % 8 <= number for name in accounts["namespace"].to_pylist()]
        draft.accounts[day] = accounts.filter(pa.array(known))


def _stall(draft: Draft, day: date) -> None:
    before = day - timedelta(days=1)
    if day in draft.days and before in draft.days:
        draft.set_counters(day, before)


def _recount(draft: Draft, first: date) -> None:
    """The Hub gives everybody a sixteenth more, for good."""
    for day in draft.days:
        if day >= first:
            shown = draft.models[day]
            counters = zip(shown["_id"].to_pylist(), shown["downloadsAllTime"].to_pylist(), strict=True)
            more = {repo_id: None if counter is None else counter + counter // 16 for repo_id, counter in counters}
            draft.set(day, "downloadsAllTime", more)
