with

milestones as (

    select * from {{ ref('int_milestones_reached') }}

),

repositories as (

    select
        repo_id,
        repo_key
    from {{ ref('int_repositories_keyed') }}

),

snapshots as (

    select min(snapshot_date) as first_date
    from {{ ref('int_snapshots_classified') }}
    where status = 'complete'

),

models as (

    select
        repo_id,
        first_seen_date,
        size_class
    from {{ ref('dim_models') }}
    where family is not null

),

-- a milestone that was reached by another first sight is no longer one
current_milestones as (

    select
        repositories.repo_id,
        milestones.milestone_days,
        milestones.downloads,
        models.size_class
    from milestones
    inner join repositories
        on milestones.repo_key = repositories.repo_key
    inner join models
        on
            repositories.repo_id = models.repo_id
            and milestones.first_seen_date = models.first_seen_date
    cross join snapshots
    where models.first_seen_date > snapshots.first_date

),

ranked as (

    select
        *,
        row_number() over (
            partition by milestone_days, size_class
            order by downloads desc, repo_id
        ) as position
    from current_milestones
    where size_class <> 'unknown'

),

-- of the eleven most downloaded, the ten that are others
peers as (

    select
        ranked.repo_id,
        ranked.milestone_days,
        others.downloads,
        row_number() over (
            partition by ranked.repo_id, ranked.milestone_days
            order by others.position
        ) as position
    from ranked
    inner join ranked as others
        on
            ranked.milestone_days = others.milestone_days
            and ranked.size_class = others.size_class
            and ranked.repo_id <> others.repo_id
    where others.position <= {{ var('adoption_peers') }} + 1

),

medians as (

    select
        repo_id,
        milestone_days,
        count(*) as peers,
        {{ median('downloads') }} as peer_median
    from peers
    where position <= {{ var('adoption_peers') }}
    group by repo_id, milestone_days

),

final as (

    select
        current_milestones.repo_id,
        current_milestones.milestone_days,
        current_milestones.downloads,
        current_milestones.size_class,
        case
            when medians.peers = {{ var('adoption_peers') }}
                then medians.peer_median
        end as peer_median,
        case
            when medians.peers = {{ var('adoption_peers') }}
                then {{ share_of(
                    'current_milestones.downloads', 'medians.peer_median'
                ) }}
        end as relative_adoption
    from current_milestones
    left join medians
        on
            current_milestones.repo_id = medians.repo_id
            and current_milestones.milestone_days = medians.milestone_days

)

select * from final
