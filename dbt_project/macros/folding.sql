{# A folded table holds one row per thing for ever and is written once a run: what it already holds, joined with what
   this run saw. Reading `this` is safe, because a table is built beside its predecessor and then renamed. #}

{# Whether there is a predecessor to fold. A full refresh, and a unit test, start from nothing. #}
{% macro is_folding() %}
    {%- if not execute or flags.FULL_REFRESH or model.resource_type != 'model' -%}
        {{ return(false) }}
    {%- endif -%}
    {{ return(load_relation(this) is not none) }}
{% endmacro %}
