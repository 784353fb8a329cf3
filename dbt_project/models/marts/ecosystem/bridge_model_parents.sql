with

parents as (

    select * from {{ ref('int_model_parents_resolved') }}

),

models as (

    select
        repo_id,
        last_seen_date
    from {{ ref('dim_models') }}

),

-- what a repository declares on its latest sight, if that is in this run
of_this_run as (

    select
        parents.repo_id,
        parents.parent_model_id,
        parents.parent_repo_id,
        parents.relation,
        models.last_seen_date
    from parents
    inner join models
        on
            parents.repo_id = models.repo_id
            and parents.snapshot_date = models.last_seen_date

),

{% if is_folding() -%}
-- else what it declared before; what it no longer declares is not kept
known_before as (

    select
        known.repo_id,
        known.parent_model_id,
        known.parent_repo_id,
        known.relation,
        known.last_seen_date
    from {{ this }} as known
    inner join models
        on
            known.repo_id = models.repo_id
            and known.last_seen_date = models.last_seen_date
    where not ({{ in_snapshot_dates('models.last_seen_date') }})

),

{% endif -%}
final as (

    select * from of_this_run
    {%- if is_folding() %}
    union all
    select * from known_before
    {%- endif %}

)

select * from final
