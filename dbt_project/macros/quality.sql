{# What a promise counts in the score, by what it does when it is broken; `orchestration/quality/score.py` has the
   formula in words. #}
{% macro promise_weight(severity) -%}
    case {{ severity }}
        when 'blocks' then {{ var('promise_weight_blocks') }}
        when 'investigate' then {{ var('promise_weight_investigate') }}
        when 'watch' then {{ var('promise_weight_watch') }}
    end
{%- endmacro %}
