"""Makes up three landed days, seeded, with every shape of lineage, account, age and tie that the rules distinguish.
It aims at coverage of rules, not at resemblance to the Hub; the sandbox's simulation is for that."""

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tests.golden.landed import model
from tests.golden.oracle import RELATIONS, Seeds

MODELS = 1_500
WAYS_TO_DECLARE = [
    *["field"] * 4,
    "contradicted",
    "tags",
    "plain tags",
    "related tags",
    "tags beside an empty field",
]


@dataclass
class LandedDay:
    """Landed rows of one made-up day."""

    day: date
    models: list[dict]
    accounts: list[dict]

    @property
    def account_types(self) -> dict[str, str]:
        return {row["namespace"]: row["account_type"] for row in self.accounts}


class RandomHub:
    """A made-up Hub: `first` is its first day, `next_day` moves it on. All choices come from one seeded generator."""

    def __init__(self, seeds: Seeds, day: date, seed: int):
        self.random = random.Random(seed)
        self.seeds = seeds
        self.day = day
        self.serial = 0
        self.account_types = self._accounts()
        self.models = [self._repository() for _ in range(MODELS)]
        self._declare_lineage()
        self._declare_cycles()

    # Accounts

    def _accounts(self) -> dict[str, str | None]:
        """Namespace → account type; None for an account that was never looked up."""
        seeded = sorted(self.seeds.organizations)
        always = {
            *[name for name in seeded if any(row["valid_to"] for row in self.seeds.organizations[name])],
            *[name for name in seeded if self.seeds.organizations[name][0]["organization_type"] == "international"],
            *[name for name in seeded if self.seeds.organizations[name][0]["organization_type"] == "repackager"][:8],
            "Qwen",
            "deepseek-ai",
            "meta-llama",
            "google",
        }
        chosen = sorted(always | set(self.random.sample(seeded, 35)))
        accounts: dict[str, str | None] = dict.fromkeys(chosen, "organization")
        for name in self.random.sample(chosen, 12):
            accounts[name] = self.random.choice(["person", "unknown", None])
        # People: a repackager, and the founder whose account is seeded for the organisation.
        accounts["bartowski"] = accounts["vikhyatk"] = "person"
        for index in range(25):
            accounts[f"made-up-lab-{index}"] = "organization"
            accounts[f"made-up-person-{index}"] = "person"
        for index in range(8):
            accounts[f"made-up-unknown-{index}"] = "unknown"
            accounts[f"made-up-unseen-{index}"] = None
        return accounts

    # Repositories

    def _created_at(self) -> datetime:
        noon = datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=UTC)
        midnight = noon.replace(hour=0)
        return self.random.choice(
            [
                datetime(2022, 3, 2, 23, 29, self.random.choice([3, 4, 5, 6]), tzinfo=UTC),
                midnight - timedelta(days=self.random.choice([363, 364, 365, 366]), seconds=self.random.choice([0, 1])),
                noon + timedelta(hours=self.random.choice([-1, 0, 13])),
                *[noon - timedelta(seconds=self.random.randrange(3 * 365 * 86_400)) for _ in range(5)],
            ]
        )

    def _counters(self) -> dict[str, int]:
        size = self.random.choice(["none", "few", "tied", "many", "millions"])
        trailing = {
            "none": 0,
            "few": self.random.randrange(1, 2_000),
            "tied": self.random.choice([1, 1_000, 5_000]),
            "many": self.random.randrange(2_000, 400_000),
            "millions": self.random.choice([999_999, 1_000_000, 2_000_000, self.random.randrange(10**6, 4 * 10**6)]),
        }[size]
        all_time = trailing + self.random.choice([0, 0, trailing, self.random.randrange(100_000)])
        at_the_bound = -(-3 * trailing // 1_000_000)
        likes = self.random.choice([0, max(at_the_bound - 1, 0), at_the_bound, self.random.randrange(5_000)])
        return {"downloads": trailing, "downloadsAllTime": all_time, "likes": likes}

    def _repository(self) -> dict:
        self.serial += 1
        created_at = self._created_at()
        namespace = self.random.choice(sorted(self.account_types))
        repo_id = f"{int(created_at.timestamp()):08x}{self.random.getrandbits(32):08x}{self.serial:08x}"
        # A few names of the Hub's first years have no namespace.
        name = f"model-{self.serial}" if self.serial % 97 == 0 else f"{namespace}/model-{self.serial}"
        return model(repo_id, name, created_at, **self._counters())

    # Lineage

    def _declare(self, row: dict, parents: list[tuple[str, str | None]], how: str) -> None:
        """Write parents, (model id, `_id`), into a row: by `field`, by `tags` of three kinds, or by both at odds."""
        relation = self.random.choice(RELATIONS)
        row["baseModels"], row["tags"] = None, ["license:mit"]
        if how in ("field", "contradicted"):
            row["baseModels"] = {"relation": relation, "models": [{"id": name, "_id": _id} for name, _id in parents]}
        if how == "tags beside an empty field":
            row["baseModels"] = {"relation": None, "models": []}
        for name, _ in parents:
            if how in ("tags", "plain tags", "tags beside an empty field"):
                row["tags"].append(f"base_model:{name}")
            if how in ("tags", "related tags", "tags beside an empty field"):
                row["tags"].append(f"base_model:{relation}:{name}")
        if how == "contradicted":
            row["tags"] += ["base_model:meta-llama/elsewhere", "base_model:finetune:meta-llama/elsewhere"]

    def _parent(self, before: int) -> tuple[str, str | None]:
        """A parent among the repositories made earlier, or one that isn't listed."""
        kind = self.random.choice(["listed"] * 6 + ["old name", "re-created", "unlisted", "unlisted legacy"])
        listed = self.models[self.random.randrange(before)]
        namespace = self.random.choice([*sorted(self.account_types), "never-seen-anywhere"])
        number = self.random.randrange(9)
        return {
            "listed": (listed["id"], listed["_id"]),
            "old name": (f"{namespace}/old-name-{number}", listed["_id"]),
            "re-created": (listed["id"], f"{number:024x}"),
            "unlisted": (f"{namespace}/gone-{number}", _absent_id(f"{namespace}/gone-{number}")),
            "unlisted legacy": ("bert-base-uncased", _absent_id("bert-base-uncased")),
        }[kind]

    def _declare_lineage(self) -> None:
        for index, row in enumerate(self.models):
            if index < 50 or self.random.random() < 0.5:
                continue
            count = self.random.choice([1, 1, 1, 1, 1, 2, 2, 3, 4])
            parents = list(dict.fromkeys(self._parent(index) for _ in range(count)))
            self._declare(row, parents, self.random.choice(WAYS_TO_DECLARE))

    def _declare_cycles(self) -> None:
        """Loops of one, two and three, repositories that hang on a loop, and loops with a parent outside."""
        rows = iter(self.random.sample(self.models, 120))
        for size in (1, 2, 3) * 5:
            ring = [next(rows) for _ in range(size)]
            hanging, outside = next(rows), next(rows)
            for row, parent in zip(ring, ring[1:] + ring[:1], strict=True):
                self._declare(row, [(parent["id"], parent["_id"])], self.random.choice(["field", "tags"]))
            self._declare(hanging, [(ring[0]["id"], ring[0]["_id"])], "field")
            if self.random.random() < 0.4:
                onward = ring[1 % size]
                parents = [(onward["id"], onward["_id"]), (outside["id"], outside["_id"])]
                self._declare(outside, [], "tags")
                self._declare(ring[0], parents, "field")

    # Days

    def landed(self) -> LandedDay:
        """The Hub as it stands, as landed rows."""
        accounts = [
            {"namespace": name, "account_type": kind, "full_name": name if kind == "organization" else None}
            for name, kind in self.account_types.items()
            if kind is not None
        ]
        return LandedDay(self.day, [dict(row) for row in self.models], accounts)

    def next_day(self) -> None:
        """Move on: repositories vanish, are transferred and appear, counters move, accounts are looked up."""
        self.day += timedelta(days=1)
        kept = [row for row in self.models if self.random.random() > 0.03]
        self.models = [self._moved(row) for row in kept] + [self._repository() for _ in range(60)]
        for name in self.random.sample(sorted(self.account_types), 6):
            self.account_types[name] = self.random.choice(["person", "organization"])

    def _moved(self, row: dict) -> dict:
        moved = {**row, **self._counters()} if self.random.random() < 0.5 else dict(row)
        if self.random.random() < 0.03:
            moved["author"] = self.random.choice(sorted(self.account_types))
            moved["id"] = f"{moved['author']}/{row['id'].split('/')[-1]}"
        return moved


def _absent_id(model_id: str) -> str:
    """The `_id` of a repository that isn't listed: the same wherever it is named."""
    return hashlib.sha256(model_id.encode()).hexdigest()[:24]


def _quiet_day(day: date) -> LandedDay:
    """A day on which nothing is new, nothing was downloaded for a month, and two countries are level before a third."""
    all_time = {"Qwen": 7, "meta-llama": 7, "mistralai": 3, "quiet-person": 7, "quiet-lab": 0}
    created_at = datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)
    models = [
        model(f"621ffdc0{number:016x}", f"{namespace}/quiet", created_at, downloadsAllTime=downloads)
        for number, (namespace, downloads) in enumerate(all_time.items())
    ]
    accounts = [
        {"namespace": namespace, "account_type": "person" if namespace == "quiet-person" else "organization"}
        for namespace in all_time
    ]
    return LandedDay(day, models, accounts)


def random_days(seeds: Seeds, seed: int) -> list[LandedDay]:
    """Three landed days: the last on which some seed row of an organisation holds, the first on which it doesn't, and
    a quiet one."""
    rows = [row for rows in seeds.organizations.values() for row in rows]
    ends = max(date.fromisoformat(row["valid_to"]) for row in rows if row["valid_to"])
    hub = RandomHub(seeds, ends - timedelta(days=1), seed)
    reviewed = sorted(seeds.outlier_model_ids)
    for row, model_id in zip(hub.models, reviewed, strict=False):
        row["id"], row["author"] = model_id, model_id.split("/")[0]
        row["downloads"], row["downloadsAllTime"], row["likes"] = 500_000, 600_000, 9_999
    first = hub.landed()
    hub.next_day()
    return [first, hub.landed(), _quiet_day(ends + timedelta(days=1))]
