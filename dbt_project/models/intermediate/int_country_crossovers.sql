{# Definition 20 over the whole history: ten countries a day and metric are little. #}
with

snapshots as (

    select
        snapshot_date,
        platform_event,
        status
    from {{ ref('int_snapshots_classified') }}

),

ranked as (

    select * from {{ ref('int_countries_ranked') }}

),

-- days with a platform event neither count nor interrupt
eligible_days as (

    select
        days.metric,
        days.window_days,
        days.attribution,
        days.snapshot_date,
        row_number() over (
            partition by days.metric, days.window_days, days.attribution
            order by days.snapshot_date
        ) as position
    from (
        select distinct
            metric,
            window_days,
            attribution,
            snapshot_date
        from ranked
    ) as days
    inner join snapshots
        on days.snapshot_date = snapshots.snapshot_date
    where
        snapshots.status = 'complete'
        and snapshots.platform_event = 'none'

),

eligible as (

    select
        ranked.*,
        eligible_days.position
    from ranked
    inner join eligible_days
        on
            ranked.metric = eligible_days.metric
            and ranked.window_days = eligible_days.window_days
            and ranked.attribution = eligible_days.attribution
            and ranked.snapshot_date = eligible_days.snapshot_date

),

-- each pair once, by who is strictly ahead
ahead as (

    select
        leaders.metric,
        leaders.window_days,
        leaders.attribution,
        leaders.snapshot_date,
        leaders.position,
        leaders.country_code as leader_country_code,
        followers.country_code as passed_country_code,
        least(leaders.country_code, followers.country_code) as one_code,
        greatest(leaders.country_code, followers.country_code) as other_code,
        leaders.downloads - followers.downloads as lead_downloads,
        leaders.total_downloads
    from eligible as leaders
    inner join eligible as followers
        on
            leaders.metric = followers.metric
            and leaders.window_days = followers.window_days
            and leaders.attribution = followers.attribution
            and leaders.snapshot_date = followers.snapshot_date
    where leaders.downloads > followers.downloads

),

-- within a run of consecutive days position and count grow alike
numbered as (

    select
        *,
        position - row_number() over (
            partition by
                metric,
                window_days,
                attribution,
                leader_country_code,
                passed_country_code
            order by position
        ) as run_number
    from ahead

),

in_runs as (

    select
        *,
        row_number() over (
            partition by
                metric,
                window_days,
                attribution,
                leader_country_code,
                passed_country_code,
                run_number
            order by position
        ) as day_of_run,
        min(snapshot_date) over (
            partition by
                metric,
                window_days,
                attribution,
                leader_country_code,
                passed_country_code,
                run_number
        ) as first_date
    from numbered

),

confirmed as (

    select
        *,
        lag(leader_country_code) over (
            partition by metric, window_days, attribution, one_code, other_code
            order by snapshot_date
        ) as leader_before
    from in_runs
    where day_of_run = {{ var('crossover_confirming_days') }}

),

-- the first order in history is no crossover, nor is a leader who leads again
crossovers as (

    select
        *,
        row_number() over (
            partition by metric, window_days, attribution, one_code, other_code
            order by snapshot_date
        ) as occurrence
    from confirmed
    where leader_before <> leader_country_code

),

final as (

    select
        first_date as crossover_date,
        metric,
        window_days,
        attribution,
        leader_country_code,
        passed_country_code,
        snapshot_date as confirmed_date,
        {{ share_of('lead_downloads', 'total_downloads') }} as margin,
        occurrence = 1 as is_first
    from crossovers

)

select * from final
