{# No name on the Hub comes near this many parts; more would be left out of the family's name. 2026-11-24. #}
{%- set most_parts = 32 -%}

with

models as (

    select * from {{ ref('stg_hub__models') }}

),

namespaces as (

    select * from {{ ref('int_namespaces_located') }}

),

name_variants as (

    select
        lower(token) as token,
        kind
    from {{ ref('name_variants') }}

),

positions as (

    {% for position in range(1, most_parts + 1) -%}
        select {{ position }} as position
        {%- if not loop.last %} union all {% endif %}
    {% endfor %}
),

-- only first-party repositories of seeded organisations have a family
names as (

    select distinct
        models.model_id,
        {{ name_of('models.model_id') }} as name
    from models
    inner join namespaces
        on
            models.snapshot_date = namespaces.snapshot_date
            and lower(models.namespace) = namespaces.namespace_key
    where namespaces.is_first_party

),

parts as (

    select
        names.model_id,
        positions.position,
        {{ dbt.split_part("replace(names.name, '_', '-')", "'-'", 'positions.position') }}
            as part
    from names
    cross join positions

),

distinct_parts as (

    select distinct lower(part) as part_key
    from parts
    where part <> ''

),

-- a part that changes purpose or input stays, whatever else it matches
removed_parts as (

    select distinct_parts.part_key
    from distinct_parts
    inner join name_variants
        on {{ matches_whole('distinct_parts.part_key', 'name_variants.token') }}
    group by distinct_parts.part_key
    having max(case when name_variants.kind = 'purpose' then 1 else 0 end) = 0

),

kept as (

    select
        parts.model_id,
        {{ dbt.listagg('parts.part', "'-'", 'order by parts.position') }} as family
    from parts
    left join removed_parts
        on lower(parts.part) = removed_parts.part_key
    where
        parts.part <> ''
        and removed_parts.part_key is null
    group by parts.model_id

),

-- a name that is nothing but variant parts is its own family
final as (

    select
        names.model_id,
        coalesce(kept.family, names.name) as family
    from names
    left join kept
        on names.model_id = kept.model_id

)

select * from final
