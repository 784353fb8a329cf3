-- One row for the manifest that lies beside the day's landed rows.
-- What is usual is told by `past_manifests`, those of the 28 days before: one row per landed day.
with

manifests as (
    select
        manifest,
        coalesce(previous_manifest, cast('{}' as json)) as previous,
        previous_manifest is not null
        and (manifest ->> '$.source') = (previous_manifest ->> '$.source')
            as is_comparable
    from landed_manifest
    where manifest is not null
),

told as (
    select
        *,
        coalesce(json_keys(manifest, '$.unknown_fields'), []) as unknown_fields,
        coalesce(json_keys(previous, '$.unknown_fields'), [])
            as previous_unknown_fields,
        coalesce(json_keys(manifest, '$.retyped'), []) as retyped,
        coalesce(json_keys(previous, '$.retyped'), []) as previous_retyped,
        coalesce(manifest ->> '$.unasked[*]', []) as unasked,
        coalesce(previous ->> '$.unasked[*]', []) as previous_unasked,
        list_filter(
            coalesce(json_keys(manifest, '$.nulls'), []),
            lambda name: (manifest ->> ('$.nulls."' || name || '"'))
            = (manifest ->> '$.rows')
        ) as empty_columns,
        list_filter(
            coalesce(json_keys(previous, '$.nulls'), []),
            lambda name: (previous ->> ('$.nulls."' || name || '"'))
            = (previous ->> '$.rows')
        ) as previous_empty_columns
    from manifests
),

-- days of another source count other repositories
days as (
    select
        getvariable('day') as snapshot_date,
        cast(manifest ->> '$.rows' as bigint) as models,
        manifest
    from manifests
    union all
    select
        past.snapshot_date,
        cast(past.manifest ->> '$.rows' as bigint) as models,
        past.manifest
    from past_manifests as past
    inner join manifests
        on (past.manifest ->> '$.source') = (manifests.manifest ->> '$.source')
),

-- per day since the last landed one, as a share of it
growths as (
    select
        snapshot_date,
        lag(models) over in_time as models_before,
        cast(models as double) / nullif(lag(models) over in_time, 0) - 1 as change,
        date_diff('day', lag(snapshot_date) over in_time, snapshot_date) as days_apart,
        ((models / nullif(lag(models) over in_time, 0)) - 1)
        / date_diff('day', lag(snapshot_date) over in_time, snapshot_date)
            as growth
    from days
    window in_time as (order by snapshot_date)
),

growth as (
    select *
    from growths
    where
        snapshot_date = getvariable('day')
        and growth is not null
),

usual_growth as (
    select
        count(*) as days,
        median(growth) as middle,
        mad(growth) as deviation,
        count(*) filter (dayofweek(snapshot_date) = dayofweek(getvariable('day'))) as weekdays,
        median(growth) filter (dayofweek(snapshot_date) = dayofweek(getvariable('day'))) as weekday_middle,
        mad(growth) filter (dayofweek(snapshot_date) = dayofweek(getvariable('day'))) as weekday_deviation
    from growths
    where
        snapshot_date < getvariable('day')
        and growth is not null
),

vanished as (
    select
        days.snapshot_date,
        cast(days.manifest ->> '$.identity.gone' as double)
        / nullif(growths.models_before, 0) / growths.days_apart as share
    from days
    inner join growths
        on days.snapshot_date = growths.snapshot_date
    -- a day that was fetched again was compared with itself
    where (days.manifest ->> '$.counters.compared_with') is distinct from cast(days.snapshot_date as varchar)
),

usual_vanished as (
    select
        count(share) as days,
        median(share) as middle,
        mad(share) as deviation
    from vanished
    where snapshot_date < getvariable('day')
),

null_shares_of_days as (
    select
        snapshot_date,
        name,
        models,
        cast(manifest ->> ('$.nulls."' || name || '"') as double) / nullif(models, 0) as share
    from (
        select
            *,
            unnest(list_filter(
                coalesce(json_keys(manifest, '$.nulls'), []),
                lambda name: not list_contains(coalesce(manifest ->> '$.unasked[*]', []), name)
            )) as name
        from days
    ) as named
),

usual_null_shares as (
    select
        name,
        count(share) as days,
        median(share) as middle,
        mad(share) as deviation
    from null_shares_of_days
    where snapshot_date < getvariable('day')
    group by name
),

null_shares as (
    select
        today.name,
        today.share,
        usual.middle as usual_share,
        usual.days,
        greatest(0.01, 6 * usual.deviation, 10.0 / today.models) as bound
    from null_shares_of_days as today
    inner join usual_null_shares as usual
        on
            today.name = usual.name
            and usual.days >= 7
    where today.snapshot_date = getvariable('day')
),

subject as (
    select
        manifest ->> '$.counters.event' as counters_event,
        cast(manifest ->> '$.identity.counters_fallen' as double)
        / nullif(cast(manifest ->> '$.rows' as bigint), 0) as fallen_share,
        manifest ->> '$.counters.said' as counters_said,
        cast((manifest ->> '$.counters.captured_while_moving') as boolean)
            as captured_while_moving,
        manifest ->> '$.captured_at' as captured_at,
        case
            when json_exists(manifest, '$.unknown_fields')
                then list_sort(list_filter(
                    unknown_fields,
                    lambda name: not list_contains(previous_unknown_fields, name)
                ))
        end as new_fields,
        case
            when json_exists(manifest, '$.retyped')
                then list_sort(list_filter(
                    retyped,
                    lambda name: not list_contains(previous_retyped, name)
                ))
        end as retyped_fields,
        case
            when is_comparable and json_exists(manifest, '$.nulls')
                then list_sort(list_distinct(list_filter(
                    list_concat(empty_columns, unasked),
                    lambda name: not list_contains(
                        list_concat(previous_empty_columns, previous_unasked),
                        name
                    )
                )))
        end as gone_fields
    from told
)
