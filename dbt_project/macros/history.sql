{# What the models of history share: how a repository's attribution is named, and how rows of downloads are found again. #}

{# The organisation that is named in sums: neither a person nor an account that nobody has located. #}
{% macro named_organization(attribution, relation='') -%}
    {%- set prefix = relation ~ '.' if relation else '' -%}
    case
        when
            not {{ prefix }}{{ attribution }}_is_person
            and {{ prefix }}{{ attribution }}_country_code <> 'XX'
            then {{ prefix }}{{ attribution }}_organization
    end
{%- endmacro %}

{# Condition: two relations with the columns of int_attributions_keyed tell the same attribution. #}
{% macro is_same_attribution(one, other) -%}
    {%- for attribution in attributions() %}
    {{ one }}.{{ attribution }}_country_code = {{ other }}.{{ attribution }}_country_code
    and coalesce({{ one }}.{{ attribution }}_organization, '')
    = coalesce({{ other }}.{{ attribution }}_organization, '')
    and {{ one }}.{{ attribution }}_account_type = {{ other }}.{{ attribution }}_account_type
    {{- "\n    and " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The metrics that are sums of daily downloads: their window, and whether only rows that were new on their day count. #}
{% macro window_metrics() %}
    {{ return([
        {'metric': 'new_rolling', 'window_days': 30, 'only_new': true},
        {'metric': 'new_rolling', 'window_days': 365, 'only_new': true},
        {'metric': 'window', 'window_days': 7, 'only_new': false},
        {'metric': 'window', 'window_days': 30, 'only_new': false},
        {'metric': 'window', 'window_days': 365, 'only_new': false},
    ]) }}
{% endmacro %}

{# What a table with strategy `replace` takes out before it writes, as entries of its meta `replaces`: rows whose key
   stands in a relation. `only` limits the rows that go, `listed` the entries of the relation that count. #}
{% macro rows_in(relation, key='snapshot_date', listed='true', only='true') %}
    {{ return({'relation': relation, 'key': key, 'listed': listed, 'only': only}) }}
{% endmacro %}

{# This run's days, for the metrics of one snapshot. #}
{% macro snapshot_metrics_of_run() %}
    {%- set names = snapshot_metrics() | map(attribute='metric') | join("', '") -%}
    {{ return(rows_in('int_days_of_run', listed='is_of_run', only="metric in ('" ~ names ~ "')")) }}
{% endmacro %}

{# The windows that this run restates, for the metrics that are sums of daily downloads. #}
{% macro windows_restated() %}
    {%- set names = window_metrics() | map(attribute='metric') | unique | join("', '") -%}
    {{ return(rows_in(
        'int_windows_restated', key='snapshot_date, window_days', only="metric in ('" ~ names ~ "')"
    )) }}
{% endmacro %}

{# Incremental strategy: rows leave by what was looked at, not by what was found, so that a day of which nothing is left
   loses its rows, too. The relations that are named must be read by the model, or stand in a depends_on comment. #}
{% macro get_incremental_replace_sql(arguments) %}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- for gone in config.get('meta')['replaces'] %}
    delete from {{ arguments['target_relation'] }}
    where
        {{ gone['only'] }}
        and ({{ gone['key'] }}) in (
            select {{ gone['key'] }}
            from {{ ref(gone['relation']) }}
            where {{ gone['listed'] }}
        );
    {%- endfor %}
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arguments['temp_relation'] }}
{% endmacro %}

{# Days after its release at which a repository's downloads are compared with its peers' (definition 27, ATOM's). #}
{% macro adoption_milestones() %}
    {{ return([7, 14, 30, 60, 90, 180, 365]) }}
{% endmacro %}

{# Sums of single repositories' daily downloads over the windows of a metric; ends in a condition that may go on. #}
{% macro downloads_in_windows(metric, windows, downloads) -%}
    select
        windows.snapshot_date,
        '{{ metric.metric }}' as metric,
        windows.window_days,
        downloads.repo_key,
        downloads.attribution_key,
        cast(sum(downloads.downloads) as bigint) as downloads
    from {{ windows }} as windows
    inner join {{ downloads }} as downloads
        on
            windows.first_date <= downloads.snapshot_date
            and windows.snapshot_date >= downloads.snapshot_date
    where
        windows.window_days = {{ metric.window_days }}
        {%- if metric.only_new %}
        and downloads.is_new
        {%- endif %}
{%- endmacro %}
