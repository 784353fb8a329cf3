-- One row per metric, window, attribution, country and organisation of the day.
with

corrected as (
    select
        metric,
        window_days,
        attribution,
        bool_or(correction_downloads <> 0) as is_corrected
    from marts.mart_daily_country_share
    where snapshot_date = getvariable('day') and denominator = 'all'
    group by metric, window_days, attribution
),

subject as (
    select
        shares.*,
        coalesce(corrected.is_corrected, false) as is_corrected
    from marts.mart_daily_organization_share as shares
    left join corrected
        on
            shares.metric = corrected.metric
            and shares.window_days = corrected.window_days
            and shares.attribution = corrected.attribution
    where shares.snapshot_date = getvariable('day')
),

organizations as (
    select
        metric,
        window_days,
        attribution,
        country_code,
        cast(sum(downloads) as bigint) as downloads,
        sum(share_of_country) as shares_of_country
    from subject
    group by metric, window_days, attribution, country_code
),

countries as (
    select
        metric,
        window_days,
        attribution,
        country_code,
        downloads
    from marts.mart_daily_country_share
    where snapshot_date = getvariable('day') and denominator = 'all'
),

sums as (
    select
        coalesce(countries.metric, organizations.metric) as metric,
        coalesce(countries.attribution, organizations.attribution) as attribution,
        coalesce(countries.country_code, organizations.country_code) as country_code,
        countries.downloads as country_downloads,
        organizations.downloads as organization_downloads,
        organizations.shares_of_country
    from countries
    full join organizations
        on
            countries.metric = organizations.metric
            and countries.window_days = organizations.window_days
            and countries.attribution = organizations.attribution
            and countries.country_code = organizations.country_code
)
