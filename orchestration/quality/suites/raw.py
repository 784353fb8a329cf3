"""What we promise about a day's landed Parquet files, before anything is done to them.
Listings beside the models are in listings.py; the subjects' SQL is in ../subjects/."""

from __future__ import annotations

from orchestration.quality.promises import (
    FOUNDED_HISTORY,
    Promise,
    Suite,
    equal,
    learned,
    never,
    one_of,
    rarely,
    unique,
    within,
)

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
        # counted twice, the steps would be kept in memory
        evaluated="count(*)",
        show="filename, file_row_number, preceding_id, _id",
        alone=True,
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

# Six median absolute deviations leave ordinary swings alone; in a small Hub a share is less than a handful of rows.
# 2026-11-29.
DEVIATIONS, POINT, HANDFUL = 6, 0.01, 10
# A usual day adds 2,600 of 3.2 million models, 0.08 %: four times as many, or a fall by as much, is no day's work. 2026-11-29.
GROWTH = 0.003
# Of four weeks each weekday is there four times; with fewer than three of them its own habit isn't known. 2026-11-29.
WEEKDAYS_KNOWN = 3
# A median of fewer days is one of them. 2026-11-29.
DAYS_KNOWN = 3


def _usual(middle: str, deviation: str, floor: float, rows: str) -> tuple[str, str]:
    """Lower and upper bound around what is usual."""
    room = f"greatest({floor}, {DEVIATIONS} * {deviation}, {float(HANDFUL)} / {rows})"
    return f"{middle} - {room}", f"{middle} + {room}"


WEEKDAY_BOUNDS = _usual("weekday_middle", "weekday_deviation", GROWTH, "(select max(models_before) from growth)")
LATELY_BOUNDS = _usual("middle", "deviation", GROWTH, "(select max(models_before) from growth)")
VANISHED_BOUNDS = _usual("middle", "deviation", 0.001, "(select max(models_before) from growth)")

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
            by_hash=True,
            alone=True,
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
            "cast((select surplus from names_as_numbers) as double) / count(*)",
            0,
            0.01,
            severity="watch",
            failed="(select surplus from names_as_numbers)",
            alone=True,
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
        within(
            "largest_repositories_are_still_there",
            "(select count(*) from lost_largest)",
            0,
            0,
            since=FOUNDED_HISTORY,
            evaluated="(select count(*) from previous_largest)",
            failed="(select count(*) from lost_largest)",
            offenders="select _id, id, downloads from lost_largest",
            because="the first thousand hold most of all downloads: where one of them is gone, all its country's sums fall. "
            "An owner may withdraw one, which a row in known_events then says; a lost page or a renewed _id is likelier",
        ),
        within(
            "downloads_are_distributed_as_on_the_last_day",
            "(select max(stability_index) from drift)",
            None,
            0.1,
            since=FOUNDED_HISTORY,
            severity="investigate",
            null_means="no complete day of the 30 before has landed",
            because="population stability index over half decades of 30-day downloads: by convention 0.1 is a shift; days "
            "of the sandbox differ by less than a thousandth, and a sum can stay the same while a field changes its meaning",
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
            because="it comes only when asked for, and the day can't be compared with its neighbours without it: many nulls "
            "are a reply that leaves it out",
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
            severity="investigate",
            null_means="only the Hub's API is asked for the field",
            show="_id, id",
            because="the Hub tells it for every repository; without it openness is known by licence alone",
        ),
        rarely(
            "pipeline_tag_is_not_gone",
            "pipeline_tag is null",
            at_most=0.9,
            severity="investigate",
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
            "rows_have_not_fallen",
            f"(select case when change * models_before between -{HANDFUL} and 0 then 0 else change end from growth)",
            -POINT,
            None,
            since=FOUNDED_HISTORY,
            null_means="no day of the same source has landed in the four weeks before",
            because="listings grow: more is created than withdrawn; a hundredth less is no day's work, and below it a part "
            "of the listing is missing",
        ),
        learned(
            "volume_grows_as_on_this_weekday",
            f"(select growth from growth where (select weekdays from usual_growth) >= {WEEKDAYS_KNOWN})",
            minimum=f"(select {WEEKDAY_BOUNDS[0]} from usual_growth)",
            maximum=f"(select {WEEKDAY_BOUNDS[1]} from usual_growth)",
            basis="(select format('median {:+.4f} ± {} MAD, at least {}, of {} such weekdays in the 28 days before', "
            f"weekday_middle, {DEVIATIONS}, {GROWTH}, weekdays) from usual_growth)",
            since=FOUNDED_HISTORY,
            null_means=f"fewer than {WEEKDAYS_KNOWN} such weekdays have landed in the four weeks before",
            because="rows a day, as a share of the Hub: it sleeps at weekends, so a weekday is held against its like; another "
            "growth is a short walk, another Hub, or a flood of spam that would be counted as new models",
        ),
        learned(
            "volume_grows_as_lately",
            f"(select growth from growth where (select weekdays from usual_growth) < {WEEKDAYS_KNOWN} "
            f"and (select days from usual_growth) >= {DAYS_KNOWN})",
            minimum=f"(select {LATELY_BOUNDS[0]} from usual_growth)",
            maximum=f"(select {LATELY_BOUNDS[1]} from usual_growth)",
            basis="(select format('cold start: median {:+.4f} ± {} MAD, at least {}, of {} days of any weekday', "
            f"middle, {DEVIATIONS}, {GROWTH}, days) from usual_growth)",
            since=FOUNDED_HISTORY,
            severity="investigate",
            null_means=f"this weekday's own growth is known, or that of fewer than {DAYS_KNOWN} days",
            because="until four weeks have landed there is only this to compare with, and it is too little to stop a day",
        ),
        learned(
            "ids_vanish_as_usual",
            "(select share from vanished where snapshot_date = getvariable('day') "
            "and (select days from usual_vanished) >= 7)",
            minimum="null",
            maximum=f"(select {VANISHED_BOUNDS[1]} from usual_vanished)",
            basis="(select format('median {:.5f} + {} MAD, at least 0.001, of {} days in the 28 before', "
            f"middle, {DEVIATIONS}, days) from usual_vanished)",
            since=FOUNDED_HISTORY,
            severity="investigate",
            null_means="fewer than seven days of the same source were compared in the four weeks before",
            because="of the last landed day's ids, per day: 0.02 % leave on a usual day; five times that is a purge by the Hub, "
            "which readers should know of, or a lost part that is too small to stop a day",
        ),
        within(
            "hardly_any_counter_falls",
            "max(fallen_share) filter (where counters_event <> 'recounted')",
            0,
            POINT,
            since=FOUNDED_HISTORY,
            severity="investigate",
            null_means="no earlier day to compare with, or the Hub recounted, which counters_moved_as_usual says",
            because="all-time counters only rise, but for repairs of single ones; more than one in a hundred is a recount "
            "that is too small, or too one-sided, to move the median",
        ),
        learned(
            "null_shares_are_as_in_the_weeks_before",
            "(select max(abs(share - usual_share) / bound) from null_shares)",
            minimum="null",
            maximum="case when (select count(*) from null_shares) > 0 then 1 end",
            basis=f"(select format('each column: median of {{}} to {{}} days ± {DEVIATIONS} MAD, at least a point; "
            "told in such bounds', min(days), max(days)) from null_shares)",
            since=FOUNDED_HISTORY,
            severity="investigate",
            failed="(select count(*) from null_shares where abs(share - usual_share) > bound)",
            evaluated="(select count(*) from null_shares)",
            offenders="select name, share, usual_share, bound from null_shares where abs(share - usual_share) > bound",
            null_means="fewer than seven days of the same source have landed in the four weeks before",
            because="a day's new rows cannot move the nulls of millions by a point: the Hub stopped telling a field of some",
        ),
        within(
            "no_field_is_new",
            "max(len(new_fields))",
            0,
            0,
            severity="watch",
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
            severity="investigate",
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
            severity="watch",
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
            severity="investigate",
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
            severity="watch",
            because="the Hub's counters change between about 04 and 10 UTC: rows captured then may tell two days",
        ),
    ),
)
