{# Landed Parquet as a relation: only the files of the asked days are opened. `dates` none: this run's days;
   an empty list: all landed days. Staging models are the only ones that call this. #}

{% macro landed(table, dates=none) %}
    {%- set relation = source('hub', table) -%}
    {%- if not execute or is_fixture(relation) -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ return(adapter.dispatch('read_landing')(table, snapshot_dates() if dates is none else dates)) }}
{% endmacro %}

{% macro duckdb__read_landing(table, dates) %}
    {%- set folder = env_var('OBSERVATORY_LANDING', '../data/landing') ~ '/' ~ table -%}
    {%- set globs = [] -%}
    {%- for day in (dates or ['*']) -%}
        {%- set glob = folder ~ '/snapshot_date=' ~ day ~ '/*.parquet' -%}
        {%- if not any_file(glob) -%}
            {{ exceptions.raise_compiler_error(
                "Landing of " ~ table ~ ": found no file " ~ glob ~ ", expected a landed day; land it first, "
                ~ "or leave it out of snapshot_dates."
            ) }}
        {%- endif -%}
        {%- do globs.append("'" ~ glob | replace("'", "''") ~ "'") -%}
    {%- endfor -%}
    {%- set relation -%}
        read_parquet(
            [{{ globs | join(', ') }}],
            hive_partitioning = true,
            hive_types = {'snapshot_date': date},
            union_by_name = true
        )
    {%- endset -%}
    {{ return(relation) }}
{% endmacro %}

{# The Parquet history of check results, from the newest stored day on. No file yet: no rows, with the same columns. #}
{% macro landed_quality_results() %}
    {%- set relation = source('quality', 'results') -%}
    {%- if not execute or is_fixture(relation) -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ return(adapter.dispatch('read_quality_results')()) }}
{% endmacro %}

{% macro duckdb__read_quality_results() %}
    {%- set glob = env_var('OBSERVATORY_QUALITY', '../data/quality') ~ '/results/evaluated_date=*/*.parquet' -%}
    {%- set newest = '' -%}
    {%- if is_incremental() -%}
        {%- set stored = run_query('select cast(cast(max(evaluated_at) as date) as varchar) from ' ~ this) -%}
        {%- set newest = stored.columns[0].values()[0] or '' -%}
    {%- endif -%}
    {%- set files = run_query(
        "select file from glob('" ~ glob | replace("'", "''") ~ "')
         where regexp_extract(file, 'evaluated_date=([0-9-]+)', 1) >= '" ~ newest ~ "' order by file"
    ).columns[0].values() -%}
    {%- set quoted = [] -%}
    {%- for file in files -%}
        {%- do quoted.append("'" ~ file | replace("'", "''") ~ "'") -%}
    {%- endfor -%}
    {#- Files of earlier versions of the observatory lack the columns that came later: those are null. -#}
    {%- set relation -%}
        (
            select
                cast(null as varchar) as evaluation_id,
                cast(null as varchar) as run_id,
                cast(null as timestamp) as evaluated_at,
                cast(null as date) as snapshot_date,
                cast(null as varchar) as step,
                cast(null as varchar) as table_name,
                cast(null as varchar) as check_name,
                cast(null as varchar) as severity,
                cast(null as boolean) as blocking,
                cast(null as boolean) as passed,
                cast(null as boolean) as crashed,
                cast(null as boolean) as accepted_event,
                cast(null as varchar) as accepted_because,
                cast(null as varchar) as owner,
                cast(null as varchar) as observed,
                cast(null as varchar) as threshold,
                cast(null as varchar) as basis,
                cast(null as varchar) as reason,
                cast(null as bigint) as evaluated_rows,
                cast(null as bigint) as failed_rows,
                cast(null as varchar) as offenders
            where false
            {% if quoted %}
            union all by name
            select *
            from read_parquet([{{ quoted | join(', ') }}], union_by_name = true, hive_partitioning = false)
            {% endif %}
        )
    {%- endset -%}
    {{ return(relation) }}
{% endmacro %}

{# The events of alerts, as the sensors wrote them, a JSON document a line. No file yet: no rows, with the same columns.
   A line that a crash has cut is left out, since a day must not be stopped by what was told of another. #}
{% macro landed_alerts() %}
    {%- set relation = source('quality', 'alerts') -%}
    {%- if not execute or is_fixture(relation) -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ return(adapter.dispatch('read_alerts')()) }}
{% endmacro %}

{% macro duckdb__read_alerts() %}
    {%- set file = env_var('OBSERVATORY_ALERTS', '../data/alerts.jsonl') | replace("'", "''") -%}
    {%- set columns = [
        'alert_id', 'event', 'incident', 'raised_at', 'severity', 'title', 'snapshot_date', 'step', 'table_name',
        'check_name', 'run_id', 'owner'
    ] -%}
    {%- if not any_file(file) -%}
        {{ return("(select cast(null as varchar) as " ~ columns | join(", cast(null as varchar) as ") ~ " where false)") }}
    {%- endif -%}
    {{ return(
        "read_json('" ~ file ~ "', format = 'newline_delimited', ignore_errors = true, columns = {"
        ~ columns | join(": 'varchar', ") ~ ": 'varchar'})"
    ) }}
{% endmacro %}

{# A Parquet file of the version that is published now, with which the version being made is compared. Nothing published
   yet, or a table that it has not: no rows. `no_rows` is then read instead. #}
{% macro published(table, no_rows) %}
    {%- set relation = source('published', 'published_' ~ table) -%}
    {%- if not execute or is_fixture(relation) -%}
        {{ return(relation) }}
    {%- endif -%}
    {{ return(adapter.dispatch('read_published')(table, no_rows)) }}
{% endmacro %}

{# `organizations_of_history` is dim_organizations as it was when all days were last loaded together; versions from
   before it was kept have the table alone. `manifest` tells which version it is, and of which code. #}
{% macro duckdb__read_published(table, no_rows) %}
    {%- set folder = env_var('OBSERVATORY_PUBLISHED', '../data/published') ~ '/current/' -%}
    {%- set places = {
        'manifest': ['manifest.json'],
        'organizations_of_history': ['history/dim_organizations.parquet', 'parquet/dim_organizations.parquet'],
    }.get(table, ['parquet/' ~ table ~ '.parquet']) -%}
    {%- for place in places if any_file(folder ~ place) -%}
        {%- set file = "'" ~ (folder ~ place) | replace("'", "''") ~ "'" -%}
        {%- if table == 'manifest' -%}
            {{ return("read_json(" ~ file ~ ", columns = {version: 'varchar', git_revision: 'varchar'})") }}
        {%- endif -%}
        {{ return("read_parquet(" ~ file ~ ", hive_partitioning = false)") }}
    {%- endfor -%}
    {{ return("(select " ~ no_rows ~ " where false)") }}
{% endmacro %}

{# Commit of the code that runs; unknown outside a repository. #}
{% macro code_revision() %}{{ return(env_var('OBSERVATORY_REVISION', 'unknown')) }}{% endmacro %}

{# Whether a relation is the fixture of a dbt unit test, which must be read instead of the files. #}
{% macro is_fixture(relation) %}
    {{ return((relation.identifier or '').startswith('__dbt__cte__')) }}
{% endmacro %}

{% macro any_file(glob) %}
    {%- set found = run_query("select count(*) from glob('" ~ glob | replace("'", "''") ~ "')") -%}
    {{ return(found.columns[0].values()[0] > 0) }}
{% endmacro %}

{# The run's own history is DuckDB's (dbt_project.yml, `quality`). #}
{% macro default__read_quality_results() %}{{ history_elsewhere() }}{% endmacro %}
{% macro default__read_alerts() %}{{ history_elsewhere() }}{% endmacro %}
{% macro default__read_published(table, no_rows) %}{{ history_elsewhere() }}{% endmacro %}

{% macro history_elsewhere() %}
    {{ exceptions.raise_compiler_error(
        model.name ~ ": found target " ~ target.type ~ ", expected duckdb; the quality marts are built where is published."
    ) }}
{% endmacro %}
