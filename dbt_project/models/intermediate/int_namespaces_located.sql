with

models as (

    select * from {{ ref('stg_hub__models') }}

),

parents as (

    select * from {{ ref('stg_hub__model_parents') }}

),

accounts as (

    select * from {{ ref('stg_hub__accounts') }}

),

-- an open end as a date, since a join by comparisons alone can be hashed
organizations as (

    select
        *,
        lower(namespace) as namespace_key,
        cast(valid_from as date) as valid_from_date,
        coalesce(cast(valid_to as date), cast('9999-12-31' as date))
            as valid_to_date
    from {{ ref('organizations') }}

),

-- names on the Hub are unique without regard to case
namespaces as (

    select
        snapshot_date,
        lower(namespace) as namespace_key,
        min(namespace) as namespace
    from (
        select distinct
            snapshot_date,
            namespace
        from models
        union
        select distinct
            snapshot_date,
            {{ namespace_of("''", 'parent_model_id') }} as namespace
        from parents
    ) as seen
    group by snapshot_date, lower(namespace)

),

-- an account that changed the case of its name is carried under both
ranked_accounts as (

    select
        snapshot_date,
        lower(namespace) as namespace_key,
        account_type,
        row_number() over (
            partition by snapshot_date, lower(namespace)
            order by observed_at desc, namespace
        ) as recency
    from accounts

),

joined as (

    select
        namespaces.snapshot_date,
        namespaces.namespace_key,
        namespaces.namespace,
        coalesce(ranked_accounts.account_type, 'unknown') as account_type,
        organizations.namespace is not null as is_seeded,
        organizations.organization as seed_organization,
        organizations.parent_organization as seed_parent_organization,
        organizations.organization_type,
        organizations.country_code as seed_country_code
    from namespaces
    left join ranked_accounts
        on
            namespaces.snapshot_date = ranked_accounts.snapshot_date
            and namespaces.namespace_key = ranked_accounts.namespace_key
            and ranked_accounts.recency = 1
    left join organizations
        on
            namespaces.namespace_key = organizations.namespace_key
            and namespaces.snapshot_date >= organizations.valid_from_date
            and namespaces.snapshot_date < organizations.valid_to_date

),

-- a person stays one unless a seed row names the organisation that it
-- publishes for; rows for individuals and repackagers name none
typed as (

    select
        *,
        case
            when organization_type = 'individual' then true
            when account_type = 'person'
                then not is_seeded or organization_type = 'repackager'
            else false
        end as is_person
    from joined

),

final as (

    select
        snapshot_date,
        namespace_key,
        namespace,
        account_type,
        is_seeded,
        is_person,
        -- a seed row says that it is an organisation, whether looked up or not
        case
            when is_person then 'person'
            when is_seeded or account_type = 'organization' then 'organization'
            else 'unknown'
        end as counted_as,
        organization_type,
        case
            when is_person then 'XC'
            when is_seeded then seed_country_code
            else 'XX'
        end as country_code,
        case
            when not is_person then coalesce(seed_organization, namespace)
        end as organization,
        case
            when not is_person
                then coalesce(
                    seed_parent_organization, seed_organization, namespace
                )
        end as parent_organization,
        coalesce(seed_organization, namespace) as holder,
        coalesce(
            not is_person
            and organization_type in (
                'industry', 'academia', 'nonprofit', 'government', 'international'
            ),
            false
        ) as is_first_party
    from typed

)

select * from final
