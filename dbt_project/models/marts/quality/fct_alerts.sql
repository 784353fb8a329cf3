with

alerts as (

    select * from {{ landed_alerts() }}

),

final as (

    select
        alert_id,
        -- lines of before 2026-11-29 are one alert a bad run, and call severities by other names
        coalesce(event, 'raised') as event,
        coalesce(incident, 'run:' || run_id) as incident,
        cast(raised_at as timestamp) as raised_at,
        case severity
            when 'error' then 'blocks'
            when 'warning' then 'investigate'
            else severity
        end as severity,
        title,
        cast(snapshot_date as date) as snapshot_date,
        step,
        table_name,
        check_name,
        run_id,
        owner
    from alerts
    where alert_id is not null

)

select * from final
