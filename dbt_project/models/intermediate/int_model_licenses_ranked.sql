with

model_licenses as (

    select * from {{ ref('stg_hub__model_licenses') }}

),

licenses as (

    select * from {{ ref('licenses') }}

),

-- a licence that the seed does not know is custom: nobody has read its terms
classed as (

    select
        model_licenses.snapshot_date,
        model_licenses.repo_id,
        model_licenses.license,
        coalesce(licenses.openness, 'custom') as openness
    from model_licenses
    left join licenses
        on model_licenses.license = lower(licenses.license)

),

ranked as (

    select
        *,
        row_number() over (
            partition by snapshot_date, repo_id
            order by {{ openness_rank('openness') }} desc, license
        ) as restrictiveness
    from classed

),

final as (

    select
        snapshot_date,
        repo_id,
        license,
        openness
    from ranked
    where restrictiveness = 1

)

select * from final
