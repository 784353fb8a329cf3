{# CTEs `judged` and `classified`: the platform event of each compared day (definition 8). `days`: name of a CTE with
   snapshot_date, position (1, 2, …), unchanged_share, median_relative_change. Needs `with recursive`. #}
{% macro classified_days(days) %}
    {{ return(adapter.dispatch('classified_days')(days)) }}
{% endmacro %}

{% macro duckdb__classified_days(days) %}
judged as (

    select
        cast(0 as bigint) as position,
        cast(null as date) as snapshot_date,
        'none' as platform_event,
        cast([] as double[]) as baseline

    union all

    select
        position,
        snapshot_date,
        case
            when unchanged_share >= {{ var('stalled_unchanged_share') }}
                then 'stalled'
            when
                abs(median_relative_change - baseline_median) > greatest(
                    {{ var('recounted_minimum_difference') }},
                    {{ var('recounted_deviations') }} * baseline_deviation
                )
                then 'recounted'
            else 'none'
        end as platform_event,
        case
            when
                unchanged_share >= {{ var('stalled_unchanged_share') }}
                or coalesce(
                    abs(median_relative_change - baseline_median) > greatest(
                        {{ var('recounted_minimum_difference') }},
                        {{ var('recounted_deviations') }} * baseline_deviation
                    ),
                    false
                )
                then baseline
            else list_append(baseline, median_relative_change)[
                -{{ var('platform_event_baseline_days') }}:
            ]
        end as baseline
    from (
        select
            {{ days }}.position,
            {{ days }}.snapshot_date,
            {{ days }}.unchanged_share,
            {{ days }}.median_relative_change,
            judged.baseline,
            list_median(judged.baseline) as baseline_median,
            list_median(
                list_transform(
                    judged.baseline,
                    lambda change: abs(change - list_median(judged.baseline))
                )
            ) as baseline_deviation
        from judged
        inner join {{ days }}
            on {{ days }}.position = judged.position + 1
    ) as with_baseline

),

classified as (

    select
        snapshot_date,
        platform_event
    from judged
    where position > 0

)
{%- endmacro %}
