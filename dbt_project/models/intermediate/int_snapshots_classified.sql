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

bounds as (

    select
        min(snapshot_date) as first_date,
        max(snapshot_date) as last_date
    from captures

),

calendar as (

    select
        {{ days_between('first_date', 'last_date') }} as snapshot_date
    from bounds

),

described as (

    select
        calendar.snapshot_date,
        case
            when captures.snapshot_date is null then 'missing'
            when captures.status = 'complete' and loaded.snapshot_date is not null
                then 'complete'
            else 'incomplete'
        end as status,
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
        compared.median_relative_change,
        coalesce(
            compared.unchanged_share >= {{ var('stalled_unchanged_share') }},
            false
        ) as is_stalled,
        coalesce(loaded.has_counters, false)
        and not coalesce(compared.is_same_counters_day, false)
        and not coalesce(
            compared.unchanged_share >= {{ var('stalled_unchanged_share') }},
            false
        ) as is_moving
    from calendar
    left join captures
        on calendar.snapshot_date = captures.snapshot_date
    left join loaded
        on calendar.snapshot_date = loaded.snapshot_date
    left join compared
        on calendar.snapshot_date = compared.snapshot_date

),

-- base_date: the last day before it on which the counters moved;
-- moving_date: the first one from it on, whose counters tell its downloads
placed as (

    select
        *,
        max(
            case when status = 'complete' and is_moving then snapshot_date end
        ) over (
            order by snapshot_date
            rows between unbounded preceding and 1 preceding
        ) as base_date,
        min(
            case when status = 'complete' and is_moving then snapshot_date end
        ) over (
            order by snapshot_date
            rows between current row and unbounded following
        ) as moving_date,
        max(case when status = 'complete' then snapshot_date end) over (
            order by snapshot_date
            rows between unbounded preceding and current row
        ) as observed_date,
        max(case when status = 'complete' then snapshot_date end) over ()
            as last_captured_date
    from described

),

scaled as (

    select
        *,
        status = 'complete' and is_moving as has_moved,
        {{ dbt.datediff('base_date', 'snapshot_date', 'day') }} as days_since_base,
        {{ rounded(
            'median_relative_change / '
            ~ dbt.datediff('base_date', 'snapshot_date', 'day')
        ) }} as median_change_per_day
    from placed

),

-- after a longer gap growth hides what a recount did
comparisons as (

    select
        snapshot_date,
        median_change_per_day as median_relative_change,
        row_number() over (order by snapshot_date) as position
    from scaled
    where
        status = 'complete'
        and not is_stalled
        and unchanged_share is not null
        and days_since_base <= {{ var('recounted_longest_gap_days') }}

),

{{ classified_days('comparisons') }},

{% if is_folding() -%}
-- what a late day makes of the days after it is written anew, too
known_before as (

    select
        snapshot_date,
        platform_event
    from {{ this }}

),

{% endif -%}

events as (

    select
        scaled.*,
        case
            when scaled.is_stalled and scaled.status = 'complete' then 'stalled'
            when classified.is_recounted then 'recounted'
            else 'none'
        end as platform_event
    from scaled
    left join classified
        on scaled.snapshot_date = classified.snapshot_date

),

final as (

    select
        events.snapshot_date,
        events.status,
        events.platform_event,
        events.source,
        events.source_revision,
        events.source_license,
        events.captured_at,
        events.counters_date,
        events.models,
        events.downloads_all_time,
        events.is_simulated,
        events.reason,
        events.unchanged_share,
        events.median_change_per_day as median_relative_change,
        events.has_moved as is_moving,
        events.base_date,
        events.moving_date,
        events.observed_date,
        coalesce(
            {{ dbt.datediff(
                'events.snapshot_date', 'events.last_captured_date', 'day'
            ) }} < {{ var('published_days_of_models') }},
            true
        ) as is_recent,
        {% if is_folding() -%}
        coalesce(
            known_before.platform_event <> events.platform_event, false
        ) as is_reclassified
        {%- else -%}
        false as is_reclassified
        {%- endif %}
    from events
    {%- if is_folding() %}
    left join known_before
        on events.snapshot_date = known_before.snapshot_date
    {%- endif %}

)

select * from final
