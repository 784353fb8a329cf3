{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='snapshot_date',
        on_schema_change='fail',
    )
}}

{#- What a claim asks about, as a condition on `classed` below. Names of lines are those of families (definition 16):
    Llama's are Meta's with Llama in their name (`Meta-Llama-3`, `Llama-Guard-4`); olmOCR reads documents and is built
    on Qwen, so it's no Olmo; gpt-oss-safeguard is of gpt-oss. 2026-11-24. #}
{%- set subjects = {
    'all': 'true',
    'qwen': "lab = 'qwen'",
    'deepseek': "lab = 'deepseek'",
    'qwen_and_deepseek': "lab in ('qwen', 'deepseek')",
    'llama': "line = 'llama'",
    'olmo': "line = 'olmo'",
    'gpt_oss': "line = 'gpt_oss'",
    'distilled': 'is_distilled',
    'video': 'is_video',
    'restricted': "openness = 'restricted'",
    'permissive': "openness = 'permissive'",
    'derivatives': 'is_derivative',
} %}

{# Two steps: the models are scanned once an attribution and become a few thousand rows a day; everything after that is
   done on those. #}
with

models as (

    select * from {{ ref('int_models_attributed') }}

),

derivatives as (

    select distinct
        snapshot_date,
        repo_id
    from {{ ref('int_model_parents_resolved') }}

),

-- a counter that a day's source tells of no repository has no row in the
-- metrics that are made of it: nothing known is not nothing downloaded
counters_told as (

    select
        snapshot_date,
        min(case when is_without_downloads_30d then 1 else 0 end) = 0
            as tells_downloads_30d,
        min(case when is_without_downloads_all_time then 1 else 0 end) = 0
            as tells_downloads_all_time
    from models
    group by snapshot_date

),

{% for attribution in attributions() -%}
{%- set organization = attribution ~ '_organization' %}
{%- set family = 'family' if attribution == 'uploader' else 'origin_family' %}
{{ attribution }}_classed as (

    select
        models.snapshot_date,
        '{{ attribution }}' as attribution,
        models.{{ attribution }}_country_code as country_code,
        case models.{{ organization }}
            when 'Qwen' then 'qwen'
            when 'DeepSeek' then 'deepseek'
        end as lab,
        case
            when
                models.{{ organization }} = 'Meta'
                and lower(models.{{ family }}) like '%llama%'
                then 'llama'
            when
                models.{{ organization }} = 'Ai2'
                and lower(models.{{ family }}) like 'olmo%'
                and lower(models.{{ family }}) not like 'olmocr%'
                then 'olmo'
            when
                models.{{ organization }} = 'OpenAI'
                and lower(models.{{ family }}) like 'gpt-oss%'
                then 'gpt_oss'
        end as line,
        models.is_distilled,
        coalesce(models.modality = 'video' and models.is_generative, false)
            as is_video,
        models.openness,
        derivatives.repo_id is not null as is_derivative,
        models.is_new,
        sum(models.downloads_30d) as downloads_30d,
        sum(models.downloads_all_time) as downloads_all_time,
        count(*) as models
    from models
    left join derivatives
        on
            models.snapshot_date = derivatives.snapshot_date
            and models.repo_id = derivatives.repo_id
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

),

{% endfor -%}
classed as (

    {% for attribution in attributions() -%}
    select * from {{ attribution }}_classed
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

by_subject as (

    {% for subject, condition in subjects.items() -%}
    select
        snapshot_date,
        attribution,
        country_code,
        '{{ subject }}' as subject,
        is_new,
        sum(downloads_30d) as downloads_30d,
        sum(downloads_all_time) as downloads_all_time,
        sum(models) as models
    from classed
    where {{ condition }}
    group by 1, 2, 3, 4, 5
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

by_metric as (

    {% for metric in snapshot_metrics() -%}
    select
        by_subject.snapshot_date,
        '{{ metric.metric }}' as metric,
        by_subject.attribution,
        by_subject.country_code,
        by_subject.subject,
        by_subject.{{ metric.counter }} as downloads,
        by_subject.models
    from by_subject
    inner join counters_told
        on by_subject.snapshot_date = counters_told.snapshot_date
    where
        counters_told.tells_{{ metric.counter }}
        {%- if metric.only_new %}
        and by_subject.is_new
        {%- endif %}
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

final as (

    select
        snapshot_date,
        metric,
        attribution,
        country_code,
        subject,
        cast(sum(downloads) as bigint) as downloads,
        cast(sum(models) as bigint) as models
    from by_metric
    group by snapshot_date, metric, attribution, country_code, subject

)

select * from final
