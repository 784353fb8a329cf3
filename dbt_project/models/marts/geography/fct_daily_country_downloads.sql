{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [rows_in('int_days_restated')]},
        on_schema_change='fail',
    )
}}

with

restated as (

    select distinct snapshot_date
    from {{ ref('int_days_restated') }}

),

snapshots as (

    select
        snapshot_date,
        platform_event
    from {{ ref('int_snapshots_classified') }}

),

downloads as (

    select
        downloads.*,
        case
            when snapshots.platform_event = 'recounted' then downloads.downloads
            else downloads.negative_downloads
        end as correction_downloads
    from {{ ref('int_downloads_summed') }} as downloads
    inner join restated
        on downloads.snapshot_date = restated.snapshot_date
    inner join snapshots
        on downloads.moving_date = snapshots.snapshot_date

),

final as (

    select
        snapshot_date,
        attribution,
        country_code,
        account_type,
        is_new,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(correction_downloads) as bigint) as correction_downloads,
        cast(sum(models) as bigint) as models
    from downloads
    group by snapshot_date, attribution, country_code, account_type, is_new

)

select * from final
