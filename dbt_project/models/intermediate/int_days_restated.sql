{# The calendar days whose downloads this run writes anew, and why; all others stay as they are. #}
{%- set written_before = as_of_last_run('int_model_downloads_daily') -%}

with

days as (

    select * from {{ ref('int_days_of_run') }}

),

snapshots as (

    select * from {{ ref('int_snapshots_classified') }}

),

openings as (

    select * from {{ ref('int_model_openings') }}

),

-- from the last day before it on which the counters moved, to the first one
-- after the captured day that follows: a late day can change whether that moved
ranges as (

    select
        days.snapshot_date,
        snapshots.base_date,
        (
            select min(following.snapshot_date)
            from snapshots as following
            where
                following.is_moving
                and following.snapshot_date > next_days.snapshot_date
        ) as next_moving_date,
        next_days.snapshot_date as next_date
    from days
    inner join snapshots
        on days.snapshot_date = snapshots.snapshot_date
    left join days as next_days
        on days.snapshot_date = next_days.previous_date
    where days.is_of_run

),

last_day as (

    select max(snapshot_date) as snapshot_date
    from snapshots
    where status = 'complete'

),

recounted_anew as (

    select distinct
        snapshots.snapshot_date,
        'wholly' as extent
    from snapshots
    inner join ranges
        on
            (
                ranges.base_date is null
                or snapshots.snapshot_date > ranges.base_date
            )
            and (
                snapshots.snapshot_date <= ranges.snapshot_date
                or (
                    ranges.next_date is not null
                    and (
                        ranges.next_moving_date is null
                        or snapshots.snapshot_date <= ranges.next_moving_date
                    )
                )
            )
    cross join last_day
    where snapshots.snapshot_date <= last_day.snapshot_date

),

{% if written_before is not none -%}
-- a later sight can turn from the first into a return, or count from another day
openings_before as (

    select
        snapshot_date,
        repo_key,
        delta_status,
        downloads,
        days_spanned
    from {{ written_before }}
    where
        delta_status in ('first_seen', 'reappeared')
        and snapshot_date > (
            select min(snapshot_date)
            from days
        )

),

later_openings as (

    select *
    from openings
    where
        delta_status <> 'vanished'
        and snapshot_date > (
            select min(snapshot_date)
            from days
        )

),

openings_changed as (

    select distinct
        coalesce(later_openings.snapshot_date, openings_before.snapshot_date)
            as snapshot_date
    from later_openings
    full outer join openings_before
        on
            later_openings.snapshot_date = openings_before.snapshot_date
            and later_openings.repo_key = openings_before.repo_key
    where
        later_openings.delta_status is distinct from openings_before.delta_status
        or later_openings.downloads is distinct from openings_before.downloads
        or later_openings.days_spanned
        is distinct from openings_before.days_spanned

),

{% endif -%}
reclassified as (

    select calendar.snapshot_date
    from snapshots as calendar
    inner join snapshots as reclassified_days
        on calendar.moving_date = reclassified_days.snapshot_date
    where reclassified_days.is_reclassified

),

extents as (

    select * from recounted_anew
    {%- if written_before is not none %}
    union all
    select
        openings_changed.snapshot_date,
        'openings' as extent
    from openings_changed
    left join recounted_anew
        on openings_changed.snapshot_date = recounted_anew.snapshot_date
    where recounted_anew.snapshot_date is null
    {%- endif %}
    union all
    select
        reclassified.snapshot_date,
        'event' as extent
    from reclassified
    left join recounted_anew
        on reclassified.snapshot_date = recounted_anew.snapshot_date
    {%- if written_before is not none %}
    left join openings_changed
        on reclassified.snapshot_date = openings_changed.snapshot_date
    {%- endif %}
    where
        recounted_anew.snapshot_date is null
        {%- if written_before is not none %}
        and openings_changed.snapshot_date is null
        {%- endif %}

),

final as (

    select distinct
        snapshot_date,
        extent
    from extents

)

select * from final
