{# One scan of a day's rows for everything that sums daily downloads by who they are attributed to. What a recount makes
   of them is added by the readers: it can change when a day arrives late. #}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace',
        meta={'replaces': [rows_in('int_days_restated', listed="extent <> 'event'")]},
        on_schema_change='fail',
    )
}}

with

downloads as (

    select downloads.*
    from {{ ref('int_model_downloads_daily') }} as downloads
    inner join {{ ref('int_days_restated') }} as restated
        on downloads.snapshot_date = restated.snapshot_date
    where
        restated.extent <> 'event'
        and downloads.downloads is not null

),

attributions as (

    select * from {{ ref('int_attributions_keyed') }}

),

by_key as (

    select
        snapshot_date,
        moving_date,
        is_new,
        attribution_key,
        cast(sum(downloads) as bigint) as downloads,
        cast(
            sum(case when downloads < 0 then downloads else 0 end) as bigint
        ) as negative_downloads,
        cast(count(*) as bigint) as models
    from downloads
    group by snapshot_date, moving_date, is_new, attribution_key

),

by_attribution as (

    {% for attribution in attributions() -%}
    select
        by_key.snapshot_date,
        by_key.moving_date,
        by_key.is_new,
        '{{ attribution }}' as attribution,
        attributions.{{ attribution }}_country_code as country_code,
        attributions.{{ attribution }}_organization as organization,
        attributions.{{ attribution }}_account_type as account_type,
        by_key.downloads,
        by_key.negative_downloads,
        by_key.models
    from by_key
    inner join attributions
        on by_key.attribution_key = attributions.attribution_key
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

final as (

    select
        snapshot_date,
        moving_date,
        is_new,
        attribution,
        country_code,
        organization,
        account_type,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(negative_downloads) as bigint) as negative_downloads,
        cast(sum(models) as bigint) as models
    from by_attribution
    group by
        snapshot_date,
        moving_date,
        is_new,
        attribution,
        country_code,
        organization,
        account_type

)

select * from final
