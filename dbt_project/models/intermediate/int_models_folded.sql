{# Every repository that was ever seen: what this run saw, and of the others what dim_models kept of the run before. A view
   where the engine can replace a table that it is reading, so that rows this wide are written once a run, as dim_models:
   folding what is folded already changes nothing. #}
{{ config(materialized=view_of_its_successor()) }}
{%- set attributes = [
    'model_id', 'namespace', 'organization', 'family', 'created_at',
    'pipeline_tag', 'modality', 'is_generative', 'library_name', 'license',
    'openness', 'gated', 'declares_training_data', 'parameters',
    'parameters_source', 'size_class', 'is_distilled', 'is_quantized', 'is_moe',
    'is_outlier', 'base_relation', 'base_repo_id', 'root_repo_id',
    'uploader_country', 'origin_country', 'downloads_all_time',
    'downloads_30d', 'likes',
] -%}
{%- set folded_before = as_of_last_run('dim_models', layer='marts') %}
{#- A run of one day sees each repository once: nothing is to be grouped, and no row to be looked up again. #}
{%- set is_of_one_day = snapshot_dates() | length == 1 %}
{%- set first_sight =
    'models.snapshot_date' if is_of_one_day else 'sights.first_seen_date' %}

with

models as (

    select
        *,
        uploader_organization as organization,
        uploader_country_code as uploader_country,
        origin_country_code as origin_country
    from {{ ref('int_models_attributed') }}

),

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

{% if folded_before is not none -%}
sights_before as (

    select
        repo_id,
        first_seen_date,
        last_seen_date
    from {{ folded_before }}

),

-- attributes as on the latest sight, whichever run brought it
of_this_run as (

    select
        models.repo_id,
        least(
            {{ first_sight }},
            coalesce(sights_before.first_seen_date, {{ first_sight }})
        ) as first_seen_date,
        models.snapshot_date as last_seen_date,
        models.{{ attributes | join(',\n        models.') }}
    from models
    {%- if not is_of_one_day %}
    inner join sights
        on
            models.repo_id = sights.repo_id
            and models.snapshot_date = sights.last_seen_date
    {%- endif %}
    left join sights_before
        on models.repo_id = sights_before.repo_id
    where
        sights_before.repo_id is null
        or models.snapshot_date >= sights_before.last_seen_date

),

of_runs_before as (

    select
        known.repo_id,
        least(
            known.first_seen_date,
            coalesce(sights.first_seen_date, known.first_seen_date)
        ) as first_seen_date,
        known.last_seen_date,
        known.{{ attributes | join(',\n        known.') }}
    from {{ folded_before }} as known
    left join sights
        on known.repo_id = sights.repo_id
    where
        sights.repo_id is null
        or sights.last_seen_date < known.last_seen_date

),

{% else -%}
of_this_run as (

    select
        models.repo_id,
        {{ first_sight }} as first_seen_date,
        models.snapshot_date as last_seen_date,
        models.{{ attributes | join(',\n        models.') }}
    from models
    {%- if not is_of_one_day %}
    inner join sights
        on
            models.repo_id = sights.repo_id
            and models.snapshot_date = sights.last_seen_date
    {%- endif %}

),

{% endif -%}
final as (

    select * from of_this_run
    {%- if folded_before is not none %}
    union all
    select * from of_runs_before
    {%- endif %}

)

select * from final
