"""The days of a world: counters that move, stall, are recounted and fall; and the snapshot folders that the sandbox
serves. The repositories come from a catalogue (`demo.py`, `population.py`); what happened is written down by
`truth.py`."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.sandbox.calendar_plan import CalendarPlan, plan_calendar
from orchestration.sandbox.catalogue import DAY, NO_PARENT, Catalogue, hexadecimal, numbers, object_ids, rng_for
from orchestration.sandbox.identity import IdentityPlan, plan_identity
from orchestration.sandbox.listing_days import KINDS, write_listing_days
from orchestration.sandbox.truth import Truth

WINDOW = 30  # days that the Hub's `downloads` covers
CHUNK = 250_000  # rows whose past is spread at once, which bounds memory
FIRST_WEEKS = 20.0  # days in which the rush for a new release dies down to about a third
COMMIT_SHARE = 0.005  # of the repositories that get a new commit on a day
DESCRIPTION_FILE = "sandbox.json"
MODELS_PER_OTHER = 20  # a dataset and a space for so many models: enough to page through, too few to cost time


@dataclass(frozen=True)
class World:
    """A world on disk. `days` are those with a snapshot, `missing_days` those between them without one."""

    path: Path
    days: list[date]
    missing_days: list[date]
    stalled_days: list[date]
    recounted_days: list[date]
    models: int
    seed: int
    description: str


def simulate_days(base: Catalogue, out: Path, *, days: int, seed: int, organizations: Path | None = None) -> World:
    """Write `days` calendar days of the world that starts from `base` to the folder `out`, with their truth, and with a
    few datasets and spaces.

    The same arguments give the same bytes. A world that is already in `out` is replaced, and only once the new one is
    complete. `organizations` is the seed CSV that the truth joins countries from. Raises ValueError if `out` holds
    anything but a world, or `days` < 1.
    """
    calendar = plan_calendar(days)
    _check_replaceable(out)
    partial = out.with_name(f"{out.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    world = _Simulation(base, calendar, seed, partial).run(organizations)
    for listing in KINDS:
        rows = max(1, world.models // MODELS_PER_OTHER)
        write_listing_days(partial, listing, rows, days, seed, base.first_day, world.missing_days)
    if out.exists():
        shutil.rmtree(out)
    partial.rename(out)
    return World(**(vars(world) | {"path": out}))


def _check_replaceable(out: Path) -> None:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / DESCRIPTION_FILE).is_file() or not (out / "truth").is_dir():
        raise ValueError(
            f"{out} holds something other than a simulated world; expected an empty or absent folder, "
            "or a world to replace; name another folder."
        )


class _Simulation:
    """The state of all counters, moved day by day. Arrays have one entry for each row of the catalogue."""

    def __init__(self, base: Catalogue, calendar: CalendarPlan, seed: int, out: Path):
        self.base, self.calendar, self.seed, self.out = base, calendar, seed, out
        self.repositories, self.events = plan_identity(base, calendar, seed)
        self.count = self.repositories.num_rows
        self.rng = rng_for(seed, "days")
        self.created_at = numbers(self.repositories, "created_at")
        self.public_day = numbers(self.repositories, "public_day")
        self.row_ids = object_ids(self.created_at, rng_for(seed, "object ids"))
        self.in_order = pc.array_sort_indices(self.row_ids).to_numpy()
        self.ids = self.repositories["id"].combine_chunks()
        self.rate = self.repositories["rate"].to_numpy()
        self.window = np.where(self.public_day <= 0, numbers(self.repositories, "downloads"), 0)
        self.all_time = np.where(self.public_day <= 0, numbers(self.repositories, "all_time"), 0)
        self.likes = np.where(self.public_day <= 0, numbers(self.repositories, "likes"), 0)
        self.trending = self.rng.poisson(self.likes * 0.004).astype(np.float64)
        self.gone_day = np.full(self.count, calendar.days + 1)
        self.gone_day[list(self.events.gone)] = list(self.events.gone.values())
        self.past = np.zeros((WINDOW, self.count), dtype=np.int32)
        self.modified_at, self.sha = self._first_commits()
        self.parents = np.stack([numbers(self.repositories, f"parent_{place}") for place in (1, 2, 3)], axis=1)
        self.lineage_in_tags_only = self.repositories["lineage_in_tags_only"].to_numpy()
        self.fixed = _fixed_columns(self.repositories, self.row_ids, self.rng)
        self.truth = Truth(out / "truth", base.first_day, self.row_ids)

    def run(self, organizations: Path | None) -> World:
        self._spread_the_past()
        shown_downloads, shown_all_time = self.window, self.all_time
        for day in range(self.calendar.days):
            if day > 0:
                self._count(day)
            if day not in self.calendar.stalled:
                shown_downloads, shown_all_time = self.window.copy(), self.all_time.copy()
            if day not in self.calendar.missing:
                self._write_snapshot(day, shown_downloads, shown_all_time)
        return self._finish(organizations)

    def date(self, day: int) -> date:
        return self.base.first_day + timedelta(days=day)

    def visible(self, day: int) -> np.ndarray:
        """Which repositories are public at the noon of `day`."""
        public = (self.public_day <= day) & (day < self.gone_day)
        for row, first, back in self.events.absences:
            public[row] &= not first <= day < back
        return public

    def _first_commits(self) -> tuple[np.ndarray, pa.Array]:
        rng = rng_for(self.seed, "commits")
        last = self.base.noon + np.maximum(self.public_day, 0) * DAY
        modified_at = self.created_at + ((last - self.created_at) * rng.beta(0.5, 3, self.count)).astype(np.int64)
        return modified_at, hexadecimal(rng.integers(0, 256, (self.count, 20), dtype=np.uint8))

    def _spread_the_past(self) -> None:
        """Spread each 30-day counter over the days up to the first, so that their sum is the counter, to the unit."""
        rng = rng_for(self.seed, "past")
        offsets = np.arange(1 - WINDOW, 1)
        season = self._season(offsets)
        for start in range(0, self.count, CHUNK):
            part = slice(start, min(start + CHUNK, self.count))
            size = part.stop - part.start
            # A repository has no downloads before it was public; one with a counter has at least its first day.
            since = np.minimum(self.public_day[part], 0)
            weights = season[:, None] * np.exp(rng.normal(0, 0.25, (WINDOW, size))) * (offsets[:, None] >= since)
            reached = np.cumsum(weights, axis=0) / weights.sum(axis=0)
            reached[-1] = 1.0
            phase = rng.random(size)
            whole = np.floor(reached * self.window[part] + phase).astype(np.int64)
            self.past[:, part] = np.diff(whole, axis=0, prepend=0)
        for offset, downloads in zip(offsets, self.past, strict=True):
            self.truth.add_downloads(self.date(int(offset)), downloads)

    def _season(self, days: np.ndarray) -> np.ndarray:
        """Less is downloaded on Saturdays and Sundays."""
        weekday = (self.base.first_day.weekday() + days) % 7
        return np.where(weekday >= 5, 0.8, 1.08)

    def _count(self, day: int) -> None:
        """Add one day's downloads to the counters, then whatever the day takes away from them."""
        visible = self.visible(day)
        age = np.maximum(day - self.public_day, 0)
        rush = np.where(self.public_day > 0, 0.35 + 0.65 * np.exp(-age / FIRST_WEEKS), 1.0)
        mean = self.rate * rush * visible * self._season(np.array([day]))[0]
        downloads = self.rng.poisson(mean * np.exp(self.rng.normal(0, 0.1, self.count))).astype(np.int32)
        slot = (day - 1) % WINDOW
        self.window = self.window + downloads - self.past[slot]
        self.past[slot] = downloads
        self.all_time = self.all_time + downloads
        self.truth.add_downloads(self.date(day), downloads)
        self._correct(day, visible)
        liked = self.rng.poisson((self.likes * 0.0015 + np.minimum(downloads * 0.002, 50)) * visible)
        self.likes = self.likes + liked
        self.trending = self.trending * 0.7 + liked
        self._commit(day, visible)

    def _correct(self, day: int, visible: np.ndarray) -> None:
        """Recounts and single falls change what was counted before the last 30 days: the 30-day counter stays the sum
        of the last 30 days, and never exceeds the all-time one."""
        if day in self.calendar.recounts:
            share = self.calendar.recounts[day] * self.rng.uniform(0.9, 1.1, self.count)
            self._take_away(day, "recounted", np.where(visible, share, 0.0))
        share = np.zeros(self.count)
        falling = [row for row, fall_day in self.events.falls if fall_day == day]
        share[falling] = self.rng.uniform(0.4, 0.7, len(falling))
        self._take_away(day, "fallen", share)

    def _take_away(self, day: int, event: str, share: np.ndarray) -> None:
        taken = np.floor((self.all_time - self.window) * share).astype(np.int64)
        self.all_time = self.all_time - taken
        self.truth.add_corrections(self.date(day), event, -taken)

    def _commit(self, day: int, visible: np.ndarray) -> None:
        rows = np.flatnonzero(visible & (self.rng.random(self.count) < COMMIT_SHARE))
        self.modified_at[rows] = self.base.noon + day * DAY - self.rng.integers(0, DAY // 2, len(rows))
        mask = np.zeros(self.count, dtype=bool)
        mask[rows] = True
        new = hexadecimal(self.rng.integers(0, 256, (len(rows), 20), dtype=np.uint8))
        self.sha = pc.replace_with_mask(self.sha, pa.array(mask), new)

    def _write_snapshot(self, day: int, downloads: np.ndarray, all_time: np.ndarray) -> None:
        self._rename(day)
        visible = self.visible(day)
        rows = self.in_order[visible[self.in_order]]
        taken = pa.array(rows)
        columns = {name: values.take(taken) for name, values in self.fixed.items()}
        ids = self.ids.take(taken)
        columns |= {
            "id": ids,
            "author": pc.replace_substring_regex(ids, "/.*", ""),
            "lastModified": _timestamps(self.modified_at[rows]),
            "downloads": pa.array(downloads[rows]),
            "downloadsAllTime": pa.array(all_time[rows]),
            "likes": pa.array(self.likes[rows]),
            "trendingScore": pa.array(self.trending[rows]),
            "sha": self.sha.take(taken),
            "baseModels": self._base_models(rows, visible),
        }
        folder = self.out / f"snapshot_date={self.date(day)}"
        folder.mkdir()
        pq.write_table(
            pa.table({name: columns[name] for name in COLUMNS}), folder / "models.parquet", compression="zstd"
        )

    def _rename(self, day: int) -> None:
        for row, moved_on, new_id, _ in self.events.moves:
            if moved_on == day:
                mask = np.zeros(self.count, dtype=bool)
                mask[row] = True
                self.ids = pc.replace_with_mask(self.ids, pa.array(mask), pa.array([new_id]))

    def _base_models(self, rows: np.ndarray, visible: np.ndarray) -> pa.Array:
        """The Hub's own reading of the lineage: parents under their present names, as far as it knows them today."""
        parents = self.parents[rows]
        known = (parents != NO_PARENT) & visible[parents] & ~self.lineage_in_tags_only[rows][:, None]
        found = pa.array(parents[known])
        models = pa.StructArray.from_arrays([self.row_ids.take(found), self.ids.take(found)], ["_id", "id"])
        offsets = np.concatenate([[0], np.cumsum(known.sum(axis=1))]).astype(np.int32)
        lists = pa.ListArray.from_arrays(pa.array(offsets), models)
        relation = self.repositories["relation"].combine_chunks().take(pa.array(rows))
        return pa.StructArray.from_arrays([relation, lists], ["relation", "models"], mask=pa.array(~known.any(axis=1)))

    def _finish(self, organizations: Path | None) -> World:
        days = [self.date(day) for day in self.calendar.landed]
        world = World(
            path=self.out,
            days=days,
            missing_days=[self.date(day) for day in sorted(self.calendar.missing)],
            stalled_days=[self.date(day) for day in sorted(self.calendar.stalled)],
            recounted_days=[self.date(day) for day in sorted(self.calendar.recounts)],
            models=int(self.visible(0).sum()),
            seed=self.seed,
            description=self.base.description,
        )
        accounts = _accounts(self.repositories, self.events, self.base.organizations, self.seed)
        pq.write_table(accounts, self.out / "accounts.parquet", compression="zstd")
        renames = _renames(self.events, self.repositories, self.row_ids, self.date)
        pq.write_table(renames, self.out / "renames.parquet", compression="zstd")
        self.truth.finish(self.repositories, self.events, world, accounts, organizations)
        described = {
            "simulated": True, "description": world.description, "seed": world.seed, "days": _texts(days),
            "missing_days": _texts(world.missing_days), "models_on_first_day": world.models,
        }  # fmt: skip
        (self.out / DESCRIPTION_FILE).write_text(json.dumps(described, indent=2) + "\n")
        return world


COLUMNS = (
    "_id", "id", "author", "createdAt", "lastModified", "downloads", "downloadsAllTime", "likes", "trendingScore",
    "gated", "disabled", "private", "pipeline_tag", "library_name", "sha", "tags", "safetensors", "baseModels",
)  # fmt: skip


def _texts(days: list[date]) -> list[str]:
    return [day.isoformat() for day in days]


def _timestamps(seconds: np.ndarray) -> pa.Array:
    return pa.array(seconds * 1_000_000).cast(pa.timestamp("us", tz="UTC"))


def _fixed_columns(repositories: pa.Table, row_ids: pa.Array, rng: np.random.Generator) -> dict[str, pa.Array]:
    """The columns that no day changes."""
    count = repositories.num_rows
    return {
        "_id": row_ids,
        "createdAt": _timestamps(numbers(repositories, "created_at")),
        "gated": repositories["gated"].combine_chunks(),
        "disabled": pa.array(rng.random(count) < 0.0005),
        "private": pa.repeat(False, count),
        "pipeline_tag": repositories["pipeline_tag"].combine_chunks(),
        "library_name": repositories["library_name"].combine_chunks(),
        "tags": _tags(repositories),
        "safetensors": _safetensors(repositories),
    }


def _safetensors(repositories: pa.Table) -> pa.Array:
    parameters = numbers(repositories, "parameters") if repositories["parameters"].null_count == 0 else None
    if parameters is None:
        parameters = pc.fill_null(repositories["parameters"], 0).to_numpy()
    known = repositories["has_safetensors"].to_numpy() & (parameters > 0)
    fp8 = pc.fill_null(pc.equal(repositories["format_tag"], "fp8"), False).combine_chunks()
    dtype = pc.if_else(fp8, "F8_E4M3", "BF16").filter(pa.array(known))
    offsets = np.concatenate([[0], np.cumsum(known)]).astype(np.int32)
    by_dtype = pa.MapArray.from_arrays(pa.array(offsets), dtype, pa.array(parameters[known]))
    total = pa.array(parameters, mask=~known)
    return pa.StructArray.from_arrays([by_dtype, total], ["parameters", "total"], mask=pa.array(~known))


def _tags(repositories: pa.Table) -> pa.Array:
    """The bag of tags of each repository, in the Hub's manner; lineage stands in it under the names of its time."""

    def column(name: str) -> pa.Array:
        return repositories[name].combine_chunks()

    def prefixed(prefix: str, values: pa.Array) -> pa.Array:
        return pc.binary_join_element_wise(prefix, values, "")

    has_weights = repositories["has_safetensors"].combine_chunks()
    slots = [
        column("library_name"),
        pc.if_else(has_weights, "safetensors", pa.scalar(None, pa.string())),
        column("architecture"),
        column("pipeline_tag"),
        column("format_tag"),
        prefixed("dataset:", column("dataset")),
        *_base_model_tags(repositories),
        prefixed("license:", column("license")),
        prefixed("license:", column("second_license")),
        pa.repeat("region:us", repositories.num_rows),  # where it is stored, not where it is from
    ]
    return _rows_of_slots(slots)


def _base_model_tags(repositories: pa.Table) -> list[pa.Array]:
    relation = repositories["relation"].combine_chunks()
    names = [repositories["missing_parent"].combine_chunks()]
    for place in (1, 2, 3):
        parent = numbers(repositories, f"parent_{place}")
        found = pa.array(np.where(parent == NO_PARENT, 0, parent), mask=parent == NO_PARENT)
        names.append(repositories["id"].combine_chunks().take(found))
    plain = [pc.binary_join_element_wise("base_model:", name, "") for name in names]
    related = [pc.binary_join_element_wise("base_model:", relation, ":", name, "") for name in names]
    return plain + related


def _rows_of_slots(slots: list[pa.Array]) -> pa.Array:
    """Lists of what each row has in the slots (arrays of one length), nulls left out."""
    count = len(slots[0])
    valid = np.stack([slot.is_valid().to_numpy(zero_copy_only=False) for slot in slots], axis=1)
    by_row = np.arange(len(slots) * count).reshape(len(slots), count).T[valid]
    values = pa.concat_arrays([slot.cast(pa.string()) for slot in slots]).take(pa.array(by_row))
    offsets = np.concatenate([[0], np.cumsum(valid.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _accounts(repositories: pa.Table, events: IdentityPlan, organizations: frozenset[str], seed: int) -> pa.Table:
    """Every namespace that holds a repository on some day: organisation or person, with made-up particulars."""
    moved = [new_id.split("/")[0] for _, _, new_id, _ in events.moves]
    owners = pc.replace_substring_regex(repositories["id"].combine_chunks(), "/.*", "")
    counted = pa.concat_arrays([owners, pa.array(moved, pa.string())]).value_counts()
    table = pa.table({"name": counted.field("values"), "models": counted.field("counts")}).sort_by("name")
    names = table["name"].to_pylist()
    rng = rng_for(seed, "account particulars")
    is_organization = np.array([name in organizations for name in names])
    verified = is_organization & (rng.random(len(names)) < 0.3)
    plan = np.where(verified, rng.choice(["team", "enterprise"], len(names)), None)
    return pa.table(
        {
            "name": pa.array(names, pa.string()),
            "type": pa.array(np.where(is_organization, "org", "user").tolist(), pa.string()),
            "fullname": pa.array([name.replace("-", " ") for name in names], pa.string()),
            "isVerified": pa.array(verified),
            "plan": pa.array(plan.tolist(), pa.string()),
            "numFollowers": pa.array(np.exp(rng.normal(2, 2, len(names))).astype(np.int64)),
            "numModels": table["models"].cast(pa.int64()),
        }
    )


def _renames(
    events: IdentityPlan, repositories: pa.Table, row_ids: pa.Array, date_of: Callable[[int], date]
) -> pa.Table:
    moves = sorted(events.moves, key=lambda move: (move[1], move[0]))
    return pa.table(
        {
            "old_id": pa.array([repositories["id"][row].as_py() for row, *_ in moves], pa.string()),
            "_id": pa.array([row_ids[row].as_py() for row, *_ in moves], pa.string()),
            "new_id": pa.array([new_id for _, _, new_id, _ in moves], pa.string()),
            "from_date": pa.array([date_of(day) for _, day, *_ in moves], pa.date32()),
        }
    )
