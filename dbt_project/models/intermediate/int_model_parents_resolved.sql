with

models as (

    select
        snapshot_date,
        repo_id,
        model_id
    from {{ ref('stg_hub__models') }}

),

parents as (

    select * from {{ ref('stg_hub__model_parents') }}

),

names as (

    select * from {{ ref('int_repository_names') }}

),

repositories as (

    select
        repo_key,
        repo_id
    from {{ ref('int_repositories_keyed') }}

),

parent_names as (

    select distinct
        snapshot_date,
        lower(parent_model_id) as model_key
    from parents

),

-- of two repositories that differ in case alone, the later one
listed_by_name as (

    select
        models.snapshot_date,
        parent_names.model_key,
        max(models.repo_id) as repo_id
    from models
    inner join parent_names
        on
            models.snapshot_date = parent_names.snapshot_date
            and lower(models.model_id) = parent_names.model_key
    group by models.snapshot_date, parent_names.model_key

),

-- a name that nobody holds that day means who took it last before: renamed
-- since, that repository is still the parent; gone, it is not listed
holders_before as (

    select
        parent_names.snapshot_date,
        parent_names.model_key,
        repositories.repo_id,
        row_number() over (
            partition by parent_names.snapshot_date, parent_names.model_key
            order by names.first_date desc, repositories.repo_id desc
        ) as recency
    from parent_names
    inner join names
        on
            parent_names.model_key = names.name_key
            and names.first_date < parent_names.snapshot_date
    inner join repositories
        on names.repo_key = repositories.repo_key
    left join listed_by_name
        on
            parent_names.snapshot_date = listed_by_name.snapshot_date
            and parent_names.model_key = listed_by_name.model_key
    where listed_by_name.repo_id is null

),

listed_by_old_name as (

    select
        holders_before.snapshot_date,
        holders_before.model_key,
        holders_before.repo_id
    from holders_before
    inner join models
        on
            holders_before.snapshot_date = models.snapshot_date
            and holders_before.repo_id = models.repo_id
    where holders_before.recency = 1

),

-- identity is `_id`: a parent that was renamed is still the parent
final as (

    select
        parents.snapshot_date,
        parents.repo_id,
        parents.parent_model_id,
        parents.relation,
        parents.lineage_source,
        coalesce(
            listed_by_id.repo_id,
            listed_by_name.repo_id,
            listed_by_old_name.repo_id
        ) as listed_parent_repo_id,
        coalesce(
            listed_by_id.repo_id,
            listed_by_name.repo_id,
            listed_by_old_name.repo_id,
            parents.parent_repo_id
        ) as parent_repo_id,
        lower({{ namespace_of("''", 'parents.parent_model_id') }})
            as parent_namespace_key
    from parents
    left join models as listed_by_id
        on
            parents.snapshot_date = listed_by_id.snapshot_date
            and parents.parent_repo_id = listed_by_id.repo_id
    left join listed_by_name
        on
            parents.snapshot_date = listed_by_name.snapshot_date
            and lower(parents.parent_model_id) = listed_by_name.model_key
    left join listed_by_old_name
        on
            parents.snapshot_date = listed_by_old_name.snapshot_date
            and lower(parents.parent_model_id) = listed_by_old_name.model_key

)

select * from final
