-- One row per model and declared parent.
with

models as (
    select repo_id
    from marts.dim_models
),

subject as (
    select
        parents.*,
        models.repo_id is not null as is_child_known
    from marts.bridge_model_parents as parents
    left join models
        on parents.repo_id = models.repo_id
)
