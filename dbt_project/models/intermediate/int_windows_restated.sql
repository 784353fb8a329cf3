{# The windows that a day of this run lies in, and that the history covers wholly. #}
with

restated as (

    select distinct snapshot_date
    from {{ ref('int_days_restated') }}

),

snapshots as (

    select * from {{ ref('int_snapshots_classified') }}

),

bounds as (

    select
        min(snapshot_date) as first_date,
        max(snapshot_date) as last_date
    from snapshots
    where status = 'complete'

),

windows as (

    {% for window_days in window_metrics() | map(attribute='window_days') | unique -%}
    select {{ window_days }} as window_days
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

ends as (

    select distinct
        snapshots.snapshot_date,
        windows.window_days,
        cast({{ dbt.dateadd(
            'day', '1 - windows.window_days', 'snapshots.snapshot_date'
        ) }} as date) as first_date
    from snapshots
    cross join windows
    inner join restated
        on
            snapshots.snapshot_date >= restated.snapshot_date
            and restated.snapshot_date
            >= cast({{ dbt.dateadd(
                'day', '1 - windows.window_days', 'snapshots.snapshot_date'
            ) }} as date)

),

-- the first captured day has no downloads of its own
covered as (

    select ends.*
    from ends
    cross join bounds
    where
        ends.first_date > bounds.first_date
        and ends.snapshot_date <= bounds.last_date

),

final as (

    select
        covered.snapshot_date,
        covered.window_days,
        covered.first_date,
        cast(
            sum(case when snapshots.is_moving then 0 else 1 end) as integer
        ) as days_estimated
    from covered
    inner join snapshots
        on
            covered.first_date <= snapshots.snapshot_date
            and covered.snapshot_date >= snapshots.snapshot_date
    group by
        covered.snapshot_date, covered.window_days, covered.first_date

)

select * from final
