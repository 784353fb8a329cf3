-- One row per model of the day in staging.
with

subject as (
    select *
    from staging.stg_hub__models
    where snapshot_date = getvariable('day')
)
