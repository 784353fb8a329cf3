-- One row for the day in the candidate's calendar of snapshots.
with

headline as (
    select *
    from published.marts.mart_daily_country_share
    where snapshot_date = getvariable('day')
),

organizations as (
    select *
    from published.marts.mart_daily_organization_share
    where snapshot_date = getvariable('day')
),

coverage as (
    select *
    from published.marts.mart_attribution_coverage
    where snapshot_date = getvariable('day')
),

claims as (
    select *
    from published.marts.mart_headline_claims
    where snapshot_date = getvariable('day')
),

subject as (
    select
        *,
        case
            when
                snapshot_date = (
                    select max(snapshot_date)
                    from published.marts.dim_snapshots
                    where status = 'complete'
                )
                and source = 'hub_api'
                and not is_simulated
                then date_diff('minute', captured_at, getvariable('judged_at')) / 60.0
        end as hours_since_capture
    from published.marts.dim_snapshots
    where snapshot_date = getvariable('day')
)
