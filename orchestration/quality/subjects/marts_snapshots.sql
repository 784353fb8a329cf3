-- One row for the day in the calendar of snapshots.
with

models as (
    select *
    from staging.stg_hub__models
    where snapshot_date = getvariable('day')
),

calendar as (
    select
        date_diff('day', min(snapshot_date), max(snapshot_date)) + 1 as expected_days,
        count(distinct snapshot_date) as days
    from marts.dim_snapshots
),

day_before as (
    select
        snapshot_date,
        status
    from marts.dim_snapshots
    where snapshot_date = getvariable('day') - 1
),

subject as (
    select *
    from marts.dim_snapshots
    where snapshot_date = getvariable('day')
)
