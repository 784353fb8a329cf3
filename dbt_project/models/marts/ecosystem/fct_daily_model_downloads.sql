{# What is older lies in the warehouse under the repository's number, too large to be copied daily. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [
            rows_in('int_days_restated', listed="extent <> 'event'"),
            rows_in('int_snapshots_classified', listed='not is_recent'),
        ]},
        on_schema_change='fail',
    )
}}

with

downloads as (

    select downloads.*
    from {{ ref('int_model_downloads_daily') }} as downloads
    inner join {{ ref('int_days_restated') }} as restated
        on downloads.snapshot_date = restated.snapshot_date
    inner join {{ ref('int_snapshots_classified') }} as snapshots
        on downloads.snapshot_date = snapshots.snapshot_date
    where
        restated.extent <> 'event'
        and snapshots.is_recent

),

repositories as (

    select
        repo_id,
        repo_key
    from {{ ref('int_repositories_keyed') }}

),

final as (

    select
        downloads.snapshot_date,
        repositories.repo_id,
        downloads.downloads,
        downloads.delta_status,
        downloads.days_spanned,
        downloads.age_days
    from downloads
    inner join repositories
        on downloads.repo_key = repositories.repo_key

)

select * from final
