-- No rows: stands in until the cadence of releases is here.
select
    cast(null as date) as snapshot_date,
    cast(null as {{ dbt.type_string() }}) as level,
    cast(null as {{ dbt.type_string() }}) as organization,
    cast(null as {{ dbt.type_string() }}) as country_code,
    cast(null as bigint) as releases,
    cast(null as bigint) as variants,
    cast(null as double) as variants_per_release,
    cast(null as double) as median_days_between_releases,
    cast(null as double) as active_week_share,
    cast(null as double) as repository_week_share,
    cast(null as {{ dbt.type_string() }}) as cadence
where 1 = 0
