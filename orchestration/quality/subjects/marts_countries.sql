-- One row per country or class that stands in for one.
with

subject as (
    select *
    from marts.dim_countries
)
