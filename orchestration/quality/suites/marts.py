"""What we promise about the marts in the warehouse: the public tables add up.
The copy that analysts read is judged in published.py; the subjects' SQL is in ../subjects/."""

from __future__ import annotations

from orchestration.quality.promises import FOUNDED_HISTORY, Suite, equal, never, one_of, unique, within

# What the bounds on attribution rest on (2026-11-24): 118 well-known organisations alone held 45 % of the downloads of
# the Hub's 3,000 most downloaded models, and the seed places several times as many accounts.
LOCATED_AT_LEAST, LOCATED_AS_USUAL, CLASSED_AS_USUAL = 0.2, 0.6, 0.7
COVERAGE_FALLS_BY = 0.02
# The Hub's 200 most downloaded models hold half of all downloads: each of its 200 largest accounts holds several times this.
SHARE_OF_AN_ACCOUNT = 0.0001
# China and the United States were 1.3 points apart in the reported figures: a jump of one point is nearly an overtaking.
COUNTRY_JUMPS_BY, COUNTRY_LEAPS_BY = 0.01, 0.1
# With fewer downloads a day is a list or a made-up Hub, in which single models are percents; the Hub's own new models
# alone are downloaded several times as often in a month. 2026-11-24.
DOWNLOADS_TO_JUDGE_MOVES = 100_000_000

UNEXPLAINED = f"fewest_downloads >= {DOWNLOADS_TO_JUDGE_MOVES} and cause is null"
# Without its largest repository the country moves as far. A leap leads away from the day before the last one, too: the
# day after a bad one is back where the days before it were.
JUMP = f"abs(move) > {COUNTRY_JUMPS_BY} and abs(move_without_top_repository) > {COUNTRY_JUMPS_BY}"
LEAP = (
    f"abs(move) > {COUNTRY_LEAPS_BY} and abs(move_without_top_repository) > {COUNTRY_LEAPS_BY} "
    f"and abs(coalesce(move_over_two, move)) > {COUNTRY_LEAPS_BY}"
)
LOCATED = "min(located_share) filter (where basis = 'downloads')"
MOVED = "metric, window_days, attribution, country_code, previous_share, share, move_without_top_repository"
CAUSES = (
    "a platform event on either day, days apart, another source, a day that came late or again, downloads that the Hub took "
    "back, a change of dim_organizations that names the country, or one repository"
)

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
        never(
            "no_country_jumps_without_a_named_cause",
            f"{UNEXPLAINED} and {JUMP} and not ({LEAP})",
            among="moves",
            show=MOVED,
            severity="investigate",
            because="a trailing sum replaces a thirtieth of itself a day: for one point a country's day must differ by "
            f"thirty. Causes that are known: {CAUSES}",
        ),
        never(
            "no_country_leaps_without_a_named_cause",
            f"{UNEXPLAINED} and {LEAP}",
            among="moves",
            show=MOVED,
            because="ten points in a day have no natural cause: an attribution was lost or made up. If it is true after "
            f"all, the next day is days apart from the last good one and passes. Causes that are known: {CAUSES}",
        ),
        within(
            "thirty_days_sum_to_the_hubs_own_count",
            "(select max(summed / counted) from thirty_days)",
            0.98,
            1.02,
            since=FOUNDED_HISTORY,
            severity="investigate",
            null_means="fewer than thirty days of history, or an event or a missing day among them",
            because="the sum of our thirty daily differences and the Hub's own 30-day counter are two measurements of one thing: "
            "by definition they agree within 2 %, and nothing else that we check is as independent",
        ),
        within(
            "the_twenty_largest_keep_their_shares",
            "(select max(stability_index) from share_drift)",
            None,
            0.01,
            since=FOUNDED_HISTORY,
            severity="investigate",
            null_means="no earlier day, too few downloads to judge moves, or a named cause",
            because="population stability index over the shares of trailing_30d by uploader: five points that change "
            "between two large countries give 0.0126, and a trailing sum replaces a thirtieth of itself a day",
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
    owner="team:attribution",
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
        within(
            "located_downloads_have_not_collapsed",
            LOCATED,
            LOCATED_AT_LEAST,
            None,
            because="118 organisations alone were 45 % of the downloads of the 3,000 largest models: where less than a fifth "
            "has a country, the seed of organisations did not load, or names no longer match it",
        ),
        within(
            "located_downloads_are_as_usual",
            f"case when {LOCATED} >= {LOCATED_AT_LEAST} then {LOCATED} end",
            LOCATED_AS_USUAL,
            None,
            severity="investigate",
            null_means="they have collapsed, which blocks",
            because="the seed places more than four fifths of the downloads of a thousand trending models; where less than "
            "three fifths are placed, bounds are wider than any distance between countries",
        ),
        within(
            "classed_downloads_are_as_usual",
            "min(classed_share) filter (where basis = 'downloads')",
            CLASSED_AS_USUAL,
            None,
            severity="investigate",
            because="what is XX widens every country's bounds: over three tenths of it no order is certain, and "
            "mart_attribution_queue says whom to locate",
        ),
        never(
            "coverage_has_not_fallen",
            f"fall > {COVERAGE_FALLS_BY}",
            among="falls",
            show="attribution, basis, previous_classed_share, classed_share, previous_located_share, located_share",
            severity="investigate",
            because="who is known one day is known the next: two points are lost when a large account is renamed, or types "
            "of accounts are no longer looked up",
        ),
        never(
            "top_200_accounts_are_classed",
            f"country_code = 'XX' and share >= {SHARE_OF_AN_ACCOUNT}",
            among="largest_accounts",
            show="place, namespace, downloads, share",
            severity="investigate",
            because="the two hundred accounts that most is downloaded from decide every share: each has a row in "
            "organizations.csv, be it as community or individual; in a small Hub those are let pass that hold less than one "
            "download in ten thousand",
        ),
    ),
)

MARTS_ATTRIBUTION_SENSITIVITY = Suite(
    name="marts_attribution_sensitivity",
    step="marts",
    owner="team:attribution",
    table="mart_attribution_sensitivity",
    may_be_empty="a day's source may tell no all-time downloads, and then no year of them is known",
    promises=(
        unique("key_is_unique", "snapshot_date, variant, country_code", because="a repeated row doubles a country"),
        never(
            "country_exists",
            "not is_country_known",
            show="variant, country_code",
            because="readers look codes up in dim_countries",
        ),
        never(
            "unmoved_shares_are_the_published_ones",
            "metric is distinct from published_metric or downloads is distinct from published_downloads "
            "or share is distinct from published_share",
            among="unmoved",
            show="country_code, metric, published_metric, downloads, published_downloads, share, published_share",
            because="a variant is read against what is published: both must be the same where nothing was moved",
        ),
        never(
            "every_variant_has_the_published_total",
            "downloads is distinct from published_total or lowest_total is distinct from published_total "
            "or highest_total is distinct from published_total",
            among="totals",
            show="variant, downloads, lowest_total, highest_total, published_total",
            because="what is counted elsewhere is neither lost nor counted twice",
        ),
        never(
            "difference_is_from_the_published_share",
            "abs(difference - (share - published_share)) > 2e-12",
            show="variant, country_code, published_share, share, difference",
            because="it is what the report says a decision is worth; 2e-12 is the rounding of three published doubles",
        ),
        within(
            "every_decision_is_taken_otherwise",
            "case when count(*) > 0 then count(distinct variant) filter (where moved_organization is null) end",
            5,
            5,
            null_means="no downloads to be moved",
            because="the published shares and four rules that could have been others: a variant without rows reads as one "
            "that changes nothing",
        ),
        never(
            "a_moved_organization_has_a_target",
            "(moved_organization is null) <> (moved_to is null) "
            "or coalesce('moved:' || moved_organization <> variant, variant like 'moved:%')",
            show="variant, moved_organization, moved_to",
            because="the move is what the row is about, and no other variant has one",
        ),
    ),
)

MARTS_ATTRIBUTION_QUEUE = Suite(
    name="marts_attribution_queue",
    step="marts",
    owner="team:attribution",
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
        within(
            "the_day_before_was_captured",
            "(select count(*) from day_before where status <> 'complete')",
            0,
            0,
            since=FOUNDED_HISTORY,
            severity="watch",
            evaluated="(select count(*) from day_before)",
            failed="(select count(*) from day_before where status <> 'complete')",
            offenders="select snapshot_date, status from day_before where status <> 'complete'",
            because="a missing day can be had from an archive while there is one; only the day after a gap says so, "
            "not each of the windows that it lies in",
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
    owner="team:attribution",
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
    owner="team:attribution",
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

MARTS_RELEASES = Suite(
    name="marts_releases",
    step="marts",
    table="fct_releases",
    may_be_empty="no seeded organisation may have released anything yet",
    promises=(
        unique(
            "key_is_unique", "release_id", since=FOUNDED_HISTORY, because="a repeated release doubles a lab's rhythm"
        ),
        never(
            "sampled_releases_have_their_variants",
            "variants is distinct from counted_variants",
            among="sample",
            show="release_id, family, variants, counted_variants",
            since=FOUNDED_HISTORY,
            because="fifty releases a day, others each day, are counted anew from dim_models: how many variants a release has is "
            "part of the story",
        ),
        never(
            "sampled_releases_are_of_one_family",
            "families <> 1 or organizations <> 1",
            among="sample",
            show="release_id, family, families, organizations",
            since=FOUNDED_HISTORY,
            because="definition 17: a release is made of repositories of one family of one organisation",
        ),
        never(
            "sampled_releases_are_dated_by_their_first_repository",
            "released_at is distinct from expected_released_at",
            among="sample",
            show="release_id, family, release_date_source, released_at, expected_released_at",
            since=FOUNDED_HISTORY,
            because="definition 18: first sight, else a correction, else the day of creation; a rhythm is made of these dates",
        ),
    ),
)
