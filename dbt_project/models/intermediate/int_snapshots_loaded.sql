{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='snapshot_date',
        on_schema_change='fail',
    )
}}

with

models as (

    select * from {{ ref('stg_hub__models') }}

),

totals as (

    select
        snapshot_date,
        cast(count(*) as bigint) as models,
        cast(sum(coalesce(downloads_30d, 0)) as bigint) as downloads_30d,
        cast(sum(coalesce(downloads_all_time, 0)) as bigint)
            as downloads_all_time,
        count(downloads_all_time) > 0 as has_counters
    from models
    group by snapshot_date

)

select * from totals
