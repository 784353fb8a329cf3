-- One row per metric, window, attribution, denominator and country of the day.
-- `expected` works the totals out again from the attributed models, for the metrics that one snapshot is enough for.
-- `moves` has each country beside itself on the last landed day, with what would explain a jump.
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
),

-- windows have rows of days that were not captured, too: a day after a gap is compared across it
earlier as (
    select distinct shares.snapshot_date
    from marts.mart_daily_country_share as shares
    inner join marts.dim_snapshots as snapshots
        on shares.snapshot_date = snapshots.snapshot_date
    where
        shares.snapshot_date < getvariable('day')
        and snapshots.status = 'complete'
    order by shares.snapshot_date desc
    limit 2
),

-- `previous` is null on the first day, and then nothing is compared
days as (
    select
        *,
        (select max(snapshot_date) from earlier) as previous,
        (select min(snapshot_date) from earlier having count(*) = 2) as one_before
    from marts.dim_snapshots
),

-- what is true of both days, whatever country moved
causes_of_days as (
    select
        any_value(previous) as previous,
        any_value(one_before) as one_before,
        concat_ws(
            '; ',
            case
                when any_value(previous) < getvariable('day') - 1
                    then date_diff('day', any_value(previous), getvariable('day')) || ' days apart'
            end,
            case
                when count(distinct source) filter (snapshot_date in (previous, getvariable('day'))) > 1
                    then 'another source'
            end,
            string_agg(
                'platform event ' || platform_event || ' on ' || snapshot_date, '; ' order by snapshot_date
            ) filter (snapshot_date in (previous, getvariable('day')) and platform_event <> 'none')
        ) as causes
    from days
),

-- what the version that readers see knew of both days
causes_of_loading as (
    select
        string_agg(
            case
                when published.status is distinct from days.status then 'late day ' || days.snapshot_date
                else 'day loaded again ' || days.snapshot_date
            end,
            '; ' order by days.snapshot_date
        ) as causes
    from days
    left join published_snapshots as published
        on days.snapshot_date = published.snapshot_date
    where
        days.snapshot_date in (days.previous, getvariable('day'))
        and days.snapshot_date < (select max(snapshot_date) from published_snapshots)
        and (
            published.status is distinct from days.status
            or published.captured_at is distinct from days.captured_at
            or published.source_revision is distinct from days.source_revision
        )
),

-- a seed moves only the countries that it names, before or after
organizations_changed as (
    select
        'change of organizations: ' || coalesce(organizations.namespace, published.namespace) as cause,
        organizations.country_code,
        published.country_code as published_country_code
    from (select * from marts.dim_organizations where is_seeded) as organizations
    full join (select * from published_organizations where is_seeded) as published
        on
            lower(organizations.namespace) = lower(published.namespace)
            and organizations.valid_from = published.valid_from
    where
        (select count(*) from published_organizations where is_seeded) > 0
        and (
            organizations.country_code is distinct from published.country_code
            or organizations.valid_to is distinct from published.valid_to
        )
    union all
    select
        'dated change of organizations: ' || organizations.namespace as cause,
        organizations.country_code,
        null as published_country_code
    from marts.dim_organizations as organizations
    cross join causes_of_days
    where
        (organizations.valid_from > causes_of_days.previous and organizations.valid_from <= getvariable('day'))
        or (organizations.valid_to > causes_of_days.previous and organizations.valid_to <= getvariable('day'))
),

causes_of_countries as (
    select
        country_code,
        min(cause) as causes
    from (
        select country_code, cause from organizations_changed
        union all
        select published_country_code as country_code, cause from organizations_changed
    ) as named
    where country_code is not null
    group by country_code
),

compared as (
    select
        shares.*,
        shares.snapshot_date = getvariable('day') as is_today,
        shares.snapshot_date = causes_of_days.previous as is_previous,
        shares.snapshot_date = causes_of_days.one_before as is_one_before
    from marts.mart_daily_country_share as shares
    inner join causes_of_days
        on shares.snapshot_date in (causes_of_days.one_before, causes_of_days.previous, getvariable('day'))
    where shares.denominator = 'all'
),

-- groups that both days have; in those, a country that only one of them has counts as 0 on the other
compared_groups as (
    select
        metric,
        window_days,
        attribution,
        bool_or(is_one_before) as has_one_before,
        min(total_downloads) filter (is_today or is_previous) as fewest_downloads,
        coalesce(bool_or(correction_downloads <> 0) filter (is_today or is_previous), false) as is_corrected
    from compared
    group by metric, window_days, attribution
    having bool_or(is_today) and bool_or(is_previous)
),

beside as (
    select
        metric,
        window_days,
        attribution,
        country_code,
        coalesce(max(share) filter (is_today), 0) as share,
        coalesce(max(share) filter (is_previous), 0) as previous_share,
        coalesce(max(share) filter (is_one_before), 0) as one_before_share,
        coalesce(max(share_without_top_repository) filter (is_today), 0)
        - coalesce(max(share_without_top_repository) filter (is_previous), 0) as move_without_top_repository
    from compared
    group by metric, window_days, attribution, country_code
),

moves as (
    select
        beside.*,
        beside.share - beside.previous_share as move,
        -- a day after a bad one has moved, but back to where the days before were
        case when compared_groups.has_one_before then beside.share - beside.one_before_share end as move_over_two,
        compared_groups.fewest_downloads,
        nullif(concat_ws(
            '; ',
            nullif(causes_of_days.causes, ''),
            causes_of_loading.causes,
            causes_of_countries.causes,
            case when compared_groups.is_corrected then 'the Hub took downloads back' end
        ), '') as cause
    from beside
    inner join compared_groups
        on
            beside.metric = compared_groups.metric
            and beside.window_days = compared_groups.window_days
            and beside.attribution = compared_groups.attribution
    inner join seeds.countries as countries
        on
            beside.country_code = countries.country_code
            and not countries.is_user_assigned
    cross join causes_of_days
    cross join causes_of_loading
    left join causes_of_countries
        on beside.country_code = causes_of_countries.country_code
),

-- on days without events, with nothing estimated; both are sums over all models
thirty_days as (
    select
        cast(max(total_downloads) filter (metric = 'window') as double) as summed,
        max(total_downloads) filter (metric = 'trailing_30d') as counted
    from subject
    where
        metric in ('window', 'trailing_30d')
        and window_days = 30
        and attribution = 'uploader'
        and denominator = 'all'
    having
        max(days_estimated) filter (metric = 'window') = 0
        and counted > 0
        and (
            select count(*)
            from marts.dim_snapshots
            where
                platform_event <> 'none'
                and snapshot_date between getvariable('day') - 29 and getvariable('day')
        ) = 0
),

-- a millionth more in each, so that a country that has just come has a logarithm
share_drift as (
    select sum((share - previous_share) * ln((share + 0.000001) / (previous_share + 0.000001))) as stability_index
    from (
        select *
        from moves
        where
            metric = 'trailing_30d'
            and attribution = 'uploader'
        order by greatest(share, previous_share) desc, country_code
        limit 20
    ) as largest
    having
        min(fewest_downloads) >= 100000000
        and count(cause) = 0
)
