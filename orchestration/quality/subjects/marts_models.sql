-- One row per model of the day, with its row in the dimension of all models ever seen.
with

dimension as (
    select
        count(*) as models,
        count(distinct repo_id) as distinct_models
    from marts.dim_models
),

copies as (
    select repo_id, count(*) as copies
    from marts.dim_models
    group by repo_id
    having count(*) > 1
),

subject as (
    select
        staged.repo_id as staged_repo_id,
        staged.model_id as staged_model_id,
        staged.snapshot_date,
        dimension.*
    from staging.stg_hub__models as staged
    left join marts.dim_models as dimension
        on staged.repo_id = dimension.repo_id
    where staged.snapshot_date = getvariable('day')
)
