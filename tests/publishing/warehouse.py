"""A small real warehouse file with the contract's tables, columns and comments, for tests of what is made out of it.
Its numbers are made up and only need to be consistent; how the real ones come about is dbt's matter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.publishing.examples import Example
from orchestration.quality.score import scores_by_day_and_step

from . import entities

METRICS = {"new_created": 365, "trailing_30d": 30, "new_trailing_30d": 30, "all_time": 0}
COUNTRIES = {
    "CN": ("China", 4100),
    "US": ("United States of America", 3600),
    "FR": ("France", 420),
    "KR": ("Korea, Republic of", 260),
    "DE": ("Germany", 230),
    "GB": ("United Kingdom of Great Britain and Northern Ireland", 180),
    "CA": ("Canada", 60),
    "XC": ("Community and individuals", 900),
    "XI": ("International", 110),
    "XX": ("Not attributed", 640),
}
EU_MEMBERS = {"FR", "DE"}
ORGANIZATIONS = {
    "CN": {"Alibaba Qwen": 0.55, "DeepSeek": 0.2, "Tencent": 0.1, "Zhipu AI": 0.08, "(other)": 0.07},
    "US": {"Meta": 0.3, "Google": 0.25, "OpenAI": 0.2, "Microsoft": 0.15, "(other)": 0.1},
}

TABLES = entities.TABLES | {
    "dim_snapshots": "snapshot_date date not null, status varchar not null, platform_event varchar, source varchar, "
    "source_revision varchar, source_license varchar, captured_at timestamp, counters_date date, models bigint, "
    "downloads_all_time bigint, is_simulated boolean",
    "dim_countries": "country_code varchar not null, country_name varchar, region varchar, is_eu_member boolean, "
    "is_user_assigned boolean",
    "dim_organizations": "namespace varchar not null, valid_from date not null, valid_to date, organization varchar, "
    "country_code varchar, is_seeded boolean, parent_organization varchar, organization_type varchar, "
    "secondary_country_code varchar, confidence varchar, evidence varchar, evidence_url varchar, note varchar",
    "dim_models": "repo_id varchar not null, model_id varchar, namespace varchar, created_at timestamp, "
    "parameters bigint, downloads_all_time bigint, downloads_30d bigint, likes bigint, organization varchar, "
    "family varchar, modality varchar, license varchar, openness varchar, is_listed boolean, is_outlier boolean, "
    "uploader_country varchar, origin_country varchar, declares_training_data boolean",
    "dim_events": "event_id varchar not null, event_date date, kind varchar, title varchar, reason varchar, source varchar",
    "fct_daily_model_downloads": "snapshot_date date not null, repo_id varchar not null, downloads bigint, "
    "delta_status varchar, days_spanned integer, age_days integer",
    "mart_daily_country_share": "snapshot_date date not null, metric varchar not null, window_days integer not null, "
    "attribution varchar not null, denominator varchar not null, country_code varchar not null, downloads bigint, "
    "total_downloads bigint, share double, rank integer, share_low double, share_high double, "
    "share_without_top_repository double, share_without_outliers double, correction_downloads bigint, "
    "days_estimated integer, models bigint",
    "mart_daily_organization_share": "snapshot_date date not null, metric varchar not null, "
    "window_days integer not null, attribution varchar not null, "
    "country_code varchar not null, organization varchar not null, downloads bigint, "
    "share_of_country double, share_of_total double",
    "mart_country_crossovers": "crossover_date date not null, metric varchar not null, window_days integer not null, "
    "attribution varchar not null, leader_country_code varchar not null, passed_country_code varchar not null, "
    "confirmed_date date, margin double, is_first boolean",
    "mart_attribution_coverage": "snapshot_date date not null, attribution varchar not null, basis varchar not null, "
    "classed_share double, located_share double",
    "mart_attribution_sensitivity": "snapshot_date date not null, variant varchar not null, "
    "country_code varchar not null, metric varchar not null, window_days integer not null, "
    "moved_organization varchar, moved_to varchar, downloads bigint, total_downloads bigint, share double, "
    "difference double",
    "mart_attribution_queue": "namespace varchar not null, downloads bigint, share double, models bigint, "
    "largest_model varchar, snapshot_date date not null",
    "mart_headline_claims": "claim_id integer not null, part varchar not null, snapshot_date date not null, "
    "question varchar, value double, value_label varchar, comparison_value double, comparison_label varchar, "
    "unit varchar, predicate varchar, holds boolean, metric varchar, attribution varchar, denominator varchar, "
    "window_days integer, reported_value double, "
    "reported_comparison_value double, reported_as_of date, is_simulated boolean, caveat varchar",
    "fct_quality_results": "evaluation_id varchar not null, run_id varchar, evaluated_at timestamp, "
    "snapshot_date date, step varchar, table_name varchar, "
    "check_name varchar, severity varchar, blocking boolean, passed boolean, "
    "crashed boolean, accepted_event boolean, accepted_because varchar, owner varchar, observed varchar, "
    "threshold varchar, basis varchar, reason varchar, offenders varchar",
    "mart_daily_quality_score": "snapshot_date date not null, step varchar not null, score double, promises integer, "
    "kept integer, accepted integer, broken_blocks integer, broken_investigate integer, broken_watch integer, "
    "crashed integer, kept_weight integer, judged_weight integer, evaluated_at timestamp",
    "mart_promise_history": "step varchar not null, table_name varchar not null, check_name varchar not null, "
    "severity varchar, owner varchar, days_judged integer, days_broken integer, first_broken_date date, "
    "last_broken_date date, last_judged_date date, is_broken boolean, episodes integer, mean_hours_to_detect double, "
    "mean_hours_to_recover double, open_since timestamp",
    "fct_alerts": "alert_id varchar not null, event varchar, incident varchar, raised_at timestamp, severity varchar, "
    "title varchar, snapshot_date date, step varchar, table_name varchar, check_name varchar, run_id varchar, owner varchar",
    "mart_restatements": "published_version varchar not null, table_name varchar not null, row_key varchar not null, "
    "snapshot_date date, old_value double, new_value double, cause varchar, values_compared bigint, values_moved bigint, "
    "largest_move double",
}
# What the day files are made of: the whole history under small numbers, and which days of it the last run wrote anew.
UNDERNEATH = {
    "int_repositories_keyed": "repo_id varchar, repo_key integer",
    "int_model_downloads_daily": "snapshot_date date, repo_key integer, downloads bigint, delta_status varchar, "
    "days_spanned integer, age_days integer",
    "int_days_restated": "snapshot_date date, extent varchar",
}
LEAN = {
    "dim_snapshots",
    "dim_organizations",
    "dim_models",
    "fct_daily_model_downloads",
    "fct_quality_results",
    "mart_restatements",
}
EXAMPLES = [
    Example("how_many_models", "How many models?", "dim_models", "select count(*) as models\nfrom marts.dim_models"),
    Example(
        "who_leads", "Who leads?", "mart_daily_country_share",
        "select country_code from marts.mart_daily_country_share where rank = 1 and denominator = 'all'",
    ),
]  # fmt: skip


def noon(day: date) -> datetime:
    """Noon in UTC, without the zone: the warehouse's timestamps have none."""
    return datetime.combine(day, time(12))


PASSED = {
    "evaluation_id": "p-1",
    "run_id": "run-1",
    "evaluated_at": noon(date(2026, 10, 13)),
    "snapshot_date": date(2026, 10, 13),
    "step": "published",
    "table_name": "mart_daily_country_share",
    "check_name": "shares_sum_to_one",
    "severity": "blocks",
    "blocking": True,
    "passed": True,
    "crashed": False,
    "accepted_event": False,
    "accepted_because": None,
    "owner": "team:data",
    "observed": "1.0",
    "threshold": "1.0",
    "basis": "fixed on 2026-11-24",
    "reason": "parts of a whole",
    "offenders": None,
}


@dataclass(frozen=True)
class Contents:
    """What the warehouse tells: its days, and the oddities that a test is about."""

    first_day: date = date(2026, 10, 6)
    days: int = 8
    missing: Sequence[date] = (date(2026, 10, 10),)
    events: dict[date, str] = field(default_factory=lambda: {date(2026, 10, 12): "recounted"})
    is_simulated: bool = True
    organizations: dict[str, dict[str, float]] = field(default_factory=lambda: ORGANIZATIONS)
    extra_models: int = 0
    unplaced: int = 12
    china_grows: bool = True
    has_sensitivity: bool = True
    evidence_urls: dict[str, str] = field(default_factory=dict)  # by organisation; empty: none has evidence
    dated_events: Sequence[tuple[date, str, str]] = ((date(2025, 1, 20), "release", "DeepSeek-R1"),)  # day, kind, title
    further: dict[str, list[tuple]] = field(default_factory=dict)  # rows that a table has besides
    emptied: frozenset[str] = frozenset()  # tables without a row
    verdicts: Sequence[dict] = ()  # further ones, by what differs from one that is good
    downloads_plus: dict[date, int] = field(default_factory=dict)  # on what each model has on a day
    restated: Sequence[date] | None = None  # what the last run wrote anew; all days by default
    recent_days: int = 30  # how many of the last ones the published table of model days has
    is_lean: bool = False  # only the tables that publishing itself reads, and that of the models

    @property
    def calendar(self) -> list[date]:
        return [self.first_day + timedelta(days=number) for number in range(self.days)]

    @property
    def complete(self) -> list[date]:
        return [day for day in self.calendar if day not in self.missing]

    @property
    def last_day(self) -> date:
        return self.complete[-1]


def write_warehouse(path: Path, contents: Contents | None = None) -> Contents:
    """Write the warehouse file anew and close it."""
    contents = contents or Contents()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.begin()
        connection.execute("create schema marts")
        connection.execute("create schema staging")
        connection.execute("create table staging.stg_hub__models as select 1 as never_published")
        connection.execute("create schema intermediate")
        for table, columns in UNDERNEATH.items():
            connection.execute(f"create table intermediate.{table} ({columns})")
        write_days(connection, contents)
        tables = {name: columns for name, columns in TABLES.items() if name in LEAN or not contents.is_lean}
        for table, columns in tables.items():
            connection.execute(f"create table marts.{table} ({columns})")
            describe(connection, table, columns)
        for table, rows_of_table in all_rows(contents).items():
            table_rows = [*rows_of_table, *contents.further.get(table, [])]
            if not table_rows or table in contents.emptied or table not in tables:
                continue
            # As one Arrow table: row by row, DuckDB takes seconds.
            columns = [list(column) for column in zip(*table_rows, strict=True)]
            connection.register("arrow_rows", pa.table(columns, names=[f"c{place}" for place in range(len(columns))]))
            connection.execute(f"insert into marts.{table} select * from arrow_rows")
        connection.execute(
            "insert into marts.fct_daily_model_downloads select snapshot_date, repo_id, downloads, delta_status, "
            "days_spanned, age_days from intermediate.int_model_downloads_daily inner join "
            "intermediate.int_repositories_keyed using (repo_key) where snapshot_date > ?",
            [contents.calendar[-1] - timedelta(days=contents.recent_days)],
        )
        connection.commit()
    return contents


def write_days(connection: duckdb.DuckDBPyConnection, contents: Contents) -> None:
    """200 models' downloads of each calendar day: the first one is called 0 there and 1 here."""
    connection.execute(
        "insert into intermediate.int_repositories_keyed select printf('%024x', range), range + 1 from range(200)"
    )
    for number, day in enumerate(contents.calendar):
        connection.execute(
            "insert into intermediate.int_model_downloads_daily "
            "select $day, range + 1, (range * 7 + $more) % 1000, 'ok', 1, 30 + $number from range(200) "
            # as it comes, which is not by the repository's id
            "order by hash(range)",
            {"day": day, "number": number, "more": contents.downloads_plus.get(day, 0)},
        )
        if contents.restated is None or day in contents.restated:
            connection.execute("insert into intermediate.int_days_restated values (?, 'wholly')", [day])


def describe(connection: duckdb.DuckDBPyConnection, table: str, columns: str) -> None:
    connection.execute(f"comment on table marts.{table} is 'What {table} holds, it''s all here. One row per key.'")
    for column in (each.split()[0] for each in columns.split(", ")):
        connection.execute(f"comment on column marts.{table}.{column} is 'The {column} | of {table}.'")


def all_rows(contents: Contents) -> dict[str, list[tuple]]:
    return {
        "dim_snapshots": snapshot_rows(contents),
        "dim_countries": [
            (code, name, "World", code in EU_MEMBERS, code.startswith("X")) for code, (name, _) in COUNTRIES.items()
        ],
        **entities.rows(contents),
        "dim_events": [
            (f"event-{place}", day, kind, title, f"Why {title} matters", f"Source of {title}")
            for place, (day, kind, title) in enumerate(contents.dated_events)
        ],
        "dim_organizations": [
            ("Org", date(1900, 1, 1), None, "Org", "FR", True, *(None,) * 7),
            *(
                entities.organization_row(contents, *named)
                for named in entities.named_organizations(contents)
                if contents.evidence_urls
            ),
        ],
        "dim_models": [model_row(contents, number) for number in range(200 + contents.extra_models)],
        "mart_daily_country_share": country_rows(contents),
        "mart_daily_organization_share": organization_rows(contents),
        "mart_country_crossovers": [
            (contents.first_day, metric, METRICS[metric], "uploader", "CN", "US", contents.last_day, 0.01, True)
            for metric in ("new_trailing_30d", "new_created")
        ],
        "mart_attribution_coverage": [
            (day, attribution, basis, classed, located)
            for day in contents.complete
            for attribution in ("uploader", "origin")
            for basis, classed, located in (
                ("models", 0.7, 0.1),
                ("downloads", 0.94, 0.62),
                ("new_downloads", 0.93, 0.8),
            )
        ],
        "mart_attribution_sensitivity": sensitivity_rows(contents),
        "mart_attribution_queue": [
            (
                f"nobody-{place:02}",
                640 - 20 * place,
                0.02 - 0.001 * place,
                3,
                f"nobody-{place:02}/model",
                contents.last_day,
            )
            for place in range(contents.unplaced)
        ],
        "mart_headline_claims": claim_rows(contents),
        "fct_quality_results": quality_rows(contents),
        "mart_daily_quality_score": score_rows(contents),
        "mart_promise_history": promise_rows(contents),
        "fct_alerts": alert_rows(contents),
        "mart_restatements": restatement_rows(contents),
    }


def model_row(contents: Contents, number: int) -> tuple:
    told = (f"{number:024x}", f"Org/model-{number}", "Org", noon(date(2026, 9, 1)), None, number * 7, number, 1)
    return told + entities.of_model(contents, number) + (("CN", "US")[number % 2], "US", number % 4 == 0)


def alert_rows(contents: Contents) -> list[tuple]:
    at, day = noon(contents.last_day), contents.last_day
    return [
        ("a-1", "raised", "check:raw:t:c", at, "blocks", "t breaks “c”", day, "raw", "t", "c", "run-1", "team:data")
    ]


def snapshot_rows(contents: Contents) -> list[tuple]:
    return [
        (day, "missing", "none", *(None,) * 7, None)
        if day in contents.missing
        else (
            day,
            "complete",
            contents.events.get(day, "none"),
            "hub_api",
            "r1",
            "Hub terms of service; sample under MIT",
            noon(day),
            day,
            200,
            10_000,
            contents.is_simulated,
        )
        for day in contents.calendar
    ]


def country_rows(contents: Contents) -> list[tuple]:
    table = []
    for number, day in enumerate(contents.complete):
        for metric, window in METRICS.items():
            for attribution in ("uploader", "origin"):
                for denominator in ("all", "organizations", "located"):
                    table += share_rows(contents, day, number, metric, window, attribution, denominator)
    return table


def share_rows(
    contents: Contents, day: date, number: int, metric: str, window: int, attribution: str, denominator: str
) -> list[tuple]:
    downloads = {code: amount for code, (_, amount) in COUNTRIES.items()}
    downloads["CN"] += 90 * number if contents.china_grows else 0
    if attribution == "origin":
        downloads["CN"] += 500
        downloads["XC"] -= 500
    outside = {"all": set(), "organizations": {"XC"}, "located": {"XC", "XI", "XX"}}[denominator]
    inside = {code: amount for code, amount in downloads.items() if code not in outside}
    total = sum(inside.values())
    unknown = downloads["XX"]
    wide = total + (unknown if "XX" in outside else 0)
    ranked = sorted((code for code in inside if not code.startswith("X")), key=lambda code: -inside[code])
    return [
        (
            day, metric, window, attribution, denominator, code, amount, total, amount / total,
            ranked.index(code) + 1 if code in ranked else None,
            amount / wide, min(1.0, (amount + (unknown if code != "XX" else 0)) / wide),
            amount / total * 0.9, amount / total, None, 0, 12,
        )
        for code, amount in inside.items()
    ]  # fmt: skip


def organization_rows(contents: Contents) -> list[tuple]:
    return [
        (day, metric, window, attribution, country, organization, round(4000 * part), part, part * 0.4)
        for day in contents.complete
        for metric, window in METRICS.items()
        for attribution in ("uploader", "origin")
        for country, parts in contents.organizations.items()
        for organization, part in parts.items()
    ]


def sensitivity_rows(contents: Contents) -> list[tuple]:
    """A decision: its organisation, if it moves one, and what it moves from where to where."""
    published = {"CN": 40, "US": 35, "FR": 5, "HK": 2, "XC": 8, "XX": 10}
    decisions: dict[str, tuple[str | None, str, str, int]] = {
        "moved:Google": ("Google", "US", "GB", 8),
        "published": (None, "CN", "CN", 0),
        "confidence_medium_or_higher": (None, "US", "XX", 3),
        "repackagers_at_home": (None, "XC", "US", 6),
        "other_country": (None, "US", "FR", 4),
        "cn_hk_mo_together": (None, "HK", "CN", 2),
        **{f"moved:{name}": (name, "CN", "XX", 15) for name in list(contents.organizations["CN"])[:1]},
    }
    table = []
    for day in contents.complete if contents.has_sensitivity else ():
        for variant, (organization, origin, target, amount) in decisions.items():
            moved = published | {origin: published[origin] - amount}
            moved[target] = moved.get(target, 0) + amount
            table += [
                (day, variant, code, "new_created", 365, organization, target if organization else None, value, 100,
                 value / 100, (value - published.get(code, 0)) / 100)
                for code, value in moved.items()
            ]  # fmt: skip
    return table


def claim_rows(contents: Contents) -> list[tuple]:
    question = "Are new Chinese-made open models downloaded more than new US-made ones?"
    caveat = "Never compare its level with the reported one."
    unanswered = "Null: it needs a history of daily downloads, which this version doesn't hold."
    nothing = (None,) * 4
    table = []
    for day in contents.complete:
        for metric in ("new_created", "new_trailing_30d"):
            for attribution in ("uploader", "origin"):
                labels = (0.41, f"China's share, by {attribution}", 0.36, f"The USA's share, by {attribution}")
                meaning = ("share", "value > comparison_value", True, metric, attribution, "all", METRICS[metric])
                reported = (0.171, 0.158, date(2025, 8, 31), contents.is_simulated, caveat)
                table.append((1, f"{metric}/{attribution}", day, question, *labels, *meaning, *reported))
        meaning = ("date", None, None, *nothing)
        reported = (None, None, None, contents.is_simulated, unanswered)
        table.append((2, "overtaking", day, "When did China's share pass the USA's?", *nothing, *meaning, *reported))
    return table


def verdicts_of(contents: Contents) -> list[dict]:
    """Twelve verdicts a day, of which one is bad on the last day; and those that a test adds."""
    verdicts = []
    for day in contents.complete:
        for step in ("raw", "staging", "intermediate", "marts"):
            for check in ("is_unique", "is_complete", "volume_is_plausible"):
                passed = not (step == "raw" and check == "volume_is_plausible" and day == contents.last_day)
                verdicts.append(
                    GOOD
                    | {
                        "evaluated_at": noon(day),
                        "snapshot_date": day,
                        "step": step,
                        "check_name": check,
                        "severity": "blocks" if passed else "investigate",
                        "blocking": passed,
                        "passed": passed,
                    }
                )
    verdicts += [GOOD | {"evaluated_at": noon(contents.last_day), "snapshot_date": contents.last_day} | more
                 for more in contents.verdicts]  # fmt: skip
    for verdict in verdicts:
        verdict["evaluation_id"] = "-".join(
            str(verdict[name]) for name in ("snapshot_date", "step", "table_name", "check_name")
        )
    return verdicts


GOOD = {
    "run_id": "run-1",
    "step": "marts",
    "table_name": "models",
    "severity": "blocks",
    "blocking": True,
    "passed": True,
    "crashed": False,
    "accepted_event": False,
    "accepted_because": None,
    "owner": "team:data",
    "observed": "0.0",
    "threshold": "0.02",
    "basis": "fixed on 2026-11-24",
    "reason": "A sudden fall of volume is how a short read shows.",
    "offenders": None,
}


def quality_rows(contents: Contents) -> list[tuple]:
    names = [column.split()[0] for column in TABLES["fct_quality_results"].split(", ")]
    return [tuple(verdict[name] for name in names) for verdict in verdicts_of(contents)]


def score_rows(contents: Contents) -> list[tuple]:
    """As dbt sums them up: that its formula is the one of `quality/score.py` is for `tests/dbt`."""
    scores = scores_by_day_and_step(verdicts_of(contents))
    return [(day, step, *score.as_plain().values(), noon(day)) for (day, step), score in scores.items()]


def promise_rows(contents: Contents) -> list[tuple]:
    """One promise that was always kept, one that was broken for a while, and the one that is broken."""
    first, last, days = contents.first_day, contents.last_day, len(contents.complete)
    kept = (days, 0, None, None, last, False, 0, None, None, None)
    was_broken = (days, 1, first, first, last, False, 2, 1.25, 75.0, None)
    broken = (days, 1, last, last, last, True, 1, None, None, noon(last))
    return [
        ("marts", "models", "is_unique", "blocks", "team:data", *kept),
        ("staging", "models", "is_complete", "watch", None, *was_broken),
        ("raw", "models", "volume_is_plausible", "investigate", "team:data", *broken),
    ]


def restatement_rows(contents: Contents) -> list[tuple]:
    """What version v2 restates, and an earlier one did, of which v2 says nothing any more."""
    day = contents.first_day
    attribution, late = "attribution: Org (US → FR)", f"late day {day}"
    return [
        (
            "v2",
            "mart_daily_country_share",
            f"country_code=US snapshot_date={day}",
            day,
            0.4,
            0.3,
            attribution,
            *(None,) * 3,
        ),
        (
            "v2",
            "mart_daily_country_share",
            f"country_code=FR snapshot_date={day}",
            day,
            None,
            0.1,
            attribution,
            *(None,) * 3,
        ),
        ("v2", "mart_headline_claims", f"claim_id=4 part=cadence snapshot_date={day}", day, 14, 21, late, *(None,) * 3),
        ("v2", "(all)", f"{day}", day, None, None, f"{attribution}; {late}", 1_200, 3, 7),
        ("v2", "dim_organizations", "not in history", None, None, None, "attribution: Other (CN → SG)", *(None,) * 3),
        ("v0", "(all)", f"{day}", day, None, None, "not known", 1_100, 1, 0.2),
    ]
