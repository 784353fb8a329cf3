"""Two snapshot days of a listing side by side, read in the order of `_id`, twenty thousand rows at a time.
What the differences mean is for `completeness` and `counters`; memory doesn't grow with the Hub but for a number a name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

EXAMPLES = 5
BATCH_ROWS = 20_000
# Below these, a counter may well not move on a normal day; they are definition 2's and definition 8's.
BUSY_DOWNLOADS, WATCHED_ALL_TIME = 1000, 1000


@dataclass
class Inspected:
    """What the files of one day hold, whoever wrote them."""

    rows: int = 0
    first_id: str | None = None
    last_id: str | None = None
    out_of_order: int = 0  # rows whose _id isn't beyond the one before it: repeated, or misplaced
    downloads: int | None = None
    downloads_all_time: int | None = None
    names_held_twice: int = 0  # names that more than one `_id` has
    names_differing_in_case: int = 0  # names that differ from another one in upper and lower case only
    name_examples: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # names that were looked for and that no row has


@dataclass
class Comparison:
    """One day against an earlier one, by `_id`."""

    created: int = 0  # beyond the earlier day's last _id
    appeared: int = 0  # new, but with an older _id: private before, or missed
    gone: int = 0
    gone_in_a_row: int = 0  # the longest run of neighbours that are gone together
    renamed: int = 0  # the same _id under another name
    recreated: int = 0  # a name that is gone under one _id and new under another
    examples: dict[str, list[str]] = field(default_factory=dict)
    fallen: int = 0  # all-time counters below what they were
    busy: int = 0
    busy_changed_share: float | None = None
    watched: int = 0
    unchanged_share: float | None = None
    median_change: float | None = None


def inspect(parts: list[Path], looked_for: frozenset[str] = frozenset()) -> Inspected:
    """Read all parts once: rows, order, sums, names that are held twice or differ in case only, and those `looked_for`."""
    found, missing = Inspected(), set(looked_for)
    hashes = np.empty(sum(pq.read_metadata(part).num_rows for part in parts), dtype=np.uint32)
    for batch in _batches(parts, ["_id", "id", "downloads", "downloadsAllTime"]):
        ids = batch["_id"]
        if not len(ids):
            continue
        before = pa.concat_arrays([pa.array([found.last_id or ""], pa.string()), ids.slice(0, len(ids) - 1)])
        found.out_of_order += len(ids) - (pc.sum(pc.greater(ids, before)).as_py() or 0)
        found.first_id = found.first_id or ids[0].as_py()
        found.last_id = ids[-1].as_py()
        found.rows += len(ids)
        found.downloads = _added(found.downloads, batch.get("downloads"))
        found.downloads_all_time = _added(found.downloads_all_time, batch.get("downloadsAllTime"))
        hashes[found.rows - len(ids) : found.rows] = [_folded_hash(name) for name in _folded(batch["id"])]
        if missing:
            there = pc.is_in(batch["id"], value_set=pa.array(sorted(missing), pa.string()))
            missing.difference_update(batch["id"].filter(there).to_pylist())
    found.missing = sorted(missing)
    _find_colliding_names(parts, hashes, found)
    return found


def compare(parts: list[Path], earlier_parts: list[Path], earlier_last_id: str | None) -> Comparison:
    """`parts` of a day against those of an earlier one; both in the order of `_id`. `earlier_last_id` ends the latter."""
    return _Comparing(earlier_last_id or "").run(parts, earlier_parts)


@dataclass
class _Comparing:
    last_id: str
    result: Comparison = field(default_factory=Comparison)
    run_length: int = 0
    gone_names: dict[str, str] = field(default_factory=dict)
    new_names: dict[str, str] = field(default_factory=dict)
    busy_changed: int = 0
    changes: list[np.ndarray] = field(default_factory=list)

    def run(self, parts: list[Path], earlier_parts: list[Path]) -> Comparison:
        for today, earlier in _aligned(parts, earlier_parts):
            at = pc.index_in(earlier["_id"], value_set=today["_id"])
            self._note_gone(earlier, pc.is_null(at).to_numpy(zero_copy_only=False))
            self._note_new(today, pc.is_in(today["_id"], value_set=earlier["_id"]))
            there = pc.is_valid(at)
            self._note_same(_taken(today, at.drop_null()), _filtered(earlier, there))
        return self._finished()

    def _note_gone(self, earlier: dict[str, pa.Array], gone: np.ndarray) -> None:
        self.result.gone += int(gone.sum())
        for position in np.flatnonzero(np.diff(np.concatenate([[0], gone.view(np.int8), [0]])) == 1):
            length = _run_length(gone, int(position))
            joined = length + (self.run_length if position == 0 else 0)
            self.result.gone_in_a_row = max(self.result.gone_in_a_row, joined)
        self._carry_run(gone)
        names = earlier["id"].filter(pa.array(gone)).to_pylist()
        row_ids = earlier["_id"].filter(pa.array(gone)).to_pylist()
        self.gone_names.update(zip(names, row_ids, strict=True))

    def _carry_run(self, gone: np.ndarray) -> None:
        if not len(gone):
            return
        here = np.flatnonzero(~gone)
        trailing = len(gone) - 1 - int(here[-1]) if len(here) else len(gone)
        self.run_length = trailing if len(here) else self.run_length + trailing

    def _note_new(self, today: dict[str, pa.Array], known: pa.Array) -> None:
        new = pc.invert(known)
        row_ids, names = today["_id"].filter(new).to_pylist(), today["id"].filter(new).to_pylist()
        created = sum(row_id > self.last_id for row_id in row_ids)
        self.result.created += created
        self.result.appeared += len(row_ids) - created
        self.new_names.update(zip(names, row_ids, strict=True))

    def _note_same(self, today: dict[str, pa.Array], earlier: dict[str, pa.Array]) -> None:
        renamed = pc.not_equal(today["id"], earlier["id"])
        self.result.renamed += pc.sum(renamed).as_py() or 0
        pairs = zip(earlier["id"].filter(renamed).to_pylist(), today["id"].filter(renamed).to_pylist(), strict=True)
        self._exemplify("renamed", [f"{before} → {after}" for before, after in pairs])
        if "downloadsAllTime" not in today or "downloads" not in today:
            return
        now, then = _numbers(today["downloadsAllTime"]), _numbers(earlier["downloadsAllTime"])
        recent, recently = _numbers(today["downloads"]), _numbers(earlier["downloads"])
        self.result.fallen += int((now < then).sum())
        busy = recently >= BUSY_DOWNLOADS
        self.result.busy += int(busy.sum())
        self.busy_changed += int((_differ(now, then) | _differ(recent, recently))[busy].sum())
        watched = (then >= WATCHED_ALL_TIME) & ~np.isnan(now)
        self.changes.append((now[watched] - then[watched]) / then[watched])

    def _exemplify(self, kind: str, more: list[str]) -> None:
        if more:
            known = self.result.examples.setdefault(kind, [])
            known.extend(more[: EXAMPLES - len(known)])

    def _finished(self) -> Comparison:
        again = sorted(name for name in self.new_names.keys() & self.gone_names.keys() if name is not None)
        self.result.recreated = len(again)
        self._exemplify("recreated", [f"{name}: {self.gone_names[name]} → {self.new_names[name]}" for name in again])
        self._exemplify("gone", sorted(name for name in self.gone_names if name is not None)[:EXAMPLES])
        if self.result.busy:
            self.result.busy_changed_share = round(self.busy_changed / self.result.busy, 6)
        changes = np.concatenate(self.changes) if self.changes else np.empty(0)
        self.result.watched = len(changes)
        if len(changes):
            self.result.unchanged_share = round(float((changes == 0).mean()), 6)
            self.result.median_change = round(float(np.median(changes)), 12)
        return self.result


def _aligned(parts: list[Path], earlier_parts: list[Path]) -> Iterator[tuple[dict[str, pa.Array], dict[str, pa.Array]]]:
    """Rows of both days that cover the same range of `_id`, range by range."""
    columns = ["_id", "id", "downloads", "downloadsAllTime"]
    earlier_batches = _batches(earlier_parts, columns)
    waiting: dict[str, pa.Array] | None = next(earlier_batches, None)
    ahead = _batches(parts, columns)
    today = next(ahead, None)
    nothing = {name: pa.array([], pa.string() if name in ("_id", "id") else pa.int64()) for name in columns}
    while today is not None:
        following = next(ahead, None)
        last = today["_id"][-1].as_py() if following is not None and len(today["_id"]) else None
        pieces = []
        while waiting is not None:
            within = (
                pc.sum(pc.less_equal(waiting["_id"], last)).as_py() or 0 if last is not None else len(waiting["_id"])
            )
            pieces.append({name: array.slice(0, within) for name, array in waiting.items()})
            if within < len(waiting["_id"]):
                waiting = {name: array.slice(within) for name, array in waiting.items()}
                break
            waiting = next(earlier_batches, None)
        yield today, _joined(pieces) if pieces else {name: nothing[name] for name in today}
        today = following


def _batches(parts: list[Path], columns: list[str]) -> Iterator[dict[str, pa.Array]]:
    for part in parts:
        with pq.ParquetFile(part) as file:
            wanted = [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=wanted):
                if batch.num_rows:
                    yield {name: batch.column(name) for name in wanted}


def _joined(pieces: list[dict[str, pa.Array]]) -> dict[str, pa.Array]:
    return {name: pa.concat_arrays([piece[name] for piece in pieces]) for name in pieces[0]}


def _taken(columns: dict[str, pa.Array], at: pa.Array) -> dict[str, pa.Array]:
    return {name: array.take(at) for name, array in columns.items()}


def _filtered(columns: dict[str, pa.Array], mask: pa.Array) -> dict[str, pa.Array]:
    return {name: array.filter(mask) for name, array in columns.items()}


def _numbers(array: pa.Array) -> np.ndarray:
    """As doubles, null as NaN: counters stay far below 2^53."""
    return array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _differ(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Where the values differ; two that are both unknown don't."""
    return (ones != others) & ~(np.isnan(ones) & np.isnan(others))


def _run_length(flags: np.ndarray, start: int) -> int:
    after = np.flatnonzero(~flags[start:])
    return int(after[0]) if len(after) else len(flags) - start


def _added(total: int | None, array: pa.Array | None) -> int | None:
    """The sum with these values, in Python's integers: sums of all-time counters may pass 64 bits in a hostile file."""
    if array is None or array.null_count == len(array):
        return total
    values = array.drop_null().to_numpy(zero_copy_only=False)
    is_small = len(values) == 0 or int(np.abs(values.astype(np.float64)).max()) < 2**40
    return (total or 0) + (int(values.sum()) if is_small else sum(values.tolist()))


def _folded(names: pa.Array) -> list[str | None]:
    return pc.utf8_lower(names).to_pylist()


def _folded_hash(name: str | None) -> int:
    return hash(name) & 0xFFFFFFFF


def _find_colliding_names(parts: list[Path], hashes: np.ndarray, found: Inspected) -> None:
    """Numbers first, since three million names don't fit into memory (their numbers take 12 MB); then the names behind
    equal numbers, a thousand of which differ all the same."""
    hashes.sort()
    repeated = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
    if not repeated:
        return
    holders: dict[str, list[str]] = {}
    for batch in _batches(parts, ["id"]):
        for position, name in enumerate(_folded(batch["id"])):
            if _folded_hash(name) in repeated:
                holders.setdefault(name, []).append(batch["id"][position].as_py())
    for names in holders.values():
        if len(names) < 2:
            continue
        found.names_held_twice += len(names) - len(set(names))
        found.names_differing_in_case += len(set(names)) if len(set(names)) > 1 else 0
        if len(found.name_examples) < EXAMPLES:
            found.name_examples.append(" / ".join(sorted(map(str, names))))
