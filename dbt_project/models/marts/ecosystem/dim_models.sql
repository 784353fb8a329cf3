{%- set attributes = [
    'model_id', 'namespace', 'organization', 'family', 'created_at',
    'pipeline_tag', 'modality', 'is_generative', 'library_name', 'license',
    'openness', 'gated', 'declares_training_data', 'parameters',
    'parameters_source', 'size_class', 'is_distilled', 'is_quantized', 'is_moe',
    'is_outlier', 'base_relation', 'base_repo_id', 'root_repo_id',
    'uploader_country', 'origin_country', 'downloads_all_time',
    'downloads_30d', 'likes',
] -%}

with recursive

models as (

    select
        *,
        uploader_organization as organization,
        uploader_country_code as uploader_country,
        origin_country_code as origin_country
    from {{ ref('int_models_attributed') }}

),

loaded as (

    select * from {{ ref('int_snapshots_loaded') }}

),

-- grouping the keys and joining back is far cheaper than sorting wide rows
sights as (

    select
        repo_id,
        min(snapshot_date) as first_seen_date,
        max(snapshot_date) as last_seen_date
    from models
    group by repo_id

),

of_this_run as (

    select
        sights.repo_id,
        sights.first_seen_date,
        sights.last_seen_date,
        models.{{ attributes | join(',\n        models.') }}
    from sights
    inner join models
        on
            sights.repo_id = models.repo_id
            and sights.last_seen_date = models.snapshot_date

),

{% if is_folding() -%}
known_before as (

    select * from {{ this }}

),

-- attributes as on the latest sight, whichever run brought it
folded as (

    select
        of_this_run.repo_id,
        least(
            of_this_run.first_seen_date,
            coalesce(known_before.first_seen_date, of_this_run.first_seen_date)
        ) as first_seen_date,
        of_this_run.last_seen_date,
        of_this_run.{{ attributes | join(',\n        of_this_run.') }}
    from of_this_run
    left join known_before
        on of_this_run.repo_id = known_before.repo_id
    where
        known_before.repo_id is null
        or of_this_run.last_seen_date >= known_before.last_seen_date
    union all
    select
        known_before.repo_id,
        least(
            known_before.first_seen_date,
            coalesce(of_this_run.first_seen_date, known_before.first_seen_date)
        ) as first_seen_date,
        known_before.last_seen_date,
        known_before.{{ attributes | join(',\n        known_before.') }}
    from known_before
    left join of_this_run
        on known_before.repo_id = of_this_run.repo_id
    where
        of_this_run.repo_id is null
        or of_this_run.last_seen_date < known_before.last_seen_date

),

{% else -%}
folded as (

    select * from of_this_run

),

{% endif -%}
latest as (

    select max(snapshot_date) as snapshot_date
    from loaded

),

dated as (

    select
        repo_id,
        organization,
        lower(family) as family_key,
        created_at,
        cast(created_at as date) as released_on
    from folded
    where
        family is not null
        and created_at is not null
        and not {{ is_created_at_floor('created_at') }}

),

-- a release lasts from its first repository on; the next one after that opens
-- another (one step of the recursion per release of a family)
release_starts as (

    select
        organization,
        family_key,
        min(released_on) as started_on
    from dated
    group by organization, family_key
    union all
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

),

started as (

    select
        dated.repo_id,
        dated.organization,
        dated.family_key,
        dated.created_at,
        max(release_starts.started_on) as started_on
    from dated
    inner join release_starts
        on
            dated.organization = release_starts.organization
            and dated.family_key = release_starts.family_key
            and dated.released_on >= release_starts.started_on
    group by
        dated.repo_id,
        dated.organization,
        dated.family_key,
        dated.created_at

),

releases as (

    select
        repo_id,
        first_value(repo_id) over (
            partition by organization, family_key, started_on
            order by created_at, repo_id
        ) as release_id
    from started

),

final as (

    select
        folded.repo_id,
        folded.model_id,
        folded.namespace,
        folded.organization,
        folded.family,
        releases.release_id,
        folded.created_at,
        folded.first_seen_date,
        folded.last_seen_date,
        folded.last_seen_date = latest.snapshot_date as is_listed,
        folded.pipeline_tag,
        folded.modality,
        folded.is_generative,
        folded.library_name,
        folded.license,
        folded.openness,
        folded.gated,
        folded.declares_training_data,
        folded.parameters,
        folded.parameters_source,
        folded.size_class,
        folded.is_distilled,
        folded.is_quantized,
        folded.is_moe,
        folded.is_outlier,
        folded.base_relation,
        folded.base_repo_id,
        folded.root_repo_id,
        folded.uploader_country,
        folded.origin_country,
        folded.downloads_all_time,
        folded.downloads_30d,
        folded.likes
    from folded
    cross join latest
    left join releases
        on folded.repo_id = releases.repo_id

)

select * from final
