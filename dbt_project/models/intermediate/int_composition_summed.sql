{# The one scan of the models that the shares of modality, openness, size and technique are rolled up from. #}
with

models as (

    select * from {{ ref('int_models_attributed') }}

),

final as (

    select
        snapshot_date,
        uploader_country_code,
        origin_country_code,
        modality,
        openness,
        coalesce(gated, '(unknown)') as gated,
        size_class,
        {%- for technique in techniques() %}
        {{ technique.column }},
        {%- endfor %}
        {%- for metric in snapshot_metrics() %}
        cast(
            sum(
                {%- if metric.only_new %}
                case when is_new then {{ metric.counter }} else 0 end
                {%- else %}
                {{ metric.counter }}
                {%- endif %}
            ) as bigint
        ) as {{ metric.metric }}_downloads,
        {%- endfor %}
        cast(count(*) as bigint) as models,
        cast(sum(case when is_new then 1 else 0 end) as bigint) as new_models,
        cast(
            sum(case when is_without_downloads_30d then 0 else 1 end) as bigint
        ) as models_with_downloads_30d,
        cast(
            sum(case when is_without_downloads_all_time then 0 else 1 end)
            as bigint
        ) as models_with_downloads_all_time
    from models
    group by
        snapshot_date,
        uploader_country_code,
        origin_country_code,
        modality,
        openness,
        coalesce(gated, '(unknown)'),
        size_class,
        {%- for technique in techniques() %}
        {{ technique.column }}
        {{- "," if not loop.last }}
        {%- endfor %}

)

select * from final
