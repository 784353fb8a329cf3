"""Landed days of the sandbox's made-up populations, written to Parquet without a server, with further phenomena on top.
What the numbers mean belongs to the oracle; what happens in a population is the sandbox's."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.sandbox.population import write_population
from orchestration.sandbox.simulation import World
from tests.golden.landed import ACCOUNTS_SCHEMA, CAPTURES_SCHEMA, MODELS_SCHEMA

GATED = {"false": "none", "auto": "auto", "manual": "manual"}  # as the extraction lands the Hub's words
ACCOUNT_TYPES = {"org": "organization", "user": "person"}
NOON = time(12, tzinfo=UTC)
REVIEWED_OUTLIER = "Qwen/Qwen3-VL-2B-Instruct"  # of the seed `outliers`
INTERNATIONAL_EXPERTS = "bigscience/made-up-8x7B-Instruct"
BEFORE_THE_COUNTERS_MOVE = time(2, tzinfo=UTC)


@dataclass
class Population:
    """A landed population, and which phenomena were put on top, on which days and repositories."""

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


class Draft:
    """The days of a world before they are landed, and what is to be changed of them."""

    def __init__(self, world: World):
        self.world = world
        self.models: dict[date, pa.Table] = {}
        self.accounts: dict[date, pa.Table] = {}
        self.captures: dict[date, dict] = {}
        self._values: dict[date, dict[str, dict]] = defaultdict(lambda: defaultdict(dict))
        self._gone: dict[date, set[str]] = defaultdict(set)
        accounts = pq.read_table(world.path / "accounts.parquet")
        for day in world.days:
            captured_at = datetime.combine(day, NOON)
            listed = pq.read_table(world.path / f"snapshot_date={day}" / "models.parquet", partitioning=None)
            self.models[day] = landed_models(listed, captured_at)
            self.accounts[day] = landed_accounts(accounts, captured_at)
            self.captures[day] = {
                "status": "complete",
                "source": "hub_api",
                "source_revision": "api",
                "captured_at": captured_at,
                "counters_date": day,
                "is_simulated": True,
            }

    @property
    def days(self) -> list[date]:
        return [day for day, capture in self.captures.items() if capture["status"] == "complete"]

    def set(self, day: date, column: str, values: dict[str, object]) -> None:
        """Values of some repositories on a day, by `_id`."""
        self._values[day][column] |= values

    def without(self, day: date, repo_id: str) -> None:
        self._gone[day].add(repo_id)

    def set_counters(self, day: date, source: date) -> None:
        """The day shows the counters that another day showed."""
        for column in ("downloads", "downloadsAllTime"):
            shown = self.models[source]
            self.set(day, column, dict(zip(shown["_id"].to_pylist(), shown[column].to_pylist(), strict=True)))

    def remove(self, day: date) -> None:
        """As if the day had never been captured."""
        for table in (self.models, self.accounts, self.captures):
            table.pop(day, None)

    def incomplete(self, day: date, reason: str) -> None:
        """Attempted, and no day of the history."""
        self.captures[day] |= {"status": "incomplete", "reason": reason, "models": 3, "downloads_all_time": 30}

    def changed(self, day: date) -> pa.Table:
        """The day's models with all changes."""
        models = self.models[day]
        place = {repo_id: row for row, repo_id in enumerate(models["_id"].to_pylist())}
        for column, values in self._values[day].items():
            shown = models[column].to_pylist()
            for repo_id, value in values.items():
                if repo_id in place:
                    shown[place[repo_id]] = value
            item = MODELS_SCHEMA.field(column)
            models = models.set_column(models.column_names.index(column), item, pa.array(shown, item.type))
        if self._gone[day]:
            models = models.filter(pc.invert(pc.is_in(models["_id"], pa.array(sorted(self._gone[day])))))
        return models

    def land(self, landing: Path) -> Population:
        for day, capture in self.captures.items():
            if capture["status"] == "complete":
                models = self.changed(day)
                total = pc.sum(models["downloadsAllTime"]).as_py() or 0
                capture = capture | {"models": models.num_rows, "downloads_all_time": total}
                write_landed(landing, "models", day, models)
                write_landed(landing, "accounts", day, self.accounts[day])
            write_landed(landing, "captures", day, pa.Table.from_pylist([capture], schema=CAPTURES_SCHEMA))
        return Population(landing, self.world)


def land_population(home: Path, *, models: int, days: int, seed: int) -> Population:
    """A population of the sandbox, landed as it is: captured at noon, missing days without a folder."""
    world = write_population(home / "world", models=models, days=days, seed=seed)
    return Draft(world).land(home / "landing")


def land_eventful_population(home: Path, *, models: int, days: int, seed: int) -> Population:
    """At least 50 days of the sandbox with everything on top that the rules distinguish and it has not.

    What was done to which repository stands in `phenomena`; later phenomena are left out of shorter populations.
    """
    draft = Draft(write_population(home / "world", models=models, days=days, seed=seed))
    events = _Events(draft)
    events.happen()
    population = draft.land(home / "landing")
    population.phenomena = events.done
    return population


class _Events:
    """The phenomena, each on its days, counted from the first. Repositories are taken by their downloads, so that they
    matter."""

    def __init__(self, draft: Draft):
        self.draft, self.first = draft, draft.world.days[0]
        listed = draft.models[self.first]
        order = pc.sort_indices(listed, [("downloads", "descending"), ("_id", "ascending")])
        last = set(draft.models[draft.world.days[-1]]["_id"].to_pylist())
        self.large = [repo_id for repo_id in listed["_id"].take(order).to_pylist() if repo_id in last]
        self.done: dict[str, object] = {}

    @property
    def days(self) -> list[date]:
        return self.draft.days

    def day(self, offset: int) -> date:
        return self.first + timedelta(days=offset)

    def _from(self, offset: int) -> list[date]:
        return [day for day in self.days if day >= self.day(offset)]

    def happen(self) -> None:
        self._accounts_become_known()
        self._undated(self.large[30])
        self._same_counters_day(20)
        self._null_counter(self.large[3], 24)
        self._stalled_then_missing(28)
        self._away_over_the_gap(self.large[5], [27, 28], 30)
        self._first_seen_while_stalled(self.large[40], 28)
        self._terms_change(self.large[7], 33)
        self._recounted_upwards(52)
        self._held_by_nobodys_country(self.large[15])
        self._merged(self.large[18], [self.large[0], self.large[1], self.large[15]])
        self._outlier(self.large[len(self.large) // 3], 35)
        self._becomes_a_reviewed_outlier(self.large[9], 40)
        self._incomplete(45)
        self._private(self.large[60], 47)
        self._names_its_parent_as_it_was(self.large[12])
        if len(self.days) > 260:
            self._gap(range(200, 210))
            self._gap(range(219, 220))  # before a recount of the sandbox, which is then told over two days

    def _accounts_become_known(self) -> None:
        """Day by day, a tenth of them on each of the first ten days."""
        for number, day in enumerate(self.days[:10]):
            accounts = self.draft.accounts[day]
            known = [crc32(name.encode()) % 10 <= number for name in accounts["namespace"].to_pylist()]
            self.draft.accounts[day] = accounts.filter(pa.array(known))

    def _undated(self, repo_id: str) -> None:
        for day in self.days:
            self.draft.set(day, "createdAt", {repo_id: None})
        self.done["undated"] = repo_id

    def _same_counters_day(self, offset: int) -> None:
        """Captured before the counters moved: they are the day before's, and the capture says so."""
        day = self.day(offset)
        self.draft.set_counters(day, self.day(offset - 1))
        captured_at = datetime.combine(day, BEFORE_THE_COUNTERS_MOVE)
        self.draft.captures[day] |= {"captured_at": captured_at, "counters_date": self.day(offset - 1)}
        self.done["same counters day"] = day

    def _null_counter(self, repo_id: str, offset: int) -> None:
        self.draft.set(self.day(offset), "downloadsAllTime", {repo_id: None})
        self.done["null counter"] = (repo_id, self.day(offset))

    def _stalled_then_missing(self, offset: int) -> None:
        self.draft.set_counters(self.day(offset), self.day(offset - 1))
        self.draft.remove(self.day(offset + 1))
        self.done["stalled then missing"] = self.day(offset)

    def _away_over_the_gap(self, repo_id: str, offsets: list[int], back: int) -> None:
        for offset in offsets:
            self.draft.without(self.day(offset), repo_id)
        self.done["away over the gap"] = (repo_id, self.day(offsets[0]), self.day(back))

    def _first_seen_while_stalled(self, repo_id: str, offset: int) -> None:
        for day in self.days:
            if day < self.day(offset):
                self.draft.without(day, repo_id)
        self.done["first seen while stalled"] = (repo_id, self.day(offset))

    def _terms_change(self, repo_id: str, offset: int) -> None:
        for day in self._from(offset):
            self.draft.set(day, "gated", {repo_id: "manual"})
            self.draft.set(day, "tags", {repo_id: ["license:gemma"]})
            self.draft.set(day, "disabled", {repo_id: True})
        self.done["terms change"] = (repo_id, self.day(offset))

    def _recounted_upwards(self, offset: int) -> None:
        """The Hub gives everybody a sixteenth more, for good."""
        for day in self._from(offset):
            shown = self.draft.models[day]
            counters = zip(shown["_id"].to_pylist(), shown["downloadsAllTime"].to_pylist(), strict=True)
            self.draft.set(day, "downloadsAllTime", {repo_id: counter + counter // 16 for repo_id, counter in counters})
        self.done["recounted upwards"] = self.day(offset)

    def _held_by_nobodys_country(self, repo_id: str) -> None:
        """By an international organisation, and with experts in its name."""
        for day in self.days:
            self.draft.set(day, "id", {repo_id: INTERNATIONAL_EXPERTS})
            self.draft.set(day, "author", {repo_id: INTERNATIONAL_EXPERTS.split("/")[0]})
        self.done["international"] = repo_id

    def _merged(self, repo_id: str, parents: list[str]) -> None:
        """Of several parents, by what they were called on the first day."""
        listed = self.draft.models[self.first]
        names = dict(zip(listed["_id"].to_pylist(), listed["id"].to_pylist(), strict=True))
        tags = ["license:mit", *(f"base_model:merge:{names[parent]}" for parent in parents)]
        for day in self.days:
            self.draft.set(day, "tags", {repo_id: tags})
            self.draft.set(day, "baseModels", {repo_id: None})
        self.done["merged"] = (repo_id, parents)

    def _outlier(self, repo_id: str, offset: int) -> None:
        """Millions of downloads that nobody likes."""
        for number, day in enumerate(self._from(offset), start=1):
            self.draft.set(day, "downloadsAllTime", {repo_id: 5_000_000 + 150_000 * number})
            self.draft.set(day, "downloads", {repo_id: 150_000 * min(number, 30)})
            self.draft.set(day, "likes", {repo_id: 2})
        self.done["outlier"] = (repo_id, self.day(offset))

    def _becomes_a_reviewed_outlier(self, repo_id: str, offset: int) -> None:
        """A transfer, at that, to an account in another country, perhaps, and with a name that a review lists."""
        for day in self._from(offset):
            self.draft.set(day, "id", {repo_id: REVIEWED_OUTLIER})
            self.draft.set(day, "author", {repo_id: REVIEWED_OUTLIER.split("/")[0]})
        self.done["reviewed outlier"] = (repo_id, self.day(offset))

    def _incomplete(self, offset: int) -> None:
        day = self.day(offset)
        self.draft.incomplete(day, "the last page was not reached")
        self.done["incomplete"] = day

    def _private(self, repo_id: str, offset: int) -> None:
        for day in self._from(offset):
            self.draft.set(day, "private", {repo_id: True})
        self.done["private"] = (repo_id, self.day(offset))

    def _names_its_parent_as_it_was(self, repo_id: str) -> None:
        """By a name that the parent loses, and in tags only."""
        renames = pq.read_table(self.draft.world.path / "truth" / "renames.parquet").to_pylist()
        old = next(row for row in renames if row["kind"] == "rename" and row["_id"] != repo_id)
        for day in self.days:
            self.draft.set(day, "tags", {repo_id: ["license:mit", f"base_model:finetune:{old['old_id']}"]})
            self.draft.set(day, "baseModels", {repo_id: None})
        self.done["parent's old name"] = (repo_id, old["_id"], old["snapshot_date"])

    def _gap(self, offsets: range) -> None:
        for offset in offsets:
            self.draft.remove(self.day(offset))
