{# How a technique is recognised (definition 26), each rule once; the tags that they speak of are listed in
   stg_hub__models. Nothing here looks inside weights: a repository counts where it says so by a tag, its declared
   relation, its library or a part of its name, and may count in several. Names are in lower case and split at `-`, `_`
   and `.`. The tags are those that 6,000 real rows of the Hub's trending list carry often, and architectures that
   experts are always part of. 2026-11-24. #}

{# A part of the name is one of the given ones; parts are regular expressions that RE2 and Java share. #}
{% macro has_name_part(name, parts) -%}
    {{ matches(name, "'(^|[-_.])(" ~ parts ~ ")($|[-_.])'") }}
{%- endmacro %}

{# A tag says so, or a part of its name begins with distil: R1-Distill-…, distilbert-…. #}
{% macro is_distilled(is_tagged, name) -%}
    (coalesce({{ is_tagged }}, false) or {{ matches(name, "'(^|[-_.])distil'") }})
{%- endmacro %}

{# A tag names a quantised format, it is declared to be quantised, it is a GGUF repository, or its name names a format. #}
{% macro is_quantized(is_tagged, relation, library, name) -%}
    (
        coalesce({{ is_tagged }}, false)
        or coalesce({{ relation }} = 'quantized', false)
        or coalesce({{ library }} = 'gguf', false)
        or {{ has_name_part(
            name, 'gguf|gptq|awq|exl2|exl3|int4|int8|fp8|nf4|bnb|[2-8]bit|w4a16|w8a8'
        ) }}
    )
{%- endmacro %}

{# A tag says so or names an architecture that is always one, or the name has `moe`, experts (`8x7b`) or the active part
   (`a3b`). Where nothing says so it is not known, and does not count. #}
{% macro is_mixture_of_experts(is_tagged, name) -%}
    (
        coalesce({{ is_tagged }}, false)
        or {{ has_name_part(name, 'moe|[0-9]+x[0-9.]+b|a[0-9.]+b') }}
    )
{%- endmacro %}

{# Weights that are put beside a base model's. Declared as one, or stored by a library of adapters; a tag or a name says
   it only where no relation is declared, for whole models that were tuned with LoRA and merged back say `lora` too. #}
{% macro is_adapter(is_tagged, relation, library, name) -%}
    (
        coalesce({{ relation }} = 'adapter', false)
        or coalesce({{ library }} in ('peft', 'adapter-transformers'), false)
        or (
            {{ relation }} is null
            and (
                coalesce({{ is_tagged }}, false)
                or {{ has_name_part(name, 'lora|qlora|adapter|adapters') }}
            )
        )
    )
{%- endmacro %}

{# Made of the weights of several models. Declared as one, or a tag or the name names merging; `merged` does not: it
   mostly tells of an adapter that was merged into its base. #}
{% macro is_merge(is_tagged, relation, name) -%}
    (
        coalesce({{ relation }} = 'merge', false)
        or coalesce({{ is_tagged }}, false)
        or {{ has_name_part(name, 'merge|mergekit|slerp') }}
    )
{%- endmacro %}

{# The techniques as they are published, each with the column of int_models_attributed that tells it. #}
{% macro techniques() %}
    {{ return([
        {'technique': 'distilled', 'column': 'is_distilled'},
        {'technique': 'quantized', 'column': 'is_quantized'},
        {'technique': 'mixture_of_experts', 'column': 'is_moe'},
        {'technique': 'adapter', 'column': 'is_adapter'},
        {'technique': 'merge', 'column': 'is_merge'},
    ]) }}
{% endmacro %}
