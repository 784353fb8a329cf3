with

named as (

    select
        *,
        lower(namespace) as namespace_key,
        lower({{ name_of('model_id') }}) as name_key
    from {{ ref('stg_hub__models') }}

),

models as (

    select
        *,
        case
            when parameters is null then {{ parameters_in_name('name_key') }}
        end as parameters_in_name
    from named

),

namespaces as (

    select * from {{ ref('int_namespaces_located') }}

),

roots as (

    select * from {{ ref('int_model_roots_placed') }}

),

families as (

    select * from {{ ref('int_families_named') }}

),

licenses as (

    select * from {{ ref('int_model_licenses_ranked') }}

),

-- only first-party repositories have a family; staging is read once more for
-- them, since what is read twice by one name is kept whole in memory
first_party_families as (

    select
        staged.snapshot_date,
        staged.repo_id,
        families.family
    from {{ ref('stg_hub__models') }} as staged
    inner join families
        on staged.model_id = families.model_id
    inner join namespaces
        on
            staged.snapshot_date = namespaces.snapshot_date
            and lower(staged.namespace) = namespaces.namespace_key
    where namespaces.is_first_party

),

parents as (

    select
        snapshot_date,
        repo_id,
        cast(count(*) as bigint) as parents,
        min(relation) as base_relation,
        max(parent_repo_id) as a_parent_repo_id
    from {{ ref('int_model_parents_resolved') }}
    group by snapshot_date, repo_id

),

pipeline_tags as (

    select * from {{ ref('pipeline_tags') }}

),

seeded_parameters as (

    select
        lower(model_id) as model_key,
        max(parameters) as parameters
    from {{ ref('model_parameters') }}
    group by lower(model_id)

),

outliers as (

    select
        repo_id,
        lower(model_id) as model_key
    from {{ ref('outliers') }}

),

-- a reviewed row names a repository, or a name where its `_id` is not known
outlier_repositories as (

    select distinct repo_id
    from outliers
    where repo_id <> ''

),

outlier_names as (

    select distinct model_key
    from outliers
    where coalesce(repo_id, '') = ''

),

described as (

    select
        models.snapshot_date,
        models.repo_id,
        models.model_id,
        models.namespace,
        models.created_at,
        models.is_created_at_floor,
        -- greatest() leaves nulls out: without a date there is no age
        case
            when models.created_at is not null
                then greatest(
                    {{ dbt.datediff(
                        'cast(models.created_at as date)',
                        'models.snapshot_date',
                        'day',
                    ) }},
                    0
                )
        end as age_days,
        coalesce(models.downloads_30d, 0) as downloads_30d,
        coalesce(models.downloads_all_time, 0) as downloads_all_time,
        models.downloads_30d is null as is_without_downloads_30d,
        models.downloads_all_time is null as is_without_downloads_all_time,
        coalesce(models.likes, 0) as likes,

        -- who holds the repository
        uploaders.country_code as uploader_country_code,
        uploaders.organization as uploader_organization,
        uploaders.organization_type as uploader_organization_type,
        uploaders.parent_organization as uploader_parent_organization,
        uploaders.is_person as uploader_is_person,
        uploaders.counted_as as uploader_account_type,
        uploaders.holder as uploader_holder,
        uploaders.is_first_party,

        -- who developed the root of its lineage; without one, the same
        case
            when roots.repo_id is null then uploaders.country_code
            else roots.country_code
        end as origin_country_code,
        case
            when roots.repo_id is null then uploaders.organization
            else roots.organization
        end as origin_organization,
        case
            when roots.repo_id is null then uploaders.is_person
            else roots.is_person
        end as origin_is_person,
        case
            when roots.repo_id is null then uploaders.counted_as
            else roots.counted_as
        end as origin_account_type,
        case
            when roots.repo_id is null then uploaders.holder
            else coalesce(roots.holder, uploaders.holder)
        end as origin_holder,
        case
            when roots.repo_id is null then models.repo_id
            else roots.root_repo_id
        end as root_repo_id,
        parents.repo_id is not null as is_derivative,
        parents.base_relation,
        case
            when parents.parents = 1 then parents.a_parent_repo_id
        end as base_repo_id,

        -- what it is
        own_families.family,
        case
            when roots.repo_id is null then own_families.family
            else root_families.family
        end as origin_family,
        models.pipeline_tag,
        coalesce(pipeline_tags.modality, 'unknown') as modality,
        pipeline_tags.is_generative,
        models.library_name,
        licenses.license,
        coalesce(licenses.openness, 'unspecified') as openness,
        models.gated,
        models.is_disabled,
        models.declares_training_data,
        coalesce(
            models.parameters,
            seeded_parameters.parameters,
            models.parameters_in_name
        ) as parameters,
        case
            when models.parameters is not null then 'safetensors'
            when seeded_parameters.parameters is not null then 'seed'
            when models.parameters_in_name is not null then 'name'
        end as parameters_source,
        {{ is_distilled('models.is_tagged_distilled', 'models.name_key') }}
            as is_distilled,
        {{ is_quantized(
            'models.is_tagged_quantized',
            'parents.base_relation',
            'models.library_name',
            'models.name_key',
        ) }} as is_quantized,
        {{ is_mixture_of_experts('models.is_tagged_moe', 'models.name_key') }}
            as is_moe,
        {{ is_adapter(
            'models.is_tagged_adapter',
            'parents.base_relation',
            'models.library_name',
            'models.name_key',
        ) }} as is_adapter,
        {{ is_merge(
            'models.is_tagged_merge',
            'parents.base_relation',
            'models.name_key',
        ) }} as is_merge,
        outlier_repositories.repo_id is not null
        or outlier_names.model_key is not null as is_seeded_outlier
    from models
    left join roots
        on
            models.snapshot_date = roots.snapshot_date
            and models.repo_id = roots.repo_id
    left join parents
        on
            models.snapshot_date = parents.snapshot_date
            and models.repo_id = parents.repo_id
    left join first_party_families as own_families
        on
            models.snapshot_date = own_families.snapshot_date
            and models.repo_id = own_families.repo_id
    left join first_party_families as root_families
        on
            roots.snapshot_date = root_families.snapshot_date
            and roots.root_repo_id = root_families.repo_id
    left join licenses
        on
            models.snapshot_date = licenses.snapshot_date
            and models.repo_id = licenses.repo_id
    left join pipeline_tags
        on models.pipeline_tag = pipeline_tags.pipeline_tag
    left join seeded_parameters
        on lower(models.model_id) = seeded_parameters.model_key
    left join outlier_repositories
        on models.repo_id = outlier_repositories.repo_id
    left join outlier_names
        on lower(models.model_id) = outlier_names.model_key
    -- the only join that could leave rows out comes last: before it, an engine
    -- knows that the models are the many, and looks the others up for them
    inner join namespaces as uploaders
        on
            models.snapshot_date = uploaders.snapshot_date
            and models.namespace_key = uploaders.namespace_key

),

judged as (

    select
        *,
        {{ size_class('parameters') }} as size_class,
        coalesce(
            age_days < {{ var('new_model_days') }} and not is_created_at_floor,
            false
        ) as is_new,
        is_seeded_outlier
        or {{ is_outlier_by('downloads_all_time', 'likes') }}
            as is_outlier_all_time,
        is_seeded_outlier
        or {{ is_outlier_by('downloads_30d', 'likes') }} as is_outlier_30d
    from described

),

final as (

    select
        *,
        is_outlier_all_time or is_outlier_30d as is_outlier
    from judged

)

select * from final
