{# Every loaded day by what is known now, so that the order of loading cannot be seen. Days times the organisations that
   qualify times what they released in a year: small beside one day's models. #}
with

loaded as (

    select * from {{ ref('int_snapshots_loaded') }}

),

organizations as (

    select * from {{ ref('int_organizations_summed') }}

),

repositories as (

    select * from {{ ref('int_repositories_released') }}

),

releases as (

    select * from {{ ref('int_releases_summed') }}

),

-- the dates of the trailing year, and the whole weeks (Monday to Sunday) in it
windows as (

    select
        snapshot_date,
        opened_on,
        first_monday,
        last_monday,
        cast(
            {{ dbt.datediff('first_monday', 'last_monday', 'day') }} / 7 + 1
            as bigint
        ) as weeks
    from (
        select
            snapshot_date,
            cast({{ dbt.dateadd('day', 1 - var('cadence_window_days'), 'snapshot_date') }} as date)
                as opened_on,
            cast({{ dbt.date_trunc(
                'week',
                dbt.dateadd('day', 7 - var('cadence_window_days'), 'snapshot_date'),
            ) }} as date) as first_monday,
            cast({{ dbt.date_trunc(
                'week', dbt.dateadd('day', -6, 'snapshot_date')
            ) }} as date) as last_monday
        from loaded
    ) as bounded

),

-- who builds models as its business, research or mission, and is used at all
qualifying as (

    select
        snapshot_date,
        organization,
        country_code
    from organizations
    where
        {{ is_country('country_code') }}
        and organization_type in ('industry', 'academia', 'nonprofit')
    group by snapshot_date, organization, country_code
    having sum(downloads_30d) >= {{ var('cadence_minimum_downloads') }}

),

release_days as (

    select
        organization,
        released_at,
        count(*) as releases,
        sum(variants) as variants,
        lag(released_at) over (
            partition by organization
            order by released_at
        ) as released_before
    from releases
    group by organization, released_at

),

counted as (

    select
        qualifying.snapshot_date,
        qualifying.organization,
        qualifying.country_code,
        sum(release_days.releases) as releases,
        sum(release_days.variants) as variants,
        {{ median(
            'case when release_days.released_before >= windows.opened_on then '
            ~ dbt.datediff(
                'release_days.released_before', 'release_days.released_at', 'day'
            )
            ~ ' end'
        ) }} as median_days_between_releases
    from qualifying
    inner join windows
        on qualifying.snapshot_date = windows.snapshot_date
    inner join release_days
        on
            qualifying.organization = release_days.organization
            and windows.opened_on <= release_days.released_at
            and windows.snapshot_date >= release_days.released_at
    group by
        qualifying.snapshot_date,
        qualifying.organization,
        qualifying.country_code

),

-- weeks with a new repository, and whether one of them opens a release
repository_weeks as (

    select
        organization,
        cast({{ dbt.date_trunc('week', 'released_on') }} as date) as week_start,
        max(case when repo_id = release_id then 1 else 0 end) as has_release
    from repositories
    group by 1, 2

),

counted_weeks as (

    select
        counted.snapshot_date,
        counted.organization,
        windows.weeks,
        coalesce(sum(repository_weeks.has_release), 0) as release_weeks,
        count(repository_weeks.week_start) as repository_weeks
    from counted
    inner join windows
        on counted.snapshot_date = windows.snapshot_date
    left join repository_weeks
        on
            counted.organization = repository_weeks.organization
            and windows.first_monday <= repository_weeks.week_start
            and windows.last_monday >= repository_weeks.week_start
    group by counted.snapshot_date, counted.organization, windows.weeks

),

of_organizations as (

    select
        counted.snapshot_date,
        'organization' as level,
        counted.organization,
        counted.country_code,
        counted.releases,
        counted.variants,
        counted.median_days_between_releases,
        cast(counted_weeks.release_weeks as double) as release_weeks,
        cast(counted_weeks.repository_weeks as double) as repository_weeks,
        counted_weeks.weeks
    from counted
    inner join counted_weeks
        on
            counted.snapshot_date = counted_weeks.snapshot_date
            and counted.organization = counted_weeks.organization

),

-- a country is the middle one of its organisations: pooled, a country with
-- many labs would seem to release daily
of_countries as (

    select
        snapshot_date,
        'country' as level,
        '(all)' as organization,
        country_code,
        sum(releases) as releases,
        sum(variants) as variants,
        {{ median('median_days_between_releases') }}
            as median_days_between_releases,
        {{ median('release_weeks') }} as release_weeks,
        {{ median('repository_weeks') }} as repository_weeks,
        max(weeks) as weeks
    from of_organizations
    group by snapshot_date, country_code

),

all_rows as (

    select * from of_organizations
    union all
    select * from of_countries

),

final as (

    select
        snapshot_date,
        level,
        organization,
        country_code,
        cast(releases as bigint) as releases,
        cast(variants as bigint) as variants,
        {{ share_of('variants', 'releases') }} as variants_per_release,
        cast(median_days_between_releases as double)
            as median_days_between_releases,
        {{ share_of('release_weeks', 'weeks') }} as active_week_share,
        {{ share_of('repository_weeks', 'weeks') }} as repository_week_share,
        {{ release_cadence('median_days_between_releases') }} as cadence
    from all_rows

)

select * from final
