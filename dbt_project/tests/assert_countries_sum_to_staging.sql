{# Reads several models; in Dagster it is a check on this one. #}
{{ config(meta={'dagster': {'ref': {'name': 'mart_daily_country_share'}}}) }}

-- Σ countries, the X codes included, is staging's total, to the unit.
with

models as (

    select
        *,
        coalesce(
            {{ dbt.datediff('cast(created_at as date)', 'snapshot_date', 'day') }}
            < {{ var('new_model_days') }}
            and not is_created_at_floor,
            false
        ) as is_new,
        count(downloads_30d) over (partition by snapshot_date)
            as models_with_downloads_30d,
        count(downloads_all_time) over (partition by snapshot_date)
            as models_with_downloads_all_time
    from {{ ref('stg_hub__models') }}

),

shares as (

    select *
    from {{ ref('mart_daily_country_share') }}
    where
        {{ in_snapshot_dates() }}
        and metric not in ('new_rolling', 'window')

),

expected as (

    {% for metric in snapshot_metrics() -%}
    select
        snapshot_date,
        '{{ metric.metric }}' as metric,
        cast(sum(coalesce({{ metric.counter }}, 0)) as bigint) as downloads,
        cast(count(*) as bigint) as models
    from models
    where
        models_with_{{ metric.counter }} > 0
        {%- if metric.only_new %}
        and is_new
        {%- endif %}
    group by snapshot_date
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

attributions as (

    {% for attribution in attributions() -%}
    select '{{ attribution }}' as attribution
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

published as (

    select
        snapshot_date,
        metric,
        attribution,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(models) as bigint) as models,
        min(total_downloads) as lowest_total,
        max(total_downloads) as highest_total
    from shares
    where denominator = 'all'
    group by snapshot_date, metric, attribution

)

select
    expected.snapshot_date,
    expected.metric,
    attributions.attribution,
    expected.downloads as expected_downloads,
    published.downloads,
    expected.models as expected_models,
    published.models
from expected
cross join attributions
full outer join published
    on
        expected.snapshot_date = published.snapshot_date
        and expected.metric = published.metric
        and attributions.attribution = published.attribution
where
    coalesce(expected.downloads, -1) <> coalesce(published.downloads, -2)
    or coalesce(expected.models, -1) <> coalesce(published.models, -2)
    or published.lowest_total <> published.downloads
    or published.highest_total <> published.downloads
