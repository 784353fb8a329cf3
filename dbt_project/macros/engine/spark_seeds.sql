{# Seeds on Spark: dbt-spark's own way breaks at a quote in a value and writes nulls as words. #}

{% macro spark__create_csv_table(model, agate_table) %}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do columns.append(name ~ ' ' ~ seed_type_on_spark(model, agate_table, name, loop.index0)) -%}
    {%- endfor -%}
    {%- set sql = 'create table ' ~ this ~ ' (' ~ columns | join(', ') ~ ') using parquet' -%}
    {%- call statement('_') -%}{{ sql }}{%- endcall -%}
    {{ return(sql) }}
{% endmacro %}

{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do types.append(seed_type_on_spark(model, agate_table, name, loop.index0)) -%}
    {%- endfor -%}
    {%- set statements = [] -%}
    {%- for chunk in agate_table.rows | batch(500) -%}
        {%- set rows = [] -%}
        {%- for row in chunk -%}
            {%- set values = [] -%}
            {%- for value in row -%}
                {%- do values.append('null' if value is none else "'" ~ on_spark_as_text(value) ~ "'") -%}
            {%- endfor -%}
            {%- do rows.append('(' ~ values | join(', ') ~ ')') -%}
        {%- endfor -%}
        {%- set columns = [] -%}
        {%- for type in types -%}
            {%- do columns.append('cast(col' ~ loop.index ~ ' as ' ~ type ~ ')') -%}
        {%- endfor -%}
        {%- set sql = 'insert into ' ~ this ~ ' select ' ~ columns | join(', ') ~ ' from values ' ~ rows | join(', ') -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{ return(statements[0] if statements else '') }}
{% endmacro %}

{% macro seed_type_on_spark(model, agate_table, name, position) -%}
    {{ return(on_spark_as_type(
        model['config'].get('column_types', {}).get(name, adapter.convert_type(agate_table, position))
    )) }}
{%- endmacro %}
