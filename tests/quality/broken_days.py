"""For every promise of the registry one small change of a good day that breaks this promise and no other of its suite.
What a good day looks like is in good_day.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration.settings import Settings
from tests.quality.good_day import DAY, MODELS, NEXT_DAY, land_day, land_listing_day

Change = Callable[[Settings], None]


@dataclass(frozen=True)
class Landing:
    """A change of NEXT_DAY's landing: other rows (SQL over `good`), or a change of the files beside them."""

    rows: str = "select * from good"
    after: Change | None = None
    listing: str = "models"


@dataclass(frozen=True)
class Database:
    """A change of the warehouse, or of the candidate copied from the good warehouse before."""

    warehouse: str = ""
    candidate: str = ""


def replaced(expression: str, column: str, where: str, listing: str = "models") -> Landing:
    """The good rows, with `column` set to `expression` where `where` holds."""
    rows = f"select * replace (case when {where} then {expression} else {column} end as {column}) from good"
    return Landing(rows, listing=listing)


def manifest_with(listing: str = "models", **entries: object) -> Change:
    """NEXT_DAY's manifest with other entries."""

    def change(settings: Settings) -> None:
        manifest = settings.landing_dir / listing / f"snapshot_date={NEXT_DAY}" / "_manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | entries))

    return change


def capture_with(column: str, expression: str) -> Change:
    def change(settings: Settings) -> None:
        path = settings.landing_dir / "captures" / f"snapshot_date={NEXT_DAY}" / "part-00000.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"create table capture as from read_parquet('{path}', hive_partitioning = false)")
            connection.execute(f"update capture set {column} = {expression}")
            connection.execute(f"copy capture to '{path}' (format parquet)")

    return change


# one row is enough to break what must never be; one in twenty breaks what may be rare
ONE, MANY = "i = 42", "i % 20 = 3"


def one_of_the_largest_before(settings: Settings) -> None:
    """On the landed day before NEXT_DAY one repository had as many downloads as a thousand have on the real Hub."""
    land_day(settings, DAY, rows=replaced("150000", "downloads", ONE).rows)


def manifests_of_past_days(*weekdays: int, drop: bool = False, **entries: object) -> Change:
    """The manifests of the days before NEXT_DAY that are of such weekdays (Monday is 0; all, if none is named) with other
    entries, or without them altogether."""

    def change(settings: Settings) -> None:
        for path in (settings.landing_dir / "models").glob("snapshot_date=*/_manifest.json"):
            day = date.fromisoformat(path.parent.name.split("=")[1])
            if day < NEXT_DAY and (not weekdays or day.weekday() in weekdays):
                if drop:
                    path.unlink()
                else:
                    path.write_text(json.dumps(json.loads(path.read_text()) | entries))

    return change


def rows_told(rows: int) -> Change:
    """NEXT_DAY's manifest with another number of rows, the same part of them without a task."""
    return manifest_with(rows=rows, nulls={"sha": 3, "pipeline_tag": rows // 2})


def both(*changes: Change) -> Change:
    def change(settings: Settings) -> None:
        for each in changes:
            each(settings)

    return change


RAW_MODELS = {
    "row_count_equals_the_manifest": Landing(after=manifest_with(rows=MODELS + 1)),
    "row_count_equals_the_capture": Landing(after=capture_with("models", "models - 1")),
    "all_time_downloads_equal_the_capture": Landing(after=capture_with("downloads_all_time", "downloads_all_time - 1")),
    "capture_is_complete": Landing(after=capture_with("status", "'incomplete'")),
    "day_holds_one_capture": replaced("'another'", "source_revision", ONE),
    "capture_time_is_on_the_day": Landing("select * replace (captured_at - interval 1 day as captured_at) from good"),
    "repository_id_is_unique": Landing(
        "select * from (from good union all (select * replace ('n5/again' as id) from good where i = 7)) order by _id"
    ),
    "repository_id_is_24_hex_digits": replaced("substr(_id, 1, 23) || 'g'", "_id", ONE),
    "repository_ids_are_in_order": Landing("select * from good order by case when i = 42 then 44.5 else i end"),
    "created_at_is_the_time_in_the_repository_id": replaced("createdAt + interval 1 hour", "createdAt", MANY),
    "created_at_is_not_after_the_walk": Landing(
        "select * replace (case when i = 1999 then captured_at + interval 1 hour else createdAt end as createdAt, "
        "case when i = 1999 then printf('%08x%016x', cast(epoch(captured_at) + 3600 as bigint), i) else _id end "
        "as _id) from good"
    ),
    "model_name_is_well_formed": replaced("id || ' or so'", "id", MANY),
    "model_name_is_held_once": replaced("'n3/same'", "id", MANY),
    "downloads_is_not_negative": replaced("-1", "downloads", ONE),
    "all_time_downloads_is_not_negative": replaced("-1", "downloadsAllTime", ONE),
    "likes_is_not_negative": replaced("-1", "likes", ONE),
    "downloads_are_within_all_time_downloads": replaced("downloads - 1", "downloadsAllTime", MANY),
    # few enough that the distribution keeps its shape
    "downloads_are_near_the_last_complete_day": Landing(
        "select * replace (cast(downloads * 0.695 as bigint) as downloads) from good"
    ),
    "largest_repositories_are_still_there": Landing(f"select * from good where not ({ONE})", one_of_the_largest_before),
    "downloads_are_distributed_as_on_the_last_day": Landing(
        "select * replace (cast(case when i % 2 = 0 then downloads * 1.95 else downloads * 0.05 end as bigint) as downloads, "
        "downloadsAllTime * 2 as downloadsAllTime) from good"
    ),
    "sentinel_models_are_still_there": Landing("select * from good where id <> 'openai-community/gpt2'"),
    "gated_is_in_the_closed_list": replaced("'by-invitation'", "gated", ONE),
    "no_model_is_private": replaced("true", "private", ONE),
    "values_fit_their_types": replaced("['likes']", "cast_errors", MANY),
    "created_at_is_given": replaced("null", "createdAt", MANY),
    "downloads_is_given": replaced("null", "downloads", MANY),
    "all_time_downloads_is_given": replaced("null", "downloadsAllTime", MANY),
    "author_is_given": replaced("null", "author", MANY),
    "likes_is_given": replaced("null", "likes", MANY),
    "tags_are_given": replaced("null", "tags", MANY),
    "gated_is_given": replaced("null", "gated", MANY),
    "pipeline_tag_is_not_gone": replaced("null", "pipeline_tag", "true"),
}


def on_one(table: str, assignment: str, where: str = "true", key: str = "repo_id") -> Database:
    """One row of a warehouse table, the first by its key that `where` allows, gets the assignment."""
    return Database(f"update {table} set {assignment} where {key} = (select min({key}) from {table} where {where})")


STAGED = "staging.stg_hub__models"
ANOTHER_STAGED = f"""
    insert into {STAGED}
    select * replace (repeat('f', 24) as repo_id, 0 as downloads_30d, 0 as downloads_all_time) from {STAGED} limit 1
"""

RAW_LANDING = {
    "no_field_is_new": Landing(after=manifest_with(unknown_fields={"xetEnabled": MODELS, "novelty": 1})),
    "no_field_has_gone": Landing(
        after=manifest_with(nulls={"sha": 3, "pipeline_tag": MODELS // 2, "cardData": MODELS})
    ),
    # 2 % in five days: no day's growth is unusual
    "rows_have_not_fallen": Landing(
        after=both(manifests_of_past_days(1, 0, 6, 5, drop=True), rows_told(MODELS * 98 // 100))
    ),
    "volume_grows_as_on_this_weekday": Landing(after=rows_told(MODELS * 103 // 100)),
    # Wednesdays are held against Wednesdays, as long as there are some
    "volume_grows_as_lately": Landing(after=both(manifests_of_past_days(2, drop=True), rows_told(MODELS * 103 // 100))),
    "ids_vanish_as_usual": Landing(after=manifest_with(identity={"gone": MODELS // 100, "counters_fallen": 1})),
    "hardly_any_counter_falls": Landing(after=manifest_with(identity={"gone": 0, "counters_fallen": MODELS // 20})),
    "null_shares_are_as_in_the_weeks_before": Landing(
        after=manifest_with(nulls={"sha": MODELS // 10, "pipeline_tag": MODELS // 2})
    ),
    "no_field_is_retyped": Landing(after=manifest_with(retyped={"likes: number": 1, "downloads: string": 3})),
    "counters_moved_as_usual": Landing(
        after=manifest_with(counters={"event": "stalled", "said": "99 % unchanged", "captured_while_moving": False})
    ),
    "captured_after_the_counters_had_moved": Landing(
        after=manifest_with(counters={"event": "none", "said": "", "captured_while_moving": True})
    ),
}


def accounts_with(statement: str = "", **entries: object) -> Landing:
    """NEXT_DAY's accounts changed by a statement about `accounts`, or their manifest with other entries."""

    def change(settings: Settings) -> None:
        folder = settings.landing_dir / "accounts" / f"snapshot_date={NEXT_DAY}"
        path, manifest = folder / "part-00000.parquet", folder / "_manifest.json"
        with duckdb.connect() as connection:
            connection.execute(f"create table accounts as from read_parquet('{path}', hive_partitioning = false)")
            if statement:
                connection.execute(statement)
            connection.execute(f"copy accounts to '{path}' (format parquet)")
            rows = connection.execute("select count(*) from accounts").fetchone()[0]
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"rows": rows} | entries))

    return Landing(after=change)


AUTHORS_ACCOUNTS = {
    "row_count_equals_the_manifest": accounts_with(rows=1),
    "namespace_is_unique": accounts_with("insert into accounts from accounts where namespace = 'n0'"),
    "account_type_is_in_the_closed_list": accounts_with(
        "update accounts set account_type = 'bot' where namespace = 'n0'"
    ),
    "persons_are_only_name_and_type": accounts_with("update accounts set full_name = 'A B' where namespace = 'n14'"),
    "known_accounts_are_not_forgotten": accounts_with("delete from accounts where namespace = 'n0'"),
    "hardly_any_account_changes_its_type": accounts_with(
        "update accounts set account_type = 'person', full_name = null, is_verified = null, followers = null "
        "where namespace like 'n5%'"
    ),
    "known_part_of_downloads_has_not_fallen": accounts_with(known_downloads_share=0.9),
    "look_ups_succeed": accounts_with(failed=["n18"]),
}

STAGING_MODELS = {
    "row_count_equals_the_landing": Database(ANOTHER_STAGED),
    "downloads_equal_the_landing": on_one(STAGED, "downloads_30d = downloads_30d + 1"),
    "all_time_downloads_equal_the_landing": on_one(STAGED, "downloads_all_time = downloads_all_time + 1"),
    "repo_id_is_unique": on_one(STAGED, f"repo_id = (select max(repo_id) from {STAGED})"),
    "namespace_is_given": on_one(STAGED, "namespace = null"),
    "gated_is_in_the_closed_list": on_one(STAGED, "gated = 'by-invitation'"),
    "no_model_is_private": on_one(STAGED, "is_private = true"),
    "floor_of_created_at_is_flagged": on_one(STAGED, "is_created_at_floor = false", "is_created_at_floor"),
}

PARENTS = "staging.stg_hub__model_parents"
STAGING_MODEL_PARENTS = {
    "model_and_parent_are_unique": Database(f"insert into {PARENTS} from {PARENTS} limit 1"),
    "child_is_a_model_of_the_day": on_one(PARENTS, "repo_id = 'elsewhere'"),
    "relation_is_in_the_closed_list": on_one(PARENTS, "relation = 'cousin'"),
}

ACCOUNTS = "staging.stg_hub__accounts"
STAGING_ACCOUNTS = {
    "row_count_equals_the_landing": Database(f"delete from {ACCOUNTS} where namespace = 'n0'"),
    "namespace_is_unique": Database(f"update {ACCOUNTS} set namespace = 'n1' where namespace = 'n0'"),
    "account_type_is_in_the_closed_list": Database(
        f"update {ACCOUNTS} set account_type = 'bot' where namespace = 'n0'"
    ),
    "persons_are_only_name_and_type": Database(f"update {ACCOUNTS} set full_name = 'A B' where namespace = 'n14'"),
}

CAPTURES = "staging.stg_hub__captures"
STAGING_CAPTURES = {
    "snapshot_date_is_unique": Database(f"insert into {CAPTURES} from {CAPTURES}"),
    "capture_is_complete": Database(f"update {CAPTURES} set status = 'incomplete'"),
    "models_equal_the_staged_rows": Database(f"update {CAPTURES} set models = models + 1"),
    "all_time_downloads_equal_the_staged_sum": Database(
        f"update {CAPTURES} set downloads_all_time = downloads_all_time + 1"
    ),
}

ATTRIBUTED = "intermediate.int_models_attributed"
INTERMEDIATE_MODELS_ATTRIBUTED = {
    "row_count_equals_staging": Database(ANOTHER_STAGED),
    "repo_id_is_unique": Database(
        f"{ANOTHER_STAGED}; insert into {ATTRIBUTED} "
        f"select * replace (0 as downloads_30d, 0 as downloads_all_time) from {ATTRIBUTED} limit 1"
    ),
    "uploader_country_exists": on_one(ATTRIBUTED, "uploader_country_code = 'QQ'"),
    "origin_country_exists": on_one(ATTRIBUTED, "origin_country_code = null"),
    "downloads_equal_staging": on_one(ATTRIBUTED, "downloads_30d = downloads_30d - 1"),
    "all_time_downloads_equal_staging": on_one(ATTRIBUTED, "downloads_all_time = downloads_all_time - 1"),
    "age_is_the_days_since_creation": on_one(ATTRIBUTED, "age_days = age_days + 1", "age_days > 1000"),
    "new_is_younger_than_a_year_and_not_at_the_floor": on_one(ATTRIBUTED, "is_new = true", "is_created_at_floor"),
    "pipeline_tag_is_in_the_seed": Database(
        f"update {ATTRIBUTED} set pipeline_tag = 'mind-reading' where age_days % 20 = 3"
    ),
    "license_is_in_the_seed": Database(f"update {ATTRIBUTED} set license = 'my-own' where age_days % 10 = 3"),
}

SHARES = "marts.mart_daily_country_share"
SNAPSHOTS = "marts.dim_snapshots"


def in_one_group(*assignments: tuple[str, str], denominator: str = "all") -> Database:
    """Assignments to rows of one metric, attribution and denominator: (assignment, condition on the rows)."""
    group = f"metric = 'trailing_30d' and attribution = 'origin' and denominator = '{denominator}'"
    return Database("; ".join(f"update {SHARES} set {what} where {group} and {where}" for what, where in assignments))


DAY_BEFORE = "select * replace (snapshot_date - 1 as snapshot_date)"


def another_share_the_day_before(by: float) -> Database:
    """The day before, all the same but for one country; nobody knows why."""
    return Database(
        f"insert into {SNAPSHOTS} {DAY_BEFORE} from {SNAPSHOTS}; insert into {SHARES} {DAY_BEFORE} from {SHARES}; "
        f"update {SHARES} set share = share - {by}, share_without_top_repository = share_without_top_repository - {by} "
        f"where country_code = 'US' and metric = 'all_time' and snapshot_date < date '{DAY}'"
    )


MARTS_DAILY_COUNTRY_SHARE = {
    "key_is_unique": Database(
        f"insert into {SHARES} select * replace (0 as downloads, 0.0 as share, null as share_low, null as share_high) "
        f"from {SHARES} where country_code = 'XC' limit 1"
    ),
    "country_exists": in_one_group(("country_code = 'QQ'", "country_code = 'XI'")),
    "shares_of_a_denominator_sum_to_one": in_one_group(("share = share * 1.001", "country_code = 'XC'")),
    "downloads_sum_to_the_attributed_models": in_one_group(
        ("downloads = downloads + 1", "country_code = 'XC'"), ("total_downloads = total_downloads + 1", "true")
    ),
    "total_is_the_sum_of_its_countries": in_one_group(("total_downloads = total_downloads + 1", "country_code = 'FR'")),
    "downloads_and_share_are_in_range": in_one_group(
        ("share_low = null, share_high = null", "country_code in ('XC', 'XX')"),
        (
            f"share = share + 0.01 + (select share from {SHARES} where metric = 'trailing_30d' "
            "and attribution = 'origin' and denominator = 'all' and country_code = 'XX')",
            "country_code = 'XC'",
        ),
        ("share = -0.01", "country_code = 'XX'"),
    ),
    "share_lies_within_its_bounds": in_one_group(("share_low = share + 0.001", "country_code = 'FR'")),
    "ranks_start_at_one": in_one_group(("rank = rank + 1", "rank is not null")),
    "only_iso_countries_are_ranked": in_one_group(("rank = 99", "country_code = 'XX'")),
    "iso_downloads_are_equal_across_denominators": in_one_group(
        ("downloads = downloads + 1", "country_code = 'CN'"),
        ("downloads = downloads - 1", "country_code = 'XX'"),
        denominator="organizations",
    ),
    "china_to_us_ratio_is_equal_across_denominators": in_one_group(
        ("share = share + 0.00001", "country_code = 'CN'"),
        ("share = share - 0.00001", "country_code = 'XX'"),
        denominator="organizations",
    ),
    "no_country_jumps_without_a_named_cause": another_share_the_day_before(by=0.02),
    "no_country_leaps_without_a_named_cause": another_share_the_day_before(by=0.2),
    "thirty_days_sum_to_the_hubs_own_count": Database(
        f"update {SHARES} set downloads = downloads * 2, total_downloads = total_downloads * 2 where metric = 'window'"
    ),
    # of a Hub as large as the real one; one repository alone, so that it is no jump
    "the_twenty_largest_keep_their_shares": Database(
        f"update {ATTRIBUTED} set downloads_30d = downloads_30d * 100; "
        f"update {SHARES} set downloads = downloads * 100, total_downloads = total_downloads * 100 "
        "where metric in ('trailing_30d', 'window', 'new_trailing_30d'); "
        f"insert into {SNAPSHOTS} {DAY_BEFORE} from {SNAPSHOTS}; insert into {SHARES} {DAY_BEFORE} from {SHARES}; "
        f"update {SHARES} set share = share / 2 "
        f"where country_code = 'FR' and metric = 'trailing_30d' and snapshot_date < date '{DAY}'"
    ),
}

ORGANIZATION_SHARES = "marts.mart_daily_organization_share"
ONE_ORGANIZATION = "where metric = 'all_time' and attribution = 'origin' and organization = 'n10'"
MARTS_DAILY_ORGANIZATION_SHARE = {
    "key_is_unique": Database(
        f"insert into {ORGANIZATION_SHARES} "
        "select * replace (0 as downloads, 0.0 as share_of_country, 0.0 as share_of_total) "
        f"from {ORGANIZATION_SHARES} {ONE_ORGANIZATION}"
    ),
    "organizations_sum_to_their_country": Database(
        f"update {ORGANIZATION_SHARES} set downloads = downloads + 1 {ONE_ORGANIZATION}"
    ),
    "shares_of_a_country_sum_to_one": Database(
        f"update {ORGANIZATION_SHARES} set share_of_country = share_of_country * 0.99 {ONE_ORGANIZATION}"
    ),
    "shares_are_in_range": Database(f"update {ORGANIZATION_SHARES} set share_of_total = 1.5 {ONE_ORGANIZATION}"),
}

COVERAGE = "marts.mart_attribution_coverage"
ONE_BASIS = "where attribution = 'origin' and basis = 'models'"
DOWNLOADS = "where attribution = 'uploader' and basis = 'downloads'"
MARTS_ATTRIBUTION_COVERAGE = {
    "key_is_unique": Database(f"insert into {COVERAGE} from {COVERAGE} {ONE_BASIS}"),
    "each_attribution_has_each_basis": Database(f"delete from {COVERAGE} {ONE_BASIS}"),
    "coverage_is_within_zero_and_one": Database(f"update {COVERAGE} set located_share = -0.1 {ONE_BASIS}"),
    "located_is_part_of_classed": Database(f"update {COVERAGE} set located_share = 0.85 {ONE_BASIS}"),
    "located_downloads_have_not_collapsed": Database(f"update {COVERAGE} set located_share = 0.19 {DOWNLOADS}"),
    "located_downloads_are_as_usual": Database(f"update {COVERAGE} set located_share = 0.59 {DOWNLOADS}"),
    "classed_downloads_are_as_usual": Database(
        f"update {COVERAGE} set classed_share = 0.69, located_share = 0.69 {DOWNLOADS}"
    ),
    "coverage_has_not_fallen": Database(
        f"insert into {COVERAGE} {DAY_BEFORE} from {COVERAGE}; "
        f"update {COVERAGE} set classed_share = 0.825 {ONE_BASIS} and snapshot_date < date '{DAY}'"
    ),
    "top_200_accounts_are_classed": Database(
        f"update {ATTRIBUTED} set uploader_country_code = 'XX' where namespace = 'n12'"
    ),
}

SENSITIVITY = "marts.mart_attribution_sensitivity"
MARTS_ATTRIBUTION_SENSITIVITY = {
    "key_is_unique": Database(
        f"insert into {SENSITIVITY} select * replace (0 as downloads, 0.0 as share, difference - share as difference) "
        f"from {SENSITIVITY} where variant = 'other_country' and country_code = 'CN'"
    ),
    "country_exists": Database(
        f"update {SENSITIVITY} set country_code = 'ZZ', difference = share "
        "where variant = 'moved:n10' and country_code = 'FR'"
    ),
    "unmoved_shares_are_the_published_ones": Database(
        f"update {SENSITIVITY} set downloads = downloads + case country_code when 'CN' then 1 else -1 end "
        "where variant = 'published' and country_code in ('CN', 'FR')"
    ),
    "every_variant_has_the_published_total": Database(
        f"update {SENSITIVITY} set downloads = downloads + 1 where variant = 'moved:n10' and country_code = 'XX'"
    ),
    "difference_is_from_the_published_share": Database(
        f"update {SENSITIVITY} set difference = -difference where variant = 'moved:n10' and country_code = 'XX'"
    ),
    "every_decision_is_taken_otherwise": Database(f"delete from {SENSITIVITY} where variant = 'repackagers_at_home'"),
    "a_moved_organization_has_a_target": Database(
        f"update {SENSITIVITY} set moved_to = null where variant = 'moved:n10'"
    ),
}

QUEUE = "marts.mart_attribution_queue"
MARTS_ATTRIBUTION_QUEUE = {
    "namespace_is_unique": Database(f"update {QUEUE} set namespace = 'n13'"),
    "downloads_and_share_are_in_range": Database(f"update {QUEUE} set share = 1.5 where namespace = 'n13'"),
}

CLAIMS = "marts.mart_headline_claims"
MARTS_HEADLINE_CLAIMS = {
    "key_is_unique": Database(f"insert into {CLAIMS} from {CLAIMS} where claim_id = 1"),
    "every_claim_has_a_row": Database(f"delete from {CLAIMS} where claim_id = 7"),
    "claims_1_3_and_12_have_an_answer": Database(
        "update staging.stg_hub__models set model_id = 'Qwen/model' "
        "where repo_id = (select max(repo_id) from staging.stg_hub__models); "
        f"update {CLAIMS} set value = null, caveat = 'not today' where claim_id = 3"
    ),
    "a_missing_answer_says_why": Database(f"update {CLAIMS} set caveat = ' ' where claim_id = 5"),
}

MARTS_SNAPSHOTS = {
    "snapshot_date_is_unique": Database(f"insert into {SNAPSHOTS} from {SNAPSHOTS}"),
    "day_is_complete": Database(f"update {SNAPSHOTS} set status = 'incomplete'"),
    "platform_event_is_in_the_closed_list": Database(f"update {SNAPSHOTS} set platform_event = 'hiccup'"),
    "models_equal_the_staged_rows": Database(f"update {SNAPSHOTS} set models = models - 1"),
    "all_time_downloads_equal_the_staged_sum": Database(
        f"update {SNAPSHOTS} set downloads_all_time = downloads_all_time - 1"
    ),
    "calendar_has_no_holes": Database(
        f"insert into {SNAPSHOTS} select * replace (snapshot_date - 2 as snapshot_date) from {SNAPSHOTS}"
    ),
    "the_day_before_was_captured": Database(
        f"insert into {SNAPSHOTS} select * replace (snapshot_date - 1 as snapshot_date, 'missing' as status) from {SNAPSHOTS}"
    ),
}

DIM_MODELS = "marts.dim_models"
MARTS_MODELS = {
    "repo_id_is_unique": Database(f"insert into {DIM_MODELS} from {DIM_MODELS} limit 1"),
    "every_model_of_the_day_is_there": Database(f"delete from {DIM_MODELS} where model_id = 'openai-community/gpt2'"),
    "the_day_lies_between_first_and_last_sight": on_one(DIM_MODELS, "first_seen_date = date '2026-12-01'"),
}

BRIDGE = "marts.bridge_model_parents"
MARTS_MODEL_PARENTS = {
    "key_is_unique": Database(f"insert into {BRIDGE} from {BRIDGE} limit 1"),
    "child_is_a_known_model": on_one(BRIDGE, "repo_id = 'elsewhere'"),
}

COUNTRIES = "marts.dim_countries"
MARTS_COUNTRIES = {
    "country_code_is_unique": Database(f"update {COUNTRIES} set country_code = 'FR' where country_code = 'CN'"),
    "the_four_codes_of_our_own_are_there": Database(f"delete from {COUNTRIES} where country_code = 'XM'"),
    "user_assigned_codes_are_only_our_four": Database(
        f"update {COUNTRIES} set is_user_assigned = true where country_code = 'FR'"
    ),
    "country_has_a_name": Database(f"update {COUNTRIES} set country_name = '' where country_code = 'FR'"),
}

ORGANIZATIONS = "marts.dim_organizations"
MARTS_ORGANIZATIONS = {
    "key_is_unique": Database(f"insert into {ORGANIZATIONS} from {ORGANIZATIONS} where namespace = 'n0'"),
    "country_exists": Database(f"update {ORGANIZATIONS} set country_code = 'QQ' where namespace = 'n0'"),
    "validities_do_not_overlap": Database(
        f"update {ORGANIZATIONS} set valid_to = date '2025-06-01' where namespace = 'moved' and valid_to is not null"
    ),
    "no_person_is_listed": Database(
        f"update {ORGANIZATIONS} set account_type = 'person', organization = null where namespace = 'n0'"
    ),
}

RELEASES = "marts.fct_releases"
MARTS_RELEASES = {
    "key_is_unique": Database(f"insert into {RELEASES} from {RELEASES} limit 1"),
    "sampled_releases_have_their_variants": Database(f"update {RELEASES} set variants = variants + 1"),
    "sampled_releases_are_of_one_family": Database(
        f"update {DIM_MODELS} set family = 'Qwen4' where model_id = 'n5-0/model-805'"
    ),
    "sampled_releases_are_dated_by_their_first_repository": Database(
        f"update {RELEASES} set released_at = released_at + 1"
    ),
}

PUBLISHED_DATABASE = {
    "public_tables_are_present": Database(candidate=f"drop table {QUEUE}"),
    "tables_can_be_read_under_lock_down": Database(
        candidate="copy (select 1 as one) to '{folder}/one.parquet'; set variable place = '{folder}'; "
        "create view marts.elsewhere as "
        "select * from read_parquet(coalesce(getvariable('place'), 'nowhere') || '/one.parquet')"
    ),
    "row_counts_equal_the_warehouse": Database(candidate=f"delete from {QUEUE} where namespace = 'n13'"),
    "columns_equal_the_warehouse": Database(candidate=f"alter table {QUEUE} rename column share to part"),
    "keys_are_unique": Database(candidate=f"update {QUEUE} set namespace = 'n13'"),
    "views_name_no_absolute_path": Database(
        warehouse="create table marts.here as select 1 as one",
        candidate="copy (select 1 as one) to '{folder}/one.parquet'; "
        "create view marts.here as select * from read_parquet('{folder}/one.parquet')",
    ),
}

PUBLISHED_DAYS = {
    "day_is_complete": Database(candidate=f"update {SNAPSHOTS} set status = 'incomplete'"),
    "country_share_has_the_day": Database(candidate=f"delete from {SHARES}"),
    "organization_share_has_the_day": Database(candidate=f"delete from {ORGANIZATION_SHARES}"),
    "attribution_coverage_has_the_day": Database(candidate=f"delete from {COVERAGE}"),
    "headline_claims_has_the_day": Database(candidate=f"delete from {CLAIMS}"),
    "newest_day_is_fresh": Database(candidate=f"update {SNAPSHOTS} set captured_at = captured_at - interval 2 day"),
}

PUBLISHED_CHECKS = {
    "every_check_ran": Database(
        "delete from marts.fct_quality_results where check_name = 'largest_repositories_are_still_there'"
    ),
}


def first_day_moved_back(listing: str, days: int) -> Change:
    """The landed day before NEXT_DAY is one of so many days earlier: the listing wasn't landed in between."""

    def change(settings: Settings) -> None:
        folder = settings.landing_dir / listing
        (folder / f"snapshot_date={DAY}").rename(folder / f"snapshot_date={DAY - timedelta(days=days)}")

    return change


def of_a_listing(listing: str) -> dict[str, Landing]:
    """What breaks the promises that all listings beside the models have in common."""

    def landing(rows: str = "select * from good", after: Change | None = None) -> Landing:
        return Landing(rows, after, listing)

    def changed(expression: str, column: str, where: str) -> Landing:
        return replaced(expression, column, where, listing)

    return {
        "row_count_equals_the_manifest": landing(after=manifest_with(listing, rows=1999)),
        # 2 % less is too much for a listing that grows, but not for what may leave one in three months
        "rows_are_not_fewer_than_on_the_last_day": landing(
            "select * from good where i % 50 <> 3", first_day_moved_back(listing, 100)
        ),
        "hardly_any_id_has_vanished": landing("select * from good where i % 125 <> 3"),  # 0.8 %
        "capture_time_is_on_the_day": landing(
            "select * replace (captured_at - interval 1 day as captured_at) from good"
        ),
        "repository_id_is_unique": landing(
            "select * from (from good union all (select * replace ('n5/again' as id) from good where i = 7)) order by _id"
        ),
        "repository_id_is_24_hex_digits": changed("substr(_id, 1, 23) || 'g'", "_id", ONE),
        "repository_ids_are_in_order": landing("select * from good order by case when i = 42 then 44.5 else i end"),
        "created_at_is_the_time_in_the_repository_id": changed("createdAt + interval 1 hour", "createdAt", MANY),
        "created_at_is_given": changed("null", "createdAt", MANY),
        "repository_name_is_well_formed": changed("id || ' or so'", "id", MANY),
        "author_is_given": changed("null", "author", MANY),
        "likes_is_not_negative": changed("-1", "likes", ONE),
        "likes_is_given": changed("null", "likes", MANY),
        "values_fit_their_types": changed("['likes']", "cast_errors", MANY),
        "no_repository_is_private": changed("true", "private", ONE),
    }


LISTINGS_DATASETS = of_a_listing("datasets") | {
    "downloads_is_not_negative": replaced("-1", "downloads", ONE, "datasets"),
    "downloads_is_given": replaced("null", "downloads", MANY, "datasets"),
    "gated_is_in_the_closed_list": replaced("'by-invitation'", "gated", ONE, "datasets"),
}

LISTINGS_SPACES = of_a_listing("spaces")

BROKEN: dict[str, dict[str, Landing | Database]] = {
    "raw_models": RAW_MODELS,
    "raw_landing": RAW_LANDING,
    "authors_accounts": AUTHORS_ACCOUNTS,
    "staging_models": STAGING_MODELS,
    "staging_model_parents": STAGING_MODEL_PARENTS,
    "staging_accounts": STAGING_ACCOUNTS,
    "staging_captures": STAGING_CAPTURES,
    "intermediate_models_attributed": INTERMEDIATE_MODELS_ATTRIBUTED,
    "marts_daily_country_share": MARTS_DAILY_COUNTRY_SHARE,
    "marts_daily_organization_share": MARTS_DAILY_ORGANIZATION_SHARE,
    "marts_attribution_coverage": MARTS_ATTRIBUTION_COVERAGE,
    "marts_attribution_sensitivity": MARTS_ATTRIBUTION_SENSITIVITY,
    "marts_attribution_queue": MARTS_ATTRIBUTION_QUEUE,
    "marts_headline_claims": MARTS_HEADLINE_CLAIMS,
    "marts_snapshots": MARTS_SNAPSHOTS,
    "marts_models": MARTS_MODELS,
    "marts_model_parents": MARTS_MODEL_PARENTS,
    "marts_countries": MARTS_COUNTRIES,
    "marts_organizations": MARTS_ORGANIZATIONS,
    "marts_releases": MARTS_RELEASES,
    "published_database": PUBLISHED_DATABASE,
    "published_days": PUBLISHED_DAYS,
    "published_checks": PUBLISHED_CHECKS,
    "listings_datasets": LISTINGS_DATASETS,
    "listings_spaces": LISTINGS_SPACES,
}

# landed cases break the second day, since some promises look back at the first; warehouses hold the first alone
JUDGED_DAY = {name: NEXT_DAY if name.startswith(("raw_", "authors_", "listings_")) else DAY for name in BROKEN}


def break_promise(settings: Settings, suite: str, check: str) -> None:
    """Change a good home so that this promise is broken on its judged day."""
    day = JUDGED_DAY[suite]
    match BROKEN[suite][check]:
        case Landing(rows, after, listing):
            if listing == "models":
                land_day(settings, day, rows=rows)
            else:
                land_listing_day(settings, listing, day, rows=rows)
            if after:
                after(settings)
        case Database(warehouse, candidate):
            database = settings.published_dir / "_candidates" / "one" / "observatory.duckdb"
            _execute(settings.warehouse_path, warehouse)
            _execute(database, candidate.replace("{folder}", str(database.parent)))


def _execute(database: Path, sql: str) -> None:
    if not sql:
        return
    with duckdb.connect(str(database)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(sql)
