-- One row per attribution and basis of the day.
-- `falls` has each beside itself on the last landed day; `largest_accounts` are those that most is downloaded from.
with

subject as (
    select *
    from marts.mart_attribution_coverage
    where snapshot_date = getvariable('day')
),

previous as (
    select *
    from marts.mart_attribution_coverage
    where
        snapshot_date = (
            select max(snapshot_date)
            from marts.mart_attribution_coverage
            where snapshot_date >= getvariable('day') - 30 and snapshot_date < getvariable('day')
        )
),

falls as (
    select
        subject.attribution,
        subject.basis,
        subject.classed_share,
        previous.classed_share as previous_classed_share,
        subject.located_share,
        previous.located_share as previous_located_share,
        greatest(
            previous.classed_share - subject.classed_share, previous.located_share - subject.located_share
        ) as fall
    from subject
    inner join previous
        on
            subject.attribution = previous.attribution
            and subject.basis = previous.basis
),

accounts as (
    select
        lower(namespace) as namespace,
        any_value(uploader_country_code) as country_code,
        bool_or(uploader_is_person) as is_person,
        sum(downloads_30d) as downloads
    from intermediate.int_models_attributed
    where snapshot_date = getvariable('day')
    group by lower(namespace)
),

largest_accounts as (
    select
        row_number() over (order by downloads desc, namespace) as place,
        namespace,
        country_code,
        cast(downloads as bigint) as downloads,
        downloads / (select sum(downloads) from accounts) as share
    from accounts
    where not is_person
    order by place
    limit 200
)
