{# From all that was ever seen, not from this run's days: whatever the order of loading, the releases are the same. #}
with recursive

models as (

    select * from {{ ref('int_models_folded') }}

),

loaded as (

    select * from {{ ref('int_snapshots_loaded') }}

),

release_dates as (

    select * from {{ ref('release_dates') }}

),

-- only first-party repositories of seeded organisations have a family
first_party as (

    select
        *,
        lower(model_id) as model_key,
        lower(family) as family_key
    from models
    where family is not null

),

-- a reviewed row names a repository, or a name where its `_id` is not known
corrections_by_id as (

    select
        repo_id,
        min(released_on) as released_on
    from release_dates
    where coalesce(repo_id, '') <> ''
    group by repo_id

),

corrections_by_name as (

    select
        lower(model_id) as model_key,
        min(released_on) as released_on
    from release_dates
    where coalesce(repo_id, '') = ''
    group by lower(model_id)

),

-- a repository that the day before did not list came out on the day that
-- first did; on the first day of history, or after a gap, nobody knows
candidates as (

    select
        first_party.*,
        case
            when day_before.snapshot_date is not null
                then first_party.first_seen_date
        end as first_sight,
        coalesce(
            corrections_by_id.released_on, corrections_by_name.released_on
        ) as corrected_on,
        case
            when not {{ is_created_at_floor('first_party.created_at') }}
                then cast(first_party.created_at as date)
        end as created_on
    from first_party
    left join loaded as day_before
        on
            first_party.first_seen_date
            = cast({{ dbt.dateadd('day', 1, 'day_before.snapshot_date') }} as date)
    left join corrections_by_id
        on first_party.repo_id = corrections_by_id.repo_id
    left join corrections_by_name
        on first_party.model_key = corrections_by_name.model_key

),

dated as (

    select
        repo_id,
        organization,
        uploader_country as country_code,
        family,
        family_key,
        created_at,
        modality,
        parameters,
        cast(coalesce(first_sight, corrected_on, created_on) as date)
            as released_on,
        case
            when first_sight is not null then 'first_sight'
            when corrected_on is not null then 'correction'
            else 'created_at'
        end as release_date_source
    from candidates
    where coalesce(first_sight, corrected_on, created_on) is not null

),

-- a release lasts from its first repository on; the next one after that opens
-- another (one step of the recursion per release of a family)
release_starts as (

    {{ recursion_begins('release_starts') }}
    select
        organization,
        family_key,
        min(released_on) as started_on
    from dated
    group by organization, family_key
    {{ recursion_repeats('union all') }}
    select
        dated.organization,
        dated.family_key,
        min(dated.released_on) as started_on
    from release_starts
    inner join dated
        on
            release_starts.organization = dated.organization
            and release_starts.family_key = dated.family_key
            and {{ dbt.datediff(
                'release_starts.started_on', 'dated.released_on', 'day'
            ) }} > {{ var('release_window_days') }}
    group by dated.organization, dated.family_key
    {{ recursion_ends('release_starts') }}
),

started as (

    select
        dated.repo_id,
        max(release_starts.started_on) as started_on
    from dated
    inner join release_starts
        on
            dated.organization = release_starts.organization
            and dated.family_key = release_starts.family_key
            and dated.released_on >= release_starts.started_on
    group by dated.repo_id

),

final as (

    select
        dated.repo_id,
        first_value(dated.repo_id) over (
            partition by
                dated.organization, dated.family_key, started.started_on
            order by
                dated.released_on, dated.created_at nulls last, dated.repo_id
        ) as release_id,
        dated.organization,
        dated.country_code,
        dated.family,
        dated.released_on,
        dated.release_date_source,
        dated.modality,
        dated.parameters
    from dated
    inner join started
        on dated.repo_id = started.repo_id

)

select * from final
