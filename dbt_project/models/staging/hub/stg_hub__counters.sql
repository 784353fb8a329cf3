{# This run's days and their landed neighbours, so that a day is compared with the one before it and the one after
   with it, in whatever order days are loaded, and no history of counters has to be kept. #}
{%- set captures = ref('stg_hub__captures') -%}
{%- set dates = neighbouring_dates(captures) -%}

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
        and downloadsAllTime > 0

)

select * from counters
