{# Reads several models; in Dagster it is a check on this one. #}
{{ config(meta={'dagster': {'ref': {'name': 'mart_daily_organization_share'}}}) }}

-- Σ organisations, with `(other)`, is their country's downloads, to the unit; and no country lacks them.
with

organizations as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        cast(sum(downloads) as bigint) as downloads
    from {{ ref('mart_daily_organization_share') }}
    where {{ in_snapshot_dates() }}
    group by snapshot_date, metric, window_days, attribution, country_code

),

countries as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        country_code,
        downloads
    from {{ ref('mart_daily_country_share') }}
    where
        {{ in_snapshot_dates() }}
        and denominator = 'all'

)

select
    coalesce(countries.snapshot_date, organizations.snapshot_date) as snapshot_date,
    coalesce(countries.metric, organizations.metric) as metric,
    coalesce(countries.window_days, organizations.window_days) as window_days,
    coalesce(countries.attribution, organizations.attribution) as attribution,
    coalesce(countries.country_code, organizations.country_code) as country_code,
    countries.downloads as country_downloads,
    organizations.downloads as organization_downloads
from countries
full outer join organizations
    on
        countries.snapshot_date = organizations.snapshot_date
        and countries.metric = organizations.metric
        and countries.window_days = organizations.window_days
        and countries.attribution = organizations.attribution
        and countries.country_code = organizations.country_code
where coalesce(countries.downloads, -1) <> coalesce(organizations.downloads, -2)
