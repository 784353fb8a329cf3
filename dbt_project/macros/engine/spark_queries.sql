{# How a query with named parts (CTEs) runs on Spark. Spark writes a part out anew wherever it is named, so that the plan of
   parts that build on each other grows without bound; and its `with recursive` knows neither `union` nor a sum inside a
   step, and stops at a hundred steps. So a part that would be worked out again and again is worked out once, and a
   recursion (recursion.sql) is run step by step until a step finds nothing. Both lie in tables beside the model's, named
   after it, until it is built. #}

{# The query with such parts replaced by tables: `query`, and `tables`, which `forget` drops. #}
{% macro with_parts_computed(compiled_code) %}
    {%- set parts, last = parts_of_query(compiled_code) -%}
    {%- set context, tables, weights = [], [], {} -%}
    {%- for name, body in parts -%}
        {%- set table = this.schema ~ '.' ~ this.identifier ~ '__part_' ~ name -%}
        {%- set after = parts[loop.index:] | map('last') | join(' ') ~ ' ' ~ last -%}
        {%- set weight = namespace(of=1) -%}
        {%- for named in modules.re.findall('\\b(?:from|join)\\s+(\\w+)', body) -%}
            {%- set weight.of = weight.of + weights.get(named, 1) -%}
        {%- endfor -%}
        {%- set more_times = modules.re.findall('\\b(?:from|join)\\s+' ~ name ~ '\\b', after) | length - 1 -%}
        {%- if ' begins */' in body -%}
            {%- do tables.extend(recursion_run(name, body, context, table)) -%}
            {%- do context.append(name ~ ' as (select * from ' ~ table ~ ')') -%}
            {%- set weight.of = 1 -%}
        {#- six scans, joins or sums saved are worth a table: below that a job of its own costs more. 2026-11-29 -#}
        {%- elif more_times * weight.of >= 6 -%}
            {%- do keep_as(table, with_context(context + [name ~ ' as (' ~ body ~ ')']) ~ 'select * from ' ~ name) -%}
            {%- do tables.append(table) -%}
            {%- do context.append(name ~ ' as (select * from ' ~ table ~ ')') -%}
            {%- set weight.of = 1 -%}
        {%- else -%}
            {%- do context.append(name ~ ' as (' ~ body ~ ')') -%}
        {%- endif -%}
        {%- do weights.update({name: weight.of}) -%}
    {%- endfor -%}
    {{ return({'query': with_context(context) ~ last, 'tables': tables}) }}
{% endmacro %}

{% macro forget(tables) %}
    {%- for table in tables -%}{%- do run_query('drop table if exists ' ~ table) -%}{%- endfor -%}
{% endmacro %}

{% macro with_context(context) -%}
    {{ return('with ' ~ context | join(', ') ~ ' ' if context else '') }}
{%- endmacro %}

{# A table, for whoever reads a view has its whole query planned again. #}
{% macro keep_as(table, query) %}
    {%- do run_query('drop table if exists ' ~ table) -%}
    {%- do run_query('create table ' ~ table ~ ' using parquet as ' ~ query) -%}
{% endmacro %}

{# A query without its comments, as the (name, body) of its parts, first to last, and the query that ends it. #}
{% macro parts_of_query(compiled_code) %}
    {%- set comments = "('[^']*')|--[^\\n]*|/\\*(?! recursion )(?s:.*?)\\*/" -%}
    {%- set code = modules.re.sub(comments, '\\1', compiled_code) -%}
    {%- set opening = modules.re.match('\\s*with\\s+(recursive\\s+)?', code) -%}
    {%- set parts = [] -%}
    {%- set at = namespace(place=opening.end() if opening else 0, on=opening is not none) -%}
    {%- for _ in range(200) if at.on -%}
        {%- set head = modules.re.compile('\\s*(\\w+)\\s+as\\s+\\(').match(code, at.place) -%}
        {%- set end = closing_bracket(code, head.end()) -%}
        {%- do parts.append((head.group(1), code[head.end():end])) -%}
        {%- set comma = modules.re.compile('\\s*,').match(code, end + 1) -%}
        {%- set at.place = comma.end() if comma else end + 1 -%}
        {%- set at.on = comma is not none -%}
    {%- endfor -%}
    {{ return((parts, code[at.place:])) }}
{% endmacro %}

{% macro closing_bracket(code, start) %}
    {%- set open = namespace(brackets=1) -%}
    {%- for token in modules.re.compile("'[^']*'|\\(|\\)").finditer(code, start) -%}
        {%- set open.brackets = open.brackets + {'(': 1, ')': -1}.get(token.group(), 0) -%}
        {%- if open.brackets == 0 -%}{{ return(token.start()) }}{%- endif -%}
    {%- endfor -%}
{% endmacro %}

{# Runs a recursion into a table; gives the tables that it made. A step sees the rows of the step before it under the
   recursion's name, as SQL has it; by `union` a row that was found isn't found again. Raises after a thousand steps,
   which no lineage has. 2026-11-29. #}
{% macro recursion_run(name, body, context, found) %}
    {%- set base, step = body.split(' begins */', 1)[1].split('/* recursion repeats by ', 1) -%}
    {%- set union, step = step.split(' */', 1) -%}
    {%- set step = step.split('/* recursion ', 1)[0] -%}
    {%- set distinct = 'distinct ' if union == 'union' else '' -%}
    {%- do keep_as(
        found, with_context(context + [name ~ ' as (' ~ base ~ ')']) ~ 'select ' ~ distinct ~ '* from ' ~ name
    ) -%}
    {%- set columns = run_query('select * from ' ~ found ~ ' limit 0').column_names | join(', ') -%}
    {%- set steps = [found ~ '_0', found ~ '_1'] -%}
    {%- set last = namespace(table=found, has_rows=true) -%}
    {%- for number in range(1000) if last.has_rows -%}
        {%- set next = steps[number % 2] -%}
        {%- do keep_as(next, with_context(context + [
            name ~ ' as (select * from ' ~ last.table ~ ')', 'one_step_on (' ~ columns ~ ') as (' ~ step ~ ')'
        ]) ~ 'select ' ~ distinct ~ '* from one_step_on' ~ (' except select * from ' ~ found if distinct else '')) -%}
        {%- set last.table = next -%}
        {%- set last.has_rows = run_query('select count(*) from ' ~ next).columns[0].values()[0] | int > 0 -%}
        {%- if last.has_rows -%}{%- do run_query('insert into ' ~ found ~ ' select * from ' ~ next) -%}{%- endif -%}
    {%- endfor -%}
    {%- if last.has_rows -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ ": found a recursion of more than 1,000 steps in " ~ name
            ~ ", expected it to end; look for a cycle that its step doesn't leave."
        ) }}
    {%- endif -%}
    {{ return([found] + steps) }}
{% endmacro %}
