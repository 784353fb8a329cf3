{# What first-party repositories were downloaded in their first days, at each milestone that a day of this run lies
   before or on. First-party repositories that came into sight are few, so that little is read of each day. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['repo_key', 'milestone_days'],
        on_schema_change='fail',
    )
}}

with

models as (

    select
        repo_id,
        first_seen_date
    from {{ ref('int_models_folded') }}
    where family is not null

),

repositories as (

    select
        repo_id,
        repo_key
    from {{ ref('int_repositories_keyed') }}

),

snapshots as (

    select * from {{ ref('int_snapshots_classified') }}

),

restated as (

    select distinct snapshot_date
    from {{ ref('int_days_restated') }}

),

bounds as (

    select
        min(snapshot_date) as first_date,
        max(snapshot_date) as last_date
    from snapshots
    where status = 'complete'

),

milestones as (

    {% for milestone in adoption_milestones() -%}
    select {{ milestone }} as milestone_days
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

reached as (

    select
        repositories.repo_key,
        models.first_seen_date,
        milestones.milestone_days,
        cast({{ dbt.dateadd(
            'day', 'milestones.milestone_days', 'models.first_seen_date'
        ) }} as date) as milestone_date
    from models
    inner join repositories
        on models.repo_id = repositories.repo_id
    cross join milestones
    cross join bounds
    where
        models.first_seen_date > bounds.first_date
        and cast({{ dbt.dateadd(
            'day', 'milestones.milestone_days', 'models.first_seen_date'
        ) }} as date) <= bounds.last_date

),

to_write as (

    select distinct reached.*
    from reached
    inner join restated
        on
            reached.first_seen_date <= restated.snapshot_date
            and reached.milestone_date >= restated.snapshot_date

),

downloads as (

    select
        snapshot_date,
        repo_key,
        downloads
    from {{ ref('int_model_downloads_daily') }}
    where
        downloads is not null
        and snapshot_date >= (
            select min(to_write.first_seen_date)
            from to_write
        )

),

final as (

    select
        to_write.repo_key,
        to_write.milestone_days,
        to_write.first_seen_date,
        cast(coalesce(sum(downloads.downloads), 0) as bigint) as downloads
    from to_write
    left join downloads
        on
            to_write.repo_key = downloads.repo_key
            and to_write.first_seen_date <= downloads.snapshot_date
            and to_write.milestone_date >= downloads.snapshot_date
    group by
        to_write.repo_key, to_write.milestone_days, to_write.first_seen_date

)

select * from final
