{# The history of repositories, as what changed between two neighbouring captured days: a day that arrives late renews
   itself and the day after it, and nothing else. What holds on a day is the last change on or before it. #}
{%- set values = [
    'model_id', 'namespace', 'license', 'gated', 'pipeline_tag', 'base_models',
    'is_disabled', 'attribution_key',
] -%}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [rows_in('int_days_of_run')]},
        on_schema_change='fail',
    )
}}

with

days as (

    select * from {{ ref('int_days_of_run') }}

),

models as (

    select
        *,
        {%- for attribution in attributions() %}
        {{ named_organization(attribution) }}
            as {{ attribution }}_named_organization
        {{- "," if not loop.last }}
        {%- endfor %}
    from {{ ref('int_models_attributed') }}

),

repositories as (

    select * from {{ ref('int_repositories_keyed') }}

),

attributions as (

    select * from {{ ref('int_attributions_keyed') }}

),

-- most have one parent: a list is put together only where there are several
single_parents as (

    select
        snapshot_date,
        repo_id,
        min(parent_model_id) as parent_model_id,
        count(*) as parents
    from {{ ref('stg_hub__model_parents') }}
    group by snapshot_date, repo_id

),

parents as (

    select
        snapshot_date,
        repo_id,
        parent_model_id as base_models
    from single_parents
    where parents = 1
    union all
    select
        several.snapshot_date,
        several.repo_id,
        {{ dbt.listagg(
            'several.parent_model_id',
            "';'",
            'order by several.parent_model_id',
        ) }} as base_models
    from {{ ref('stg_hub__model_parents') }} as several
    inner join single_parents
        on
            several.snapshot_date = single_parents.snapshot_date
            and several.repo_id = single_parents.repo_id
            and single_parents.parents > 1
    group by several.snapshot_date, several.repo_id

),

counters as (

    select * from {{ ref('stg_hub__counters') }}

),

of_this_run as (

    select
        models.snapshot_date,
        repositories.repo_key,
        models.model_id,
        models.namespace,
        models.license,
        models.gated,
        models.pipeline_tag,
        parents.base_models,
        models.is_disabled,
        attributions.attribution_key
    from models
    inner join repositories
        on models.repo_id = repositories.repo_id
    inner join attributions
        on
            {%- for attribution in attributions() %}
            models.{{ attribution }}_country_code
            = attributions.{{ attribution }}_country_code
            and coalesce(models.{{ attribution }}_named_organization, '')
            = coalesce(attributions.{{ attribution }}_organization, '')
            and models.{{ attribution }}_account_type
            = attributions.{{ attribution }}_account_type
            {{- "\n            and " if not loop.last }}
            {%- endfor %}
    left join parents
        on
            models.snapshot_date = parents.snapshot_date
            and models.repo_id = parents.repo_id

),

{% if is_incremental() -%}
-- days that are compared, but were loaded before: as the changes tell them
known_days as (

    select distinct sides.snapshot_date
    from (
        select snapshot_date
        from days
        where not is_of_run
        union
        select previous_date as snapshot_date
        from days
    ) as sides
    left join days as run_days
        on
            sides.snapshot_date = run_days.snapshot_date
            and run_days.is_of_run
    where
        sides.snapshot_date is not null
        and run_days.snapshot_date is null

),

last_changes as (

    select
        known_days.snapshot_date as observed_date,
        known.repo_key,
        max(known.snapshot_date) as snapshot_date
    from known_days
    inner join {{ this }} as known
        on known.snapshot_date <= known_days.snapshot_date
    group by known_days.snapshot_date, known.repo_key

),

known_before as (

    select
        last_changes.observed_date as snapshot_date,
        known.repo_key,
        known.{{ values | join(',\n        known.') }}
    from last_changes
    inner join {{ this }} as known
        on
            last_changes.repo_key = known.repo_key
            and last_changes.snapshot_date = known.snapshot_date
    where known.change <> 'closed'

),

{% endif -%}
observed as (

    select * from of_this_run
    {%- if is_incremental() %}
    union all
    select * from known_before
    {%- endif %}

),

now_listed as (

    select
        days.previous_date,
        observed.*
    from days
    inner join observed
        on days.snapshot_date = observed.snapshot_date

),

listed_before as (

    select
        days.snapshot_date as next_date,
        observed.*
    from days
    inner join observed
        on days.previous_date = observed.snapshot_date

),

compared as (

    select
        coalesce(now_listed.snapshot_date, listed_before.next_date)
            as snapshot_date,
        coalesce(now_listed.repo_key, listed_before.repo_key) as repo_key,
        case
            when listed_before.repo_key is null then 'opened'
            when now_listed.repo_key is null then 'closed'
            when
                {%- for value in values %}
                {{ "or " if not loop.first -}}
                now_listed.{{ value }} is distinct from listed_before.{{ value }}
                {%- endfor %}
                then 'changed'
        end as change,
        listed_before.snapshot_date as previous_date,
        {%- for value in values %}
        case
            when now_listed.repo_key is null then listed_before.{{ value }}
            else now_listed.{{ value }}
        end as {{ value }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from now_listed
    full outer join listed_before
        on
            now_listed.snapshot_date = listed_before.next_date
            and now_listed.repo_key = listed_before.repo_key

),

-- the day whose counter later differences are taken from
with_counter_date as (

    select
        *,
        case
            when change = 'opened' then snapshot_date
            when change = 'closed' then previous_date
        end as counter_date
    from compared
    where change is not null

),

final as (

    select
        with_counter_date.snapshot_date,
        with_counter_date.repo_key,
        with_counter_date.change,
        with_counter_date.{{ values | join(',\n        with_counter_date.') }},
        with_counter_date.counter_date,
        counters.downloads_all_time as counter
    from with_counter_date
    -- changes are few: their repositories are looked up, not all counters'
    inner join repositories
        on with_counter_date.repo_key = repositories.repo_key
    left join counters
        on
            repositories.repo_id = counters.repo_id
            and with_counter_date.counter_date = counters.snapshot_date

)

select * from final
