{# Where engines differ in how a thing is said: each macro is dispatched, with DuckDB's words here and Spark's in
   spark_functions.sql. What they differ about stands in this folder and nowhere else. #}

{# One row per element of a list, in a select list. #}
{% macro explode(list) %}{{ return(adapter.dispatch('explode')(list)) }}{% endmacro %}
{% macro duckdb__explode(list) %}unnest({{ list }}){% endmacro %}

{# Number of elements; 0 for null. #}
{% macro list_length(list) %}{{ return(adapter.dispatch('list_length')(list)) }}{% endmacro %}
{% macro duckdb__list_length(list) %}coalesce(len({{ list }}), 0){% endmacro %}

{# The elements of a list that begin with the prefix; null for null. #}
{% macro list_with_prefix(list, prefix) %}
    {{ return(adapter.dispatch('list_with_prefix')(list, prefix)) }}
{% endmacro %}
{% macro duckdb__list_with_prefix(list, prefix) -%}
    list_filter({{ list }}, lambda element: starts_with(element, '{{ prefix }}'))
{%- endmacro %}

{# A list of words as one text that is searched many times: each between two unit separators, which no tag has a use
   for. Matching a text is several times as fast as comparing the elements of a list. #}
{% macro text_of_list(list) %}{{ return(adapter.dispatch('text_of_list')(list)) }}{% endmacro %}
{% macro duckdb__text_of_list(list) -%}
    chr(31) || array_to_string({{ list }}, chr(31)) || chr(31)
{%- endmacro %}

{# Whether a text that `text_of_list` made has any of the words as an element; false for null. Words are of letters,
   digits, `-` and `_`, which stand for themselves in a pattern. #}
{% macro text_has_any(text, words) -%}
    coalesce({{ matches(text, "chr(31) || '(" ~ words | join('|') ~ ")' || chr(31)") }}, false)
{%- endmacro %}

{# Whether an element of such a text begins with the prefix; false for null. #}
{% macro text_has_prefix(text, prefix) -%}
    coalesce({{ matches(text, "chr(31) || '" ~ prefix ~ "'") }}, false)
{%- endmacro %}

{# Whether the value begins with the prefix, letter by letter: in LIKE, `_` is any one character. #}
{% macro starts_with(value, prefix) %}{{ return(adapter.dispatch('starts_with')(value, prefix)) }}{% endmacro %}
{% macro duckdb__starts_with(value, prefix) %}starts_with({{ value }}, '{{ prefix }}'){% endmacro %}

{# Whether the pattern (RE2 and Java alike) matches somewhere in the value, or all of it. #}
{% macro matches(value, pattern) %}{{ return(adapter.dispatch('matches')(value, pattern)) }}{% endmacro %}
{% macro duckdb__matches(value, pattern) %}regexp_matches({{ value }}, {{ pattern }}){% endmacro %}

{% macro matches_whole(value, pattern) %}
    {{ return(adapter.dispatch('matches_whole')(value, pattern)) }}
{% endmacro %}
{% macro duckdb__matches_whole(value, pattern) %}regexp_full_match({{ value }}, {{ pattern }}){% endmacro %}

{# Whether a regular expression has a dash outside of its brackets. How a bracket inside brackets is written differs. #}
{% macro has_dash_outside_brackets(pattern) %}
    {{- return(adapter.dispatch('has_dash_outside_brackets')(pattern)) -}}
{% endmacro %}
{% macro duckdb__has_dash_outside_brackets(pattern) -%}
    regexp_matches({{ pattern }}, '^([^[-]|[[][^]]*[]])*-')
{%- endmacro %}

{# Whole number of up to 38 digits, for products of sums that do not fit 64 bits. #}
{% macro wide_integer(value) %}{{ return(adapter.dispatch('wide_integer')(value)) }}{% endmacro %}
{% macro duckdb__wide_integer(value) %}cast({{ value }} as hugeint){% endmacro %}

{# The double next to such a number. DuckDB's own cast of a whole number beyond 64 bits rounds twice, and took the wrong one
   of two for 102 of 5,000 random numbers up to 10^21 (1.5.5, 2026-11-30); from its text it rounds once. #}
{% macro nearest_double(value) %}{{ return(adapter.dispatch('nearest_double')(value)) }}{% endmacro %}
{% macro duckdb__nearest_double(value) %}cast(cast({{ value }} as varchar) as double){% endmacro %}

{# A name in which `_` stands for the point of a number (`phi-1_5`, `internlm2_5-7b`, `Qwen-1_8B`) with a point there:
   between two single digits that end a part of the name, `b` for billions aside. #}
{% macro point_between_digits(name) %}
    {{- return(adapter.dispatch('point_between_digits')(name)) -}}
{% endmacro %}
{% macro duckdb__point_between_digits(name) -%}
    regexp_replace({{ name }}, '(^|[^0-9])([0-9])_([0-9][bB]?)(-|_|$)', '\1\2.\3\4', 'g')
{%- endmacro %}

{# A double at 12 decimals, as every published one is (definition 28), half of the last one away from zero. #}
{% macro rounded(value) %}{{ return(adapter.dispatch('rounded')(value)) }}{% endmacro %}
{% macro duckdb__rounded(value) %}round({{ value }}, 12){% endmacro %}

{# Middle value of a group; the mean of the two in the middle when their number is even. #}
{% macro median(value) %}{{ return(adapter.dispatch('median')(value)) }}{% endmacro %}
{% macro duckdb__median(value) %}quantile_cont({{ value }}, 0.5){% endmacro %}

{# One row per day from the first to the last, both in. #}
{% macro days_between(first_day, last_day) %}
    {{ return(adapter.dispatch('days_between')(first_day, last_day)) }}
{% endmacro %}
{% macro duckdb__days_between(first_day, last_day) %}
    cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date)
{%- endmacro %}

{# Hours from one timestamp to a later one, to the microsecond; null if either is. #}
{% macro hours_between(first, last) %}
    {{ return(adapter.dispatch('hours_between')(first, last)) }}
{% endmacro %}
{% macro duckdb__hours_between(first, last) -%}
    (epoch_us({{ last }}) - epoch_us({{ first }})) / 3600000000
{%- endmacro %}

{# How to keep a model that only names and types what lies in landed files: they are by column and never change, so that
   a copy of them in the warehouse is read no faster, and has to be written. #}
{% macro view_of_files() %}{{ return(adapter.dispatch('view_of_files')()) }}{% endmacro %}
{% macro duckdb__view_of_files() %}{{ return('view') }}{% endmacro %}
