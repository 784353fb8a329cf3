{# Reads several models; in Dagster it is a check on this one. #}
{{ config(meta={'dagster': {'ref': {'name': 'mart_daily_country_share'}}}) }}

-- A window of downloads is its days' downloads, and a day's are its repositories', to the unit; so are the corrections.
with

shares as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(correction_downloads) as bigint) as correction_downloads
    from {{ ref('mart_daily_country_share') }}
    where
        {{ in_snapshot_dates() }}
        and denominator = 'all'
        and metric in ('new_rolling', 'window')
    group by snapshot_date, metric, window_days, attribution

),

days as (

    select
        snapshot_date,
        attribution,
        is_new,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(correction_downloads) as bigint) as correction_downloads
    from {{ ref('fct_daily_country_downloads') }}
    group by snapshot_date, attribution, is_new

),

summed as (

    select
        shares.snapshot_date,
        shares.metric,
        shares.window_days,
        shares.attribution,
        shares.downloads,
        shares.correction_downloads,
        cast(sum(days.downloads) as bigint) as expected_downloads,
        cast(sum(days.correction_downloads) as bigint) as expected_corrections
    from shares
    inner join days
        on
            shares.attribution = days.attribution
            and shares.snapshot_date >= days.snapshot_date
            and {{ dbt.datediff(
                'days.snapshot_date', 'shares.snapshot_date', 'day'
            ) }} < shares.window_days
            and (shares.metric = 'window' or days.is_new)
    group by
        shares.snapshot_date,
        shares.metric,
        shares.window_days,
        shares.attribution,
        shares.downloads,
        shares.correction_downloads

),

repositories as (

    select
        snapshot_date,
        cast(sum(downloads) as bigint) as downloads
    from {{ ref('fct_daily_model_downloads') }}
    where {{ in_snapshot_dates() }}
    group by snapshot_date

),

countries as (

    select
        snapshot_date,
        attribution,
        cast(sum(downloads) as bigint) as downloads
    from days
    where {{ in_snapshot_dates() }}
    group by snapshot_date, attribution

)

select
    snapshot_date,
    metric,
    window_days,
    attribution,
    downloads,
    expected_downloads
from summed
where
    downloads <> expected_downloads
    or correction_downloads <> expected_corrections
union all
select
    countries.snapshot_date,
    'daily' as metric,
    1 as window_days,
    countries.attribution,
    countries.downloads,
    repositories.downloads as expected_downloads
from countries
inner join repositories
    on countries.snapshot_date = repositories.snapshot_date
where countries.downloads <> coalesce(repositories.downloads, 0)
