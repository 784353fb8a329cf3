"""Land what is known of accounts on one day: yesterday's state carried forward, and a day's budget of look-ups on top.
How an account is asked for is in `hub.accounts`; which country it belongs to is a seed's business."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.hub.accounts import look_up
from orchestration.hub.client import HubClient
from orchestration.hub.errors import HubIntegrityError, HubUnavailable, ObservatoryError
from orchestration.landing.days import LandedDay, landed_day
from orchestration.landing.folders import MANIFEST, DayFolder, landed_days, write_json, write_parquet
from orchestration.settings import Settings

SCHEMA = pa.schema(
    [
        ("namespace", pa.string()),
        ("account_type", pa.string()),
        ("full_name", pa.string()),
        ("is_verified", pa.bool_()),
        ("plan", pa.string()),
        ("followers", pa.int64()),
        ("observed_at", pa.timestamp("us", tz="UTC")),
    ]
)
ACCOUNT_TYPES = ("organization", "person", "unknown")

# --- the rotation: whom to ask again, and when (all set 2026-11-24) ---
# Big is an organisation among the first so many accounts by downloads. Asking 1,000 once a week takes 143 look-ups a
# day, which fits into the part of the default budget of 400 that they get (150); together they hold nearly all
# downloads.
BIG_RANKS = 1_000
# Names, plans and followers of organisations change slowly, but the biggest are what people look at.
BIG_AGAIN_AFTER = timedelta(days=7)
# For all others a month is fresh enough; of persons, however big, only the type is kept, which hardly ever changes.
AGAIN_AFTER = timedelta(days=30)
# Neither overview existed: a name that was given up, and may be taken again one day. Three months lose little.
UNKNOWN_AGAIN_AFTER = timedelta(days=90)
# While unknown accounts wait, half of the budget goes to refreshing: new ones come every day and there are more than a
# million, so whoever always goes first leaves nothing to the other.
REFRESHED_SHARE = 0.5
# Of the refreshing, while smaller ones wait too: the big ones need 143 of 200 look-ups (see above).
BIG_SHARE = 0.75

# A look-up takes 1 to 3 s at half the anonymous rate: a line about every three minutes (2026-11-24).
PROGRESS_EVERY = 100
# One account whose overview fails again and again must not cost the day: it comes round tomorrow. More of them mean that the
# Hub is in trouble, and then the run has to say so (2026-11-24).
FAILED_AT_MOST = 5
# Look-ups that a power cut may cost; a killed process loses none. An fsync takes 1 to 10 ms (2026-11-24).
SYNC_EVERY = 50

LOG = logging.getLogger(__name__)


def land_accounts(
    snapshot_date: date,
    settings: Settings,
    *,
    budget: int | None = None,
    progress: Callable[[str], None] = LOG.info,
    client: HubClient | None = None,
) -> LandedDay:
    """Land the accounts known on `snapshot_date`, whose models must be landed. A landed day isn't asked for again.

    Looks up at most `budget` accounts (`settings.account_lookups` by default), as `to_look_up` chooses them.
    `observed_at` is when the Hub said so, which may be after the day. What was looked up before a crash, or before the
    Hub gave up, is kept in a journal, and a run of the same day goes on from there.

    A few accounts that can't be looked up are named in the manifest and left for another day; more of them raise.

    Raises `ObservatoryError` if the models aren't landed or the budget is negative, `DayLocked`, and the Hub's errors.
    """
    budget = settings.account_lookups if budget is None else budget
    if budget < 0:
        raise ObservatoryError(
            f"A budget of {budget} look-ups", expected="0 or more", do_this="pass 0 to land what is known already"
        )
    folder = DayFolder(settings.landing_dir, "accounts", snapshot_date)
    journal_path = folder.work.with_name(f"{folder.key}.lookups.jsonl")
    with folder.locked():
        if folder.manifest() is not None:
            journal_path.unlink(missing_ok=True)
            progress(f"accounts {snapshot_date}: already landed, {folder.manifest()['rows']:,} rows")
            return landed_day(folder, already_landed=True)
        models = DayFolder(settings.landing_dir, "models", snapshot_date)
        if models.manifest() is None:
            raise ObservatoryError(
                f"The models of {snapshot_date} are not landed",
                expected=f"a landed day in {models.landed}",
                do_this="land the models of this day first: the accounts are theirs",
            )
        with nullcontext(client) if client else HubClient.from_settings(settings) as hub:
            attempt = _Attempt(folder, models, hub, budget, progress, _Journal(journal_path, hub.endpoint))
            attempt.look_up()
        attempt.land()
        journal_path.unlink(missing_ok=True)
    return landed_day(folder, already_landed=False)


def downloads_by_namespace(models: DayFolder) -> dict[str | None, int]:
    """30-day downloads by account of the day's models, most first, then by name; None is for names without a slash."""
    import duckdb  # thirty megabytes that a walk of the listing can do without

    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            """
            with owned as (
                select
                    coalesce(
                        nullif(author, ''),
                        case when contains(id, '/') then nullif(split_part(id, '/', 1), '') end
                    ) as namespace,
                    coalesce(downloads, 0) as downloads
                from read_parquet(?)
            )
            select namespace, sum(downloads) as downloads from owned
            group by namespace order by downloads desc, namespace
            """,
            [[str(path) for path in sorted(models.landed.glob("part-*.parquet"))]],
        ).fetchall()
    return {namespace: int(downloads) for namespace, downloads in rows}


def to_look_up(
    ranked: Iterable[str], known: Mapping[str, Mapping[str, object]], captured_at: datetime, budget: int
) -> list[str]:
    """The accounts to ask for, at most `budget`: unknown ones as ranked, and known ones whose turn it is again.

    Known ones are due after a week, a month or three months (see the constants), those longest overdue first. While
    both kinds wait, each gets half of the budget; of the half for known ones, three quarters go to big organisations
    while others wait, too. What one kind leaves goes to the next. `known`: rows by namespace.
    """
    unknown: list[str] = []
    big: list[tuple[timedelta, str]] = []
    rest: list[tuple[timedelta, str]] = []
    for rank, namespace in enumerate(ranked):
        row = known.get(namespace)
        if row is None:
            unknown.append(namespace)
            continue
        is_big = rank < BIG_RANKS and row["account_type"] == "organization"
        overdue = captured_at - row["observed_at"] - _again_after(row["account_type"], is_big=is_big)
        if overdue >= timedelta(0):
            (big if is_big else rest).append((overdue, namespace))
    refreshed = max(int(REFRESHED_SHARE * budget), budget - len(unknown))
    of_big = max(int(BIG_SHARE * refreshed), refreshed - len(rest))
    due = _longest_overdue(big, of_big)
    due += _longest_overdue(rest, refreshed - len(due))
    return [*unknown[: budget - len(due)], *due]


def _again_after(account_type: object, *, is_big: bool) -> timedelta:
    if account_type == "unknown":
        return UNKNOWN_AGAIN_AFTER
    return BIG_AGAIN_AFTER if is_big else AGAIN_AFTER


def _longest_overdue(waiting: Sequence[tuple[timedelta, str]], count: int) -> list[str]:
    in_turn = sorted(waiting, key=lambda item: -item[0])  # stable: equal ones stay ranked
    return [namespace for _, namespace in in_turn[: max(count, 0)]]


@dataclass
class _Attempt:
    """One attempt at one day: look-ups, then the table of all that is known."""

    folder: DayFolder
    models: DayFolder
    hub: HubClient
    budget: int
    progress: Callable[[str], None]
    journal: "_Journal"
    known: dict[str, dict[str, object]] = field(default_factory=dict)
    known_before: frozenset[str] = frozenset()
    downloads: dict[str | None, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def look_up(self) -> None:
        """Ask for what the budget allows and no earlier attempt has asked. Each answer is in the journal at once."""
        self.known = _carried_forward(self.folder)
        self.known_before = frozenset(self.known)
        self.downloads = downloads_by_namespace(self.models)
        captured_at = datetime.fromisoformat(self.models.manifest()["captured_at"])
        ranked = [namespace for namespace in self.downloads if namespace is not None]
        wanted = to_look_up(ranked, self.known, captured_at, self.budget)
        with self.journal.opened(self._tell):
            if self.journal.accounts:
                self._tell(f"resumed after {len(self.journal.accounts):,} look-ups")
            for number, namespace in enumerate(wanted, start=1):
                if namespace not in self.journal.accounts:
                    self._ask(namespace)
                if number % PROGRESS_EVERY == 0 or number == len(wanted):
                    self._tell(f"looked up {number:,} of {len(wanted):,}")
        self.known |= self.journal.accounts

    def _ask(self, namespace: str) -> None:
        before = Counter(self.hub.retries)
        try:
            account = asdict(look_up(self.hub, namespace))
        except (HubUnavailable, HubIntegrityError) as error:
            self.failed.append(namespace)
            if len(self.failed) > FAILED_AT_MOST:
                raise
            self._tell(f"{namespace} can't be looked up today and is left for another: {error}")
        else:
            self.journal.add(account, Counter(self.hub.retries) - before)

    def land(self) -> None:
        """Put the day in place."""
        looked_up = self.journal.accounts
        first_seen = len(looked_up.keys() - self.known_before)
        rows = sorted(self.known.values(), key=lambda row: row["namespace"])
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        self.folder.start_over()
        part = write_parquet(self.folder.work / "part-00000.parquet", table)
        manifest = {
            "listing": "accounts",
            "snapshot_date": self.folder.snapshot_date,
            "revision": 1,
            "is_simulated": self.models.manifest()["is_simulated"],
            "rows": table.num_rows,
            "bytes": part["bytes"],
            "looked_up": len(looked_up),
            "first_seen": first_seen,
            "refreshed": len(looked_up) - first_seen,
            "failed": self.failed,
            "renamed": sum(account["is_renamed"] for account in looked_up.values()),
            "remaining": len(self.downloads.keys() - self.known.keys() - {None}),
            "known_downloads_share": self._known_downloads_share(),
            "retries": dict(sorted(self.journal.retries.items())),
            "parts": [part],
        }
        write_json(self.folder.work / MANIFEST, manifest)
        self.folder.put_in_place(revision=1)
        share = manifest["known_downloads_share"]
        self._tell(
            f"landed {table.num_rows:,} accounts, {first_seen:,} of them new; {manifest['remaining']:,} wait; "
            + ("no downloads to attribute" if share is None else f"{share:.1%} of downloads are of known accounts")
        )

    def _known_downloads_share(self) -> float | None:
        """Part (0–1) of the day's 30-day downloads that organisations and persons hold; null if there are none."""
        total = sum(self.downloads.values())
        typed = sum(
            downloads
            for namespace, downloads in self.downloads.items()
            if namespace in self.known and self.known[namespace]["account_type"] != "unknown"
        )
        return round(typed / total, 6) if total else None

    def _tell(self, what: str) -> None:
        self.progress(f"accounts {self.folder.snapshot_date}: {what}")


class _Journal:
    """The look-ups of a day that isn't landed yet: a line each, the first names the Hub that was asked.

    A line that was cut short, or is otherwise no look-up, ends the journal: it and what follows is asked for again.
    """

    def __init__(self, path: Path, endpoint: str):
        self.path, self.endpoint = path, endpoint
        self.accounts: dict[str, dict[str, object]] = {}
        self.retries: Counter[str] = Counter()
        self._file = None
        self._unsynced = 0

    def opened(self, tell: Callable[[str], None]) -> "_Journal":
        """Read what is there, drop what is damaged, and be ready for more. Use as a context manager."""
        found = self.path.read_bytes() if self.path.exists() else b""
        whole = self._read(found)
        if whole < len(found):
            tell(
                f"the last {len(found) - whole:,} bytes of {self.path.name} are damaged or from another Hub; "
                f"{len(self.accounts):,} look-ups before them stand, the others are asked for again"
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab")
        self._file.truncate(whole)
        if not whole:
            self._write({"endpoint": self.endpoint})
        return self

    def __enter__(self) -> "_Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._sync()
        self._file.close()

    def add(self, account: dict[str, object], retries: Mapping[str, int]) -> None:
        """Note an answer. It survives a killed process from here on."""
        self._write(account | {"retries": dict(retries)})
        self.accounts[account["namespace"]] = account
        self.retries.update(retries)
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY:
            self._sync()

    def _read(self, found: bytes) -> int:
        """Take over the look-ups. Returns how many bytes are whole lines of this Hub's journal."""
        whole = 0
        for line in found.splitlines(keepends=True):
            entry = _entry(line)
            if entry is None:
                break
            if whole == 0:
                if entry != {"endpoint": self.endpoint}:
                    break
            elif not self._take(entry):
                break
            whole += len(line)
        return whole

    def _take(self, entry: dict[str, object]) -> bool:
        try:
            account = {name: entry[name] for name in (*SCHEMA.names, "is_renamed")}
            account["observed_at"] = datetime.fromisoformat(account["observed_at"])
            pa.Table.from_pylist([account], schema=SCHEMA)  # raises where a value doesn't fit
            retries = Counter(entry["retries"])
        except (KeyError, TypeError, ValueError, pa.ArrowException):
            return False
        if account["account_type"] not in ACCOUNT_TYPES or not isinstance(account["is_renamed"], bool):
            return False
        self.accounts[account["namespace"]] = account
        self.retries.update(retries)
        return True

    def _write(self, entry: dict[str, object]) -> None:
        self._file.write(orjson.dumps(entry) + b"\n")
        self._file.flush()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._unsynced = 0


def _entry(line: bytes) -> dict[str, object] | None:
    """The line's object; None if it was cut short or is none."""
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entry if line.endswith(b"\n") and isinstance(entry, dict) else None


def _carried_forward(folder: DayFolder) -> dict[str, dict[str, object]]:
    """What is known already, by namespace: the state of the last landed day before, and, when a past day is made up for,
    of the last one of all, so that nobody is asked for twice. What was observed later wins."""
    days = landed_days(folder.root, folder.listing)
    before = [day for day in days if day < folder.snapshot_date]
    known: dict[str, dict[str, object]] = {}
    for day in sorted({*before[-1:], *days[-1:]}):
        landed = DayFolder(folder.root, folder.listing, day).landed
        for row in pq.read_table(landed / "part-00000.parquet", partitioning=None).to_pylist():
            present = known.get(row["namespace"])
            if present is None or row["observed_at"] > present["observed_at"]:
                known[row["namespace"]] = row
    return known
