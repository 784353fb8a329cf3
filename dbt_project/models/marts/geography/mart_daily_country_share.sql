{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='snapshot_date',
        on_schema_change='fail',
    )
}}

with

sums as (

    select * from {{ ref('int_metric_downloads_summed') }}

),

top_repositories as (

    select * from {{ ref('int_top_repositories_found') }}

),

-- ISO countries never lose anything to a denominator; XC loses its persons
by_country as (

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

totals as (

    select
        snapshot_date,
        metric,
        attribution,
        denominator,
        cast(sum(downloads) as bigint) as total_downloads,
        cast(sum(outlier_downloads) as bigint) as total_outlier_downloads
    from by_country
    group by snapshot_date, metric, attribution, denominator

),

unattributed as (

    select
        snapshot_date,
        metric,
        attribution,
        cast(
            sum(case when country_code = 'XX' then downloads else 0 end)
            as bigint
        ) as downloads
    from sums
    group by snapshot_date, metric, attribution

),

joined as (

    select
        by_country.*,
        totals.total_downloads,
        totals.total_outlier_downloads,
        unattributed.downloads as unattributed_downloads,
        case
            when by_country.denominator = 'located' then unattributed.downloads
            else 0
        end as unattributed_outside,
        top_repositories.downloads as top_downloads,
        case
            when by_country.country_code = top_repositories.country_code
                then top_repositories.downloads
            else 0
        end as own_top_downloads
    from by_country
    inner join totals
        on
            by_country.snapshot_date = totals.snapshot_date
            and by_country.metric = totals.metric
            and by_country.attribution = totals.attribution
            and by_country.denominator = totals.denominator
    inner join unattributed
        on
            by_country.snapshot_date = unattributed.snapshot_date
            and by_country.metric = unattributed.metric
            and by_country.attribution = unattributed.attribution
    inner join top_repositories
        on
            by_country.snapshot_date = top_repositories.snapshot_date
            and by_country.metric = top_repositories.metric
            and by_country.attribution = top_repositories.attribution
            and by_country.denominator = top_repositories.denominator

),

final as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        denominator,
        country_code,
        downloads,
        total_downloads,
        {{ share_of('downloads', 'total_downloads') }} as share,
        case
            when {{ is_country('country_code') }}
                then cast(
                    rank() over (
                        partition by
                            snapshot_date,
                            metric,
                            attribution,
                            denominator,
                            {{ is_country('country_code') }}
                        order by downloads desc
                    ) as integer
                )
        end as rank,
        case
            when country_code <> 'XX'
                then {{ share_of(
                    'downloads',
                    '(total_downloads + unattributed_outside)',
                ) }}
        end as share_low,
        case
            when country_code <> 'XX'
                then {{ share_of(
                    '(downloads + unattributed_downloads)',
                    '(total_downloads + unattributed_outside)',
                ) }}
        end as share_high,
        {{ share_of(
            '(downloads - own_top_downloads)',
            '(total_downloads - top_downloads)',
        ) }} as share_without_top_repository,
        {{ share_of(
            '(downloads - outlier_downloads)',
            '(total_downloads - total_outlier_downloads)',
        ) }} as share_without_outliers,
        cast(null as bigint) as correction_downloads,
        0 as days_estimated,
        models
    from joined

)

select * from final
