with

listed_parents as (

    select
        snapshot_date,
        _id as repo_id,
        baseModels.relation as relation,
        {{ explode('baseModels.models') }} as parent
    from {{ landed('models') }}
    where not coalesce(private, false)

),

from_base_models as (

    select
        snapshot_date,
        repo_id,
        parent.id as parent_model_id,
        nullif(parent._id, '') as parent_repo_id,
        relation,
        'base_models' as lineage_source
    from listed_parents

),

-- the files are read once more for these: what is read twice by one name is
-- kept whole in memory, and tags are most of a file
exploded_tags as (

    select
        snapshot_date,
        _id as repo_id,
        {{ explode(list_with_prefix('tags', 'base_model:')) }} as tag
    from {{ landed('models') }}
    where
        not coalesce(private, false)
        and {{ list_length('baseModels.models') }} = 0

),

lineage_tags as (

    select
        snapshot_date,
        repo_id,
        substr(tag, length('base_model:') + 1) as declared
    from exploded_tags

),

split_tags as (

    select
        snapshot_date,
        repo_id,
        declared,
        case
            when {{ dbt.split_part('declared', "':'", 1) }}
                in ('finetune', 'adapter', 'quantized', 'merge')
                then {{ dbt.split_part('declared', "':'", 1) }}
        end as relation
    from lineage_tags

),

from_tags as (

    select
        snapshot_date,
        repo_id,
        case
            when relation is null then declared
            else substr(declared, length(relation) + 2)
        end as parent_model_id,
        cast(null as {{ dbt.type_string() }}) as parent_repo_id,
        relation,
        'tags' as lineage_source
    from split_tags

),

declared as (

    select * from from_base_models
    union all
    select * from from_tags

),

-- a tag with and one without a relation name the same parent: one row
deduplicated as (

    select
        snapshot_date,
        repo_id,
        parent_model_id,
        max(parent_repo_id) as parent_repo_id,
        min(relation) as relation,
        min(lineage_source) as lineage_source
    from declared
    where parent_model_id <> ''
    group by snapshot_date, repo_id, parent_model_id

)

select * from deduplicated
