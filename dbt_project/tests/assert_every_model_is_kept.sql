{# Reads several models; in Dagster it is a check on this one. #}
{{ config(meta={'dagster': {'ref': {'name': 'dim_models'}}}) }}

-- No repository is lost or doubled between staging and dim_models.
with

staged as (

    select
        snapshot_date,
        repo_id
    from {{ ref('stg_hub__models') }}

),

attributed as (

    select
        snapshot_date,
        repo_id
    from {{ ref('int_models_attributed') }}

),

models as (

    select
        repo_id,
        first_seen_date,
        last_seen_date
    from {{ ref('dim_models') }}

)

select
    staged.snapshot_date,
    staged.repo_id
from staged
left join attributed
    on
        staged.snapshot_date = attributed.snapshot_date
        and staged.repo_id = attributed.repo_id
left join models
    on
        staged.repo_id = models.repo_id
        and staged.snapshot_date
        between models.first_seen_date and models.last_seen_date
where attributed.repo_id is null or models.repo_id is null
union all
select
    attributed.snapshot_date,
    attributed.repo_id
from attributed
left join staged
    on
        attributed.snapshot_date = staged.snapshot_date
        and attributed.repo_id = staged.repo_id
where staged.repo_id is null
