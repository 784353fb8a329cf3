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

entity_downloads as (

    select * from {{ ref('int_entity_downloads_counted') }}

),

-- equals share their places: how many entities lie below and above each value
placed as (

    select
        *,
        sum(entities) over (
            partition by snapshot_date, metric, attribution, scope, entity
            order by downloads
            rows between unbounded preceding and current row
        ) - entities as entities_below,
        sum(entities) over (
            partition by snapshot_date, metric, attribution, scope, entity
            order by downloads desc
            rows between unbounded preceding and current row
        ) - entities as entities_above
    from entity_downloads

),

-- whole numbers only, so that no order of summing can change a digit.
-- places_twice is 2 * sum(i * x_i) with i from the smallest up: the entities of
-- one value have the places below + 1 to below + entities
summed as (

    select
        snapshot_date,
        metric,
        attribution,
        scope,
        entity,
        {{ wide_integer('sum(entities)') }} as entities,
        sum({{ wide_integer('downloads') }} * entities) as downloads,
        sum({{ wide_integer('downloads') }} * downloads * entities) as squares,
        sum(
            {{ wide_integer('downloads') }}
            * (2 * entities * entities_below + entities * (entities + 1))
        ) as places_twice,
        {%- for top in [1, 10, 200] %}
        sum(
            {{ wide_integer('downloads') }}
            * greatest(least(entities, {{ top }} - entities_above), 0)
        ) as top_{{ top }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from placed
    group by snapshot_date, metric, attribution, scope, entity

),

final as (

    select
        snapshot_date,
        metric,
        attribution,
        scope,
        entity,
        {{ wide_share_of('squares', '(downloads * downloads)') }} as hhi,
        {{ wide_share_of(
            '(places_twice - (entities + 1) * downloads)',
            '(entities * downloads)',
        ) }} as gini,
        {%- for top in [1, 10, 200] %}
        {{ wide_share_of('top_' ~ top, 'downloads') }} as top_{{ top }}_share,
        {%- endfor %}
        {{ wide_share_of('(downloads * downloads)', 'squares') }}
            as effective_entities
    from summed

)

select * from final
