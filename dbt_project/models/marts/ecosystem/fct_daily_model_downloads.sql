{# The last 30 days: what is older lies in the warehouse under the repository's number, too large to be copied daily. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [rows_in('int_days_restated', listed="extent <> 'event'")]},
        post_hook="{{ delete_days_before_last(30) }}",
        on_schema_change='fail',
    )
}}

-- read by the hook that lets older days go
-- depends_on: {{ ref('int_snapshots_classified') }}

with

downloads as (

    select downloads.*
    from {{ ref('int_model_downloads_daily') }} as downloads
    inner join {{ ref('int_days_restated') }} as restated
        on downloads.snapshot_date = restated.snapshot_date
    where restated.extent <> 'event'

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
