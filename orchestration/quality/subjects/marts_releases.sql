-- One row per release. `sample` has fifty of them counted anew from the models, other ones each day.
with

subject as (
    select *
    from marts.fct_releases
),

sampled as (
    select *
    from subject
    order by md5(release_id || cast(getvariable('day') as varchar))
    limit 50
),

repositories as (
    select
        release_id,
        count(*) as counted_variants,
        count(distinct lower(family)) as families,
        count(distinct organization) as organizations
    from marts.dim_models
    where release_id in (select release_id from sampled)
    group by release_id
),

corrections as (
    select
        repo_id,
        lower(model_id) as model_key,
        min(released_on) as released_on
    from seeds.release_dates
    group by repo_id, lower(model_id)
),

first_repositories as (
    select
        models.repo_id,
        models.first_seen_date,
        cast(models.created_at as date) as created_on,
        min(corrections.released_on) as corrected_on
    from marts.dim_models as models
    left join corrections
        on models.repo_id = corrections.repo_id or lower(models.model_id) = corrections.model_key
    where models.repo_id in (select release_id from sampled)
    group by models.repo_id, models.first_seen_date, models.created_at
),

sample as (
    select
        sampled.*,
        repositories.counted_variants,
        repositories.families,
        repositories.organizations,
        case sampled.release_date_source
            when 'first_sight' then first_repositories.first_seen_date
            when 'correction' then first_repositories.corrected_on
            when 'created_at' then first_repositories.created_on
        end as expected_released_at
    from sampled
    left join repositories
        on sampled.release_id = repositories.release_id
    left join first_repositories
        on sampled.release_id = first_repositories.repo_id
)
