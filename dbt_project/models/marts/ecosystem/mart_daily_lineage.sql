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

sums as (

    select * from {{ ref('int_derivatives_summed') }}

),

totals as (

    select
        snapshot_date,
        metric,
        cast(sum(downloads) as bigint) as downloads
    from sums
    group by snapshot_date, metric

),

by_root as (

    select
        snapshot_date,
        metric,
        root_organization,
        origin_country_code as origin_country,
        relation,
        cast(sum(derivatives) as bigint) as derivatives,
        cast(sum(new_derivatives) as bigint) as new_derivatives,
        cast(sum(downloads) as bigint) as downloads,
        cast(
            sum(case when is_repackaged then downloads else 0 end) as bigint
        ) as repackaged_downloads
    from sums
    group by
        snapshot_date,
        metric,
        root_organization,
        origin_country_code,
        relation

),

final as (

    select
        by_root.snapshot_date,
        by_root.metric,
        by_root.root_organization,
        by_root.origin_country,
        by_root.relation,
        by_root.derivatives,
        by_root.new_derivatives,
        by_root.downloads,
        {{ share_of('by_root.downloads', 'totals.downloads') }} as share,
        by_root.repackaged_downloads,
        {{ share_of('by_root.repackaged_downloads', 'by_root.downloads') }}
            as repackaged_share
    from by_root
    inner join totals
        on
            by_root.snapshot_date = totals.snapshot_date
            and by_root.metric = totals.metric

)

select * from final
