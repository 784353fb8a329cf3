with

countries as (

    select * from {{ ref('countries') }}

),

final as (

    select
        country_code,
        country_name,
        region,
        is_eu_member,
        is_user_assigned
    from countries

)

select * from final
