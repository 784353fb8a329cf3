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

    select * from {{ ref('int_country_downloads_summed') }}

),

totals as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        denominator,
        cast(sum(downloads) as bigint) as total_downloads,
        cast(sum(outlier_downloads) as bigint) as total_outlier_downloads,
        cast(sum(top_downloads) as bigint) as total_top_downloads
    from by_country
    group by snapshot_date, metric, window_days, attribution, denominator

),

unattributed as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        downloads
    from by_country
    where
        denominator = 'all'
        and country_code = 'XX'

),

joined as (

    select
        by_country.*,
        totals.total_downloads,
        totals.total_outlier_downloads,
        totals.total_top_downloads,
        coalesce(unattributed.downloads, 0) as unattributed_downloads,
        case
            when by_country.denominator = 'located'
                then coalesce(unattributed.downloads, 0)
            else 0
        end as unattributed_outside
    from by_country
    inner join totals
        on
            by_country.snapshot_date = totals.snapshot_date
            and by_country.metric = totals.metric
            and by_country.window_days = totals.window_days
            and by_country.attribution = totals.attribution
            and by_country.denominator = totals.denominator
    left join unattributed
        on
            by_country.snapshot_date = unattributed.snapshot_date
            and by_country.metric = unattributed.metric
            and by_country.window_days = unattributed.window_days
            and by_country.attribution = unattributed.attribution

),

final as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        denominator,
        country_code,
        downloads,
        total_downloads,
        {{ share_of('downloads', 'total_downloads') }} as share,
        case
            when {{ is_country('country_code') }}
                then cast(
                    rank() over (
                        partition by
                            snapshot_date,
                            metric,
                            window_days,
                            attribution,
                            denominator,
                            {{ is_country('country_code') }}
                        order by downloads desc
                    ) as integer
                )
        end as rank,
        case
            when country_code <> 'XX'
                then {{ share_of(
                    'downloads',
                    '(total_downloads + unattributed_outside)',
                ) }}
        end as share_low,
        case
            when country_code <> 'XX'
                then {{ share_of(
                    '(downloads + unattributed_downloads)',
                    '(total_downloads + unattributed_outside)',
                ) }}
        end as share_high,
        {{ share_of(
            '(downloads - top_downloads)',
            '(total_downloads - total_top_downloads)',
        ) }} as share_without_top_repository,
        {{ share_of(
            '(downloads - outlier_downloads)',
            '(total_downloads - total_outlier_downloads)',
        ) }} as share_without_outliers,
        correction_downloads,
        days_estimated,
        models
    from joined

)

select * from final
