with

repositories as (

    select * from {{ ref('int_repositories_released') }}

),

summed as (

    select
        release_id,
        cast(count(*) as bigint) as variants,
        max(parameters) as largest_parameters
    from repositories
    group by release_id

),

ranked_modalities as (

    select
        release_id,
        modality,
        row_number() over (
            partition by release_id
            order by count(*) desc, modality
        ) as rank_by_repositories
    from repositories
    group by release_id, modality

),

-- a release is called and placed as its first repository is
final as (

    select
        first_ones.release_id,
        first_ones.organization,
        first_ones.country_code,
        first_ones.family,
        first_ones.released_on as released_at,
        first_ones.release_date_source,
        summed.variants,
        ranked_modalities.modality,
        cast(summed.largest_parameters as bigint) as largest_parameters
    from repositories as first_ones
    inner join summed
        on first_ones.release_id = summed.release_id
    inner join ranked_modalities
        on
            first_ones.release_id = ranked_modalities.release_id
            and ranked_modalities.rank_by_repositories = 1
    where first_ones.repo_id = first_ones.release_id

)

select * from final
