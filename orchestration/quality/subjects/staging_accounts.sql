-- One row per account that is known on the day in staging.
with

subject as (
    select *
    from staging.stg_hub__accounts
    where snapshot_date = getvariable('day')
)
