with

changes as (

    select * from {{ ref('int_model_changes') }}

),

repositories as (

    select
        repo_id,
        repo_key
    from {{ ref('int_repositories_keyed') }}

),

-- what never changed stands in dim_models
changed_repositories as (

    select distinct repo_key
    from changes
    where change <> 'opened'

),

-- a change of who is counted behind a repository alone opens no period
periods as (

    select
        changes.snapshot_date,
        changes.repo_key,
        changes.change,
        changes.model_id,
        changes.namespace,
        changes.license,
        changes.gated,
        changes.pipeline_tag,
        changes.base_models,
        changes.is_disabled,
        {%- for value in [
            'model_id', 'namespace', 'license', 'gated', 'pipeline_tag',
            'base_models', 'is_disabled',
        ] %}
        lag(changes.{{ value }}) over (
            partition by changes.repo_key
            order by changes.snapshot_date
        ) as {{ value }}_before
        {{- "," if not loop.last }}
        {%- endfor %}
    from changes
    inner join changed_repositories
        on changes.repo_key = changed_repositories.repo_key

),

bounds as (

    select
        *,
        lead(snapshot_date) over (
            partition by repo_key
            order by snapshot_date
        ) as next_date
    from periods
    where
        change in ('opened', 'closed')
        {%- for value in [
            'model_id', 'namespace', 'license', 'gated', 'pipeline_tag',
            'base_models', 'is_disabled',
        ] %}
        or {{ value }} is distinct from {{ value }}_before
        {%- endfor %}

),

counted as (

    select
        *,
        count(*) over (partition by repo_key) as bounds_of_repository
    from bounds

),

final as (

    select
        repositories.repo_id,
        counted.snapshot_date as valid_from,
        counted.next_date as valid_to,
        counted.model_id,
        counted.namespace,
        counted.license,
        counted.gated,
        counted.pipeline_tag,
        counted.base_models,
        counted.is_disabled
    from counted
    inner join repositories
        on counted.repo_key = repositories.repo_key
    where
        counted.change <> 'closed'
        and counted.bounds_of_repository > 1

)

select * from final
