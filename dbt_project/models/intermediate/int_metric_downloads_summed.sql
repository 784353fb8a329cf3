{# One scan of the models an attribution; everything geographical is summed from here. Persons and accounts that are not
   located are not told apart: nothing that is published names them. #}
with

models as (

    select * from {{ ref('int_models_attributed') }}

),

-- a source that tells a counter of no repository (the archive before February 2025 has no all-time one) has no row in
-- the metrics that are made of it: nothing known is not nothing downloaded
{% for counter in ['downloads_30d', 'downloads_all_time'] -%}
days_with_{{ counter }} as (

    select snapshot_date
    from models
    group by snapshot_date
    having min(case when is_without_{{ counter }} then 1 else 0 end) = 0

),

{% endfor -%}
{% for attribution in attributions() -%}
{{ attribution }}_sums as (

    select
        snapshot_date,
        {{ attribution }}_country_code as country_code,
        case
            when
                not {{ attribution }}_is_person
                and {{ attribution }}_country_code <> 'XX'
                then {{ attribution }}_organization
        end as organization,
        {{ 'family' if attribution == 'uploader' else 'origin_family' }} as family,
        {{ attribution }}_is_person as is_person,
        {%- for metric in snapshot_metrics() %}
        {%- set counted = 'is_new' if metric.only_new else 'true' %}
        {%- set outlier = 'is_outlier_30d' if metric.counter == 'downloads_30d'
            else 'is_outlier_all_time' %}
        sum(case when {{ counted }} then {{ metric.counter }} else 0 end)
            as {{ metric.metric }}_downloads,
        sum(
            case
                when {{ counted }} and {{ outlier }} then {{ metric.counter }}
                else 0
            end
        ) as {{ metric.metric }}_outlier_downloads,
        sum(case when {{ counted }} then 1 else 0 end)
            as {{ metric.metric }}_models,
        max(case when {{ counted }} then {{ metric.counter }} end)
            as {{ metric.metric }}_largest
        {{- "," if not loop.last }}
        {%- endfor %}
    from models
    group by 1, 2, 3, 4, 5

),

{% endfor -%}
unpivoted as (

    {% for attribution in attributions() -%}
    {% set last_attribution = loop.last -%}
    {% for metric in snapshot_metrics() -%}
    select
        snapshot_date,
        '{{ metric.metric }}' as metric,
        {{ metric.window_days }} as window_days,
        '{{ attribution }}' as attribution,
        country_code,
        organization,
        family,
        is_person,
        cast({{ metric.metric }}_downloads as bigint) as downloads,
        cast({{ metric.metric }}_outlier_downloads as bigint)
            as outlier_downloads,
        cast({{ metric.metric }}_models as bigint) as models,
        cast({{ metric.metric }}_largest as bigint) as largest_downloads
    from {{ attribution }}_sums
    where
        {{ metric.metric }}_models > 0
        and snapshot_date in (
            select snapshot_date from days_with_{{ metric.counter }}
        )
    {% if not (loop.last and last_attribution) -%}
    union all
    {% endif -%}
    {% endfor -%}
    {% endfor %}
)

select * from unpivoted
