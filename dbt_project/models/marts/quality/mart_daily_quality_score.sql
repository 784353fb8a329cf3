with

results as (

    select * from {{ ref('fct_quality_results') }}

),

-- a day may be judged again: what counts is how each promise came out last
numbered as (

    select
        *,
        row_number() over (
            partition by snapshot_date, step, table_name, check_name
            order by evaluated_at desc, evaluation_id desc
        ) as place
    from results
    where snapshot_date is not null

),

weighed as (

    select
        *,
        passed and not crashed as is_kept,
        {{ promise_weight('severity') }} as weight
    from numbered
    where place = 1

),

summed as (

    select
        snapshot_date,
        step,
        cast(count(*) as integer) as promises,
        cast(count(case when is_kept then 1 end) as integer) as kept,
        cast(
            count(case when is_kept and accepted_event then 1 end) as integer
        ) as accepted,
        {%- for severity in ['blocks', 'investigate', 'watch'] %}
        cast(
            count(
                case when not is_kept and severity = '{{ severity }}' then 1 end
            ) as integer
        ) as broken_{{ severity }},
        {%- endfor %}
        cast(count(case when crashed then 1 end) as integer) as crashed,
        cast(
            sum(case when is_kept then weight else 0 end) as integer
        ) as kept_weight,
        cast(sum(weight) as integer) as judged_weight,
        max(evaluated_at) as evaluated_at
    from weighed
    group by snapshot_date, step

),

final as (

    select
        snapshot_date,
        step,
        -- rounded down, so that nothing that is broken rounds to 100
        floor(cast(1000 * kept_weight as double) / judged_weight) / 10 as score,
        promises,
        kept,
        accepted,
        broken_blocks,
        broken_investigate,
        broken_watch,
        crashed,
        kept_weight,
        judged_weight,
        evaluated_at
    from summed

)

select * from final
