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

{{ fold_models(attributes) }},

loaded as (

    select * from {{ ref('int_snapshots_loaded') }}

),

releases as (

    select * from {{ ref('int_repositories_released') }}

),

latest as (

    select max(snapshot_date) as snapshot_date
    from loaded

),

final as (

    select
        folded.repo_id,
        folded.model_id,
        folded.namespace,
        folded.organization,
        folded.family,
        releases.release_id,
        folded.created_at,
        folded.first_seen_date,
        folded.last_seen_date,
        folded.last_seen_date = latest.snapshot_date as is_listed,
        folded.pipeline_tag,
        folded.modality,
        folded.is_generative,
        folded.library_name,
        folded.license,
        folded.openness,
        folded.gated,
        folded.declares_training_data,
        folded.parameters,
        folded.parameters_source,
        folded.size_class,
        folded.is_distilled,
        folded.is_quantized,
        folded.is_moe,
        folded.is_outlier,
        folded.base_relation,
        folded.base_repo_id,
        folded.root_repo_id,
        folded.uploader_country,
        folded.origin_country,
        folded.downloads_all_time,
        folded.downloads_30d,
        folded.likes
    from folded
    cross join latest
    left join releases
        on folded.repo_id = releases.repo_id

)

select * from final
