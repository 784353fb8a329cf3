{# How many models, organisations and countries have how many downloads: all that concentration needs. Equal counts are
   one row, so that millions of repositories become the distinct values of their counters, and their order is settled. #}
{%- set counters = ['downloads_30d', 'downloads_all_time'] -%}

with

models as (

    select * from {{ ref('int_models_attributed') }}

),

-- what nobody downloaded is no entity (definition 21)
{% for counter in counters -%}
{{ counter }}_values as (

    select
        snapshot_date,
        uploader_country_code,
        origin_country_code,
        is_new,
        {{ counter }} as downloads,
        cast(count(*) as bigint) as entities
    from models
    where {{ counter }} > 0
    group by
        snapshot_date,
        uploader_country_code,
        origin_country_code,
        is_new,
        {{ counter }}

),

{% endfor -%}
{% for attribution in attributions() -%}
{{ attribution }}_holders as (

    select
        snapshot_date,
        {{ attribution }}_country_code as country_code,
        {{ attribution }}_holder as holder,
        {%- for metric in snapshot_metrics() %}
        cast(
            sum(
                {%- if metric.only_new %}
                case when is_new then {{ metric.counter }} else 0 end
                {%- else %}
                {{ metric.counter }}
                {%- endif %}
            ) as bigint
        ) as {{ metric.metric }}_downloads
        {{- "," if not loop.last }}
        {%- endfor %}
    from models
    group by
        snapshot_date,
        {{ attribution }}_country_code,
        {{ attribution }}_holder

),

{% endfor -%}
model_values as (

    {% for attribution in attributions() -%}
    {% set last_attribution = loop.last -%}
    {% for metric in snapshot_metrics() -%}
    select
        snapshot_date,
        '{{ metric.metric }}' as metric,
        '{{ attribution }}' as attribution,
        {{ attribution }}_country_code as country_code,
        downloads,
        entities
    from {{ metric.counter }}_values
    {%- if metric.only_new %}
    where is_new
    {%- endif %}
    {% if not (loop.last and last_attribution) -%}
    union all
    {% endif -%}
    {% endfor -%}
    {% endfor %}
),

holders as (

    {% for attribution in attributions() -%}
    {% set last_attribution = loop.last -%}
    {% for metric in snapshot_metrics() -%}
    select
        snapshot_date,
        '{{ metric.metric }}' as metric,
        '{{ attribution }}' as attribution,
        country_code,
        holder,
        {{ metric.metric }}_downloads as downloads
    from {{ attribution }}_holders
    where {{ metric.metric }}_downloads > 0
    {% if not (loop.last and last_attribution) -%}
    union all
    {% endif -%}
    {% endfor -%}
    {% endfor %}
),

-- an organisation that counts in several countries is one in the world
holders_of_world as (

    select
        snapshot_date,
        metric,
        attribution,
        holder,
        cast(sum(downloads) as bigint) as downloads
    from holders
    group by snapshot_date, metric, attribution, holder

),

countries as (

    select
        snapshot_date,
        metric,
        attribution,
        country_code,
        cast(sum(downloads) as bigint) as downloads
    from holders
    where {{ is_country('country_code') }}
    group by snapshot_date, metric, attribution, country_code

),

in_scopes as (

    select
        snapshot_date,
        metric,
        attribution,
        'world' as scope,
        'model' as entity,
        downloads,
        entities
    from model_values
    union all
    select
        snapshot_date,
        metric,
        attribution,
        country_code as scope,
        'model' as entity,
        downloads,
        entities
    from model_values
    where {{ is_country('country_code') }}
    union all
    select
        snapshot_date,
        metric,
        attribution,
        'world' as scope,
        'organization' as entity,
        downloads,
        1 as entities
    from holders_of_world
    union all
    select
        snapshot_date,
        metric,
        attribution,
        country_code as scope,
        'organization' as entity,
        downloads,
        1 as entities
    from holders
    where {{ is_country('country_code') }}
    union all
    select
        snapshot_date,
        metric,
        attribution,
        'world' as scope,
        'country' as entity,
        downloads,
        1 as entities
    from countries

),

final as (

    select
        snapshot_date,
        metric,
        attribution,
        scope,
        entity,
        downloads,
        cast(sum(entities) as bigint) as entities
    from in_scopes
    group by snapshot_date, metric, attribution, scope, entity, downloads

)

select * from final
