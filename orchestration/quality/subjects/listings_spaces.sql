-- One row per landed Space of the day, in the order of the files.
with

manifests as (
    select *
    from further_manifests
    where listing = 'spaces'
),

steps as not materialized (
    select
        filename,
        file_row_number,
        _id,
        -- in the order of reading, which is that of the files
        lag(_id) over () as preceding_id
    from landed_spaces
),

vanished as (
    select
        _id,
        id
    from previous_spaces
    where _id not in (select _id from landed_spaces where _id is not null)
),

subject as (
    select
        *,
        to_timestamp(
            try_cast('0x' || substr(_id, 1, 8) as bigint)
        ) as id_time
    from landed_spaces
)
