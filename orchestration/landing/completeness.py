"""The completeness gate: may this walk become the day? Its bounds, each with its reason, and the judgement.
Whether the rows are plausible is for the quality gates; here only whether they are all."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path

import duckdb

from orchestration.landing.folders import DayFolder

SET_ON = date(2026, 11, 24)


def _bound(default: float, reason: str, set_on: date = SET_ON):
    return field(default=default, metadata={"reason": reason, "set_on": set_on})


@dataclass(frozen=True)
class CompletenessBounds:
    """How far a walk may be from what was expected. Shares are of the expected rows, unless they say otherwise.

    A share of a small Hub (a sandbox of hundreds) is less than one row, so each allowance is at least
    `small_hub_rows`; but that floor is never as much as half a page, so that it can't hide a lost page.
    """

    fewer_rows_share: float = _bound(
        0.005,
        "about 600 of 3.2 M repositories (0.02 %) leave the Hub a day; 0.5 % is 25 such days, or a short walk",
    )
    more_rows_share: float = _bound(
        0.01, "rows beyond the last day's and those created since were private before; 1 % would be a month's new ones"
    )
    vanished_share: float = _bound(
        0.005, "of the last complete day's ids: 25 times what leaves on a usual day (0.02 %); other ids, another Hub"
    )
    vanished_in_a_row: float = _bound(
        0.5,
        "of a page: deletions are spread over all ids, a lost page is a gap; shares of millions can't see one page",
    )
    site_total_share: float = _bound(
        0.002, "the site's own count is a cache and moves during the walk (about 110 rows an hour, 0.004 %)"
    )
    pages_over_expected: float = _bound(
        1.2, "times the expected pages: a cursor that creeps instead of ending would go on for days"
    )
    small_hub_rows: float = _bound(10, "a handful of deletions is no truncation, however small the Hub")

    def allowance(self, share: float, expected: int, page_size: int) -> int:
        """Rows that may differ: the share, but at least a handful that is smaller than half a page."""
        return max(int(share * expected), min(int(self.small_hub_rows), (page_size - 1) // 2))


REASONS: dict[str, str] = {item.name: item.metadata["reason"] for item in fields(CompletenessBounds)}


@dataclass(frozen=True)
class Walked:
    """What the walk itself says: rows counted page by page, ids at both ends, the site's total if it gave one."""

    rows: int
    pages: int
    first_id: str | None
    last_id: str | None
    is_terminal: bool
    page_size: int
    site_total: int | None
    site_total_note: str


@dataclass(frozen=True)
class Verdict:
    """One promise of completeness. `passed` is None where it couldn't be judged, with the reason in `observed`."""

    promise: str
    passed: bool | None
    observed: str
    threshold: str
    reason: str


def judge(
    walked: Walked, parts: list[Path], last: DayFolder | None, bounds: CompletenessBounds
) -> tuple[list[Verdict], int | None]:
    """The verdict on each promise, and the sum of all-time downloads (null if beyond 64 bits).

    `last` is the last complete day; without one, the promises that compare with it can't be judged and say so.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute("create view today as " + _scan(parts))
        rows, ids, first_id, last_id, downloads = connection.execute(
            "select count(*), count(distinct _id), min(_id), max(_id), sum(downloadsAllTime)::hugeint from today"
        ).fetchone()
        verdicts = [
            Verdict(
                "the listing's last page was reached",
                walked.is_terminal,
                f"{walked.pages:,} pages, {'no' if walked.is_terminal else 'a'} next page named",
                "no next page",
                "a walk that ends early looks like deletions",
            ),
            Verdict(
                "files, walk and ids agree",
                rows == ids == walked.rows and (first_id, last_id) == (walked.first_id, walked.last_id) and rows > 0,
                f"{rows:,} rows in files, {walked.rows:,} walked, {ids:,} different ids, from {first_id} to {last_id}",
                f"equal counts, more than none, from {walked.first_id} to {walked.last_id}",
                "what is landed is what was walked, each repository once",
            ),
            _site_total(walked, bounds),
            *_compared(connection, walked, last, bounds),
        ]
    total = int(downloads) if downloads is not None and abs(downloads) < 2**63 else None
    return verdicts, total


def _site_total(walked: Walked, bounds: CompletenessBounds) -> Verdict:
    promise, reason = "the site counts as many", REASONS["site_total_share"]
    if walked.site_total is None:
        return Verdict(promise, None, f"not judged: {walked.site_total_note}", "", reason)
    allowed = bounds.allowance(bounds.site_total_share, walked.site_total, walked.page_size)
    difference = walked.rows - walked.site_total
    return Verdict(
        promise,
        abs(difference) <= allowed,
        f"{walked.rows:,} rows, the site counts {walked.site_total:,} ({difference:+,})",
        f"at most {allowed:,} apart",
        reason,
    )


def _compared(
    connection: duckdb.DuckDBPyConnection, walked: Walked, last: DayFolder | None, bounds: CompletenessBounds
) -> Iterable[Verdict]:
    volume, vanished, gap = "as many rows as expected", "hardly any id has vanished", "no page is missing"
    if last is None:
        note = "not judged: no complete day before this one"
        yield Verdict(volume, None, note, "", REASONS["fewer_rows_share"])
        yield Verdict(vanished, None, note, "", REASONS["vanished_share"])
        yield Verdict(gap, None, note, "", REASONS["vanished_in_a_row"])
        return
    manifest, day = last.manifest(), last.snapshot_date
    connection.execute("create view earlier as " + _scan(sorted(last.landed.glob("part-*.parquet"))))
    created = connection.execute("select count(*) from today where _id > ?", [manifest["last_id"]]).fetchone()[0]
    expected = manifest["rows"] + created
    fewer = bounds.allowance(bounds.fewer_rows_share, expected, walked.page_size)
    more = bounds.allowance(bounds.more_rows_share, expected, walked.page_size)
    yield Verdict(
        volume,
        -fewer <= walked.rows - expected <= more,
        f"{walked.rows:,} rows; {day} had {manifest['rows']:,} and {created:,} were created since",
        f"{expected - fewer:,} to {expected + more:,} rows",
        REASONS["fewer_rows_share"],
    )
    gone, in_a_row = connection.execute(
        """
        with numbered as (select _id, row_number() over (order by _id) as position from earlier),
        gone as (select position from numbered anti join today using (_id)),
        runs as (select position - row_number() over (order by position) as run from gone),
        lengths as (select count(*) as length from runs group by run)
        select coalesce(sum(length), 0)::bigint, coalesce(max(length), 0) from lengths
        """
    ).fetchone()
    allowed = bounds.allowance(bounds.vanished_share, manifest["rows"], walked.page_size)
    yield Verdict(
        vanished,
        gone <= allowed,
        f"{gone:,} of {manifest['rows']:,} ids of {day} have vanished ({gone / max(manifest['rows'], 1):.2%})",
        f"at most {allowed:,} vanished ids",
        REASONS["vanished_share"],
    )
    longest = int(bounds.vanished_in_a_row * walked.page_size)
    yield Verdict(
        gap,
        in_a_row <= longest,
        f"{in_a_row:,} neighbouring ids of {day} have vanished together",
        f"at most {longest:,} in a row",
        REASONS["vanished_in_a_row"],
    )


def _scan(parts: list[Path]) -> str:
    # a view can't take parameters; the paths are ours, and quotes in them are doubled
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in parts)
    return f"select * from read_parquet([{listed}])"
