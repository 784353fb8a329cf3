"""Land what is known of accounts on one day: yesterday's state carried forward, and a day's budget of look-ups on top.
How an account is asked for is in `hub.accounts`; which country it belongs to is a seed's business."""

import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.hub.accounts import look_up
from orchestration.hub.client import HubClient
from orchestration.hub.errors import ObservatoryError
from orchestration.landing.days import LandedDay, landed_day
from orchestration.landing.folders import MANIFEST, DayFolder, write_json, write_parquet
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
# An organisation stays one; names, plans and followers change slowly. Asking all again daily would spend hours of quota
# (set 2026-11-24).
OBSERVED_AGAIN_AFTER = timedelta(days=7)
PROGRESS_EVERY = 1_000  # with the default budget of 400, one line a day

LOG = logging.getLogger(__name__)


def land_accounts(
    snapshot_date: date,
    settings: Settings,
    *,
    progress: Callable[[str], None] = LOG.info,
    client: HubClient | None = None,
) -> LandedDay:
    """Land the accounts known on `snapshot_date`, whose models must be landed. A landed day isn't asked for again.

    Looks up at most `settings.account_lookups` accounts: those not known yet, most downloaded first, then those
    observed more than a week ago, oldest first. `observed_at` is when the Hub said so, which may be after the day.
    Raises `ObservatoryError` if the models aren't landed, `DayLocked`, and the Hub's errors.
    """
    folder = DayFolder(settings.landing_dir, "accounts", snapshot_date)
    with folder.locked():
        if folder.manifest() is not None:
            progress(f"accounts {snapshot_date}: already landed, {folder.manifest()['rows']:,} rows")
            return landed_day(folder, already_landed=True)
        models = DayFolder(settings.landing_dir, "models", snapshot_date)
        manifest = models.manifest()
        if manifest is None:
            raise ObservatoryError(
                f"The models of {snapshot_date} are not landed",
                expected=f"a landed day in {models.landed}",
                do_this="land the models of this day first: the accounts are theirs",
            )
        known = {row["namespace"]: row for row in _carried_forward(folder)}
        captured_at = datetime.fromisoformat(manifest["captured_at"])
        wanted = to_look_up(ranked_namespaces(models), known, captured_at, settings.account_lookups)
        with nullcontext(client) if client else HubClient.from_settings(settings) as hub:
            for number, namespace in enumerate(wanted, start=1):
                account = look_up(hub, namespace)
                known[namespace] = asdict(account)
                if number % PROGRESS_EVERY == 0 or number == len(wanted):
                    progress(f"accounts {snapshot_date}: looked up {number:,} of {len(wanted):,}")
        _write(folder, list(known.values()), looked_up=len(wanted), is_simulated=manifest["is_simulated"])
    return landed_day(folder, already_landed=False)


def ranked_namespaces(models: DayFolder) -> list[str]:
    """The accounts that hold the day's models, by 30-day downloads, then by name. A name without a slash has none."""
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            """
            with owned as (
                select
                    coalesce(author, case when contains(id, '/') then split_part(id, '/', 1) end) as namespace,
                    downloads
                from read_parquet(?)
            )
            select namespace from owned where namespace is not null
            group by namespace order by sum(downloads) desc nulls last, namespace
            """,
            [[str(path) for path in sorted(models.landed.glob("part-*.parquet"))]],
        ).fetchall()
    return [namespace for (namespace,) in rows]


def to_look_up(
    ranked: Iterable[str], known: dict[str, dict[str, object]], captured_at: datetime, budget: int
) -> list[str]:
    """The accounts to ask for: unknown ones as ranked, then those observed longest ago, at most `budget`."""
    ranked = list(ranked)
    unknown = [namespace for namespace in ranked if namespace not in known]
    stale = [
        namespace
        for namespace in ranked
        if namespace in known and captured_at - known[namespace]["observed_at"] >= OBSERVED_AGAIN_AFTER
    ]
    stale.sort(key=lambda namespace: known[namespace]["observed_at"])  # stable: equal ones stay ranked
    return [*unknown, *stale][:budget]


def _carried_forward(folder: DayFolder) -> list[dict[str, object]]:
    earlier = folder.earlier(inclusive=False)
    if earlier is None:
        return []
    return pq.read_table(earlier.landed / "part-00000.parquet", partitioning=None).to_pylist()


def _write(folder: DayFolder, rows: list[dict[str, object]], *, looked_up: int, is_simulated: bool) -> None:
    folder.start_over()
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: row["namespace"]), schema=SCHEMA)
    part = write_parquet(folder.work / "part-00000.parquet", table)
    manifest = {
        "listing": "accounts",
        "snapshot_date": folder.snapshot_date,
        "revision": 1,
        "is_simulated": is_simulated,
        "rows": table.num_rows,
        "bytes": part["bytes"],
        "looked_up": looked_up,
        "parts": [part],
    }
    write_json(folder.work / MANIFEST, manifest)
    folder.put_in_place(revision=1)
