{# Repositories that came into sight or went out of it, on the days whose rows this run may renew. Whether a repository
   came for the first time depends on everything before, so that a late day can change a row of any later one. #}
with

days as (

    select * from {{ ref('int_days_of_run') }}

),

snapshots as (

    select * from {{ ref('int_snapshots_classified') }}

),

repositories as (

    select * from {{ ref('int_repositories_keyed') }}

),

changes as (

    select
        snapshot_date,
        repo_key,
        change,
        counter_date,
        counter
    from {{ ref('int_model_changes') }}
    where change <> 'changed'

),

captured as (

    select
        snapshot_date,
        lag(captured_at) over (order by snapshot_date) as previous_captured_at
    from snapshots
    where status = 'complete'

),

-- nothing opens on the first captured day: all that it lists was there before
first_renewed as (

    select min(coalesce(snapshots.base_date, days.snapshot_date)) as first_date
    from days
    inner join snapshots
        on days.snapshot_date = snapshots.snapshot_date

),

renewed as (

    select
        changes.*,
        captured.previous_captured_at
    from changes
    inner join captured
        on changes.snapshot_date = captured.snapshot_date
    cross join first_renewed
    where
        changes.snapshot_date >= first_renewed.first_date
        and captured.previous_captured_at is not null

),

last_closings as (

    select
        renewed.snapshot_date,
        renewed.repo_key,
        max(closings.snapshot_date) as closed_date
    from renewed
    inner join changes as closings
        on
            renewed.repo_key = closings.repo_key
            and renewed.snapshot_date > closings.snapshot_date
    where
        renewed.change = 'opened'
        and closings.change = 'closed'
    group by renewed.snapshot_date, renewed.repo_key

),

judged as (

    select
        renewed.snapshot_date,
        renewed.repo_key,
        case
            when renewed.change = 'closed' then 'vanished'
            when closings.repo_key is not null then 'reappeared'
            else 'first_seen'
        end as delta_status,
        case
            when renewed.change = 'closed' then cast(null as bigint)
            when closings.repo_key is not null
                then renewed.counter - closings.counter
            when repositories.created_at >= renewed.previous_captured_at
                then renewed.counter
        end as downloads,
        {{ dbt.datediff('closings.counter_date', 'renewed.snapshot_date', 'day') }}
            as days_absent
    from renewed
    inner join repositories
        on renewed.repo_key = repositories.repo_key
    left join last_closings
        on
            renewed.snapshot_date = last_closings.snapshot_date
            and renewed.repo_key = last_closings.repo_key
    left join changes as closings
        on
            last_closings.repo_key = closings.repo_key
            and last_closings.closed_date = closings.snapshot_date

),

final as (

    select
        snapshot_date,
        repo_key,
        delta_status,
        downloads,
        cast(
            case
                when delta_status = 'reappeared' then days_absent
                when delta_status = 'first_seen' and downloads is not null then 1
            end as integer
        ) as days_spanned
    from judged

)

select * from final
