"""What we promise about the staging tables: renamed and cast, nothing lost.
What the landed rows themselves must be is in raw.py; the subjects' SQL is in ../subjects/."""

from __future__ import annotations

from orchestration.quality.promises import Suite, equal, never, one_of, unique

STAGING_MODELS = Suite(
    name="staging_models",
    step="staging",
    table="stg_hub__models",
    promises=(
        equal(
            "row_count_equals_the_landing",
            "count(*)",
            "(select count(*) from landed_models)",
            label="rows landed",
            because="staging renames and casts; it neither drops nor doubles a model",
        ),
        equal(
            "downloads_equal_the_landing",
            "cast(coalesce(sum(downloads_30d), 0) as bigint)",
            "(select cast(coalesce(sum(downloads), 0) as bigint) from landed_models)",
            label="30-day downloads landed",
            because="every published total is compared with staging's",
        ),
        equal(
            "all_time_downloads_equal_the_landing",
            "cast(coalesce(sum(downloads_all_time), 0) as bigint)",
            "(select cast(coalesce(sum(downloadsAllTime), 0) as bigint) from landed_models)",
            label="all-time downloads landed",
            because="every published total is compared with staging's",
        ),
        unique("repo_id_is_unique", "repo_id", because="a repeated key doubles its downloads in every join"),
        never(
            "namespace_is_given",
            "namespace is null or namespace = ''",
            show="repo_id, model_id",
            because="both attributions start from the account",
        ),
        never(
            "gated_is_in_the_closed_list",
            "gated not in ('none', 'auto', 'manual')",
            show="repo_id, model_id, gated",
            because="the public column has exactly these values, or null where the source doesn't say",
        ),
        never(
            "no_model_is_private",
            "is_private",
            show="repo_id, model_id",
            because="private repositories aren't published",
        ),
        never(
            "floor_of_created_at_is_flagged",
            "created_at is not null and is_created_at_floor is distinct from "
            "(date_trunc('second', created_at) in (timestamp '2022-03-02 23:29:04', timestamp '2022-03-02 23:29:05'))",
            show="repo_id, model_id, created_at, is_created_at_floor",
            because="older repositories carry this date in place of their own and must never count as new",
        ),
    ),
)

STAGING_MODEL_PARENTS = Suite(
    name="staging_model_parents",
    step="staging",
    table="stg_hub__model_parents",
    may_be_empty="a day may declare no lineage",
    promises=(
        unique(
            "model_and_parent_are_unique",
            "repo_id, parent_model_id",
            because="a doubled edge doubles a derivative",
        ),
        never(
            "child_is_a_model_of_the_day",
            "not is_child_listed",
            show="repo_id, parent_model_id",
            because="lineage of a model that isn't listed has been mixed in from another day",
        ),
        never(
            "relation_is_in_the_closed_list",
            "relation not in ('finetune', 'adapter', 'quantized', 'merge')",
            show="repo_id, parent_model_id, relation",
            severity="investigate",
            because="the Hub knows four relations; a fifth must be given a meaning before it is counted",
        ),
    ),
)

STAGING_ACCOUNTS = Suite(
    name="staging_accounts",
    step="staging",
    table="stg_hub__accounts",
    may_be_empty="look-ups of accounts can be switched off, and then everyone is unknown",
    promises=(
        equal(
            "row_count_equals_the_landing",
            "count(*)",
            "(select count(*) from landed_accounts)",
            label="accounts landed",
            because="an account that is lost turns from a person into an organisation",
        ),
        unique("namespace_is_unique", "namespace", because="a repeated account doubles its models' downloads"),
        never(
            "account_type_is_in_the_closed_list",
            "account_type is null or account_type not in ('organization', 'person', 'unknown')",
            show="namespace, account_type",
            because="the denominator 'organizations' is decided by it",
        ),
        never(
            "persons_are_only_name_and_type",
            "account_type = 'person' and (full_name is not null or is_verified is not null or followers is not null)",
            show="namespace",
            because="of persons nothing is kept but the name and that it is one",
        ),
    ),
)

STAGING_CAPTURES = Suite(
    name="staging_captures",
    step="staging",
    table="stg_hub__captures",
    promises=(
        unique("snapshot_date_is_unique", "snapshot_date", because="one capture stands for a day"),
        one_of("capture_is_complete", "max(status)", ("complete",), because="only complete days are counted"),
        equal(
            "models_equal_the_staged_rows",
            "cast(max(models) as bigint)",
            "(select count(*) from models)",
            label="rows in stg_hub__models",
            because="readers compare the day's count with the model tables",
        ),
        equal(
            "all_time_downloads_equal_the_staged_sum",
            "cast(coalesce(max(downloads_all_time), 0) as bigint)",
            "(select cast(coalesce(sum(downloads_all_time), 0) as bigint) from models)",
            label="sum over stg_hub__models",
            because="readers compare the day's total with the shares' totals",
        ),
    ),
)
