{# Landed Parquet as Spark reads it: a temporary view over the folders of the asked days, whose columns are those of all
   their files, as `union_by_name` has it for DuckDB. The folder may be any address that the cluster reads. #}

{% macro spark__read_landing(table, dates) %}
    {%- set folder = env_var('OBSERVATORY_LANDING', '../data/landing') ~ '/' ~ table -%}
    {%- set asked = '{' ~ dates | join(',') ~ '}' if dates else '*' -%}
    {%- set view = 'landed_' ~ table ~ '_for_' ~ model.name -%}
    {%- do run_query(
        "create or replace temporary view " ~ view ~ " using parquet options ("
        ~ "path '" ~ on_spark_as_text(folder ~ '/snapshot_date=' ~ asked) ~ "', "
        ~ "basePath '" ~ on_spark_as_text(folder) ~ "', pathGlobFilter '*.parquet', mergeSchema 'true')"
    ) -%}
    {%- set found = run_query(
        "select distinct cast(snapshot_date as string) as day from " ~ view
    ).columns[0].values() if dates else [] -%}
    {%- for day in dates if day not in found -%}
        {{ exceptions.raise_compiler_error(
            "Landing of " ~ table ~ ": found no rows in " ~ folder ~ "/snapshot_date=" ~ day
            ~ ", expected a landed day; land it first, or leave it out of snapshot_dates."
        ) }}
    {%- endfor -%}
    {{ return(view) }}
{% endmacro %}

{# A value as one of Spark's literals. #}
{% macro on_spark_as_text(value) -%}
    {{ return((value | string).replace('\\', '\\\\').replace("'", "\\'")) }}
{%- endmacro %}
