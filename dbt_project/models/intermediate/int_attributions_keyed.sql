{# Who holds and who developed a repository, as one small integer: there are few such pairs, and millions of rows that
   carry one. Persons and accounts that are not located are not told apart: nothing that is published names them. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='attribution_key',
        on_schema_change='fail',
    )
}}

with

models as (

    select * from {{ ref('int_models_attributed') }}

),

pairs as (

    select distinct
        {%- for attribution in attributions() %}
        {{ attribution }}_country_code,
        {{ named_organization(attribution) }} as {{ attribution }}_organization,
        {{ attribution }}_account_type
        {{- "," if not loop.last }}
        {%- endfor %}
    from models

),

{% if is_incremental() -%}
known as (

    select * from {{ this }}

),

last_key as (

    select coalesce(max(attribution_key), 0) as attribution_key
    from known

),

to_write as (

    select pairs.*
    from pairs
    left join known
        on
            {{ is_same_attribution('pairs', 'known') }}
    where known.attribution_key is null

),

{% else -%}
last_key as (

    select 0 as attribution_key

),

to_write as (

    select * from pairs

),

{% endif -%}
final as (

    select
        cast(
            last_key.attribution_key + row_number() over (
                order by
                    {%- for attribution in attributions() %}
                    to_write.{{ attribution }}_country_code,
                    to_write.{{ attribution }}_organization,
                    to_write.{{ attribution }}_account_type
                    {{- "," if not loop.last }}
                    {%- endfor %}
            ) as integer
        ) as attribution_key,
        to_write.*
    from to_write
    cross join last_key

)

select * from final
