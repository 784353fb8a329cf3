-- One row for the day's capture in staging.
with

models as (
    select *
    from staging.stg_hub__models
    where snapshot_date = getvariable('day')
),

subject as (
    select *
    from staging.stg_hub__captures
    where snapshot_date = getvariable('day')
)
