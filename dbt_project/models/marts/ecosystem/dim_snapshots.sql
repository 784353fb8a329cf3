with

snapshots as (

    select * from {{ ref('int_snapshots_classified') }}

),

final as (

    select
        snapshot_date,
        status,
        platform_event,
        source,
        source_revision,
        source_license,
        captured_at,
        counters_date,
        models,
        downloads_all_time,
        is_simulated,
        reason,
        unchanged_share,
        median_relative_change
    from snapshots

)

select * from final
