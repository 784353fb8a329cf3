-- One row per attributed model of the day.
with

models as (
    select *
    from staging.stg_hub__models
    where snapshot_date = getvariable('day')
),

countries as (
    select country_code
    from seeds.countries
),

subject as (
    select
        attributed.*,
        uploader_countries.country_code is not null as is_uploader_country_known,
        origin_countries.country_code is not null as is_origin_country_known,
        models.is_created_at_floor,
        attributed.pipeline_tag in (select pipeline_tag from seeds.pipeline_tags) as is_pipeline_tag_known,
        lower(attributed.license) in (select lower(license) from seeds.licenses) as is_license_known,
        case
            when models.created_at is not null
                then greatest(date_diff('day', cast(models.created_at as date), attributed.snapshot_date), 0)
        end as expected_age_days
    from intermediate.int_models_attributed as attributed
    left join models
        on attributed.repo_id = models.repo_id
    left join countries as uploader_countries
        on attributed.uploader_country_code = uploader_countries.country_code
    left join countries as origin_countries
        on attributed.origin_country_code = origin_countries.country_code
    where attributed.snapshot_date = getvariable('day')
)
