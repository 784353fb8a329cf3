"""A small world in which every promise holds: landed days, the warehouse made of them, and a candidate copied from it.
The tables are worked out here in a few lines of SQL of their own; what breaks them is in broken_days.py."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration.publishing.day_files import FOLDER, VIEW
from orchestration.publishing.examples import Example, create_examples
from orchestration.quality import SUITES
from orchestration.settings import Settings

DAY, NEXT_DAY = date(2026, 10, 6), date(2026, 10, 7)
MODELS = 2000
RAW_PROMISES = sum(len(suite.promises) for suite in SUITES.values() if suite.step == "raw")

LANDED_MODELS = """
    select
        printf('%08x%016x', cast(epoch(created_at) as bigint), i) as _id,
        case i
            when 0 then 'openai-community/gpt2'
            when 1 then 'google-bert/bert-base-uncased'
            else 'n' || i % 20 || case when i % 20 between 5 and 9 then '-' || i // 20 % 40 else '' end || '/model-' || i
        end as id,
        split_part(id, '/', 1) as author,
        created_at as createdAt,
        created_at as lastModified,
        -- accounts that nobody has placed are small ones: the 200 largest all are
        (i * 7919) % case when i % 20 in (13, 18, 19) then 30 else 10007 end + {days_later} as downloads,
        downloads * 20 + 5 as downloadsAllTime,
        i % 50 as likes,
        case when i % 100 = 0 then 'auto' else 'none' end as gated,
        false as disabled,
        false as private,
        case when i % 2 = 0 then 'text-generation' end as pipeline_tag,
        ['license:mit'] as tags,
        cast(null as varchar[]) as cast_errors,
        captured_at + to_seconds(i // 1000) as fetched_at,
        'hub_api' as source,
        'live' as source_revision,
        captured_at,
        i
    from (
        select
            cast(range as bigint) as i,
            timestamptz '2022-03-02 23:29:04+00' + to_hours(20 * range) as created_at,
            timestamptz '{day} 12:00:00+00' as captured_at
        from range({models})
    )
"""

# the same repositories again, as what another listing tells of them
LANDED_LISTINGS = {
    "datasets": "select * exclude (downloadsAllTime, pipeline_tag) from models",
    "spaces": "select * exclude (downloads, downloadsAllTime, pipeline_tag, gated), 'gradio' as sdk from models",
}

MANIFEST = {
    "source": "hub_api",
    "rows": MODELS,
    "captured_at": "2026-10-07T12:00:00+00:00",
    "unasked": [],
    "nulls": {"sha": 3, "pipeline_tag": MODELS // 2},
    "retyped": {},
    "unknown_fields": {},
    "identity": {"gone": 0, "counters_fallen": 1},
    "counters": {"event": "none", "said": "1 % unchanged", "captured_while_moving": False},
}

ACCOUNTS_MANIFEST = {"listing": "accounts", "known_downloads_share": 0.93, "failed": []}

# four weeks before the first landed day: only the manifests are still read of them
PAST_DAYS = 28

COUNTRIES = """
    select * from (values
        ('US', 'United States', 'Americas', false, false),
        ('CN', 'China', 'Asia', false, false),
        ('FR', 'France', 'Europe', true, false),
        ('XC', 'Community and individuals', '(none)', false, true),
        ('XI', 'International', '(none)', false, true),
        ('XM', 'Mixed origin', '(none)', false, true),
        ('XX', 'Not attributed', '(none)', false, true)
    ) as countries (country_code, country_name, region, is_eu_member, is_user_assigned)
"""

ACCOUNTS = """
    select distinct
        author as namespace,
        case
            when author in ('n14', 'n15', 'n16', 'n17') then 'person'
            when author in ('n18', 'n19') then 'unknown'
            else 'organization'
        end as account_type,
        case when account_type = 'organization' then upper(author) end as full_name,
        case when account_type = 'organization' then false end as is_verified,
        case when account_type = 'organization' then 10 end as followers,
        captured_at as observed_at
    from landed
"""

WAREHOUSE = """
create schema staging;
create schema intermediate;
create schema marts;
create schema seeds;

create table seeds.countries as {countries};

create table seeds.pipeline_tags as select 'text-generation' as pipeline_tag;

create table seeds.licenses as select 'mit' as license;

create table seeds.release_dates as
select '' as repo_id, 'n5-0/model-5' as model_id, date '2023-01-05' as released_on;

create table staging.stg_hub__models as
select
    snapshot_date,
    _id as repo_id,
    id as model_id,
    author as namespace,
    cast(createdAt as timestamp) as created_at,
    createdAt < timestamptz '2022-03-02 23:29:06+00' as is_created_at_floor,
    downloads as downloads_30d,
    downloadsAllTime as downloads_all_time,
    likes,
    gated,
    private as is_private,
    pipeline_tag,
    'MIT' as license
from landed;

create table staging.stg_hub__model_parents as
select
    snapshot_date,
    repo_id,
    'n0/model-20' as parent_model_id,
    'finetune' as relation
from staging.stg_hub__models
where namespace = 'n14';

create table staging.stg_hub__accounts as
select cast(observed_at as date) as snapshot_date, * from ({accounts});

create table staging.stg_hub__captures as
select
    snapshot_date,
    'complete' as status,
    count(*) as models,
    cast(sum(downloads_all_time) as bigint) as downloads_all_time
from staging.stg_hub__models
group by snapshot_date;

create table intermediate.int_models_attributed as
with attributed as (
    select
        *,
        date_diff('day', cast(created_at as date), snapshot_date) as age_days,
        namespace in ('n14', 'n15', 'n16', 'n17') as uploader_is_person,
        case
            when namespace in ('n14', 'n15', 'n16', 'n17') then 'XC'
            when split_part(namespace, '-', 1) in ('n5', 'n6', 'n7', 'n8', 'n9') then 'CN'
            when namespace in ('n10', 'n11') then 'FR'
            when namespace = 'n12' then 'XI'
            when namespace in ('n13', 'n18', 'n19') then 'XX'
            else 'US'
        end as uploader_country_code
    from staging.stg_hub__models
)
select
    *,
    age_days < 365 and not is_created_at_floor as is_new,
    namespace as uploader_organization,
    case when namespace = 'n14' then 'US' else uploader_country_code end as origin_country_code,
    case when namespace = 'n14' then 'n0' else namespace end as origin_organization,
    uploader_is_person and namespace <> 'n14' as origin_is_person
from attributed;

create temp table measured as
with sides as (
    select 'uploader' as attribution, uploader_country_code as country_code,
        uploader_organization as organization, uploader_is_person as is_person, *
    from intermediate.int_models_attributed
    union all
    select 'origin', origin_country_code, origin_organization, origin_is_person, *
    from intermediate.int_models_attributed
)
select snapshot_date, 'all_time' as metric, 0 as window_days, attribution, country_code, organization, is_person,
    downloads_all_time as downloads from sides
union all
select snapshot_date, 'new_created', 365, attribution, country_code, organization, is_person, downloads_all_time
from sides where is_new
union all
select snapshot_date, 'trailing_30d', 30, attribution, country_code, organization, is_person, downloads_30d from sides
union all
select snapshot_date, 'window', 30, attribution, country_code, organization, is_person, downloads_30d from sides
union all
select snapshot_date, 'new_trailing_30d', 30, attribution, country_code, organization, is_person, downloads_30d
from sides where is_new;

create table marts.mart_daily_country_share as
with counted as (
    select snapshot_date, metric, window_days, attribution, denominator, country_code,
        cast(sum(downloads) as bigint) as downloads
    from measured cross join (select unnest(['all', 'organizations', 'located']) as denominator)
    where denominator = 'all'
        or (denominator = 'organizations' and not is_person)
        or (denominator = 'located' and country_code not in ('XC', 'XI', 'XM', 'XX'))
    group by all
), totals as (
    select *, cast(sum(downloads) over (
        partition by snapshot_date, metric, attribution, denominator) as bigint) as total_downloads
    from counted
)
select
    *,
    round(downloads / total_downloads, 12) as share,
    case when country_code not in ('XC', 'XI', 'XM', 'XX') then rank() over (
        partition by snapshot_date, metric, attribution, denominator, country_code in ('XC', 'XI', 'XM', 'XX')
        order by downloads desc) end as rank,
    round(downloads / total_downloads * 0.9, 12) as share_low,
    round(least(downloads / total_downloads * 1.1, 1), 12) as share_high,
    share as share_without_top_repository,
    cast(null as bigint) as correction_downloads,
    case when metric = 'window' then 0 end as days_estimated
from totals;

create table marts.mart_daily_organization_share as
with counted as (
    select snapshot_date, metric, window_days, attribution, country_code,
        case when is_person or country_code = 'XX' then '(other)' else organization end as organization,
        cast(sum(downloads) as bigint) as downloads
    from measured
    group by all
)
select
    *,
    round(downloads / sum(downloads) over (
        partition by snapshot_date, metric, attribution, country_code), 12) as share_of_country,
    round(downloads / sum(downloads) over (
        partition by snapshot_date, metric, attribution), 12) as share_of_total
from counted;

create table marts.mart_attribution_coverage as
select snapshot_date, attribution, basis, cast(0.8 as double) as classed_share, cast(0.7 as double) as located_share
from (select distinct snapshot_date, attribution from measured)
cross join (select unnest(['models', 'downloads', 'new_downloads']) as basis);

create table marts.mart_attribution_sensitivity as
with published as (
    select snapshot_date, metric, window_days, country_code, downloads, total_downloads, share
    from marts.mart_daily_country_share
    where metric = 'new_created' and attribution = 'uploader' and denominator = 'all'
), moved as (
    select snapshot_date, cast(sum(downloads) as bigint) as moved_downloads
    from measured
    where metric = 'new_created' and attribution = 'uploader' and organization = 'n10'
    group by all
), variants as (
    select unnest(['published', 'confidence_medium_or_higher', 'repackagers_at_home', 'other_country',
        'cn_hk_mo_together', 'moved:n10']) as variant
), counted as (
    select
        published.* replace (
            published.downloads + case
                when variant = 'moved:n10' and country_code = 'FR' then -moved_downloads
                when variant = 'moved:n10' and country_code = 'XX' then moved_downloads
                else 0
            end as downloads
        ),
        variant,
        case when variant = 'moved:n10' then 'n10' end as moved_organization,
        case when variant = 'moved:n10' then 'XX' end as moved_to
    from published
    inner join moved using (snapshot_date)
    cross join variants
)
select
    * replace (round(downloads / total_downloads, 12) as share),
    round(downloads / total_downloads, 12) - share as difference
from counted;

create table marts.mart_attribution_queue as
select 'n13' as namespace, 1000 as downloads, 0.1 as share, 100 as models, 'n13/model-13' as largest_model
union all
select 'n18', 500, 0.05, 100, 'n18/model-18';

create table marts.mart_headline_claims as
select
    claim as claim_id,
    'all' as part,
    snapshot_date,
    case when claim in (1, 3, 12) then 0.5 end as value,
    case when claim in (1, 3, 12) then null else 'one snapshot cannot tell' end as caveat
from (select distinct snapshot_date from landed) cross join (select unnest(range(1, 13)) as claim);

create table marts.dim_snapshots as
select
    snapshot_date,
    status,
    'none' as platform_event,
    'hub_api' as source,
    'live' as source_revision,
    cast(snapshot_date as timestamp) + interval 12 hour as captured_at,
    models,
    downloads_all_time,
    false as is_simulated
from staging.stg_hub__captures;

-- two releases of one organisation: of three variants, by the day of creation; of one, by first sight
create table marts.dim_models as
select
    repo_id,
    max(model_id) as model_id,
    min(snapshot_date) as first_seen_date,
    max(snapshot_date) as last_seen_date,
    min(created_at) as created_at,
    case when max(namespace) = 'n5-0' then 'Qwen' end as organization,
    case
        when max(model_id) in ('n5-0/model-5', 'n5-0/model-805', 'n5-0/model-1605') then 'Qwen3'
        when max(model_id) = 'n5-0/model-1' then 'Qwen4'
    end as family,
    case
        when max(model_id) in ('n5-0/model-5', 'n5-0/model-805', 'n5-0/model-1605')
            then (select min(repo_id) from staging.stg_hub__models where model_id = 'n5-0/model-5')
    end as release_id
from staging.stg_hub__models
group by repo_id;

create table marts.bridge_model_parents as
select distinct repo_id, parent_model_id from staging.stg_hub__model_parents;

create table marts.fct_releases as
select
    release_id,
    'Qwen' as organization,
    'Qwen3' as family,
    count(*) as variants,
    'correction' as release_date_source,
    date '2023-01-05' as released_at
from marts.dim_models
where release_id is not null
group by release_id;

create table marts.mart_weekly_release_frequency as select date '2026-10-05' as week_start, 'Qwen' as organization;

create table marts.mart_release_cadence as
select distinct snapshot_date, 'organization' as level, 'Qwen' as organization, 'CN' as country_code from landed;

create table marts.mart_relative_adoption as
select distinct '6ac43a0000000000000000c8' as repo_id, 7 as milestone_days from landed;

create table marts.dim_model_history as
select distinct repo_id, date '2026-10-06' as valid_from from staging.stg_hub__models;

create table marts.fct_daily_model_downloads as select snapshot_date, repo_id from staging.stg_hub__models;

create table marts.fct_daily_country_downloads as
select distinct snapshot_date, attribution, country_code, 'unknown' as account_type, true as is_new from measured;

create table marts.mart_country_crossovers as
select date '2026-10-06' as crossover_date, 'window' as metric, 30 as window_days, 'origin' as attribution,
    'CN' as leader_country_code, 'US' as passed_country_code;

create table marts.mart_daily_modality_share as
select distinct snapshot_date, metric, attribution, country_code, 'text' as modality from measured;

create table marts.mart_daily_openness as
select distinct snapshot_date, metric, attribution, country_code, 'custom' as openness, 'none' as gated from measured;

create table marts.mart_daily_size_share as
select distinct snapshot_date, metric, attribution, country_code, 'unknown' as size_class from measured;

create table marts.mart_daily_technique_share as
select distinct snapshot_date, metric, attribution, country_code, 'merge' as technique from measured;

create table marts.mart_daily_family_share as
select distinct snapshot_date, metric, attribution, 'Qwen' as organization, '(other)' as family from measured;

create table marts.mart_daily_concentration as
select distinct snapshot_date, metric, attribution, 'world' as scope, 'model' as entity from measured;

create table marts.mart_daily_lineage as
select distinct snapshot_date, metric, 'Qwen' as root_organization, 'CN' as origin_country, 'merge' as relation
from measured;

create table marts.mart_monthly_independent_players as
select distinct date_trunc('month', snapshot_date)::date as month, 'CN' as country_code, 100000 as threshold from landed;

create table marts.dim_countries as select * from seeds.countries;

create table marts.dim_events as select 'deepseek-r1' as event_id, date '2025-01-20' as event_date;

create table marts.dim_organizations as
select distinct
    namespace,
    date '1900-01-01' as valid_from,
    cast(null as date) as valid_to,
    namespace as organization,
    'organization' as account_type,
    uploader_country_code as country_code,
    uploader_country_code <> 'XX' as is_seeded
from intermediate.int_models_attributed
where not uploader_is_person
union all
select 'moved', date '1900-01-01', date '2025-01-01', 'moved', 'organization', 'FR', true
union all
select 'moved', date '2025-01-01', null, 'moved', 'organization', 'US', true;

create table marts.mart_restatements as
select '2026-10-06-one' as published_version, 'mart_headline_claims' as table_name, 'claim_id=1' as row_key;

create table marts.fct_alerts as select 'a' || range as alert_id from range(3);

create table marts.fct_quality_results as
select
    snapshot_date || '.' || step || '.' || table_name || '.' || check_name as evaluation_id,
    snapshot_date,
    step,
    table_name,
    check_name
from registered
cross join (select distinct snapshot_date from staging.stg_hub__models);

create table marts.mart_daily_quality_score as
select snapshot_date, 'raw' as step from marts.dim_snapshots;

create table marts.mart_promise_history as
select 'raw' as step, 'hub_models' as table_name, 'c' || range as check_name from range(3);
"""


def land_day(settings: Settings, day: date, *, rows: str = "select * from good", parts: int = 2) -> None:
    """Land a day. `rows` may replace the good ones (SQL over `good`, whose row number `i` isn't landed); manifest,
    capture and accounts follow from them."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        good = LANDED_MODELS.format(day=day, models=MODELS, days_later=(day - DAY).days)
        connection.execute(f"create table good as {good} order by i")
        connection.execute(f"create table landed as {rows}")
        folder = _folder(settings, "models", day)
        count = connection.execute("select count(*) from landed").fetchone()[0]
        size = -(-count // parts) or 1
        for part in range(parts):
            _write(connection, f"select * exclude (i) from landed limit {size} offset {part * size}", folder, part)
        (folder / "_manifest.json").write_text(json.dumps(MANIFEST | {"rows": count}))
        capture = "select 'complete' as status, count(*) as models, sum(downloadsAllTime)::bigint as downloads_all_time"
        _write(connection, f"{capture} from landed", _folder(settings, "captures", day))
        accounts = _folder(settings, "accounts", day)
        _write(connection, f"from ({ACCOUNTS}) order by namespace", accounts)
        count = connection.execute(f"select count(*) from ({ACCOUNTS})").fetchone()[0]
        (accounts / "_manifest.json").write_text(json.dumps(ACCOUNTS_MANIFEST | {"rows": count}))


def land_past(settings: Settings) -> None:
    """The manifests of the four weeks before the first landed day, from which bounds are learned."""
    for back in range(1, PAST_DAYS + 1):
        folder = _folder(settings, "models", DAY - timedelta(days=back))
        folder.mkdir(parents=True)
        (folder / "_manifest.json").write_text(json.dumps(MANIFEST))


def land_listing_day(settings: Settings, listing: str, day: date, *, rows: str = "select * from good") -> None:
    """Land a day of another listing, in two parts; `rows` as in `land_day`. Such a day has no capture and no accounts."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        models = LANDED_MODELS.format(day=day, models=MODELS, days_later=(day - DAY).days)
        connection.execute(f"create table models as {models} order by i")
        connection.execute(f"create table good as {LANDED_LISTINGS[listing]} order by i")
        connection.execute(f"create table landed as {rows}")
        count = connection.execute("select count(*) from landed").fetchone()[0]
        folder, size = _folder(settings, listing, day), -(-count // 2) or 1
        for part in range(2):
            _write(connection, f"select * exclude (i) from landed limit {size} offset {part * size}", folder, part)
        (folder / "_manifest.json").write_text(json.dumps({"listing": listing, "source": "hub_api", "rows": count}))


def build_warehouse(settings: Settings, days: list[date]) -> None:
    """The warehouse's tables for landed days, all promises kept."""
    settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("set timezone = 'UTC'")
        files = [str(_folder(settings, "models", day) / "*.parquet") for day in days]
        connection.execute(
            "create temp table landed as select * from read_parquet(?, hive_partitioning = true)", [files]
        )
        connection.execute("create temp table registered (step varchar, table_name varchar, check_name varchar)")
        connection.executemany(
            "insert into registered values (?, ?, ?)",
            [(s.step, s.table, p.check_name) for s in SUITES.values() for p in s.promises],
        )
        connection.execute(WAREHOUSE.format(countries=COUNTRIES, accounts=ACCOUNTS))


def copy_candidate(settings: Settings) -> Path:
    """A candidate database whose marts are the warehouse's."""
    path = settings.published_dir / "_candidates" / "one" / "observatory.duckdb"
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"attach '{settings.warehouse_path}' as warehouse (read_only)")
        connection.execute("create schema marts")
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'warehouse' and schema_name = 'marts'"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"create table marts.{table} as from warehouse.marts.{table}")
        _add_what_is_made_at_publication(connection, path.parent)
    return path


def _add_what_is_made_at_publication(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Examples, and the view over day files; without a place to fall back to, as this home is copied."""
    create_examples(connection, [Example("one", "Is it one?", "dim_models", "select 1")])
    (folder / FOLDER).mkdir(parents=True)
    connection.execute(
        f"copy marts.fct_daily_model_downloads to '{folder / FOLDER / f'{DAY}.parquet'}' (format parquet)"
    )
    connection.execute(f"set variable observatory = '{folder}'")
    connection.execute(
        f"create view marts.{VIEW} as select * from read_parquet(getvariable('observatory') || '/{FOLDER}/*.parquet')"
    )


def _folder(settings: Settings, listing: str, day: date) -> Path:
    return settings.landing_dir / listing / f"snapshot_date={day}"


def _write(connection: duckdb.DuckDBPyConnection, query: str, folder: Path, part: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute(f"copy ({query}) to '{folder / f'part-{part:05d}.parquet'}' (format parquet)")
