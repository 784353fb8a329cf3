"""What we promise about the landed Parquet of the listings beside the models; nothing of ours rests on them yet.
The models' own landing is in raw.py; the subjects' SQL is in ../subjects/."""

from __future__ import annotations

from orchestration.quality.promises import Promise, Suite, equal, never, rarely, unique, within
from orchestration.quality.suites.raw import IN_ORDER_OF_ID

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
