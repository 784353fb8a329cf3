-- One row per organisation's account and time of validity.
with

countries as (
    select country_code
    from marts.dim_countries
),

subject as (
    select
        organizations.*,
        min(organizations.valid_from) over (
            partition by organizations.namespace
            order by organizations.valid_from
            range between interval 1 day following and unbounded following
        ) as next_valid_from
    from marts.dim_organizations as organizations
)
