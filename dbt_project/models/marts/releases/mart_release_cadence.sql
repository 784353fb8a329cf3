with

cadence as (

    select * from {{ ref('int_release_cadence') }}

),

final as (

    select
        snapshot_date,
        level,
        organization,
        country_code,
        releases,
        variants,
        variants_per_release,
        median_days_between_releases,
        active_week_share,
        repository_week_share,
        cadence
    from cadence

)

select * from final
