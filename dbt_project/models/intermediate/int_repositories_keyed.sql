{# Heavy facts carry a small integer instead of the Hub's 24 digits. A repository keeps its number; which one it gets
   depends on the order of loading, so that it stays inside the warehouse. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='repo_id',
        on_schema_change='fail',
    )
}}

with

models as (

    select
        repo_id,
        min(created_at) as created_at
    from {{ ref('stg_hub__models') }}
    group by repo_id

),

{% if is_incremental() -%}
known as (

    select
        repo_id,
        repo_key,
        created_at
    from {{ this }}

),

last_key as (

    select max(repo_key) as repo_key
    from known

),

-- the earliest date of creation that was ever told
to_write as (

    select
        models.repo_id,
        known.repo_key,
        case
            when known.created_at <= models.created_at then known.created_at
            else coalesce(models.created_at, known.created_at)
        end as created_at
    from models
    left join known
        on models.repo_id = known.repo_id
    where
        known.repo_id is null
        or models.created_at < known.created_at
        or (known.created_at is null and models.created_at is not null)

),

{% else -%}
last_key as (

    select 0 as repo_key

),

to_write as (

    select
        repo_id,
        cast(null as integer) as repo_key,
        created_at
    from models

),

{% endif -%}
final as (

    select
        to_write.repo_id,
        cast(
            coalesce(
                to_write.repo_key,
                coalesce(last_key.repo_key, 0) + row_number() over (
                    partition by to_write.repo_key is null
                    order by to_write.repo_id
                )
            ) as integer
        ) as repo_key,
        to_write.created_at,
        cast(to_write.created_at as date) as created_date,
        {{ is_created_at_floor('to_write.created_at') }} as is_created_at_floor
    from to_write
    cross join last_key

)

select * from final
