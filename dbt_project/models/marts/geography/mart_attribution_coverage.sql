{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='snapshot_date',
        on_schema_change='fail',
    )
}}

with

sums as (

    select * from {{ ref('int_metric_downloads_summed') }}

),

by_basis as (

    select
        snapshot_date,
        attribution,
        country_code,
        'models' as basis,
        models as weight
    from sums
    where metric = 'trailing_30d'
    union all
    select
        snapshot_date,
        attribution,
        country_code,
        'downloads' as basis,
        downloads as weight
    from sums
    where metric = 'trailing_30d'
    union all
    select
        snapshot_date,
        attribution,
        country_code,
        'new_downloads' as basis,
        downloads as weight
    from sums
    where metric = 'new_trailing_30d'

),

final as (

    select
        snapshot_date,
        attribution,
        basis,
        {{ share_of(
            "sum(case when country_code <> 'XX' then weight else 0 end)",
            'sum(weight)',
        ) }} as classed_share,
        {{ share_of(
            "sum(case when country_code not in ('XC', 'XM', 'XX') then weight else 0 end)",
            'sum(weight)',
        ) }} as located_share
    from by_basis
    group by snapshot_date, attribution, basis

)

select * from final
