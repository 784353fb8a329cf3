{# Definition 6 in one place: what a repository's counter says about each calendar day. One slice a day, written again
   only where a day of this run changes it. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [
            rows_in('int_days_restated', listed="extent = 'wholly'"),
            rows_in(
                'int_days_restated',
                listed="extent = 'openings'",
                only="delta_status in ('first_seen', 'reappeared')",
            ),
        ]},
        on_schema_change='fail',
    )
}}

with

restated as (

    select * from {{ ref('int_days_restated') }}

),

snapshots as (

    select * from {{ ref('int_snapshots_classified') }}

),

repositories as (

    select * from {{ ref('int_repositories_keyed') }}

),

changes as (

    select * from {{ ref('int_model_changes') }}

),

openings as (

    select openings.*
    from {{ ref('int_model_openings') }} as openings
    inner join restated
        on openings.snapshot_date = restated.snapshot_date
    where
        restated.extent = 'wholly'
        or (restated.extent = 'openings' and openings.delta_status <> 'vanished')

),

counters as (

    select
        counters.snapshot_date,
        repositories.repo_key,
        counters.downloads_all_time
    from {{ ref('stg_hub__counters') }} as counters
    inner join repositories
        on counters.repo_id = repositories.repo_id

),

-- days on which the counters moved, with the one before; the first has none
moving_days as (

    select
        snapshots.snapshot_date,
        snapshots.base_date
    from snapshots
    inner join restated
        on snapshots.snapshot_date = restated.snapshot_date
    where
        restated.extent = 'wholly'
        and snapshots.is_moving
        and snapshots.base_date is not null

),

-- what came into sight since the day before that counts from there
opened_since as (

    select
        moving_days.snapshot_date as moving_date,
        changes.repo_key,
        max(changes.snapshot_date) as opened_date
    from moving_days
    inner join changes
        on
            moving_days.base_date < changes.snapshot_date
            and moving_days.snapshot_date >= changes.snapshot_date
    where changes.change = 'opened'
    group by moving_days.snapshot_date, changes.repo_key

),

baselines as (

    select
        moving_days.snapshot_date as moving_date,
        counters.repo_key,
        counters.snapshot_date as baseline_date,
        counters.downloads_all_time as baseline
    from moving_days
    inner join counters
        on moving_days.base_date = counters.snapshot_date
    left join opened_since
        on
            moving_days.snapshot_date = opened_since.moving_date
            and counters.repo_key = opened_since.repo_key
    where opened_since.repo_key is null
    union all
    select
        opened_since.moving_date,
        opened_since.repo_key,
        opened_since.opened_date as baseline_date,
        changes.counter as baseline
    from opened_since
    inner join changes
        on
            opened_since.repo_key = changes.repo_key
            and opened_since.opened_date = changes.snapshot_date
    where opened_since.opened_date < opened_since.moving_date

),

differences as (

    select
        baselines.moving_date,
        baselines.repo_key,
        baselines.baseline_date,
        counters.downloads_all_time - baselines.baseline as downloads,
        {{ dbt.datediff(
            'baselines.baseline_date', 'baselines.moving_date', 'day'
        ) }} as days_spanned
    from baselines
    inner join counters
        on
            baselines.moving_date = counters.snapshot_date
            and baselines.repo_key = counters.repo_key
    where counters.downloads_all_time <> baselines.baseline

),

of_one_day as (

    select
        moving_date as snapshot_date,
        repo_key,
        moving_date,
        case when downloads < 0 then 'negative' else 'ok' end as delta_status,
        downloads,
        cast(1 as integer) as days_spanned
    from differences
    where days_spanned = 1

),

-- whole downloads on each day, toward zero; what is left over on the latest
spread as (

    select
        snapshots.snapshot_date,
        differences.repo_key,
        differences.moving_date,
        'gap_spread' as delta_status,
        cast(
            (
                differences.downloads
                - mod(differences.downloads, differences.days_spanned)
            ) / differences.days_spanned as bigint
        )
        + case
            when snapshots.snapshot_date = differences.moving_date
                then mod(differences.downloads, differences.days_spanned)
            else 0
        end as downloads,
        cast(differences.days_spanned as integer) as days_spanned
    from differences
    inner join snapshots
        on
            differences.baseline_date < snapshots.snapshot_date
            and differences.moving_date >= snapshots.snapshot_date
    where differences.days_spanned > 1

),

counted as (

    select * from of_one_day
    union all
    select *
    from spread
    where downloads <> 0
    union all
    select
        snapshot_date,
        repo_key,
        snapshot_date as moving_date,
        delta_status,
        downloads,
        days_spanned
    from openings

),

-- attributed as it was observed on the day, or last before it
last_changes as (

    select
        counted.snapshot_date as observed_date,
        counted.repo_key,
        max(changes.snapshot_date) as snapshot_date
    from counted
    inner join changes
        on
            counted.repo_key = changes.repo_key
            and counted.snapshot_date >= changes.snapshot_date
    group by counted.snapshot_date, counted.repo_key

),

dated as (

    select
        counted.*,
        cast(
            greatest(
                {{ dbt.datediff(
                    'repositories.created_date', 'counted.snapshot_date', 'day'
                ) }},
                0
            ) as integer
        ) as age_days_or_zero,
        repositories.created_date,
        repositories.is_created_at_floor,
        changes.attribution_key
    from counted
    inner join repositories
        on counted.repo_key = repositories.repo_key
    inner join last_changes
        on
            counted.snapshot_date = last_changes.observed_date
            and counted.repo_key = last_changes.repo_key
    inner join changes
        on
            last_changes.repo_key = changes.repo_key
            and last_changes.snapshot_date = changes.snapshot_date

),

final as (

    select
        snapshot_date,
        repo_key,
        moving_date,
        delta_status,
        downloads,
        days_spanned,
        case when created_date is not null then age_days_or_zero end as age_days,
        coalesce(
            created_date is not null
            and age_days_or_zero < {{ var('new_model_days') }}
            and not is_created_at_floor,
            false
        ) as is_new,
        attribution_key
    from dated

)

select * from final
