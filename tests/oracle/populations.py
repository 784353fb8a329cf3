"""Landed days of the sandbox's made-up populations, written to Parquet without a server, with further phenomena on top.
What the numbers mean belongs to the oracle; what happens in a population is the sandbox's."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.sandbox.population import write_population
from orchestration.sandbox.simulation import World
from tests.golden.landed import ACCOUNTS_SCHEMA, CAPTURES_SCHEMA, MODELS_SCHEMA

GATED = {"false": "none", "auto": "auto", "manual": "manual"}  # as the extraction lands the Hub's words
ACCOUNT_TYPES = {"org": "organization", "user": "person"}
NOON = time(12, tzinfo=UTC)
BEFORE_THE_COUNTERS_MOVE = time(2, tzinfo=UTC)


@dataclass
class Population:
    """A landed population. `day_tables` are the models' rows as landed, kept for landing a day again."""

    landing: Path
    world: World
    phenomena: dict[str, object] = field(default_factory=dict)

    @property
    def days(self) -> list[date]:
        folders = sorted((self.landing / "models").glob("snapshot_date=*"))
        return [date.fromisoformat(folder.name.removeprefix("snapshot_date=")) for folder in folders]

    @property
    def truth(self) -> Path:
        return self.world.path / "truth"


def landed_models(listed: pa.Table, captured_at: datetime) -> pa.Table:
    """A day of the sandbox as the extraction lands it: `safetensors.total` a column, `gated` in three words."""
    count = listed.num_rows
    columns = {name: listed[name].combine_chunks() for name in listed.column_names}
    columns["safetensors_total"] = pc.struct_field(columns.pop("safetensors"), "total")
    gated = columns["gated"]
    words = pa.array(list(GATED.values()), pa.string())
    columns["gated"] = words.take(pc.index_in(gated, pa.array(list(GATED), pa.string())))
    columns |= {
        "page": pa.repeat(pa.scalar(1, pa.int32()), count),
        "fetched_at": pa.repeat(pa.scalar(captured_at, MODELS_SCHEMA.field("fetched_at").type), count),
        "captured_at": pa.repeat(pa.scalar(captured_at, MODELS_SCHEMA.field("captured_at").type), count),
        "source": pa.repeat("hub_api", count),
        "source_revision": pa.repeat("api", count),
    }
    arrays = [
        columns[item.name].cast(item.type) if item.name in columns else pa.nulls(count, item.type)
        for item in MODELS_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=MODELS_SCHEMA).sort_by("_id")


def landed_accounts(accounts: pa.Table, observed_at: datetime) -> pa.Table:
    rows = [
        {
            "namespace": row["name"],
            "account_type": ACCOUNT_TYPES[row["type"]],
            "full_name": row["fullname"] if row["type"] == "org" else None,
            "is_verified": row["isVerified"] if row["type"] == "org" else None,
            "plan": row["plan"] if row["type"] == "org" else None,
            "followers": row["numFollowers"] if row["type"] == "org" else None,
            "observed_at": observed_at,
        }
        for row in sorted(accounts.to_pylist(), key=lambda row: row["name"])
    ]
    return pa.Table.from_pylist(rows, schema=ACCOUNTS_SCHEMA)


def write_landed(landing: Path, table: str, day: date, content: pa.Table) -> None:
    """One part and its manifest; a day that is landed already is replaced."""
    folder = landing / table / f"snapshot_date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(content, folder / "part-00000.parquet", compression="zstd")
    (folder / "_manifest.json").write_text(f'{{"snapshot_date": "{day}", "rows": {content.num_rows}}}')


def land_tables(
    landing: Path, day: date, models: pa.Table, accounts: pa.Table, captured_at: datetime, counters_date: date
) -> None:
    """A complete day: models as landed, the accounts known on it, its capture."""
    capture = {
        "status": "complete",
        "source": "hub_api",
        "source_revision": "api",
        "captured_at": captured_at,
        "counters_date": counters_date,
        "models": models.num_rows,
        "downloads_all_time": pc.sum(models["downloadsAllTime"]).as_py() or 0,
        "is_simulated": True,
    }
    write_landed(landing, "models", day, models)
    write_landed(landing, "accounts", day, accounts)
    write_landed(landing, "captures", day, pa.Table.from_pylist([capture], schema=CAPTURES_SCHEMA))


def land_population(home: Path, *, models: int, days: int, seed: int) -> Population:
    """A population of the sandbox, landed as it is: captured at noon, missing days without a folder."""
    world = write_population(home / "world", models=models, days=days, seed=seed)
    accounts = pq.read_table(world.path / "accounts.parquet")
    for day in world.days:
        captured_at = datetime.combine(day, NOON)
        listed = pq.read_table(world.path / f"snapshot_date={day}" / "models.parquet", partitioning=None)
        known = landed_accounts(accounts, captured_at)
        land_tables(home / "landing", day, landed_models(listed, captured_at), known, captured_at, day)
    return Population(home / "landing", world)


class Editor:
    """Changes landed days, as nothing in the sandbox's plan does it."""

    def __init__(self, population: Population):
        self.landing = population.landing

    def read(self, table: str, day: date) -> pa.Table:
        return pq.read_table(self.landing / table / f"snapshot_date={day}" / "part-00000.parquet", partitioning=None)

    def rewrite(self, day: date, models: pa.Table) -> None:
        """The day with other models, and the same capture but for its totals."""
        capture = self.read("captures", day).to_pylist()[0]
        accounts = self.read("accounts", day)
        land_tables(self.landing, day, models, accounts, capture["captured_at"], capture["counters_date"])

    def without(self, day: date, repo_ids: Iterable[str]) -> None:
        models = self.read("models", day)
        gone = pc.is_in(models["_id"], pa.array(list(repo_ids), pa.string()))
        self.rewrite(day, models.filter(pc.invert(gone)))

    def set(self, day: date, column: str, values: dict[str, object]) -> None:
        models = self.read("models", day)
        changed = [
            values.get(repo_id, value)
            for repo_id, value in zip(models["_id"].to_pylist(), models[column].to_pylist(), strict=True)
        ]
        place = models.column_names.index(column)
        kind = MODELS_SCHEMA.field(column)
        self.rewrite(day, models.set_column(place, kind, pa.array(changed, kind.type)))

    def captured_before_the_counters_moved(self, day: date) -> None:
        """The day's counters are those of the day before, and its capture says so."""
        before, models = self.read("models", day - timedelta(days=1)), self.read("models", day)
        for column in ("downloads", "downloadsAllTime"):
            known = dict(zip(before["_id"].to_pylist(), before[column].to_pylist(), strict=True))
            values = [
                known.get(repo_id, value)
                for repo_id, value in zip(models["_id"].to_pylist(), models[column].to_pylist(), strict=True)
            ]
            place = models.column_names.index(column)
            models = models.set_column(place, MODELS_SCHEMA.field(column), pa.array(values, pa.int64()))
        captured_at = datetime.combine(day, BEFORE_THE_COUNTERS_MOVE)
        land_tables(self.landing, day, models, self.read("accounts", day), captured_at, day - timedelta(days=1))

    def remove(self, day: date) -> None:
        """As if the day had never been captured."""
        for table in ("models", "accounts", "captures"):
            folder = self.landing / table / f"snapshot_date={day}"
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
