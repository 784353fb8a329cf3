{# What a run looks at again: its own days, and the captured day after each of them, whose neighbour is a new one. #}
with

captures as (

    select * from {{ ref('stg_hub__captures') }}

),

loaded as (

    select * from {{ ref('int_snapshots_loaded') }}

),

captured as (

    select
        captures.snapshot_date,
        captures.captured_at,
        captures.counters_date,
        loaded.has_counters,
        {{ in_snapshot_dates('captures.snapshot_date') }} as is_of_run
    from captures
    inner join loaded
        on captures.snapshot_date = loaded.snapshot_date
    where captures.status = 'complete'

),

neighbours as (

    select
        *,
        lag(snapshot_date) over (order by snapshot_date) as previous_date,
        lag(captured_at) over (order by snapshot_date) as previous_captured_at,
        coalesce(
            lag(is_of_run) over (order by snapshot_date), false
        ) as is_after_day_of_run
    from captured

),

final as (

    select
        snapshot_date,
        previous_date,
        previous_captured_at,
        is_of_run
    from neighbours
    where is_of_run or is_after_day_of_run

)

select * from final
