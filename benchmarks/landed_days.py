"""`python -m benchmarks.landed_days HOME`: days of the big made-up Hub as landed Parquet, without a walk, for the daily job.
Files, completeness gate and manifests are those of `orchestration/landing`; what is in the rows is drawn in `big_hub`."""

import argparse
import hashlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import big_hub, draws, made_up_models, made_up_tags, popularity
from benchmarks.big_hub import FIRST_DAY, BigHub
from benchmarks.made_up_models import CAPTURED, RELATIONS, SCORES, joined, lineage_words, list_offsets
from benchmarks.made_up_tags import LIBRARIES, TASKS
from benchmarks.results_file import say
from orchestration.hub.listings import MODELS as LISTING
from orchestration.hub.readers import BASE_MODELS, TIMESTAMP
from orchestration.hub.records import Counts
from orchestration.landing import accounts
from orchestration.landing.finish import Draft, finish
from orchestration.landing.folders import MANIFEST, DayFolder, landed_days, write_json, write_parquet
from orchestration.landing.listings import BOUNDS, LICENSES, SOURCE

ROWS_A_PART = 25_000  # as the daily job's shards: 25 pages of a thousand
ENDPOINT = "made up by benchmarks.landed_days"
# Beside these, a landed row has what its capture says, the same for all rows of a page or a day.
FIXED = tuple(name for name in LISTING.schema.names if name not in (
    "downloads", "downloadsAllTime", "likes", "page", "fetched_at", "source", "source_revision", "captured_at",
))  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.landed_days", description=__doc__)
    parser.add_argument("home", type=Path, help="an observatory's home; its landing gets the days")
    parser.add_argument("--models", type=int, default=popularity.REFERENCE_MODELS)
    parser.add_argument("--seed", type=int, default=BigHub.seed)
    parser.add_argument("--first-day", type=date.fromisoformat, default=FIRST_DAY, help="the Hub's own first day")
    parser.add_argument("--from-day", type=int, default=0, help="first day to land, counted from the Hub's first (0)")
    parser.add_argument("--days", type=int, default=1, help="how many")
    asked = parser.parse_args(arguments)
    last = asked.from_day + asked.days
    hub = BigHub(asked.models, asked.seed, first_day=asked.first_day, days=last)
    writer = DayWriter(hub, asked.home / "landing", asked.home / "bench-fixed", progress=say)
    for day in range(asked.from_day, last):
        writer.land(day)
    return 0


@dataclass
class DayWriter:
    """Lands days of `hub` under `landing`. What no day changes is kept in the folder `fixed`, made once for each Hub."""

    hub: BigHub
    landing: Path
    fixed: Path
    progress: object = field(default=lambda line: None)
    threads: int = 2

    def land(self, day: int) -> date:
        """Land a day, counted from the Hub's first, and give its date. A landed day isn't landed again.

        The completeness gate compares it with the last landed day before it, if there is one, whose rows must lie there.
        """
        folder = DayFolder(self.landing, LISTING.name, self.hub.date(day))
        if folder.manifest() is not None:
            return folder.snapshot_date
        began, cpu = time.monotonic(), time.process_time()
        captured_at = datetime.combine(folder.snapshot_date, CAPTURED)
        month, all_time, likes = self.hub.counters(day)
        counters = {"downloads": month, "downloadsAllTime": all_time, "likes": likes}
        folder.start_over()
        numbers = range(-(-self.hub.rows_until(day) // ROWS_A_PART))
        with ThreadPoolExecutor(self.threads) as pool:
            made = list(pool.map(lambda number: self._write_part(folder, day, number, counters, captured_at), numbers))
        nulls = Counts()
        for _, of_part in made:
            nulls.nulls.update(of_part)
        parts = [part for part, _ in made]
        finish(folder, _draft(parts, nulls, captured_at), BOUNDS, lambda line: None)
        self._land_accounts(day, captured_at, month)
        spent = f"{time.monotonic() - began:.1f} s, {time.process_time() - cpu:.1f} s of CPU"
        rows, size = sum(part["rows"] for part in parts), sum(part["bytes"] for part in parts)
        self.progress(f"{folder.snapshot_date}: {rows:,} models (SIMULATED), {size / 1e6:.0f} MB, in {spent}")
        return folder.snapshot_date

    def forget_rows(self, *, keep: int = 1) -> None:
        """Remove the rows of all landed days but the last `keep`. Manifests and captures stay: later days look at them."""
        for day in landed_days(self.landing, LISTING.name)[:-keep]:
            for listing in (LISTING.name, "accounts"):
                for part in DayFolder(self.landing, listing, day).landed.glob("part-*.parquet"):
                    part.unlink()

    def _write_part(
        self, folder: DayFolder, day: int, number: int, counters: dict[str, np.ndarray], captured_at: datetime
    ) -> tuple[dict[str, object], dict[str, int]]:
        """One part, as landing describes it, and how many rows of it have no value in each column."""
        first = number * ROWS_A_PART
        rows = self.hub.listed(day, first, first + ROWS_A_PART)
        table = self._as_of(day, self._fixed_part(number), rows, first)
        table = table.take(pa.array(rows - first)) if len(rows) < table.num_rows else table
        same = {
            "fetched_at": captured_at, "source": SOURCE, "source_revision": _revision(captured_at), "captured_at": captured_at,
        }  # fmt: skip
        columns = {name: table[name] for name in FIXED}
        columns |= {name: pa.array(values[rows]) for name, values in counters.items()}
        columns |= {
            name: pa.repeat(pa.scalar(value, LISTING.schema.field(name).type), len(rows))
            for name, value in same.items()
        }
        columns["page"] = pa.array((first // 1000 + 1 + np.arange(len(rows)) // 1000).astype(np.int32))
        table = pa.table([columns[name] for name in LISTING.schema.names], schema=LISTING.schema)
        part = write_parquet(folder.work / f"part-{number:05d}.parquet", table)
        part |= {"first_id": table["_id"][0].as_py(), "last_id": table["_id"][-1].as_py()}
        told = {field.column_name for field in LISTING.fields}
        return part, {name: table[name].null_count for name in told if table[name].null_count}

    def _as_of(self, day: int, table: pa.Table, rows: np.ndarray, first: int) -> pa.Table:
        """The fixed columns with what has happened to them until a day: commits and renames."""
        every = np.arange(first, first + table.num_rows)
        at, days = self.hub.commits(day, every)
        moment = self.hub.moment(0) + 86_400 * days - 7_200
        table = _replaced(table, "lastModified", at, pa.array(moment * 1_000_000).cast(TIMESTAMP))
        table = _replaced(table, "sha", at, self.hub.shas(every[at] + (days << 32)))
        moved, authors, names = self.hub.moved(day, first, first + table.num_rows)
        return _replaced(_replaced(table, "author", moved - first, authors), "id", moved - first, names)

    def _fixed_part(self, number: int) -> pa.Table:
        """The columns that no day changes, of all rows of a part, those of days to come among them."""
        path = self.fixed / self._key / f"part-{number:05d}.arrow"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            first = number * ROWS_A_PART
            table = fixed_columns(self.hub, np.arange(first, min(first + ROWS_A_PART, len(self.hub.places))))
            if table.num_rows < ROWS_A_PART:
                return table  # later days have more of it
            unfinished = path.with_suffix(".tmp")
            with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)
            unfinished.rename(path)
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()

    @property
    def _key(self) -> str:
        """Names Hub and generator, so that columns of another are never taken for these."""
        modules = (draws, made_up_models, made_up_tags, popularity, big_hub, sys.modules[type(self).__module__])
        code = hashlib.sha256(b"".join(Path(module.__file__).read_bytes() for module in modules)).hexdigest()[:8]
        return f"models={self.hub.models}-seed={self.hub.seed}-first={self.hub.first_day}-{code}"

    def _land_accounts(self, day: int, captured_at: datetime, month: np.ndarray) -> None:
        """All that is known of accounts, as `land_accounts` would have it after so many days of look-ups."""
        folder = DayFolder(self.landing, "accounts", self.hub.date(day))
        which, names, is_organization = self.hub.known_accounts(day)
        table = _accounts(self.hub, which, names, is_organization, captured_at)
        folder.start_over()
        part = write_parquet(folder.work / "part-00000.parquet", table)
        held = np.bincount(self.hub.accounts[: len(month)], weights=month)
        new = len(which) - len(self.hub.known_accounts(day - 1)[0])
        manifest = {
            "listing": "accounts", "snapshot_date": folder.snapshot_date, "revision": 1, "is_simulated": True,
            "rows": table.num_rows, "bytes": part["bytes"], "looked_up": new, "first_seen": new, "refreshed": 0,
            "failed": [], "renamed": 0, "remaining": int((held[len(which) :] > 0).sum()),
            "known_downloads_share": round(float(held[: len(which)].sum() / held.sum()), 6), "retries": {}, "parts": [part],
        }  # fmt: skip
        write_json(folder.work / MANIFEST, manifest)
        folder.put_in_place(revision=1)


def fixed_columns(hub: BigHub, rows: np.ndarray) -> pa.Table:
    """The columns that no day changes, for at most 65,536 rows."""
    relation, parent_of, parents = hub.lineage(rows)
    parent_names = hub.names(parents)
    sized = hub.has_safetensors(rows)
    words = hub.words(rows, sized)
    tags = hub.vocabulary.tag_lists(
        rows, hub.recipes(rows), words, parent_of, lineage_words(relation, parent_of, parent_names)
    )
    by_format, total = hub.parameters_by_format(rows)
    modified, sha = hub.last_commit(rows, 0)
    columns = {
        "_id": hub.row_ids(rows),
        "id": hub.names(rows),
        "author": hub.owners(rows),
        "createdAt": _moments(hub.created(rows)),
        "lastModified": _moments(modified),
        "trendingScore": pa.array([float(score) for score in SCORES]).take(pa.array(hub.trending(rows))),
        "gated": pa.array(["none", "auto", "manual"]).take(pa.array(hub.gates(rows))),
        "disabled": pa.array(hub.disabled(rows)),
        "private": pa.repeat(False, len(rows)),
        "pipeline_tag": _word(TASKS, words["task"]),
        "library_name": _word(LIBRARIES, words["library"]),
        "sha": sha,
        "tags": tags,
        "safetensors_total": pa.array(total, mask=~sized),
        "baseModels": _base_models(hub, len(rows), relation, parent_of, parents, parent_names),
        "extra": pc.if_else(pa.array(sized), joined('{"safetensors":{"parameters":', by_format, "}}"), None),
        "cast_errors": pa.nulls(len(rows), pa.list_(pa.string())),
    }
    schema = pa.schema([LISTING.schema.field(name) for name in FIXED])
    return pa.table([columns[name].cast(schema.field(name).type) for name in FIXED], schema=schema)


def _base_models(hub: BigHub, count: int, relation, parent_of, parents, names: pa.Array) -> pa.Array:
    references = pa.StructArray.from_arrays([hub.row_ids(parents), names], ["_id", "id"])
    lists = pa.ListArray.from_arrays(pa.array(list_offsets(count, parent_of)), references)
    has_parent = np.bincount(parent_of, minlength=count) > 0
    related = pa.array(RELATIONS).take(pa.array(relation))
    return pa.StructArray.from_arrays([related, lists], fields=list(BASE_MODELS), mask=pa.array(~has_parent))


def _accounts(hub: BigHub, which: np.ndarray, names: pa.Array, is_organization: np.ndarray, captured_at) -> pa.Table:
    """Of persons only name and type."""
    person = ~is_organization
    verified = hub.draws.unit("is verified", which) < 0.3
    followers = np.exp(2 + 2 * hub.draws.normal("followers", which)).astype(np.int64)
    since = np.where(which % 30 > 0, which % 30, 30)  # everyone was looked up within a month
    observed = np.int64(captured_at.timestamp()) - 86_400 * since
    observed = np.maximum(observed, np.int64(datetime.combine(hub.first_day, CAPTURED).timestamp()))
    columns = {
        "namespace": names,
        "account_type": pa.array(["person", "organization"]).take(pa.array(is_organization.astype(np.int8))),
        "full_name": pc.if_else(pa.array(is_organization), pc.replace_substring(names, "-", " "), None),
        "is_verified": pa.array(verified, mask=person),
        "plan": pc.if_else(pa.array(is_organization & verified), "team", None),
        "followers": pa.array(followers, mask=person),
        "observed_at": _moments(observed),
    }
    table = pa.table([columns[name].cast(accounts.SCHEMA.field(name).type) for name in columns], schema=accounts.SCHEMA)
    return table.sort_by("namespace")


def _draft(parts: list[dict[str, object]], counts: Counts, captured_at: datetime) -> Draft:
    rows = sum(part["rows"] for part in parts)
    return Draft(
        listing=LISTING, revision=1, source=SOURCE, source_revision=_revision(captured_at), source_license=LICENSES[True],
        endpoint=ENDPOINT, captured_at=captured_at, is_simulated=True, parts=parts, rows=rows,
        first_id=parts[0]["first_id"], last_id=parts[-1]["last_id"], counts=counts, pages=-(-rows // 1000),
        is_terminal=True, site_total=rows, origin={"expand": list(LISTING.expand), "resumed": 0, "retries": {}},
    )  # fmt: skip


def _revision(captured_at: datetime) -> str:
    return captured_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moments(seconds: np.ndarray) -> pa.Array:
    return pa.array(seconds * 1_000_000).cast(TIMESTAMP)


def _word(words: list[str], places: np.ndarray) -> pa.Array:
    return pa.array(words).take(pa.array(places, mask=places < 0))


def _replaced(table: pa.Table, name: str, at: np.ndarray, values: pa.Array) -> pa.Table:
    """`table` with `values` in the rows `at` of a column, both in the table's order."""
    if not len(at):
        return table
    mask = np.zeros(table.num_rows, dtype=bool)
    mask[at] = True
    column = table[name].combine_chunks()
    column = pc.replace_with_mask(column, pa.array(mask), values.cast(column.type))
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), column)


if __name__ == "__main__":
    sys.exit(main())
