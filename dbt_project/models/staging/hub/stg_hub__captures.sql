with

-- every attempted day, whatever this run processes: one row a day is little
landed as (

    select * from {{ landed('captures', dates=[]) }}

),

renamed as (

    select
        snapshot_date,
        status,
        source,
        source_revision,
        source_license,
        cast(captured_at as timestamp) as captured_at,
        counters_date,
        models,
        downloads_all_time,
        is_simulated,
        reason
    from landed

)

select * from renamed
