{%- set attributes = [
    'model_id', 'namespace', 'organization', 'family', 'created_at',
    'pipeline_tag', 'modality', 'is_generative', 'library_name', 'license',
    'openness', 'gated', 'declares_training_data', 'parameters',
    'parameters_source', 'size_class', 'is_distilled', 'is_quantized', 'is_moe',
    'is_outlier', 'base_relation', 'base_repo_id', 'root_repo_id',
    'uploader_country', 'origin_country', 'downloads_all_time',
    'downloads_30d', 'likes',
] -%}

with

models as (

    select
        *,
        uploader_organization as organization,
        uploader_country_code as uploader_country,
        origin_country_code as origin_country
    from {{ ref('int_models_attributed') }}

),

-- grouping the keys and joining back is far cheaper than sorting wide rows
sights as (

    select
        repo_id,
        min(snapshot_date) as first_seen_date,
        max(snapshot_date) as last_seen_date
    from models
    group by repo_id

),

of_this_run as (

    select
        sights.repo_id,
        sights.first_seen_date,
        sights.last_seen_date,
        models.{{ attributes | join(',\n        models.') }}
    from sights
    inner join models
        on
            sights.repo_id = models.repo_id
            and sights.last_seen_date = models.snapshot_date

),

{% if is_folding() -%}
known_before as (

    select * from {{ this }}

),

-- attributes as on the latest sight, whichever run brought it
folded as (

    select
        of_this_run.repo_id,
        least(
            of_this_run.first_seen_date,
            coalesce(known_before.first_seen_date, of_this_run.first_seen_date)
        ) as first_seen_date,
        of_this_run.last_seen_date,
        of_this_run.{{ attributes | join(',\n        of_this_run.') }}
    from of_this_run
    left join known_before
        on of_this_run.repo_id = known_before.repo_id
    where
        known_before.repo_id is null
        or of_this_run.last_seen_date >= known_before.last_seen_date
    union all
    select
        known_before.repo_id,
        least(
            known_before.first_seen_date,
            coalesce(of_this_run.first_seen_date, known_before.first_seen_date)
        ) as first_seen_date,
        known_before.last_seen_date,
        known_before.{{ attributes | join(',\n        known_before.') }}
    from known_before
    left join of_this_run
        on known_before.repo_id = of_this_run.repo_id
    where
        of_this_run.repo_id is null
        or of_this_run.last_seen_date < known_before.last_seen_date

),

{% else -%}
folded as (

    select * from of_this_run

),

{% endif -%}
final as (

    select * from folded

)

select * from final
