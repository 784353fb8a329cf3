{# Rules that more than one model applies, each in one place. #}

{# Account that holds a repository: the author, else what stands before the slash. Never empty: repositories from
   before there were namespaces have neither, and say so. #}
{% macro namespace_of(author, model_id) -%}
    coalesce(
        nullif({{ author }}, ''),
        case
            when {{ model_id }} like '%/%' then nullif({{ dbt.split_part(model_id, "'/'", 1) }}, '')
        end,
        '(none)'
    )
{%- endmacro %}

{# Name of a repository without its namespace. #}
{% macro name_of(model_id) -%}
    case
        when {{ model_id }} like '%/%' then {{ dbt.split_part(model_id, "'/'", 2) }} else {{ model_id }}
    end
{%- endmacro %}

{# Codes that are countries: ISO 3166-1, without the four that ISO leaves to users (definition 11). #}
{% macro is_country(code) -%}
    {{ code }} not in ('XC', 'XI', 'XM', 'XX')
{%- endmacro %}

{# Share, rounded to 12 decimals (definition 28); null when there is nothing to be a share of. #}
{% macro share_of(numerator, denominator) -%}
    {{- rounded('cast(' ~ numerator ~ ' as double) / nullif(' ~ denominator ~ ', 0)') -}}
{%- endmacro %}

{# The same of whole numbers beyond 64 bits. #}
{% macro wide_share_of(numerator, denominator) -%}
    {{- rounded(nearest_double(numerator) ~ ' / nullif(' ~ nearest_double(denominator) ~ ', 0)') -}}
{%- endmacro %}

{# Size class by total parameters, lower edge in (definition 25). #}
{% macro size_class(parameters) -%}
    case
        when {{ parameters }} is null then 'unknown'
        when {{ parameters }} < 1000000000 then '<1B'
        when {{ parameters }} < 7000000000 then '1-7B'
        when {{ parameters }} < 20000000000 then '7-20B'
        when {{ parameters }} < 70000000000 then '20-70B'
        when {{ parameters }} < 200000000000 then '70-200B'
        else '>=200B'
    end
{%- endmacro %}

{# Total parameters that a name states: `7B`, `350M`, `1.5T`, `8x7B` as 8 × 7 B; null when it states none. Parts such
   as `A3B` (active parameters of a mixture) do not count. `name` must be in lower case. #}
{% macro parameters_in_name(name) -%}
    {%- set pattern = "'(?:^|[-_ ])(?:([0-9]+)x)?([0-9]+(?:[.][0-9]+)?)(b|m|t)(?:$|[-_. ])'" -%}
    {#- taking a name apart costs several times as much as seeing that it states nothing, as most do -#}
    case
        when {{ matches(name, pattern) }}
            then cast(
                round(
                    cast(regexp_extract({{ name }}, {{ pattern }}, 2) as double)
                    * cast(coalesce(nullif(regexp_extract({{ name }}, {{ pattern }}, 1), ''), '1') as double)
                    * case regexp_extract({{ name }}, {{ pattern }}, 3)
                        when 't' then 1000000000000
                        when 'b' then 1000000000
                        else 1000000
                    end
                ) as bigint
            )
    end
{%- endmacro %}

{# How much a licence class restricts, for the most restrictive of several (definition 24). Terms that nobody has read
   stand above permissive and copyleft ones, and below classes that are known to restrict; `unknown` states no terms, so
   that any licence beside it counts. 2026-11-24. #}
{% macro openness_rank(openness) -%}
    case {{ openness }}
        when 'unspecified' then 0
        when 'permissive' then 1
        when 'copyleft' then 2
        when 'custom' then 3
        when 'restricted' then 4
        when 'noncommercial' then 5
        else 3
    end
{%- endmacro %}

{# Outlier by a metric's own figures (definition 15): many downloads and next to no likes. Integers only. #}
{% macro is_outlier_by(downloads, likes) -%}
    (
        {{ downloads }} >= {{ var('outlier_minimum_downloads') }}
        and {{ likes }} * 1000000 < {{ var('outlier_likes_per_million') }} * {{ downloads }}
    )
{%- endmacro %}

{# The metrics of one snapshot: their window, the counter that they sum, and whether only new models count. #}
{% macro snapshot_metrics() %}
    {{ return([
        {'metric': 'new_created', 'window_days': 365, 'counter': 'downloads_all_time', 'only_new': true},
        {'metric': 'trailing_30d', 'window_days': 30, 'counter': 'downloads_30d', 'only_new': false},
        {'metric': 'new_trailing_30d', 'window_days': 30, 'counter': 'downloads_30d', 'only_new': true},
        {'metric': 'all_time', 'window_days': 0, 'counter': 'downloads_all_time', 'only_new': false},
    ]) }}
{% endmacro %}

{% macro attributions() %}
    {{ return(['uploader', 'origin']) }}
{% endmacro %}

{# What each denominator counts (definition 13), as a condition on an attributed account. #}
{% macro denominators() %}
    {{ return([
        {'denominator': 'all', 'condition': 'true'},
        {'denominator': 'organizations', 'condition': 'not is_person'},
        {'denominator': 'located', 'condition': is_country('country_code')},
    ]) }}
{% endmacro %}

{# The Hub's oldest creation date, which everything older carries too: not a date of creation (definition 4). #}
{% macro is_created_at_floor(created_at) -%}
    coalesce(
        {{ created_at }} >= cast('{{ var("created_at_floor") }}' as timestamp)
        and {{ created_at }} < cast('{{ var("created_at_floor_end") }}' as timestamp),
        false
    )
{%- endmacro %}

{# How often somebody releases, by the median of days between releases (definition 19), each bound half way between two
   rhythms or so: up to 10 days is a week and some slack, up to 135 a quarter and half of one. No gap: one date only.
   2026-11-24. #}
{% macro release_cadence(median_days) -%}
    case
        when {{ median_days }} is null then 'single'
        when {{ median_days }} <= 10 then 'weekly'
        when {{ median_days }} <= 21 then 'biweekly'
        when {{ median_days }} <= 45 then 'monthly'
        when {{ median_days }} <= 135 then 'quarterly'
        when {{ median_days }} <= 270 then 'semiannual'
        else 'yearly'
    end
{%- endmacro %}
