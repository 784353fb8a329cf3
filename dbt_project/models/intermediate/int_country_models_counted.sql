{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='snapshot_date',
        on_schema_change='fail',
    )
}}

with

models as (

    select * from {{ ref('int_models_attributed') }}

),

final as (

    {% for attribution in attributions() -%}
    select
        snapshot_date,
        '{{ attribution }}' as attribution,
        {{ attribution }}_country_code as country_code,
        {{ attribution }}_is_person as is_person,
        cast(count(*) as bigint) as models,
        cast(sum(case when is_new then 1 else 0 end) as bigint) as new_models
    from models
    group by 1, 2, 3, 4
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
)

select * from final
