{# Spark folds the days as one list in place of a recursion: no step a day, no bound on their number. #}
{% macro spark__classified_days(days) %}
{%- set baseline_median = list_median_on_spark('state.baseline') -%}
{%- set deviations = 'transform(state.baseline, change -> abs(change - ' ~ baseline_median ~ '))' -%}
{%- set is_recounted -%}
coalesce(
    abs(day.change - {{ baseline_median }}) > greatest(
        {{ var('recounted_minimum_difference') }},
        {{ var('recounted_deviations') }} * {{ list_median_on_spark(deviations) }}
    ),
    false
)
{%- endset -%}
judged as (

    select
        explode(
            aggregate(
                array_sort(
                    collect_list(
                        named_struct(
                            'position', cast(position as bigint),
                            'snapshot_date', snapshot_date,
                            'change', cast(median_relative_change as double)
                        )
                    )
                ),
                named_struct(
                    'baseline', cast(array() as array<double>),
                    'days', cast(array() as array<struct<snapshot_date: date, is_recounted: boolean>>)
                ),
                (state, day) -> named_struct(
                    'baseline', if(
                        {{ is_recounted }},
                        state.baseline,
                        slice(
                            concat(state.baseline, array(day.change)),
                            greatest(
                                size(state.baseline) + 2
                                - {{ var('platform_event_baseline_days') }},
                                1
                            ),
                            {{ var('platform_event_baseline_days') }}
                        )
                    ),
                    'days', concat(
                        state.days,
                        array(named_struct(
                            'snapshot_date', day.snapshot_date,
                            'is_recounted', {{ is_recounted }}
                        ))
                    )
                ),
                state -> state.days
            )
        ) as judgement
    from {{ days }}

),

classified as (

    select
        judgement.snapshot_date,
        judgement.is_recounted
    from judged

)
{%- endmacro %}

{# Of an even number the mean of the two in the middle; null for an empty list. #}
{% macro list_median_on_spark(list) -%}
    if(
        size({{ list }}) = 0,
        null,
        (
            element_at(array_sort({{ list }}), cast((size({{ list }}) + 1) div 2 as int))
            + element_at(array_sort({{ list }}), cast(size({{ list }}) div 2 as int) + 1)
        ) / 2
    )
{%- endmacro %}
