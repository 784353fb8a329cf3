{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='evaluation_id',
        on_schema_change='fail',
    )
}}

with

results as (

    select * from {{ landed_quality_results() }}

),

final as (

    select
        evaluation_id,
        run_id,
        cast(evaluated_at as timestamp) as evaluated_at,
        cast(snapshot_date as date) as snapshot_date,
        step,
        table_name,
        check_name,
        severity,
        blocking,
        passed,
        crashed,
        accepted_event,
        observed,
        threshold,
        reason,
        cast(evaluated_rows as bigint) as evaluated_rows,
        cast(failed_rows as bigint) as failed_rows
    from results

)

select * from final
