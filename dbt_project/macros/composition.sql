{# What the side marts share: one sum of the models, rolled up along some of its columns. #}

{# CTEs `sums` and `counted`: downloads and repositories by metric, attribution, country_code and the given columns of
   int_composition_summed; `country_totals`: the same by country alone. A metric whose counter the source tells of no
   repository of a day has no rows on it: nothing known is not nothing downloaded. #}
{% macro composition_by(columns) -%}
sums as (

    select * from {{ ref('int_composition_summed') }}

),

{% for counter in ['downloads_30d', 'downloads_all_time'] -%}
days_with_{{ counter }} as (

    select snapshot_date
    from sums
    group by snapshot_date
    having sum(models_with_{{ counter }}) > 0

),

{% endfor -%}
{% for attribution in attributions() -%}
{{ attribution }}_sums as (

    select
        snapshot_date,
        {{ attribution }}_country_code as country_code,
        {{ columns | join(',\n        ') }},
        {%- for metric in snapshot_metrics() %}
        cast(sum({{ metric.metric }}_downloads) as bigint)
            as {{ metric.metric }}_downloads,
        {%- endfor %}
        cast(sum(models) as bigint) as models,
        cast(sum(new_models) as bigint) as new_models
    from sums
    group by
        snapshot_date,
        {{ attribution }}_country_code,
        {{ columns | join(',\n        ') }}

),

{% endfor -%}
counted as (

    {% for attribution in attributions() -%}
    {% set last_attribution = loop.last -%}
    {% for metric in snapshot_metrics() -%}
    {% set models = 'new_models' if metric.only_new else 'models' -%}
    select
        snapshot_date,
        '{{ metric.metric }}' as metric,
        '{{ attribution }}' as attribution,
        country_code,
        {{ columns | join(',\n        ') }},
        {{ metric.metric }}_downloads as downloads,
        {{ models }} as models,
        new_models
    from {{ attribution }}_sums
    where
        {{ models }} > 0
        and snapshot_date in (
            select snapshot_date from days_with_{{ metric.counter }}
        )
    {% if not (loop.last and last_attribution) -%}
    union all
    {% endif -%}
    {% endfor -%}
    {% endfor %}
),

country_totals as (

    select
        snapshot_date,
        metric,
        attribution,
        country_code,
        cast(sum(downloads) as bigint) as downloads
    from counted
    group by snapshot_date, metric, attribution, country_code

)
{%- endmacro %}

{# Join of a CTE with the `country_totals` of its rows. #}
{% macro join_country_totals(relation) -%}
    inner join country_totals
        on
            {{ relation }}.snapshot_date = country_totals.snapshot_date
            and {{ relation }}.metric = country_totals.metric
            and {{ relation }}.attribution = country_totals.attribution
            and {{ relation }}.country_code = country_totals.country_code
{%- endmacro %}
