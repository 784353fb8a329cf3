"""The sensor over published versions: news that readers subscribe to, each told once, held against what was told before.
Nothing here is wrong with anything, so that no incident is opened; how the numbers come about is dbt's matter."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.defs.alerts.channels import announce, send_pending
from orchestration.defs.alerts.heartbeat import heartbeat
from orchestration.defs.alerts.incidents import writing
from orchestration.defs.alerts.messages import Alert, alert_id_of
from orchestration.foreign_text import display_name, harmless, visible
from orchestration.publishing import current_version, open_current
from orchestration.publishing.files import read_json, write_json
from orchestration.settings import Settings

if TYPE_CHECKING:
    import duckdb

TOP = 10
# Twice its own median: a lab that is half a rhythm late is ordinary. Yearly rhythms say too little of a year. 2026-11-29.
SILENT_MEDIANS = 2
RHYTHMS = ("weekly", "biweekly", "monthly", "quarterly")
SIMULATED = "SIMULATED data: this is no evidence of anything.\n\n"

CROSSOVERS = """
    select crossover_date, confirmed_date, metric, window_days, attribution, leader_country_code, passed_country_code, margin
    from marts.mart_country_crossovers
    order by all
"""
TOP_ORGANIZATIONS = """
    select organization, sum(share_of_total) as share
    from marts.mart_daily_organization_share
    where snapshot_date = (select max(snapshot_date) from marts.mart_daily_organization_share)
        and metric = 'new_trailing_30d' and attribution = 'uploader' and organization <> '(other)'
    group by organization
    order by share desc, organization
    limit $top
"""
CADENCES = """
    select
        cadence.organization,
        any_value(cadence.cadence) as cadence,
        any_value(cadence.median_days_between_releases) as median_days,
        max(cast(releases.released_at as date)) as last_release
    from marts.mart_release_cadence as cadence
    left join marts.fct_releases as releases
        on cadence.organization = releases.organization and cast(releases.released_at as date) <= cadence.snapshot_date
    where cadence.level = 'organization' and cadence.snapshot_date = $day
    group by cadence.organization
    order by cadence.organization
"""


@dataclass
class Told:
    """What readers were told, or what was there when we first looked; `alerts/domain.json`."""

    version: str = ""
    crossovers: list[str] = field(default_factory=list)
    top_organizations: list[str] = field(default_factory=list)
    cadences: dict[str, str] = field(default_factory=dict)
    silences: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class News:
    """One thing to tell."""

    incident: str
    title: str
    body: str
    table_name: str


@dg.sensor(
    name="domain_alerts",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="After each new version, tells once of countries that changed places, of organisations that entered the top "
    "ten, and of labs that left their rhythm.",
)
def domain_alerts(settings: dg.ResourceParam[Settings]):
    return dg.SkipReason(tick(settings, datetime.now(UTC)))


def tick(settings: Settings, now: datetime) -> str:
    """Compare the published version with what was told; the first look only remembers. Gives in words what came of it."""
    with heartbeat(settings, "domain_alerts", now), writing(settings, "domain"):
        path = settings.alerts_dir / "domain.json"
        stored = read_json(path)
        told = Told(**stored) if stored else Told()
        version = current_version(settings)
        if version is None or version.version_id == told.version:
            return "No new version."
        news, day, is_simulated = _compare(settings, told)
        for one in news if stored else ():
            announce(settings, _alert(one, day, is_simulated, version.manifest.get("run_id"), now))
        told.version = version.version_id
        write_json(path, vars(told))
        send_pending(settings, now)
        return f"{len(news)} piece(s) of news" if stored else "The first version that was looked at is remembered."


def _compare(settings: Settings, told: Told) -> tuple[list[News], date | None, bool]:
    """News of the version, which are remembered in `told` at once."""
    with open_current(settings) as connection:
        day, is_simulated = connection.execute(
            "select max(snapshot_date) filter (where status = 'complete'), coalesce(bool_or(is_simulated), false) "
            "from marts.dim_snapshots"
        ).fetchone()
        news = [
            *_crossovers(_rows(connection, CROSSOVERS), told),
            *_entered(_rows(connection, TOP_ORGANIZATIONS, top=TOP), told),
            *_rhythms(_rows(connection, CADENCES, day=day), told, day),
        ]
    return news, day, is_simulated


def _crossovers(rows: Iterable[dict[str, Any]], told: Told) -> Iterable[News]:
    for row in rows:
        leader, passed = row["leader_country_code"], row["passed_country_code"]
        series = f"{row['metric']} over {row['window_days']} days by {row['attribution']}"
        key = f"{row['crossover_date']}:{row['metric']}:{row['window_days']}:{row['attribution']}:{leader}:{passed}"
        if key in told.crossovers:
            continue
        told.crossovers.append(key)
        yield News(
            incident=f"domain:crossover:{key}",
            title=f"{leader} overtook {passed} on {row['crossover_date']} ({series})",
            body=(
                f"{leader} went ahead of {passed} on {row['crossover_date']} in {series}, and stayed ahead until "
                f"{row['confirmed_date']}, by {row['margin']:.2%} of all downloads."
            ),
            table_name="mart_country_crossovers",
        )


def _entered(rows: Iterable[dict[str, Any]], told: Told) -> Iterable[News]:
    """Whoever was among the ten before, at any look, is no news: places ten and eleven change daily."""
    for place, row in enumerate(rows, start=1):
        name = row["organization"]
        shown = display_name(name)
        if name in told.top_organizations:
            continue
        told.top_organizations.append(name)
        yield News(
            incident=f"domain:top_ten:{name}",
            title=f"{shown} entered the top {TOP} organisations",
            body=(
                f"{shown} is number {place} of all organisations by new_trailing_30d (by uploader), with "
                f"{row['share']:.2%} of all downloads of new models."
            ),
            table_name="mart_daily_organization_share",
        )


def _rhythms(rows: Iterable[dict[str, Any]], told: Told, day: date | None) -> Iterable[News]:
    for row in rows:
        name, cadence, before = row["organization"], row["cadence"], told.cadences.get(row["organization"])
        told.cadences[name] = cadence
        shown = display_name(name)
        if before not in (None, cadence):
            yield News(
                incident=f"domain:cadence:{name}:{day}",
                title=f"{shown} releases {cadence}, no longer {before}",
                body=f"The median gap between releases of {shown} is {_days(row['median_days'])}: {cadence}, before {before}.",
                table_name="mart_release_cadence",
            )
        yield from _silence(row, told, day)


def _silence(row: dict[str, Any], told: Told, day: date | None) -> Iterable[News]:
    name, median, last = row["organization"], row["median_days"], row["last_release"]
    if row["cadence"] not in RHYTHMS or not median or last is None or day is None:
        return
    key, gone, shown = f"{name}:{last}", (day - last).days, display_name(name)
    if gone <= SILENT_MEDIANS * median or key in told.silences:
        return
    told.silences.append(key)
    yield News(
        incident=f"domain:silence:{key}",
        title=f"{shown} has released nothing for {gone} days",
        body=(
            f"The last release of {shown} was on {last}, {gone} days before {day}; its median gap is {_days(median)} "
            f"({row['cadence']})."
        ),
        table_name="fct_releases",
    )


def _alert(news: News, day: date | None, is_simulated: bool, run_id: str | None, now: datetime) -> Alert:
    mark = " (SIMULATED)" if is_simulated else ""
    ask = f"Ask further: marts.{news.table_name} of the published version."
    return Alert(
        alert_id=alert_id_of("raised", news.incident),
        event="raised",
        incident=visible(news.incident),
        incidents=[visible(news.incident)],
        raised_at=now.isoformat(),
        severity="domain",
        title=harmless(f"news{mark} · {day} · {news.title}"),
        body=f"{SIMULATED if is_simulated else ''}{harmless(news.body)}\n\n{ask}",
        snapshot_date=day and day.isoformat(),
        snapshot_dates=[day.isoformat()] if day else [],
        step="published",
        table_name=news.table_name,
        check_name=None,
        run_id=run_id,
        owner=None,
    )


def _days(number: float | None) -> str:
    return "unknown" if number is None else f"{number:g} days"


def _rows(connection: "duckdb.DuckDBPyConnection", sql: str, **parameters: Any) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
