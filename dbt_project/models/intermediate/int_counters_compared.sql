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

days as (

    select * from {{ ref('int_days_of_run') }}

),

compared_days as (

    select
        days.snapshot_date,
        days.previous_date,
        coalesce(
            captures.counters_date = previous_captures.counters_date, false
        ) as is_same_counters_day
    from days
    inner join captures
        on days.snapshot_date = captures.snapshot_date
    left join captures as previous_captures
        on days.previous_date = previous_captures.snapshot_date

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
        {{ median('relative_change') }} as median_relative_change
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
