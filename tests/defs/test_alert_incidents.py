"""A root cause is told once, however many runs, retries and days it breaks; again only after the hours that are set; and once
when it is over. Real runs of a small job, whose step writes real results into the quality history."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from pydantic import SecretStr

from orchestration.defs.alerts import run_alerts
from orchestration.defs.alerts.channels import MESSAGES_PER_HOUR, alerts_path, read_lines
from orchestration.publishing.files import read_json
from orchestration.quality.history import write_results
from orchestration.quality.promises import STEPS
from orchestration.quality.results import CheckResult, evaluation_id
from orchestration.settings import Settings

MONDAY, TUESDAY, WEDNESDAY = date(2025, 3, 3), date(2025, 3, 4), date(2025, 3, 5)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Said:
    """A verdict of a gate, in short."""

    check_name: str = "likes_is_not_negative"
    passed: bool = False
    severity: str = "blocks"
    step: str = "raw"
    table_name: str = "hub_models"
    crashed: bool = False
    accepted: bool = False

    def on(self, day: date, run_id: str, at: datetime) -> CheckResult:
        return CheckResult(
            evaluation_id=evaluation_id(run_id, self.step, day, self.table_name, self.check_name),
            run_id=run_id,
            evaluated_at=at,
            snapshot_date=day,
            step=self.step,
            table_name=self.table_name,
            check_name=self.check_name,
            severity=self.severity,
            blocking=self.severity == "blocks",
            passed=self.passed or self.accepted,
            crashed=self.crashed,
            accepted_event=self.accepted,
            accepted_because="e1: it was so" if self.accepted else None,
            owner="team:attribution",
            observed="BinderException: no column likes" if self.crashed else "40",
            threshold="0",
            basis="fixed on 2026-11-24",
            reason="it is a count",
            evaluated_rows=100,
            failed_rows=40,
            offenders=tuple({"_id": f"m{number}", "likes": -1} for number in range(5)),
        )


@dataclass
class Desk:
    """One home, one instance, and the sensor between them; `now` goes on by a minute a look."""

    settings: Settings
    instance: dg.DagsterInstance
    cursor: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def run(self, day: date, *said: Said, raises: Callable[[], Exception] | None = None, tags=None) -> str:
        """A run of a small job: its gate's step writes the verdicts, and fails as a gate does if one of them blocks."""

        stopping = [one for one in said if one.severity == "blocks" and not one.passed and not one.accepted]

        @dg.op(name=f"{stopping[0].step if stopping else 'raw'}_gate")
        def gate(context: dg.OpExecutionContext):
            for step in STEPS:
                at = datetime.now(UTC)
                rows = [one.on(day, context.run.run_id, at) for one in said if one.step == step]
                if rows:
                    write_results(self.settings, rows, step=step, run_id=context.run.run_id, at=at)
            if raises:
                raise raises()
            if stopping:
                raise dg.Failure("the gate says no", allow_retries=False)

        job = dg.GraphDefinition(name="tiny", node_defs=[gate]).to_job(executor_def=dg.in_process_executor)
        given = {"dagster/partition": str(day)} | (tags or {})
        result = job.execute_in_process(instance=self.instance, tags=given, raise_on_error=False, run_config=QUIET)
        return result.run_id

    def look(self, later: timedelta = timedelta(minutes=1)) -> list[dict]:
        """A tick; gives the alerts that it wrote down."""
        before = len(self.alerts)
        self.now += later
        self.cursor, _ = run_alerts.tick(self.instance, self.settings, self.cursor, self.now)
        return self.alerts[before:]

    @property
    def alerts(self) -> list[dict]:
        return read_lines(alerts_path(self.settings))

    @property
    def open(self) -> dict:
        return read_json(self.settings.alerts_dir / "incidents.json")["open"]


@pytest.fixture
def desk(tmp_path, settings):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield Desk(settings, instance)


BROKEN, KEPT = Said(), Said(passed=True)
KEY = "check:raw:hub_models:likes_is_not_negative"


def test_what_broke_together_and_what_follows_from_it_is_one_alert(desk):
    run_id = desk.run(
        MONDAY,
        BROKEN,
        Said("values_fit", severity="investigate"),
        Said("shares_sum_to_one", step="marts", table_name="mart_daily_country_share"),
        Said("rows_are_enough", severity="watch"),
        Said("ids_are_unique", passed=True),
    )

    (alert,) = desk.look()

    assert alert["title"] == "blocks · 2025-03-03 · hub_models breaks “likes is not negative” (and 2 more)"
    assert (alert["event"], alert["incident"], alert["severity"]) == ("raised", KEY, "blocks")
    assert (alert["step"], alert["table_name"], alert["owner"]) == ("raw", "hub_models", "team:attribution")
    assert alert["body"].splitlines() == [
        "Promise: likes is not negative",
        "Found: 40",
        "Expected: 0 (fixed on 2026-11-24)",
        "Snapshot day: 2025-03-03",
        "Table: hub_models",
        "Step: raw",
        "Owner: team:attribution",
        "Why it matters: it is a count",
        "What it does: The day goes no further. Analysts keep the last published version.",
        "Offender: _id=m0, likes=-1",
        "Offender: _id=m1, likes=-1",
        "Offender: _id=m2, likes=-1",
        "What to do: RUNBOOK.md#likes_is_not_negative",
        "",
        "Broken by the same run at the same step:",
        "- investigate · 2025-03-03 · raw · hub_models breaks “values fit”: found 40, expected 0 "
        "(team:attribution; RUNBOOK.md#values_fit)",
        "",
        "Broken at later steps, which most likely follows from it:",
        "- blocks · 2025-03-03 · marts · mart_daily_country_share breaks “shares sum to one”: found 40, expected 0 "
        "(team:attribution; RUNBOOK.md#shares_sum_to_one)",
        "",
        f"Run: http://127.0.0.1:3000/runs/{run_id}",
    ]
    assert not any("rows_are_enough" in key for key in alert["incidents"])


def test_retries_and_later_runs_of_an_open_incident_are_counted_and_not_told(desk):
    first = desk.run(MONDAY, BROKEN)
    assert len(desk.look()) == 1

    desk.run(MONDAY, BROKEN, tags={"dagster/parent_run_id": first, "dagster/root_run_id": first})
    desk.run(TUESDAY, BROKEN)
    assert desk.look() == []

    incident = desk.open[KEY]
    assert (incident["times_seen"], incident["times_told"], len(incident["run_ids"])) == (3, 1, 3)
    assert incident["finding"]["snapshot_dates"] == ["2025-03-03", "2025-03-04"]


def test_a_consequence_that_comes_up_later_belongs_to_the_open_incident(desk):
    desk.run(MONDAY, BROKEN)
    (root,) = desk.look()

    desk.run(MONDAY, BROKEN, Said("shares_sum_to_one", step="marts", table_name="mart_daily_country_share"))
    assert desk.look() == []
    assert {incident["told_with"] for incident in desk.open.values()} == {root["alert_id"]}

    desk.run(MONDAY, KEPT, Said("shares_sum_to_one", True, step="marts", table_name="mart_daily_country_share"))
    (resolved,) = desk.look()
    assert len(resolved["incidents"]) == 2


def test_what_stops_a_day_is_not_hidden_behind_what_does_not(desk):
    desk.run(MONDAY, replace(BROKEN, severity="investigate"))
    assert len(desk.look()) == 1

    desk.run(TUESDAY, replace(BROKEN, severity="investigate"), Said("shares_sum_to_one", step="marts", table_name="m"))

    assert [alert["incident"] for alert in desk.look()] == ["check:marts:m:shares_sum_to_one"]


def test_an_open_incident_is_told_again_after_the_hours_that_are_set(desk):
    desk.run(MONDAY, BROKEN)
    (first,) = desk.look()

    assert desk.look(timedelta(hours=23)) == []
    (again,) = desk.look(timedelta(hours=2))
    assert desk.look(timedelta(hours=23)) == []
    assert len(desk.look(timedelta(hours=2))) == 1

    assert again["event"] == "repeated"
    assert again["incident"] == first["incident"]
    assert again["alert_id"] != first["alert_id"]
    assert again["title"] == "still open, blocks · 2025-03-03 · hub_models breaks “likes is not negative”"
    assert again["body"].startswith("Open since ")
    assert first["body"].splitlines()[0] in again["body"]


@pytest.mark.parametrize(
    ("day", "said", "is_over"),
    [
        pytest.param(TUESDAY, KEPT, True, id="the same day"),
        pytest.param(WEDNESDAY, KEPT, True, id="a later day"),
        pytest.param(TUESDAY, Said(accepted=True), True, id="accepted by a known event"),
        pytest.param(TUESDAY, Said("another_promise", passed=True), True, id="nobody makes it any more"),
        pytest.param(MONDAY, KEPT, False, id="an earlier day says nothing"),
        pytest.param(TUESDAY, Said("x", True, table_name="other"), False, id="another table says nothing"),
        pytest.param(TUESDAY, Said(crashed=True), False, id="a check that crashes says nothing"),
    ],
)
def test_it_is_over_when_the_promise_is_kept_for_a_day_as_late(desk, day, said, is_over):
    desk.run(TUESDAY, BROKEN)
    desk.look()

    desk.run(day, said)
    alerts = desk.look()

    assert [alert["event"] for alert in alerts] == (["resolved"] if is_over else [])
    assert (KEY in desk.open) is not is_over


def test_the_message_of_what_is_over_says_how_long_it_lasted(desk):
    desk.run(MONDAY, BROKEN)
    desk.look()
    mended = desk.run(MONDAY, KEPT)
    (alert,) = desk.look()

    assert alert["title"] == "resolved · 2025-03-03 · hub_models keeps “likes is not negative” again"
    assert "it held for 2025-03-03 or a later day. It lasted less than a minute, from 20" in alert["body"]
    assert alert["body"].splitlines()[-1] == f"Run: http://127.0.0.1:3000/runs/{mended}"
    assert (alert["run_id"], alert["severity"]) == (mended, "blocks")

    desk.run(MONDAY, BROKEN)
    assert [alert["event"] for alert in desk.look()] == ["raised"]


def test_a_check_that_crashed_is_told_as_a_crash(desk):
    desk.run(MONDAY, Said(crashed=True))

    (alert,) = desk.look()

    said = "Found: the check crashed, which says nothing about the data: BinderException: no column likes"
    assert said in alert["body"].splitlines()


class DiskFull(Exception):
    """What a step might raise."""


def test_an_exception_is_over_when_the_step_succeeds(desk):
    desk.run(TUESDAY, raises=lambda: DiskFull("no space left"))
    (alert,) = desk.look()
    assert alert["incident"] == "run:tiny:raw_gate:DiskFull"

    desk.run(WEDNESDAY, raises=lambda: DiskFull("no space left"))
    desk.run(MONDAY, KEPT)
    assert desk.look() == []

    desk.run(WEDNESDAY, KEPT)
    (resolved,) = desk.look()
    assert (resolved["event"], resolved["incident"]) == ("resolved", alert["incident"])
    assert "the step succeeds again" in resolved["body"]


def test_an_error_that_quotes_an_address_is_kept_without_it(desk):
    url = "json://somebody:s3cr3t-word@127.0.0.1:9/tok3n-in-path"
    desk.settings = desk.settings.model_copy(update={"notify_urls": SecretStr(url)})
    desk.run(MONDAY, raises=lambda: DiskFull(f"could not post to {url}, nor as somebody:s3cr3t-word"))

    (alert,) = desk.look()

    assert "Found: could not post to •••, nor as •••:•••" in alert["body"]
    written = [path.read_text() for path in desk.settings.home.rglob("*") if path.is_file()]
    assert len(written) >= 5
    assert not any("s3cr3t" in text or "tok3n" in text for text in written)


def test_a_ledger_that_a_crash_has_lost_tells_nothing_twice(desk, target):
    desk.settings = desk.settings.model_copy(update={"notify_urls": SecretStr(target.url)})
    desk.run(MONDAY, BROKEN)
    desk.look()
    (desk.settings.alerts_dir / "incidents.json").unlink()
    desk.cursor = None

    assert desk.look() == []
    assert len(target.messages) == 1
    assert KEY in desk.open


def test_a_storm_of_fifty_failing_runs_is_ten_messages_and_fifty_lines(desk, target):
    desk.settings = desk.settings.model_copy(update={"notify_urls": SecretStr(target.url)})
    for number in range(50):
        error = type(f"Cause{number}", (Exception,), {})
        desk.run(MONDAY, raises=lambda error=error: error("broken"))

    desk.look()
    desk.look()

    # the bound: nine by themselves, and the tenth says how many more there are
    assert len(target.messages) == MESSAGES_PER_HOUR == 10
    assert target.titles[-1] == "41 more: 41 blocks"
    assert len(desk.alerts) == 50
    assert len(desk.open) == 50

    # the same cause fifty times over would have been one
    for _ in range(3):
        desk.run(MONDAY, raises=lambda: type("Cause7", (Exception,), {})("broken"))
    assert desk.look() == []
    assert desk.open["run:tiny:raw_gate:Cause7"]["times_seen"] == 4
