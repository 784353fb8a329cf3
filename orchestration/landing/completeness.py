"""The completeness gate: may these rows become the day? Its bounds, each with its reason, and the judgement.
Whether the rows are plausible is for the quality gates; here only whether they are all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from orchestration.hub.listings import Listing
from orchestration.landing.comparison import Comparison, Inspected

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
    gone_share_a_day: float = _bound(
        0.0004, "added for each further day since the last landed one: twice what leaves on a usual day"
    )
    null_share: float = _bound(
        0.02,
        "of a column, either way: a day's 2,600 new rows among 3.2 M can't move it by more than a tenth of a point; a "
        "field that the Hub stops telling moves it by tens",
    )
    downloads_share: float = _bound(
        0.3,
        "of the last day's 30-day downloads, either way: a day replaces a thirtieth of the sum; the largest Hub-wide "
        "recount on record (June 2026) moved the median by 26 %",
    )
    compared_days: float = _bound(
        30,
        "days apart: sums of 30 days that share no day can't be compared, and after a month too much has come and gone "
        "for a count to tell a short listing from time; neighbours that vanish together are a gap at any distance",
    )
    missing_sentinels: float = _bound(
        1, "of the well-known repositories that a whole listing has: one may be renamed or withdrawn"
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
class Fetched:
    """What whoever fetched the rows says of them. `pages` and what follows is null for an archive, which has no pages."""

    rows: int
    first_id: str | None
    last_id: str | None
    nulls: Mapping[str, int]  # column → rows without a value
    unasked: frozenset[str]  # columns that this source doesn't tell, or no longer
    is_simulated: bool
    pages: int | None = None
    is_terminal: bool | None = None
    page_size: int = 1000
    site_total: int | None = None
    site_total_note: str = ""


@dataclass(frozen=True)
class LastDay:
    """The last landed day before this one, and what differs from it."""

    snapshot_date: date
    days_apart: int
    manifest: Mapping[str, object]
    comparison: Comparison


@dataclass(frozen=True)
class Verdict:
    """One promise of completeness. `passed` is None where it couldn't be judged, with the reason in `observed`."""

    promise: str
    passed: bool | None
    observed: str
    threshold: str
    reason: str


def judge(
    listing: Listing,
    fetched: Fetched,
    inspected: Inspected,
    last: LastDay | None,
    bounds: CompletenessBounds,
) -> list[Verdict]:
    """The verdict on each promise. Without a last day, the promises that compare with it can't be judged and say so."""
    return [
        *_terminal(fetched),
        Verdict(
            "files, walk and ids agree",
            inspected.rows == fetched.rows > 0
            and inspected.out_of_order == 0
            and (inspected.first_id, inspected.last_id) == (fetched.first_id, fetched.last_id),
            f"{inspected.rows:,} rows in files, {fetched.rows:,} fetched, {inspected.out_of_order:,} not beyond the one "
            f"before, from {inspected.first_id} to {inspected.last_id}",
            f"equal counts, more than none, each _id beyond the last, from {fetched.first_id} to {fetched.last_id}",
            "what is landed is what was fetched, each repository once",
        ),
        _site_total(fetched, bounds),
        _row_floor(listing, fetched),
        _sentinels(listing, fetched, inspected.missing, bounds),
        *_compared(fetched, inspected, last, bounds),
    ]


def _terminal(fetched: Fetched) -> Iterable[Verdict]:
    if fetched.is_terminal is not None:
        yield Verdict(
            "the listing's last page was reached",
            fetched.is_terminal,
            f"{fetched.pages:,} pages, {'no' if fetched.is_terminal else 'a'} next page named",
            "no next page",
            "a walk that ends early looks like deletions",
        )


def _site_total(fetched: Fetched, bounds: CompletenessBounds) -> Verdict:
    promise, reason = "the site counts as many", REASONS["site_total_share"]
    if fetched.site_total is None:
        return Verdict(promise, None, f"not judged: {fetched.site_total_note}", "", reason)
    allowed = bounds.allowance(bounds.site_total_share, fetched.site_total, fetched.page_size)
    difference = fetched.rows - fetched.site_total
    return Verdict(
        promise,
        abs(difference) <= allowed,
        f"{fetched.rows:,} rows, the site counts {fetched.site_total:,} ({difference:+,})",
        f"at most {allowed:,} apart",
        reason,
    )


def _is_whole_hub(listing: Listing, fetched: Fetched) -> bool:
    """Whether this should be all of the public Hub, and not a sandbox or a mirror that says how small it is."""
    says_small = fetched.site_total is not None and fetched.site_total < listing.row_floor
    return not fetched.is_simulated and not says_small


def _row_floor(listing: Listing, fetched: Fetched) -> Verdict:
    promise, threshold = "more rows than any part of the Hub", f"at least {listing.row_floor:,} rows"
    if not _is_whole_hub(listing, fetched):
        note = "not judged: simulated, or a Hub whose own count is smaller"
        return Verdict(promise, None, note, threshold, listing.floor_reason)
    return Verdict(
        promise, fetched.rows >= listing.row_floor, f"{fetched.rows:,} rows", threshold, listing.floor_reason
    )


def _sentinels(listing: Listing, fetched: Fetched, missing: Sequence[str], bounds: CompletenessBounds) -> Verdict:
    promise, reason = "well-known repositories are listed", REASONS["missing_sentinels"]
    if not listing.sentinels or not _is_whole_hub(listing, fetched):
        return Verdict(
            promise, None, "not judged: simulated, a Hub whose own count is small, or none named", "", reason
        )
    return Verdict(
        promise,
        len(missing) <= bounds.missing_sentinels,
        f"{len(listing.sentinels) - len(missing)} of {len(listing.sentinels)}; missing: {', '.join(missing) or 'none'}",
        f"at most {bounds.missing_sentinels:g} missing",
        reason,
    )


def _compared(
    fetched: Fetched, inspected: Inspected, last: LastDay | None, bounds: CompletenessBounds
) -> Iterable[Verdict]:
    if last is None:
        note = "not judged: no complete day before this one"
        for promise, bound in COMPARISONS.items():
            yield Verdict(promise, None, note, "", REASONS[bound])
        return
    yield _gap(fetched, last, bounds)
    if last.days_apart > bounds.compared_days:
        note = f"not judged: {last.snapshot_date}, the last landed day before, is {last.days_apart} days away"
        for promise in (VOLUME, VANISHED, NULLS, DOWNLOADS):
            yield Verdict(promise, None, note, "", REASONS["compared_days"])
        return
    yield _volume(fetched, last, bounds)
    yield _vanished(fetched, last, bounds)
    yield _nulls(fetched, last, bounds)
    yield _downloads(inspected, last, bounds)


VOLUME, VANISHED, GAP = "as many rows as expected", "hardly any id has vanished", "no page is missing"
NULLS, DOWNLOADS = "each column as full as before", "30-day downloads near the last day's"
COMPARISONS = {
    VOLUME: "fewer_rows_share",
    VANISHED: "vanished_share",
    GAP: "vanished_in_a_row",
    NULLS: "null_share",
    DOWNLOADS: "downloads_share",
}


def _volume(fetched: Fetched, last: LastDay, bounds: CompletenessBounds) -> Verdict:
    created, further = last.comparison.created, (last.days_apart - 1) * bounds.gone_share_a_day
    expected = last.manifest["rows"] + created
    fewer = bounds.allowance(bounds.fewer_rows_share + further, expected, fetched.page_size)
    more = bounds.allowance(bounds.more_rows_share + further, expected, fetched.page_size)
    return Verdict(
        VOLUME,
        -fewer <= fetched.rows - expected <= more,
        f"{fetched.rows:,} rows; {last.snapshot_date} had {last.manifest['rows']:,} and {created:,} were created since",
        f"{expected - fewer:,} to {expected + more:,} rows",
        REASONS["fewer_rows_share"],
    )


def _vanished(fetched: Fetched, last: LastDay, bounds: CompletenessBounds) -> Verdict:
    gone, rows = last.comparison.gone, last.manifest["rows"]
    share = bounds.vanished_share + (last.days_apart - 1) * bounds.gone_share_a_day
    allowed = bounds.allowance(share, rows, fetched.page_size)
    return Verdict(
        VANISHED,
        gone <= allowed,
        f"{gone:,} of {rows:,} ids of {last.snapshot_date} have vanished ({gone / max(rows, 1):.2%})",
        f"at most {allowed:,} vanished ids",
        REASONS["vanished_share"],
    )


def _gap(fetched: Fetched, last: LastDay, bounds: CompletenessBounds) -> Verdict:
    longest = int(bounds.vanished_in_a_row * fetched.page_size)
    return Verdict(
        GAP,
        last.comparison.gone_in_a_row <= longest,
        f"{last.comparison.gone_in_a_row:,} neighbouring ids of {last.snapshot_date} have vanished together",
        f"at most {longest:,} in a row",
        REASONS["vanished_in_a_row"],
    )


def _nulls(fetched: Fetched, last: LastDay, bounds: CompletenessBounds) -> Verdict:
    """Columns that both days told; in a Hub of hundreds a share is less than a row, so the usual handful is let pass."""
    before: Mapping[str, int] | None = last.manifest.get("nulls")
    if before is None:
        return Verdict(NULLS, None, f"not judged: {last.snapshot_date} has no counts", "", REASONS["null_share"])
    unasked = fetched.unasked | set(last.manifest.get("unasked", ()))
    allowed = bounds.allowance(bounds.null_share, fetched.rows, fetched.page_size)
    moved = []
    for column in sorted((set(before) | set(fetched.nulls)) - unasked):
        expected = before.get(column, 0) / max(last.manifest["rows"], 1) * fetched.rows
        if abs(fetched.nulls.get(column, 0) - expected) > allowed:
            then, now = (
                before.get(column, 0) / max(last.manifest["rows"], 1),
                fetched.nulls.get(column, 0) / fetched.rows,
            )
            moved.append(f"{column} {then:.1%} → {now:.1%}")
    return Verdict(
        NULLS,
        not moved,
        f"share of rows without a value since {last.snapshot_date}: {', '.join(moved) or 'none has moved'}",
        f"at most {allowed:,} rows more or fewer in any column",
        REASONS["null_share"],
    )


def _downloads(inspected: Inspected, last: LastDay, bounds: CompletenessBounds) -> Verdict:
    before, now = last.manifest.get("downloads_30d"), inspected.downloads
    reason = REASONS["downloads_share"]
    if not before or now is None:
        return Verdict(DOWNLOADS, None, "not judged: no sum to compare with", "", reason)
    return Verdict(
        DOWNLOADS,
        abs(now - before) <= bounds.downloads_share * before,
        f"{now:,} against {before:,} on {last.snapshot_date} ({now / before - 1:+.1%})",
        f"within ±{bounds.downloads_share:.0%}",
        reason,
    )
