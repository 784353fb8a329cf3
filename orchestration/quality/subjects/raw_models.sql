-- One row per landed model of the day, in the order of the files.
with

previous_sentinels as (
    select id
    from previous_models
    where id in ('openai-community/gpt2', 'google-bert/bert-base-uncased')
),

lost_sentinels as (
    select id
    from previous_sentinels
    where id not in (select id from landed_models where id is not null)
),

walk as (
    select
        max(captured_at)
        + coalesce(max(fetched_at) - min(fetched_at), interval 0 second)
        + interval 1 minute as ended_at
    from landed_models
),

steps as (
    select
        filename,
        file_row_number,
        _id,
        lag(_id) over (order by filename, file_row_number) as preceding_id
    from landed_models
),

repeated_names as (
    select
        id,
        count(*) as copies
    from landed_models
    where id is not null
    group by id
    having count(*) > 1
),

subject as (
    select
        landed_models.*,
        to_timestamp(
            try_cast('0x' || substr(landed_models._id, 1, 8) as bigint)
        ) as id_time,
        walk.ended_at as walk_ended_at
    from landed_models
    cross join walk
)
