{# A recursive CTE in its three parts, for DuckDB plain SQL:

       ancestors as (
           {{ recursion_begins('ancestors') }} select …   what it begins with
           {{ recursion_repeats('union') }} select …      what each step makes of the rows of the step before it
           {{ recursion_ends('ancestors') }}
       )

   Spark's own can't say these: the parts are marked there, and spark_queries.sql runs them one after another. #}
{% macro recursion_begins(name) %}{{ return(adapter.dispatch('recursion_begins')(name)) }}{% endmacro %}
{% macro default__recursion_begins(name) %}{% endmacro %}
{% macro spark__recursion_begins(name) %}/* recursion {{ name }} begins */{% endmacro %}

{% macro recursion_repeats(union) %}{{ return(adapter.dispatch('recursion_repeats')(union)) }}{% endmacro %}
{% macro default__recursion_repeats(union) %}{{ union }}{% endmacro %}
{% macro spark__recursion_repeats(union) %}/* recursion repeats by {{ union }} */{% endmacro %}

{% macro recursion_ends(name) %}{{ return(adapter.dispatch('recursion_ends')(name)) }}{% endmacro %}
{% macro default__recursion_ends(name) %}{% endmacro %}
{% macro spark__recursion_ends(name) %}/* recursion {{ name }} ends */{% endmacro %}
