{# Reads several models; in Dagster it is a check on this one. #}
{{ config(meta={'dagster': {'ref': {'name': 'mart_daily_openness'}}}) }}

-- Σ over modalities, over licence classes and over size classes is each their country's downloads and models, to the
-- unit, and no country lacks them; concentration stays within what it can be.
with

{% set composed = ['mart_daily_modality_share', 'mart_daily_openness', 'mart_daily_size_share'] -%}

composed as (

    {% for mart in composed -%}
    select
        '{{ mart }}' as mart,
        snapshot_date,
        metric,
        attribution,
        country_code,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(models) as bigint) as models
    from {{ ref(mart) }}
    where {{ in_snapshot_dates() }}
    group by snapshot_date, metric, attribution, country_code
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

countries as (

    {% for mart in composed -%}
    select
        '{{ mart }}' as mart,
        snapshot_date,
        metric,
        attribution,
        country_code,
        downloads,
        models
    from {{ ref('mart_daily_country_share') }}
    where
        {{ in_snapshot_dates() }}
        and denominator = 'all'
        and metric in (
            {%- for metric in snapshot_metrics() -%}
            '{{ metric.metric }}'{{ ", " if not loop.last }}
            {%- endfor -%}
        )
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

different as (

    select
        coalesce(countries.mart, composed.mart) as mart,
        coalesce(countries.snapshot_date, composed.snapshot_date) as snapshot_date,
        coalesce(countries.metric, composed.metric) as metric,
        coalesce(countries.attribution, composed.attribution) as attribution,
        coalesce(countries.country_code, composed.country_code) as country_code,
        cast(countries.downloads as double) as expected,
        cast(composed.downloads as double) as found
    from countries
    full outer join composed
        on
            countries.mart = composed.mart
            and countries.snapshot_date = composed.snapshot_date
            and countries.metric = composed.metric
            and countries.attribution = composed.attribution
            and countries.country_code = composed.country_code
    where
        coalesce(countries.downloads, -1) <> coalesce(composed.downloads, -2)
        or coalesce(countries.models, -1) <> coalesce(composed.models, -2)

),

impossible as (

    select
        'mart_daily_concentration' as mart,
        snapshot_date,
        metric,
        attribution,
        scope as country_code,
        hhi as expected,
        effective_entities as found
    from {{ ref('mart_daily_concentration') }}
    where
        {{ in_snapshot_dates() }}
        and (
            hhi <= 0
            or hhi > 1
            or gini < 0
            or gini >= 1
            or effective_entities < 1
            or top_1_share <= 0
            or top_1_share > top_10_share
            or top_10_share > top_200_share
            or top_200_share > 1
        )

)

select * from different
union all
select * from impossible
