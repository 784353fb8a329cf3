{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [rows_in('int_days_of_run', listed='is_of_run')]},
        on_schema_change='fail',
    )
}}

-- says which rows are taken out before
-- depends_on: {{ ref('int_days_of_run') }}

with

{{ composition_by(techniques() | map(attribute='column') | list) }},

-- a repository counts once in each technique that it has
by_technique as (

    {% for technique in techniques() -%}
    select
        snapshot_date,
        metric,
        attribution,
        country_code,
        '{{ technique.technique }}' as technique,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(models) as bigint) as models
    from counted
    where {{ technique.column }}
    group by snapshot_date, metric, attribution, country_code
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

final as (

    select
        by_technique.snapshot_date,
        by_technique.metric,
        by_technique.attribution,
        by_technique.country_code,
        by_technique.technique,
        by_technique.downloads,
        {{ share_of('by_technique.downloads', 'country_totals.downloads') }}
            as share_of_country,
        by_technique.models
    from by_technique
    {{ join_country_totals('by_technique') }}

)

select * from final
