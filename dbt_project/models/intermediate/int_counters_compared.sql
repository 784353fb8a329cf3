{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='snapshot_date',
        on_schema_change='fail',
    )
}}

with

captures as (

    select * from {{ ref('stg_hub__captures') }}

),

counters as (

    select * from {{ ref('stg_hub__counters') }}

),

complete_days as (

    select
        snapshot_date,
        counters_date,
        lag(snapshot_date) over (order by snapshot_date) as previous_date,
        lag(counters_date) over (order by snapshot_date)
            as previous_counters_date
    from captures
    where status = 'complete'

),

read_days as (

    select distinct snapshot_date from counters

),

-- days whose predecessor was read as well, and the first day of all
compared_days as (

    select
        complete_days.snapshot_date,
        complete_days.previous_date,
        coalesce(
            complete_days.counters_date
            = complete_days.previous_counters_date,
            false
        ) as is_same_counters_day
    from complete_days
    inner join read_days
        on complete_days.snapshot_date = read_days.snapshot_date
    left join read_days as previous_days
        on complete_days.previous_date = previous_days.snapshot_date
    where
        complete_days.previous_date is null
        or previous_days.snapshot_date is not null

),

-- two captures of one counters' day give no delta, so nothing to compare
changes as (

    select
        compared_days.snapshot_date,
        cast(counters.downloads_all_time - previous.downloads_all_time as double)
        / previous.downloads_all_time as relative_change
    from compared_days
    inner join counters as previous
        on compared_days.previous_date = previous.snapshot_date
    inner join counters
        on
            compared_days.snapshot_date = counters.snapshot_date
            and previous.repo_id = counters.repo_id
    where
        not compared_days.is_same_counters_day
        and previous.downloads_all_time
        >= {{ var('platform_event_minimum_downloads') }}

),

summarised as (

    select
        snapshot_date,
        cast(count(*) as bigint) as tracked_models,
        {{ share_of(
            'sum(case when relative_change = 0 then 1 else 0 end)',
            'count(*)',
        ) }} as unchanged_share,
        round({{ median('relative_change') }}, 12) as median_relative_change
    from changes
    group by snapshot_date

),

final as (

    select
        compared_days.snapshot_date,
        compared_days.previous_date,
        compared_days.is_same_counters_day,
        coalesce(summarised.tracked_models, 0) as tracked_models,
        summarised.unchanged_share,
        summarised.median_relative_change
    from compared_days
    left join summarised
        on compared_days.snapshot_date = summarised.snapshot_date

)

select * from final
