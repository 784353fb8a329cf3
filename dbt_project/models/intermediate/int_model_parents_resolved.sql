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

-- identity is `_id`: a parent that was renamed is still the parent
final as (

    select
        parents.snapshot_date,
        parents.repo_id,
        parents.parent_model_id,
        parents.relation,
        parents.lineage_source,
        coalesce(listed_by_id.repo_id, listed_by_name.repo_id)
            as listed_parent_repo_id,
        coalesce(
            listed_by_id.repo_id, listed_by_name.repo_id, parents.parent_repo_id
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

)

select * from final
