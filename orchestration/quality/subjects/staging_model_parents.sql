-- One row per declared parent of a model of the day in staging.
with

models as (
    select repo_id
    from staging.stg_hub__models
    where snapshot_date = getvariable('day')
),

subject as (
    select
        parents.*,
        models.repo_id is not null as is_child_listed
    from staging.stg_hub__model_parents as parents
    left join models
        on parents.repo_id = models.repo_id
    where parents.snapshot_date = getvariable('day')
)
