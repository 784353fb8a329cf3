-- One row per claim and part of the day.
with

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
        count(subject.value) as values_given
    from expected_claims
    left join subject
        on expected_claims.claim = subject.claim
    group by expected_claims.claim
)
