{# Reads several models; in Dagster it is a check on this one. #}
{{ config(meta={'dagster': {'ref': {'name': 'mart_daily_country_share'}}}) }}

-- The denominator `organizations` is everything minus the downloads whose attributed account is a person.
with

models as (

    select * from {{ ref('int_models_attributed') }}

),

persons as (

    {% for attribution in attributions() -%}
    {% set last_attribution = loop.last -%}
    {% for metric in snapshot_metrics() -%}
    select
        snapshot_date,
        '{{ metric.metric }}' as metric,
        '{{ attribution }}' as attribution,
        cast(
            sum(
                case
                    when
                        {{ attribution }}_is_person
                        and {{ 'is_new' if metric.only_new else 'true' }}
                        then {{ metric.counter }}
                    else 0
                end
            ) as bigint
        ) as downloads
    from models
    group by snapshot_date
    {% if not (loop.last and last_attribution) -%}
    union all
    {% endif -%}
    {% endfor -%}
    {% endfor %}
),

totals as (

    select
        snapshot_date,
        metric,
        attribution,
        max(case when denominator = 'all' then total_downloads end) as everything,
        max(case when denominator = 'organizations' then total_downloads end)
            as organizations
    from {{ ref('mart_daily_country_share') }}
    where {{ in_snapshot_dates() }}
    group by snapshot_date, metric, attribution

)

select
    totals.snapshot_date,
    totals.metric,
    totals.attribution,
    totals.everything,
    totals.organizations,
    persons.downloads as person_downloads
from totals
inner join persons
    on
        totals.snapshot_date = persons.snapshot_date
        and totals.metric = persons.metric
        and totals.attribution = persons.attribution
where totals.everything - persons.downloads <> coalesce(totals.organizations, 0)
