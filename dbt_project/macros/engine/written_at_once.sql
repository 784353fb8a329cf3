{# How dbt writes a table and its comments into DuckDB: in as few statements as will do. Each that dbt sends by itself costs
   it some milliseconds, and there are ninety tables a day. What a table holds is for the models to say. #}

{# A table is made beside the old one, which it may read, and takes its place in the same transaction, all in one statement;
   no index or foreign key is looked for, since no model has any. Incremental ones are dbt-duckdb's own. #}
{% materialization table, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set beside = make_intermediate_relation(target) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {{ create_table_as(False, beside, compiled_code) }}
        {%- if existing is not none %}
        drop {{ existing.type }} if exists {{ existing }} cascade;
        {%- endif %}
        alter table {{ beside }} rename to {{ adapter.quote(target.identifier) }};
    {%- endcall %}
    {% do persist_docs(target, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# A table's comment and its columns', sent together. A column that is described and does not exist is an error. #}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do comments.append(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() -%}
        {%- for name, column in model.columns.items() if column.description -%}
            {%- do comments.append(
                'comment on column ' ~ relation ~ '.' ~ adapter.quote(name)
                ~ ' is ' ~ duckdb_escape_comment(column.description) ~ ';'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if comments -%}
        {%- call statement('comments') -%}{{ comments | join('\n') }}{%- endcall -%}
    {%- endif -%}
{% endmacro %}
