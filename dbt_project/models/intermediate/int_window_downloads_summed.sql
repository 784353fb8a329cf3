{# Sums of daily downloads over the windows that this run restates, each day's as attributed on that day. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [windows_restated()]},
        on_schema_change='fail',
    )
}}

with

windows as (

    select * from {{ ref('int_windows_restated') }}

),

snapshots as (

    select
        snapshot_date,
        platform_event
    from {{ ref('int_snapshots_classified') }}

),

downloads as (

    select
        downloads.*,
        case
            when snapshots.platform_event = 'recounted' then downloads.downloads
            else downloads.negative_downloads
        end as correction_downloads
    from {{ ref('int_downloads_summed') }} as downloads
    inner join snapshots
        on downloads.moving_date = snapshots.snapshot_date
    where
        downloads.snapshot_date >= (
            select min(windows.first_date)
            from windows
        )

),

by_metric as (

    {% for metric in window_metrics() -%}
    select
        windows.snapshot_date,
        '{{ metric.metric }}' as metric,
        windows.window_days,
        downloads.attribution,
        downloads.country_code,
        downloads.organization,
        downloads.account_type = 'person' as is_person,
        cast(sum(downloads.downloads) as bigint) as downloads,
        cast(sum(downloads.correction_downloads) as bigint)
            as correction_downloads
    from windows
    inner join downloads
        on
            windows.first_date <= downloads.snapshot_date
            and windows.snapshot_date >= downloads.snapshot_date
    where
        windows.window_days = {{ metric.window_days }}
        {%- if metric.only_new %}
        and downloads.is_new
        {%- endif %}
    group by 1, 2, 3, 4, 5, 6, 7
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
)

select * from by_metric
