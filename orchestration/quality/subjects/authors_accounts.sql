-- One row per account known on the day.
with

manifest as (
    select
        cast(manifest ->> '$.rows' as bigint) as rows,
        cast(manifest ->> '$.known_downloads_share' as double) as known_downloads_share,
        cast(previous_manifest ->> '$.known_downloads_share' as double) as previous_known_downloads_share,
        json_array_length(manifest, '$.failed') as failed
    from accounts_manifests
),

forgotten as (
    select *
    from previous_accounts
    where namespace not in (select namespace from landed_accounts where namespace is not null)
),

known_before as (
    select
        before.namespace,
        before.account_type as previous_account_type,
        landed_accounts.account_type
    from previous_accounts as before
    inner join landed_accounts
        on before.namespace = landed_accounts.namespace
    where before.account_type <> 'unknown'
),

changed_types as (
    select *
    from known_before
    where account_type <> previous_account_type
),

changes as (
    select
        cast((select count(*) from changed_types) as bigint) as changed,
        cast(nullif(count(*), 0) as bigint) as known
    from known_before
),

subject as (
    select *
    from landed_accounts
)
