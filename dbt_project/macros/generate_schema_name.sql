{# Schemas are named as in the contract (`marts`, not `main_marts`), for every target. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
