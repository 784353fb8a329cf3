{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [rows_in('int_days_of_run', listed='is_of_run')]},
        on_schema_change='fail',
    )
}}

-- says which rows are taken out before
-- depends_on: {{ ref('int_days_of_run') }}

with

models as (

    select * from {{ ref('int_models_attributed') }}

),

final as (

    select
        snapshot_date,
        uploader_organization as organization,
        uploader_parent_organization as parent_organization,
        uploader_country_code as country_code,
        uploader_organization_type as organization_type,
        cast(sum(downloads_30d) as bigint) as downloads_30d,
        cast(count(*) as bigint) as models
    from models
    where
        not uploader_is_person
        and {{ is_country('uploader_country_code') }}
    group by
        snapshot_date,
        uploader_organization,
        uploader_parent_organization,
        uploader_country_code,
        uploader_organization_type

)

select * from final
