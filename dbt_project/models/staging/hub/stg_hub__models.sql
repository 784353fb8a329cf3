{{ config(materialized=view_of_files()) }}

with

landed as (

    select
        *,
        {{ text_of_list('tags') }} as tags_text
    from {{ landed('models') }}

),

renamed as (

    select
        -- keys
        snapshot_date,
        _id as repo_id,
        id as model_id,
        {{ namespace_of('author', 'id') }} as namespace,

        -- timestamps
        cast(createdAt as timestamp) as created_at,
        cast(lastModified as timestamp) as last_modified_at,
        {{ is_created_at_floor('cast(createdAt as timestamp)') }}
            as is_created_at_floor,

        -- counters
        downloads as downloads_30d,
        downloadsAllTime as downloads_all_time,
        likes,
        trendingScore as trending_score,

        -- attributes
        gated,
        disabled as is_disabled,
        private as is_private,
        pipeline_tag,
        library_name,
        safetensors_total as parameters,
        {{ text_has_prefix('tags_text', 'dataset:') }} as declares_training_data,
        {{ text_has_any('tags_text', [
            'gguf', 'gptq', 'awq', 'exl2', 'exl3', 'bitsandbytes',
            'compressed-tensors', '2-bit', '3-bit', '4-bit', '5-bit',
            '6-bit', '8-bit', 'int4', 'int8', 'fp8', 'quantized',
        ]) }} as is_tagged_quantized,
        {{ text_has_any('tags_text', [
            'distillation', 'distilled', 'knowledge-distillation',
        ]) }} as is_tagged_distilled,
        {{ text_has_any('tags_text', [
            'moe', 'mixture-of-experts', 'mixtral', 'qwen2_moe', 'qwen3_moe',
            'deepseek_v2', 'deepseek_v3', 'gpt_oss', 'glm4_moe', 'llama4',
            'olmoe', 'phimoe', 'granitemoe', 'dbrx', 'grok-1',
            'qwen3_5_moe', 'qwen3_next', 'qwen3_vl_moe', 'qwen3_omni_moe',
            'deepseek_v32', 'glm_moe_dsa', 'kimi_k2', 'kimi_k25', 'minimax_m2',
            'ernie4_5_moe', 'hunyuan_v1_moe', 'lfm2_moe',
        ]) }} as is_tagged_moe,
        {{ text_has_any('tags_text', [
            'lora', 'qlora', 'peft',
        ]) }} as is_tagged_adapter,
        {{ text_has_any('tags_text', [
            'merge', 'mergekit', 'lazymergekit', 'frankenmerge',
            'evolutionary-merge',
        ]) }} as is_tagged_merge,

        -- provenance
        {{ list_length('cast_errors') }} as cast_error_count,
        source,
        source_revision,
        cast(captured_at as timestamp) as captured_at
    from landed

),

public as (

    -- a token that sees private repositories must not bring them in
    select * from renamed where not coalesce(is_private, false)

)

select * from public
