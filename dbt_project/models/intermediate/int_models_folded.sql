{# What releases are made of, of all that was ever seen: repositories that have no family, nearly all, have nothing but their
   days here. What they are is dim_models' to keep, which folds by itself: rows that wide are written once a run. #}
{%- set attributes = [
    'model_id', 'organization', 'family', 'created_at', 'modality',
    'parameters', 'uploader_country',
] -%}

with

models as (

    select
        snapshot_date,
        repo_id,
        family,
        case when family is not null then model_id end as model_id,
        case when family is not null then uploader_organization end
            as organization,
        case when family is not null then created_at end as created_at,
        case when family is not null then modality end as modality,
        case when family is not null then parameters end as parameters,
        case when family is not null then uploader_country_code end
            as uploader_country
    from {{ ref('int_models_attributed') }}

),

{{ fold_models(attributes) }}

select * from folded
