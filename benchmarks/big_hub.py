"""The big made-up Hub: the models of `made_up_models` at the Hub's reported proportions, under real organisations'
namespaces among others, on as many days as asked for. All of it is SIMULATED; how a day is landed is for `landed_days`."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import popularity
from benchmarks.draws import Draws
from benchmarks.made_up_models import (
    FLOOR_CREATED,
    FORENAMES,
    GONE_A_DAY,
    MODELS_AN_OWNER,
    RELATIONS,
    SURNAMES,
    MadeUpHub,
    children,
    joined,
    moment_of,
)
from orchestration.sandbox.cast import CAST
from orchestration.sandbox.made_up import FAMILY_WORDS
from orchestration.sandbox.organization_names import read_organizations

DAY_SECONDS = 86_400
WINDOW = 30  # days of the Hub's `downloads`
FIRST_DAY = date(2025, 11, 29)

# --- reported (dates in facts of the README) ---
NEW_A_DAY = 3_200 / 3_000_000  # 2026
GROWTH_POWER = 0.53  # so that as many are created a day just before the first day as after it
BASE_SHARE, BASE_COUNTS = 0.281, {"adapter": 258, "finetune": 218, "quantized": 117, "merge": 14}  # thousands, 2025-10
SIZED_SHARE = 0.234  # with parameters in safetensors, 2025-10
SMALL_PART = 0.83  # of all-time downloads of models with a size, those below a billion parameters, 2026
WELL_KNOWN, WELL_KNOWN_PART = 118, 0.45  # organisations, and their part of the top 3,000's downloads, 2026-06

# --- our guesses ---
OTHER_SEEDED_PART = 0.3  # of the head: other organisations of the seeds, repackagers among them
FIRST_PARTY_SHARE, REPACKAGED_SHARE = 0.02, 0.04  # of the models beyond the head
QUANTIZED_BY_REPACKAGERS = 0.9
RENAMED_A_DAY = 1e-5
FALLEN_A_DAY = 2e-6  # a single counter that falls by a third of what it was on the first day
COMMITS_EVERY = 250  # days
SIZED_IN_HEAD, SMALL_BEYOND = 0.6, 0.45
DEEP_SHARE = 0.2  # of parents that are any older model, where the others are of the head
TREND = 0.4  # standard deviation of the logarithm of a head model's growth in a year
KNOWN_ACCOUNTS_SHARE, ACCOUNTS_A_DAY = 0.6, 400  # of all on the first day, and looked up on each
ORGANIZATIONS_SHARE = 0.08  # of accounts that no seed knows
OLDER_IS_LARGER = 3.0  # how much likelier the oldest models are to be large than the newest

GOLDEN, SILVER, BRONZE = 0.6180339887498949, 0.4142135623730951, 0.7320508075688772  # spread evenly by multiples
SMALL_SIZES = (22, 33, 66, 110, 184, 278, 335, 494, 596, 809)  # millions
LARGE_SIZES = (1_240, 1_540, 3_090, 4_020, 7_620, 8_030, 14_770, 32_760, 70_550, 235_000)
VARIANTS = (
    "",
    "-Instruct",
    "-7B",
    "-7B-Instruct",
    "-1.5B",
    "-1.5B-Instruct",
    "-32B",
    "-32B-Instruct",
    "-7B-FP8",
    "-70B",
)


@dataclass(frozen=True)
class BigHub(MadeUpHub):
    """A made-up Hub with `models` on its first day and 3,200 new ones (for 3 M) on each that follows. `rows` are models'
    numbers from 0 in the order of `_id`; those that a day lacks are told by `listed`.

    Day 0 is `first_day`. `days` bounds which days can be asked for, and changes none of them. All counters of a day are
    computed from the arguments and the day alone.
    """

    first_day: date = FIRST_DAY
    days: int = 365

    def date(self, day: int) -> date:
        return self.first_day + timedelta(days=day)

    def moment(self, day: int) -> int:
        return moment_of(self.date(day))

    @cached_property
    def new(self) -> int:
        """How many models come on each day."""
        return max(1, round(self.models * NEW_A_DAY))

    def rows_until(self, day: int) -> int:
        """How many rows there have been up to a day, gone ones among them."""
        return self.models + day * self.new

    @cached_property
    def _all_rows(self) -> np.ndarray:
        return np.arange(self.rows_until(self.days))

    def created(self, rows: np.ndarray) -> np.ndarray:
        """Seconds since 1970. No two rows beyond the floor share one, so that `_id` can follow their order."""
        floor, start, end = self._floor_rows, FLOOR_CREATED + 60, self.moment(0) - 600
        within = 0.9 * self.draws.unit("created", rows)
        share = (rows - floor + within) / (self.models - floor)
        grown = start + (end - start) * share.clip(0, 1) ** GROWTH_POWER
        day, place = np.divmod(rows - self.models, self.new)
        fresh = self.moment(0) + 60 + DAY_SECONDS * day + (DAY_SECONDS - 660) * (place + within) / self.new
        return np.where(rows < floor, FLOOR_CREATED, np.where(rows < self.models, grown, fresh)).astype(np.int64)

    @cached_property
    def first_days(self) -> np.ndarray:
        """Of each row the first day that lists it, counted from day 0; negative before it."""
        return -((self.moment(0) - self.created(self._all_rows)) // DAY_SECONDS)

    # --- how large a model is ----------------------------------------------------------------------------------------

    @cached_property
    def places(self) -> np.ndarray:
        """Of each row its place by downloads among the first day's models, the largest first; a later one's is drawn."""
        old = np.arange(self.models)
        weight = 1 + OLDER_IS_LARGER * (1 - old / self.models)
        order = (np.log1p(-self.draws.unit("place", old)) / weight).argsort()[::-1]
        places = np.empty(len(self._all_rows), dtype=np.int64)
        places[order] = old
        later = self._all_rows[self.models :]
        places[self.models :] = self.models * self.draws.unit("place", later)
        return places

    @cached_property
    def is_head(self) -> np.ndarray:
        """Whether a row is among those that hold nearly all downloads."""
        return (self.places + 0.5) / self.models < popularity.HEAD_SHARE

    @cached_property
    def rates(self) -> np.ndarray:
        """Downloads of each row on a usual day about day 0, or on its own first day."""
        return popularity.month(self.places, self.models) / WINDOW

    @cached_property
    def bases(self) -> np.ndarray:
        """All-time downloads on day 0 of the rows that were there a month before."""
        settled = self._settled
        rows, head = np.arange(settled), self.is_head[:settled]
        found = popularity.all_time(self.places[:settled], self.models, self.draws.normal("all time", rows))
        month = self._month_of_settled(0)
        age = -self.first_days[:settled]
        found = np.where(head, np.minimum(found, month * age / WINDOW * 1.5), found)
        # The young ones can't have as much, so older ones have more: the total is the reported one.
        elastic = head & (age >= 400)
        missing = popularity.MEAN_ALL_TIME * self.models - found.sum()
        factor = max(0.5, 1 + missing / max(found[elastic].sum(), 1))
        return np.maximum(np.where(elastic, found * factor, found), month).astype(np.int64)

    # --- the days ----------------------------------------------------------------------------------------------------

    @cached_property
    def gone_days(self) -> np.ndarray:
        """Of each row the day that first lacks it. What nearly all downloads come from stays."""
        life = np.log1p(-self.draws.unit("gone", self._all_rows)) / np.log1p(-GONE_A_DAY)
        gone = np.maximum(self.first_days, 0) + 1 + life.astype(np.int64)
        return np.where(self.is_head, np.iinfo(np.int64).max, gone)

    def listed(self, day: int, first: int, end: int) -> np.ndarray:
        """The rows from `first` to `end` (not included) that are listed on a day."""
        rows = np.arange(first, min(end, self.rows_until(day)))
        return rows[self.gone_days[rows] > day]

    @cached_property
    def moves(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows that get another name, in order, and on which day; every other one moves to another account as well."""
        day = (self.draws.unit("renamed", self._all_rows) / RENAMED_A_DAY).astype(np.int64)
        rows = np.flatnonzero((day > 0) & (day < self.days) & ~self.is_head & (self.first_days < day))
        return rows, day[rows]

    def moved(self, day: int, first: int, end: int) -> tuple[np.ndarray, pa.Array, pa.Array]:
        """Rows from `first` to `end` with another name than their first, as of a day: with account and name."""
        rows, days = self.moves
        rows = rows[(first <= rows) & (rows < end) & (days <= day)]
        own = pc.split_pattern(self.names(rows, 0), "/")
        accounts, names = pc.list_element(own, 0), pc.list_element(own, 1)
        elsewhere = self._account_names.take(pa.array(self._tail_accounts(rows, "new account")))
        accounts = pc.if_else(pa.array(rows % 2 == 1), elsewhere, accounts)
        return rows, accounts, joined(accounts, "/", names, "-renamed")

    def counters(self, day: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`downloads`, `downloadsAllTime` and `likes` of all rows until a day, whether listed or gone."""
        settled, count = self._settled, self.rows_until(day)
        month, all_time = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        month[:settled] = self._month_of_settled(day)
        all_time[:settled] = self.bases + self._counted(day) - self._counted(0)
        fallen = (self._fall_days > 0) & (self._fall_days <= day)
        all_time[:settled][fallen] -= self.bases[fallen] // 3
        all_time[settled:] = self._counted_of_fresh(day, count)
        month[settled:] = all_time[settled:] - self._counted_of_fresh(day - WINDOW, count)
        return month, all_time, self._likes(day, count)

    @cached_property
    def _settled(self) -> int:
        """So many rows, the first ones, had a month of downloads on day 0: their counters follow another rule."""
        return int(np.searchsorted(self.first_days, -WINDOW, side="right"))

    def _month_of_settled(self, day: int) -> np.ndarray:
        return self._counted(day) - self._counted(day - WINDOW)

    def _clock(self, day: int, rows: np.ndarray) -> np.ndarray:
        """Usual days of downloads since day 0 as each row has them on a day: no row's days are alike."""
        weekday = self.first_day.weekday()
        ahead = 0.9 * popularity.season(day + 1, weekday) * self.draws.unit(f"clock/{day}", rows)
        return popularity.usual_days(day, weekday) + ahead

    @cached_property
    def _active(self) -> np.ndarray:
        return np.flatnonzero(self.rates[: self._settled] > 0)

    @cached_property
    def _trends(self) -> tuple[np.ndarray, np.ndarray]:
        """Which of the active rows are of the head, and each one's growth a day."""
        which = np.flatnonzero(self.is_head[self._active])
        return which, TREND / 365 * self.draws.normal("trend", self._active[which]).clip(-3, 3)

    def _counted(self, day: int) -> np.ndarray:
        """Downloads of each settled row since day 0, and fewer than none before it."""
        active = self._active
        clock = self._clock(day, active)
        which, trend = self._trends
        clock[which] = np.expm1(trend * clock[which]) / trend
        counted = np.zeros(self._settled, dtype=np.int64)
        phase = self.draws.unit("phase", active)
        counted[active] = np.floor(self.rates[active] * clock + phase)
        return counted

    def _counted_of_fresh(self, day: int, until: int) -> np.ndarray:
        """All-time downloads of the rows from the first fresh one to `until`."""
        rows = self._all_rows[self._settled : until]
        began = np.array(
            [popularity.usual_days(n, self.first_day.weekday()) for n in range(-WINDOW - 1, self.days + 1)]
        )
        age = self._clock(day, rows) - began[self.first_days[rows] + WINDOW + 1]
        return np.floor(self.rates[rows] * popularity.since_release(age)).astype(np.int64)

    @cached_property
    def _fall_days(self) -> np.ndarray:
        return (self.draws.unit("fall", np.arange(self._settled)) / FALLEN_A_DAY).astype(np.int64)

    def _likes(self, day: int, count: int) -> np.ndarray:
        rows = self._all_rows[:count]
        usual = self._usual_likes[:count]
        fresh = np.minimum(1.0, (day - self.first_days[rows] + 1) / WINDOW)
        return (usual * np.where(self.first_days[rows] > 0, fresh, 1 + 0.001 * day) + 0.5).astype(np.int64)

    @cached_property
    def _usual_likes(self) -> np.ndarray:
        return 0.08 * (WINDOW * self.rates) ** 0.45 * np.exp(1.3 * self.draws.normal("likes", self._all_rows))

    # --- who holds a model -------------------------------------------------------------------------------------------

    @cached_property
    def _seeded(self) -> tuple[list[str], int, int]:
        """Real accounts: well-known organisations, then others, then repackagers; where the others and those begin."""
        seeded = read_organizations()
        drawn = sorted(set(seeded.labs) - set(CAST), key=lambda name: Draws(self.seed).unit(name, np.zeros(1))[0])
        known = sorted(CAST) + drawn[: WELL_KNOWN - len(CAST)]
        others = drawn[WELL_KNOWN - len(CAST) :]
        return known + others + seeded.repackagers, len(known), len(known) + len(others)

    @property
    def seeded_names(self) -> list[str]:
        """Real accounts, the well-known first."""
        return self._seeded[0]

    @cached_property
    def _account_names(self) -> pa.Array:
        """All accounts: those of the seeds, then made-up ones."""
        names = list(self._seeded[0])
        taken = {name.lower() for name in names}
        count = max(50, self.models // MODELS_AN_OWNER)
        for number in self.draws.bits("owner name", np.arange(count)).argsort().tolist():
            rest, forename = divmod(number, len(FORENAMES))
            rest, surname = divmod(rest, len(SURNAMES))
            name = f"{FORENAMES[forename]}-{SURNAMES[surname]}-{rest}"
            names.append(name if name not in taken else f"{name}-{number}")
        return pa.array(names)

    @cached_property
    def accounts(self) -> np.ndarray:
        """Of each row the place of its account among all."""
        rows, (names, others, repackagers) = self._all_rows, self._seeded
        head = self.is_head
        share = np.where(head, self.places * GOLDEN % 1, self.draws.unit("account", rows))
        known = share < np.where(head, WELL_KNOWN_PART, FIRST_PARTY_SHARE)
        other = ~known & (
            share < np.where(head, WELL_KNOWN_PART + OTHER_SEEDED_PART, FIRST_PARTY_SHARE + REPACKAGED_SHARE)
        )
        start = np.where(head, others, repackagers)
        found = self._tail_accounts(rows, "owner")
        found[known] = self.draws.below("well-known", rows[known], others, tail=1.8)
        found[other] = start[other] + self.draws.below("other", rows[other], len(names) - start[other], tail=1.5)
        return found

    def _tail_accounts(self, rows: np.ndarray, purpose: str) -> np.ndarray:
        seeded = len(self._seeded[0])
        return seeded + self.draws.below(purpose, rows, len(self._account_names) - seeded, tail=3.0)

    def owners(self, rows: np.ndarray) -> pa.Array:
        return self._account_names.take(pa.array(self.accounts[rows]))

    def known_accounts(self, day: int) -> tuple[np.ndarray, pa.Array, np.ndarray]:
        """Accounts that were looked up until a day: places among all, names, and whether each is an organisation."""
        names, seeded = self._account_names, len(self._seeded[0])
        scale = self.models / popularity.REFERENCE_MODELS
        count = seeded + KNOWN_ACCOUNTS_SHARE * (len(names) - seeded) + day * ACCOUNTS_A_DAY * scale
        which = np.arange(min(int(count), len(names)))
        is_organization = (which < seeded) | (self.draws.unit("is organization", which) < ORGANIZATIONS_SHARE)
        return which, names.take(pa.array(which)), is_organization

    def names(self, rows: np.ndarray, day: int = 0) -> pa.Array:
        """`id` as it was first: the row's number is in it, but for what organisations of the seeds release themselves."""
        names = super().names(rows, 0)
        first_party, own = self._first_party_names
        at = np.searchsorted(first_party, rows).clip(max=len(first_party) - 1)
        is_own = first_party[at] == rows
        return pc.if_else(pa.array(is_own), own.take(pa.array(at)), names)

    @cached_property
    def _first_party_names(self) -> tuple[np.ndarray, pa.Array]:
        """Rows of organisations that aren't repackagers, and their names: families with a new version a week, in variants.
        A name that is taken has a number behind it."""
        rows = np.flatnonzero(self.accounts < self._seeded[2])
        accounts = self.accounts[rows]
        words = (accounts * 7 + self.draws.below("line", rows, 3)) % len(FAMILY_WORDS)
        weeks = (self.created(rows) - FLOOR_CREATED) // (7 * DAY_SECONDS)
        version = joined(pa.array(1 + weeks // 10).cast(pa.string()), ".", pa.array(weeks % 10).cast(pa.string()))
        variant = pa.array(VARIANTS).take(pa.array(self.draws.below("variant", rows, len(VARIANTS), tail=1.3)))
        own = joined(self.owners(rows), "/", pa.array(FAMILY_WORDS).take(pa.array(words)), "-", version, variant)
        seen: dict[str, int] = {}
        unique = []
        for name in own.to_pylist():
            again = seen[name] = seen.get(name, 0) + 1
            unique.append(name if again == 1 else f"{name}-{again}")
        return rows, pa.array(unique)

    # --- what it says ------------------------------------------------------------------------------------------------

    def has_safetensors(self, rows: np.ndarray) -> np.ndarray:
        beyond = (SIZED_SHARE - popularity.HEAD_SHARE * SIZED_IN_HEAD) / (1 - popularity.HEAD_SHARE)
        head = self.is_head[rows]
        share = np.where(head, self.places[rows] * SILVER % 1, self.draws.unit("safetensors", rows))
        return share < np.where(head, SIZED_IN_HEAD, beyond)

    def parameters(self, rows: np.ndarray) -> np.ndarray:
        """Parameters: of usual sizes for most, a little off them for others."""
        head = self.is_head[rows]
        share = np.where(head, self.places[rows] * BRONZE % 1, self.draws.unit("is small", rows))
        is_small = share < np.where(head, SMALL_PART, SMALL_BEYOND)
        which = self.draws.below("size", rows, len(SMALL_SIZES))
        usual = 1e6 * np.where(is_small, np.take(SMALL_SIZES, which), np.take(LARGE_SIZES, which))
        off = np.where(self.draws.unit("usual size", rows) < 0.7, 0, self.draws.below("off", rows, 100_000))
        return (usual + off).astype(np.int64)

    def lineage(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As in the listing's made-up Hub; a parent is an older model, of the head by its downloads for most, and any for
        others. Repackagers' models are copies, nearly all of them."""
        is_copy = self.accounts[rows] >= self._seeded[2]
        is_copy &= (self.accounts[rows] < len(self._seeded[0])) & ~self.is_head[rows]
        copied = REPACKAGED_SHARE * QUANTIZED_BY_REPACKAGERS * (1 - popularity.HEAD_SHARE)
        total = sum(BASE_COUNTS.values())
        shares = np.array([BASE_SHARE * BASE_COUNTS[name] / total for name in RELATIONS])
        shares[RELATIONS.index("quantized")] -= copied
        shares /= 1 - REPACKAGED_SHARE
        drawn = self.draws.unit("relation", rows)
        relation = np.searchsorted(np.cumsum(shares) / shares.sum(), drawn, side="right").clip(max=len(RELATIONS) - 1)
        relation[is_copy] = RELATIONS.index("quantized")
        chance = np.where(is_copy, QUANTIZED_BY_REPACKAGERS, shares.sum())
        has_parent = (self.draws.unit("base", rows) < chance) & (rows >= self._first_parent)
        parent_of, is_second = children(has_parent, relation)
        return relation, parent_of, self._parents(rows[parent_of], is_second)

    @property
    def _first_parent(self) -> int:
        """From this row on there are two models of the head before, for a merge's two parents."""
        return int(self._heads[0][1]) + 1

    @cached_property
    def _heads(self) -> tuple[np.ndarray, np.ndarray]:
        rows = np.flatnonzero(self.is_head[: self.models])
        return rows, np.cumsum(np.sqrt(self.rates[rows]))

    def _parents(self, rows: np.ndarray, is_second: np.ndarray) -> np.ndarray:
        heads, weights = self._heads
        purpose = 2 * rows + is_second
        before = np.searchsorted(heads, rows)  # so many of the head are older
        drawn = np.searchsorted(weights, self.draws.unit("parent", purpose) * weights[before - 1], side="right")
        of_head = np.minimum(drawn, before - 1)
        deep = (rows * self.draws.unit("deep parent", purpose)).astype(np.int64)
        parents = np.where(self.draws.unit("is deep", purpose) < DEEP_SHARE, deep, heads[of_head])
        again = np.flatnonzero(is_second & (parents == np.roll(parents, 1)))
        parents[again] = heads[np.where(of_head[again] > 0, of_head[again] - 1, 1)]
        same = again[parents[again] == parents[again - 1]]
        parents[same] = heads[np.where(heads[0] == parents[same - 1], 1, 0)]
        return parents

    def last_commit(self, rows: np.ndarray, day: int = 0) -> tuple[np.ndarray, pa.Array]:
        """`lastModified` as each row is first seen, in seconds since 1970, most of them soon after the creation, and `sha`."""
        created = self.created(rows)
        until = self.moment(0) + DAY_SECONDS * np.maximum(self.first_days[rows], 0) - 300
        modified = created + (np.maximum(until - created, 0) ** self.draws.unit("lastModified", rows)).astype(np.int64)
        return modified, self.shas(rows.astype(np.int64))

    def commits(self, day: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of `rows` those with a commit since day 0 that was theirs, as positions, and the day of the last one."""
        phase = self.draws.below("commit", rows, COMMITS_EVERY)
        last = day - (day + phase) % COMMITS_EVERY
        has = np.flatnonzero((last > 0) & (last > self.first_days[rows]))
        return has, last[has]
