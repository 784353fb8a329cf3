with

landed as (

    select
        snapshot_date,
        _id as repo_id,
        {{ explode(list_with_prefix('tags', 'license:')) }} as tag
    from {{ landed('models') }}
    where not coalesce(private, false)

),

licenses as (

    select distinct
        snapshot_date,
        repo_id,
        lower(substr(tag, length('license:') + 1)) as license
    from landed
    where tag like 'license:_%'

)

select * from licenses
