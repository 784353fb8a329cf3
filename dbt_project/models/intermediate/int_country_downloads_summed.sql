{# What a country's shares are made of, for every metric and denominator: this run's days for the metrics of one
   snapshot, the windows that it restates for the sums of daily downloads. #}
with

sums as (

    select * from {{ ref('int_metric_downloads_summed') }}

),

top_repositories as (

    select * from {{ ref('int_top_repositories_found') }}

),

windows as (

    select * from {{ ref('int_windows_restated') }}

),

window_sums as (

    select
        window_sums.*,
        windows.days_estimated
    from {{ ref('int_window_downloads_summed') }} as window_sums
    inner join windows
        on
            window_sums.snapshot_date = windows.snapshot_date
            and window_sums.window_days = windows.window_days

),

outstanding as (

    select * from {{ ref('int_window_outstanding_found') }}

),

snapshots as (

    select
        snapshot_date,
        observed_date
    from {{ ref('int_snapshots_classified') }}

),

models_counted as (

    select * from {{ ref('int_country_models_counted') }}

),

-- ISO countries never lose anything to a denominator; XC loses its persons
of_one_snapshot as (

    {% for denominator in denominators() -%}
    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        '{{ denominator.denominator }}' as denominator,
        country_code,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(outlier_downloads) as bigint) as outlier_downloads,
        cast(sum(models) as bigint) as models
    from sums
    where {{ denominator.condition }}
    group by snapshot_date, metric, window_days, attribution, country_code
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

of_windows as (

    {% for denominator in denominators() -%}
    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        '{{ denominator.denominator }}' as denominator,
        country_code,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(correction_downloads) as bigint) as correction_downloads,
        max(days_estimated) as days_estimated
    from window_sums
    where {{ denominator.condition }}
    group by snapshot_date, metric, window_days, attribution, country_code
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

-- sums of daily downloads count repositories as they were last listed
counted as (

    {% for denominator in denominators() -%}
    select
        snapshots.snapshot_date,
        models_counted.attribution,
        '{{ denominator.denominator }}' as denominator,
        models_counted.country_code,
        cast(sum(models_counted.models) as bigint) as models,
        cast(sum(models_counted.new_models) as bigint) as new_models
    from snapshots
    inner join models_counted
        on snapshots.observed_date = models_counted.snapshot_date
    where
        snapshots.snapshot_date in (
            select windows.snapshot_date
            from windows
        )
        and {{ denominator.condition }}
    group by
        snapshots.snapshot_date,
        models_counted.attribution,
        models_counted.country_code
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

final as (

    select
        of_one_snapshot.snapshot_date,
        of_one_snapshot.metric,
        of_one_snapshot.window_days,
        of_one_snapshot.attribution,
        of_one_snapshot.denominator,
        of_one_snapshot.country_code,
        of_one_snapshot.downloads,
        of_one_snapshot.outlier_downloads,
        case
            when of_one_snapshot.country_code = top_repositories.country_code
                then top_repositories.downloads
            else 0
        end as top_downloads,
        cast(null as bigint) as correction_downloads,
        cast(0 as integer) as days_estimated,
        of_one_snapshot.models
    from of_one_snapshot
    inner join top_repositories
        on
            of_one_snapshot.snapshot_date = top_repositories.snapshot_date
            and of_one_snapshot.metric = top_repositories.metric
            and of_one_snapshot.attribution = top_repositories.attribution
            and of_one_snapshot.denominator = top_repositories.denominator
    union all
    select
        of_windows.snapshot_date,
        of_windows.metric,
        of_windows.window_days,
        of_windows.attribution,
        of_windows.denominator,
        of_windows.country_code,
        of_windows.downloads,
        coalesce(outliers.downloads, 0) as outlier_downloads,
        coalesce(tops.downloads, 0) as top_downloads,
        of_windows.correction_downloads,
        of_windows.days_estimated,
        coalesce(
            case
                when of_windows.metric = 'new_rolling' then counted.new_models
                else counted.models
            end,
            0
        ) as models
    from of_windows
    {%- for kind, alias in [('outlier', 'outliers'), ('top', 'tops')] %}
    left join outstanding as {{ alias }}
        on
            of_windows.snapshot_date = {{ alias }}.snapshot_date
            and of_windows.metric = {{ alias }}.metric
            and of_windows.window_days = {{ alias }}.window_days
            and of_windows.attribution = {{ alias }}.attribution
            and of_windows.denominator = {{ alias }}.denominator
            and of_windows.country_code = {{ alias }}.country_code
            and {{ alias }}.kind = '{{ kind }}'
    {%- endfor %}
    left join counted
        on
            of_windows.snapshot_date = counted.snapshot_date
            and of_windows.attribution = counted.attribution
            and of_windows.denominator = counted.denominator
            and of_windows.country_code = counted.country_code

)

select * from final
