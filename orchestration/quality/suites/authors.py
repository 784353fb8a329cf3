"""What we promise about a day's landed accounts: who is an organisation and who a person, before anything rests on it.
The models' own landing is in raw.py; the subject's SQL is in ../subjects/."""

from __future__ import annotations

from orchestration.quality.promises import FOUNDED_HISTORY, Suite, equal, never, unique, within

# In a small Hub a share is less than a row, and a handful of changes is ordinary. 2026-11-29.
HANDFUL = 10

AUTHORS_ACCOUNTS = Suite(
    name="authors_accounts",
    step="authors",
    table="hub_authors",
    may_be_empty="look-ups of accounts can be switched off, and then everyone is unknown",
    promises=(
        equal(
            "row_count_equals_the_manifest",
            "count(*)",
            "(select max(rows) from manifest)",
            label="rows in the manifest",
            since=FOUNDED_HISTORY,
            because="an account that is lost turns from a person into an organisation",
        ),
        unique(
            "namespace_is_unique",
            "namespace",
            since=FOUNDED_HISTORY,
            because="a repeated account doubles its models' downloads",
        ),
        never(
            "account_type_is_in_the_closed_list",
            "account_type is null or account_type not in ('organization', 'person', 'unknown')",
            show="namespace, account_type",
            since=FOUNDED_HISTORY,
            because="the denominator 'organizations' is decided by it",
        ),
        never(
            "persons_are_only_name_and_type",
            "account_type = 'person' and (full_name is not null or is_verified is not null or followers is not null)",
            show="namespace",
            since=FOUNDED_HISTORY,
            because="of persons nothing is kept but the name and that it is one",
        ),
        within(
            "known_accounts_are_not_forgotten",
            "(select count(*) from forgotten)",
            0,
            0,
            since=FOUNDED_HISTORY,
            evaluated="(select count(*) from previous_accounts)",
            failed="(select count(*) from forgotten)",
            offenders="select namespace, account_type from forgotten",
            because="what was learned about an account is carried forward from day to day: one that is missing was lost by us, "
            "and counts as an organisation from then on",
        ),
        within(
            "hardly_any_account_changes_its_type",
            f"(select case when changed <= {HANDFUL} then 0.0 else changed / known end from changes)",
            None,
            0.01,
            since=FOUNDED_HISTORY,
            severity="investigate",
            failed="(select changed from changes)",
            evaluated="(select known from changes)",
            offenders="select * from changed_types",
            null_means="no account was known before",
            because="a person hardly ever becomes an organisation: more than one in a hundred in a day is an answer of the Hub "
            f"that changed its meaning (up to {HANDFUL} are let pass)",
        ),
        within(
            "known_part_of_downloads_has_not_fallen",
            "(select max(known_downloads_share - previous_known_downloads_share) from manifest)",
            -0.02,
            None,
            since=FOUNDED_HISTORY,
            severity="investigate",
            null_means="the manifest of this day, or of the one before, tells no share",
            because="accounts are looked up by size and never forgotten: two points are lost when a large one was renamed, "
            "or when look-ups fail",
        ),
        within(
            "look_ups_succeed",
            "(select max(failed) from manifest)",
            0,
            0,
            since=FOUNDED_HISTORY,
            severity="watch",
            null_means="the manifest tells no failed look-ups",
            because="an account that could not be looked up comes round tomorrow; the same ones every day want a look",
        ),
    ),
)
