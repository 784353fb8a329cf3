{# One pass over the days, oldest first: each is judged against the last unaffected ones before it, and joins them only
   if it is unaffected itself. One row a day, so that reading all of them costs nothing. #}
with recursive

captures as (

    select * from {{ ref('stg_hub__captures') }}

),

loaded as (

    select * from {{ ref('int_snapshots_loaded') }}

),

compared as (

    select * from {{ ref('int_counters_compared') }}

),

comparisons as (

    select
        snapshot_date,
        unchanged_share,
        median_relative_change,
        row_number() over (order by snapshot_date) as position
    from compared
    where unchanged_share is not null

),

{{ classified_days('comparisons') }},

bounds as (

    select
        min(snapshot_date) as first_date,
        max(snapshot_date) as last_date
    from captures

),

calendar as (

    select
        cast({{ days_between('first_date', 'last_date') }} as date)
            as snapshot_date
    from bounds

),

final as (

    select
        calendar.snapshot_date,
        case
            when captures.snapshot_date is null then 'missing'
            when captures.status = 'complete' and loaded.snapshot_date is not null
                then 'complete'
            else 'incomplete'
        end as status,
        coalesce(classified.platform_event, 'none') as platform_event,
        captures.source,
        captures.source_revision,
        captures.source_license,
        captures.captured_at,
        captures.counters_date,
        captures.models,
        captures.downloads_all_time,
        captures.is_simulated,
        captures.reason,
        compared.unchanged_share,
        compared.median_relative_change
    from calendar
    left join captures
        on calendar.snapshot_date = captures.snapshot_date
    left join loaded
        on calendar.snapshot_date = loaded.snapshot_date
    left join compared
        on calendar.snapshot_date = compared.snapshot_date
    left join classified
        on calendar.snapshot_date = classified.snapshot_date

)

select * from final
