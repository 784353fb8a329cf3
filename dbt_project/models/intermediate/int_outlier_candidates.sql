{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='snapshot_date',
        on_schema_change='fail',
    )
}}

with

models as (

    select * from {{ ref('int_models_attributed') }}

),

repositories as (

    select
        repo_id,
        repo_key
    from {{ ref('int_repositories_keyed') }}

),

final as (

    select
        models.snapshot_date,
        repositories.repo_key,
        models.likes,
        models.is_seeded_outlier
    from models
    inner join repositories
        on models.repo_id = repositories.repo_id
    where
        models.is_seeded_outlier
        or models.downloads_all_time >= {{ var('outlier_minimum_downloads') }}

)

select * from final
