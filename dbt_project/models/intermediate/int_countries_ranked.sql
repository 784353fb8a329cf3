{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [snapshot_metrics_of_run(), windows_restated()]},
        on_schema_change='fail',
    )
}}

-- say which rows are taken out before
-- depends_on: {{ ref('int_days_of_run') }}
-- depends_on: {{ ref('int_windows_restated') }}

with

by_country as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        downloads,
        cast(
            sum(downloads) over (
                partition by snapshot_date, metric, window_days, attribution
            ) as bigint
        ) as total_downloads
    from {{ ref('int_country_downloads_summed') }}
    where denominator = 'all'

),

ranked as (

    select
        *,
        cast(
            rank() over (
                partition by snapshot_date, metric, window_days, attribution
                order by downloads desc
            ) as integer
        ) as rank
    from by_country
    where {{ is_country('country_code') }}

),

final as (

    select *
    from ranked
    where rank <= {{ var('crossover_top_countries') }}

)

select * from final
