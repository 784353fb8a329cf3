-- One row per attribution and basis of the day.
with

subject as (
    select *
    from marts.mart_attribution_coverage
    where snapshot_date = getvariable('day')
)
