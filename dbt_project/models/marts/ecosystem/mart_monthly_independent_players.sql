{#- Strictly above 0.1, 1 and 10 million in 30 days: powers of ten, which any reader sees through (definition 23).
   2026-11-24. -#}
{%- set thresholds = [100000, 1000000, 10000000] -%}

with

organizations as (

    select * from {{ ref('int_organizations_summed') }}

),

loaded as (

    select * from {{ ref('int_snapshots_loaded') }}

),

month_ends as (

    select
        cast({{ dbt.date_trunc('month', 'snapshot_date') }} as date) as month,
        max(snapshot_date) as snapshot_date
    from loaded
    group by cast({{ dbt.date_trunc('month', 'snapshot_date') }} as date)

),

of_month_ends as (

    select
        month_ends.month,
        organizations.*
    from month_ends
    inner join organizations
        on month_ends.snapshot_date = organizations.snapshot_date

),

country_totals as (

    select
        month,
        country_code,
        cast(sum(downloads_30d) as bigint) as downloads
    from of_month_ends
    group by month, country_code

),

-- subsidiaries count with who owns them; repackagers and individuals do not
players as (

    select
        month,
        snapshot_date,
        country_code,
        parent_organization,
        cast(sum(downloads_30d) as bigint) as downloads
    from of_month_ends
    where organization_type not in ('repackager', 'individual')
    group by month, snapshot_date, country_code, parent_organization
    having sum(downloads_30d) > 0

),

ranked as (

    select
        *,
        row_number() over (
            partition by month, country_code
            order by downloads desc, parent_organization
        ) as position
    from players

),

by_country as (

    select
        month,
        snapshot_date,
        country_code,
        {%- for threshold in thresholds %}
        sum(case when downloads > {{ threshold }} then 1 else 0 end)
            as above_{{ threshold }},
        {%- endfor %}
        sum(case when position <= 2 then downloads else 0 end)
            as top_2_downloads
    from ranked
    group by month, snapshot_date, country_code

),

by_threshold as (

    {% for threshold in thresholds -%}
    select
        *,
        cast({{ threshold }} as bigint) as threshold,
        cast(above_{{ threshold }} as bigint) as organizations
    from by_country
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

final as (

    select
        by_threshold.month,
        by_threshold.country_code,
        by_threshold.threshold,
        by_threshold.organizations,
        {{ share_of('by_threshold.top_2_downloads', 'country_totals.downloads') }}
            as top_2_share,
        by_threshold.snapshot_date
        <> {{ dbt.last_day('by_threshold.snapshot_date', 'month') }}
            as is_partial_month
    from by_threshold
    inner join country_totals
        on
            by_threshold.month = country_totals.month
            and by_threshold.country_code = country_totals.country_code

)

select * from final
