with

crossovers as (

    select * from {{ ref('int_country_crossovers') }}

),

final as (

    select
        crossover_date,
        metric,
        window_days,
        attribution,
        leader_country_code,
        passed_country_code,
        confirmed_date,
        margin,
        is_first
    from crossovers

)

select * from final
