-- One row per account that nobody has located yet.
with

subject as (
    select *
    from marts.mart_attribution_queue
)
