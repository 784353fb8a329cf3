{# CTEs `judged` and `classified`: whether the counters of each day were recounted (definition 8). `days`: name of a CTE
   with snapshot_date, position (1, 2, …) and median_relative_change per day, stalled days left out. Needs
   `with recursive`. #}
{% macro classified_days(days) %}
    {{ return(adapter.dispatch('classified_days')(days)) }}
{% endmacro %}

{% macro duckdb__classified_days(days) %}
judged as (

    select
        cast(0 as bigint) as position,
        cast(null as date) as snapshot_date,
        false as is_recounted,
        cast([] as double[]) as baseline

    union all

    select
        position,
        snapshot_date,
        is_recounted,
        case
            when is_recounted then baseline
            else list_append(baseline, median_relative_change)[
                -{{ var('platform_event_baseline_days') }}:
            ]
        end as baseline
    from (
        select
            {{ days }}.position,
            {{ days }}.snapshot_date,
            {{ days }}.median_relative_change,
            judged.baseline,
            coalesce(
                abs(
                    {{ days }}.median_relative_change
                    - list_median(judged.baseline)
                ) > greatest(
                    {{ var('recounted_minimum_difference') }},
                    {{ var('recounted_deviations') }} * list_median(
                        list_transform(
                            judged.baseline,
                            lambda change: abs(change - list_median(judged.baseline))
                        )
                    )
                ),
                false
            ) as is_recounted
        from judged
        inner join {{ days }}
            on {{ days }}.position = judged.position + 1
    ) as with_baseline

),

classified as (

    select
        snapshot_date,
        is_recounted
    from judged
    where position > 0

)
{%- endmacro %}
