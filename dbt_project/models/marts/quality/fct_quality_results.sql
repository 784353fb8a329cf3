{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='evaluation_id',
        on_schema_change='append_new_columns',
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
        -- results of before 2026-11-29 call them by other names
        case severity
            when 'error' then 'blocks'
            when 'warn' then 'investigate'
            else severity
        end as severity,
        blocking,
        passed,
        crashed,
        accepted_event,
        accepted_because,
        owner,
        observed,
        threshold,
        basis,
        reason,
        cast(evaluated_rows as bigint) as evaluated_rows,
        cast(failed_rows as bigint) as failed_rows,
        offenders
    from results

)

select * from final
