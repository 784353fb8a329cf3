{# One scan of the repositories that declare a parent: what they are built on, how, and whether a repackager holds them. #}
with

models as (

    select
        *,
        coalesce({{ named_organization('origin') }}, '(other)')
            as root_organization,
        coalesce(base_relation, '(unknown)') as relation,
        coalesce(uploader_organization_type = 'repackager', false)
            as is_repackaged
    from {{ ref('int_models_attributed') }}
    where is_derivative

),

-- a counter that the source tells of no repository of a day, derivative or not
days as (

    select
        snapshot_date,
        cast(sum(models_with_downloads_30d) as bigint)
            as models_with_downloads_30d,
        cast(sum(models_with_downloads_all_time) as bigint)
            as models_with_downloads_all_time
    from {{ ref('int_composition_summed') }}
    group by snapshot_date

),

sums as (

    select
        snapshot_date,
        root_organization,
        origin_country_code,
        origin_family,
        relation,
        is_repackaged,
        {%- for metric in snapshot_metrics() %}
        {%- set counted = 'is_new' if metric.only_new else 'true' %}
        sum(case when {{ counted }} then {{ metric.counter }} else 0 end)
            as {{ metric.metric }}_downloads,
        {%- endfor %}
        count(*) as models,
        sum(case when is_new then 1 else 0 end) as new_models
    from models
    group by
        snapshot_date,
        root_organization,
        origin_country_code,
        origin_family,
        relation,
        is_repackaged

),

unpivoted as (

    {% for metric in snapshot_metrics() -%}
    {% set models = 'new_models' if metric.only_new else 'models' -%}
    select
        sums.snapshot_date,
        '{{ metric.metric }}' as metric,
        sums.root_organization,
        sums.origin_country_code,
        sums.origin_family,
        sums.relation,
        sums.is_repackaged,
        cast(sums.{{ metric.metric }}_downloads as bigint) as downloads,
        cast(sums.{{ models }} as bigint) as derivatives,
        cast(sums.new_models as bigint) as new_derivatives
    from sums
    inner join days
        on sums.snapshot_date = days.snapshot_date
    where
        sums.{{ models }} > 0
        and days.models_with_{{ metric.counter }} > 0
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
)

select * from unpivoted
