{# What the version being made says otherwise than the one that is published now, and why. What earlier versions
   restated is read from that one too, so that it outlives the warehouse. #}
{%- set run_dates = snapshot_dates() -%}
{%- set revision = code_revision() -%}
{%- set windows = window_metrics() | map(attribute='metric') | unique | join("', '") -%}
{%- set told = var('restatement_names_told') -%}
{%- set always = "cast('1900-01-01' as date)" -%}
{%- set text = dbt.type_string() -%}

with

snapshots as (

    select
        snapshot_date,
        status,
        platform_event,
        captured_at,
        source_revision
    from {{ ref('dim_snapshots') }}

),

published_snapshots as (

    select
        snapshot_date,
        status,
        platform_event,
        captured_at,
        source_revision
    from {{ published(
        'dim_snapshots', '* from ' ~ ref('dim_snapshots')
    ) }}

),

organizations as (

    select * from {{ ref('dim_organizations') }}

),

-- as they were when all days were last loaded together
organizations_of_history as (

    select
        namespace,
        valid_from,
        valid_to,
        organization,
        parent_organization,
        country_code
    from {{ published(
        'organizations_of_history', '* from ' ~ ref('dim_organizations')
    ) }}
    where is_seeded

),

seeded as (

    select
        lower(namespace) as namespace_key,
        cast(valid_from as date) as valid_from,
        cast(valid_to as date) as valid_to,
        organization,
        parent_organization,
        country_code
    from {{ ref('organizations') }}

),

published_version as (

    select
        version,
        git_revision
    from {{ published(
        'manifest',
        'cast(null as ' ~ text ~ ') as version, '
        ~ 'cast(null as ' ~ text ~ ') as git_revision',
    ) }}

),

-- named as the run names it: its last day, and the beginning of its id
last_day as (

    select max(snapshot_date) as snapshot_date
    from snapshots
    where
        status = 'complete'
        and {{ in_snapshot_dates() }}

),

version_made as (

    select
        cast(last_day.snapshot_date as {{ text }})
        || '-{{ var("run_id", "")[:8] }}' as version,
        published_version.git_revision as published_revision
    from last_day
    cross join published_version

),

-- a run that is tried again after it published has told it already
compared_with as (

    select version_made.*
    from version_made
    inner join published_version
        on version_made.version <> published_version.version

),

days_of_both as (

    select snapshots.snapshot_date
    from snapshots
    inner join published_snapshots
        on snapshots.snapshot_date = published_snapshots.snapshot_date
    cross join compared_with
    where
        snapshots.status = 'complete'
        and published_snapshots.status = 'complete'

),

{% for version in ['made', 'published'] -%}
shares_{{ version }} as (

    select
        shares.snapshot_date,
        shares.metric,
        shares.window_days,
        shares.attribution,
        shares.denominator,
        shares.country_code,
        shares.share,
        -- the four codes that are no country have no rank, and are always told
        coalesce(shares.rank, 0) as rank
    from {{
        ref('mart_daily_country_share') if version == 'made'
        else published(
            'mart_daily_country_share', '* from ' ~ ref('mart_daily_country_share')
        )
    }} as shares
    inner join days_of_both
        on shares.snapshot_date = days_of_both.snapshot_date

),

claims_{{ version }} as (

    select
        claims.snapshot_date,
        claims.claim_id,
        claims.part,
        claims.value
    from {{
        ref('mart_headline_claims') if version == 'made'
        else published(
            'mart_headline_claims', '* from ' ~ ref('mart_headline_claims')
        )
    }} as claims
    inner join days_of_both
        on claims.snapshot_date = days_of_both.snapshot_date

),

{% endfor -%}
shares_compared as (

    select
        coalesce(made.snapshot_date, published.snapshot_date) as snapshot_date,
        coalesce(made.metric, published.metric) as metric,
        coalesce(made.window_days, published.window_days) as window_days,
        coalesce(made.attribution, published.attribution) as attribution,
        coalesce(made.denominator, published.denominator) as denominator,
        coalesce(made.country_code, published.country_code) as country_code,
        published.share as old_value,
        made.share as new_value
    from shares_made as made
    full outer join shares_published as published
        on
            made.snapshot_date = published.snapshot_date
            and made.metric = published.metric
            and made.window_days = published.window_days
            and made.attribution = published.attribution
            and made.denominator = published.denominator
            and made.country_code = published.country_code
    where
        made.rank <= {{ var('restatement_top_countries') }}
        or published.rank <= {{ var('restatement_top_countries') }}

),

claims_compared as (

    select
        coalesce(made.snapshot_date, published.snapshot_date) as snapshot_date,
        coalesce(made.claim_id, published.claim_id) as claim_id,
        coalesce(made.part, published.part) as part,
        published.value as old_value,
        made.value as new_value
    from claims_made as made
    full outer join claims_published as published
        on
            made.snapshot_date = published.snapshot_date
            and made.claim_id = published.claim_id
            and made.part = published.part

),

-- first_date: since when a day can have changed the value. Differences to the
-- day before a window are in it; claims are answered anew from all days there are
compared as (

    select
        'mart_daily_country_share' as table_name,
        'metric=' || metric
        || ' window_days=' || cast(window_days as {{ text }})
        || ' attribution=' || attribution
        || ' denominator=' || denominator
        || ' country_code=' || country_code
        || ' snapshot_date=' || cast(snapshot_date as {{ text }}) as row_key,
        snapshot_date,
        cast(
            case
                when metric in ('{{ windows }}')
                    then {{ dbt.dateadd('day', '-window_days', 'snapshot_date') }}
                else snapshot_date
            end as date
        ) as first_date,
        country_code,
        old_value,
        new_value
    from shares_compared
    union all
    select
        'mart_headline_claims' as table_name,
        'claim_id=' || cast(claim_id as {{ text }})
        || ' part=' || part
        || ' snapshot_date=' || cast(snapshot_date as {{ text }}) as row_key,
        snapshot_date,
        {{ always }} as first_date,
        '(any)' as country_code,
        old_value,
        new_value
    from claims_compared

),

judged as (

    select
        *,
        round(abs(new_value - old_value), 12) as move,
        coalesce(
            round(abs(new_value - old_value), 12)
            >= {{ var('restatement_minimum_move') }},
            old_value is not null or new_value is not null
        ) as is_moved
    from compared

),

moved as (

    select * from judged where is_moved

),

by_day as (

    select
        snapshot_date,
        min(case when is_moved then first_date end) as first_date,
        cast(count(*) as bigint) as values_compared,
        cast(sum(case when is_moved then 1 else 0 end) as bigint)
            as values_moved,
        max(case when is_moved then move end) as largest_move
    from judged
    group by snapshot_date

),

-- whatever changed from its first date on can be why
windows as (

    select
        first_date,
        snapshot_date,
        country_code
    from moved
    union
    select
        first_date,
        snapshot_date,
        '(any)' as country_code
    from by_day
    where values_moved > 0

),

spans as (

    select distinct
        first_date,
        snapshot_date,
        case
            when first_date = {{ always }} then cast('9999-12-31' as date)
            else snapshot_date
        end as last_date
    from windows

),

-- organisations: what the seed says now, against what history was loaded with
boundaries as (

    select
        lower(namespace) as namespace_key,
        namespace,
        valid_from as boundary_date
    from organizations
    where is_seeded
    union all
    select
        lower(namespace) as namespace_key,
        namespace,
        valid_to as boundary_date
    from organizations
    where is_seeded and valid_to is not null
    union all
    select
        lower(namespace) as namespace_key,
        namespace,
        valid_from as boundary_date
    from organizations_of_history
    union all
    select
        lower(namespace) as namespace_key,
        namespace,
        valid_to as boundary_date
    from organizations_of_history
    where valid_to is not null

),

stretches as (

    select
        namespace_key,
        min(namespace) as namespace,
        boundary_date as valid_from,
        lead(boundary_date) over (
            partition by namespace_key
            order by boundary_date
        ) as valid_to
    from boundaries
    group by namespace_key, boundary_date

),

shown as (

    select distinct lower(namespace) as namespace_key
    from organizations
    where is_seeded

),

reread as (

    select
        stretches.namespace_key,
        stretches.valid_from,
        stretches.valid_to,
        -- the seed has rows for persons, whom no table names
        case
            when shown.namespace_key is null and seeded.namespace_key is not null
                then 'an account of a person'
            else stretches.namespace
        end as name_told,
        coalesce(history.country_code, 'none') as country_before,
        coalesce(seeded.country_code, 'none') as country_now,
        history.organization as organization_before,
        seeded.organization as organization_now,
        coalesce(history.parent_organization, history.organization)
            as parent_before,
        coalesce(seeded.parent_organization, seeded.organization)
            as parent_now
    from stretches
    cross join compared_with
    left join organizations_of_history as history
        on
            stretches.namespace_key = lower(history.namespace)
            and stretches.valid_from >= history.valid_from
            and (
                history.valid_to is null
                or stretches.valid_from < history.valid_to
            )
    left join seeded
        on
            stretches.namespace_key = seeded.namespace_key
            and stretches.valid_from >= seeded.valid_from
            and (
                seeded.valid_to is null
                or stretches.valid_from < seeded.valid_to
            )
    left join shown
        on stretches.namespace_key = shown.namespace_key

),

changes as (

    select
        *,
        case
            when country_before <> country_now
                then country_before || ' → ' || country_now
            when organization_before <> organization_now
                then organization_before || ' → ' || organization_now
            when parent_before <> parent_now
                then 'of ' || parent_before || ' → of ' || parent_now
        end as change_told
    from reread

),

-- those with most downloads are named first
sizes as (

    select
        lower(namespace) as namespace_key,
        sum(downloads_all_time) as downloads
    from {{ ref('dim_models') }}
    group by lower(namespace)

),

organizations_changed as (

    select
        changes.*,
        coalesce(sizes.downloads, 0) as downloads
    from changes
    left join sizes
        on changes.namespace_key = sizes.namespace_key
    where changes.change_told is not null

),

-- days: what became of each since
last_published_day as (

    select max(snapshot_date) as snapshot_date
    from published_snapshots
    where status = 'complete'

),

days_changed as (

    select
        coalesce(snapshots.snapshot_date, published_snapshots.snapshot_date)
            as changed_date,
        case
            when
                snapshots.status = 'complete'
                and coalesce(published_snapshots.status, '') <> 'complete'
                and snapshots.snapshot_date > last_published_day.snapshot_date
                then 'new'
            when
                snapshots.status = 'complete'
                and coalesce(published_snapshots.status, '') <> 'complete'
                then 'late'
            when
                coalesce(snapshots.status, '') <> 'complete'
                and published_snapshots.status = 'complete'
                then 'gone'
            when
                snapshots.status = 'complete'
                and (
                    snapshots.captured_at
                    is distinct from published_snapshots.captured_at
                    or snapshots.source_revision
                    is distinct from published_snapshots.source_revision
                )
                then 'again'
        end as change,
        coalesce(
            snapshots.status = 'complete'
            and published_snapshots.status = 'complete'
            and snapshots.platform_event <> published_snapshots.platform_event,
            false
        ) as is_event_changed
    from snapshots
    full outer join published_snapshots
        on snapshots.snapshot_date = published_snapshots.snapshot_date
    cross join last_published_day

),

-- what was downloaded while counters stood still shows on the day on which they
-- moved again, and is spread back
standstills as (

    select
        stalled.snapshot_date as stalled_date,
        min(following.snapshot_date) as moving_date
    from snapshots as stalled
    inner join snapshots as following
        on stalled.snapshot_date < following.snapshot_date
    where
        stalled.platform_event = 'stalled'
        and following.status = 'complete'
        and following.platform_event <> 'stalled'
    group by stalled.snapshot_date

),

reasons as (

    select distinct
        spans.first_date,
        spans.snapshot_date,
        countries.country_code,
        1 as place,
        'attribution: ' as words,
        changed.name_told || ' (' || changed.change_told || ')' as item,
        changed.downloads as weight
    from spans
    inner join organizations_changed as changed
        on
            spans.last_date >= changed.valid_from
            and (
                changed.valid_to is null
                or spans.first_date < changed.valid_to
            )
    cross join (
        select distinct country_code
        from windows
    ) as countries
    where countries.country_code in (
        '(any)', changed.country_before, changed.country_now
    )
    union all
    -- held against no window, but against the days that this run did not load
    select distinct
        {{ always }} as first_date,
        {{ always }} as snapshot_date,
        '(history)' as country_code,
        1 as place,
        'attribution: ' as words,
        changed.name_told || ' (' || changed.change_told || ')' as item,
        changed.downloads as weight
    from organizations_changed as changed
    inner join snapshots
        on
            snapshots.status = 'complete'
            and snapshots.snapshot_date >= changed.valid_from
            and (
                changed.valid_to is null
                or snapshots.snapshot_date < changed.valid_to
            )
    where not {{ in_snapshot_dates('snapshots.snapshot_date') }}
    {% for change, place, words in [
        ('late', 2, 'late day '),
        ('again', 3, 'day loaded again '),
        ('gone', 4, 'day gone '),
        ('new', 8, 'new day '),
    ] -%}
    union all
    select
        spans.first_date,
        spans.snapshot_date,
        '(any)' as country_code,
        {{ place }} as place,
        '{{ words }}' as words,
        cast(days_changed.changed_date as {{ text }}) as item,
        0 as weight
    from spans
    inner join days_changed
        on
            spans.first_date <= days_changed.changed_date
            and spans.last_date >= days_changed.changed_date
    where days_changed.change = '{{ change }}'
    {% endfor -%}
    union all
    select distinct
        spans.first_date,
        spans.snapshot_date,
        '(any)' as country_code,
        5 as place,
        'counters stood still until ' as words,
        cast(standstills.moving_date as {{ text }}) as item,
        0 as weight
    from spans
    inner join standstills
        on
            spans.first_date <= standstills.stalled_date
            and spans.snapshot_date >= standstills.stalled_date
            and spans.snapshot_date < standstills.moving_date
    inner join days_changed
        on standstills.moving_date = days_changed.changed_date
    where days_changed.change in ('late', 'new')
    union all
    select
        spans.first_date,
        spans.snapshot_date,
        '(any)' as country_code,
        6 as place,
        'recount ' as words,
        cast(days_changed.changed_date as {{ text }}) as item,
        0 as weight
    from spans
    inner join days_changed
        on
            spans.first_date <= days_changed.changed_date
            and spans.last_date >= days_changed.changed_date
    where days_changed.is_event_changed
    union all
    select
        spans.first_date,
        spans.snapshot_date,
        '(any)' as country_code,
        7 as place,
        'code ' as words,
        compared_with.published_revision || ' → {{ revision }}' as item,
        0 as weight
    from spans
    cross join compared_with
    where
        compared_with.published_revision <> '{{ revision }}'
        and compared_with.published_revision <> 'unknown'
        and '{{ revision }}' <> 'unknown'

),

reasons_ordered as (

    select
        *,
        row_number() over (
            partition by first_date, snapshot_date, country_code, place
            order by weight desc, item
        ) as position,
        count(*) over (
            partition by first_date, snapshot_date, country_code, place
        ) as items
    from reasons

),

reasons_told as (

    select
        first_date,
        snapshot_date,
        country_code,
        place,
        max(words)
        || {{ dbt.listagg(
            'case when position <= ' ~ told ~ ' then item end',
            "', '",
            'order by position',
        ) }}
        || case
            when max(items) > {{ told }}
                then ' and '
                || cast(max(items) - {{ told }} as {{ text }}) || ' more'
            else ''
        end as reason
    from reasons_ordered
    group by first_date, snapshot_date, country_code, place

),

-- of organisations those that came from or went to the row's country, if any
windows_explained as (

    select
        windows.first_date,
        windows.snapshot_date,
        windows.country_code,
        coalesce(
            {{ dbt.listagg(
                'reasons_told.reason', "'; '", 'order by reasons_told.place'
            ) }},
            'not known'
        ) as cause
    from windows
    left join reasons_told as of_country
        on
            windows.first_date = of_country.first_date
            and windows.snapshot_date = of_country.snapshot_date
            and windows.country_code = of_country.country_code
            and of_country.place = 1
    left join reasons_told
        on
            windows.first_date = reasons_told.first_date
            and windows.snapshot_date = reasons_told.snapshot_date
            and reasons_told.country_code = case
                when reasons_told.place = 1
                    then coalesce(of_country.country_code, '(any)')
                else '(any)'
            end
    group by
        windows.first_date, windows.snapshot_date, windows.country_code

),

told as (

    select
        moved.table_name,
        moved.row_key,
        moved.snapshot_date,
        moved.old_value,
        moved.new_value,
        explained.cause,
        cast(null as bigint) as values_compared,
        cast(null as bigint) as values_moved,
        cast(null as double) as largest_move
    from moved
    inner join windows_explained as explained
        on
            moved.first_date = explained.first_date
            and moved.snapshot_date = explained.snapshot_date
            and moved.country_code = explained.country_code
    union all
    select
        '(all)' as table_name,
        cast(by_day.snapshot_date as {{ text }}) as row_key,
        by_day.snapshot_date,
        cast(null as double) as old_value,
        cast(null as double) as new_value,
        explained.cause,
        by_day.values_compared,
        by_day.values_moved,
        by_day.largest_move
    from by_day
    inner join windows_explained as explained
        on
            by_day.first_date = explained.first_date
            and by_day.snapshot_date = explained.snapshot_date
            and explained.country_code = '(any)'
    union all
    select
        'dim_organizations' as table_name,
        'not in history' as row_key,
        cast(null as date) as snapshot_date,
        cast(null as double) as old_value,
        cast(null as double) as new_value,
        reason as cause,
        cast(null as bigint) as values_compared,
        cast(null as bigint) as values_moved,
        cast(null as double) as largest_move
    from reasons_told
    where country_code = '(history)'

),

final as (

    select
        compared_with.version as published_version,
        told.*
    from told
    cross join compared_with
    union all
    select
        published_version,
        table_name,
        row_key,
        snapshot_date,
        old_value,
        new_value,
        cause,
        values_compared,
        values_moved,
        largest_move
    from {{ published(
        'mart_restatements',
        'cast(null as ' ~ text ~ ') as published_version, '
        ~ 'cast(null as ' ~ text ~ ') as table_name, '
        ~ 'cast(null as ' ~ text ~ ') as row_key, '
        ~ 'cast(null as date) as snapshot_date, '
        ~ 'cast(null as double) as old_value, '
        ~ 'cast(null as double) as new_value, '
        ~ 'cast(null as ' ~ text ~ ') as cause, '
        ~ 'cast(null as bigint) as values_compared, '
        ~ 'cast(null as bigint) as values_moved, '
        ~ 'cast(null as double) as largest_move',
    ) }}

)

select * from final
