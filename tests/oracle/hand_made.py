"""Small landings for rules that are checked by hand: a few repositories of three made-up accounts over a few days.
The values expected of them are typed in the tests, never computed."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from tests.golden.landed import complete_capture, land, model
from tests.oracle.days import Days
from tests.oracle.seeds import OPEN_END, SeededAccount, Seeds
from tests.oracle.tables import Oracle

FIRST = date(2026, 1, 1)
OLD = datetime(2023, 1, 1, tzinfo=UTC)
ACCOUNTS = {"cn-lab": "organization", "us-lab": "organization", "someone": "person"}


def day(offset: int) -> date:
    """A day by its distance from the first."""
    return FIRST + timedelta(days=offset)


def noon(offset: int) -> datetime:
    return datetime.combine(day(offset), time(12), UTC)


def seeded(organization: str, country: str, kind: str = "industry", start: date = date.min, end: date = OPEN_END):
    return SeededAccount(start, end, organization, organization, kind, country)


def lab_seeds(**others) -> Seeds:
    """Two labs, in CN and US."""
    accounts = {"cn-lab": [seeded("CN Lab", "CN")], "us-lab": [seeded("US Lab", "US")]}
    return Seeds(accounts=accounts, iso_codes=frozenset({"CN", "US", "FR"}), **others)


def repository(repo_id: str, told: object) -> dict:
    """A landed row: `told` is an all-time counter, or fields with `at` for it."""
    fields = dict(told) if isinstance(told, dict) else {"at": told}
    model_id, created = fields.pop("id", f"cn-lab/{repo_id}"), fields.pop("created", OLD)
    return model(repo_id, model_id, created, downloadsAllTime=fields.pop("at", 0), **fields)


def landed(
    landing: Path,
    days: dict[int, dict[str, object]],
    captures: dict[int, dict] | None = None,
    accounts: dict[str, str] | None = None,
) -> Path:
    """Days by offset → repositories by `_id`; `captures` changes what the captures of some days say."""
    known = [{"namespace": name, "account_type": kind} for name, kind in (accounts or ACCOUNTS).items()]
    for offset, repositories in days.items():
        models = [repository(repo_id, told) for repo_id, told in repositories.items()]
        totals = [row | {"downloadsAllTime": row["downloadsAllTime"] or 0} for row in models]
        capture = complete_capture(day(offset), totals) | (captures or {}).get(offset, {})
        land(landing, day(offset), models=models, accounts=known, capture=capture)
    return landing


def oracle(landing: Path, days: dict[int, dict[str, object]], seeds: Seeds | None = None, **how) -> Oracle:
    return Oracle(landed(landing, days, **how), seeds or lab_seeds())


def daily(read: Oracle, repo_id: str | None = None) -> list[tuple]:
    """Offset, downloads, status and days spanned of each daily row, of one repository or of all."""
    rows = read.table("fct_daily_model_downloads").rows
    return [
        ((on - FIRST).days, downloads, status, spanned)
        for (on, repo), (downloads, status, spanned, _) in rows.items()
        if repo_id in (None, repo)
    ]


def judged(landing: Path, days: dict[int, dict[str, object]], **how) -> Days:
    return Days(landed(landing, days, **how))
