{#- Who counts elsewhere under each alternative reading. Whoever is not named stays where it was published. -#}
{%- set moved_by_variant = {
    'confidence_medium_or_higher': {
        'condition': "organizations.is_of_low_confidence = 1",
        'country_code': "'XX'",
    },
    'repackagers_at_home': {
        'condition': "organizations.is_repackager = 1 and organizations.secondary_country_code is not null",
        'country_code': "organizations.secondary_country_code",
    },
    'other_country': {
        'condition': "organizations.is_repackager = 0 and organizations.secondary_country_code is not null",
        'country_code': "organizations.secondary_country_code",
    },
    'cn_hk_mo_together': {
        'condition': "headline.country_code in ('HK', 'MO')",
        'country_code': "'CN'",
    },
} -%}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [
            rows_in('int_days_of_run', listed='is_of_run'),
            rows_in('int_windows_restated', listed='window_days = 365'),
        ]},
        on_schema_change='fail',
    )
}}

-- say which rows are taken out before
-- depends_on: {{ ref('int_days_of_run') }}

with

windows as (

    select snapshot_date
    from {{ ref('int_windows_restated') }}
    where window_days = 365

),

seeded as (

    select
        lower(namespace) as namespace_key,
        organization,
        organization_type,
        country_code,
        case when secondary_country_code <> '' then secondary_country_code end
            as secondary_country_code,
        confidence
    from {{ ref('organizations') }}

),

evidence as (

    select
        lower(namespace) as namespace_key,
        source,
        country_code
    from {{ ref('organization_evidence') }}
    where country_code <> ''

),

-- the year's sum where history covers it, its stand-in of one snapshot before
headline_sums as (

    select
        window_sums.snapshot_date,
        'new_rolling' as metric,
        window_sums.country_code,
        window_sums.organization,
        window_sums.downloads
    from {{ ref('int_window_downloads_summed') }} as window_sums
    inner join windows
        on window_sums.snapshot_date = windows.snapshot_date
    where
        window_sums.metric = 'new_rolling'
        and window_sums.window_days = 365
        and window_sums.attribution = 'uploader'
    union all
    select
        sums.snapshot_date,
        sums.metric,
        sums.country_code,
        sums.organization,
        sums.downloads
    from {{ ref('int_metric_downloads_summed') }} as sums
    left join windows
        on sums.snapshot_date = windows.snapshot_date
    where
        sums.metric = 'new_created'
        and sums.attribution = 'uploader'
        and windows.snapshot_date is null

),

headline as (

    select
        snapshot_date,
        metric,
        country_code,
        organization,
        sum(downloads) as downloads
    from headline_sums
    group by snapshot_date, metric, country_code, organization

),

totals as (

    select
        snapshot_date,
        metric,
        sum(downloads) as total_downloads
    from headline
    group by snapshot_date, metric

),

-- it is as sure where an organisation is based as of the surest of its accounts
organizations as (

    select
        organization,
        country_code,
        min(case when confidence = 'low' then 1 else 0 end)
            as is_of_low_confidence,
        max(case when organization_type = 'repackager' then 1 else 0 end)
            as is_repackager,
        min(secondary_country_code) as secondary_country_code
    from seeded
    group by organization, country_code

),

-- the other country that most sources name
named_elsewhere as (

    select
        seeded.organization,
        seeded.country_code,
        evidence.country_code as other_country_code,
        row_number() over (
            partition by seeded.organization, seeded.country_code
            order by
                count(distinct evidence.source) desc, evidence.country_code
        ) as preference
    from seeded
    inner join evidence
        on seeded.namespace_key = evidence.namespace_key
    where evidence.country_code <> seeded.country_code
    group by
        seeded.organization, seeded.country_code, evidence.country_code

),

ranked as (

    select
        headline.snapshot_date,
        headline.country_code,
        headline.organization,
        row_number() over (
            partition by headline.snapshot_date
            order by
                headline.downloads desc,
                headline.organization,
                headline.country_code
        ) as size_position
    from headline
    where
        headline.organization is not null
        and {{ is_country('headline.country_code') }}

),

-- nobody's where no other country is named at all
largest as (

    select
        ranked.snapshot_date,
        ranked.country_code,
        ranked.organization,
        coalesce(
            organizations.secondary_country_code,
            named_elsewhere.other_country_code,
            'XX'
        ) as moved_to
    from ranked
    left join organizations
        on
            ranked.organization = organizations.organization
            and ranked.country_code = organizations.country_code
    left join named_elsewhere
        on
            ranked.organization = named_elsewhere.organization
            and ranked.country_code = named_elsewhere.country_code
            and named_elsewhere.preference = 1
    where ranked.size_position <= {{ var('sensitivity_organizations') }}

),

readings as (

    select
        snapshot_date,
        'published' as variant,
        cast(null as {{ dbt.type_string() }}) as moved_organization,
        cast(null as {{ dbt.type_string() }}) as moved_to,
        country_code,
        downloads
    from headline
    {%- for variant, moved in moved_by_variant.items() %}
    union all
    select
        headline.snapshot_date,
        '{{ variant }}' as variant,
        cast(null as {{ dbt.type_string() }}) as moved_organization,
        cast(null as {{ dbt.type_string() }}) as moved_to,
        case
            when {{ moved.condition }}
                then {{ moved.country_code }}
            else headline.country_code
        end as country_code,
        headline.downloads
    from headline
    left join organizations
        on
            headline.organization = organizations.organization
            and headline.country_code = organizations.country_code
    {%- endfor %}
    union all
    select
        headline.snapshot_date,
        'moved:' || largest.organization as variant,
        largest.organization as moved_organization,
        largest.moved_to,
        case
            when
                headline.organization = largest.organization
                and headline.country_code = largest.country_code
                then largest.moved_to
            else headline.country_code
        end as country_code,
        headline.downloads
    from headline
    inner join largest
        on headline.snapshot_date = largest.snapshot_date

),

published as (

    select
        snapshot_date,
        country_code,
        sum(downloads) as downloads
    from headline
    group by snapshot_date, country_code

),

variants as (

    select distinct
        snapshot_date,
        variant,
        moved_organization,
        moved_to
    from readings

),

-- a country that a reading leaves nothing keeps its row
with_published as (

    select
        snapshot_date,
        variant,
        moved_organization,
        moved_to,
        country_code,
        downloads,
        0 as published_downloads
    from readings
    union all
    select
        variants.snapshot_date,
        variants.variant,
        variants.moved_organization,
        variants.moved_to,
        published.country_code,
        0 as downloads,
        published.downloads as published_downloads
    from variants
    inner join published
        on variants.snapshot_date = published.snapshot_date

),

by_country as (

    select
        snapshot_date,
        variant,
        country_code,
        moved_organization,
        moved_to,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(published_downloads) as bigint) as published_downloads
    from with_published
    group by
        snapshot_date, variant, country_code, moved_organization, moved_to

),

final as (

    select
        by_country.snapshot_date,
        by_country.variant,
        by_country.country_code,
        totals.metric,
        cast(365 as integer) as window_days,
        by_country.moved_organization,
        by_country.moved_to,
        by_country.downloads,
        cast(totals.total_downloads as bigint) as total_downloads,
        {{ share_of('by_country.downloads', 'totals.total_downloads') }}
            as share,
        {{ share_of(
            '(by_country.downloads - by_country.published_downloads)',
            'totals.total_downloads',
        ) }} as difference
    from by_country
    inner join totals
        on by_country.snapshot_date = totals.snapshot_date
    where totals.total_downloads <> 0

)

select * from final
