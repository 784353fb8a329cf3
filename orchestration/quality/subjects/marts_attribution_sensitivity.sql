-- One row per variant and country of the day.
-- `published` has the headline's own shares: of the year of daily downloads where history covers it, else of the stand-in.
with

shares as (
    select *
    from marts.mart_daily_country_share
    where
        snapshot_date = getvariable('day')
        and metric in ('new_rolling', 'new_created')
        and window_days = 365
        and attribution = 'uploader'
        and denominator = 'all'
        and share is not null
),

published as (
    select *
    from shares
    where metric = (select max(metric) from shares)
),

subject as (
    select
        variants.*,
        coalesce(published.share, 0) as published_share,
        countries.country_code is not null as is_country_known
    from marts.mart_attribution_sensitivity as variants
    left join published
        on variants.country_code = published.country_code
    left join seeds.countries as countries
        on variants.country_code = countries.country_code
    where variants.snapshot_date = getvariable('day')
),

totals as (
    select
        variant,
        cast(sum(downloads) as bigint) as downloads,
        min(total_downloads) as lowest_total,
        max(total_downloads) as highest_total,
        (select max(total_downloads) from published) as published_total
    from subject
    group by variant
),

unmoved as (
    select
        coalesce(unchanged.country_code, published.country_code) as country_code,
        unchanged.metric,
        published.metric as published_metric,
        unchanged.downloads,
        published.downloads as published_downloads,
        unchanged.share,
        published.share as published_share
    from (select * from subject where variant = 'published') as unchanged
    full join published
        on unchanged.country_code = published.country_code
)
