-- One row per claim and part of the day.
-- A list that is cut short (the trending thousand) may hold neither Qwen, DeepSeek nor gpt-oss: nothing to ask then.
with

listed as (
    select
        count(*) filter (
            split_part(lower(model_id), '/', 1) in ('qwen', 'deepseek-ai')
            and created_at >= cast(getvariable('day') as timestamp) - interval 364 days
        ) > 0 as lists_labs,
        count(*) filter (lower(model_id) like 'openai/gpt-oss%') > 0 as lists_gpt_oss
    from staging.stg_hub__models
    where snapshot_date = getvariable('day')
),

expected_claims as (
    select unnest(range(1, 13)) as claim
),

subject as (
    select
        claims.*,
        try_cast(regexp_extract(cast(claims.claim_id as varchar), '\d+') as integer) as claim
    from marts.mart_headline_claims as claims
    where claims.snapshot_date = getvariable('day')
),

claims as (
    select
        expected_claims.claim,
        count(subject.claim_id) as parts,
        count(subject.value) as values_given,
        case expected_claims.claim
            when 3 then any_value(listed.lists_labs)
            when 12 then any_value(listed.lists_gpt_oss)
            else true
        end as is_askable
    from expected_claims
    cross join listed
    left join subject
        on expected_claims.claim = subject.claim
    group by expected_claims.claim
)
