-- One row per metric, window, attribution, denominator and country of the day.
-- `expected` works the totals out again from the attributed models, for the metrics that one snapshot is enough for.
with

models as (
    select *
    from intermediate.int_models_attributed
    where snapshot_date = getvariable('day')
),

attributed as (
    select
        'uploader' as attribution,
        uploader_country_code as country_code,
        uploader_is_person as is_person,
        is_new,
        downloads_30d,
        downloads_all_time
    from models
    union all
    select
        'origin' as attribution,
        origin_country_code as country_code,
        origin_is_person as is_person,
        is_new,
        downloads_30d,
        downloads_all_time
    from models
),

measured as (
    select 'all_time' as metric, *, downloads_all_time as downloads from attributed
    union all
    select 'new_created' as metric, *, downloads_all_time as downloads from attributed where is_new
    union all
    select 'trailing_30d' as metric, *, downloads_30d as downloads from attributed
    union all
    select 'new_trailing_30d' as metric, *, downloads_30d as downloads from attributed where is_new
),

denominators as (
    select unnest(['all', 'organizations', 'located']) as denominator
),

expected as (
    select
        measured.metric,
        measured.attribution,
        denominators.denominator,
        cast(coalesce(sum(measured.downloads), 0) as bigint) as expected_downloads
    from measured
    cross join denominators
    left join seeds.countries as countries
        on measured.country_code = countries.country_code
    where
        denominators.denominator = 'all'
        or (denominators.denominator = 'organizations' and not coalesce(measured.is_person, false))
        or (denominators.denominator = 'located' and not countries.is_user_assigned)
    group by measured.metric, measured.attribution, denominators.denominator
),

subject as (
    select
        shares.*,
        -- counters that the Hub took back can bring a country's sum, and so a share, below zero
        coalesce(bool_or(shares.correction_downloads <> 0) over (
            partition by shares.metric, shares.window_days, shares.attribution, shares.denominator
        ), false) as is_corrected,
        countries.country_code is not null as is_country_known,
        coalesce(countries.is_user_assigned, true) as is_user_assigned
    from marts.mart_daily_country_share as shares
    left join seeds.countries as countries
        on shares.country_code = countries.country_code
    where shares.snapshot_date = getvariable('day')
),

groups as (
    select
        metric,
        window_days,
        attribution,
        denominator,
        cast(sum(downloads) as bigint) as downloads,
        min(total_downloads) as lowest_total,
        max(total_downloads) as highest_total,
        sum(share) as shares,
        min(rank) as best_rank,
        count(*) filter (where not is_user_assigned) as located_countries,
        max(share) filter (where country_code = 'CN')
        / nullif(max(share) filter (where country_code = 'US'), 0) as cn_per_us
    from subject
    group by metric, window_days, attribution, denominator
),

totals as (
    select
        expected.metric,
        expected.attribution,
        expected.denominator,
        expected.expected_downloads,
        groups.downloads
    from expected
    left join groups
        on
            expected.metric = groups.metric
            and expected.attribution = groups.attribution
            and expected.denominator = groups.denominator
),

ratios as (
    select
        metric,
        window_days,
        attribution,
        min(cn_per_us) as lowest_cn_per_us,
        max(cn_per_us) as highest_cn_per_us
    from groups
    group by metric, window_days, attribution
),

numerators as (
    select
        metric,
        window_days,
        attribution,
        country_code,
        min(downloads) as lowest_downloads,
        max(downloads) as highest_downloads
    from subject
    where not is_user_assigned
    group by metric, window_days, attribution, country_code
)
