with

accounts as (

    select * from {{ ref('stg_hub__accounts') }}

),

seen as (

    select
        lower(namespace) as namespace_key,
        namespace,
        account_type,
        full_name,
        is_verified,
        followers,
        observed_at,
        snapshot_date as last_seen_date,
        1 as is_of_this_run
    from accounts
    {% if is_folding() %}
    union all
    select
        namespace_key,
        namespace,
        account_type,
        full_name,
        is_verified,
        followers,
        observed_at,
        last_seen_date,
        0 as is_of_this_run
    from {{ this }}
    {% endif %}
),

ranked as (

    select
        *,
        row_number() over (
            partition by namespace_key
            order by
                last_seen_date desc,
                is_of_this_run desc,
                observed_at desc,
                namespace
        ) as recency
    from seen

),

final as (

    select
        namespace_key,
        namespace,
        account_type,
        full_name,
        is_verified,
        followers,
        observed_at,
        last_seen_date
    from ranked
    where recency = 1

)

select * from final
