{# How far the headline rests on decisions about organisations: countries' shares as they would be if some organisations
   were counted elsewhere. Only organisations that the sums name can move; nothing is lost on the way. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [
            rows_in('int_days_of_run', listed='is_of_run'),
            rows_in('int_windows_restated', key='snapshot_date, window_days'),
        ]},
        on_schema_change='fail',
    )
}}

{%- set confirmed_home = "case when is_doubtful then 'XX' else country_code end" -%}
{%- set repackager_at_home -%}
    case
        when is_repackager then coalesce(other_country_code, country_code)
        else country_code
    end
{%- endset -%}
{%- set second_home -%}
    case
        when is_repackager then country_code
        else coalesce(other_country_code, country_code)
    end
{%- endset -%}
{%- set one_china = "case when country_code in ('HK', 'MO') then 'CN' else country_code end" %}

with

organizations as (

    select * from {{ ref('organizations') }}

),

evidence as (

    select * from {{ ref('organization_evidence') }}

),

windows as (

    select snapshot_date
    from {{ ref('int_windows_restated') }}
    where window_days = {{ var('new_model_days') }}

),

looked_at as (

    select snapshot_date
    from {{ ref('int_days_of_run') }}
    where is_of_run
    union
    select snapshot_date
    from windows

),

rolling as (

    select window_sums.*
    from {{ ref('int_window_downloads_summed') }} as window_sums
    inner join looked_at
        on window_sums.snapshot_date = looked_at.snapshot_date
    where
        window_sums.metric = 'new_rolling'
        and window_sums.window_days = {{ var('new_model_days') }}
        and window_sums.attribution = 'uploader'

),

-- the stand-in, where history does not cover a year yet
created as (

    select *
    from {{ ref('int_metric_downloads_summed') }}
    where
        metric = 'new_created'
        and attribution = 'uploader'
        and snapshot_date not in (
            select snapshot_date from windows
            union
            select snapshot_date from rolling
        )

),

headline as (

    {% for sums in ['rolling', 'created'] -%}
    select
        snapshot_date,
        metric,
        window_days,
        country_code,
        organization,
        cast(sum(downloads) as bigint) as downloads
    from {{ sums }}
    group by
        snapshot_date, metric, window_days, country_code, organization
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

totals as (

    select
        snapshot_date,
        cast(sum(downloads) as bigint) as total_downloads
    from headline
    group by snapshot_date
    having sum(downloads) <> 0

),

-- what is known of an organisation on the day, of all its accounts
seeded as (

    select
        totals.snapshot_date,
        organizations.organization,
        lower(organizations.namespace) as namespace_key,
        organizations.country_code,
        organizations.secondary_country_code,
        organizations.organization_type,
        organizations.confidence
    from totals
    inner join organizations
        on
            totals.snapshot_date >= cast(organizations.valid_from as date)
            and (
                organizations.valid_to is null
                or totals.snapshot_date < cast(organizations.valid_to as date)
            )

),

known as (

    select
        snapshot_date,
        organization,
        -- the surest of its accounts says where an organisation is
        min(case when confidence = 'low' then 1 else 0 end) = 1 as is_doubtful,
        max(case when organization_type = 'repackager' then 1 else 0 end) = 1
            as is_repackager,
        min(
            case
                when {{ is_country('secondary_country_code') }}
                    then secondary_country_code
            end
        ) as other_country_code
    from seeded
    group by snapshot_date, organization

),

homes as (

    select distinct
        snapshot_date,
        organization,
        country_code
    from seeded

),

-- where else others see an organisation
stated as (

    select
        seeded.snapshot_date,
        seeded.organization,
        evidence.country_code,
        count(*) as statements
    from seeded
    inner join evidence
        on seeded.namespace_key = lower(evidence.namespace)
    left join homes
        on
            seeded.snapshot_date = homes.snapshot_date
            and seeded.organization = homes.organization
            and evidence.country_code = homes.country_code
    where
        {{ is_country('evidence.country_code') }}
        and homes.country_code is null
    group by seeded.snapshot_date, seeded.organization, evidence.country_code

),

ranked_statements as (

    select
        snapshot_date,
        organization,
        country_code,
        row_number() over (
            partition by snapshot_date, organization
            order by statements desc, country_code
        ) as place
    from stated

),

sizes as (

    select
        snapshot_date,
        organization,
        sum(downloads) as downloads
    from headline
    where
        organization is not null
        and {{ is_country('country_code') }}
    group by snapshot_date, organization
    having sum(downloads) > 0

),

ranked_sizes as (

    select
        snapshot_date,
        organization,
        row_number() over (
            partition by snapshot_date
            order by downloads desc, organization
        ) as place
    from sizes

),

-- of whom nobody names another country, it is not known where it might be
largest as (

    select
        ranked_sizes.snapshot_date,
        ranked_sizes.organization,
        coalesce(
            known.other_country_code, ranked_statements.country_code, 'XX'
        ) as moved_to
    from ranked_sizes
    left join known
        on
            ranked_sizes.snapshot_date = known.snapshot_date
            and ranked_sizes.organization = known.organization
    left join ranked_statements
        on
            ranked_sizes.snapshot_date = ranked_statements.snapshot_date
            and ranked_sizes.organization = ranked_statements.organization
            and ranked_statements.place = 1
    where ranked_sizes.place <= {{ var('sensitivity_organizations') }}

),

placed as (

    select
        headline.*,
        coalesce(known.is_doubtful, false) as is_doubtful,
        coalesce(known.is_repackager, false) as is_repackager,
        known.other_country_code
    from headline
    left join known
        on
            headline.snapshot_date = known.snapshot_date
            and headline.organization = known.organization

),

moved as (

    {% for variant, country_code in [
        ('published', 'country_code'),
        ('confidence_medium_or_higher', confirmed_home),
        ('repackagers_at_home', repackager_at_home),
        ('other_country', second_home),
        ('cn_hk_mo_together', one_china),
    ] -%}
    select
        snapshot_date,
        '{{ variant }}' as variant,
        metric,
        window_days,
        country_code as published_country_code,
        {{ country_code }} as country_code,
        downloads,
        cast(null as {{ dbt.type_string() }}) as moved_organization,
        cast(null as {{ dbt.type_string() }}) as moved_to
    from placed
    union all
    {% endfor -%}
    select
        placed.snapshot_date,
        'moved:' || largest.organization as variant,
        placed.metric,
        placed.window_days,
        placed.country_code as published_country_code,
        case
            when placed.organization = largest.organization
                then largest.moved_to
            else placed.country_code
        end as country_code,
        placed.downloads,
        largest.organization as moved_organization,
        largest.moved_to
    from placed
    inner join largest
        on placed.snapshot_date = largest.snapshot_date

),

-- each sum twice: where the variant counts it, and where it is published
both_sides as (

    select
        *,
        cast(0 as bigint) as published_downloads,
        0 as is_published
    from moved
    union all
    select
        snapshot_date,
        variant,
        metric,
        window_days,
        published_country_code,
        published_country_code as country_code,
        cast(0 as bigint) as downloads,
        moved_organization,
        moved_to,
        downloads as published_downloads,
        1 as is_published
    from moved

),

summed as (

    select
        snapshot_date,
        variant,
        country_code,
        metric,
        window_days,
        moved_organization,
        moved_to,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(published_downloads) as bigint) as published_downloads,
        max(is_published) as is_published
    from both_sides
    group by
        snapshot_date,
        variant,
        country_code,
        metric,
        window_days,
        moved_organization,
        moved_to

),

final as (

    select
        summed.snapshot_date,
        summed.variant,
        summed.country_code,
        summed.metric,
        summed.window_days,
        summed.moved_organization,
        summed.moved_to,
        summed.downloads,
        totals.total_downloads,
        {{ share_of('summed.downloads', 'totals.total_downloads') }} as share,
        {{ share_of(
            '(summed.downloads - summed.published_downloads)',
            'totals.total_downloads',
        ) }} as difference
    from summed
    inner join totals
        on summed.snapshot_date = totals.snapshot_date
    where
        summed.is_published = 1
        or summed.downloads <> 0

)

select * from final
