{# The day's rows are judged in int_models_attributed: naming it keeps that gate before everything that is built here. #}
-- depends_on: {{ ref('int_models_attributed') }}
with

folded as (

    select * from {{ ref('int_models_folded') }}

),

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
