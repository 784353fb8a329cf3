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

    select * from {{ ref('int_models_attributed') }}

),

totals as (

    select
        snapshot_date,
        cast(sum(downloads_30d) as bigint) as downloads
    from models
    group by snapshot_date

),

unlocated_models as (

    select
        *,
        lower(namespace) as namespace_key,
        row_number() over (
            partition by snapshot_date, lower(namespace)
            order by downloads_30d desc, repo_id
        ) as size_position
    from models
    where uploader_country_code = 'XX'

),

namespaces as (

    select
        snapshot_date,
        namespace_key,
        min(namespace) as namespace,
        cast(sum(downloads_30d) as bigint) as downloads,
        cast(count(*) as bigint) as models,
        max(case when size_position = 1 then model_id end) as largest_model
    from unlocated_models
    group by snapshot_date, namespace_key

),

ranked as (

    select
        namespaces.snapshot_date,
        namespaces.namespace,
        namespaces.downloads,
        {{ share_of('namespaces.downloads', 'totals.downloads') }} as share,
        namespaces.models,
        namespaces.largest_model,
        row_number() over (
            partition by namespaces.snapshot_date
            order by namespaces.downloads desc, namespaces.namespace_key
        ) as position
    from namespaces
    inner join totals
        on namespaces.snapshot_date = totals.snapshot_date

),

final as (

    select
        snapshot_date,
        position,
        namespace,
        downloads,
        share,
        models,
        largest_model
    from ranked
    where position <= {{ var('attribution_queue_length') }}

)

select * from final
