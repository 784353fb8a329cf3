"""The names of real organisations that made-up worlds use as labs and repackagers: a list of the sandbox's own, so that
a row more in the project's seed moves no made-up world. Only names and kinds: a world must not know any country (truth
joins the seed's afterwards, in `truth.py`)."""

from dataclasses import dataclass
from pathlib import Path

from pyarrow import csv

from orchestration.settings import PROJECT_ROOT

SEED_PATH = PROJECT_ROOT / "dbt_project" / "seeds" / "organizations.csv"
# The seed's namespaces and types as of 2026-11-24. A change here is another made-up Hub: tests that quote one change.
NAMES_PATH = Path(__file__).with_name("names.csv")
LAB_TYPES = ("industry", "academia", "nonprofit", "government", "international", "community")


@dataclass(frozen=True)
class SeededOrganizations:
    """Namespace → organisation type."""

    types: dict[str, str]

    @property
    def labs(self) -> list[str]:
        return sorted(name for name, kind in self.types.items() if kind in LAB_TYPES)

    @property
    def repackagers(self) -> list[str]:
        return sorted(name for name, kind in self.types.items() if kind == "repackager")


def read_organizations(path: Path | None = None) -> SeededOrganizations:
    """Namespaces and types of the sandbox's list, or of a CSV with these columns. Raises ValueError when it lacks them."""
    path = NAMES_PATH if path is None else path
    columns = ["namespace", "organization_type"]
    try:
        table = csv.read_csv(path, convert_options=csv.ConvertOptions(include_columns=columns))
    except KeyError as error:
        raise ValueError(f"{path.name} lacks a column ({error}); expected {columns}; correct it.") from error
    return SeededOrganizations(dict(sorted(zip(*(table[name].to_pylist() for name in columns), strict=True))))
