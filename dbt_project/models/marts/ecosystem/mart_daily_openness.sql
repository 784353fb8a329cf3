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

{{ composition_by(['openness', 'gated']) }},

final as (

    select
        counted.snapshot_date,
        counted.metric,
        counted.attribution,
        counted.country_code,
        counted.openness,
        counted.gated,
        counted.downloads,
        {{ share_of('counted.downloads', 'country_totals.downloads') }}
            as share_of_country,
        counted.models
    from counted
    {{ join_country_totals('counted') }}

)

select * from final
