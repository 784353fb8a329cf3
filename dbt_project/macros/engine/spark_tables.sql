{# How models become tables on Spark. A table is written beside its predecessor, which its query may read, and takes its
   name when it is whole. What is incremental goes by the same configuration as on DuckDB (`delete+insert` with a
   unique_key, `replace` with meta `replaces`): a table whose rows are replaced by their snapshot_date is partitioned by
   it, and only the partitions of changed days are overwritten; any other one, a row a repository or a pair, is written
   anew. #}

{% materialization table, adapter='spark' %}
    {{ run_hooks(pre_hooks) }}
    {%- set computed = with_parts_computed(compiled_code) -%}
    {%- set made = table_made_beside(computed['query']) -%}
    {%- do take_the_place_of(made, this.incorporate(type='table')) -%}
    {%- do forget(computed['tables']) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{% materialization incremental, adapter='spark' %}
    {{ run_hooks(pre_hooks) }}
    {%- set target_table = this.incorporate(type='table') -%}
    {%- set computed = with_parts_computed(compiled_code) -%}
    {%- set query = computed['query'] -%}
    {%- if load_relation(this) is none or should_full_refresh() -%}
        {%- do adapter.drop_relation(target_table) -%}
        {%- do create_on_spark(target_table, query, partition_columns_on_spark()) -%}
    {%- else -%}
        {%- set made = table_made_beside(query) -%}
        {%- do assert_same_columns(made, target_table) -%}
        {%- if partition_columns_on_spark() -%}
            {%- do overwrite_days(made, target_table) -%}
            {%- do adapter.drop_relation(made) -%}
        {%- else -%}
            {%- do write_anew(made, target_table) -%}
        {%- endif -%}
    {%- endif -%}
    {%- do forget(computed['tables']) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_table]}) }}
{% endmaterialization %}

{# The contract is checked on what was written: dbt's own way plans the query twice more, and a Parquet table enforces
   nothing. #}
{% macro create_on_spark(relation, query, partition_columns, statement_name='main') %}
    {%- call statement(statement_name) -%}
        create table {{ relation }}
        using {{ config.get('file_format', 'parquet') }}
        {%- if partition_columns %}
        partitioned by ({{ partition_columns | join(', ') }})
        {%- endif %}
        {%- if config.persist_relation_docs() and model.description %}
        comment '{{ on_spark_as_text(model.description) }}'
        {%- endif %}
        as
        {{ query }}
    {%- endcall -%}
    {%- if config.get('contract').enforced -%}
        {%- do assert_contract_kept(relation) -%}
        {%- do assert_no_nulls(relation) -%}
    {%- endif -%}
{% endmacro %}

{% macro assert_contract_kept(relation) %}
    {%- set found, expected = [], [] -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
        {%- do found.append(column.name ~ ' ' ~ column.dtype) -%}
    {%- endfor -%}
    {%- for column in model.columns.values() -%}
        {%- do expected.append(column.name ~ ' ' ~ on_spark_as_type(column.data_type)) -%}
    {%- endfor -%}
    {%- if found | sort != expected | sort -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ ": found columns " ~ found | reject('in', expected) | join(', ')
            ~ ", expected by its contract " ~ expected | reject('in', found) | join(', ') ~ "; change the query or the YAML."
        ) }}
    {%- endif -%}
{% endmacro %}

{% macro assert_no_nulls(relation) %}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
            {%- do columns.append(column.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if columns -%}
        {%- set counted = run_query(
            'select count_if(' ~ columns | join(' is null), count_if(') ~ ' is null) from ' ~ relation
        ) -%}
        {%- for column in columns -%}
            {%- set nulls = counted.columns[loop.index0].values()[0] | int -%}
            {%- if nulls -%}
                {{ exceptions.raise_compiler_error(
                    "NOT NULL constraint failed: " ~ model.name ~ "." ~ column ~ " is null in " ~ nulls ~ " rows."
                ) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro table_made_beside(query) %}
    {%- set made = api.Relation.create(schema=schema, identifier=this.identifier ~ '__dbt_new', type='table') -%}
    {%- do adapter.drop_relation(made) -%}
    {%- do create_on_spark(made, query, []) -%}
    {{ return(made) }}
{% endmacro %}

{% macro take_the_place_of(made, target_table) %}
    {%- do adapter.drop_relation(target_table) -%}
    {%- do adapter.rename_relation(made, target_table) -%}
{% endmacro %}

{% macro assert_same_columns(made, target_table) %}
    {%- set new = adapter.get_columns_in_relation(made) | map(attribute='name') | sort -%}
    {%- set old = adapter.get_columns_in_relation(target_table) | map(attribute='name') | sort -%}
    {%- if new != old -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ ": found columns " ~ new | join(', ') ~ ", expected those of the table, " ~ old | join(', ')
            ~ "; load all days anew with --full-refresh."
        ) }}
    {%- endif -%}
{% endmacro %}

{# `snapshot_date`, if that is what tells which rows are replaced. #}
{% macro partition_columns_on_spark() %}
    {%- set keys = config.get('meta', {}).get('replaces', []) | map(attribute='key') | list
        if config.get('incremental_strategy') == 'replace' else [config.get('unique_key')] -%}
    {%- for key in keys if key is not string or 'snapshot_date' not in key.split(', ') -%}
        {{ return([]) }}
    {%- endfor -%}
    {{ return(['snapshot_date']) }}
{% endmacro %}

{# Condition on a stored row: this run takes it out. `made` holds what the run writes. #}
{% macro is_taken_out(made) -%}
    {%- if config.get('incremental_strategy') == 'replace' -%}
        {%- for gone in config.get('meta')['replaces'] -%}
        (
            {{ gone['only'] }}
            and ({{ gone['key'] }}) in (
                select {{ gone['key'] }} from {{ ref(gone['relation']) }} where {{ gone['listed'] }}
            )
        )
        {{- ' or ' if not loop.last }}
        {%- endfor -%}
    {%- else -%}
        {%- set key = config.get('unique_key') -%}
        {%- set columns = key if key is string else key | join(', ') -%}
        ({{ columns }}) in (select {{ columns }} from {{ made }})
    {%- endif -%}
{%- endmacro %}

{# Days that have rows to write or to lose are written anew, with those of their rows that stay; a day of which nothing
   is left loses its partition. #}
{% macro overwrite_days(made, target_table) %}
    {%- set columns = adapter.get_columns_in_relation(target_table) | map(attribute='name') | join(', ') -%}
    {%- set stored = run_query(
        "select cast(snapshot_date as string), count_if(not taken_out) from ("
        ~ "select snapshot_date, " ~ is_taken_out(made) ~ " as taken_out from " ~ target_table ~ ") as judged "
        ~ "group by 1 having count_if(taken_out) > 0"
    ) -%}
    {%- set kept = {} -%}
    {%- for row in stored -%}{%- do kept.update({row[0]: row[1] | int}) -%}{%- endfor -%}
    {%- set written = run_query('select distinct cast(snapshot_date as string) from ' ~ made).columns[0].values() -%}
    {%- set days = (kept.keys() | list + written | list) | unique | sort -%}
    {%- if days -%}
        {%- set of_days = "snapshot_date in (date '" ~ days | join("', date '") ~ "')" -%}
        {%- call statement('overwrite') -%}
            insert overwrite table {{ target_table }} partition (snapshot_date)
            select {{ columns }} from {{ made }}
            union all
            select {{ columns }} from {{ target_table }}
            where {{ of_days }} and not ({{ is_taken_out(made) }})
        {%- endcall -%}
    {%- endif -%}
    {%- for day in days if day not in written and kept[day] == 0 -%}
        {%- do run_query(
            "alter table " ~ target_table ~ " drop if exists partition (snapshot_date = date '" ~ day ~ "')"
        ) -%}
    {%- endfor -%}
{% endmacro %}

{# For tables that are no days': what stays and what is new, written beside the table. #}
{% macro write_anew(made, target_table) %}
    {%- set columns = adapter.get_columns_in_relation(target_table) | map(attribute='name') | join(', ') -%}
    {%- set whole = api.Relation.create(schema=schema, identifier=this.identifier ~ '__dbt_whole', type='table') -%}
    {%- do adapter.drop_relation(whole) -%}
    {%- call statement('write_anew') -%}
        create table {{ whole }} using {{ config.get('file_format', 'parquet') }} as
        select {{ columns }} from {{ made }}
        union all
        select {{ columns }} from {{ target_table }}
        where not ({{ is_taken_out(made) }})
    {%- endcall -%}
    {%- do adapter.drop_relation(made) -%}
    {%- do take_the_place_of(whole, target_table) -%}
{% endmacro %}

{# Types as YAML names them, in Spark's names. #}
{% macro on_spark_as_type(name) -%}
    {{ return({'varchar': 'string', 'integer': 'int'}.get(name, name)) }}
{%- endmacro %}
