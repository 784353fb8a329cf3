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

{# A relation of the intermediate layer as the run before left it; none on a full refresh, in a unit test, or where there
   was no run before. Staging has to know which days are there already, and may not refer upwards. #}
{% macro as_of_last_run(name) %}
    {%- if not execute or flags.FULL_REFRESH or model.resource_type != 'model' -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(adapter.get_relation(
        database=target.database, schema=generate_schema_name('intermediate'), identifier=name
    )) }}
{% endmacro %}

{# The captured days whose counters this run compares: its own; back from each to the last day on which counters moved;
   and on from each to the first one on which they moved after the next captured day, because a day that arrives late
   can change whether the next one moved. An empty list when the run processes all days. #}
{% macro dates_compared() %}
    {%- set dates = snapshot_dates() -%}
    {%- set known = as_of_last_run('int_snapshots_classified') -%}
    {%- if not execute or not dates or known is none -%}
        {{ return(dates) }}
    {%- endif -%}
    {%- set moved = {} -%}
    {%- for row in run_query(
        "select cast(snapshot_date as " ~ dbt.type_string() ~ "), is_moving from " ~ known
        ~ " where status = 'complete' order by 1"
    ) -%}
        {%- do moved.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {%- set compared = [] -%}
    {%- set captured = (moved.keys() | list + dates) | unique | sort -%}
    {%- for date in dates -%}
        {%- do compared.append(date) -%}
        {%- set open = namespace(is_open=true) -%}
        {%- for earlier in captured | reverse if earlier < date and open.is_open -%}
            {%- do compared.append(earlier) -%}
            {%- if earlier not in dates and moved[earlier] -%}{%- set open.is_open = false -%}{%- endif -%}
        {%- endfor -%}
        {%- set open = namespace(is_open=true, is_next=true) -%}
        {%- for later in captured if later > date and open.is_open -%}
            {%- do compared.append(later) -%}
            {%- if not open.is_next and later not in dates and moved[later] -%}
                {%- set open.is_open = false -%}
            {%- endif -%}
            {%- set open.is_next = false -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(compared | unique | sort) }}
{% endmacro %}
