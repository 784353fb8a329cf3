-- One row per landed model of the day, in the order of the files.
with

previous_sentinels as (
    select id
    from previous_models
    where id in ('openai-community/gpt2', 'google-bert/bert-base-uncased')
),

found_sentinels as (
    select distinct landed_models.id
    from landed_models
    inner join previous_sentinels
        on landed_models.id = previous_sentinels.id
),

lost_sentinels as (
    select id
    from previous_sentinels
    where id not in (select id from found_sentinels)
),

-- of fewer downloads in a month a repository is among the first thousand in a small Hub only: the thousandth of the real
-- one has several times as many. After more than a week some have been withdrawn without anything being wrong
previous_largest as (
    select
        _id,
        id,
        downloads
    from previous_models
    where
        downloads >= 100000
        and cast(captured_at as date) >= getvariable('day') - 7
    order by downloads desc, _id
    limit 1000
),

found_largest as (
    select distinct landed_models._id
    from landed_models
    inner join previous_largest
        on landed_models._id = previous_largest._id
),

lost_largest as (
    select *
    from previous_largest
    where _id not in (select _id from found_largest)
),

-- half decades of 30-day downloads: 0, 1–3, 4–9, 10–31 …
magnitudes as (
    select
        floor(2 * log10(1 + greatest(downloads, 0))) as magnitude,
        count(*) as models
    from landed_models
    group by magnitude
),

previous_magnitudes as (
    select
        floor(2 * log10(1 + greatest(downloads, 0))) as magnitude,
        count(*) as models
    from previous_models
    where cast(captured_at as date) >= getvariable('day') - 30
    group by magnitude
),

-- half a model more in each, so that an empty one has a logarithm
magnitude_shares as (
    select
        (coalesce(magnitudes.models, 0) + 0.5) / sum(coalesce(magnitudes.models, 0) + 0.5) over () as share,
        (coalesce(previous.models, 0) + 0.5) / sum(coalesce(previous.models, 0) + 0.5) over () as previous_share
    from magnitudes
    full join previous_magnitudes as previous
        on magnitudes.magnitude is not distinct from previous.magnitude
),

drift as (
    select sum((share - previous_share) * ln(share / previous_share)) as stability_index
    from magnitude_shares
    having (select count(*) from previous_magnitudes) > 0
),

walk as (
    select
        max(captured_at)
        + coalesce(max(fetched_at) - min(fetched_at), interval 0 second)
        + interval 1 minute as ended_at
    from landed_models
),

steps as not materialized (
    select
        filename,
        file_row_number,
        _id,
        -- in the order of reading, which is that of the files: three million rows are not sorted to be told so
        lag(_id) over () as preceding_id
    from landed_models
),

-- numbers first: three million names don't fit into little memory
names_as_numbers as (
    select count(id) - count(distinct hash(id)) as surplus
    from landed_models
),

repeated_hashes as (
    select hash(id) as name_hash
    from landed_models
    where id is not null
    group by name_hash
    having count(*) > 1
),

repeated_names as (
    select
        id,
        count(*) as copies
    from landed_models
    where hash(id) in (select name_hash from repeated_hashes)
    group by id
    having count(*) > 1
),

subject as not materialized (
    select
        landed_models.*,
        -- written out and compared as text where it can be: reading three million hexadecimal numbers takes seconds
        case
            when
                printf('%08x', cast(epoch(landed_models.createdAt) as bigint))
                = substr(landed_models._id, 1, 8)
                then landed_models.createdAt
            else to_timestamp(try_cast('0x' || substr(landed_models._id, 1, 8) as bigint))
        end as id_time,
        walk.ended_at as walk_ended_at
    from landed_models
    cross join walk
)
