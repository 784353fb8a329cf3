"""What we promise about the data, step by step, each promise with its reason: the registry that gates work through.
Which rows a suite looks at stands in subjects/, and how promises are judged in gate.py."""

from __future__ import annotations

from orchestration.quality.promises import Promise, Suite, equal, never, one_of, rarely, unique, within

# ---------- raw: the landed Parquet of the day, before anything is done to it

# What the walk of any listing rests on; the subjects have the columns id_time and preceding_id.
IN_ORDER_OF_ID: tuple[Promise, ...] = (
    never(
        "repository_id_is_24_hex_digits",
        "_id is null or not regexp_full_match(_id, '[0-9a-f]{24}')",
        show="_id, id",
        because="cursor, order and creation time are all read out of its digits",
    ),
    never(
        "repository_ids_are_in_order",
        "_id < preceding_id",
        among="steps",
        show="filename, file_row_number, preceding_id, _id",
        because="the walk is a keyset on _id: a step back means that a page was repeated or mixed up",
    ),
    rarely(
        "created_at_is_the_time_in_the_repository_id",
        "id_time is null or abs(date_diff('second', createdAt, id_time)) > 1",
        of="createdAt is not null",
        at_most=0.001,
        show="_id, id, createdAt, id_time",
        because="both come from one clock on the Hub; a general difference means that a field changed its meaning, "
        "one in a thousand leaves room for repositories that the Hub repaired by hand",
    ),
)

RAW_MODELS = Suite(
    name="raw_models",
    step="raw",
    table="hub_models",
    promises=(
        equal(
            "row_count_equals_the_manifest",
            "count(*)",
            "getvariable('manifest_rows')",
            label="rows in the manifest",
            because="a lost or doubled Parquet part is invisible in the rows themselves",
        ),
        equal(
            "row_count_equals_the_capture",
            "count(*)",
            "(select max(models) from landed_captures)",
            label="models in the capture",
            because="dim_snapshots tells readers the capture's count",
        ),
        equal(
            "all_time_downloads_equal_the_capture",
            "cast(coalesce(sum(downloadsAllTime), 0) as bigint)",
            "(select coalesce(max(downloads_all_time), 0) from landed_captures)",
            label="all-time downloads in the capture",
            because="dim_snapshots tells readers the capture's sum",
        ),
        one_of(
            "capture_is_complete",
            "(select max(status) from landed_captures)",
            ("complete",),
            because="a partial walk looks like a Hub on which models vanished",
        ),
        equal(
            "day_holds_one_capture",
            "count(distinct (source, source_revision, captured_at))",
            "1",
            label="one source, revision and time",
            because="rows of two captures count some models twice and date others wrongly",
        ),
        never(
            "capture_time_is_on_the_day",
            "captured_at is null or (source = 'hub_api' and cast(captured_at as date) <> getvariable('day'))",
            show="_id, id, captured_at",
            because="the Hub only knows now: rows of another day would be filed under a wrong date for ever",
        ),
        unique(
            "repository_id_is_unique",
            "_id",
            because="_id is the identity of a model in every table: a repeated one doubles its downloads",
        ),
        *IN_ORDER_OF_ID,
        never(
            "created_at_is_not_after_the_walk",
            "createdAt > walk_ended_at",
            show="_id, id, createdAt, walk_ended_at",
            because="a repository can't be listed before it exists; rows may be as young as the walk's last page, "
            "plus a minute for clocks that differ",
        ),
        rarely(
            "model_name_is_well_formed",
            "id is null or not regexp_full_match(id, '([A-Za-z0-9._-]{1,96}/)?[A-Za-z0-9._-]{1,96}')",
            at_most=0.001,
            show="_id, id",
            because="namespace and family are cut out of the name; the Hub allows nothing else, one in a thousand is "
            "left for legacy names",
        ),
        within(
            "model_name_is_held_once",
            "cast((select coalesce(sum(copies - 1), 0) from repeated_names) as double) / count(*)",
            0,
            0.01,
            severity="warn",
            failed="cast((select coalesce(sum(copies - 1), 0) from repeated_names) as bigint)",
            offenders="select * from repeated_names",
            because="only a name re-created during the walk is there twice; many mean an overlapping page",
        ),
        never(
            "downloads_is_not_negative",
            "downloads < 0",
            show="_id, id, downloads",
            because="it is a count; a negative one lowers its country's share",
        ),
        never(
            "all_time_downloads_is_not_negative",
            "downloadsAllTime < 0",
            show="_id, id, downloadsAllTime",
            because="it is a count; deltas are taken from it",
        ),
        never(
            "likes_is_not_negative",
            "likes < 0",
            show="_id, id, likes",
            because="it is a count; the outlier rule divides by it",
        ),
        rarely(
            "downloads_are_within_all_time_downloads",
            "downloads > downloadsAllTime",
            of="downloads is not null and downloadsAllTime is not null",
            at_most=0.01,
            show="_id, id, downloads, downloadsAllTime",
            because="thirty days are part of all time; after recounts single counters disagree, more than one in a "
            "hundred means that a counter changed its meaning",
        ),
        within(
            "downloads_are_near_the_last_complete_day",
            "cast(sum(downloads) as double) / nullif("
            "(select sum(downloads) from previous_models where cast(captured_at as date) >= getvariable('day') - 30), 0)",
            0.7,
            1.3,
            null_means="no complete day of the 30 before has landed",
            because="a trailing 30-day sum replaces a thirtieth of itself a day, and wholly in 30; the largest Hub-wide "
            "recount on record moved the median of the top repositories by 26 %",
        ),
        within(
            "sentinel_models_are_still_there",
            "(select count(*) from lost_sentinels)",
            0,
            0,
            evaluated="(select count(*) from previous_sentinels)",
            failed="(select count(*) from lost_sentinels)",
            offenders="select id from lost_sentinels",
            because="openai-community/gpt2 and google-bert/bert-base-uncased are as old as the listing and widely "
            "used: a listing that lost them lost others too",
        ),
        never(
            "gated_is_in_the_closed_list",
            "gated not in ('none', 'auto', 'manual')",
            show="_id, id, gated",
            because="another value is a new kind of access that nothing downstream knows",
        ),
        never(
            "no_model_is_private",
            "private",
            show="_id, id",
            because="private repositories of the token's owner must not be published",
        ),
        rarely(
            "values_fit_their_types",
            "len(cast_errors) > 0",
            at_most=0.001,
            show="_id, id, cast_errors",
            because="a value that doesn't fit becomes null; odd rows exist, but one in a thousand is a changed field",
        ),
        rarely(
            "created_at_is_given",
            "createdAt is null",
            at_most=0.001,
            show="_id, id",
            because="age, and with it what counts as new, hangs on it",
        ),
        rarely(
            "downloads_is_given",
            "downloads is null",
            at_most=0.001,
            show="_id, id",
            because="a missing count is a silent zero in every share",
        ),
        rarely(
            "all_time_downloads_is_given",
            "downloadsAllTime is null",
            of="source = 'hub_api'",
            at_most=0.01,
            null_means="only the Hub's API is asked for the field",
            show="_id, id",
            because="it comes only when asked for: many nulls mean that the Hub refused the field, and the day can't "
            "be compared with its neighbours",
        ),
        rarely(
            "author_is_given",
            "author is null",
            at_most=0.01,
            show="_id, id",
            because="the account decides the country; only names without a slash have none",
        ),
        rarely(
            "likes_is_given",
            "likes is null",
            at_most=0.01,
            show="_id, id",
            because="every repository has the count; many nulls mean a refused field",
        ),
        rarely(
            "tags_are_given",
            "tags is null",
            at_most=0.01,
            show="_id, id",
            because="licence, lineage and techniques are read from tags; a model without any has an empty list",
        ),
        rarely(
            "gated_is_given",
            "gated is null",
            of="source = 'hub_api'",
            at_most=0.01,
            severity="warn",
            null_means="only the Hub's API is asked for the field",
            show="_id, id",
            because="the Hub tells it for every repository; without it openness is known by licence alone",
        ),
        rarely(
            "pipeline_tag_is_not_gone",
            "pipeline_tag is null",
            at_most=0.9,
            severity="warn",
            show="_id, id",
            because="about half of all repositories declare no task; more than nine in ten mean a refused field",
        ),
    ),
)

RAW_LANDING = Suite(
    name="raw_landing",
    step="raw",
    table="hub_landing",
    may_be_empty="a day that was landed by hand has no manifest; raw_models says so",
    promises=(
        within(
            "no_field_is_new",
            "max(len(new_fields))",
            0,
            0,
            severity="warn",
            failed="max(len(new_fields))",
            offenders="select unnest(new_fields) as field from subject",
            null_means="the manifest counts no fields",
            because="a field that no column is read from is kept in `extra` and used by nobody: someone should look "
            "whether it tells something that we measure",
        ),
        within(
            "no_field_has_gone",
            "max(len(gone_fields))",
            0,
            0,
            severity="warn",
            failed="max(len(gone_fields))",
            offenders="select unnest(gone_fields) as field from subject",
            null_means="no earlier complete day of the same source",
            because="a column without any value that had some on the last day: the Hub refuses the field, or no "
            "longer tells it",
        ),
        within(
            "no_field_is_retyped",
            "max(len(retyped_fields))",
            0,
            0,
            severity="warn",
            failed="max(len(retyped_fields))",
            offenders="select unnest(retyped_fields) as field_and_type from subject",
            null_means="the manifest counts no types",
            because="values of a type that the last day had none of: single odd rows are null and kept in `extra`, many "
            "would stop the day, and the first ones are the warning",
        ),
        one_of(
            "counters_moved_as_usual",
            "max(counters_event)",
            ("none", "unjudged"),
            severity="warn",
            failed="count(*) filter (where counters_event in ('stalled', 'recounted'))",
            offenders="select counters_event, counters_said from subject",
            null_means="the manifest says nothing of the counters",
            because="a stall or a recount of the whole Hub is a fact of the day and no error of ours; whoever reads "
            "daily downloads has to know of it",
        ),
        never(
            "captured_after_the_counters_had_moved",
            "captured_while_moving",
            show="captured_at",
            severity="warn",
            because="the Hub's counters change between about 04 and 10 UTC: rows captured then may tell two days",
        ),
    ),
)

# ---------- staging: renamed and cast, nothing lost

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
            severity="warn",
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

# ---------- intermediate: every model has both countries, and nothing is lost on the way

INTERMEDIATE_MODELS_ATTRIBUTED = Suite(
    name="intermediate_models_attributed",
    step="intermediate",
    table="int_models_attributed",
    promises=(
        equal(
            "row_count_equals_staging",
            "count(*)",
            "(select count(*) from models)",
            label="rows in stg_hub__models",
            because="joins to accounts, seeds and lineage must neither drop nor multiply a model",
        ),
        unique("repo_id_is_unique", "repo_id", because="a model that matches two seed rows counts twice"),
        never(
            "uploader_country_exists",
            "not is_uploader_country_known",
            show="repo_id, model_id, uploader_country_code",
            because="unknown is XX, never null and never a code that no reader can look up",
        ),
        never(
            "origin_country_exists",
            "not is_origin_country_known",
            show="repo_id, model_id, origin_country_code",
            because="unknown is XX, never null and never a code that no reader can look up",
        ),
        equal(
            "downloads_equal_staging",
            "cast(coalesce(sum(downloads_30d), 0) as bigint)",
            "(select cast(coalesce(sum(downloads_30d), 0) as bigint) from models)",
            label="30-day downloads in stg_hub__models",
            because="every row has both countries, so each attribution adds up to everything that was downloaded",
        ),
        equal(
            "all_time_downloads_equal_staging",
            "cast(coalesce(sum(downloads_all_time), 0) as bigint)",
            "(select cast(coalesce(sum(downloads_all_time), 0) as bigint) from models)",
            label="all-time downloads in stg_hub__models",
            because="every row has both countries, so each attribution adds up to everything that was downloaded",
        ),
        never(
            "age_is_the_days_since_creation",
            "age_days is distinct from expected_age_days",
            show="repo_id, model_id, age_days, expected_age_days",
            because="definitions.md: snapshot date minus the UTC date of creation, at least 0",
        ),
        never(
            "new_is_younger_than_a_year_and_not_at_the_floor",
            "is_new is distinct from coalesce(age_days < 365 and not is_created_at_floor, false)",
            show="repo_id, model_id, age_days, is_created_at_floor, is_new",
            because="the headline counts new models only, and the floor date isn't a birthday",
        ),
    ),
)

# ---------- marts: the public tables add up

MARTS_DAILY_COUNTRY_SHARE = Suite(
    name="marts_daily_country_share",
    step="marts",
    table="mart_daily_country_share",
    promises=(
        unique(
            "key_is_unique",
            "snapshot_date, metric, window_days, attribution, denominator, country_code",
            because="a repeated row doubles a country",
        ),
        never(
            "country_exists",
            "not is_country_known",
            show="country_code",
            because="readers look codes up in dim_countries",
        ),
        never(
            "shares_of_a_denominator_sum_to_one",
            "highest_total > 0 and (shares is null or abs(shares - 1) > 1e-9)",
            among="groups",
            show="metric, attribution, denominator, shares",
            because="a share is a part of a whole; 1e-9 is what 250 shares rounded to 12 decimals can be off, and more",
        ),
        never(
            "downloads_sum_to_the_attributed_models",
            "expected_downloads > 0 and downloads is distinct from expected_downloads",
            among="totals",
            show="metric, attribution, denominator, downloads, expected_downloads",
            because="countries incl. X* add up to the models' downloads, to the unit, in each metric, attribution and "
            "denominator; a group that is missing is found here too",
        ),
        never(
            "total_is_the_sum_of_its_countries",
            "lowest_total is distinct from downloads or highest_total is distinct from downloads",
            among="groups",
            show="metric, attribution, denominator, downloads, lowest_total, highest_total",
            because="the published total is the denominator of the shares beside it",
        ),
        never(
            "downloads_and_share_are_in_range",
            "not is_corrected and (downloads < 0 or share < 0 or share > 1)",
            show="metric, window_days, attribution, denominator, country_code, downloads, share",
            because="a part is neither negative nor larger than its whole, unless the Hub took downloads back in the "
            "window, which correction_downloads tells",
        ),
        never(
            "share_lies_within_its_bounds",
            "not is_corrected and (share_low > share + 1e-12 or share_high < share - 1e-12)",
            show="metric, window_days, attribution, denominator, country_code, share_low, share, share_high",
            because="bounds say what the share could be if XX were known; 1e-12 is the rounding of published shares; "
            "what was taken back has no bounds",
        ),
        never(
            "ranks_start_at_one",
            "located_countries > 0 and best_rank is distinct from 1",
            among="groups",
            show="metric, attribution, denominator, best_rank",
            because="the chart takes the first ranks",
        ),
        never(
            "only_iso_countries_are_ranked",
            "is_user_assigned <> (rank is null)",
            show="metric, attribution, denominator, country_code, rank",
            because="community, international, mixed and unknown are shown beside the race, not in it",
        ),
        never(
            "iso_downloads_are_equal_across_denominators",
            "lowest_downloads <> highest_downloads",
            among="numerators",
            show="metric, attribution, country_code, lowest_downloads, highest_downloads",
            because="a denominator changes what is divided by, never a country's own downloads",
        ),
        never(
            "china_to_us_ratio_is_equal_across_denominators",
            "highest_cn_per_us - lowest_cn_per_us > 1e-6 * abs(highest_cn_per_us)",
            among="ratios",
            show="metric, attribution, lowest_cn_per_us, highest_cn_per_us",
            because="who leads must not depend on the denominator; one millionth covers the rounding of small shares",
        ),
    ),
)

MARTS_DAILY_ORGANIZATION_SHARE = Suite(
    name="marts_daily_organization_share",
    step="marts",
    table="mart_daily_organization_share",
    promises=(
        unique(
            "key_is_unique",
            "snapshot_date, metric, window_days, attribution, country_code, organization",
            because="a repeated row doubles an organisation",
        ),
        never(
            "organizations_sum_to_their_country",
            "country_downloads is distinct from organization_downloads",
            among="sums",
            show="metric, attribution, country_code, organization_downloads, country_downloads",
            because="with (other), a country's organisations are all of it, to the unit",
        ),
        never(
            "shares_of_a_country_sum_to_one",
            "country_downloads > 0 and (shares_of_country is null or abs(shares_of_country - 1) > 1e-9)",
            among="sums",
            show="metric, attribution, country_code, shares_of_country",
            because="the report draws them as one bar; 1e-9 covers the rounding to 12 decimals",
        ),
        never(
            "shares_are_in_range",
            "not is_corrected and (share_of_country < 0 or share_of_country > 1 or share_of_total < 0 "
            "or share_of_total > 1 or share_of_total > share_of_country + 1e-12)",
            show="metric, attribution, country_code, organization, share_of_country, share_of_total",
            because="a part is neither negative nor larger than its whole, and the world is larger than a country",
        ),
    ),
)

MARTS_ATTRIBUTION_COVERAGE = Suite(
    name="marts_attribution_coverage",
    step="marts",
    table="mart_attribution_coverage",
    promises=(
        unique("key_is_unique", "snapshot_date, attribution, basis", because="a repeated row has two coverages"),
        equal(
            "each_attribution_has_each_basis",
            "count(distinct (attribution, basis)) filter ("
            "where attribution in ('uploader', 'origin') and basis in ('models', 'downloads', 'new_downloads'))",
            "6",
            label="two attributions by three bases",
            because="no share is shown without how much of it is located",
        ),
        never(
            "coverage_is_within_zero_and_one",
            "classed_share < 0 or classed_share > 1 or located_share < 0 or located_share > 1",
            show="attribution, basis, classed_share, located_share",
            because="it is the located part of a whole",
        ),
        never(
            "located_is_part_of_classed",
            "located_share > classed_share + 1e-12",
            show="attribution, basis, classed_share, located_share",
            because="what has a country is not XX",
        ),
    ),
)

MARTS_ATTRIBUTION_QUEUE = Suite(
    name="marts_attribution_queue",
    step="marts",
    table="mart_attribution_queue",
    may_be_empty="every account may have been located",
    promises=(
        unique("namespace_is_unique", "namespace", because="a maintainer locates an account once"),
        never(
            "downloads_and_share_are_in_range",
            "downloads < 0 or models < 0 or share < 0 or share > 1",
            show="namespace, downloads, share, models",
            because="the queue is worked off by share",
        ),
    ),
)

MARTS_HEADLINE_CLAIMS = Suite(
    name="marts_headline_claims",
    step="marts",
    table="mart_headline_claims",
    promises=(
        unique("key_is_unique", "claim_id, part, snapshot_date", because="a claim has one answer a day"),
        never(
            "every_claim_has_a_row",
            "parts = 0",
            among="claims",
            show="claim",
            because="each claim of the reporting is answered, or said to be unanswerable; silence is neither",
        ),
        never(
            "claims_1_3_and_12_have_an_answer",
            "claim in (1, 3, 12) and is_askable and values_given = 0",
            among="claims",
            show="claim, parts, values_given",
            because="one snapshot is enough for these three, where it lists whom they ask about",
        ),
        never(
            "a_missing_answer_says_why",
            "value is null and (caveat is null or trim(caveat) = '')",
            show="claim_id, part",
            because="null without a reason reads like a fault",
        ),
    ),
)

MARTS_SNAPSHOTS = Suite(
    name="marts_snapshots",
    step="marts",
    table="dim_snapshots",
    promises=(
        unique("snapshot_date_is_unique", "snapshot_date", because="every fact joins the calendar by it"),
        one_of(
            "day_is_complete", "max(status)", ("complete",), because="facts of the day exist, so the day was landed"
        ),
        one_of(
            "platform_event_is_in_the_closed_list",
            "max(platform_event)",
            ("none", "stalled", "recounted"),
            because="charts mark days by it",
        ),
        equal(
            "models_equal_the_staged_rows",
            "cast(max(models) as bigint)",
            "(select count(*) from models)",
            label="rows in stg_hub__models",
            because="it is the day's published count of models",
        ),
        equal(
            "all_time_downloads_equal_the_staged_sum",
            "cast(coalesce(max(downloads_all_time), 0) as bigint)",
            "(select cast(coalesce(sum(downloads_all_time), 0) as bigint) from models)",
            label="sum over stg_hub__models",
            because="it is the day's published total",
        ),
        equal(
            "calendar_has_no_holes",
            "(select max(days) from calendar)",
            "(select max(expected_days) from calendar)",
            label="days from the first to the last",
            because="a day that wasn't landed is a row that says so",
        ),
    ),
)

MARTS_MODELS = Suite(
    name="marts_models",
    step="marts",
    table="dim_models",
    promises=(
        within(
            "repo_id_is_unique",
            "(select models - distinct_models from dimension)",
            0,
            0,
            evaluated="(select models from dimension)",
            failed="(select models - distinct_models from dimension)",
            offenders="select * from copies",
            because="every fact joins models by it",
        ),
        never(
            "every_model_of_the_day_is_there",
            "repo_id is null",
            show="staged_repo_id, staged_model_id",
            because="a model that was downloaded can be looked up",
        ),
        never(
            "the_day_lies_between_first_and_last_sight",
            "first_seen_date > snapshot_date or last_seen_date < snapshot_date",
            show="staged_repo_id, staged_model_id, first_seen_date, last_seen_date",
            because="release dates are first sights",
        ),
    ),
)

MARTS_MODEL_PARENTS = Suite(
    name="marts_model_parents",
    step="marts",
    table="bridge_model_parents",
    may_be_empty="no model seen so far may declare a parent",
    promises=(
        unique("key_is_unique", "repo_id, parent_model_id", because="a doubled edge doubles a derivative"),
        never(
            "child_is_a_known_model",
            "not is_child_known",
            show="repo_id, parent_model_id",
            because="readers join it to dim_models",
        ),
    ),
)

MARTS_COUNTRIES = Suite(
    name="marts_countries",
    step="marts",
    table="dim_countries",
    promises=(
        unique("country_code_is_unique", "country_code", because="every share joins countries by it"),
        equal(
            "the_four_codes_of_our_own_are_there",
            "count(*) filter (where country_code in ('XC', 'XI', 'XM', 'XX') and is_user_assigned)",
            "4",
            label="XC, XI, XM and XX",
            because="community, international, mixed and unknown are never hidden",
        ),
        never(
            "user_assigned_codes_are_only_our_four",
            "is_user_assigned and country_code not in ('XC', 'XI', 'XM', 'XX')",
            show="country_code, country_name",
            because="everything else is ISO 3166-1 and is ranked",
        ),
        never(
            "country_has_a_name",
            "country_name is null or trim(country_name) = ''",
            show="country_code",
            because="charts are labelled with it",
        ),
    ),
)

MARTS_ORGANIZATIONS = Suite(
    name="marts_organizations",
    step="marts",
    table="dim_organizations",
    promises=(
        unique("key_is_unique", "namespace, valid_from", because="an account has one home at a time"),
        never(
            "country_exists",
            "country_code is null or country_code not in (select country_code from countries)",
            show="namespace, country_code",
            because="readers look codes up in dim_countries",
        ),
        never(
            "validities_do_not_overlap",
            "valid_to <= valid_from "
            "or (next_valid_from is not null and (valid_to is null or valid_to > next_valid_from))",
            show="namespace, valid_from, valid_to, next_valid_from",
            because="on a day with two homes an account's downloads would count twice",
        ),
        never(
            "no_person_is_listed",
            "account_type = 'person' and organization is null",
            show="namespace",
            because="persons aren't published by name, unless a seed says which organisation they publish for",
        ),
    ),
)

# ---------- published: what analysts would see if this candidate were swapped in

# Every public table, with its key: the contract's promise to analysts.
PUBLISHED_TABLES: dict[str, tuple[str, ...]] = {
    "dim_snapshots": ("snapshot_date",),
    "dim_countries": ("country_code",),
    "dim_organizations": ("namespace", "valid_from"),
    "dim_models": ("repo_id",),
    "dim_model_history": ("repo_id", "valid_from"),
    "bridge_model_parents": ("repo_id", "parent_model_id"),
    "fct_daily_model_downloads": ("snapshot_date", "repo_id"),
    "mart_relative_adoption": ("repo_id", "milestone_days"),
    "fct_daily_country_downloads": ("snapshot_date", "attribution", "country_code", "account_type", "is_new"),
    "mart_country_crossovers": (
        "crossover_date",
        "metric",
        "window_days",
        "attribution",
        "leader_country_code",
        "passed_country_code",
    ),
    "mart_daily_country_share": (
        "snapshot_date",
        "metric",
        "window_days",
        "attribution",
        "denominator",
        "country_code",
    ),
    "mart_daily_organization_share": (
        "snapshot_date",
        "metric",
        "window_days",
        "attribution",
        "country_code",
        "organization",
    ),
    "mart_daily_modality_share": ("snapshot_date", "metric", "attribution", "country_code", "modality"),
    "mart_daily_openness": ("snapshot_date", "metric", "attribution", "country_code", "openness", "gated"),
    "mart_daily_size_share": ("snapshot_date", "metric", "attribution", "country_code", "size_class"),
    "mart_daily_technique_share": ("snapshot_date", "metric", "attribution", "country_code", "technique"),
    "mart_daily_family_share": ("snapshot_date", "metric", "attribution", "organization", "family"),
    "mart_daily_concentration": ("snapshot_date", "metric", "attribution", "scope", "entity"),
    "mart_daily_lineage": ("snapshot_date", "metric", "root_organization", "origin_country", "relation"),
    "mart_monthly_independent_players": ("month", "country_code", "threshold"),
    "mart_attribution_coverage": ("snapshot_date", "attribution", "basis"),
    "mart_attribution_queue": ("namespace",),
    "mart_headline_claims": ("claim_id", "part", "snapshot_date"),
    "fct_releases": ("release_id",),
    "mart_weekly_release_frequency": ("week_start", "organization"),
    "mart_release_cadence": ("snapshot_date", "level", "organization", "country_code"),
    "fct_quality_results": ("evaluation_id",),
    "mart_restatements": ("published_version", "table_name", "row_key"),
}

PUBLISHED_DATABASE = Suite(
    name="published_database",
    step="published",
    table="database",
    promises=(
        never(
            "public_tables_are_present",
            "is_promised and not is_present",
            show="table_name",
            because="analysts' queries name them",
        ),
        never(
            "tables_can_be_read_under_lock_down",
            "is_present and unreadable_because is not null",
            show="table_name, unreadable_because",
            because="analysts may open it read-only without file, network or extension access",
        ),
        never(
            "row_counts_equal_the_warehouse",
            "is_present and unreadable_because is null and rows is distinct from warehouse_rows",
            show="table_name, rows, warehouse_rows",
            because="what was judged in the warehouse is what is published",
        ),
        never(
            "keys_are_unique",
            "repeated_keys > 0",
            show="table_name, key_columns, repeated_keys",
            because="joins on the contract's keys must not multiply rows",
        ),
        never(
            "views_name_no_absolute_path",
            "len(paths_in_view) > 0",
            show="table_name, paths_in_view",
            because="a copied file must work elsewhere; only the published versions' own folder is known to stay",
        ),
    ),
)

PUBLISHED_DAYS = Suite(
    name="published_days",
    step="published",
    table="days",
    promises=(
        one_of("day_is_complete", "max(status)", ("complete",), because="the version says that it holds the day"),
        *(
            within(
                f"{name}_has_the_day",
                f"(select count(*) from {cte})",
                1,
                None,
                evaluated=f"(select count(*) from {cte})",
                because="a version that lacks a day's facts looks like a day without downloads",
            )
            for name, cte in (
                ("country_share", "headline"),
                ("organization_share", "organizations"),
                ("attribution_coverage", "coverage"),
                ("headline_claims", "claims"),
            )
        ),
    ),
)

# ---------- listings: the landed Parquet of a listing beside the models; nothing of ours rests on it yet

# as in the completeness gate: in a Hub of hundreds a share is less than a row, and a handful of deletions is no truncation
HANDFUL = 10


def _of_a_listing(listing: str) -> tuple[Promise, ...]:
    """What holds for every listing of the Hub beside the models."""
    gone, before = "(select count(*) from vanished)", f"(select count(*) from previous_{listing})"
    return (
        equal(
            "row_count_equals_the_manifest",
            "count(*)",
            "(select max(rows) from manifests)",
            label="rows in the manifest",
            because="a lost or doubled Parquet part is invisible in the rows themselves",
        ),
        within(
            "rows_are_not_fewer_than_on_the_last_day",
            f"case when {before} = 0 then null when {before} - count(*) <= {HANDFUL} then 1.0 "
            f"else cast(count(*) as double) / {before} end",
            0.99,
            None,
            null_means="no earlier day has landed",
            because="listings grow: more is created than withdrawn; a hundredth less is no day's work, and below it a "
            f"part of the listing is missing (up to {HANDFUL} rows are let pass, for small Hubs)",
        ),
        within(
            "hardly_any_id_has_vanished",
            f"case when {before} = 0 then null when {gone} <= {HANDFUL} then 0.0 else greatest(0, "
            f"cast({gone} as double) / {before} - 0.0004 * ((select max(days_apart) from manifests) - 1)) end",
            0,
            0.005,
            null_means="no earlier day has landed",
            evaluated=before,
            failed=gone,
            offenders="select _id, id from vanished",
            because="of the last landed day's ids; about 0.02 % of models leave on a usual day, and other listings are "
            f"given 25 times that: other ids are another Hub, or lost pages (0.04 % for each further day, and up to {HANDFUL} "
            "rows, are let pass)",
        ),
        never(
            "capture_time_is_on_the_day",
            "captured_at is null or cast(captured_at as date) <> getvariable('day')",
            show="_id, id, captured_at",
            because="the Hub only knows now: rows of another day would be filed under a wrong date for ever",
        ),
        unique(
            "repository_id_is_unique",
            "_id",
            because="_id is the identity of a repository: a repeated one counts it twice",
        ),
        *IN_ORDER_OF_ID,
        rarely(
            "created_at_is_given",
            "createdAt is null",
            at_most=0.001,
            show="_id, id",
            because="the walk is sorted by it, so that every repository has it",
        ),
        rarely(
            "repository_name_is_well_formed",
            "id is null or not regexp_full_match(id, '([A-Za-z0-9._-]{1,96}/)?[A-Za-z0-9._-]{1,96}')",
            at_most=0.001,
            show="_id, id",
            because="the account is cut out of the name; the Hub allows nothing else, one in a thousand is left for "
            "legacy names",
        ),
        rarely(
            "author_is_given",
            "author is null",
            at_most=0.01,
            show="_id, id",
            because="the account decides the country; only names without a slash have none",
        ),
        never(
            "likes_is_not_negative",
            "likes < 0",
            show="_id, id, likes",
            because="it is a count; a negative one is a field that changed its meaning",
        ),
        rarely(
            "likes_is_given",
            "likes is null",
            at_most=0.01,
            show="_id, id",
            because="every repository has the count; many nulls mean a refused field",
        ),
        rarely(
            "values_fit_their_types",
            "len(cast_errors) > 0",
            at_most=0.001,
            show="_id, id, cast_errors",
            because="a value that doesn't fit becomes null; odd rows exist, but one in a thousand is a changed field",
        ),
        never(
            "no_repository_is_private",
            "private",
            show="_id, id",
            because="private repositories of the token's owner are nobody else's business",
        ),
    )


LISTINGS_DATASETS = Suite(
    name="listings_datasets",
    step="listings",
    table="hub_datasets",
    promises=(
        *_of_a_listing("datasets"),
        never(
            "downloads_is_not_negative",
            "downloads < 0",
            show="_id, id, downloads",
            because="it is a count; a negative one lowers every sum that it is part of",
        ),
        rarely(
            "downloads_is_given",
            "downloads is null",
            at_most=0.001,
            show="_id, id",
            because="a missing count is a silent zero in every sum",
        ),
        never(
            "gated_is_in_the_closed_list",
            "gated not in ('none', 'auto', 'manual')",
            show="_id, id, gated",
            because="another value is a new kind of access that has no meaning yet",
        ),
    ),
)

LISTINGS_SPACES = Suite(name="listings_spaces", step="listings", table="hub_spaces", promises=_of_a_listing("spaces"))

SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        RAW_MODELS,
        RAW_LANDING,
        STAGING_MODELS,
        STAGING_MODEL_PARENTS,
        STAGING_ACCOUNTS,
        STAGING_CAPTURES,
        INTERMEDIATE_MODELS_ATTRIBUTED,
        MARTS_DAILY_COUNTRY_SHARE,
        MARTS_DAILY_ORGANIZATION_SHARE,
        MARTS_ATTRIBUTION_COVERAGE,
        MARTS_ATTRIBUTION_QUEUE,
        MARTS_HEADLINE_CLAIMS,
        MARTS_SNAPSHOTS,
        MARTS_MODELS,
        MARTS_MODEL_PARENTS,
        MARTS_COUNTRIES,
        MARTS_ORGANIZATIONS,
        PUBLISHED_DATABASE,
        PUBLISHED_DAYS,
        LISTINGS_DATASETS,
        LISTINGS_SPACES,
    )
}
