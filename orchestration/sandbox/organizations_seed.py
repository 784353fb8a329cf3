"""The names of real organisations, from the project's seed, that made-up worlds use as labs and repackagers.
Only names and kinds are read: a world must not know any country (truth joins countries afterwards, in `truth.py`)."""

from dataclasses import dataclass
from pathlib import Path

from pyarrow import csv

from orchestration.settings import PROJECT_ROOT

SEED_PATH = PROJECT_ROOT / "dbt_project" / "seeds" / "organizations.csv"
LAB_TYPES = ("industry", "academia", "nonprofit", "government", "international", "community")
# Stand-ins where the seed is absent; made up.
FALLBACK = {
    **{f"sim-lab-{word}": "industry" for word in ("aurora", "boreal", "cumulus", "dawn", "equinox", "foehn", "gale")},
    **{f"sim-university-{word}": "academia" for word in ("hill", "lake", "shore")},
    **{f"sim-repacker-{word}": "repackager" for word in ("crate", "parcel", "tin")},
}


@dataclass(frozen=True)
class SeededOrganizations:
    """Namespace → organisation type, as seeded (or the fallback)."""

    types: dict[str, str]

    @property
    def labs(self) -> list[str]:
        return sorted(name for name, kind in self.types.items() if kind in LAB_TYPES)

    @property
    def repackagers(self) -> list[str]:
        return sorted(name for name, kind in self.types.items() if kind == "repackager")


def read_organizations(path: Path | None = None) -> SeededOrganizations:
    """The seed's namespaces and types. Raises ValueError when the file lacks these columns."""
    path = SEED_PATH if path is None else path
    if not path.is_file():
        return SeededOrganizations(dict(FALLBACK))
    columns = ["namespace", "organization_type"]
    try:
        table = csv.read_csv(path, convert_options=csv.ConvertOptions(include_columns=columns))
    except KeyError as error:
        raise ValueError(f"{path.name} lacks a column ({error}); expected {columns}; correct the seed.") from error
    return SeededOrganizations(dict(sorted(zip(*(table[name].to_pylist() for name in columns), strict=True))))
