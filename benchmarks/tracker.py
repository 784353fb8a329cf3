"""`python -m benchmarks.tracker LANDING DAY BEFORE`: the headline tables of one day by a pandas script, written straightforwardly
as those who track the Hub write theirs. Its numbers must be the marts'; of all else that the daily job does it does nothing."""

import csv
import json
import sys
from pathlib import Path

import pandas as pd

from orchestration.settings import PROJECT_ROOT

ORGANIZATIONS = PROJECT_ROOT / "dbt_project" / "seeds" / "organizations.csv"
FLOOR = pd.Timestamp("2022-03-02 23:29:04", tz="UTC")
COLUMNS = ["_id", "author", "createdAt", "downloads", "downloadsAllTime"]


def tables(landing: Path, day: str, before: str) -> dict[str, pd.DataFrame]:
    """`countries`: downloads and share by metric and country of the uploader; `organizations`: by metric, country and
    organisation; `daily`: the day's downloads by country."""
    models = pd.read_parquet(landing / "models" / f"snapshot_date={day}", columns=COLUMNS, partitioning=None)
    models = located(models, landing, day)
    at = pd.Timestamp(day, tz="UTC")
    age = (at - models["createdAt"].dt.normalize()).dt.days
    is_floor = models["createdAt"].dt.floor("s").between(FLOOR, FLOOR + pd.Timedelta(seconds=1))
    is_new = (age < 365) & ~is_floor
    metrics = {
        "trailing_30d": models["downloads"],
        "new_trailing_30d": models["downloads"].where(is_new, 0),
        "all_time": models["downloadsAllTime"],
        "new_created": models["downloadsAllTime"].where(is_new, 0),
    }
    countries, organizations = [], []
    for metric, downloads in metrics.items():
        country = downloads.groupby(models["country"]).sum().rename("downloads").reset_index()
        country["metric"], country["share"] = metric, country["downloads"] / country["downloads"].sum()
        countries.append(country)
        held = downloads.groupby([models["country"], models["organization"]]).sum().rename("downloads").reset_index()
        held["metric"] = metric
        organizations.append(held)
    return {
        "countries": pd.concat(countries, ignore_index=True),
        "organizations": pd.concat(organizations, ignore_index=True),
        "daily": daily(models, landing, before),
    }


def located(models: pd.DataFrame, landing: Path, day: str) -> pd.DataFrame:
    """With the uploader's country and organisation."""
    accounts = pd.read_parquet(landing / "accounts" / f"snapshot_date={day}", partitioning=None)
    persons = set(accounts.loc[accounts["account_type"] == "person", "namespace"].str.lower())
    with ORGANIZATIONS.open(encoding="utf-8", newline="") as file:
        seeds = {
            row["namespace"].lower(): row
            for row in csv.DictReader(file)
            if row["valid_from"] <= day and (not row["valid_to"] or day < row["valid_to"])
        }
    places = {name: place(name, seeds.get(name.lower()), persons) for name in models["author"].unique()}
    models["country"] = models["author"].map({name: country for name, (country, _) in places.items()})
    models["organization"] = models["author"].map({name: organization for name, (_, organization) in places.items()})
    return models


def place(name: str, seed: dict[str, str] | None, persons: set[str]) -> tuple[str, str]:
    """Country and organisation of an account; a person has none."""
    if seed is None:
        return ("XC", "(person)") if name.lower() in persons else ("XX", name)
    is_person = seed["organization_type"] == "individual"
    is_person |= name.lower() in persons and seed["organization_type"] == "repackager"
    return ("XC", "(person)") if is_person else (seed["country_code"], seed["organization"])


def daily(models: pd.DataFrame, landing: Path, before: str) -> pd.DataFrame:
    """What was downloaded since the day before: by models that were there, and by those that were created since."""
    folder = landing / "models" / f"snapshot_date={before}"
    earlier = pd.read_parquet(folder, columns=["_id", "downloadsAllTime", "captured_at"], partitioning=None)
    merged = models.merge(earlier, on="_id", how="left", suffixes=("", "_before"))
    is_created_since = merged["createdAt"] > earlier["captured_at"].max()
    base = merged["downloadsAllTime_before"].where(~is_created_since, 0)
    moved = (merged["downloadsAllTime"] - base).fillna(0).astype("int64")
    return moved.groupby(merged["country"]).sum().rename("downloads").reset_index()


def main(arguments: list[str]) -> int:
    found = tables(Path(arguments[0]), arguments[1], arguments[2])
    sys.stdout.write(
        json.dumps(
            {name: json.loads(table.to_json(orient="records", double_precision=15)) for name, table in found.items()}
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
