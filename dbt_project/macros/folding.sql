{# A folded table holds one row per thing for ever and is written once a run: what it already holds, joined with what
   this run saw. Reading `this` is safe, because a table is built beside its predecessor and then renamed. #}

{# Whether there is a predecessor to fold. A full refresh, and a unit test, start from nothing. #}
{% macro is_folding() %}
    {%- if not execute or flags.FULL_REFRESH or model.resource_type != 'model' -%}
        {{ return(false) }}
    {%- endif -%}
    {{ return(load_relation(this) is not none) }}
{% endmacro %}

{# CTEs that end in `folded`: a row for each repository that was ever seen, with the attributes as on its latest sight,
   whichever run brought it, and its first and last day. `models` has this run's rows, with repo_id and snapshot_date. #}
{% macro fold_models(attributes) -%}
{#- A run of one day sees each repository once: nothing is to be grouped, and no row to be looked up again. -#}
{%- set is_of_one_day = snapshot_dates() | length == 1 -%}
{%- set is_folding = is_folding() -%}
{%- set first_sight =
    'models.snapshot_date' if is_of_one_day else 'sights.first_seen_date' -%}
-- keys and days alone: wide rows are neither sorted nor kept in memory
sights as (

    select
        repo_id,
        {%- if is_of_one_day %}
        snapshot_date as first_seen_date,
        snapshot_date as last_seen_date
        {%- else %}
        min(snapshot_date) as first_seen_date,
        max(snapshot_date) as last_seen_date
        {%- endif %}
    from {{ ref('int_models_attributed') }}
    {%- if not is_of_one_day %}
    group by repo_id
    {%- endif %}

),

{% if is_folding -%}
sights_before as (

    select
        repo_id,
        first_seen_date,
        last_seen_date
    from {{ this }}

),

{% endif -%}
of_this_run as (

    select
        models.repo_id,
        {%- if is_folding %}
        least(
            {{ first_sight }},
            coalesce(sights_before.first_seen_date, {{ first_sight }})
        ) as first_seen_date,
        {%- else %}
        {{ first_sight }} as first_seen_date,
        {%- endif %}
        models.snapshot_date as last_seen_date,
        models.{{ attributes | join(',\n        models.') }}
    from models
    {%- if not is_of_one_day %}
    inner join sights
        on
            models.repo_id = sights.repo_id
            and models.snapshot_date = sights.last_seen_date
    {%- endif %}
    {%- if is_folding %}
    left join sights_before
        on models.repo_id = sights_before.repo_id
    where
        sights_before.repo_id is null
        or models.snapshot_date >= sights_before.last_seen_date
    {%- endif %}

),

{% if is_folding -%}
of_runs_before as (

    select
        known.repo_id,
        least(
            known.first_seen_date,
            coalesce(sights.first_seen_date, known.first_seen_date)
        ) as first_seen_date,
        known.last_seen_date,
        known.{{ attributes | join(',\n        known.') }}
    from {{ this }} as known
    left join sights
        on known.repo_id = sights.repo_id
    where
        sights.repo_id is null
        or sights.last_seen_date < known.last_seen_date

),

{% endif -%}
folded as (

    select * from of_this_run
    {%- if is_folding %}
    union all
    select * from of_runs_before
    {%- endif %}

)
{%- endmacro %}
