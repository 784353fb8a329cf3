{# Spark's words for what functions.sql asks, and for those of dbt's own that dbt-spark says in a way that fails under
   ANSI rules (Spark 4's default) or loses an order. #}

{% macro spark__explode(list) %}explode({{ list }}){% endmacro %}

{# `size` of null is -1 or null, by settings. #}
{% macro spark__list_length(list) %}greatest(coalesce(size({{ list }}), 0), 0){% endmacro %}

{% macro spark__list_with_prefix(list, prefix) -%}
    filter({{ list }}, element -> startswith(element, '{{ prefix }}'))
{%- endmacro %}

{% macro spark__text_of_list(list) -%}
    concat(chr(31), array_join({{ list }}, chr(31)), chr(31))
{%- endmacro %}

{% macro spark__starts_with(value, prefix) %}startswith({{ value }}, '{{ prefix }}'){% endmacro %}

{% macro spark__matches(value, pattern) %}({{ value }} rlike ({{ pattern }})){% endmacro %}

{% macro spark__matches_whole(value, pattern) %}
    ({{ value }} rlike concat('^(?:', {{ pattern }}, ')$'))
{%- endmacro %}

{# Spark reads the backslashes of a text before the expression does. #}
{% macro spark__has_dash_outside_brackets(pattern) -%}
    ({{ pattern }} rlike '^([^\\[-]|\\[[^\\]]*\\])*-')
{%- endmacro %}

{% macro spark__wide_integer(value) %}cast({{ value }} as decimal(38, 0)){% endmacro %}

{% macro spark__nearest_double(value) %}cast({{ value }} as double){% endmacro %}

{% macro spark__point_between_digits(name) -%}
    regexp_replace({{ name }}, '(^|[^0-9])([0-9])_([0-9][bB]?)(-|_|$)', '$1$2.$3$4')
{%- endmacro %}

{# As DuckDB does it, on the scaled double: Spark's own `round` goes by the shortest decimal that tells the double, which
   can lie on the other side of a half. #}
{% macro spark__rounded(value) %}(round(cast({{ value }} as double) * 1e12D) / 1e12D){% endmacro %}

{% macro spark__median(value) %}percentile({{ value }}, 0.5){% endmacro %}

{% macro spark__days_between(first_day, last_day) %}
    explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day))
{%- endmacro %}

{% macro spark__hours_between(first, last) -%}
    (unix_micros({{ last }}) - unix_micros({{ first }})) / 3600000000
{%- endmacro %}

{# Empty where there is no such part, as elsewhere; dbt-spark's indexes an array, which raises then. #}
{% macro spark__split_part(string_text, delimiter_text, part_number) -%}
    split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number }})
{%- endmacro %}

{# Of dates; null for null, where dbt-spark's raises. Only days are counted here. #}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {{ only_days('dateadd', datepart) -}}
    date_add({{ from_date_or_timestamp }}, cast({{ interval }} as int))
{%- endmacro %}

{% macro spark__datediff(first_date, second_date, datepart) -%}
    {{ only_days('datediff', datepart) -}}
    datediff({{ second_date }}, {{ first_date }})
{%- endmacro %}

{% macro only_days(name, datepart) -%}
    {%- if datepart != 'day' -%}
        {{ exceptions.raise_compiler_error(
            name ~ " on Spark: found " ~ datepart ~ "s, expected days; add them to macros/engine/spark_functions.sql."
        ) }}
    {%- endif -%}
{%- endmacro %}

{# In the order asked for, which dbt-spark's leaves out with a warning. #}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    listagg({{ measure }}, {{ delimiter_text }})
    {%- if order_by_clause %} within group ({{ order_by_clause }}){% endif %}
{%- endmacro %}

{# Of a month, which is all that is asked for. #}
{% macro spark__last_day(date, datepart) -%}
    {%- if datepart != 'month' -%}
        {{ exceptions.raise_compiler_error("last_day on Spark: found " ~ datepart ~ ", expected month.") }}
    {%- endif -%}
    last_day({{ date }})
{%- endmacro %}

{# Views on Spark are planned anew by everyone who reads them. #}
{% macro spark__view_of_files() %}{{ return('table') }}{% endmacro %}
