with

organizations as (

    select * from {{ ref('organizations') }}

),

accounts as (

    select * from {{ ref('int_accounts_known') }}

),

seeded as (

    select
        organizations.namespace,
        cast(organizations.valid_from as date) as valid_from,
        cast(organizations.valid_to as date) as valid_to,
        organizations.organization,
        organizations.parent_organization,
        organizations.organization_type,
        accounts.account_type,
        accounts.full_name,
        organizations.country_code,
        organizations.secondary_country_code,
        organizations.confidence,
        organizations.evidence,
        organizations.evidence_url,
        organizations.note,
        true as is_seeded
    from organizations
    left join accounts
        on lower(organizations.namespace) = accounts.namespace_key
    -- whom int_namespaces_located counts as a person, the seed names for the
    -- country's sake only
    where
        coalesce(organizations.organization_type, '') <> 'individual'
        and not coalesce(
            organizations.organization_type = 'repackager'
            and accounts.account_type = 'person',
            false
        )

),

seeded_namespaces as (

    select distinct lower(namespace) as namespace_key
    from organizations

),

-- organisations that nobody has located yet; persons are never listed
observed as (

    select
        accounts.namespace,
        cast('1900-01-01' as date) as valid_from,
        cast(null as date) as valid_to,
        accounts.namespace as organization,
        accounts.namespace as parent_organization,
        cast(null as {{ dbt.type_string() }}) as organization_type,
        accounts.account_type,
        accounts.full_name,
        'XX' as country_code,
        cast(null as {{ dbt.type_string() }}) as secondary_country_code,
        cast(null as {{ dbt.type_string() }}) as confidence,
        cast(null as {{ dbt.type_string() }}) as evidence,
        cast(null as {{ dbt.type_string() }}) as evidence_url,
        cast(null as {{ dbt.type_string() }}) as note,
        false as is_seeded
    from accounts
    left join seeded_namespaces
        on accounts.namespace_key = seeded_namespaces.namespace_key
    where
        accounts.account_type = 'organization'
        and seeded_namespaces.namespace_key is null

),

final as (

    select * from seeded
    union all
    select * from observed

)

select * from final
