-- One row per public table, as the audit of the candidate found it.
with

subject as (
    select *
    from audited_tables
)
