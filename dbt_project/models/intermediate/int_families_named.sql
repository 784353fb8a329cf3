{# No name on the Hub comes near this many parts; more would be left out of the family's name. 2026-11-24. #}
{%- set most_parts = 32 -%}

with

models as (

    select * from {{ ref('stg_hub__models') }}

),

namespaces as (

    select * from {{ ref('int_namespaces_located') }}

),

-- an expression of letters, digits and dashes stands for itself: comparing is
-- far cheaper than matching; a dash outside of brackets is one between parts
name_variants as (

    select
        lower(token) as token,
        kind in ('purpose', 'name') as stays,
        not {{ matches('lower(token)', "'[^a-z0-9-]'") }} as is_word,
        {{ has_dash_outside_brackets('token') }} as is_of_two_parts
    from {{ ref('name_variants') }}

),

family_exceptions as (

    select * from {{ ref('family_exceptions') }}

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

-- of several beginnings the longest decides
ranked_exceptions as (

    select
        names.model_id,
        family_exceptions.family,
        row_number() over (
            partition by names.model_id
            order by length(family_exceptions.name_start) desc
        ) as rank_by_length
    from names
    inner join family_exceptions
        on
            substring(
                lower(names.name), 1, length(family_exceptions.name_start)
            ) = lower(family_exceptions.name_start)

),

split_names as (

    select
        names.model_id,
        positions.position,
        {{ dbt.split_part(
            "replace(" ~ point_between_digits('names.name') ~ ", '_', '-')",
            "'-'",
            'positions.position',
        ) }} as part
    from names
    cross join positions

),

parts as (

    select
        model_id,
        position,
        part,
        lower(part) as part_key,
        lag(lower(part)) over (partition by model_id order by position)
            || '-' || lower(part) as pair_before_key,
        lower(part) || '-'
            || lead(lower(part)) over (partition by model_id order by position)
            as pair_after_key
    from split_names
    where part <> ''

),

-- one part, or two neighbouring ones with the dash between them
keys as (

    select
        part_key as name_key,
        false as is_of_two_parts
    from parts
    union
    select
        pair_after_key as name_key,
        true as is_of_two_parts
    from parts
    where pair_after_key is not null

),

matched as (

    select
        keys.name_key,
        name_variants.stays
    from keys
    inner join name_variants
        on
            keys.name_key = name_variants.token
            and name_variants.is_word
    union all
    select
        keys.name_key,
        name_variants.stays
    from keys
    inner join name_variants
        on
            keys.is_of_two_parts = name_variants.is_of_two_parts
            and not name_variants.is_word
            and {{ matches_whole('keys.name_key', 'name_variants.token') }}

),

-- what changes purpose or input stays, whatever else it matches
verdicts as (

    select
        name_key,
        max(case when stays then 1 else 0 end) = 1 as stays
    from matched
    group by name_key

),

-- two parts together are known better than each by itself
judged as (

    select
        parts.model_id,
        parts.position,
        parts.part,
        coalesce(
            pair_after.stays, pair_before.stays, one_part.stays, true
        ) as stays
    from parts
    left join verdicts as pair_after
        on parts.pair_after_key = pair_after.name_key
    left join verdicts as pair_before
        on parts.pair_before_key = pair_before.name_key
    left join verdicts as one_part
        on parts.part_key = one_part.name_key

),

-- a name begins with its name, if that is a word
kept as (

    select
        model_id,
        {{ dbt.listagg('part', "'-'", 'order by position') }} as family
    from judged
    where
        stays
        or (position = 1 and {{ matches('lower(part)', "'^[a-z]'") }})
    group by model_id

),

-- a name that is nothing but variant parts is its own family
final as (

    select
        names.model_id,
        coalesce(ranked_exceptions.family, kept.family, names.name) as family
    from names
    left join ranked_exceptions
        on
            names.model_id = ranked_exceptions.model_id
            and ranked_exceptions.rank_by_length = 1
    left join kept
        on names.model_id = kept.model_id

)

select * from final
