"""What every page and figure stands on: the day, the measure that leads, the calendar, the coverage of the attribution.
Read once a site; what a single figure asks is in `topics` and `pages`."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from orchestration.publishing.errors import PublishRefused
from orchestration.publishing.site.answers import Rows, rows
from orchestration.publishing.site.naming import EU, EU_NAME, NEW_MEASURES, Measure, country_name

LEADERS = ("CN", "US")
NEIGHBOURS = 4  # countries drawn behind the two: more lines than six can't be told apart on a phone
# A line of more points than this is thinned to every n-th day, and says so; the CSV keeps all. On a phone two points are
# then still three pixels apart (2026-11-29).
POINTS_DRAWN = 90


@dataclass(frozen=True)
class Ground:
    """`snapshot_date` is the last day of the lead; `measures` are those of new models that this day has, the lead first."""

    snapshot_date: date
    is_simulated: bool
    measures: tuple[Measure, ...]
    days: Rows  # snapshot_date, status, platform_event, is_simulated: every calendar day
    coverage: Rows  # the last day: attribution, basis, classed_share, located_share
    names: dict[str, str]  # what each code is called
    eu_members: frozenset[str]
    dated_events: Rows  # event_date, kind, title, reason, source: what happened in the world, as a seed has it

    @property
    def lead(self) -> Measure:
        return self.measures[0]

    @property
    def on_day(self) -> dict[str, Any]:
        """Parameters that most questions have."""
        return {
            "snapshot_date": self.snapshot_date,
            "metric": self.lead.metric,
            "window_days": self.lead.window_days,
        }

    def name(self, code: str) -> str:
        return EU_NAME if code == EU else self.names.get(code) or country_name(code, None)

    def attributed(self, basis: str | None) -> dict[str, float]:
        """By attribution: how much of the basis has any class but `XX` on the day."""
        return {
            row["attribution"]: row["classed_share"]
            for row in self.coverage
            if row["basis"] == basis and row["classed_share"] is not None
        }

    @property
    def calendar(self) -> list[date]:
        """Every day up to the last one that is told."""
        return [row["snapshot_date"] for row in self.days if row["snapshot_date"] <= self.snapshot_date]

    @property
    def drawn_days(self) -> list[date]:
        """Each n-th of the calendar days, counted back from the last: what a question over all of history is thinned to."""
        days = self.calendar
        step = max(1, -(-len(days) // POINTS_DRAWN))
        return days[(len(days) - 1) % step :: step]

    def since(self, day: date) -> "Ground":
        """The same without the calendar days before the given one."""
        return replace(self, days=[row for row in self.days if row["snapshot_date"] >= day])


def thinned(days: list[date], known: Collection[date], points: int) -> list[date]:
    """Every n-th of the days, so that at most so many points are drawn, the last day among them.

    Of each n days it is the last that has something to draw: a day without a snapshot is a gap only where all are drawn, or
    where its neighbours have none either.
    """
    step = max(1, -(-len(days) // points))
    chosen = []
    for end in range(len(days), 0, -step):
        some = days[max(end - step, 0) : end]
        chosen.append(next((day for day in reversed(some) if day in known), some[-1]))
    return chosen[::-1]


def read_ground(connection: duckdb.DuckDBPyConnection) -> Ground:
    """Raises `PublishRefused` where no measure of new models has a row."""
    at_hand = {(row["metric"], row["window_days"]): row["last_day"] for row in rows(connection, MEASURES)}
    found = [measure for measure in NEW_MEASURES if (measure.metric, measure.window_days) in at_hand]
    if not found:
        raise PublishRefused(
            found="no row of new models' downloads in marts.mart_daily_country_share",
            expected="one of new_rolling, new_trailing_30d or new_created on one complete day at least",
            do_this="look at the landed days: without downloads of new models there is nothing to report",
        )
    latest = max(at_hand[measure.metric, measure.window_days] for measure in found)
    measures = tuple(m for m in found if at_hand[m.metric, m.window_days] == latest)
    days = rows(connection, DAYS)
    countries = rows(connection, COUNTRIES)
    return Ground(
        snapshot_date=latest,
        is_simulated=any(day["is_simulated"] for day in days),
        measures=measures,
        days=days,
        coverage=rows(connection, COVERAGE, {"snapshot_date": latest}),
        names={row["country_code"]: country_name(row["country_code"], row["country_name"]) for row in countries},
        eu_members=frozenset(row["country_code"] for row in countries if row["is_eu_member"]),
        dated_events=rows(connection, EVENTS),
    )


def day_axis(days: list[date]) -> dict[str, Any]:
    """Parameters of a chart over these days: both ends with half a day beside them, and ticks with their format.

    In UTC, so that no reader's clock shifts a date. A tick a day while they fit, then a week, a month, a quarter.
    """
    first, last = days[0], days[-1]
    calendar = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if len(calendar) <= 14:
        ticks = calendar
    elif len(calendar) <= 100:
        ticks = calendar[(len(calendar) - 1) % 7 :: 7]
    else:
        months = 1 if len(calendar) <= 400 else 3
        ticks = [day for day in calendar if day.day == 1 and (day.month - 1) % months == 0]
    half = 43_200_000
    return {
        "first": milliseconds(first) - half,
        "last": milliseconds(last) + half,
        "ticks": [milliseconds(day) for day in ticks],
        "dates": "%-d %b" if len(calendar) <= 100 else "%b %Y",
    }


def milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


MEASURES = """
    select
        metric,
        window_days,
        max(snapshot_date) as last_day
    from marts.mart_daily_country_share
    where attribution = 'uploader' and denominator = 'all'
    group by all
"""

EVENTS = """
    select event_date, kind, title, reason, source
    from marts.dim_events
    order by event_date, event_id
"""

DAYS = """
    select snapshot_date, status, platform_event, is_simulated
    from marts.dim_snapshots
    order by snapshot_date
"""

COUNTRIES = """
    select country_code, country_name, is_eu_member
    from marts.dim_countries
"""

COVERAGE = """
    select attribution, basis, classed_share, located_share
    from marts.mart_attribution_coverage
    where snapshot_date = $snapshot_date
    order by
        attribution desc,
        case basis when 'models' then 1 when 'downloads' then 2 else 3 end
"""
