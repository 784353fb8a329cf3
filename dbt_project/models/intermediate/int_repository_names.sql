{# Every name that a repository was ever listed under, so that a parent that is declared by an old name is found again.
   Only pairs that are new, or turn out to be older, are written: a day brings few of them. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['name_key', 'repo_key'],
        on_schema_change='fail',
    )
}}

with

models as (

    select * from {{ ref('stg_hub__models') }}

),

repositories as (

    select
        repo_id,
        repo_key
    from {{ ref('int_repositories_keyed') }}

),

of_this_run as (

    select
        lower(models.model_id) as name_key,
        repositories.repo_key,
        min(models.snapshot_date) as first_date
    from models
    inner join repositories
        on models.repo_id = repositories.repo_id
    group by lower(models.model_id), repositories.repo_key

),

final as (

    select
        of_this_run.name_key,
        of_this_run.repo_key,
        of_this_run.first_date
    from of_this_run
    {%- if is_incremental() %}
    left join {{ this }} as known
        on
            of_this_run.name_key = known.name_key
            and of_this_run.repo_key = known.repo_key
    where
        known.repo_key is null
        or of_this_run.first_date < known.first_date
    {%- endif %}

)

select * from final
