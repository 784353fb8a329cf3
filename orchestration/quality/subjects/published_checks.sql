-- One row per promise of the steps before, with how often it was judged on the day.
with

results as (
    select *
    from warehouse.marts.fct_quality_results
    where snapshot_date = getvariable('day')
),

subject as (
    select
        registered.step,
        registered.table_name,
        registered.check_name,
        count(results.evaluation_id) as evaluations
    from registered_promises as registered
    left join results
        on
            registered.step = results.step
            and registered.table_name = results.table_name
            and registered.check_name = results.check_name
    group by registered.step, registered.table_name, registered.check_name
)
