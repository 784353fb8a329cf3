{# The single largest repository of each denominator. The largest count is known from the sums; only repositories that
   reach the smallest of those counts are looked at again. #}
with

sums as (

    select * from {{ ref('int_metric_downloads_summed') }}

),

models as (

    select * from {{ ref('int_models_attributed') }}

),

largest as (

    {% for denominator in denominators() -%}
    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        '{{ denominator.denominator }}' as denominator,
        max(largest_downloads) as downloads
    from sums
    where {{ denominator.condition }}
    group by snapshot_date, metric, window_days, attribution
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

thresholds as (

    select
        snapshot_date,
        min(
            case
                when metric in ('trailing_30d', 'new_trailing_30d') then downloads
            end
        ) as downloads_30d,
        min(
            case
                when metric in ('all_time', 'new_created') then downloads
            end
        ) as downloads_all_time
    from largest
    group by snapshot_date

),

candidates as (

    select models.*
    from models
    inner join thresholds
        on
            models.snapshot_date = thresholds.snapshot_date
            and (
                models.downloads_30d >= thresholds.downloads_30d
                or models.downloads_all_time >= thresholds.downloads_all_time
            )

),

counted as (

    {% for attribution in attributions() -%}
    {% set last_attribution = loop.last -%}
    {% for metric in snapshot_metrics() -%}
    select
        snapshot_date,
        '{{ metric.metric }}' as metric,
        '{{ attribution }}' as attribution,
        repo_id,
        {{ metric.counter }} as downloads,
        {{ attribution }}_country_code as country_code,
        {{ attribution }}_is_person as is_person
    from candidates
    {%- if metric.only_new %}
    where is_new
    {%- endif %}
    {% if not (loop.last and last_attribution) -%}
    union all
    {% endif -%}
    {% endfor -%}
    {% endfor %}
),

in_denominators as (

    {% for denominator in denominators() -%}
    select
        *,
        '{{ denominator.denominator }}' as denominator
    from counted
    where {{ denominator.condition }}
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

-- of several equally large ones, the smallest repo_id
ranked as (

    select
        largest.snapshot_date,
        largest.metric,
        largest.window_days,
        largest.attribution,
        largest.denominator,
        in_denominators.repo_id,
        in_denominators.country_code,
        largest.downloads,
        row_number() over (
            partition by
                largest.snapshot_date,
                largest.metric,
                largest.attribution,
                largest.denominator
            order by in_denominators.repo_id
        ) as tie_position
    from largest
    inner join in_denominators
        on
            largest.snapshot_date = in_denominators.snapshot_date
            and largest.metric = in_denominators.metric
            and largest.attribution = in_denominators.attribution
            and largest.denominator = in_denominators.denominator
            and largest.downloads = in_denominators.downloads

),

final as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        denominator,
        repo_id,
        country_code,
        downloads
    from ranked
    where tie_position = 1

)

select * from final
