with recursive

models as (

    select
        snapshot_date,
        repo_id,
        lower(namespace) as namespace_key
    from {{ ref('stg_hub__models') }}

),

parents as (

    select * from {{ ref('int_model_parents_resolved') }}

),

namespaces as (

    select * from {{ ref('int_namespaces_located') }}

),

edges as (

    select distinct
        snapshot_date,
        repo_id,
        listed_parent_repo_id as parent_repo_id
    from parents
    where listed_parent_repo_id is not null

),

child_days as (

    select distinct
        snapshot_date,
        repo_id
    from edges

),

parent_days as (

    select distinct
        snapshot_date,
        parent_repo_id as repo_id
    from edges

),

-- only repositories that are both a child and a parent can lie on a cycle:
-- leaving the others out keeps the closure small
inner_edges as (

    select edges.*
    from edges
    inner join parent_days
        on
            edges.snapshot_date = parent_days.snapshot_date
            and edges.repo_id = parent_days.repo_id
    inner join child_days
        on
            edges.snapshot_date = child_days.snapshot_date
            and edges.parent_repo_id = child_days.repo_id

),

-- `union`, not `union all`: a pair that was reached once is not followed again
ancestors as (

    {{ recursion_begins('ancestors') }}
    select
        snapshot_date,
        repo_id,
        parent_repo_id as ancestor_repo_id
    from inner_edges
    {{ recursion_repeats('union') }}
    select
        ancestors.snapshot_date,
        ancestors.repo_id,
        inner_edges.parent_repo_id
    from ancestors
    inner join inner_edges
        on
            ancestors.snapshot_date = inner_edges.snapshot_date
            and ancestors.ancestor_repo_id = inner_edges.repo_id
    {{ recursion_ends('ancestors') }}
),

-- each repository on a cycle with all that share it, itself included
cycles as (

    select
        ancestors.snapshot_date,
        ancestors.repo_id,
        ancestors.ancestor_repo_id as member_repo_id
    from ancestors
    inner join ancestors as backwards
        on
            ancestors.snapshot_date = backwards.snapshot_date
            and ancestors.repo_id = backwards.ancestor_repo_id
            and ancestors.ancestor_repo_id = backwards.repo_id

),

on_a_cycle as (

    select
        snapshot_date,
        repo_id
    from cycles
    where repo_id = member_repo_id

),

-- parents that lead on: all of a repository that is on no cycle, and those
-- outside the cycle that any of its members has
followed as (

    select
        parents.snapshot_date,
        parents.repo_id,
        parents.parent_model_id,
        parents.listed_parent_repo_id,
        parents.parent_repo_id,
        parents.parent_namespace_key
    from parents
    left join on_a_cycle
        on
            parents.snapshot_date = on_a_cycle.snapshot_date
            and parents.repo_id = on_a_cycle.repo_id
    where on_a_cycle.repo_id is null
    union
    select
        cycles.snapshot_date,
        cycles.repo_id,
        parents.parent_model_id,
        parents.listed_parent_repo_id,
        parents.parent_repo_id,
        parents.parent_namespace_key
    from cycles
    inner join parents
        on
            cycles.snapshot_date = parents.snapshot_date
            and cycles.member_repo_id = parents.repo_id
    left join cycles as inside
        on
            cycles.snapshot_date = inside.snapshot_date
            and cycles.repo_id = inside.repo_id
            and parents.listed_parent_repo_id = inside.member_repo_id
    where inside.repo_id is null

),

followed_children as (

    select distinct
        snapshot_date,
        repo_id
    from followed

),

-- a root: a repository on a cycle (which ends at itself), a listed parent that
-- follows nothing, or a parent that is not listed
ending_at_a_root as (

    select
        followed.snapshot_date,
        followed.repo_id,
        followed.parent_repo_id as root_repo_id,
        coalesce(
            followed.listed_parent_repo_id, lower(followed.parent_model_id)
        ) as root_key,
        coalesce(models.namespace_key, followed.parent_namespace_key)
            as root_namespace_key
    from followed
    left join followed_children
        on
            followed.snapshot_date = followed_children.snapshot_date
            and followed.listed_parent_repo_id = followed_children.repo_id
    left join models
        on
            followed.snapshot_date = models.snapshot_date
            and followed.listed_parent_repo_id = models.repo_id
    where followed_children.repo_id is null
    union
    select
        models.snapshot_date,
        models.repo_id,
        models.repo_id as root_repo_id,
        models.repo_id as root_key,
        models.namespace_key as root_namespace_key
    from models
    inner join on_a_cycle
        on
            models.snapshot_date = on_a_cycle.snapshot_date
            and models.repo_id = on_a_cycle.repo_id

),

lineage as (

    {{ recursion_begins('lineage') }}
    select
        snapshot_date,
        repo_id,
        root_repo_id,
        root_key,
        root_namespace_key
    from ending_at_a_root
    {{ recursion_repeats('union') }}
    select
        followed.snapshot_date,
        followed.repo_id,
        lineage.root_repo_id,
        lineage.root_key,
        lineage.root_namespace_key
    from lineage
    inner join followed
        on
            lineage.snapshot_date = followed.snapshot_date
            and lineage.repo_id = followed.listed_parent_repo_id
    {{ recursion_ends('lineage') }}
),

placed as (

    select
        lineage.*,
        namespaces.country_code,
        namespaces.organization,
        namespaces.holder,
        namespaces.is_person,
        namespaces.counted_as
    from lineage
    inner join namespaces
        on
            lineage.snapshot_date = namespaces.snapshot_date
            and lineage.root_namespace_key = namespaces.namespace_key

),

summarised as (

    select
        snapshot_date,
        repo_id,
        cast(count(distinct root_key) as bigint) as roots,
        max(root_repo_id) as a_root_repo_id,
        max(case when country_code = 'XX' then 1 else 0 end) as has_unplaced,
        min(country_code) as first_country_code,
        max(country_code) as last_country_code,
        min(coalesce(organization, '')) as first_organization,
        max(coalesce(organization, '')) as last_organization,
        min(holder) as first_holder,
        max(holder) as last_holder,
        min(case when is_person then 1 else 0 end) as all_persons,
        max(case when counted_as = 'unknown' then 1 else 0 end) as has_unknown
    from placed
    group by snapshot_date, repo_id

),

final as (

    select
        snapshot_date,
        repo_id,
        roots,
        case when roots = 1 then a_root_repo_id end as root_repo_id,
        case
            when has_unplaced = 1 then 'XX'
            when first_country_code = last_country_code
                then first_country_code
            else 'XM'
        end as country_code,
        case
            when first_organization = last_organization
                then nullif(first_organization, '')
        end as organization,
        case when first_holder = last_holder then first_holder end as holder,
        all_persons = 1 as is_person,
        case
            when all_persons = 1 then 'person'
            when has_unknown = 1 then 'unknown'
            else 'organization'
        end as counted_as
    from summarised

)

select * from final
