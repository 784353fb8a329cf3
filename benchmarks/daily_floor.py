"""`python -m benchmarks.daily_floor LANDING DAY BEFORE FILE`: the least that a day of the daily job must read, join and write, as
plain DuckDB SQL without checks, history or lineage beyond the direct parent. Nothing of the project's own models is used."""

import sys
from pathlib import Path

import duckdb

from orchestration.settings import PROJECT_ROOT

ORGANIZATIONS = PROJECT_ROOT / "dbt_project" / "seeds" / "organizations.csv"

FLOOR = """
create table models as
select
    today._id as repo_id, today.id as model_id, coalesce(today.author, split_part(today.id, '/', 1)) as namespace,
    today.createdAt::timestamp as created_at, today.downloads, today.downloadsAllTime as ever, today.likes, today.gated,
    today.pipeline_tag, today.library_name, today.safetensors_total as parameters,
    list_filter(today.tags, lambda tag: starts_with(tag, 'license:')) as licenses,
    today.baseModels.relation as relation, today.baseModels.models[1].id as parent,
    today.downloadsAllTime - before.downloadsAllTime as day_downloads
from read_parquet($today) as today
left join read_parquet($before) as before using (_id);

create table held as
select lower(namespace) as key, organization, country_code
from read_csv($organizations, all_varchar = true)
where valid_from <= $day and (valid_to is null or $day < valid_to);

create table placed as
select
    models.repo_id, models.namespace, models.downloads, models.ever, models.day_downloads,
    models.relation, models.licenses[1] as license,
    models.pipeline_tag, models.parameters, models.gated, date_diff('day', models.created_at, $day::date) < 365 as is_new,
    case when accounts.account_type = 'person' then 'XC' else coalesce(held.country_code, 'XX') end as country,
    coalesce(held.organization, models.namespace) as organization,
    coalesce(origin.country_code, held.country_code, 'XX') as origin_country
from models
left join read_parquet($accounts) as accounts using (namespace)
left join held on lower(models.namespace) = held.key
left join held as origin on lower(split_part(models.parent, '/', 1)) = origin.key;

create table sums as
select
    country, origin_country, organization, is_new, pipeline_tag, license, gated, relation,
    floor(log10(greatest(parameters, 1))) as size, count(*) as models,
    sum(downloads) as downloads, sum(ever) as ever, sum(day_downloads) as day_downloads
from placed
group by grouping sets (
    (country, is_new), (origin_country, is_new), (country, organization, is_new), (country, pipeline_tag, is_new),
    (country, license, gated, is_new), (country, size, is_new), (origin_country, relation, is_new)
);

create table moved as
select repo_id, day_downloads from models where day_downloads <> 0 order by repo_id
"""


def run(landing: Path, day: str, before: str, file: Path) -> int:
    """Make the floor's tables of a day in a new database `file`. Returns the day's models."""
    values = {
        "day": day,
        "today": str(landing / "models" / f"snapshot_date={day}" / "part-*.parquet"),
        "before": str(landing / "models" / f"snapshot_date={before}" / "part-*.parquet"),
        "accounts": str(landing / "accounts" / f"snapshot_date={day}" / "part-*.parquet"),
        "organizations": str(ORGANIZATIONS),
    }
    with duckdb.connect(str(file)) as connection:
        connection.execute("set memory_limit = '2GB'; set preserve_insertion_order = false")
        for statement in FLOOR.split(";\n"):
            needed = {name: value for name, value in values.items() if f"${name}" in statement}
            connection.execute(statement, needed)
        return connection.execute("select count(*) from models").fetchone()[0]


def main(arguments: list[str]) -> int:
    landing, day, before, file = arguments
    sys.stdout.write(f"{run(Path(landing), day, before, Path(file))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
