with

releases as (

    select * from {{ ref('int_releases_summed') }}

),

final as (

    select
        release_id,
        organization,
        country_code,
        family,
        released_at,
        release_date_source,
        variants,
        modality,
        largest_parameters
    from releases

)

select * from final
