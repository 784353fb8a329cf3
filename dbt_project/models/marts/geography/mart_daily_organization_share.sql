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

with

snapshot_sums as (

    select * from {{ ref('int_metric_downloads_summed') }}

),

windows as (

    select * from {{ ref('int_windows_restated') }}

),

window_sums as (

    select window_sums.*
    from {{ ref('int_window_downloads_summed') }} as window_sums
    inner join windows
        on
            window_sums.snapshot_date = windows.snapshot_date
            and window_sums.window_days = windows.window_days

),

sums as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        organization,
        downloads
    from snapshot_sums
    union all
    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        organization,
        downloads
    from window_sums

),

totals as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        cast(sum(downloads) as bigint) as total_downloads
    from sums
    group by snapshot_date, metric, window_days, attribution

),

country_totals as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        cast(sum(downloads) as bigint) as country_downloads
    from sums
    group by snapshot_date, metric, window_days, attribution, country_code

),

by_organization as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        organization,
        cast(sum(downloads) as bigint) as downloads
    from sums
    group by
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        organization

),

-- persons, unlocated accounts and lineages with several organisations have no
-- organisation here; the small ones join them
named as (

    select
        by_organization.snapshot_date,
        by_organization.metric,
        by_organization.window_days,
        by_organization.attribution,
        by_organization.country_code,
        by_organization.downloads,
        case
            when
                by_organization.organization is null
                or by_organization.downloads
                < {{ var('organization_share_floor') }} * totals.total_downloads
                then '(other)'
            else by_organization.organization
        end as organization
    from by_organization
    inner join totals
        on
            by_organization.snapshot_date = totals.snapshot_date
            and by_organization.metric = totals.metric
            and by_organization.window_days = totals.window_days
            and by_organization.attribution = totals.attribution

),

folded as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        organization,
        cast(sum(downloads) as bigint) as downloads
    from named
    group by
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        organization

),

final as (

    select
        folded.snapshot_date,
        folded.metric,
        folded.window_days,
        folded.attribution,
        folded.country_code,
        folded.organization,
        folded.downloads,
        {{ share_of('folded.downloads', 'country_totals.country_downloads') }}
            as share_of_country,
        {{ share_of('folded.downloads', 'totals.total_downloads') }}
            as share_of_total
    from folded
    inner join totals
        on
            folded.snapshot_date = totals.snapshot_date
            and folded.metric = totals.metric
            and folded.window_days = totals.window_days
            and folded.attribution = totals.attribution
    inner join country_totals
        on
            folded.snapshot_date = country_totals.snapshot_date
            and folded.metric = country_totals.metric
            and folded.window_days = country_totals.window_days
            and folded.attribution = country_totals.attribution
            and folded.country_code = country_totals.country_code

)

select * from final
