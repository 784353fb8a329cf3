with

results as (

    select
        *,
        passed and not crashed as is_kept
    from {{ ref('fct_quality_results') }}
    where snapshot_date is not null

),

snapshots as (

    select
        snapshot_date,
        captured_at
    from {{ ref('dim_snapshots') }}

),

-- how each day came out last
numbered as (

    select
        *,
        row_number() over (
            partition by snapshot_date, step, table_name, check_name
            order by evaluated_at desc, evaluation_id desc
        ) as place_on_day,
        row_number() over (
            partition by step, table_name, check_name
            order by evaluated_at desc, snapshot_date desc, evaluation_id desc
        ) as place
    from results

),

days_judged as (

    select
        step,
        table_name,
        check_name,
        max(case when place = 1 then severity end) as severity,
        max(case when place = 1 then owner end) as owner,
        cast(count(*) as integer) as days_judged,
        cast(count(case when not is_kept then 1 end) as integer) as days_broken,
        min(case when not is_kept then snapshot_date end) as first_broken_date,
        max(case when not is_kept then snapshot_date end) as last_broken_date,
        max(snapshot_date) as last_judged_date
    from numbered
    where place_on_day = 1
    group by step, table_name, check_name

),

-- a run judges all of its days together: those that pass don't end what another of its days has begun
runs_judged as (

    select
        results.step,
        results.table_name,
        results.check_name,
        results.run_id,
        min(results.evaluated_at) as judged_at,
        min(
            case when not results.is_kept then results.evaluated_at end
        ) as broken_at,
        -- a capture that is younger than the verdict is not the one that was judged
        min(case
            when not results.is_kept and snapshots.captured_at <= results.evaluated_at
                then snapshots.captured_at
        end) as captured_at
    from results
    left join snapshots
        on results.snapshot_date = snapshots.snapshot_date
    group by
        results.step,
        results.table_name,
        results.check_name,
        results.run_id

),

runs_in_order as (

    select
        *,
        broken_at is not null as is_broken,
        lag(broken_at) over (
            partition by step, table_name, check_name
            order by judged_at, run_id
        ) is not null as was_broken,
        min(case when broken_at is null then judged_at end) over (
            partition by step, table_name, check_name
            order by judged_at, run_id
            rows between current row and unbounded following
        ) as recovered_at
    from runs_judged

),

-- the first of the runs in a row in which it was broken
episodes as (

    select
        step,
        table_name,
        check_name,
        cast(count(*) as integer) as episodes,
        avg({{ hours_between('captured_at', 'broken_at') }})
            as mean_hours_to_detect,
        avg({{ hours_between('broken_at', 'recovered_at') }})
            as mean_hours_to_recover,
        max(case when recovered_at is null then broken_at end) as open_since
    from runs_in_order
    where
        is_broken
        and not was_broken
    group by step, table_name, check_name

),

final as (

    select
        days_judged.step,
        days_judged.table_name,
        days_judged.check_name,
        days_judged.severity,
        days_judged.owner,
        days_judged.days_judged,
        days_judged.days_broken,
        days_judged.first_broken_date,
        days_judged.last_broken_date,
        days_judged.last_judged_date,
        episodes.open_since is not null as is_broken,
        coalesce(episodes.episodes, 0) as episodes,
        episodes.mean_hours_to_detect,
        episodes.mean_hours_to_recover,
        episodes.open_since
    from days_judged
    left join episodes
        on
            days_judged.step = episodes.step
            and days_judged.table_name = episodes.table_name
            and days_judged.check_name = episodes.check_name

)

select * from final
