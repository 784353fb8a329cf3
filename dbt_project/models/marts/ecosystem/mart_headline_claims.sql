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

claims as (

    select * from {{ ref('headline_claims') }}

),

snapshots as (

    select
        snapshot_date,
        is_simulated
    from {{ ref('dim_snapshots') }}

),

days as (

    select distinct snapshot_date
    from sums

),

downloads as (

    select
        snapshot_date,
        metric,
        attribution,
        sum(downloads) as world,
        sum(case when country_code = 'CN' then downloads else 0 end) as china,
        sum(case when country_code = 'US' then downloads else 0 end) as usa,
        sum(
            case
                when country_code = 'CN' and organization = 'Qwen' then downloads
                else 0
            end
        ) as qwen,
        sum(
            case
                when country_code = 'CN' and organization = 'DeepSeek'
                    then downloads
                else 0
            end
        ) as deepseek,
        sum(
            case
                when
                    country_code = 'US'
                    and organization = 'OpenAI'
                    and lower(family) like 'gpt-oss%'
                    then downloads
                else 0
            end
        ) as gpt_oss
    from sums
    group by snapshot_date, metric, attribution

),

answers as (

    select
        snapshot_date,
        metric,
        attribution,
        1 as claim_id,
        'china_and_usa' as subject,
        {{ share_of('china', 'world') }} as value,
        {{ share_of('usa', 'world') }} as comparison_value
    from downloads
    union all
    select
        snapshot_date,
        metric,
        attribution,
        3 as claim_id,
        'qwen' as subject,
        {{ share_of('qwen', 'china') }} as value,
        {{ share_of('qwen', 'world') }} as comparison_value
    from downloads
    union all
    select
        snapshot_date,
        metric,
        attribution,
        3 as claim_id,
        'deepseek' as subject,
        {{ share_of('deepseek', 'china') }} as value,
        {{ share_of('deepseek', 'world') }} as comparison_value
    from downloads
    union all
    select
        snapshot_date,
        metric,
        attribution,
        3 as claim_id,
        'qwen_and_deepseek' as subject,
        {{ share_of('(qwen + deepseek)', 'china') }} as value,
        {{ share_of('(qwen + deepseek)', 'world') }} as comparison_value
    from downloads
    union all
    select
        snapshot_date,
        metric,
        attribution,
        12 as claim_id,
        'gpt_oss' as subject,
        {{ share_of('gpt_oss', 'usa') }} as value,
        {{ share_of('gpt_oss', 'world') }} as comparison_value
    from downloads

),

-- every claim has its rows on every day, answered or not
joined as (

    select
        claims.*,
        days.snapshot_date,
        snapshots.is_simulated,
        answers.value,
        answers.comparison_value
    from claims
    cross join days
    inner join snapshots
        on days.snapshot_date = snapshots.snapshot_date
    left join answers
        on
            days.snapshot_date = answers.snapshot_date
            and claims.claim_id = answers.claim_id
            and claims.subject = answers.subject
            and claims.metric = answers.metric
            and claims.attribution = answers.attribution

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
        caveat
    from joined

)

select * from final
