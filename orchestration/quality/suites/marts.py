"""What we promise about the marts in the warehouse: the public tables add up.
The copy that analysts read is judged in published.py; the subjects' SQL is in ../subjects/."""

from __future__ import annotations

from orchestration.quality.promises import Suite, equal, never, one_of, unique, within

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
