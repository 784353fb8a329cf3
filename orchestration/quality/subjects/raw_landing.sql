-- One row for the manifest that lies beside the day's landed rows.
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

subject as (
    select
        manifest ->> '$.counters.event' as counters_event,
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
