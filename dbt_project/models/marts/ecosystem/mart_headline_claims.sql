{# Rewritten whole on every run, from a few small rows a day: a late day, a repository that moved, or a new reading of a
   family also moves answers of other days, and the claims must not depend on the order in which days came. #}
{%- set thresholds = [100000, 1000000, 10000000] %}

with

claims as (

    select
        *,
        coalesce(metric, '') as metric_key,
        coalesce(attribution, '') as attribution_key,
        {{ dbt.split_part('value_figure', "'@'", 1) }} as subject,
        {{ dbt.split_part('value_figure', "'@'", 2) }} as subject_of,
        coalesce(comparison_days_before, 0) as days_before
    from {{ ref('headline_claims') }}

),

loaded as (

    select snapshot_date
    from {{ ref('int_snapshots_loaded') }}

),

snapshots as (

    select
        snapshot_date,
        is_simulated
    from {{ ref('dim_snapshots') }}

),

days as (

    select
        loaded.snapshot_date,
        snapshots.is_simulated,
        min(loaded.snapshot_date) over () as first_date
    from loaded
    inner join snapshots
        on loaded.snapshot_date = snapshots.snapshot_date

),

-- what downloads tell: sums by subject and country, and over all countries
sums as (

    select
        snapshot_date,
        metric,
        attribution,
        country_code,
        subject,
        downloads,
        models
    from {{ ref('int_claims_summed') }}

),

windows as (

    select
        snapshot_date,
        metric,
        attribution,
        country_code,
        organization,
        downloads
    from {{ ref('int_window_downloads_summed') }}
    where metric = 'new_rolling' and window_days = {{ var('new_model_days') }}

),

counted as (

    select * from sums
    {% for subject, condition in {
        'all': 'true',
        'qwen': "organization = 'Qwen'",
        'deepseek': "organization = 'DeepSeek'",
        'qwen_and_deepseek': "organization in ('Qwen', 'DeepSeek')",
    }.items() -%}
    union all
    select
        snapshot_date,
        metric,
        attribution,
        country_code,
        '{{ subject }}' as subject,
        downloads,
        cast(null as bigint) as models
    from windows
    where {{ condition }}
    {% endfor %}
),

downloads_and_models as (

    select
        snapshot_date,
        metric,
        attribution,
        subject,
        country_code as subject_of,
        cast(sum(downloads) as double) as downloads,
        cast(sum(models) as double) as models
    from counted
    group by snapshot_date, metric, attribution, subject, country_code
    union all
    select
        snapshot_date,
        metric,
        attribution,
        subject,
        'world' as subject_of,
        cast(sum(downloads) as double) as downloads,
        cast(sum(models) as double) as models
    from counted
    group by snapshot_date, metric, attribution, subject

),

-- who has overtaken whom, as far as it was confirmed by that day
crossovers as (

    select
        *,
        extract(year from crossover_date) * 10000
        + extract(month from crossover_date) * 100
        + extract(day from crossover_date) as crossover_number,
        extract(year from confirmed_date) * 10000
        + extract(month from confirmed_date) * 100
        + extract(day from confirmed_date) as confirmed_number
    from {{ ref('int_country_crossovers') }}
    where
        leader_country_code = 'CN'
        and passed_country_code = 'US'
        and (
            metric <> 'new_rolling'
            or window_days = {{ var('new_model_days') }}
        )

),

latest_crossovers as (

    select
        days.snapshot_date,
        crossovers.metric,
        crossovers.attribution,
        crossovers.crossover_number,
        crossovers.confirmed_number,
        crossovers.margin,
        row_number() over (
            partition by
                days.snapshot_date, crossovers.metric, crossovers.attribution
            order by crossovers.confirmed_date desc
        ) as recency
    from days
    inner join crossovers
        on days.snapshot_date >= crossovers.confirmed_date

),

cadence as (

    select
        snapshot_date,
        case level
            when 'country' then country_code else organization
        end as subject_of,
        variants_per_release,
        median_days_between_releases
    from {{ ref('int_release_cadence') }}

),

parents as (

    select
        snapshot_date,
        country_code,
        parent_organization,
        sum(downloads_30d) as downloads_30d
    from {{ ref('int_organizations_summed') }}
    where organization_type not in ('repackager', 'individual')
    group by snapshot_date, country_code, parent_organization

),

players as (

    {% for threshold in thresholds -%}
    select
        parents.snapshot_date,
        'players_{{ threshold }}' as subject,
        parents.country_code as subject_of,
        sum(case when parents.downloads_30d > {{ threshold }} then 1 else 0 end)
            as organizations
    from parents
    group by parents.snapshot_date, parents.country_code
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

-- one number a row, found by `subject@whose`
figures as (

    select
        snapshot_date,
        metric,
        attribution,
        subject || '@' || subject_of as figure,
        downloads as amount
    from downloads_and_models
    union all
    select
        snapshot_date,
        metric,
        attribution,
        'number_of_' || subject || '@' || subject_of as figure,
        models as amount
    from downloads_and_models
    where models is not null
    {% for subject, amount in {
        'overtaking': 'crossover_number',
        'confirmation': 'confirmed_number',
        'margin': 'margin',
    }.items() -%}
    union all
    select
        snapshot_date,
        metric,
        attribution,
        '{{ subject }}@CN' as figure,
        cast({{ amount }} as double) as amount
    from latest_crossovers
    where recency = 1
    {% endfor -%}
    {% for subject, amount in {
        'days_between_releases': 'median_days_between_releases',
        'variants_per_release': 'variants_per_release',
    }.items() -%}
    union all
    select
        snapshot_date,
        '' as metric,
        'uploader' as attribution,
        '{{ subject }}@' || subject_of as figure,
        cast({{ amount }} as double) as amount
    from cadence
    {% endfor -%}
    union all
    select
        snapshot_date,
        'trailing_30d' as metric,
        'uploader' as attribution,
        subject || '@' || subject_of as figure,
        cast(organizations as double) as amount
    from players

),

-- every claim has its rows on every day, answered or not
asked as (

    select
        claims.*,
        days.snapshot_date,
        days.is_simulated,
        days.first_date,
        {{ dbt.datediff('days.first_date', 'days.snapshot_date', 'day') }} + 1
            as history_days
    from claims
    cross join days

),

-- a day before is the last landed one of the week that ends so long ago
lags as (

    select
        days.snapshot_date,
        days_before.days_before,
        cast({{ dbt.dateadd(
            'day', '-1 * days_before.days_before', 'days.snapshot_date'
        ) }} as date) as last_date,
        cast({{ dbt.dateadd(
            'day', '-6 - days_before.days_before', 'days.snapshot_date'
        ) }} as date) as first_date
    from days
    cross join (
        select distinct days_before
        from claims
    ) as days_before

),

compared_days as (

    select
        lags.snapshot_date,
        lags.days_before,
        max(loaded.snapshot_date) as compared_date
    from lags
    inner join loaded
        on
            lags.last_date >= loaded.snapshot_date
            and lags.first_date <= loaded.snapshot_date
    group by lags.snapshot_date, lags.days_before

),

-- `all@world` stands for the metric itself, and `subject@world` for whether
-- anything that is asked about was there at all
found as (

    select
        asked.*,
        compared_days.compared_date,
        metric_totals.amount is not null as has_metric,
        counter_totals.amount is not null as has_counter,
        china.amount as china_downloads,
        usa.amount as usa_downloads,
        subject_totals.amount is not null as has_subject,
        value_figures.figure is not null as has_value_figure,
        value_figures.amount as value_amount,
        value_bases.amount as value_base,
        compared_subjects.amount is not null as has_compared_subject,
        comparison_figures.amount as comparison_amount,
        comparison_bases.amount as comparison_base
    from asked
    left join compared_days
        on
            asked.snapshot_date = compared_days.snapshot_date
            and asked.days_before = compared_days.days_before
    {% for relation, figure in {
        'metric_totals': "'all@world'",
        'china': "'all@CN'",
        'usa': "'all@US'",
        'subject_totals': "asked.subject || '@world'",
        'value_figures': 'asked.value_figure',
        'value_bases': 'asked.value_of',
    }.items() -%}
    left join figures as {{ relation }}
        on
            asked.snapshot_date = {{ relation }}.snapshot_date
            and asked.metric_key = {{ relation }}.metric
            and asked.attribution_key = {{ relation }}.attribution
            and {{ relation }}.figure = {{ figure }}
    {% endfor -%}
    -- the metric over all models, where the claim's own is over new ones
    left join figures as counter_totals
        on
            asked.snapshot_date = counter_totals.snapshot_date
            and asked.attribution_key = counter_totals.attribution
            and counter_totals.figure = 'all@world'
            and counter_totals.metric = case asked.metric_key
                when 'new_created' then 'all_time'
                when 'new_trailing_30d' then 'trailing_30d'
                else asked.metric_key
            end
    {% for relation, figure in {
        'compared_subjects': dbt.split_part('asked.comparison_figure', "'@'", 1) ~ " || '@world'",
        'comparison_figures': 'asked.comparison_figure',
        'comparison_bases': 'asked.comparison_of',
    }.items() -%}
    left join figures as {{ relation }}
        on
            compared_days.compared_date = {{ relation }}.snapshot_date
            and asked.metric_key = {{ relation }}.metric
            and asked.attribution_key = {{ relation }}.attribution
            and {{ relation }}.figure = {{ figure }}
    {% endfor %}
),

-- a country without a row of what the world has downloads none of it
answered as (

    select
        *,
        case kind
            when 'part' then
                case
                    when has_subject
                        then
                            {{ share_of(
                                'coalesce(value_amount, 0)', 'value_base'
                            ) }}
                end
            when 'count' then
                case when has_metric then coalesce(value_amount, 0) end
            else {{ rounded('value_amount') }}
        end as value,
        case kind
            when 'part' then
                case
                    when has_compared_subject
                        then
                            {{ share_of(
                                'coalesce(comparison_amount, 0)',
                                'comparison_base',
                            ) }}
                end
            when 'count' then
                case when has_metric then coalesce(comparison_amount, 0) end
            else {{ rounded('comparison_amount') }}
        end as found_comparison
    from found

),

compared as (

    select
        *,
        -- nothing is held against an answer that is not there
        case when value is not null then found_comparison end
            as comparison_value,
        'history began on '
        || cast(first_date as {{ dbt.type_string() }})
        || ' and has '
        || cast(history_days as {{ dbt.type_string() }})
        || case when history_days = 1 then ' day' else ' days' end
            as history_so_far
    from answered

),

explained as (

    select
        *,
        case
            when value is not null then null
            when kind = 'unknowable' then 'No data of the Hub can tell.'
            when
                metric = 'new_rolling' and history_days <= window_days
                then
                    'A window of '
                    || cast(window_days as {{ dbt.type_string() }})
                    || ' days needs a history of '
                    || cast(window_days + 1 as {{ dbt.type_string() }})
                    || '; ' || history_so_far || '.'
            when metric is not null and not has_metric and not has_counter
                then
                    'That day''s source does not tell the counter that '
                    || metric || ' is made of.'
            when metric is not null and not has_metric
                then 'No repository of that day is new.'
            when kind = 'crossover'
                then
                    'By that day it was not confirmed that China overtook the USA: '
                    || history_so_far || ', and '
                    || case
                        when
                            coalesce(china_downloads, 0)
                            > coalesce(usa_downloads, 0)
                            then 'China'
                        when
                            coalesce(china_downloads, 0)
                            < coalesce(usa_downloads, 0)
                            then 'the USA'
                        else 'neither'
                    end
                    || ' is ahead on it. It takes seven landed days in a row'
                    || ' without a platform event, and whoever is found ahead'
                    || ' first has overtaken nobody.'
            when kind = 'cadence' and has_value_figure
                then
                    'All releases that count bear one date within the 365 days,'
                    || ' and a gap needs two.'
            when kind = 'cadence'
                then
                    'No release within the 365 days counts there, or too few'
                    || ' downloads to qualify.'
            when not has_subject
                then 'That day lists no ' || coalesce(subject_name, subject) || '.'
            else 'Nothing was downloaded that it could be a part of.'
        end as reason,
        case
            when value is null or found_comparison is not null then null
            when comparison_figure is null then null
            when days_before > 0 and compared_date is null
                then
                    'Nothing to compare with: no day was landed in the week'
                    || ' that ended '
                    || cast(days_before as {{ dbt.type_string() }})
                    || ' days before; ' || history_so_far || '.'
            else 'Nothing to compare with: the other side has no number.'
        end as comparison_reason
    from compared

),

final as (

    select
        claim_id,
        part,
        snapshot_date,
        question,
        value,
        value_label,
        comparison_value,
        comparison_label,
        unit,
        predicate,
        case predicate
            when 'value > comparison_value' then value > comparison_value
            when 'value < comparison_value' then value < comparison_value
            when 'value > 0.5' then value > 0.5
        end as holds,
        metric,
        attribution,
        denominator,
        window_days,
        reported_value,
        reported_comparison_value,
        reported_as_of,
        is_simulated,
        case when reason is null then '' else 'Null: ' || reason || ' ' end
        || case
            when comparison_reason is null then '' else comparison_reason || ' '
        end
        || caveat as caveat
    from explained

)

select * from final
