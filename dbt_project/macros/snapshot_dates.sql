{# The days of this run. They come as a variable, are read when a node runs, and never stand in YAML or config(),
   where a manifest that is parsed once and used for many days would keep the first day's value for ever. #}

{% macro snapshot_dates() %}
    {%- set dates = var('snapshot_dates', []) or [] -%}
    {%- for snapshot_date in dates -%}
        {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', snapshot_date | string) -%}
            {{ exceptions.raise_compiler_error(
                "snapshot_dates: found '" ~ snapshot_date ~ "', expected days as YYYY-MM-DD; "
                ~ "pass --vars '{snapshot_dates: [\"2026-10-06\"]}'."
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(dates | map('string') | unique | sort) }}
{% endmacro %}

{# Condition: the column is one of this run's days; true when the run processes all landed days. #}
{% macro in_snapshot_dates(column='snapshot_date') %}
    {%- set dates = snapshot_dates() -%}
    {%- if dates -%}
        {{ column }} in (
            {%- for snapshot_date in dates -%}
                cast('{{ snapshot_date }}' as date){{ ", " if not loop.last }}
            {%- endfor -%}
        )
    {%- else -%}
        true
    {%- endif -%}
{% endmacro %}

{# Overrides dbt's own macro, which wraps what a generic test reads: a test in YAML says
   `where: "snapshot_date in (__snapshot_dates__)"`, and the days are filled in here, when the test runs. #}
{% macro get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- if not where -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set dates = snapshot_dates() -%}
    {%- if dates -%}
        {%- set days = "cast('" ~ dates | join("' as date), cast('") ~ "' as date)" -%}
    {%- else -%}
        {%- set days = "select snapshot_date from " ~ relation -%}
    {%- endif -%}
    {%- set filtered -%}
        (select * from {{ relation }} where {{ where | replace('__snapshot_dates__', days) }}) dbt_subquery
    {%- endset -%}
    {{ return(filtered) }}
{%- endmacro %}

{# This run's days and, for each, the complete landed day before and after it; an empty list when the run processes
   all days. `captures`: relation with snapshot_date and status. #}
{% macro neighbouring_dates(captures) %}
    {%- set dates = snapshot_dates() -%}
    {%- if not execute or not dates -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set neighbours -%}
        with

        complete as (

            select
                snapshot_date,
                lag(snapshot_date) over (order by snapshot_date) as previous_date,
                lead(snapshot_date) over (order by snapshot_date) as next_date
            from {{ captures }}
            where status = 'complete'

        ),

        of_this_run as (

            select * from complete where {{ in_snapshot_dates() }}

        )

        select cast(snapshot_date as {{ dbt.type_string() }}) from of_this_run
        union
        select cast(previous_date as {{ dbt.type_string() }})
        from of_this_run
        where previous_date is not null
        union
        select cast(next_date as {{ dbt.type_string() }})
        from of_this_run
        where next_date is not null
    {%- endset -%}
    {{ return((dates + run_query(neighbours).columns[0].values() | list) | unique | sort) }}
{% endmacro %}
