{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [rows_in('int_days_of_run', listed='is_of_run')]},
        on_schema_change='fail',
    )
}}

-- says which rows are taken out before
-- depends_on: {{ ref('int_days_of_run') }}

with

sums as (

    select * from {{ ref('int_metric_downloads_summed') }}

),

derivative_sums as (

    select
        snapshot_date,
        metric,
        'origin' as attribution,
        root_organization as organization,
        lower(origin_family) as family_key,
        cast(sum(derivatives) as bigint) as derivatives,
        cast(sum(new_derivatives) as bigint) as new_derivatives,
        cast(sum(downloads) as bigint) as derivative_downloads
    from {{ ref('int_derivatives_summed') }}
    where origin_family is not null
    group by snapshot_date, metric, root_organization, lower(origin_family)

),

totals as (

    select
        snapshot_date,
        metric,
        attribution,
        cast(sum(downloads) as bigint) as downloads
    from sums
    group by snapshot_date, metric, attribution

),

country_totals as (

    select
        snapshot_date,
        metric,
        attribution,
        country_code,
        cast(sum(downloads) as bigint) as downloads
    from sums
    group by snapshot_date, metric, attribution, country_code

),

-- names on the Hub are unique without regard to case; of several spellings of
-- a family, the day's first in order stands for all
spellings as (

    select
        snapshot_date,
        organization,
        lower(family) as family_key,
        min(family) as family
    from sums
    where organization is not null and family is not null
    group by snapshot_date, organization, lower(family)

),

by_country as (

    select
        snapshot_date,
        metric,
        attribution,
        organization,
        lower(family) as family_key,
        country_code,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(models) as bigint) as models
    from sums
    where organization is not null and family is not null
    group by
        snapshot_date,
        metric,
        attribution,
        organization,
        lower(family),
        country_code

),

by_family as (

    select
        snapshot_date,
        metric,
        attribution,
        organization,
        family_key,
        cast(sum(downloads) as bigint) as downloads
    from by_country
    group by snapshot_date, metric, attribution, organization, family_key

),

-- strictly below the floor a family is summed as `(other)` of its organisation
named as (

    select
        by_family.snapshot_date,
        by_family.metric,
        by_family.attribution,
        by_family.organization,
        by_family.family_key,
        case
            when
                by_family.downloads
                < {{ var('organization_share_floor') }} * totals.downloads
                then '(other)'
            else spellings.family
        end as family
    from by_family
    inner join totals
        on
            by_family.snapshot_date = totals.snapshot_date
            and by_family.metric = totals.metric
            and by_family.attribution = totals.attribution
    inner join spellings
        on
            by_family.snapshot_date = spellings.snapshot_date
            and by_family.organization = spellings.organization
            and by_family.family_key = spellings.family_key

),

folded_by_country as (

    select
        named.snapshot_date,
        named.metric,
        named.attribution,
        named.organization,
        named.family,
        by_country.country_code,
        cast(sum(by_country.downloads) as bigint) as downloads,
        cast(sum(by_country.models) as bigint) as models
    from named
    inner join by_country
        on
            named.snapshot_date = by_country.snapshot_date
            and named.metric = by_country.metric
            and named.attribution = by_country.attribution
            and named.organization = by_country.organization
            and named.family_key = by_country.family_key
    group by
        named.snapshot_date,
        named.metric,
        named.attribution,
        named.organization,
        named.family,
        by_country.country_code

),

ranked as (

    select
        *,
        row_number() over (
            partition by
                snapshot_date, metric, attribution, organization, family
            order by downloads desc, country_code
        ) as country_position
    from folded_by_country

),

folded as (

    select
        snapshot_date,
        metric,
        attribution,
        organization,
        family,
        max(case when country_position = 1 then country_code end)
            as country_code,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(models) as bigint) as models
    from ranked
    group by snapshot_date, metric, attribution, organization, family

),

folded_derivatives as (

    select
        named.snapshot_date,
        named.metric,
        named.attribution,
        named.organization,
        named.family,
        cast(sum(derivative_sums.derivatives) as bigint) as derivatives,
        cast(sum(derivative_sums.new_derivatives) as bigint)
            as new_derivatives,
        cast(sum(derivative_sums.derivative_downloads) as bigint)
            as derivative_downloads
    from named
    inner join derivative_sums
        on
            named.snapshot_date = derivative_sums.snapshot_date
            and named.metric = derivative_sums.metric
            and named.attribution = derivative_sums.attribution
            and named.organization = derivative_sums.organization
            and named.family_key = derivative_sums.family_key
    group by
        named.snapshot_date,
        named.metric,
        named.attribution,
        named.organization,
        named.family

),

final as (

    select
        folded.snapshot_date,
        folded.metric,
        folded.attribution,
        folded.organization,
        folded.family,
        folded.country_code,
        folded.downloads,
        {{ share_of('folded.downloads', 'country_totals.downloads') }}
            as share_of_country,
        {{ share_of('folded.downloads', 'totals.downloads') }}
            as share_of_total,
        folded.models,
        {%- for column in ['derivatives', 'new_derivatives', 'derivative_downloads'] %}
        case
            when folded.attribution = 'origin'
                then coalesce(folded_derivatives.{{ column }}, 0)
        end as {{ column }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from folded
    inner join totals
        on
            folded.snapshot_date = totals.snapshot_date
            and folded.metric = totals.metric
            and folded.attribution = totals.attribution
    {{ join_country_totals('folded') }}
    left join folded_derivatives
        on
            folded.snapshot_date = folded_derivatives.snapshot_date
            and folded.metric = folded_derivatives.metric
            and folded.attribution = folded_derivatives.attribution
            and folded.organization = folded_derivatives.organization
            and folded.family = folded_derivatives.family

)

select * from final
