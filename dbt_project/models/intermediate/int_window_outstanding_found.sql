{# Repositories that weigh on a window by themselves: the largest one of each denominator, and the outliers, each with
   what it adds to whom. Only here daily rows of single repositories are summed over windows: of the few whose counter is
   high enough, and of all only where those do not settle which one is the largest. #}
with

windows as (

    select * from {{ ref('int_windows_restated') }}

),

repositories as (

    select
        repo_id,
        repo_key
    from {{ ref('int_repositories_keyed') }}

),

attributions as (

    select * from {{ ref('int_attributions_keyed') }}

),

candidates as (

    select * from {{ ref('int_outlier_candidates') }}

),

downloads as (

    select
        snapshot_date,
        repo_key,
        attribution_key,
        is_new,
        downloads
    from {{ ref('int_model_downloads_daily') }}
    where
        downloads is not null
        and snapshot_date >= (
            select min(windows.first_date)
            from windows
        )

),

-- only these can be an outlier: what is downloaded in a window is at most the
-- counter at its end, and they had the counter, or a review
candidate_keys as (

    select distinct repo_key
    from candidates

),

-- for those that were attributed twice the counter is no bound to a part of it
moved_keys as (

    select repo_key
    from {{ ref('int_model_changes') }}
    group by repo_key
    having min(attribution_key) <> max(attribution_key)

),

weighty_keys as (

    select repo_key from candidate_keys
    union
    select repo_key from moved_keys

),

weighty_downloads as (

    select downloads.*
    from downloads
    inner join weighty_keys
        on downloads.repo_key = weighty_keys.repo_key

),

by_weighty_repository as (

    {% for metric in window_metrics() -%}
    {{ downloads_in_windows(metric, 'windows', 'weighty_downloads') }}
    group by 1, 2, 3, 4, 5
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

-- where one of them lies above the least counter in the narrowest denominator,
-- none of the others is the largest in any
settled as (

    select
        snapshot_date,
        metric,
        window_days
    from (
        {% for attribution in attributions() -%}
        select
            by_weighty_repository.snapshot_date,
            by_weighty_repository.metric,
            by_weighty_repository.window_days,
            by_weighty_repository.repo_key,
            '{{ attribution }}' as attribution
        from by_weighty_repository
        inner join attributions
            on
                by_weighty_repository.attribution_key
                = attributions.attribution_key
        where {{ is_country('attributions.' ~ attribution ~ '_country_code') }}
        group by 1, 2, 3, 4
        having
            sum(by_weighty_repository.downloads)
            >= {{ var('outlier_minimum_downloads') }}
        {% if not loop.last -%}
        union all
        {% endif -%}
        {% endfor %}
    ) as above
    group by snapshot_date, metric, window_days
    having count(distinct attribution) = {{ attributions() | length }}

),

unsettled_windows as (

    select
        windows.*,
        metrics.metric
    from windows
    inner join (
        {% for metric in window_metrics() -%}
        select
            '{{ metric.metric }}' as metric,
            {{ metric.window_days }} as window_days
        {% if not loop.last -%}
        union all
        {% endif -%}
        {% endfor %}
    ) as metrics
        on windows.window_days = metrics.window_days
    left join settled
        on
            windows.snapshot_date = settled.snapshot_date
            and windows.window_days = settled.window_days
            and metrics.metric = settled.metric
    where settled.metric is null

),

other_downloads as (

    select downloads.*
    from downloads
    left join weighty_keys
        on downloads.repo_key = weighty_keys.repo_key
    where
        weighty_keys.repo_key is null
        and downloads.snapshot_date >= (
            select min(unsettled_windows.first_date)
            from unsettled_windows
        )

),

by_repository as (

    select * from by_weighty_repository
    {%- for metric in window_metrics() %}
    union all
    {{ downloads_in_windows(
        metric, 'unsettled_windows', 'other_downloads'
    ) }}
        and windows.metric = '{{ metric.metric }}'
    group by 1, 2, 3, 4, 5
    {%- endfor %}

),

-- what was last known on the window's last day of its likes, and of a review
last_candidates as (

    select
        windows.snapshot_date as window_date,
        candidates.repo_key,
        max(candidates.snapshot_date) as snapshot_date
    from (
        select distinct snapshot_date
        from windows
    ) as windows
    inner join candidates
        on windows.snapshot_date >= candidates.snapshot_date
    group by windows.snapshot_date, candidates.repo_key

),

last_known as (

    select
        last_candidates.window_date,
        candidates.repo_key,
        candidates.likes,
        candidates.is_seeded_outlier
    from last_candidates
    inner join candidates
        on
            last_candidates.repo_key = candidates.repo_key
            and last_candidates.snapshot_date = candidates.snapshot_date

),

whole_sums as (

    select
        by_repository.snapshot_date,
        by_repository.metric,
        by_repository.window_days,
        by_repository.repo_key,
        cast(sum(by_repository.downloads) as bigint) as downloads
    from by_repository
    inner join last_known
        on
            by_repository.snapshot_date = last_known.window_date
            and by_repository.repo_key = last_known.repo_key
    group by
        by_repository.snapshot_date,
        by_repository.metric,
        by_repository.window_days,
        by_repository.repo_key

),

outliers as (

    select
        whole_sums.snapshot_date,
        whole_sums.metric,
        whole_sums.window_days,
        whole_sums.repo_key
    from whole_sums
    inner join last_known
        on
            whole_sums.snapshot_date = last_known.window_date
            and whole_sums.repo_key = last_known.repo_key
    where
        last_known.is_seeded_outlier
        or {{ is_outlier_by('whole_sums.downloads', 'last_known.likes') }}

),

in_denominators as (

    {% for attribution in attributions() -%}
    {% set last_attribution = loop.last -%}
    {% for denominator in denominators() -%}
    select
        snapshot_date,
        metric,
        window_days,
        '{{ attribution }}' as attribution,
        '{{ denominator.denominator }}' as denominator,
        repo_key,
        cast(sum(downloads) as bigint) as downloads
    from (
        select
            by_repository.*,
            attributions.{{ attribution }}_country_code as country_code,
            attributions.{{ attribution }}_account_type = 'person' as is_person
        from by_repository
        inner join attributions
            on by_repository.attribution_key = attributions.attribution_key
    ) as attributed
    where {{ denominator.condition }}
    group by snapshot_date, metric, window_days, repo_key
    {% if not (loop.last and last_attribution) -%}
    union all
    {% endif -%}
    {% endfor -%}
    {% endfor %}
),

largest as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        denominator,
        max(downloads) as downloads
    from in_denominators
    where downloads > 0
    group by snapshot_date, metric, window_days, attribution, denominator

),

-- of several equally large ones, the smallest repo_id
top_repositories as (

    select
        largest.snapshot_date,
        largest.metric,
        largest.window_days,
        largest.attribution,
        largest.denominator,
        min(repositories.repo_id) as repo_id
    from largest
    inner join in_denominators
        on
            largest.snapshot_date = in_denominators.snapshot_date
            and largest.metric = in_denominators.metric
            and largest.window_days = in_denominators.window_days
            and largest.attribution = in_denominators.attribution
            and largest.denominator = in_denominators.denominator
            and largest.downloads = in_denominators.downloads
    inner join repositories
        on in_denominators.repo_key = repositories.repo_key
    group by
        largest.snapshot_date,
        largest.metric,
        largest.window_days,
        largest.attribution,
        largest.denominator

),

final as (

    {% for attribution in attributions() -%}
    select
        outliers.snapshot_date,
        outliers.metric,
        outliers.window_days,
        '{{ attribution }}' as attribution,
        denominators.denominator,
        'outlier' as kind,
        by_repository.repo_key,
        attributions.{{ attribution }}_country_code as country_code,
        attributions.{{ attribution }}_account_type = 'person' as is_person,
        by_repository.downloads
    from outliers
    inner join by_repository
        on
            outliers.snapshot_date = by_repository.snapshot_date
            and outliers.metric = by_repository.metric
            and outliers.window_days = by_repository.window_days
            and outliers.repo_key = by_repository.repo_key
    inner join attributions
        on by_repository.attribution_key = attributions.attribution_key
    cross join (
        {% for denominator in denominators() -%}
        select '{{ denominator.denominator }}' as denominator
        {% if not loop.last -%}
        union all
        {% endif -%}
        {% endfor %}
    ) as denominators
    union all
    select
        top_repositories.snapshot_date,
        top_repositories.metric,
        top_repositories.window_days,
        top_repositories.attribution,
        top_repositories.denominator,
        'top' as kind,
        by_repository.repo_key,
        attributions.{{ attribution }}_country_code as country_code,
        attributions.{{ attribution }}_account_type = 'person' as is_person,
        by_repository.downloads
    from top_repositories
    inner join repositories
        on top_repositories.repo_id = repositories.repo_id
    inner join by_repository
        on
            top_repositories.snapshot_date = by_repository.snapshot_date
            and top_repositories.metric = by_repository.metric
            and top_repositories.window_days = by_repository.window_days
            and repositories.repo_key = by_repository.repo_key
    inner join attributions
        on by_repository.attribution_key = attributions.attribution_key
    where top_repositories.attribution = '{{ attribution }}'
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

-- a denominator that does not count the account doesn't lose it either
counted as (

    select
        snapshot_date,
        metric,
        window_days,
        attribution,
        denominator,
        kind,
        country_code,
        cast(sum(downloads) as bigint) as downloads
    from final
    where
        {% for denominator in denominators() -%}
        (denominator = '{{ denominator.denominator }}' and {{ denominator.condition }})
        {% if not loop.last %}or {% endif -%}
        {% endfor %}
    group by
        snapshot_date,
        metric,
        window_days,
        attribution,
        denominator,
        kind,
        country_code

)

select * from counted
