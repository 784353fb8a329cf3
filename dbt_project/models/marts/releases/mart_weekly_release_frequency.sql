with

repositories as (

    select
        *,
        cast({{ dbt.date_trunc('week', 'released_on') }} as date) as week_start
    from {{ ref('int_repositories_released') }}

),

releases as (

    select
        *,
        cast({{ dbt.date_trunc('week', 'released_at') }} as date) as week_start
    from {{ ref('int_releases_summed') }}

),

-- one country an organisation: where its latest release was made
latest_releases as (

    select
        organization,
        country_code,
        row_number() over (
            partition by organization
            order by released_at desc, release_id desc
        ) as recency
    from releases

),

weekly_repositories as (

    select
        week_start,
        organization,
        count(*) as repositories
    from repositories
    group by week_start, organization

),

weekly_releases as (

    select
        week_start,
        organization,
        count(*) as releases,
        sum(variants) as variants
    from releases
    group by week_start, organization

),

final as (

    select
        weekly_repositories.week_start,
        weekly_repositories.organization,
        latest_releases.country_code,
        cast(coalesce(weekly_releases.releases, 0) as bigint) as releases,
        cast(coalesce(weekly_releases.variants, 0) as bigint) as variants,
        cast(weekly_repositories.repositories as bigint) as repositories
    from weekly_repositories
    inner join latest_releases
        on
            weekly_repositories.organization = latest_releases.organization
            and latest_releases.recency = 1
    left join weekly_releases
        on
            weekly_repositories.week_start = weekly_releases.week_start
            and weekly_repositories.organization = weekly_releases.organization

)

select * from final
