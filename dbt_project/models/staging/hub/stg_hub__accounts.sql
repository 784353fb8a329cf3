with

landed as (

    select * from {{ landed('accounts') }}

),

renamed as (

    select
        snapshot_date,
        namespace,
        account_type,
        full_name,
        is_verified,
        plan,
        followers,
        cast(observed_at as timestamp) as observed_at
    from landed

)

select * from renamed
