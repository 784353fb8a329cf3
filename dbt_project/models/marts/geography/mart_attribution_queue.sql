with

queued as (

    select * from {{ ref('int_namespaces_queued') }}

),

loaded as (

    select * from {{ ref('int_snapshots_loaded') }}

),

latest as (

    select max(snapshot_date) as snapshot_date
    from loaded

),

final as (

    select
        queued.namespace,
        queued.downloads,
        queued.share,
        queued.models,
        queued.largest_model,
        queued.snapshot_date
    from queued
    inner join latest
        on queued.snapshot_date = latest.snapshot_date

)

select * from final
