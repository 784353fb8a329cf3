{# Reads several models; in Dagster it is a check on this one. #}
{{ config(meta={'dagster': {'ref': {'name': 'dim_countries'}}}) }}

-- Every code that a public table shows for a country can be looked up.
{%- set holders = [
    ('dim_organizations', 'country_code', 'true'),
    ('dim_organizations', 'secondary_country_code', 'secondary_country_code is not null'),
    ('dim_models', 'uploader_country', 'true'),
    ('dim_models', 'origin_country', 'true'),
    ('fct_releases', 'country_code', 'true'),
    ('fct_daily_country_downloads', 'country_code', in_snapshot_dates()),
    ('mart_daily_country_share', 'country_code', in_snapshot_dates()),
    ('mart_daily_organization_share', 'country_code', in_snapshot_dates()),
    ('mart_daily_family_share', 'country_code', in_snapshot_dates()),
    ('mart_daily_lineage', 'origin_country', in_snapshot_dates()),
] %}

with

shown as (

    {% for table, column, condition in holders -%}
    select distinct
        '{{ table }}' as table_name,
        {{ column }} as country_code
    from {{ ref(table) }}
    where {{ condition }}
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

countries as (

    select country_code
    from {{ ref('dim_countries') }}

)

select
    shown.table_name,
    shown.country_code
from shown
left join countries
    on shown.country_code = countries.country_code
where countries.country_code is null
