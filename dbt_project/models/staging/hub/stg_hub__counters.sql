{# This run's days and the captured days around them, so that a day is compared with the one before it and the one after
   with it, in whatever order days are loaded, and no history of counters has to be kept. #}
{%- set dates = dates_compared() -%}

with

landed as (

    select * from {{ landed('models', dates=dates) }}

),

counters as (

    select
        snapshot_date,
        _id as repo_id,
        downloadsAllTime as downloads_all_time
    from landed
    where
        not coalesce(private, false)
        and downloadsAllTime is not null

)

select * from counters
